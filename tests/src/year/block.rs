//! A block of flats: one replica on which its people speak one after the other.

use std::collections::BTreeMap;

use kiez_core::domain::id::{PersonId, PollId, ProposalId, TaskId, Timestamp};
use kiez_core::domain::poll::Method;
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::replica::actions::ActionError;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::missing::Missing;
use kiez_core::replica::storage::{OwnJournal, Storage};
use kiez_core::replica::wire::EntriesFrame;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::plan::{Act, IDEAS, ROUNDS, Scheduled};
use super::{Neighbour, START, invite, name, speak_as};

/// How many different words people use.
const WORDS: usize = 3_000;

const SYLLABLES: [&str; 30] = [
    "ba", "ver", "en", "der", "stra", "ße", "kin", "gart", "platz", "haus", "un", "ge", "lich", "tung",
    "rad", "weg", "nach", "bar", "fest", "er", "te", "ein", "auf", "schu", "le", "grün", "was", "ser",
    "spiel", "zeit",
];

/// What has an id by now, as far as this block knows.
#[derive(Debug, Clone, Default)]
struct Known {
    ideas: BTreeMap<usize, ProposalId>,
    polls: BTreeMap<usize, (PollId, PersonId)>,
    tasks: BTreeMap<usize, (TaskId, Option<ProposalId>)>,
}

pub(super) struct Block {
    replica: Option<Replica<MemoryStorage>>,
    /// Who speaks on it, where it is known.
    speaker: Option<usize>,
    known: Known,
    words: Vec<String>,
    rng: ChaCha20Rng,
    /// How many actions were done here.
    pub(super) done: usize,
    /// What could not be done yet.
    pub(super) postponed: Vec<Scheduled>,
}

impl Block {
    pub(super) fn new(place: usize, storage: MemoryStorage, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let words = (0..WORDS)
            .map(|_| {
                (0..rng.random_range(1..4))
                    .map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())])
                    .collect()
            })
            .collect();
        // The same words everywhere; from here on each its own stream.
        rng.set_stream(place as u64);
        Self {
            replica: Some(Replica::open(storage).unwrap()),
            speaker: None,
            known: Known::default(),
            words,
            rng,
            done: 0,
            postponed: Vec::new(),
        }
    }

    fn replica(&mut self) -> &mut Replica<MemoryStorage> {
        self.replica.as_mut().unwrap()
    }

    fn speak(&mut self, people: &[Neighbour], person: usize) {
        if self.speaker != Some(person) {
            let own = people[person].own.clone().unwrap();
            self.replica = Some(speak_as(self.replica.take().unwrap(), own));
            self.speaker = Some(person);
        }
    }

    /// Somebody new moves in: invited by a neighbour of the same block (112 is a multiple of people a block and round).
    pub(super) fn admit(&mut self, people: &[Neighbour], joiner: usize, round: usize) -> OwnJournal {
        let inviter = joiner - 112;
        self.speak(people, inviter);
        let mut rng = self.fresh();
        let at = time(round);
        let replica = self.replica();
        let (invitation, channel) = invite(replica, &people[inviter], &people[joiner], &mut rng);
        let request = invitation.request(&people[joiner].me, &people[joiner].person, &channel);
        replica
            .admit(&request, &channel, at, &mut rng)
            .unwrap()
            .admission()
            .unwrap();
        replica.open_journal(&people[joiner].me, &mut rng).unwrap();
        replica.set_profile_name(&name(joiner), at).unwrap();
        let own = replica.storage().own().unwrap().unwrap();
        self.speaker = Some(joiner);
        own
    }

    /// One round: what is planned for the people of this block.
    pub(super) fn live<'a>(&mut self, people: &[Neighbour], acts: impl Iterator<Item = &'a Scheduled>) {
        for scheduled in acts {
            self.speak(people, scheduled.person);
            match self.act(people, scheduled) {
                Ok(true) => self.done += 1,
                Ok(false) | Err(ActionError::NotFound { .. } | ActionError::NotAnElector) => {
                    assert!(scheduled.round < ROUNDS * 2, "never done: {scheduled:?}");
                    self.postponed.push(*scheduled);
                }
                Err(error) => panic!("{scheduled:?}: {error}"),
            }
        }
    }

    /// False where what it is about is not known here yet.
    fn act(&mut self, people: &[Neighbour], scheduled: &Scheduled) -> Result<bool, ActionError> {
        let at = Timestamp(time(scheduled.round).0 + self.rng.random_range(0..86_400_000));
        let person = people[scheduled.person].me.person;
        match scheduled.act {
            Act::Propose(number) => {
                let draft = Draft {
                    title: self.sentence(5),
                    body: self.sentence(120),
                    categories: vec![self.sentence(1)],
                    ..Draft::default()
                };
                let mut rng = self.fresh();
                let id = self.replica().add_idea(&draft, at, &mut rng)?;
                self.known.ideas.insert(number, id);
            }
            Act::Edit(number) => {
                let words = self.rng.random_range(1..12);
                let (added, place, cut) = (
                    self.sentence(words),
                    self.rng.random(),
                    self.rng.random_range(0..4),
                );
                let Some(idea) = self.known.ideas.get(&number).copied() else {
                    return Ok(false);
                };
                let body = self.replica().idea(idea)?.body;
                let edited = edit(&body, &added, place, if cut == 0 { 5 } else { 0 });
                self.replica().edit_idea(idea, &edited, at)?;
            }
            Act::Comment(number) => {
                let words = self.rng.random_range(5..30);
                let (text, mut rng) = (self.sentence(words), self.fresh());
                let Some(idea) = self.known.ideas.get(&number).copied() else {
                    return Ok(false);
                };
                self.replica().comment(idea, &text, at, &mut rng)?;
            }
            Act::OpenPoll(number) => {
                let Some(idea) = self.known.ideas.get(&number).copied() else {
                    return Ok(false);
                };
                let poll = self.replica().open_poll(idea, Method::YesNo, vec![], at)?;
                self.known.polls.insert(number, (poll, person));
            }
            Act::Ballot(number) => {
                let answer = ["yes", "no", "abstain"][self.rng.random_range(0..3)].to_owned();
                let Some((poll, opener)) = self.known.polls.get(&number).copied() else {
                    return Ok(false);
                };
                self.replica().remember_poll(poll, opener);
                self.replica().cast(poll, &[answer], at)?;
            }
            Act::Task(number, on) => {
                let (title, mut rng) = (self.sentence(5), self.fresh());
                let idea = self.known.ideas.get(&on).copied();
                if on < IDEAS && idea.is_none() {
                    return Ok(false);
                }
                let draft = TaskDraft {
                    title,
                    assignees: [person].into(),
                    due: Some("2026-12-01".parse().unwrap()),
                };
                let id = self.replica().add_task(idea, &draft, at, &mut rng)?;
                self.known.tasks.insert(number, (id, idea));
            }
            Act::Move(number, done) => {
                let Some((task, idea)) = self.known.tasks.get(&number).copied() else {
                    return Ok(false);
                };
                let state = if done { TaskState::Done } else { TaskState::Open };
                self.replica().set_task_state(idea, task, state, at)?;
            }
        }
        Ok(true)
    }

    /// A stream of randomness for one id: how much of it is used does not change what follows.
    fn fresh(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.rng.random())
    }

    fn sentence(&mut self, words: usize) -> String {
        let words: Vec<&str> = (0..words)
            .map(|_| self.words[self.rng.random_range(0..WORDS)].as_str())
            .collect();
        words.join(" ")
    }

    /// Takes what another block has more, as it would come over the wire.
    pub(super) fn take_from(&mut self, other: &Self) {
        let from = other.replica.as_ref().unwrap();
        let group = from.group();
        let entries = match from
            .missing(&self.replica().frontier(), &std::collections::BTreeSet::new())
            .unwrap()
        {
            Missing::Nothing => vec![],
            Missing::Entries(entries) | Missing::Many(entries) => {
                EntriesFrame::pack(&entries).unwrap().unpack(group).unwrap()
            }
        };
        let entries = entries.into_iter().map(|entry| (entry, None)).collect();
        let received = self.replica().receive(entries).unwrap();
        assert!(
            received.ended.is_empty() && received.forked.is_empty(),
            "{received:?}"
        );
        self.known.ideas.extend(&other.known.ideas);
        self.known.polls.extend(&other.known.polls);
        self.known.tasks.extend(&other.known.tasks);
    }

    pub(super) fn bundle(&mut self) -> Vec<u8> {
        self.replica()
            .bundle(&Frontier::new(), Compression::Fast)
            .unwrap()
    }
}

fn time(round: usize) -> Timestamp {
    Timestamp(START + round as u64 * 365 * 86_400_000 / ROUNDS as u64)
}

/// A text with something put in at a place, and so many letters less.
fn edit(body: &str, added: &str, place: u32, cut: usize) -> String {
    let mut letters: Vec<char> = body.chars().collect();
    let at = place as usize % letters.len();
    let end = (at + cut).min(letters.len());
    letters.splice(at..end, added.chars());
    letters.into_iter().collect()
}

//! What people did, kept apart from the replicas: what each of them must show in the end.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{
    DeviceId, EntryId, EntryNumber, JournalId, PersonId, PollId, ProposalId, TaskId,
};
use kiez_core::domain::poll::Cut;
use kiez_core::domain::task::TaskState;

/// Something somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Named the group.
    GroupName(String),
    /// Said what they are called.
    ProfileName(String),
    /// Had an idea; the letter is in its text from the beginning.
    Idea { title: String, letter: char },
    /// Put this letter into an idea's text.
    Edit { idea: ProposalId, letter: char },
    /// Said this.
    Comment { idea: ProposalId, text: String },
    /// Put a task on a board.
    Task { idea: Option<ProposalId>, title: String },
    /// Said how far a task is.
    TaskIs {
        idea: Option<ProposalId>,
        task: TaskId,
        state: TaskState,
    },
    /// Opened a poll; these can vote.
    Poll {
        poll: PollId,
        electors: BTreeSet<PersonId>,
    },
    /// Voted.
    Cast { poll: PollId, choices: Vec<u16> },
    /// Counted: these deeds were ballots here.
    Close {
        poll: PollId,
        cut: Cut,
        counted: BTreeSet<usize>,
    },
    /// Had something erased: this was left.
    Left(Left),
    /// Changed who is in the group.
    Control,
}

/// What was left of a document in which something was erased, as its eraser's device showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) document: DocumentId,
    /// With which act.
    pub(super) act: EntryId,
    /// Of a person's own: their name and comments.
    pub(super) name: Option<String>,
    pub(super) comments: BTreeSet<String>,
    /// Of an idea.
    pub(super) title: String,
    pub(super) letters: BTreeSet<char>,
}

impl Left {
    /// Nothing of this document.
    pub(super) const fn nothing(document: DocumentId) -> Self {
        Self {
            document,
            act: EntryId([0; 32]),
            name: None,
            comments: BTreeSet::new(),
            title: String::new(),
            letters: BTreeSet::new(),
        }
    }
}

/// What several deeds are about, so that one can replace the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Group,
    Profile(PersonId),
    Task(TaskId),
    Ballot(PersonId, PollId),
}

/// An act that is durable on the device that did it.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) act: Act,
    pub(super) person: PersonId,
    pub(super) entry: EntryId,
    pub(super) place: (JournalId, EntryNumber),
    /// Earlier deeds on the same subject that counted on that device.
    pub(super) knows: BTreeSet<usize>,
    /// It was only on a disk that is gone.
    pub(super) is_lost: bool,
    /// It lies beyond the end of its author's place, and nobody built on it: found at rest.
    pub(super) is_beyond: bool,
    /// It was erased, or came too late into a document that was begun anew: found at rest.
    pub(super) is_gone: bool,
}

impl Deed {
    fn subject(&self) -> Option<Subject> {
        subject(&self.act, self.person)
    }
}

fn subject(act: &Act, person: PersonId) -> Option<Subject> {
    match act {
        Act::GroupName(_) => Some(Subject::Group),
        Act::ProfileName(_) => Some(Subject::Profile(person)),
        Act::TaskIs { task, .. } => Some(Subject::Task(*task)),
        Act::Cast { poll, .. } => Some(Subject::Ballot(person, *poll)),
        Act::Left(left) => left.document.owner().map(Subject::Profile),
        Act::Idea { .. }
        | Act::Edit { .. }
        | Act::Comment { .. }
        | Act::Task { .. }
        | Act::Poll { .. }
        | Act::Close { .. }
        | Act::Control => None,
    }
}

/// Everything that was done.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) deeds: Vec<Deed>,
    /// The fingerprint with which each poll was first seen closed, by its cut.
    pub(super) results: BTreeMap<(PollId, Cut), [u8; 32]>,
    /// Persons of whom somebody has tried to end a membership, a role, a device or the invitation. What all others do
    /// counts, whatever becomes of those attempts.
    pub(super) touched: BTreeSet<PersonId>,
    /// Devices that somebody has retired.
    pub(super) retired: BTreeSet<DeviceId>,
    /// Control acts of those who break the rules: motions that must not be carried, others that must not take effect.
    pub(super) vain: BTreeSet<EntryId>,
    /// Content that nobody but its author can read.
    pub(super) sealed: BTreeSet<EntryId>,
    /// By whom each person was let in, also with further devices.
    brought: BTreeMap<PersonId, BTreeSet<PersonId>>,
    letters: u32,
}

impl Model {
    /// Somebody lets a person in, or a further device of theirs.
    pub(super) fn lets_in(&mut self, by: PersonId, whom: PersonId) {
        self.brought.entry(whom).or_default().insert(by);
    }

    /// Has nobody ever tried to end anything of this person, or of those who let them in?
    pub(super) fn is_untouched(&self, person: PersonId) -> bool {
        let mut seen = BTreeSet::from([person]);
        let mut to_visit = vec![person];
        while let Some(at) = to_visit.pop() {
            if self.touched.contains(&at) {
                return false;
            }
            let before = self.brought.get(&at).into_iter().flatten();
            to_visit.extend(before.copied().filter(|by| seen.insert(*by)));
        }
        true
    }

    /// A letter that nobody has used: half of them take two units of UTF-16.
    pub(super) fn letter(&mut self) -> char {
        let number = self.letters;
        self.letters += 1;
        let base = if number.is_multiple_of(2) {
            0x4e00
        } else {
            0x2_0000
        };
        char::from_u32(base + number / 2).unwrap()
    }

    /// A text that nobody has used.
    pub(super) fn word(&mut self, kind: &str) -> String {
        self.letters += 1;
        format!("{kind} {}", self.letters)
    }

    /// The deeds on the same subject that count where `counts` says so.
    pub(super) fn known(
        &self,
        act: &Act,
        person: PersonId,
        counts: impl Fn(&Deed) -> bool,
    ) -> BTreeSet<usize> {
        let Some(about) = subject(act, person) else {
            return BTreeSet::new();
        };
        self.of(|deed| deed.subject().as_ref() == Some(&about) && counts(deed))
    }

    /// The ballots of a poll that count where `counts` says so.
    pub(super) fn ballots(&self, wanted: PollId, counts: impl Fn(&Deed) -> bool) -> BTreeSet<usize> {
        self.of(|deed| matches!(&deed.act, Act::Cast { poll, .. } if *poll == wanted) && counts(deed))
    }

    fn of(&self, wanted: impl Fn(&Deed) -> bool) -> BTreeSet<usize> {
        let numbered = self.deeds.iter().enumerate();
        numbered
            .filter(|(_, deed)| wanted(deed))
            .map(|(n, _)| n)
            .collect()
    }

    /// Has anybody had anything erased?
    pub(super) fn has_erased(&self) -> bool {
        self.deeds.iter().any(|deed| matches!(deed.act, Act::Left(_)))
    }

    /// The deeds that were not lost, nor erased, and are not beyond.
    pub(super) fn standing(&self) -> impl Iterator<Item = (usize, &Deed)> {
        let counts = |deed: &Deed| !deed.is_lost && !deed.is_beyond && !deed.is_gone;
        self.deeds
            .iter()
            .enumerate()
            .filter(move |(_, deed)| counts(deed))
    }

    /// Of these deeds, those that no other of them knew of.
    pub(super) fn last(&self, of: &BTreeSet<usize>) -> Vec<&Deed> {
        let known: BTreeSet<usize> = of
            .iter()
            .flat_map(|n| self.deeds[*n].knows.iter().copied())
            .collect();
        of.difference(&known).map(|n| &self.deeds[*n]).collect()
    }

    /// By person: the ballots among these deeds that no other of the person's replaced.
    pub(super) fn votes(&self, among: &BTreeSet<usize>) -> BTreeMap<PersonId, Vec<Vec<u16>>> {
        let mut by_person: BTreeMap<PersonId, BTreeSet<usize>> = BTreeMap::new();
        for number in among {
            by_person
                .entry(self.deeds[*number].person)
                .or_default()
                .insert(*number);
        }
        let choices = |deed: &Deed| match &deed.act {
            Act::Cast { choices, .. } => choices.clone(),
            _ => vec![],
        };
        by_person
            .into_iter()
            .map(|(person, of)| (person, self.last(&of).into_iter().map(choices).collect()))
            .collect()
    }

    /// The states that a subject's last deeds gave it, by what `read` makes of an act.
    pub(super) fn last_of<T>(&self, read: impl Fn(&Deed) -> Option<T>) -> Vec<T> {
        let of: BTreeSet<usize> = self
            .standing()
            .filter(|(_, deed)| read(deed).is_some())
            .map(|(n, _)| n)
            .collect();
        self.last(&of).into_iter().filter_map(read).collect()
    }

    /// Marks what was only on a lost disk.
    pub(super) fn lose(&mut self, lost: &BTreeSet<EntryId>) {
        for deed in &mut self.deeds {
            deed.is_lost |= lost.contains(&deed.entry);
        }
    }

    /// What turned up after all, from a file or a disk of somebody who came in late, is not lost.
    pub(super) fn find_again(&mut self, held: &BTreeSet<EntryId>) {
        for deed in &mut self.deeds {
            deed.is_lost &= !held.contains(&deed.entry);
        }
    }
}

//! What people do, by chance: everything that the replica's actions allow, and now and then what they do not.

use std::collections::BTreeSet;

use kiez_core::domain::charter::Role;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, PersonId, PollId, ProposalId};
use kiez_core::domain::poll::{Closing, Cut, Method};
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::replica::actions::ActionError;
use kiez_core::replica::document::vote;

use super::model::{Act, Deed};
use super::world::{Attempt, Outcome, World, wrong};

/// So many edits follow each other when somebody types: more than a replica takes in before it saves a document anew.
const TYPED: usize = 80;

/// After so many of them others hear of it.
const TYPED_AT_ONCE: usize = 20;

impl World {
    pub(super) fn somebody_acts(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.role().is_some()) else {
            return Ok(());
        };
        let role = self.nodes[node].role().unwrap();
        match self.dice.below(16) {
            0 => self.names_group(node, role),
            1 => self.names_self(node),
            2 | 3 => self.has_idea(node, role),
            4..=6 => self.edits(node, role),
            7 => self.comments(node),
            8 => self.opens_poll(node, role),
            9..=11 => self.casts(node, role),
            12 => self.closes(node, role),
            13 => self.adds_task(node, role),
            _ => self.says_how_far(node, role),
        }
    }

    /// Many edits, one after the other.
    pub(super) fn somebody_types(&mut self) -> Outcome {
        let Some(node) = self.some_node(super::people::is_member) else {
            return Ok(());
        };
        let Some(idea) = self.some_idea(node)? else {
            return Ok(());
        };
        for number in 1..=TYPED {
            if self.nodes[node].role().is_some() {
                self.edits_idea(node, Role::Member, idea)?;
            }
            if number % TYPED_AT_ONCE == 0 {
                self.tell(node)?;
            }
        }
        Ok(())
    }

    /// One more thing that everybody may do.
    pub(super) fn somebody_says_goodbye(&mut self, node: usize) -> Outcome {
        self.names_self(node)
    }

    /// Keeps what was written, and checks that the outcome fits. `may`: whether the rules allow it.
    pub(super) fn keep<T>(
        &mut self,
        node: usize,
        may: bool,
        attempt: &Attempt<T, ActionError>,
        act: Act,
    ) -> Outcome {
        let name = self.nodes[node].name.clone();
        let done = !attempt.wrote.is_empty();
        self.trace.event(format_args!("{name}: {act:?}: {done}"));
        match &attempt.result {
            Err(error) if may && !attempt.fault => wrong!("{name} could not: {error}"),
            Err(_) if done && !attempt.fault => wrong!("{name} was told no, and it was written"),
            Ok(_) if !may => wrong!("{name} did what is not allowed: {act:?}"),
            _ if !may && done => wrong!("{name} wrote what is not allowed: {act:?}"),
            _ => self.note(node, act, &attempt.wrote),
        }
    }

    /// Keeps a deed for each entry that was written for it.
    pub(super) fn note(
        &mut self,
        node: usize,
        act: Act,
        wrote: &[(JournalId, EntryNumber, EntryId)],
    ) -> Outcome {
        let person = self.nodes[node].me.person;
        for (journal, number, entry) in wrote {
            let place = (*journal, *number);
            let knows = {
                let here = &self.nodes[node];
                self.model
                    .known(&act, person, |deed| here.has_applied(deed.place, deed.entry))
            };
            self.model.deeds.push(Deed {
                act: act.clone(),
                person,
                entry: *entry,
                place,
                knows,
                is_lost: false,
                is_beyond: false,
                is_gone: false,
            });
        }
        self.check_disk(node)
    }

    fn names_group(&mut self, node: usize, role: Role) -> Outcome {
        let name = self.model.word("Zawodzie");
        let attempt = self.attempt(node, |replica, _, now| {
            replica.describe_group(&name, "Our quarter", now)
        })?;
        self.keep(node, role == Role::Steward, &attempt, Act::GroupName(name))
    }

    fn names_self(&mut self, node: usize) -> Outcome {
        let name = self.model.word(&self.nodes[node].name.clone());
        let attempt = self.attempt(node, |replica, _, now| replica.set_profile_name(&name, now))?;
        self.keep(node, true, &attempt, Act::ProfileName(name))
    }

    fn has_idea(&mut self, node: usize, role: Role) -> Outcome {
        let title = self.model.word("idea");
        let letter = self.model.letter();
        let draft = Draft {
            title: title.clone(),
            body: format!("Some words, and {letter} some more words."),
            ..Draft::default()
        };
        let attempt = self.attempt(node, |replica, rng, now| replica.add_idea(&draft, now, rng))?;
        self.keep(
            node,
            role != Role::Observer,
            &attempt,
            Act::Idea { title, letter },
        )
    }

    /// An idea that this device knows.
    pub(super) fn some_idea(&mut self, node: usize) -> Outcome<Option<ProposalId>> {
        let Ok(ideas) = self.replica(node).ideas() else {
            wrong!("ideas cannot be read")
        };
        // The newest half of the time, so that people meet in one text.
        let ids: Vec<ProposalId> = ideas.iter().map(|idea| idea.id).collect();
        Ok(if self.dice.chance(50) {
            ids.first().copied()
        } else {
            self.dice.pick(&ids)
        })
    }

    fn edits(&mut self, node: usize, role: Role) -> Outcome {
        match self.some_idea(node)? {
            Some(idea) => self.edits_idea(node, role, idea),
            None => Ok(()),
        }
    }

    /// Puts a new letter somewhere, takes plain words out, writes plain words in; never takes out another's letter.
    fn edits_idea(&mut self, node: usize, role: Role, idea: ProposalId) -> Outcome {
        let Ok(seen) = self.replica(node).idea(idea) else {
            wrong!("an idea cannot be read")
        };
        let mut body: Vec<char> = seen.body.chars().collect();
        if self.dice.chance(40) && !body.is_empty() {
            let from = self.dice.below(body.len());
            let to = (from + 1 + self.dice.below(20)).min(body.len());
            let mut place = 0;
            body.retain(|c| {
                place += 1;
                !(from < place && place <= to && c.is_ascii())
            });
        }
        let letter = self.model.letter();
        let plain = self.dice.pick(&["", "", "bench", "lime tree ", "!"]).unwrap();
        let at = self.dice.below(body.len() + 1);
        let insert: Vec<char> = plain.chars().chain([letter]).collect();
        body.splice(at..at, insert);
        let body: String = body.into_iter().collect();
        let attempt = self.attempt(node, |replica, _, now| replica.edit_idea(idea, &body, now))?;
        self.keep(node, role != Role::Observer, &attempt, Act::Edit { idea, letter })
    }

    fn comments(&mut self, node: usize) -> Outcome {
        let Some(idea) = self.some_idea(node)? else {
            return Ok(());
        };
        let text = self.model.word("comment");
        let attempt = self.attempt(node, |replica, rng, now| replica.comment(idea, &text, now, rng))?;
        self.keep(node, true, &attempt, Act::Comment { idea, text })
    }

    fn opens_poll(&mut self, node: usize, role: Role) -> Outcome {
        let Some(idea) = self.some_idea(node)? else {
            return Ok(());
        };
        let (method, options) = if self.dice.chance(50) {
            (Method::YesNo, vec![])
        } else {
            let count = 2 + self.dice.below(3);
            (
                Method::Approval,
                (0..count).map(|n| format!("option {n}")).collect(),
            )
        };
        let persons = self.replica(node).roster().persons();
        let voters = persons
            .into_iter()
            .filter(|(_, person)| person.role != Role::Observer);
        let electors: BTreeSet<PersonId> = voters.map(|(person, _)| person).collect();
        let attempt = self.attempt(node, |replica, _, now| {
            replica.open_poll(idea, method, options, now)
        })?;
        // Where the power went after the commit nobody was told the id.
        let Ok(polls) = self.replica(node).polls() else {
            wrong!("polls cannot be read")
        };
        let opener = self.nodes[node].me.person;
        let mut fresh = polls
            .iter()
            .filter(|(id, poll)| poll.opener == opener && !self.knows_poll(**id));
        let fresh = fresh
            .next()
            .map(|(id, _)| *id)
            .filter(|_| !attempt.wrote.is_empty());
        let act = match (fresh, &attempt.result) {
            (None, Ok(id)) if !self.knows_poll(*id) => wrong!("a poll that was opened is not there"),
            (Some(fresh), Ok(id)) if fresh != *id => wrong!("another poll was opened than was said"),
            // By a clock that stands still: the same poll again.
            (None, _) => Act::Control,
            (Some(poll), _) => Act::Poll { poll, electors },
        };
        self.keep(node, role != Role::Observer, &attempt, act)
    }

    fn knows_poll(&self, id: PollId) -> bool {
        let mut deeds = self.model.deeds.iter();
        deeds.any(|deed| matches!(&deed.act, Act::Poll { poll, .. } if *poll == id))
    }

    /// A poll that this device knows: the first half of the time, so that people meet in one.
    fn some_poll(&mut self, node: usize) -> Outcome<Option<PollId>> {
        let Ok(polls) = self.replica(node).polls() else {
            wrong!("polls cannot be read")
        };
        let ids: Vec<PollId> = polls.keys().copied().collect();
        Ok(if self.dice.chance(50) {
            ids.first().copied()
        } else {
            self.dice.pick(&ids)
        })
    }

    fn casts(&mut self, node: usize, role: Role) -> Outcome {
        let Some(poll) = self.some_poll(node)? else {
            return Ok(());
        };
        let Ok(view) = self.replica(node).poll(poll) else {
            wrong!("a poll cannot be read")
        };
        let count = view.record.options.len();
        let mut choices: Vec<u16> = (0..count as u16).filter(|_| self.dice.chance(50)).collect();
        if view.record.method == Method::YesNo {
            choices = vec![self.dice.below(count) as u16];
        }
        let answers: Vec<String> = choices
            .iter()
            .map(|n| view.record.options[usize::from(*n)].clone())
            .collect();
        let person = self.nodes[node].me.person;
        let may = role != Role::Observer && view.closing == Closing::Open && view.electors.contains(&person);
        let attempt = self.attempt(node, |replica, _, now| replica.cast(poll, &answers, now))?;
        self.keep(node, may, &attempt, Act::Cast { poll, choices })
    }

    fn closes(&mut self, node: usize, role: Role) -> Outcome {
        let Some(poll) = self.some_poll(node)? else {
            return Ok(());
        };
        let Ok(view) = self.replica(node).poll(poll) else {
            wrong!("a poll cannot be read")
        };
        let person = self.nodes[node].me.person;
        let may =
            role != Role::Observer && view.closing == Closing::Open && view.record.counters.contains(&person);
        let counted = {
            let here = &self.nodes[node];
            self.model
                .ballots(poll, |deed| here.has_applied(deed.place, deed.entry))
        };
        let before = self.cuts(node, poll)?;
        let attempt = self.attempt(node, |replica, _, now| replica.close_poll(poll, now))?;
        let mut cuts = self
            .cuts(node, poll)?
            .into_iter()
            .filter(|cut| !before.contains(cut));
        let cut = cuts.next().unwrap_or_default();
        self.keep(node, may, &attempt, Act::Close { poll, cut, counted })
    }

    /// The cuts that the owner of this device has signed for a poll, as far as it knows.
    fn cuts(&mut self, node: usize, poll: PollId) -> Outcome<BTreeSet<Cut>> {
        let person = self.nodes[node].me.person;
        let Ok(document) = self.replica(node).document(DocumentId::Vote(person)) else {
            wrong!("a vote document cannot be read");
        };
        let closes = vote::closes(document).value.remove(&poll).unwrap_or_default();
        Ok(closes.into_iter().map(|close| close.cut).collect())
    }

    fn adds_task(&mut self, node: usize, role: Role) -> Outcome {
        let idea = if self.dice.chance(30) {
            None
        } else {
            self.some_idea(node)?
        };
        let title = self.model.word("task");
        let draft = TaskDraft {
            title: title.clone(),
            ..TaskDraft::default()
        };
        let attempt = self.attempt(node, |replica, rng, now| replica.add_task(idea, &draft, now, rng))?;
        self.keep(node, role != Role::Observer, &attempt, Act::Task { idea, title })
    }

    fn says_how_far(&mut self, node: usize, role: Role) -> Outcome {
        let idea = if self.dice.chance(30) {
            None
        } else {
            self.some_idea(node)?
        };
        let Ok(tasks) = self.replica(node).tasks(idea) else {
            wrong!("tasks cannot be read")
        };
        let Some(task) = self.dice.pick(&tasks) else {
            return Ok(());
        };
        let state = self.dice.pick(&TaskState::ALL).unwrap();
        let attempt = self.attempt(node, |replica, _, now| {
            replica.set_task_state(idea, task.id, state, now)
        })?;
        let act = Act::TaskIs {
            idea,
            task: task.id,
            state,
        };
        self.keep(node, role != Role::Observer, &attempt, act)
    }
}

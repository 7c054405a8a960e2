//! What people have erased, and what must hold of it: what is erased is gone on every device that knows of it, what was left
//! is there, and everybody still gets everything from everybody.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::charter::Role;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{EntryId, EntryNumber, ProposalId};
use kiez_core::replica::actions::ActionError;
use kiez_core::replica::content::Content;
use kiez_core::replica::document::Leave;
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::storage::{Census, Storage};

use super::model::{Act, Left};
use super::node::Node;
use super::world::{Attempt, Outcome, World, wrong};

impl World {
    /// Somebody has something of theirs erased, or proposes it of an idea.
    pub(super) fn somebody_erases(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.role().is_some()) else {
            return Ok(());
        };
        if self.dice.chance(50) {
            self.erases_own(node)
        } else {
            self.proposes_erasure(node)
        }
    }

    fn erases_own(&mut self, node: usize) -> Outcome {
        let me = self.nodes[node].me.person;
        let document = DocumentId::Own(me);
        self.make_key(node)?;
        let replica = self.replica(node);
        let (Ok(name), Ok(comments)) = (replica.name_of(me), replica.comments_of(me)) else {
            wrong!("an own page cannot be read")
        };
        let mut parts = BTreeSet::new();
        if self.dice.chance(50) {
            parts.insert(Part::Name);
        }
        if let Some(comment) = self.dice.pick(&comments)
            && self.dice.chance(60)
        {
            parts.insert(Part::Comment(comment.id));
        }
        let (leave, mut left) = if self.dice.chance(25) {
            (Leave::Everything, Left::nothing(document))
        } else {
            let stays = comments.into_iter();
            let stays = stays.filter(|comment| !parts.contains(&Part::Comment(comment.id)));
            let left = Left {
                name: name.filter(|_| !parts.contains(&Part::Name)),
                comments: stays.map(|comment| comment.text).collect(),
                ..Left::nothing(document)
            };
            (Leave::Parts(&parts), left)
        };
        let may = self.holds_something_about(node, document)?;
        let key = self.persons[self.nodes[node].person].key.clone();
        let attempt = self.attempt(node, |replica, _, now| replica.erase_own(&key, leave, now))?;
        let name = &self.nodes[node].name;
        self.trace
            .event(format_args!("{name} erases {leave:?} of their own"));
        self.keep_erasure(node, may, &attempt, &mut left)
    }

    fn proposes_erasure(&mut self, node: usize) -> Outcome {
        self.make_key(node)?;
        let Some(idea) = self.some_idea(node)? else {
            return Ok(());
        };
        let document = DocumentId::Proposal(idea);
        let Ok(seen) = self.replica(node).idea(idea) else {
            wrong!("an idea cannot be read")
        };
        let mut left = Left {
            title: seen.title,
            letters: letters(&seen.body),
            ..Left::nothing(document)
        };
        let may =
            self.nodes[node].role() != Some(Role::Observer) && self.holds_something_about(node, document)?;
        let attempt = self.attempt(node, |replica, _, now| {
            replica.propose_erasure(document, "a number", now)
        })?;
        self.report.motions += u64::from(attempt.result.is_ok());
        let name = &self.nodes[node].name;
        self.trace
            .event(format_args!("{name} wants something erased in {document}"));
        self.keep_erasure(node, may, &attempt, &mut left)
    }

    fn holds_something_about(&self, node: usize, document: DocumentId) -> Outcome<bool> {
        match self.nodes[node].disk.entries_about(document) {
            Ok(entries) => Ok(!entries.is_empty()),
            Err(error) => wrong!("a disk cannot be read: {error}"),
        }
    }

    /// Keeps the act and what it leaves: both are written, or none.
    fn keep_erasure(
        &mut self,
        node: usize,
        may: bool,
        attempt: &Attempt<EntryId, ActionError>,
        left: &mut Left,
    ) -> Outcome {
        let name = self.nodes[node].name.clone();
        let (act, rest) = match attempt.wrote[..] {
            [] => return self.keep(node, may, attempt, Act::Control),
            [act, rest] => (act, rest),
            _ => wrong!(
                "{name} wrote an act without what it leaves, or more: {:?}",
                attempt.wrote
            ),
        };
        left.act = act.2;
        self.report.erasures += 1;
        let of_act = Attempt {
            result: Ok::<(), ActionError>(()),
            fault: attempt.fault,
            wrote: vec![act],
        };
        if attempt.result.is_err() && !attempt.fault {
            wrong!("{name} was told no, and it was written");
        }
        self.keep(node, may, &of_act, Act::Control)?;
        self.note(node, Act::Left(left.clone()), &[rest])?;
        self.check_gone(node)
    }

    /// Is nothing held here of what this device knows to be erased, on whatever branch?
    pub(super) fn check_gone(&self, node: usize) -> Outcome {
        let place = &self.nodes[node];
        let Some(replica) = place.replica.as_deref() else {
            return Ok(());
        };
        for (entry, is_aside) in all_of(place) {
            let header = &entry.header;
            if header.kind != EntryKind::Content || entry.sealed.is_empty() {
                continue;
            }
            let named = replica.roster().erased_in(entry.id, header.journal).is_some();
            let key = replica.keys().get(header.key).filter(|_| named);
            // What cannot be read is dropped once it can be.
            let payload = key.and_then(|key| entry.open(key).ok());
            let Some(content) = payload.and_then(|payload| Content::from_bytes(&payload).ok()) else {
                continue;
            };
            if replica
                .roster()
                .is_erased(entry.id, header.journal, content.document)
            {
                wrong!(
                    "{} knows that {:?} is erased in {}, and holds it; aside: {is_aside}",
                    place.name,
                    entry.id,
                    content.document
                );
            }
        }
        Ok(())
    }

    /// What is erased is the same everywhere and gone everywhere, what was left is there, and who wrote too late is told.
    pub(super) fn check_erased(&mut self, honest: &[usize]) -> Outcome {
        for node in self.nodes_where(|node| node.replica.is_some() && !node.is_outlaw) {
            self.check_gone(node)?;
        }
        let bare = |node: usize| -> BTreeSet<EntryId> {
            let all = all_of(&self.nodes[node]).into_iter();
            all.filter(|(entry, _)| entry.sealed.is_empty())
                .map(|(entry, _)| entry.id)
                .collect()
        };
        let told = |node: usize| self.nodes[node].replica.as_ref().unwrap().roster().erased();
        let first = (bare(honest[0]), told(honest[0]));
        for node in honest {
            if (bare(*node), told(*node)) != first {
                wrong!(
                    "{} has erased something else than the first",
                    self.nodes[*node].name
                );
            }
        }
        self.report.erased = first.0.len() as u64;
        for node in honest {
            self.check_left(*node)?;
        }
        Ok(())
    }

    /// What was left of each document that was begun anew, as its eraser said.
    fn check_left(&mut self, node: usize) -> Outcome {
        let name = self.nodes[node].name.clone();
        let lefts = self.model.deeds.iter().filter_map(|deed| match &deed.act {
            Act::Left(left) => Some((left.clone(), deed.entry)),
            _ => None,
        });
        let lefts: Vec<(Left, EntryId)> = lefts.collect();
        for (left, rest) in lefts {
            let replica = self.nodes[node].replica.as_ref().unwrap();
            if replica.roster().generation(left.document) != Some(left.act) {
                continue;
            }
            // Where it lies on a branch that does not count, the document begins with it all the same.
            let applies = |census: Census| census.applied.contains(&rest);
            let is_there = replica.census().is_ok_and(applies) || self.nodes[node].keeps_aside(rest);
            if !is_there {
                wrong!(
                    "{name} lacks what was left of {}: {rest:?} of {left:?}",
                    left.document
                );
            }
            let replica = self.nodes[node].replica.as_mut().unwrap();
            match left.document {
                DocumentId::Proposal(id) => {
                    if replica.idea(id).is_ok_and(|idea| idea.title == left.title) {
                        continue;
                    }
                    wrong!("{name} shows otherwise what was left: {left:?}");
                }
                DocumentId::Own(person) => {
                    let comments = replica.comments_of(person).unwrap_or_default();
                    let comments: BTreeSet<String> = comments.into_iter().map(|said| said.text).collect();
                    if !left.comments.is_subset(&comments) {
                        wrong!("{name} shows {comments:?}, and this was left: {left:?}");
                    }
                }
                other => wrong!("nobody erases in {other} here"),
            }
        }
        Ok(())
    }

    /// Who wrote something before they knew that the document was begun anew is told what.
    pub(super) fn check_late(&self, node: usize, late: &BTreeSet<EntryId>) -> Outcome {
        let replica = self.nodes[node].replica.as_ref().unwrap();
        for deed in self.model.deeds.iter().filter(|deed| late.contains(&deed.entry)) {
            if matches!(deed.act, Act::Left(_)) {
                continue;
            }
            let Ok(told) = replica.came_too_late(deed.person) else {
                wrong!("what came too late cannot be read")
            };
            if !told.iter().any(|(_, entry, _)| *entry == deed.entry) {
                wrong!("its author is not told that this came too late: {deed:?}");
            }
        }
        Ok(())
    }

    /// What was left of an idea, where it was begun anew.
    pub(super) fn left_of_ideas(&self) -> BTreeMap<ProposalId, &Left> {
        let lefts = self.model.standing().filter_map(|(_, deed)| match &deed.act {
            Act::Left(left) => match left.document {
                DocumentId::Proposal(id) => Some((id, left)),
                _ => None,
            },
            _ => None,
        });
        lefts.collect()
    }
}

/// All entries on a device, each with whether it lies on a branch that does not count.
fn all_of(node: &Node) -> Vec<(Entry, bool)> {
    let rows = node.disk.journals().unwrap_or_default().into_iter();
    let counting = rows.flat_map(|row| {
        node.disk
            .entries(row.id, EntryNumber(0), usize::MAX)
            .unwrap_or_default()
    });
    let aside = node.disk.aside().unwrap_or_default();
    counting
        .map(|held| (held.entry, false))
        .chain(aside.into_iter().map(|entry| (entry, true)))
        .collect()
}

/// What nobody takes out.
pub(super) fn letters(text: &str) -> BTreeSet<char> {
    text.chars().filter(|letter| !letter.is_ascii()).collect()
}

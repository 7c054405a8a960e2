//! What a motion to erase would do, for who is asked to sign it; and what came too late for an erasure. Both are only told: nothing is
//! refused because of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::control::Erasure;
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, PersonId};
use crate::domain::proposal::Proposal;

use super::actions::ActionError;
use super::codec::Blob;
use super::content::Content;
use super::document::{Document, proposal};
use super::entry::EntryKind;
use super::gate::{Checked, DocumentPast};
use super::hold::{Replica, ReplicaError};
use super::limits::ERASED_ENTRIES_MAX;
use super::storage::Storage;

/// What of a document would read otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The title of an idea.
    Title,
    /// Its text.
    Text,
    /// What it would cost.
    Cost,
    /// Where it is.
    Place,
    /// What it is about.
    Categories,
    /// For whom it is.
    Targets,
    /// Anything else, and all of what is no idea.
    Other,
}

/// What a motion to erase would leave of its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// It has not come here, or cannot be read here yet: nobody can tell.
    Unknown,
    /// Nothing that counts: the document would be empty.
    Nothing,
    /// This; of what is no idea only whether it is the same can be told.
    Reads {
        /// The idea as it would stand.
        idea: Option<Proposal>,
        /// In what that differs from what stands there now.
        differs: BTreeSet<Aspect>,
    },
}

/// What a motion to erase would do, were it carried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// To which document.
    pub document: DocumentId,
    /// How many entries would go.
    pub entries: usize,
    /// What would be left.
    pub left: Left,
    /// How many entries would be set aside: they count now, and the motion does not name them.
    pub later: usize,
}

/// How much was written for a document as it was before an erasure, by who did not know of it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TooLate {
    /// How many entries, of everybody.
    pub all: usize,
    /// How many of the person who asks.
    pub mine: usize,
}

impl<S: Storage> Replica<S> {
    /// What an open motion to erase would do; none where it is no such motion, or has taken effect.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn outlook(&mut self, motion: EntryId) -> Result<Option<Outlook>, ReplicaError> {
        let carried = self.roster.motion_card(motion).is_none_or(|card| card.carried);
        let Some(erasure) = self.roster.erasure(motion).filter(|_| !carried).cloned() else {
            return Ok(None);
        };
        let document = erasure.document;
        let entries = erasure.entries.len();
        let would_begin = self.would_begin(document, motion);
        let later = if would_begin { self.unnamed(&erasure)? } else { 0 };
        let next = if would_begin {
            self.next_of(motion, &erasure)?
        } else {
            // Another erasure stands, whatever becomes of this one: what is read stays as it is.
            Some(self.document(document)?.clone())
        };
        let left = match next {
            None => Left::Unknown,
            Some(next) => self.left_in(document, &next)?,
        };
        Ok(Some(Outlook {
            document,
            entries,
            left,
            later,
        }))
    }

    /// For each document that was begun anew, how much came too late.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn too_late(&self, me: PersonId) -> Result<BTreeMap<DocumentId, TooLate>, ReplicaError> {
        let mut all: BTreeMap<DocumentId, TooLate> = BTreeMap::new();
        for held in self.written_too_late()? {
            let Some(document) = held.document else { continue };
            let author = self
                .roster
                .author(held.entry.header.journal)
                .map(|author| author.person);
            let late = all.entry(document).or_default();
            late.all = late.all.saturating_add(1);
            late.mine = late.mine.saturating_add(usize::from(author == Some(me)));
        }
        Ok(all)
    }

    /// Would the document be read as this act leaves it? Not where an erasure in effect came after it, or one apart from it has
    /// the smaller id.
    fn would_begin(&self, document: DocumentId, motion: EntryId) -> bool {
        let told = self.roster.erased().into_iter();
        let acts: Vec<EntryId> = told
            .filter(|erased| erased.document == document)
            .map(|erased| erased.act)
            .collect();
        let knows = |later: EntryId, act: EntryId| {
            let past = self.roster.past(&[later]);
            later != act && past.is_some_and(|past| past.contains(&act))
        };
        let apart = |act: &&EntryId| {
            let is_last = !acts.iter().any(|later| knows(*later, **act));
            is_last && !knows(motion, **act)
        };
        !acts.iter().any(|act| knows(*act, motion)) && acts.iter().filter(apart).all(|act| motion < *act)
    }

    /// The document as it would begin; none where what is left has not come here, or cannot be read yet.
    fn next_of(&self, motion: EntryId, erasure: &Erasure) -> Result<Option<Document>, ReplicaError> {
        let Some(place) = self.roster.place_of(motion) else {
            return Ok(None);
        };
        let mut next = Document::of_generation(erasure.document.kind(), place, erasure.origin);
        let Some(rest) = self.storage.entry(place.0, place.1.next())? else {
            return Ok(None);
        };
        if rest.entry.header.kind == EntryKind::Control {
            return Ok(Some(next));
        }
        let Some(payload) = self.payload(&rest.entry) else {
            // Erased in its turn it never comes again.
            return Ok(rest.entry.sealed.is_empty().then_some(next));
        };
        let content = Content::from_bytes(&payload).ok();
        let about = content.filter(|content| content.document == erasure.document);
        for Blob(raw) in about.into_iter().flat_map(|content| content.changes) {
            let past = DocumentPast::from_changes(&next.changes());
            match past.check(place.0, &raw) {
                Ok(Checked::Ready(change)) => next.apply(vec![change.into_change()])?,
                // An entry counts whole or not at all.
                Ok(Checked::Waits { .. }) | Err(_) => {
                    return Ok(Some(Document::of_generation(
                        erasure.document.kind(),
                        place,
                        erasure.origin,
                    )));
                }
            }
        }
        Ok(Some(next))
    }

    /// What counts in the document now and the act does not name.
    fn unnamed(&self, erasure: &Erasure) -> Result<usize, ReplicaError> {
        let mut unnamed = self.storage.entries_about(erasure.document)?;
        unnamed.retain(|entry| !erasure.entries.contains(entry));
        if unnamed.is_empty() {
            return Ok(0);
        }
        // What is left by motions is among what was written for another generation.
        for held in self.storage.superseded()?.iter().chain(&self.storage.beyond()?) {
            unnamed.remove(&held.entry.id);
        }
        Ok(unnamed.len())
    }

    fn left_in(&mut self, id: DocumentId, next: &Document) -> Result<Left, ReplicaError> {
        let now = self.document(id)?;
        if next.says_the_same_as(&Document::new(id.kind()))? {
            return Ok(Left::Nothing);
        }
        let mut differs = BTreeSet::new();
        let mut idea = None;
        if let DocumentId::Proposal(proposal) = id {
            let (then, now) = (
                proposal::read(next, proposal).value,
                proposal::read(now, proposal).value,
            );
            differs = differing(&then, &now);
            idea = Some(then);
        }
        if differs.is_empty() && !next.says_the_same_as(now)? {
            differs.insert(Aspect::Other);
        }
        Ok(Left::Reads { idea, differs })
    }
}

/// One act names so many entries and no more. Who named a part of them would leave the others' authors to be told that what
/// they wrote came too late.
pub(super) const fn require_few(entries: usize) -> Result<(), ActionError> {
    if entries > ERASED_ENTRIES_MAX {
        return Err(ActionError::TooManyToErase {
            most: ERASED_ENTRIES_MAX,
        });
    }
    Ok(())
}

fn differing(then: &Proposal, now: &Proposal) -> BTreeSet<Aspect> {
    let all = [
        (Aspect::Title, then.title != now.title),
        (Aspect::Text, then.body != now.body),
        (Aspect::Cost, then.cost != now.cost),
        (Aspect::Place, then.place != now.place),
        (Aspect::Categories, then.categories != now.categories),
        (Aspect::Targets, then.targets != now.targets),
    ];
    let differing = all.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(aspect, _)| aspect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_act_can_name_is_refused_and_it_is_said_what_can_be_done() {
        assert!(require_few(ERASED_ENTRIES_MAX).is_ok());
        let refused = require_few(ERASED_ENTRIES_MAX + 1).unwrap_err().to_string();
        for word in ["40000", "nothing was erased", "hide"] {
            assert!(refused.contains(word), "{refused}");
        }
    }
}

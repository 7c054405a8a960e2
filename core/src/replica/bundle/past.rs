//! What writer and reader both know of the changes before: from it both expect the same, and only differences are kept.

use std::collections::BTreeMap;

use crate::domain::id::ChangeId;

use super::change::Change;

/// The changes so far, by document.
#[derive(Debug, Default)]
pub(super) struct Past {
    documents: Vec<DocumentPast>,
    /// The time of the change before, of whatever document.
    pub(super) time: i64,
}

/// The changes of one document so far.
#[derive(Debug, Default)]
pub(super) struct DocumentPast {
    /// Hash and last operation of each.
    changes: Vec<(ChangeId, u64)>,
    /// Who took part, in order of appearance, as places in the dictionary of actors.
    actors: Vec<usize>,
    places: BTreeMap<usize, usize>,
    seqs: BTreeMap<usize, u64>,
}

impl Past {
    /// A document that was not seen before takes its place in the dictionary.
    pub(super) fn open(&mut self) {
        self.documents.push(DocumentPast::default());
    }

    /// The past of a document by its place in the dictionary.
    pub(super) fn document(&mut self, index: usize) -> Option<&mut DocumentPast> {
        self.documents.get_mut(index)
    }
}

impl DocumentPast {
    /// How many changes there are.
    pub(super) const fn len(&self) -> usize {
        self.changes.len()
    }

    /// The change so many places back: 1 is the last one.
    pub(super) fn back(&self, distance: usize) -> Option<(ChangeId, u64)> {
        let place = self.changes.len().checked_sub(distance)?;
        self.changes.get(place).copied()
    }

    /// The sequence number that an actor's next change should have.
    pub(super) fn expected_seq(&self, actor: usize) -> u64 {
        self.seqs.get(&actor).copied().unwrap_or(0).wrapping_add(1)
    }

    /// Where an actor stands among those who took part.
    pub(super) fn place(&self, actor: usize) -> Option<usize> {
        self.places.get(&actor).copied()
    }

    /// Who stands there.
    pub(super) fn actor(&self, place: usize) -> Option<usize> {
        self.actors.get(place).copied()
    }

    /// Somebody takes part.
    pub(super) fn join(&mut self, actor: usize) {
        let next = self.actors.len();
        if *self.places.entry(actor).or_insert(next) == next {
            self.actors.push(actor);
        }
    }

    /// A change was made.
    pub(super) fn push(&mut self, actor: usize, change: &Change<'_>, id: ChangeId) {
        self.join(actor);
        self.seqs.insert(actor, change.seq);
        self.changes.push((id, change.last_operation()));
    }
}

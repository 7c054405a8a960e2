//! Entries on branches of journals that do not count. Others may have them in their past, and what is erased there is erased.

use super::super::control::{ControlAct, ControlEntry};
use super::super::id::JournalId;
use super::{Judged, NotOk, PastMissing, Roster};

impl Roster {
    /// Takes in an entry on such a branch, as [`Roster::insert`] does others. It has a place for itself, so that it is in nobody's
    /// past who did not name it, and there says nothing but what is erased ([`Roster::is_about_erasing`]).
    ///
    /// # Errors
    /// As [`Roster::insert`].
    pub fn insert_beside(&mut self, entry: ControlEntry) -> Result<Result<(), NotOk>, PastMissing> {
        let alone = JournalId(entry.id.0);
        self.beside.insert(alone, entry.journal);
        let act = if self.is_about_erasing(&entry.act) {
            entry.act
        } else {
            ControlAct::Void
        };
        self.insert(ControlEntry {
            journal: alone,
            act,
            ..entry
        })
    }

    /// The journal in which an entry lies, given where it has its place here.
    pub(super) fn written_in(&self, place: JournalId) -> JournalId {
        self.beside.get(&place).copied().unwrap_or(place)
    }

    /// Does an entry lie on a branch that does not count? No end moves over it: nobody names it in a cut.
    pub(super) fn is_beside(&self, judged: &Judged) -> bool {
        self.beside.contains_key(&judged.entry.journal)
    }
}

//! What is erased, by the definition in format, section 7: by an `erase` that is ok, and by a motion with an entry that
//! carries it, whatever becomes of them.

use super::*;
use crate::domain::control::Erasure;
use crate::domain::document::DocumentId;

impl Oracle {
    /// The acts among these entries that erase, each with the entry by which it is in effect.
    pub(in crate::domain::roster::tests) fn erasures(&self, set: Set) -> Vec<(usize, usize)> {
        let acts = self.oks(set).filter_map(|(at, facts)| {
            let is_own = matches!(self.entries[at].act, ControlAct::Erase(_));
            let act = if is_own { at } else { facts.carries? };
            self.entries[act].act.erasure().map(|_| (act, at))
        });
        acts.collect()
    }

    fn erasure(&self, act: usize) -> &Erasure {
        self.entries[act].act.erasure().unwrap()
    }

    /// Is an entry of a journal erased, if it is about this document? In a person's own one only in a journal of theirs.
    pub(in crate::domain::roster::tests) fn is_erased(
        &self,
        set: Set,
        entry: EntryId,
        journal: JournalId,
        document: DocumentId,
    ) -> bool {
        let can_be = document
            .owner()
            .is_none_or(|owner| self.person_of_journal(set, journal) == Some(owner));
        let named = self.erasures(set).into_iter().any(|(act, _)| {
            self.erasure(act).document == document && self.erasure(act).entries.contains(&entry)
        });
        can_be && named
    }

    /// Whose device began it, by the grant that its first entry names, ok or not.
    pub(in crate::domain::roster::tests) fn person_of_journal(
        &self,
        set: Set,
        journal: JournalId,
    ) -> Option<PersonId> {
        let first = |at: &usize| {
            let entry = &self.entries[*at];
            entry.journal == journal && entry.number == EntryNumber::FIRST
        };
        let first = &self.entries[places(set).find(first)?];
        match &first.act {
            ControlAct::Found(found) => Some(found.founder.person),
            ControlAct::Open(open) if first.seen.contains(&open.grant) => {
                let device = self.entries[self.at[&open.grant]].act.device()?;
                (device.device == open.device).then_some(device.person)
            }
            _ => None,
        }
    }

    /// The act with which a document is begun anew: one that no other knew of; of several the one with the smallest id.
    pub(in crate::domain::roster::tests) fn generation(
        &self,
        set: Set,
        document: DocumentId,
    ) -> Option<EntryId> {
        let about = self.erasures(set).into_iter().map(|(act, _)| act);
        let about: BTreeSet<usize> = about
            .filter(|act| self.erasure(*act).document == document)
            .collect();
        let is_known = |act: &usize| {
            about
                .iter()
                .any(|other| other != act && has(self.past[*other], *act))
        };
        let last = about.iter().filter(|act| !is_known(act));
        last.map(|act| self.entries[*act].id).min()
    }
}

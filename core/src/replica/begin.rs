//! Whose word lets a journal begin. A journal is taken in only where its first entry names a grant of the very device that begins
//! it, and that grant is here: who brings others under fresh keys brings nothing.
//!
//! What a grant says is asked, not whether it counts: it may be void, over, or on a branch that is kept aside, and the journal
//! is taken in all the same. So it does not hang on what else is here, and everybody comes to the same. What a device cannot
//! read yet it takes in as well, but of such journals a few only.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::control::{ControlAct, ControlEntry, Open};
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, PersonId};
use crate::planted::{Guard, is_off};

use super::allowance::Offered;
use super::control::act_from_bytes;
use super::entry::{Entry, EntryKind};
use super::hold::{Replica, ReplicaError};
use super::keys::{BoxPlace, KeyRing};
use super::storage::Storage;

/// Grants that are followed to find out who answers for a journal.
const LINE_MAX: usize = 16;

/// What lets a journal begin, by its first entry. Of several first entries, where it forked there, the best counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Beginning {
    /// Nothing does.
    Nobodys,
    /// Its first entry or its grant cannot be read here yet.
    Unread,
    /// Its grant is neither here nor offered: what it builds on is missing.
    GrantMissing,
    /// This grant of its device.
    Granted(EntryId),
    /// It is the founding one.
    Founding,
}

/// The entries of an offer, by id.
type Places<'a> = BTreeMap<EntryId, &'a (Entry, Option<Vec<u8>>)>;

/// The journals that an offer begins, in their order, and what lets each begin.
#[derive(Debug, Default)]
pub(super) struct Begun {
    pub(super) order: Vec<JournalId>,
    pub(super) by: BTreeMap<JournalId, Beginning>,
    /// In which journal each of their grants stands, where it is offered with them.
    granted_in: BTreeMap<EntryId, JournalId>,
}

impl<S: Storage> Replica<S> {
    /// The journals that begin newly in an offer.
    pub(super) fn beginnings(&self, entries: &Offered) -> Result<Begun, ReplicaError> {
        let mut begun = Begun::default();
        let is_first = |entry: &Entry| {
            entry.header.number == EntryNumber::FIRST && !self.journals.contains_key(&entry.header.journal)
        };
        let firsts: Vec<_> = entries.iter().filter(|(entry, _)| is_first(entry)).collect();
        if firsts.is_empty() {
            return Ok(begun);
        }
        let places: Places<'_> = entries.iter().map(|offered| (offered.0.id, offered)).collect();
        let mut learned: Option<KeyRing> = None;
        for (entry, payload) in firsts {
            let mut found = self.beginning(entry, payload.as_deref(), &places, &self.keys)?;
            if found == Beginning::Unread {
                // Its key may come with it.
                let keys = learned.get_or_insert_with(|| self.keys_with(entries));
                found = self.beginning(entry, payload.as_deref(), &places, keys)?;
            }
            let journal = entry.header.journal;
            if let Beginning::Granted(grant) = found
                && let Some((granting, _)) = places.get(&grant)
            {
                begun.granted_in.insert(grant, granting.header.journal);
            }
            let best = begun.by.entry(journal).or_insert_with(|| {
                begun.order.push(journal);
                found
            });
            *best = found.max(*best);
        }
        Ok(begun)
    }

    fn beginning(
        &self,
        first: &Entry,
        payload: Option<&[u8]>,
        offered: &Places<'_>,
        keys: &KeyRing,
    ) -> Result<Beginning, ReplicaError> {
        if GroupId::from(first.id) == self.group {
            return Ok(Beginning::Founding);
        }
        let open = match self.offered_act(first, payload, keys) {
            None | Some(Ok(ControlAct::Unknown { .. })) => return Ok(Beginning::Unread),
            Some(Ok(ControlAct::Open(open))) if first.header.seen.contains(&open.grant) => open,
            Some(Ok(ControlAct::Found(_))) if is_off(Guard::FoundedOnce) => return Ok(Beginning::Founding),
            Some(Ok(_) | Err(())) => return Ok(Beginning::Nobodys),
        };
        if self.is_in_nobodys(open.grant) {
            return Ok(Beginning::Nobodys);
        }
        let mut act = None;
        let mut here = self.roster.contains(open.grant);
        if here {
            act = self.claimed_act(open.grant)?;
        }
        if let (None, Some((entry, payload))) = (&act, offered.get(&open.grant)) {
            here = true;
            match self.offered_act(entry, payload.as_deref(), keys) {
                Some(Ok(offered)) => act = Some(offered),
                Some(Err(())) => return Ok(Beginning::Nobodys),
                None => {}
            }
        }
        Ok(match act {
            Some(act) => granted(&open, &act),
            None if here => Beginning::Unread,
            None => Beginning::GrantMissing,
        })
    }

    /// What a control entry says. None where its key is not held; an error where it says nothing.
    fn offered_act(
        &self,
        entry: &Entry,
        payload: Option<&[u8]>,
        keys: &KeyRing,
    ) -> Option<Result<ControlAct, ()>> {
        if entry.header.kind != EntryKind::Control {
            return Some(Err(()));
        }
        let opened = match payload {
            Some(_) => None,
            None => Some(entry.open(keys.get(entry.header.key)?)),
        };
        let payload = match (payload, &opened) {
            (Some(payload), _) => payload,
            (None, Some(Ok(payload))) => payload,
            (None, Some(Err(_)) | None) => return Some(Err(())),
        };
        Some(act_from_bytes(self.group, &entry.header, payload).map_err(|_| ()))
    }

    /// The keys held here, with those that an offer brings in boxes for this device.
    fn keys_with(&self, entries: &Offered) -> KeyRing {
        let held = self.keys.iter().rev().cloned();
        let mut keys = held.fold(KeyRing::default(), |mut all, key| {
            all.insert(key);
            all
        });
        let Some(secret) = &self.box_secret else {
            return keys;
        };
        let public = secret.public();
        for (entry, payload) in entries {
            if entry.header.kind != EntryKind::Control {
                continue;
            }
            let Some(Ok(act)) = self.offered_act(entry, payload.as_deref(), &keys) else {
                continue;
            };
            let place = BoxPlace {
                group: self.group,
                journal: entry.header.journal,
                number: entry.header.number,
            };
            let here = |grant| {
                self.roster
                    .device(grant)
                    .is_some_and(|device| device.box_key == public)
            };
            for boxed in act.boxes().iter().filter(|boxed| here(boxed.enrolment)) {
                if keys.get(boxed.key).is_none()
                    && let Ok(key) = secret.open_boxed(&place, boxed)
                {
                    keys.insert(key);
                }
            }
        }
        keys
    }

    /// How many journals are here of which it cannot be read what lets them begin.
    pub(super) fn unread_journals(&self) -> Result<usize, ReplicaError> {
        let none = Places::new();
        let mut unread = 0_usize;
        for journal in self.journals.keys() {
            if self.roster.author(*journal).is_some() {
                continue;
            }
            let first = self.storage.entry(*journal, EntryNumber::FIRST)?;
            if let Some(first) = first
                && self.beginning(&first.entry, None, &none, &self.keys)? == Beginning::Unread
            {
                unread = unread.saturating_add(1);
            }
        }
        Ok(unread)
    }

    /// To whom what comes in a journal is counted: to whom it is; where that is nobody in the group, to whoever granted that it
    /// begins. None where that cannot be told: all such share one account.
    pub(super) fn answers_for(
        &self,
        journal: JournalId,
        begun: &Begun,
    ) -> Result<Option<PersonId>, ReplicaError> {
        let mut at = journal;
        for _ in 0..LINE_MAX {
            if let Some(author) = self.roster.author(at) {
                return Ok(Some(author.person));
            }
            let grant = match begun.by.get(&at) {
                Some(Beginning::Granted(grant)) => *grant,
                Some(_) => return Ok(None),
                None => match self.claimed_author(at)? {
                    Some(claim) => claim.grant,
                    None => return Ok(None),
                },
            };
            let granted_in = self.roster.place_of(grant).map(|(journal, _)| journal);
            match granted_in.or_else(|| begun.granted_in.get(&grant).copied()) {
                Some(granting) => at = granting,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Who answers for it that a journal begins: whoever granted it, once; for a further one on the same grant, and for one on an
    /// `enrol`, which bears their signature, whoever begins it.
    pub(super) fn answers_for_beginning(
        &self,
        journal: JournalId,
        begun: &Begun,
    ) -> Result<Option<PersonId>, ReplicaError> {
        if let Some(Beginning::Granted(grant)) = begun.by.get(&journal)
            && let Some(device) = self.roster.device(*grant)
        {
            let admitted = matches!(self.roster.act(*grant), Some(ControlAct::Admit(_)));
            if !admitted || self.roster.has_begun(*grant) {
                return Ok(Some(device.person));
            }
        }
        self.answers_for(journal, begun)
    }

    /// Is this control entry of a journal that nobody's grant lets begin? Older software has taken in such, and nobody is to build on them:
    /// whoever has not got them would not take in what does.
    pub(super) fn is_nobodys(&mut self, entry: &ControlEntry) -> Result<bool, ReplicaError> {
        if is_off(Guard::Granted) {
            return Ok(false);
        }
        if entry.number != EntryNumber::FIRST {
            return Ok(self.nobodys.contains(&entry.journal) || !self.roster.has_first(entry.journal));
        }
        let nobodys = if let ControlAct::Open(open) = &entry.act {
            let act = self.claimed_act(open.grant)?;
            let granted = act.map(|act| granted(open, &act));
            granted == Some(Beginning::Nobodys)
                || self.is_in_nobodys(open.grant)
                || !entry.seen.contains(&open.grant)
        } else if let ControlAct::Found(_) = &entry.act {
            GroupId::from(entry.id) != self.group && !is_off(Guard::FoundedOnce)
        } else {
            // What cannot be read, or not by this software, may be anything.
            !matches!(entry.act, ControlAct::Void | ControlAct::Unknown { .. })
        };
        if nobodys {
            self.nobodys.insert(entry.journal);
        }
        Ok(nobodys)
    }

    /// Does a grant stand in a journal of nobody?
    fn is_in_nobodys(&self, grant: EntryId) -> bool {
        let place = self.roster.place_of(grant);
        place.is_some_and(|(journal, _)| self.nobodys.contains(&journal))
    }

    /// The journals of nobody in an offer.
    pub(super) fn nobodys_in(begun: &Begun) -> BTreeSet<JournalId> {
        if is_off(Guard::Granted) {
            return BTreeSet::new();
        }
        let nobodys = begun.by.iter().filter(|(_, by)| **by == Beginning::Nobodys);
        nobodys.map(|(journal, _)| *journal).collect()
    }
}

fn granted(open: &Open, act: &ControlAct) -> Beginning {
    match (act.device(), act) {
        (Some(device), _) if device.device == open.device || is_off(Guard::GrantedDevice) => {
            Beginning::Granted(open.grant)
        }
        (None, ControlAct::Unknown { .. }) => Beginning::Unread,
        (Some(_) | None, _) => Beginning::Nobodys,
    }
}

//! Keys as people come and go: which one to seal under, a new one after somebody has gone, and keys for devices that lack
//! some (DESIGN section 7).
//!
//! A key is good to seal under if the `rekey` that brought it knows of every end of a device; of several the smallest id. So
//! whoever writes first after a removal makes a new key, for all devices that are still in the group. It is not promised
//! that what was sealed before its author knew of a removal stays secret.

use std::collections::BTreeSet;

use rand::CryptoRng;

use crate::domain::control::{BoxedKey, ControlAct, ControlEntry, Device, Keys, Rekey};
use crate::domain::id::{BoxKey, DeviceId, EntryId, EntryNumber, JournalId, KeyId};
use crate::planted::{Bug, Guard, is_off, is_on};

use super::frontier::Frontier;
use super::hold::{Replica, ReplicaError};
use super::keys::{BoxPlace, BoxSecret, GroupKey, seal_boxed};
use super::limits::{BOXES_MAX, PROOFS};
use super::receive::Batch;
use super::storage::{Held, Storage, Write};

impl<S: Storage> Replica<S> {
    /// Tells the replica what opens the boxes for this device. Boxes that came before are opened now.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn set_box_secret(&mut self, secret: BoxSecret) -> Result<(), ReplicaError> {
        self.box_secret = Some(secret);
        let opened = self.all_opened_boxes();
        if opened.is_empty() {
            return Ok(());
        }
        for key in &opened {
            self.keys.insert(key.clone());
        }
        let mut writes: Vec<Write> = opened.into_iter().map(Write::Key).collect();
        let reads_more = self.can_read_more();
        if reads_more {
            // In the same commit: the power may go before everything is judged anew.
            writes.push(Write::Stale(true));
        }
        self.storage.commit(self.group, writes)?;
        if reads_more {
            self.rebuild()?;
        }
        self.choose_key();
        Ok(())
    }

    /// Takes the keys for this device out of an act that has just been judged.
    pub(super) fn learn_keys(&mut self, batch: &mut Batch, entry: &ControlEntry) {
        let opened = self.opened_boxes(entry);
        self.learned(batch, opened);
    }

    /// Where something here cannot be read: looks for its key in all boxes once more.
    pub(super) fn learn_what_is_unread(&mut self, batch: &mut Batch) {
        if !self.unread.is_empty() {
            let opened = self.all_opened_boxes();
            self.learned(batch, opened);
        }
    }

    fn learned(&mut self, batch: &mut Batch, opened: Vec<GroupKey>) {
        for key in opened {
            batch.writes.push(Write::Key(key.clone()));
            self.keys.insert(key);
        }
        batch.undo |= self.can_read_more();
    }

    fn all_opened_boxes(&self) -> Vec<GroupKey> {
        let all = self.roster.all_key_acts();
        all.flat_map(|entry| self.opened_boxes(entry)).collect()
    }

    /// Is something here sealed under a key that has come since?
    fn can_read_more(&self) -> bool {
        self.unread.iter().any(|key| self.keys.get(*key).is_some())
    }

    /// The keys in boxes for this device that it lacks, each as it hashes to its name: those that a living `rekey` made, and
    /// those under which something here is sealed. (Who gives a key may be in the group by an entry that only this
    /// key opens. That it is a key of the group's is not said by it: nobody seals under it for that.)
    fn opened_boxes(&self, entry: &ControlEntry) -> Vec<GroupKey> {
        let boxes = entry.act.boxes();
        // Nearly every act has none: it is not to cost a key derivation.
        let Some(secret) = self.box_secret.as_ref().filter(|_| !boxes.is_empty()) else {
            return Vec::new();
        };
        let place = BoxPlace {
            group: self.group,
            journal: entry.journal,
            number: entry.number,
        };
        let public = secret.public();
        let wanted = boxes.iter().filter(|boxed| {
            self.may_be_for(public, boxed)
                && self.keys.get(boxed.key).is_none()
                && (self.unread.contains(&boxed.key) || self.is_made(boxed.key) || is_off(Guard::KeyMade))
        });
        wanted
            .filter_map(|boxed| secret.open_boxed(&place, boxed).ok())
            .collect()
    }

    /// Is a box for the device with this key? One that was enrolled again may be unable to read that yet: then it tries.
    fn may_be_for(&self, public: BoxKey, boxed: &BoxedKey) -> bool {
        let is_unread = matches!(self.roster.act(boxed.enrolment), Some(ControlAct::Void));
        match self.roster.device(boxed.enrolment) {
            Some(device) => device.box_key == public,
            None => is_unread && self.unread.contains(&boxed.key),
        }
    }

    /// Is this the name of a key that the group has had?
    fn is_made(&self, key: KeyId) -> bool {
        self.founding_key() == Some(key) || self.rekeys().any(|(_, made)| made == key)
    }

    /// The keys held here that somebody lacks who has the entries which brought them, and has shown to hold only some keys.
    pub(super) fn lacked_by(&self, has: &Frontier, shown: &BTreeSet<KeyId>) -> BTreeSet<KeyId> {
        if is_off(Guard::KeysShown) {
            return BTreeSet::new();
        }
        let whole = self.keys.iter().count() <= PROOFS;
        let current = self.keys.current().map(GroupKey::id);
        let control = self.storage.control().unwrap_or_default();
        let erases = |held: &&Held| self.roster.erasure(held.entry.id).is_some();
        let erasing = control.iter().filter(erases).map(|held| held.entry.header.key);
        let erasing: BTreeSet<KeyId> = erasing.collect();
        // Also those of somebody who has gone: others may have built on what is sealed under them.
        let made = self
            .roster
            .all_key_acts()
            .filter_map(|entry| Some((entry, entry.act.made_key()?)));
        let here = made.filter(|(entry, key)| {
            let has_it = has
                .get(&entry.journal)
                .is_some_and(|(head, _)| *head >= entry.number);
            // A greeting has no room for more than the best known.
            // Who cannot read what erases something leaves out what hangs on it, perhaps the very entry that brings the key.
            let is_needed = has_it || erasing.contains(key);
            is_needed && self.keys.get(*key).is_some() && (whole || current == Some(*key))
        });
        here.map(|(_, key)| key)
            .filter(|key| !shown.contains(key))
            .collect()
    }

    fn rekeys(&self) -> impl Iterator<Item = (EntryId, KeyId)> + '_ {
        self.roster
            .key_acts()
            .filter_map(|(id, act)| Some((id, act.made_key()?)))
    }

    /// The key under which the group was founded.
    fn founding_key(&self) -> Option<KeyId> {
        let (journal, _) = self.roster.place_of(self.roster.founding()?)?;
        let held = self.storage.entry(journal, EntryNumber::FIRST).ok()??;
        Some(held.entry.header.key)
    }

    /// Chooses the key to seal under by the roster as it stands; none where there is to be a new one.
    pub(super) fn choose_key(&mut self) {
        let mut ends = self.roster.ends_of_devices();
        let mut gone = self.gone_devices();
        if is_off(Guard::CoveringKey) || is_on(Bug::KeyStays) {
            ends.clear();
            gone.clear();
        }
        let given = self.given_to(&gone);
        let made = self
            .rekeys()
            .filter(|(rekey, key)| {
                self.roster.knows(*rekey, &ends) && self.roster.knows(*rekey, &gone) && !given.contains(key)
            })
            .map(|(_, key)| key);
        // The founding entry is written under the first key before it is stored.
        let first = || self.founding_key().or_else(|| self.keys.oldest());
        let founding = (ends.is_empty() && gone.is_empty()).then(first).flatten();
        let good = made.chain(founding).filter(|key| self.keys.get(*key).is_some());
        let key = good.min();
        self.keys.seal_under(key);
    }

    /// The grants of devices that were in the group, as they knew, and are not: also of those whose invitation ended, or who
    /// were let in by somebody who had gone. They were given every key that whoever let them in had.
    fn gone_devices(&self) -> BTreeSet<EntryId> {
        if self.roster.kills() == 0 {
            return BTreeSet::new();
        }
        let grants = self.roster.authors().map(|(_, author)| author.grant);
        grants.filter(|grant| !self.roster.is_enrolled(*grant)).collect()
    }

    /// The keys in boxes for these: whoever made the key did not know that they go.
    fn given_to(&self, gone: &BTreeSet<EntryId>) -> BTreeSet<KeyId> {
        if gone.is_empty() {
            return BTreeSet::new();
        }
        let boxes = self.roster.all_key_acts().flat_map(|entry| entry.act.boxes());
        let theirs = boxes.filter(|boxed| gone.contains(&boxed.enrolment));
        theirs.map(|boxed| boxed.key).collect()
    }

    /// Has somebody gone, so that a new key comes before anything is written? Only who may write makes one.
    #[must_use]
    pub fn is_rekey_due(&self) -> bool {
        self.keys.current().is_none() && self.me().is_some()
    }

    /// Makes a new key for everybody who is in the group, where one is due.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn rekey_if_due(&mut self, rng: &mut impl CryptoRng) -> Result<Option<EntryId>, ReplicaError> {
        if !self.is_rekey_due() {
            return Ok(None);
        }
        // One that the others have: a box can hold a key that nobody made, and then it is the newest here.
        let made = |key: &&GroupKey| self.is_made(key.id()) || is_off(Guard::RekeyUnder);
        let under = self
            .keys
            .iter()
            .find(made)
            .ok_or(ReplicaError::NotWriting)?
            .clone();
        let key = GroupKey::generate(rng);
        let place = self.next_place()?;
        let boxes = self
            .living_devices()
            .into_iter()
            .take(BOXES_MAX)
            // A device whose key is none gets none: that is its own fault.
            .filter_map(|(enrolment, device)| seal_boxed(&place, &key, enrolment, device.box_key, rng).ok())
            .collect();
        let rekey = Rekey { key: key.id(), boxes };
        self.keys.insert(key.clone());
        let written = self.write_act_under(&under, ControlAct::Rekey(rekey), vec![Write::Key(key)]);
        Ok(Some(written?))
    }

    fn living_devices(&self) -> Vec<(EntryId, Device)> {
        if is_on(Bug::KeyForTheGone) {
            let grants = self.roster.authors().map(|(_, author)| author.grant);
            return grants
                .filter_map(|grant| Some((grant, self.roster.device(grant)?)))
                .collect();
        }
        let persons = self.roster.persons().into_values();
        persons.flat_map(|person| person.devices).collect()
    }

    fn next_place(&self) -> Result<BoxPlace, ReplicaError> {
        let journal = self.own_journal().ok_or(ReplicaError::NotWriting)?;
        let row = self.journals.get(&journal).ok_or(ReplicaError::NotWriting)?;
        Ok(BoxPlace {
            group: self.group,
            journal,
            number: row.head.0.next(),
        })
    }

    /// The keys held here which a device has not been given, as far as the entries tell.
    #[must_use]
    pub fn lacking(&self, enrolment: EntryId) -> Vec<KeyId> {
        let mut given: BTreeSet<KeyId> = BTreeSet::new();
        for (id, act) in self.roster.key_acts() {
            // Whoever let the device in gave it what they had.
            let known = self.roster.knows(enrolment, &BTreeSet::from([id]));
            given.extend(act.made_key().filter(|_| known));
            let theirs = act.boxes().iter().filter(|boxed| boxed.enrolment == enrolment);
            given.extend(theirs.map(|boxed| boxed.key));
        }
        let made = self.rekeys().map(|(_, key)| key);
        made.filter(|key| self.keys.get(*key).is_some() && !given.contains(key))
            .collect()
    }

    /// Gives a device the keys it lacks: done when it is met, and has said which journal is its own. Also those that it has shown to lack
    /// ([`super::session::Session::take_lacks`]) although boxes for it are there: whoever sealed those was careless, or wanted it
    /// so. These it is given once by each device, whether or not they are of use to it.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn give_keys_to(
        &mut self,
        (journal, device): (JournalId, DeviceId),
        shown: &BTreeSet<KeyId>,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<EntryId>, ReplicaError> {
        let Some(enrolment) = self.grant_of(journal, device) else {
            return Ok(None);
        };
        let lacking: BTreeSet<KeyId> = self.lacking(enrolment).into_iter().collect();
        let again = shown.difference(&self.given_by_me(enrolment)).copied().collect();
        let all: Vec<KeyId> = lacking.union(&again).copied().collect();
        self.give(enrolment, &all, rng)
    }

    /// The grant of a device that writes a journal. Where that journal is over, or nobody knows it, it has another, perhaps one
    /// that it has to read before it can begin a journal on it.
    fn grant_of(&self, journal: JournalId, device: DeviceId) -> Option<EntryId> {
        let author = self.roster.living_author(journal);
        let other = || {
            let mut living = self.living_devices().into_iter();
            living.find_map(|(grant, of)| (of.device == device).then_some(grant))
        };
        author.map(|author| author.grant).or_else(other)
    }

    fn given_by_me(&self, enrolment: EntryId) -> BTreeSet<KeyId> {
        let own = self.own_journal();
        let by_me = self
            .roster
            .all_key_acts()
            .filter(|entry| Some(entry.journal) == own);
        let boxes = by_me.flat_map(|entry| entry.act.boxes());
        let theirs = boxes.filter(|boxed| boxed.enrolment == enrolment);
        theirs.map(|boxed| boxed.key).collect()
    }

    /// Gives a living device the keys it lacks, as far as the entries tell.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn give_keys(
        &mut self,
        enrolment: EntryId,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<EntryId>, ReplicaError> {
        let lacking = self.lacking(enrolment);
        self.give(enrolment, &lacking, rng)
    }

    fn give(
        &mut self,
        enrolment: EntryId,
        lacking: &[KeyId],
        rng: &mut impl CryptoRng,
    ) -> Result<Option<EntryId>, ReplicaError> {
        let device = self.roster.device(enrolment);
        let (Some(device), false) = (device, lacking.is_empty() || is_on(Bug::KeysKept)) else {
            return Ok(None);
        };
        let author = self.me();
        let mine = author.is_some_and(|author| author.grant == enrolment);
        if mine || author.is_none() || !self.roster.is_enrolled(enrolment) {
            return Ok(None);
        }
        let place = self.next_place()?;
        let keys: Vec<GroupKey> = lacking
            .iter()
            .filter_map(|id| self.keys.get(*id).cloned())
            .collect();
        let boxes: Vec<BoxedKey> = keys
            .iter()
            .filter_map(|key| seal_boxed(&place, key, enrolment, device.box_key, rng).ok())
            .take(BOXES_MAX)
            .collect();
        if boxes.is_empty() {
            return Ok(None);
        }
        // Under a key that the device has: the oldest that is not one of those it lacks.
        let Some(under) = self
            .keys
            .iter()
            .rev()
            .find(|key| !lacking.contains(&key.id()))
            .cloned()
        else {
            return Ok(None);
        };
        let written = self.write_act_under(&under, ControlAct::Keys(Keys { boxes }), vec![]);
        Ok(Some(written?))
    }
}

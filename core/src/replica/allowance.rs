//! How much of a person's writing is taken in from others' devices: so many entries and bytes at once, so many more an hour.
//!
//! Entries come in the parts that somebody's signature vouches for, and a part is taken whole or put off whole. A part is taken
//! while anything is left, so the first of a long journal always is; what it was more than what was left has to grow back
//! before the next one, for a day at the most. All devices of a person share what there is. Nothing is refused: whoever has
//! it brings it again. And what somebody else builds on is never put off; where they were brought in by whoever wrote it, it counts
//! as theirs, too: nobody comes further with friends made for it. So this decides when something is accepted, never what counts (DESIGN section 6).
//!
//! What is stored is counted, not what is sent: nobody is blamed for what others repeat in their name. What comes in journals of
//! nobody in the group is counted to whoever granted that they begin. The own ones, and what comes in a file that a person
//! opens, are not limited here; how much there is room for at all, by whatever road, says [`super::room`].

mod account;

use std::collections::{BTreeMap, BTreeSet};

use account::{Account, ENTRY_BYTES, HOUR_MILLISECONDS};
pub use account::{Amount, Rates};

use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use crate::planted::{Guard, is_off};

use super::begin::Begun;
use super::entry::{Entry, Header};
use super::hold::{Replica, ReplicaError};
use super::limits::{DEBT_HOURS_MAX, JOURNAL_BYTES_MAX, JOURNAL_ENTRIES_MAX};
use super::receive::{CarrierFault, ReceiveError, Received};
use super::room::Most;
use super::storage::Storage;

/// By which road entries came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// From a device, in a session.
    Session,
    /// In a file that somebody opened.
    File,
}

/// What a journal offered that was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutOff {
    /// As far as it goes.
    pub through: EntryNumber,
    /// When it was first offered.
    pub since: Timestamp,
    /// When more will be taken.
    pub until: Timestamp,
}

/// Journals that were not taken in, of those for which one person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptOut {
    /// How many were offered at last.
    pub journals: u64,
    /// When the first was offered.
    pub since: Timestamp,
    /// When more will be taken.
    pub until: Timestamp,
}

/// The accounts of everybody whose entries came since this program began, and what is put off.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    now: Timestamp,
    rates: Rates,
    pub(super) most: Most,
    /// One for each person who answers for what comes, and one for all of that for which nobody does.
    accounts: BTreeMap<Option<PersonId>, Account>,
    put_off: BTreeMap<JournalId, PutOff>,
    kept_out: BTreeMap<PersonId, KeptOut>,
    /// Something was left out since this program began: whoever brings what builds on it has done nothing wrong.
    pub(super) has_left_out: bool,
    /// How much of the own journal is held, once that was asked.
    own: Option<(JournalId, u64)>,
}

impl Allowance {
    /// What was read before may be out of date.
    pub(super) const fn forget(&mut self) {
        self.own = None;
    }

    fn account(&self, person: Option<PersonId>) -> Account {
        let account = self.accounts.get(&person).copied().unwrap_or_default();
        account.now(self.now, &self.rates)
    }

    fn spend(&mut self, person: Option<PersonId>, amount: Amount) {
        let mut account = self.account(person);
        account.spend(amount, &self.rates);
        self.accounts.insert(person, account);
    }
}

/// Entries with their payloads, where those came in clear.
pub(super) type Offered = Vec<(Entry, Option<Vec<u8>>)>;

/// Journals of which something is not taken in: as far as it goes, and until when.
pub(super) type TooMuch = BTreeMap<JournalId, (EntryNumber, Timestamp)>;

/// What of an offer is taken in, and to whom that is counted.
#[derive(Debug)]
pub(super) struct Within {
    /// Of these journals something was left out.
    put_off: BTreeSet<JournalId>,
    /// These are left out for good.
    nobodys: BTreeSet<JournalId>,
    /// Who builds on what would have been put off.
    pulled: BTreeMap<JournalId, BTreeSet<PersonId>>,
    begun: Begun,
    /// Who answers for it that a journal begins.
    openers: BTreeMap<JournalId, Option<PersonId>>,
}

impl Within {
    /// What was received, with what was left out.
    pub(super) fn left_out_of(self, received: Received) -> Received {
        Received {
            put_off: received.put_off.union(&self.put_off).copied().collect(),
            nobodys: self.nobodys,
            ..received
        }
    }
}

impl<S: Storage> Replica<S> {
    /// Tells the time, by which what somebody may write grows back.
    pub const fn set_clock(&mut self, now: Timestamp) {
        self.allowance.now = now;
    }

    /// Says how much of one person's writing is taken in; else as the limits say.
    pub const fn set_rates(&mut self, rates: Rates) {
        self.allowance.rates = rates;
    }

    /// What journals offered that was not taken in.
    #[must_use]
    pub const fn put_off(&self) -> &BTreeMap<JournalId, PutOff> {
        &self.allowance.put_off
    }

    /// For whom journals were offered that were not taken in, since this program began.
    #[must_use]
    pub const fn kept_out(&self) -> &BTreeMap<PersonId, KeptOut> {
        &self.allowance.kept_out
    }

    /// When something of these journals that was put off would be taken in, if it were offered again.
    #[must_use]
    pub fn takes_more_at(&self, journals: &BTreeSet<JournalId>) -> Option<Timestamp> {
        let put_off = self.allowance.put_off.iter();
        let theirs = put_off.filter(|(journal, _)| journals.contains(journal));
        let begins = journals
            .iter()
            .any(|journal| !self.journals.contains_key(journal));
        let kept_out = self.allowance.kept_out.values().filter(|_| begins);
        let until = theirs.map(|(_, put_off)| put_off.until);
        until.chain(kept_out.map(|kept_out| kept_out.until)).min()
    }

    /// Leaves out journals of nobody, what is more than a person may write, that for which there is no room, and what builds on
    /// what was left out.
    pub(super) fn within_limits(
        &mut self,
        road: Road,
        entries: Offered,
    ) -> Result<(Offered, Within), ReceiveError> {
        let mut entries = entries;
        let begun = self.beginnings(&entries)?;
        let mut within = Within {
            put_off: BTreeSet::new(),
            nobodys: Self::nobodys_in(&begun),
            pulled: BTreeMap::new(),
            openers: BTreeMap::new(),
            begun,
        };
        if !within.nobodys.is_empty() {
            self.leave_out(&mut entries, &mut within.nobodys, false)?;
        }
        for journal in &within.begun.order {
            let opener = self.answers_for_beginning(*journal, &within.begun)?;
            within.openers.insert(*journal, opener);
        }
        let branching = self.branching(&entries)?;
        let mut too_much = TooMuch::new();
        let limited = road == Road::Session && !is_off(Guard::Allowance);
        if limited {
            too_much = self.too_much(&entries, &within)?;
            self.too_many_branches(&entries, &branching, &mut too_much);
            self.beyond_room(&entries, &within.begun, &mut too_much)?;
        }
        if !too_much.is_empty() {
            within.pulled = self.pulled(&entries, &mut too_much);
        }
        self.no_room(&entries, &within.begun, &branching, &mut too_much)?;
        check_chains(&entries, &too_much)?;
        within.put_off.extend(too_much.keys());
        self.note_left_out(&too_much, &within);
        let hangs = road == Road::Session && self.allowance.has_left_out;
        if hangs || !within.put_off.is_empty() {
            self.leave_out(&mut entries, &mut within.put_off, hangs)?;
        }
        Ok((entries, within))
    }

    /// Counts what was stored, to whom it is and to whom built on it.
    pub(super) fn spend(
        &mut self,
        stored: &BTreeMap<JournalId, Amount>,
        within: &Within,
    ) -> Result<(), ReplicaError> {
        for (journal, amount) in stored {
            let author = self.answers_for(*journal, &within.begun)?;
            // Whoever was not brought in by them has only seen what was there.
            let others = within.pulled.get(journal).into_iter().flatten().copied();
            let others: BTreeSet<PersonId> = others
                .filter(|other| author.is_some_and(|author| self.roster().was_brought_in_by(*other, author)))
                .collect();
            if let Some(opener) = within.openers.get(journal)
                && !is_off(Guard::OpeningWeight)
            {
                self.allowance.spend(*opener, Amount::OPENING);
            }
            self.allowance.spend(author, *amount);
            for other in others.into_iter().filter(|other| author != Some(*other)) {
                self.allowance.spend(Some(other), *amount);
            }
        }
        let heads = &self.journals;
        self.allowance
            .put_off
            .retain(|journal, put_off| heads.get(journal).is_none_or(|row| row.head.0 < put_off.through));
        Ok(())
    }

    /// Is there room for one more entry in the own journal?
    pub(super) fn has_room_for(&mut self, entry: &Entry) -> Result<bool, ReplicaError> {
        let journal = entry.header.journal;
        let held = match self.allowance.own {
            Some((own, held)) if own == journal => held,
            Some(_) | None => self.held_bytes(journal)?,
        };
        let held = held.saturating_add(Amount::of(entry).bytes);
        self.allowance.own = Some((journal, held));
        Ok(entry.header.number.0 <= JOURNAL_ENTRIES_MAX && held <= JOURNAL_BYTES_MAX)
    }

    fn held_bytes(&self, journal: JournalId) -> Result<u64, ReplicaError> {
        Ok(self.held_beyond(journal, EntryNumber(0))?.bytes)
    }

    /// How much of a journal is held after a number, and of its branches.
    pub(super) fn held_beyond(&self, journal: JournalId, after: EntryNumber) -> Result<Amount, ReplicaError> {
        let (entries, bytes) = self.storage.weight(journal, after)?;
        let bytes = bytes.saturating_add(entries.saturating_mul(ENTRY_BYTES));
        Ok(Amount { entries, bytes })
    }

    /// The journals in an offer with something new by persons of whom nothing is left, as far as it goes, and until when. Of a
    /// journal longer than one may be something is taken only once everything has grown back.
    fn too_much(&self, entries: &Offered, within: &Within) -> Result<TooMuch, ReplicaError> {
        let last = last_of(entries);
        let own = self.signing_journal().map(|(journal, _)| journal);
        let (allowance, rates) = (&self.allowance, &self.allowance.rates);
        let mut spent: BTreeMap<JournalId, Account> = BTreeMap::new();
        // Every journal that begins is a part of its own: they are counted as they come.
        let mut opened: BTreeMap<Option<PersonId>, Account> = BTreeMap::new();
        for (journal, opener) in &within.openers {
            let account = opened
                .entry(*opener)
                .or_insert_with(|| allowance.account(*opener));
            if last.contains_key(journal) {
                spent.insert(*journal, *account);
                if !is_off(Guard::OpeningWeight) {
                    account.spend(Amount::OPENING, rates);
                }
            }
        }
        for journal in last.keys().filter(|journal| own != Some(**journal)) {
            if !within.openers.contains_key(journal) {
                let author = self.answers_for(*journal, &within.begun)?;
                spent.insert(*journal, allowance.account(author));
            }
        }
        spent.retain(|_, account| account.spent != Amount::default());
        let mut too_much = TooMuch::new();
        for journal in self.with_new(entries, spent.keys().copied().collect())? {
            let (Some(account), Some(through)) = (spent.get(&journal), last.get(&journal)) else {
                continue;
            };
            let head = self.head(journal).map_or(EntryNumber(0), |(number, _)| number);
            let is_long = head.0 >= JOURNAL_ENTRIES_MAX || self.held_bytes(journal)? >= JOURNAL_BYTES_MAX;
            if is_long {
                too_much.insert(journal, (*through, account.down_to(Amount::default(), rates)));
            } else if account.is_empty(rates) {
                let one = Amount { entries: 1, bytes: 1 };
                too_much.insert(journal, (*through, account.down_to(rates.burst.less(one), rates)));
            }
        }
        Ok(too_much)
    }

    /// Of these journals those of which something is offered that is not here.
    pub(super) fn with_new(
        &self,
        entries: &Offered,
        mut journals: BTreeSet<JournalId>,
    ) -> Result<BTreeSet<JournalId>, ReplicaError> {
        let mut with_new = BTreeSet::new();
        for (entry, _) in entries {
            let (journal, number) = (entry.header.journal, entry.header.number);
            if !journals.contains(&journal) || self.is_aside(journal, entry.id) {
                continue;
            }
            let beyond = self.head(journal).is_none_or(|(head, _)| number > head);
            if !beyond {
                let held = self.storage.entry(journal, number)?;
                let held = held.filter(|held| held.entry.id == entry.id);
                if held.is_some_and(|held| held.entry.sealed.len() >= entry.sealed.len()) {
                    continue;
                }
            }
            journals.remove(&journal);
            with_new.insert(journal);
        }
        Ok(with_new)
    }

    /// What others build on is not too much: takes it out, and says who builds on it.
    fn pulled(&self, entries: &Offered, too_much: &mut TooMuch) -> BTreeMap<JournalId, BTreeSet<PersonId>> {
        let mut places: BTreeMap<EntryId, JournalId> = BTreeMap::new();
        let mut named: BTreeMap<JournalId, BTreeSet<EntryId>> = BTreeMap::new();
        for (entry, _) in entries {
            let journal = entry.header.journal;
            places.insert(entry.id, journal);
            named.entry(journal).or_default().extend(&entry.header.seen);
        }
        let mut pulled: BTreeMap<JournalId, BTreeSet<PersonId>> = BTreeMap::new();
        let mut taken: Vec<JournalId> = named.keys().copied().collect();
        taken.retain(|journal| !too_much.contains_key(journal));
        while let Some(journal) = taken.pop() {
            let by = self.roster().author(journal).map(|author| author.person);
            for on in named.get(&journal).into_iter().flatten() {
                let Some(on) = places.get(on).filter(|on| **on != journal) else {
                    continue;
                };
                if too_much.remove(on).is_some() {
                    taken.push(*on);
                    pulled.entry(*on).or_default();
                }
                if let Some(by_all) = pulled.get_mut(on) {
                    by_all.extend(by);
                }
            }
        }
        pulled
    }

    fn note_left_out(&mut self, too_much: &TooMuch, within: &Within) {
        let since = self.allowance.now;
        self.allowance.has_left_out |= !too_much.is_empty() || !within.nobodys.is_empty();
        let mut kept_out: BTreeMap<PersonId, KeptOut> = BTreeMap::new();
        for (journal, (through, until)) in too_much {
            if let Some(opener) = within.openers.get(journal) {
                // Not each by itself: who fills the disk with journals is not to fill it with what is said of them.
                let Some(opener) = opener else { continue };
                let before = self.allowance.kept_out.get(opener);
                let kept_out = kept_out.entry(*opener).or_insert(KeptOut {
                    journals: 0,
                    since: before.map_or(since, |before| before.since),
                    until: *until,
                });
                kept_out.journals = kept_out.journals.saturating_add(1);
                kept_out.until = kept_out.until.min(*until);
                continue;
            }
            let put_off = self.allowance.put_off.entry(*journal).or_insert(PutOff {
                through: *through,
                since,
                until: *until,
            });
            put_off.through = put_off.through.max(*through);
            put_off.until = *until;
        }
        for opener in within.openers.values().flatten() {
            self.allowance.kept_out.remove(opener);
        }
        self.allowance.kept_out.extend(kept_out);
    }

    /// When what there is no room for is looked at again.
    pub(super) const fn in_a_day(&self) -> Timestamp {
        let day = HOUR_MILLISECONDS.saturating_mul(DEBT_HOURS_MAX);
        Timestamp(self.allowance.now.0.saturating_add(day))
    }

    /// What follows something that is left out, now or (where that `hangs`) before, or names it in `seen`, is left out as well: its
    /// carrier has done nothing wrong. What was put off comes in the next session, with what builds on it.
    fn leave_out(
        &self,
        entries: &mut Offered,
        left: &mut BTreeSet<JournalId>,
        hangs: bool,
    ) -> Result<(), ReplicaError> {
        let places: BTreeMap<EntryId, JournalId> = entries
            .iter()
            .map(|(entry, _)| (entry.id, entry.header.journal))
            .collect();
        // For each journal those that name something in it.
        let mut builds_on: BTreeMap<JournalId, BTreeSet<JournalId>> = BTreeMap::new();
        let mut left_out: Vec<JournalId> = left.iter().copied().collect();
        for (entry, _) in &*entries {
            let header = &entry.header;
            let mut holds = !hangs || places.contains_key(&header.prev) || self.holds_before(header)?;
            for seen in &header.seen {
                match places.get(seen) {
                    Some(on) => {
                        builds_on.entry(*on).or_default().insert(header.journal);
                    }
                    None => holds &= self.roster().contains(*seen),
                }
            }
            if hangs && !holds && left.insert(header.journal) {
                left_out.push(header.journal);
            }
        }
        while let Some(journal) = left_out.pop() {
            for other in builds_on.get(&journal).into_iter().flatten() {
                if left.insert(*other) {
                    left_out.push(*other);
                }
            }
        }
        entries.retain(|(entry, _)| !left.contains(&entry.header.journal));
        Ok(())
    }

    /// Is the entry before one here, on whatever branch?
    fn holds_before(&self, header: &Header) -> Result<bool, ReplicaError> {
        let before = EntryNumber(header.number.0.saturating_sub(1));
        Ok(before.0 == 0
            || self.is_aside(header.journal, header.prev)
            || self.entry_id(header.journal, before)? == Some(header.prev))
    }
}

/// The last number of each journal in an offer.
pub(super) fn last_of(entries: &Offered) -> BTreeMap<JournalId, EntryNumber> {
    let mut last: BTreeMap<JournalId, EntryNumber> = BTreeMap::new();
    for (entry, _) in entries {
        let last = last.entry(entry.header.journal).or_insert(entry.header.number);
        *last = entry.header.number.max(*last);
    }
    last
}

/// What is said of these journals somebody has signed: whatever nothing follows in the offer. Nobody is blamed for what they have
/// not written.
fn check_chains(entries: &Offered, journals: &TooMuch) -> Result<(), CarrierFault> {
    let theirs = || {
        let all = entries.iter().map(|(entry, _)| entry);
        all.filter(|entry| journals.contains_key(&entry.header.journal))
    };
    let followed: BTreeSet<EntryId> = theirs().map(|entry| entry.header.prev).collect();
    let mut loose = theirs().filter(|entry| entry.signature.is_none() && !followed.contains(&entry.id));
    let fault = |entry: &Entry| CarrierFault::Unsigned {
        journal: entry.header.journal,
    };
    loose.next().map_or(Ok(()), |entry| Err(fault(entry)))
}

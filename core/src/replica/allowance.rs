//! How much of a person's writing is taken in from others' devices: so many entries and bytes at once, so many more an hour.
//!
//! Entries come in the parts that somebody's signature vouches for, and a part is taken whole or put off whole. A part is taken
//! while anything is left, so the first of a long journal always is; what it was more than what was left has to grow back
//! before the next one, for a day at the most. All devices of a person share what there is. Nothing is refused: whoever has
//! it brings it again. And what somebody else builds on is never put off; where they were brought in by whoever wrote it, it counts
//! as theirs, too: nobody comes further with friends made for it. So this decides when something is accepted, never what counts (DESIGN section 6).
//!
//! What is stored is counted, not what is sent: nobody is blamed for what others repeat in their name. Journals of which
//! nobody knows the author, the own ones, and what comes in a file that a person opens are not limited here.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use crate::planted::{Guard, is_off};

use super::entry::Entry;
use super::hold::{Replica, ReplicaError};
use super::limits::{
    BURST_BYTES, BURST_ENTRIES, DEBT_HOURS_MAX, HOURLY_BYTES, HOURLY_ENTRIES, JOURNAL_BYTES_MAX,
    JOURNAL_ENTRIES_MAX,
};
use super::receive::{CarrierFault, ReceiveError};
use super::storage::Storage;

/// What an entry takes on a disk beside what is sealed and the ids it names: header, signature, indexes.
const ENTRY_BYTES: u64 = 320;

const HOUR_MILLISECONDS: u64 = 3_600_000;

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

/// Entries and bytes, as they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// How many entries.
    pub entries: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// How much of one person's writing is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// At once, as long as anything is left of it.
    pub burst: Amount,
    /// More with each hour.
    pub hourly: Amount,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            burst: Amount {
                entries: BURST_ENTRIES,
                bytes: BURST_BYTES,
            },
            hourly: Amount {
                entries: HOURLY_ENTRIES,
                bytes: HOURLY_BYTES,
            },
        }
    }
}

impl Amount {
    pub(super) fn of(entry: &Entry) -> Self {
        let seen = (entry.header.seen.len() as u64).saturating_mul(EntryId::SIZE as u64);
        let sealed = entry.sealed.len() as u64;
        Self {
            entries: 1,
            bytes: sealed.saturating_add(seen).saturating_add(ENTRY_BYTES),
        }
    }

    #[must_use]
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    const fn less(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(other.entries),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    const fn times(self, times: u64) -> Self {
        Self {
            entries: self.entries.saturating_mul(times),
            bytes: self.bytes.saturating_mul(times),
        }
    }

    fn at_most(self, most: Self) -> Self {
        Self {
            entries: self.entries.min(most.entries),
            bytes: self.bytes.min(most.bytes),
        }
    }
}

/// What was taken of somebody's and has not grown back by a point in time.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    spent: Amount,
    at: Timestamp,
}

impl Account {
    /// As it is now.
    fn now(self, now: Timestamp, rates: &Rates) -> Self {
        let passed = now.0.saturating_sub(self.at.0);
        let grown = Amount {
            entries: part(rates.hourly.entries, passed, HOUR_MILLISECONDS),
            bytes: part(rates.hourly.bytes, passed, HOUR_MILLISECONDS),
        };
        Self {
            spent: self.spent.less(grown),
            // A clock that was set back makes nobody wait longer than it takes to grow back once more.
            at: now,
        }
    }

    const fn is_empty(self, rates: &Rates) -> bool {
        self.spent.entries >= rates.burst.entries || self.spent.bytes >= rates.burst.bytes
    }

    fn spend(&mut self, amount: Amount, rates: &Rates) {
        let most = rates.burst.plus(rates.hourly.times(DEBT_HOURS_MAX));
        self.spent = self.spent.plus(amount).at_most(most);
    }

    /// When not more than this is spent.
    fn down_to(self, most: Amount, rates: &Rates) -> Timestamp {
        let over = self.spent.less(most);
        let entries = part(over.entries, HOUR_MILLISECONDS, rates.hourly.entries);
        let bytes = part(over.bytes, HOUR_MILLISECONDS, rates.hourly.bytes);
        Timestamp(self.at.0.saturating_add(entries.max(bytes)).saturating_add(1))
    }
}

/// The accounts of everybody whose entries came since this program began, and what is put off.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    now: Timestamp,
    rates: Rates,
    accounts: BTreeMap<PersonId, Account>,
    put_off: BTreeMap<JournalId, PutOff>,
    /// How much of the own journal is held, once that was asked.
    own: Option<(JournalId, u64)>,
}

impl Allowance {
    /// What was read before may be out of date.
    pub(super) const fn forget(&mut self) {
        self.own = None;
    }

    fn account(&self, person: PersonId) -> Account {
        let account = self.accounts.get(&person).copied().unwrap_or_default();
        account.now(self.now, &self.rates)
    }

    fn spend(&mut self, person: PersonId, amount: Amount) {
        let mut account = self.account(person);
        account.spend(amount, &self.rates);
        self.accounts.insert(person, account);
    }
}

/// Entries with their payloads, where those came in clear.
type Offered = Vec<(Entry, Option<Vec<u8>>)>;

/// What of an offer is taken in.
#[derive(Debug)]
pub(super) struct Within {
    pub(super) entries: Offered,
    /// Of these journals something was left out.
    pub(super) put_off: BTreeSet<JournalId>,
    /// Who builds on what would have been put off.
    pub(super) pulled: BTreeMap<JournalId, BTreeSet<PersonId>>,
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

    /// When something of these journals that was put off would be taken in, if it were offered again.
    #[must_use]
    pub fn takes_more_at(&self, journals: &BTreeSet<JournalId>) -> Option<Timestamp> {
        let put_off = self.allowance.put_off.iter();
        let theirs = put_off.filter(|(journal, _)| journals.contains(journal));
        theirs.map(|(_, put_off)| put_off.until).min()
    }

    /// Leaves out what is more than a person may write, and what builds on what was left out before.
    pub(super) fn within_allowance(&mut self, road: Road, entries: Offered) -> Result<Within, ReceiveError> {
        let mut within = Within {
            entries,
            put_off: BTreeSet::new(),
            pulled: BTreeMap::new(),
        };
        if road == Road::File || is_off(Guard::Allowance) {
            return Ok(within);
        }
        let mut too_much = self.too_much(&within.entries)?;
        if !too_much.is_empty() {
            within.pulled = self.pulled(&within.entries, &mut too_much);
        }
        for (journal, (through, until)) in &too_much {
            check_chain(&within.entries, *journal)?;
            within.put_off.insert(*journal);
            self.note_put_off(*journal, *through, *until);
        }
        let heads = &self.journals;
        self.left_out
            .retain(|journal, through| heads.get(journal).is_none_or(|row| row.head.0 < *through));
        if !self.allowance.put_off.is_empty() || !self.left_out.is_empty() {
            self.put_off_what_follows(&within.entries, &mut within.put_off);
            let put_off = &within.put_off;
            within
                .entries
                .retain(|(entry, _)| !put_off.contains(&entry.header.journal));
        }
        Ok(within)
    }

    /// Counts what was stored, to whom it is and to whom built on it.
    pub(super) fn spend(
        &mut self,
        stored: &BTreeMap<JournalId, Amount>,
        pulled: &BTreeMap<JournalId, BTreeSet<PersonId>>,
    ) {
        for (journal, amount) in stored {
            let author = self.roster().author(*journal).map(|author| author.person);
            let Some(author) = author else { continue };
            // Whoever was not brought in by them has only seen what was there.
            let others = pulled.get(journal).into_iter().flatten().copied();
            let others = others.filter(|other| self.roster().was_brought_in_by(*other, author));
            let persons: BTreeSet<PersonId> = std::iter::once(author).chain(others).collect();
            for person in persons {
                self.allowance.spend(person, *amount);
            }
        }
        let heads = &self.journals;
        self.allowance
            .put_off
            .retain(|journal, put_off| heads.get(journal).is_none_or(|row| row.head.0 < put_off.through));
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
        let (entries, bytes) = self.storage.weight(journal)?;
        Ok(bytes.saturating_add(entries.saturating_mul(ENTRY_BYTES)))
    }

    /// The journals in an offer with something new by persons of whom nothing is left, as far as it goes, and until when. Of a
    /// journal longer than one may be something is taken only once everything has grown back.
    fn too_much(
        &self,
        entries: &Offered,
    ) -> Result<BTreeMap<JournalId, (EntryNumber, Timestamp)>, ReplicaError> {
        let mut last: BTreeMap<JournalId, EntryNumber> = BTreeMap::new();
        for (entry, _) in entries {
            let last = last.entry(entry.header.journal).or_insert(entry.header.number);
            *last = entry.header.number.max(*last);
        }
        let own = self.signing_journal().map(|(journal, _)| journal);
        let (allowance, rates) = (&self.allowance, &self.allowance.rates);
        let mut too_much = BTreeMap::new();
        for (journal, through) in last {
            let Some(author) = self.roster().author(journal).filter(|_| own != Some(journal)) else {
                continue;
            };
            let account = allowance.account(author.person);
            if account.spent == Amount::default() || !self.has_new(entries, journal)? {
                continue;
            }
            let head = self.head(journal).map_or(EntryNumber(0), |(number, _)| number);
            let is_long = head.0 >= JOURNAL_ENTRIES_MAX || self.held_bytes(journal)? >= JOURNAL_BYTES_MAX;
            if is_long {
                too_much.insert(journal, (through, account.down_to(Amount::default(), rates)));
            } else if account.is_empty(rates) {
                let one = Amount { entries: 1, bytes: 1 };
                too_much.insert(journal, (through, account.down_to(rates.burst.less(one), rates)));
            }
        }
        Ok(too_much)
    }

    /// Is there something of a journal that is not here?
    fn has_new(&self, entries: &Offered, journal: JournalId) -> Result<bool, ReplicaError> {
        let head = self.head(journal).map_or(EntryNumber(0), |(number, _)| number);
        for (entry, _) in entries {
            let header = &entry.header;
            if header.journal != journal || self.is_aside(journal, entry.id) {
                continue;
            }
            if header.number > head {
                return Ok(true);
            }
            let held = self.storage.entry(journal, header.number)?;
            let held = held.filter(|held| held.entry.id == entry.id);
            if held.is_none_or(|held| held.entry.sealed.len() < entry.sealed.len()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What others build on is not too much: takes it out, and says who builds on it.
    fn pulled(
        &self,
        entries: &Offered,
        too_much: &mut BTreeMap<JournalId, (EntryNumber, Timestamp)>,
    ) -> BTreeMap<JournalId, BTreeSet<PersonId>> {
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

    fn note_put_off(&mut self, journal: JournalId, through: EntryNumber, until: Timestamp) {
        let since = self.allowance.now;
        let put_off = self.allowance.put_off.entry(journal);
        let put_off = put_off.or_insert(PutOff {
            through,
            since,
            until,
        });
        put_off.through = put_off.through.max(through);
        put_off.until = until;
    }

    /// What follows something that was put off, now or before, or names it in `seen`, is left out as well: its carrier has
    /// done nothing wrong. It comes in the next session, with what it builds on.
    fn put_off_what_follows(&self, entries: &Offered, put_off: &mut BTreeSet<JournalId>) {
        let places: BTreeMap<EntryId, JournalId> = entries
            .iter()
            .map(|(entry, _)| (entry.id, entry.header.journal))
            .collect();
        // For each journal those that name something in it.
        let mut builds_on: BTreeMap<JournalId, BTreeSet<JournalId>> = BTreeMap::new();
        let mut left_out: Vec<JournalId> = put_off.iter().copied().collect();
        for (entry, _) in entries {
            let header = &entry.header;
            let head = self
                .head(header.journal)
                .map_or(EntryNumber(0), |(number, _)| number);
            let mut hangs = header.number <= head.next() || places.contains_key(&header.prev);
            for seen in &header.seen {
                match places.get(seen) {
                    Some(on) => {
                        builds_on.entry(*on).or_default().insert(header.journal);
                    }
                    None => hangs &= self.roster().contains(*seen),
                }
            }
            if !hangs && put_off.insert(header.journal) {
                left_out.push(header.journal);
            }
        }
        while let Some(journal) = left_out.pop() {
            for other in builds_on.get(&journal).into_iter().flatten() {
                if put_off.insert(*other) {
                    left_out.push(*other);
                }
            }
        }
    }
}

/// The entries of a journal follow one another, so that the last one's signature vouches for all: nobody is blamed for what
/// they have not written.
fn check_chain(entries: &Offered, journal: JournalId) -> Result<(), CarrierFault> {
    let theirs = entries.iter().map(|(entry, _)| entry);
    let mut ids = BTreeSet::new();
    for entry in theirs.filter(|entry| entry.header.journal == journal) {
        if !ids.is_empty() && !ids.contains(&entry.header.prev) {
            return Err(CarrierFault::Gap { journal });
        }
        ids.insert(entry.id);
    }
    Ok(())
}

/// So much of an amount as one number is of another, rounded down.
fn part(amount: u64, of: u64, whole: u64) -> u64 {
    let product = u128::from(amount).saturating_mul(u128::from(of));
    let part = product.checked_div(u128::from(whole)).unwrap_or(0);
    u64::try_from(part).unwrap_or(u64::MAX)
}

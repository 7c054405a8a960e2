//! How much of a device's writing is taken in: so many entries and bytes at once, so many more an hour, so many in all.
//!
//! Entries come in the parts that somebody's signature vouches for, and a part is taken whole or put off whole. A part is taken
//! while there is something left, so the first of a long journal always is; what it was more than what was left has to grow
//! back before the next one. All devices of a person share what there is an hour. What is put off is not refused for ever (but for
//! what is beyond [`JOURNAL_ENTRIES_MAX`] and [`JOURNAL_BYTES_MAX`]): whoever has it brings it again. So the limit decides
//! when something is accepted, never what counts (DESIGN section 6), and those who take it later agree with those who took it before.
//! What comes in a file that a person opens is held only to the limits in all.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use crate::planted::{Guard, is_off};

use super::entry::Entry;
use super::hold::{Replica, ReplicaError};
use super::limits::{
    BEYOND_BYTES_MAX, BURST_BYTES, BURST_ENTRIES, HOURLY_BYTES, HOURLY_ENTRIES, JOURNAL_BYTES_MAX,
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
    /// When more will be taken; none where the journal is as long as one may be.
    pub until: Option<Timestamp>,
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
    fn of(entry: &Entry) -> Self {
        let seen = (entry.header.seen.len() as u64).saturating_mul(EntryId::SIZE as u64);
        let sealed = entry.sealed.len() as u64;
        Self {
            entries: 1,
            bytes: sealed.saturating_add(seen).saturating_add(ENTRY_BYTES),
        }
    }

    const fn plus(self, other: Self) -> Self {
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
        let grown = |hourly: u64| part(hourly, passed, HOUR_MILLISECONDS);
        let grown = Amount {
            entries: grown(rates.hourly.entries),
            bytes: grown(rates.hourly.bytes),
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

    /// When there will be something again.
    fn until(self, rates: &Rates) -> Timestamp {
        let takes = |over: u64, hourly: u64| part(over, HOUR_MILLISECONDS, hourly);
        let entries = self
            .spent
            .entries
            .saturating_add(1)
            .saturating_sub(rates.burst.entries);
        let bytes = self
            .spent
            .bytes
            .saturating_add(1)
            .saturating_sub(rates.burst.bytes);
        let takes = takes(entries, rates.hourly.entries).max(takes(bytes, rates.hourly.bytes));
        Timestamp(self.at.0.saturating_add(takes).saturating_add(1))
    }
}

/// Whose account it is: a person's, for all their devices; one for all journals of which it is not known whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Person(PersonId),
    Nobody,
}

/// The accounts of everybody whose entries came since this program began, and what is put off.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    now: Timestamp,
    rates: Rates,
    accounts: BTreeMap<Holder, Account>,
    put_off: BTreeMap<JournalId, PutOff>,
    /// How much of a journal is held, as far as it was asked.
    held: BTreeMap<JournalId, u64>,
}

/// Entries with their payloads, where those came in clear.
type Offered = Vec<(Entry, Option<Vec<u8>>)>;

/// What is new in an offer, by journal.
type Amounts = BTreeMap<JournalId, (Amount, EntryNumber)>;

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

    /// When something that is put off would be taken in, if it were offered again.
    #[must_use]
    pub fn takes_more_at(&self) -> Option<Timestamp> {
        self.allowance
            .put_off
            .values()
            .filter_map(|held| held.until)
            .min()
    }

    /// Leaves out what is more than a device may write, and what builds on that.
    pub(super) fn within_allowance(&mut self, entries: Offered, road: Road) -> Result<Within, ReceiveError> {
        let mut charge = Charge::default();
        let mut put_off = BTreeSet::new();
        let amounts = if is_off(Guard::Allowance) {
            Amounts::new()
        } else {
            self.amounts(&entries)?
        };
        for (journal, (amount, through)) in amounts {
            let held = self.held_bytes(journal)?;
            let is_full = through.0 > JOURNAL_ENTRIES_MAX
                || held.saturating_add(amount.bytes) > JOURNAL_BYTES_MAX
                || self.beyond_bytes(journal, &entries)? > BEYOND_BYTES_MAX;
            let rates = self.allowance.rates;
            let account = charge.account(&self.allowance, self.holder_of(journal));
            let must_wait = road == Road::Session && account.is_empty(&rates);
            if !is_full && !must_wait {
                account.spent = account.spent.plus(amount);
                charge.amounts.insert(journal, amount);
                continue;
            }
            check_chain(&entries, journal)?;
            put_off.insert(journal);
            self.note_put_off(journal, through, is_full);
        }
        let mut entries = entries;
        if !(put_off.is_empty() && self.allowance.put_off.is_empty()) {
            self.put_off_what_builds_on(&entries, &mut put_off);
            charge.amounts.retain(|journal, _| !put_off.contains(journal));
            entries.retain(|(entry, _)| !put_off.contains(&entry.header.journal));
        }
        Ok(Within {
            entries,
            put_off,
            charge,
        })
    }

    /// What was let through has been stored.
    pub(super) fn spend(&mut self, charge: Charge) {
        for (journal, amount) in charge.amounts {
            let holder = self.holder_of(journal);
            let (now, rates) = (self.allowance.now, self.allowance.rates);
            let account = self.allowance.accounts.entry(holder).or_default();
            *account = account.now(now, &rates);
            account.spent = account.spent.plus(amount);
            if let Some(held) = self.allowance.held.get_mut(&journal) {
                *held = held.saturating_add(amount.bytes);
            }
        }
        let waiting: Vec<JournalId> = self.allowance.put_off.keys().copied().collect();
        for journal in waiting {
            let until = self.until(self.holder_of(journal));
            if let Some(put_off) = self.allowance.put_off.get_mut(&journal) {
                put_off.until = put_off.until.map(|_| until);
            }
        }
        let heads = &self.journals;
        self.allowance
            .put_off
            .retain(|journal, held| heads.get(journal).is_none_or(|row| row.head.0 < held.through));
    }

    /// May this device's own journal be written on? Others would not take in more.
    pub(super) fn has_room_for(&mut self, entry: &Entry) -> Result<bool, ReplicaError> {
        let bytes = self.held_bytes(entry.header.journal)?;
        let amount = Amount::of(entry);
        if let Some(held) = self.allowance.held.get_mut(&entry.header.journal) {
            *held = held.saturating_add(amount.bytes);
        }
        Ok(entry.header.number.0 <= JOURNAL_ENTRIES_MAX
            && bytes.saturating_add(amount.bytes) <= JOURNAL_BYTES_MAX)
    }

    fn holder_of(&self, journal: JournalId) -> Holder {
        let author = self.roster().author(journal);
        author.map_or(Holder::Nobody, |author| Holder::Person(author.person))
    }

    /// When something is taken of somebody again.
    fn until(&self, holder: Holder) -> Timestamp {
        let allowance = &self.allowance;
        let account = allowance.accounts.get(&holder).copied().unwrap_or_default();
        let account = account.now(allowance.now, &allowance.rates);
        if account.is_empty(&allowance.rates) {
            account.until(&allowance.rates)
        } else {
            allowance.now
        }
    }

    /// How much of a journal would be held that does not count since its author has gone.
    fn beyond_bytes(&self, journal: JournalId, offered: &Offered) -> Result<u64, ReplicaError> {
        let Some(end) = self.roster().ends(journal) else {
            return Ok(0);
        };
        let head = self.head(journal).map_or(EntryNumber(0), |(number, _)| number);
        let (entries, bytes) = self.storage.weight(journal, end)?;
        let held = bytes.saturating_add(entries.saturating_mul(ENTRY_BYTES));
        let new = offered.iter().map(|(entry, _)| entry);
        let new = new.filter(|entry| entry.header.journal == journal && entry.header.number > end.max(head));
        Ok(new.fold(held, |all, entry| all.saturating_add(Amount::of(entry).bytes)))
    }

    fn held_bytes(&mut self, journal: JournalId) -> Result<u64, ReplicaError> {
        if let Some(held) = self.allowance.held.get(&journal) {
            return Ok(*held);
        }
        let held = if self.journals.contains_key(&journal) {
            let (entries, bytes) = self.storage.weight(journal, EntryNumber(0))?;
            bytes.saturating_add(entries.saturating_mul(ENTRY_BYTES))
        } else {
            0
        };
        self.allowance.held.insert(journal, held);
        Ok(held)
    }

    /// What an offer holds of each journal that is not here.
    fn amounts(&self, entries: &Offered) -> Result<Amounts, ReplicaError> {
        let mut amounts = Amounts::new();
        for (entry, _) in entries {
            let header = &entry.header;
            let head = self
                .head(header.journal)
                .map_or(EntryNumber(0), |(number, _)| number);
            let is_here = header.number <= head
                && (self.is_aside(header.journal, entry.id)
                    || self.entry_id(header.journal, header.number)? == Some(entry.id));
            if !is_here {
                let (amount, through) = amounts
                    .entry(header.journal)
                    .or_insert((Amount::default(), header.number));
                *amount = amount.plus(Amount::of(entry));
                *through = header.number.max(*through);
            }
        }
        Ok(amounts)
    }

    fn note_put_off(&mut self, journal: JournalId, through: EntryNumber, is_full: bool) {
        let since = self.allowance.now;
        let until = (!is_full).then_some(since);
        let held = self.allowance.put_off.entry(journal);
        let held = held.or_insert(PutOff {
            through,
            since,
            until,
        });
        held.through = held.through.max(through);
        held.until = until;
    }

    /// What follows something that was left out, now or before, or names it in `seen`, is left out as well: its carrier has
    /// done nothing wrong. A part is signed as a whole.
    fn put_off_what_builds_on(&self, entries: &Offered, put_off: &mut BTreeSet<JournalId>) {
        loop {
            let mut here: BTreeSet<EntryId> = BTreeSet::new();
            let before = put_off.len();
            for (entry, _) in entries {
                let header = &entry.header;
                if put_off.contains(&header.journal) {
                    continue;
                }
                let head = self
                    .head(header.journal)
                    .map_or(EntryNumber(0), |(number, _)| number);
                let follows = header.number <= head.next() || here.contains(&header.prev);
                let knows = |seen: &EntryId| here.contains(seen) || self.roster().contains(*seen);
                if follows && header.seen.iter().all(knows) {
                    here.insert(entry.id);
                } else {
                    put_off.insert(header.journal);
                }
            }
            if put_off.len() == before {
                return;
            }
        }
    }
}

/// What of an offer is taken in.
#[derive(Debug)]
pub(super) struct Within {
    pub(super) entries: Offered,
    /// Of these journals something was put off.
    pub(super) put_off: BTreeSet<JournalId>,
    pub(super) charge: Charge,
}

/// What is to be counted once it is stored.
#[derive(Debug, Default)]
pub(super) struct Charge {
    amounts: BTreeMap<JournalId, Amount>,
    accounts: BTreeMap<Holder, Account>,
}

impl Charge {
    fn account(&mut self, allowance: &Allowance, holder: Holder) -> &mut Account {
        self.accounts.entry(holder).or_insert_with(|| {
            let account = allowance.accounts.get(&holder).copied().unwrap_or_default();
            account.now(allowance.now, &allowance.rates)
        })
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

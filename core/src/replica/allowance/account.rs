//! What is counted, and how it grows back.

use crate::domain::id::{EntryId, Timestamp};

use super::super::entry::Entry;
use super::super::limits::{
    BURST_BYTES, BURST_ENTRIES, DEBT_HOURS_MAX, HOURLY_BYTES, HOURLY_ENTRIES, OPENING_ENTRIES,
};

/// What an entry takes on a disk beside what is sealed and the ids it names: header, signature, indexes.
pub(super) const ENTRY_BYTES: u64 = 320;

pub(super) const HOUR_MILLISECONDS: u64 = 3_600_000;

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
    pub(in crate::replica) fn of(entry: &Entry) -> Self {
        let seen = (entry.header.seen.len() as u64).saturating_mul(EntryId::SIZE as u64);
        let sealed = entry.sealed.len() as u64;
        Self {
            entries: 1,
            bytes: sealed.saturating_add(seen).saturating_add(ENTRY_BYTES),
        }
    }

    /// What it counts that a journal begins.
    pub(super) const OPENING: Self = Self {
        entries: OPENING_ENTRIES,
        bytes: 0,
    };

    #[must_use]
    pub(in crate::replica) const fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(super) const fn less(self, other: Self) -> Self {
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
pub(super) struct Account {
    pub(super) spent: Amount,
    at: Timestamp,
}

impl Account {
    /// As it is now.
    pub(super) fn now(self, now: Timestamp, rates: &Rates) -> Self {
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

    pub(super) const fn is_empty(self, rates: &Rates) -> bool {
        self.spent.entries >= rates.burst.entries || self.spent.bytes >= rates.burst.bytes
    }

    pub(super) fn spend(&mut self, amount: Amount, rates: &Rates) {
        let most = rates.burst.plus(rates.hourly.times(DEBT_HOURS_MAX));
        self.spent = self.spent.plus(amount).at_most(most);
    }

    /// When not more than this is spent.
    pub(super) fn down_to(self, most: Amount, rates: &Rates) -> Timestamp {
        let over = self.spent.less(most);
        let entries = part(over.entries, HOUR_MILLISECONDS, rates.hourly.entries);
        let bytes = part(over.bytes, HOUR_MILLISECONDS, rates.hourly.bytes);
        Timestamp(self.at.0.saturating_add(entries.max(bytes)).saturating_add(1))
    }
}

/// So much of an amount as one number is of another, rounded down.
fn part(amount: u64, of: u64, whole: u64) -> u64 {
    let product = u128::from(amount).saturating_mul(u128::from(of));
    let part = product.checked_div(u128::from(whole)).unwrap_or(0);
    u64::try_from(part).unwrap_or(u64::MAX)
}

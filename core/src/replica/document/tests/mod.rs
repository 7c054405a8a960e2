//! What documents promise, by kind of promise: the wrapper, round trips, what people write at once, and hostile documents.

#![expect(clippy::arithmetic_side_effects, reason = "the numbers of tests are small")]

mod concurrency;
mod edit;
mod history;
mod hostile;
mod plates;
mod round_trips;

use automerge::Change;
use automerge::transaction::Transaction;

use super::*;
use crate::domain::id::{PersonId, ProposalId, TaskId};

pub(super) fn journal(n: u8) -> JournalId {
    JournalId([n; 32])
}

pub(super) fn person(n: u8) -> PersonId {
    PersonId([n; 32])
}

pub(super) fn idea(n: u8) -> ProposalId {
    ProposalId([n; 16])
}

pub(super) fn task_id(n: u8) -> TaskId {
    TaskId([n; 16])
}

pub(super) const AT: Timestamp = Timestamp(1_790_000_000_000);

/// Writes as this journal; gives the change, if there was something to say.
pub(super) fn write(
    document: &mut Document,
    by: u8,
    writer: impl FnOnce(&mut Transaction<'_>) -> Result<(), WriteError>,
) -> Option<Change> {
    let ((), bytes) = document.write(journal(by), AT, writer).unwrap();
    bytes.map(|bytes| Change::try_from(&bytes[..]).unwrap())
}

/// Brings the changes of each to the other.
pub(super) fn meet(a: &mut Document, b: &mut Document) {
    let (from_a, from_b) = (a.changes(), b.changes());
    a.apply(from_b).unwrap();
    b.apply(from_a).unwrap();
    assert_eq!(a.heads(), b.heads());
}

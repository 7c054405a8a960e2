//! What each change of a document did, as far as people want to know: read from the operations of the changes themselves, so
//! that also what was overwritten since is told. Total, as all readers: what makes no sense is passed over.

use std::collections::BTreeMap;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{Change, ObjId, ScalarValue};

use crate::domain::deed::Deed;
use crate::domain::document::DocumentKind;
use crate::domain::id::{ChangeId, JournalId, PollId, TaskId, Timestamp};
use crate::replica::limits::TIMESTAMP_MAX;

use super::genesis::{GENESIS_ACTOR, object};
use super::reading::id_key;
use super::{Document, journal_of};

/// A deed in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What was done.
    pub deed: Deed,
    /// In whose journal.
    pub journal: JournalId,
    /// The change that did it.
    pub change: ChangeId,
    /// Which of the journal's changes to the document that is, counted from 1.
    pub sequence: u64,
    /// When, by its author's clock.
    pub at: Timestamp,
    /// The value that was put, where it is a number or a text.
    pub value: Option<String>,
}

/// What changes did, in causal order. Of each journal the first changes are passed over, as many as are named here.
#[must_use]
pub fn traces(document: &Document, known: &BTreeMap<JournalId, u64>) -> Vec<Trace> {
    let mut traces = Vec::new();
    let rest = document.rest();
    let origin = rest.or_else(|| document.origin_change());
    let mut tasks: BTreeMap<OpId, TaskId> = BTreeMap::new();
    for change in document.changes() {
        let Some(journal) = journal_of(change.actor_id()) else {
            continue;
        };
        let hash = ChangeId(change.hash().0);
        let mut deeds = if origin == Some(hash) {
            match document.kind {
                DocumentKind::Proposal => vec![(Deed::Written, None)],
                DocumentKind::Own => vec![(Deed::Joined, None)],
                DocumentKind::Group
                | DocumentKind::Vote
                | DocumentKind::Board
                | DocumentKind::Meeting
                | DocumentKind::Help
                | DocumentKind::Strategy => Vec::new(),
            }
        } else {
            Vec::new()
        };
        let is_rest = rest == Some(hash);
        if deeds != [(Deed::Written, None)] && !is_rest {
            deeds.extend(deeds_of(document.kind, &change, &mut tasks));
        }
        if known.get(&journal).is_some_and(|known| change.seq() <= *known) {
            continue;
        }
        let seconds = u64::try_from(change.timestamp()).unwrap_or(0);
        let at = Timestamp(seconds.saturating_mul(1000).min(TIMESTAMP_MAX.0));
        // What was taken over, nobody did now; who began the document is who began its first generation.
        let (journal, at) = document.origin().filter(|_| is_rest).unwrap_or((journal, at));
        traces.extend(deeds.into_iter().map(|(deed, value)| Trace {
            deed,
            journal,
            change: hash,
            sequence: change.seq(),
            at,
            value,
        }));
    }
    traces
}

/// What one change did: each thing once, with the last value put.
fn deeds_of(
    kind: DocumentKind,
    change: &Change,
    tasks: &mut BTreeMap<OpId, TaskId>,
) -> BTreeMap<Deed, Option<String>> {
    let mut deeds = BTreeMap::new();
    for (number, op) in (change.start_op().get()..).zip(change.decode().operations) {
        let deed = match kind {
            DocumentKind::Proposal => in_proposal(&op),
            DocumentKind::Own => key_in(kind, "comments", &op).and_then(|key| {
                let made = matches!(op.action, OpType::Make(_));
                id_key(key).ok().filter(|_| made).map(Deed::Comment)
            }),
            DocumentKind::Vote => in_vote(&op),
            DocumentKind::Board => {
                let made = matches!(op.action, OpType::Make(_));
                let task = key_in(kind, "tasks", &op).and_then(|key| id_key::<TaskId>(key).ok());
                match task.filter(|_| made) {
                    Some(task) => {
                        tasks.insert(OpId::new(number, change.actor_id()), task);
                        Some(Deed::Task(task))
                    }
                    None => done_task(&op, tasks),
                }
            }
            DocumentKind::Group | DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => None,
        };
        if let Some(deed) = deed {
            // Of a text the letters alone say nothing.
            let value = value_of(&op).filter(|_| matches!(deed, Deed::Cost | Deed::Place));
            deeds.insert(deed, value);
        }
    }
    deeds
}

fn in_proposal(op: &Op) -> Option<Deed> {
    match (&op.obj, &op.key) {
        (ObjectId::Root, Key::Map(key)) if key == "cost" => Some(Deed::Cost),
        (ObjectId::Root, Key::Map(key)) if key == "place" => Some(Deed::Place),
        (ObjectId::Root, _) => None,
        (of, _) if is_field(DocumentKind::Proposal, "title", of) => Some(Deed::Title),
        (of, _) if is_field(DocumentKind::Proposal, "body", of) => Some(Deed::Text),
        (ObjectId::Id(_), _) => None,
    }
}

fn in_vote(op: &Op) -> Option<Deed> {
    let kind = DocumentKind::Vote;
    if let Some(key) = key_in(kind, "polls", op) {
        return id_key(key).ok().map(Deed::VoteOpened);
    }
    let (poll, _) = key_in(kind, "closes", op)?.split_once('/')?;
    id_key::<PollId>(poll).ok().map(Deed::VoteClosed)
}

fn done_task(op: &Op, tasks: &BTreeMap<OpId, TaskId>) -> Option<Deed> {
    let (ObjectId::Id(of), Key::Map(key), OpType::Put(ScalarValue::Str(state))) =
        (&op.obj, &op.key, &op.action)
    else {
        return None;
    };
    let task = tasks.get(of)?;
    (key == "state" && state == "done").then_some(Deed::TaskDone(*task))
}

/// The key at which an operation writes into a map of the genesis.
fn key_in<'a>(kind: DocumentKind, field: &str, op: &'a Op) -> Option<&'a str> {
    match &op.key {
        Key::Map(key) if is_field(kind, field, &op.obj) => Some(key),
        Key::Map(_) | Key::Seq(_) => None,
    }
}

fn is_field(kind: DocumentKind, field: &str, of: &ObjectId) -> bool {
    match (of, object(kind, field)) {
        (ObjectId::Id(of), ObjId::Id(counter, ..)) => {
            of.actor().to_bytes() == GENESIS_ACTOR && of.counter() == counter
        }
        _ => false,
    }
}

fn value_of(op: &Op) -> Option<String> {
    let OpType::Put(value) = &op.action else {
        return None;
    };
    match value {
        ScalarValue::Str(text) => Some(text.to_string()),
        ScalarValue::Uint(number) => Some(number.to_string()),
        ScalarValue::Bytes(_)
        | ScalarValue::Int(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Boolean(_)
        | ScalarValue::Unknown { .. }
        | ScalarValue::Null => None,
    }
}

//! The change gate: nothing received reaches Automerge except through it.
//!
//! Automerge 0.12 trusts the changes it is given. Some make `apply_changes` panic, some apply and leave a document whose
//! own `save()` cannot be loaded, some are written under somebody else's actor id. The gate reads each change itself, byte
//! by byte, and lets through only what Automerge's public interface could have written: then applying, reading, saving and
//! loading do not fail, and the loaded document is the saved one.
//!
//! The verdict depends on the change and on its causal past, never on what else the document holds or on the order of
//! arrival: all replicas agree. There is one exception, [`Refusal::SeqTaken`], for an author who wrote two changes with one
//! number. Whoever feeds the gate keeps the verdict equal everywhere by giving it the changes of one journal to one
//! document in the journal's order, so that a waiting change holds back the later ones of its own author.
//!
//! A change is raw, a plain chunk: what `Change::raw_bytes` gives, and JavaScript's `getLastLocalChange` since 3.x.
//! `Change::bytes` and older JavaScript deflate a change of more than 256 bytes; such a one must be inflated by its writer.
//!
//! What is refused though Automerge's interface can write it: tables (Automerge panics on what is in them), counters
//! counted up inside a text (it panics on reading them), values of unknown type, a mark whose begin alone was written
//! because its end failed, an author's footer, and numbers, times, sizes and depths beyond the limits here.

mod bytes;
mod chunk;
mod columns;
mod judge;
mod order;
mod past;
mod refusal;
mod rows;
#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]
mod tests;

use std::collections::BTreeSet;

use automerge::Change;

use self::chunk::Chunk;
use self::judge::Judge;
use self::past::{Past, Record};
use self::refusal::id_of;
pub use self::refusal::{
    CHANGE_ACTORS_MAX, CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, CHANGE_MARKS_MAX, CHANGE_OPS_MAX, CHANGE_PREDS_MAX,
    CHANGE_TIME_MAX, COUNTER_START_MAX, COUNTER_STEP_MAX, MARK_STEPS_MAX, MESSAGE_BYTES_MAX,
    OBJECT_DEPTH_MAX, OP_NUMBER_MAX, Refusal,
};
use self::rows::Rows;
use crate::domain::id::{ChangeId, JournalId};
use crate::planted::{Bug, Guard, is_off, is_on};

/// The past of one document, as far as the gate needs it. It holds no values and no texts but the keys of maps.
#[derive(Debug, Default)]
pub struct DocumentPast {
    past: Past,
}

/// The verdict on a change that breaks no rule so far.
#[derive(Debug)]
pub enum Checked {
    /// It can be applied now.
    Ready(ReadyChange),
    /// It is well formed as far as can be told alone, and some of its direct dependencies are not in the past.
    Waits {
        /// The direct dependencies that are missing.
        missing: BTreeSet<ChangeId>,
    },
}

/// A change that may be applied to the document of the past it was checked against.
#[derive(Debug, Clone)]
pub struct ReadyChange {
    change: Box<Change>,
}

impl ReadyChange {
    /// The change, for `Automerge::apply_changes`.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The change, for `Automerge::apply_changes`.
    #[must_use]
    pub fn into_change(self) -> Change {
        *self.change
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ChangeId {
        id_of(self.change.hash())
    }
}

impl DocumentPast {
    /// The past that holds just the genesis change, which is trusted: its actor is any.
    #[must_use]
    pub fn from_genesis(genesis: &Change) -> Self {
        Self::from_changes([genesis])
    }

    /// The past of a document that was admitted before: all its changes, in causal order. They are trusted.
    #[must_use]
    pub fn from_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut past = Self::default();
        for change in changes {
            past.record(change);
        }
        past
    }

    /// Checks one change that arrived in an entry of `author`'s journal. `raw` is a whole plain change chunk.
    ///
    /// # Errors
    /// The first rule that the change breaks. [`Refusal::AlreadyHeld`] is no fault.
    pub fn check(&self, author: JournalId, raw: &[u8]) -> Result<Checked, Refusal> {
        let chunk = Chunk::read(raw)?;
        let foreign = chunk.actors.first() != Some(&author.as_bytes().as_slice());
        if foreign && !is_on(Bug::GateForeignActor) && !is_off(Guard::GateActor) {
            return Err(Refusal::ActorForeign);
        }
        let rows = Rows::read(&chunk)?;
        let change = parse(raw, &chunk, &rows)?;
        let ready = ReadyChange {
            change: Box::new(change),
        };
        if self.contains(ready.id()) {
            return Err(Refusal::AlreadyHeld);
        }
        let missing: BTreeSet<ChangeId> = chunk
            .deps
            .iter()
            .copied()
            .filter(|dep| !self.contains(*dep))
            .collect();
        if !missing.is_empty() {
            return Ok(Checked::Waits { missing });
        }
        let start_op = self.check_place(author, &chunk)?;
        Judge::new(&self.past, &chunk, &rows, start_op).judge()?;
        // Last, so that the one rule which looks beyond the past hides no other.
        let actor = self
            .past
            .actor_named(author.as_bytes())
            .and_then(|actor| self.past.actor(actor));
        let held = actor.map_or(0, |actor| actor.changes.len());
        let taken = u64::try_from(held).is_ok_and(|held| held >= chunk.seq);
        if taken && !is_on(Bug::GateNumberTwice) && !is_off(Guard::GateNumber) {
            return Err(Refusal::SeqTaken);
        }
        Ok(Checked::Ready(ready))
    }

    /// Records a checked change, after it has been applied to the document. One that is recorded already is skipped.
    pub fn admit(&mut self, checked: &ReadyChange) {
        self.record(&checked.change);
    }

    /// Whether the past holds this change.
    #[must_use]
    pub fn contains(&self, change: ChangeId) -> bool {
        self.past.by_id.contains_key(&change)
    }

    /// The rules of numbers: the author's own sequence, and the numbers of operations. Gives the first operation's.
    fn check_place(&self, author: JournalId, chunk: &Chunk<'_>) -> Result<u32, Refusal> {
        let actor = self.past.actor_named(author.as_bytes());
        let deps = || chunk.deps.iter().filter_map(|dep| self.past.node_of(*dep));
        let own_direct = deps()
            .filter(|node| Some(node.actor) == actor)
            .map(|node| node.seq)
            .max()
            .unwrap_or(0);
        let through = deps()
            .map(|node| actor.map_or(0, |actor| node.clock.seq(actor)))
            .max()
            .unwrap_or(0);
        let own_last = u64::from(own_direct.max(through));
        if chunk.seq.checked_sub(1) != Some(own_last) {
            return Err(Refusal::SeqNotNext);
        }
        if u64::from(own_direct) != own_last {
            return Err(Refusal::OwnPreviousMissing);
        }
        let max_op = deps().map(|node| node.max_op).max().unwrap_or(0);
        let next = u64::from(max_op).saturating_add(1);
        if chunk.start_op != next && !is_off(Guard::GateStart) {
            return Err(Refusal::StartOpNotNext);
        }
        u32::try_from(chunk.start_op).map_err(|_| Refusal::OpNumberOutOfRange)
    }

    /// Records a trusted change. One that the gate cannot read (a genesis of another make) is known by its id only.
    fn record(&mut self, change: &Change) {
        let id = id_of(change.hash());
        if self.contains(id) {
            return;
        }
        let deps: Vec<ChangeId> = change.deps().iter().map(|hash| id_of(*hash)).collect();
        let actors: Vec<&[u8]> = change.actors().map(automerge::ActorId::to_bytes).collect();
        let rows = Chunk::read(change.raw_bytes())
            .and_then(|chunk| Rows::read(&chunk))
            .unwrap_or_default();
        self.past.record(&Record {
            id,
            deps: &deps,
            actors: &actors,
            seq: u32::try_from(change.seq()).unwrap_or(u32::MAX),
            start_op: u32::try_from(change.start_op().get()).unwrap_or(u32::MAX),
            max_op: u32::try_from(change.max_op()).unwrap_or(u32::MAX),
            rows: &rows,
        });
    }
}

/// The id (SHA-256) of a raw change, its form judged but not its place: for an index.
///
/// # Errors
/// The first rule of form that it breaks.
pub fn change_id(raw: &[u8]) -> Result<ChangeId, Refusal> {
    let chunk = Chunk::read(raw)?;
    let rows = Rows::read(&chunk)?;
    Ok(id_of(parse(raw, &chunk, &rows)?.hash()))
}

/// The changes that a raw change names as its dependencies, without judging the rest.
///
/// # Errors
/// The first rule of the frame that it breaks.
pub fn change_deps(raw: &[u8]) -> Result<Vec<ChangeId>, Refusal> {
    Ok(Chunk::read(raw)?.deps)
}

/// Lets Automerge read what was read here, and compares.
fn parse(raw: &[u8], chunk: &Chunk<'_>, rows: &Rows<'_>) -> Result<Change, Refusal> {
    let change = Change::try_from(raw).map_err(|_| Refusal::Unreadable)?;
    // Automerge computes the hash but does not compare it with the checksum.
    if change.hash().0.first_chunk() != Some(&chunk.checksum) {
        return Err(Refusal::ChecksumWrong);
    }
    let same = change.len() == rows.rows.len()
        && change.seq() == chunk.seq
        && change.start_op().get() == chunk.start_op
        && (change.extra_bytes().is_empty() || is_off(Guard::GateFooter));
    if same {
        Ok(change)
    } else {
        Err(Refusal::Unreadable)
    }
}

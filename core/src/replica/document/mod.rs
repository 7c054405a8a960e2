//! One document as this device holds it: a fixed genesis and the admitted changes, with typed readers and writers for
//! each kind.
//!
//! Readers are total: whatever an admitted change wrote, a reader gives what fits and names the rest as [`Oddity`].
//! Writers make the smallest change that says what the person did; where there is nothing to say they write nothing.
//!
//! Positions in texts count UTF-16 code units, in all documents: that is how a web page counts (`selectionStart`, the
//! offsets of an input event), so a splice from the page is passed on as it is. The choice is only about counting; the
//! bytes of a change do not depend on it.

pub mod board;
mod edit;
mod ever;
mod generation;
mod genesis;
pub mod group;
pub mod own;
pub mod proposal;
mod reading;
mod text;
mod trace;
mod versions;
pub mod vote;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use automerge::transaction::{CommitOptions, Transaction};
use automerge::{
    ActorId, Automerge, AutomergeError, Change, ChangeHash, ChangeMetadata, LoadOptions, ObjId, ReadDoc,
    TextEncoding,
};

use crate::domain::document::DocumentKind;
use crate::domain::id::{ChangeId, JournalId, Timestamp};

use super::limits::{LINE_BYTES_MAX, TIMESTAMP_MAX, WORD_BYTES_MAX};

use ever::{EverPut, Puts};
pub use generation::{Leave, said_in};
pub use genesis::genesis;
pub use reading::{Oddity, OddityReason, Reading};
pub use trace::{Trace, traces};
pub use versions::{State, states};

/// How positions in texts are counted.
pub const TEXT_ENCODING: TextEncoding = TextEncoding::Utf16CodeUnit;

/// One document: genesis plus admitted changes.
#[derive(Debug, Clone)]
pub struct Document {
    kind: DocumentKind,
    /// The id of its genesis.
    genesis: ChangeHash,
    doc: Automerge,
    /// How many changes each journal has made in it.
    sequences: BTreeMap<JournalId, u64>,
    /// None for the first generation.
    begun: Option<generation::Begun>,
    /// Made when it is first asked for.
    ever: OnceLock<EverPut>,
}

/// Why something cannot be done with a document.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// A save that is not of this kind.
    #[error("the saved document does not begin with the genesis of its kind")]
    NoGenesis,
    /// A change came before one that it depends on.
    #[error("a change depends on {0}, which is not in the document")]
    MissingDependency(ChangeId),
    /// A journal has made fewer changes here than was asked for.
    #[error("{journal:?} made {held} changes in this document, not {wanted}")]
    MissingChanges {
        /// Whose.
        journal: JournalId,
        /// How many were asked for.
        wanted: u64,
        /// How many there are.
        held: u64,
    },
    /// A change within the asked-for point in time depends on this one, which is not.
    #[error("the changes asked for depend on {0}, which is not among them")]
    NotClosed(ChangeId),
    /// A point in time that the document does not know.
    #[error("the document has no change {0}")]
    UnknownHead(ChangeId),
    /// Automerge refused.
    #[error(transparent)]
    Automerge(Box<AutomergeError>),
}

/// Why something was not written. Nothing of it was.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// Longer than it may be.
    #[error("{field} has {bytes} bytes; at most {bytes_max} are allowed")]
    TooLong {
        /// What.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// It must not be empty.
    #[error("{field} is empty")]
    Empty {
        /// What.
        field: &'static str,
    },
    /// It is to be changed, but it is not there.
    #[error("there is no {what} {id} in this document")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// It is to be added, but it is there already.
    #[error("there already is a {what} {id} in this document")]
    Taken {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Automerge refused.
    #[error(transparent)]
    Automerge(Box<AutomergeError>),
}

impl From<AutomergeError> for DocumentError {
    fn from(error: AutomergeError) -> Self {
        Self::Automerge(Box::new(error))
    }
}

impl From<AutomergeError> for WriteError {
    fn from(error: AutomergeError) -> Self {
        Self::Automerge(Box::new(error))
    }
}

impl Document {
    /// A document that has only its genesis.
    #[must_use]
    pub fn new(kind: DocumentKind) -> Self {
        // Made once: a year has hundreds of documents, and making one takes as long as ten changes.
        static EMPTY: OnceLock<BTreeMap<DocumentKind, Document>> = OnceLock::new();
        let all = || DocumentKind::ALL.map(|kind| (kind, Self::begin(kind))).into();
        let empty = EMPTY.get_or_init(all).get(&kind);
        empty.map_or_else(|| Self::begin(kind), Self::clone)
    }

    fn begin(kind: DocumentKind) -> Self {
        Self::begun_with(kind, genesis(kind))
    }

    #[expect(
        clippy::expect_used,
        reason = "every genesis applies, and a test applies every one"
    )]
    fn begun_with(kind: DocumentKind, genesis: Change) -> Self {
        let mut doc = Automerge::new_with_encoding(TEXT_ENCODING);
        let id = genesis.hash();
        doc.apply_changes([genesis])
            .expect("a genesis applies to an empty document");
        Self {
            kind,
            genesis: id,
            doc,
            sequences: BTreeMap::new(),
            begun: None,
            ever: OnceLock::new(),
        }
    }

    /// Reads what [`Self::save`] wrote. Only for this device's own cache: a save from outside can lie about its text.
    ///
    /// # Errors
    /// Where the bytes are not a document, or not one that begins with the genesis of this kind.
    pub fn load(kind: DocumentKind, save: &[u8]) -> Result<Self, DocumentError> {
        Self::new(kind).load_later(save)
    }

    /// The same of a document that has, so far, only what its generation began with.
    ///
    /// # Errors
    /// See [`Self::load`].
    pub fn load_later(self, save: &[u8]) -> Result<Self, DocumentError> {
        let doc = Automerge::load_with_options(save, LoadOptions::new().text_encoding(TEXT_ENCODING))?;
        let genesis = self.genesis;
        let metas = doc.get_changes_meta(&[]);
        if !metas.iter().any(|meta| meta.hash == genesis) {
            return Err(DocumentError::NoGenesis);
        }
        let mut sequences = BTreeMap::new();
        for meta in &metas {
            count(&mut sequences, &meta.actor, meta.seq);
        }
        drop(metas);
        Ok(Self {
            doc,
            sequences,
            ever: OnceLock::new(),
            ..self
        })
    }

    /// Its bytes, for this device's own cache.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.doc.save()
    }

    /// Who wrote the first change on the genesis, and when by their clock: where several did, the one whose id is smallest.
    #[must_use]
    pub fn origin(&self) -> Option<(JournalId, Timestamp)> {
        if let Some(origin) = self.begun.as_ref().and_then(|begun| begun.origin) {
            return Some(origin);
        }
        let first = self.origin_change()?;
        let first = self.doc.get_change_meta_by_hash(&ChangeHash(first.0))?;
        let seconds = u64::try_from(first.timestamp).unwrap_or(0);
        Some((journal_of(&first.actor)?, Timestamp(seconds.saturating_mul(1000))))
    }

    /// When it was last changed, by the clock of whoever did; of changes that did not know of each other the later one.
    #[must_use]
    pub fn last_change(&self) -> Timestamp {
        let metas = self.doc.get_heads().into_iter();
        let seconds = metas
            .filter_map(|head| self.doc.get_change_meta_by_hash(&head))
            .map(|meta| u64::try_from(meta.timestamp).unwrap_or(0));
        let last = seconds.max().unwrap_or(0);
        Timestamp(last.saturating_mul(1000).min(TIMESTAMP_MAX.0))
    }

    /// The first change on the genesis.
    fn origin_change(&self) -> Option<ChangeId> {
        let metas = self.doc.get_changes_meta(&[]);
        let genesis = metas.first()?.hash;
        let first = metas.iter().filter(|meta| meta.deps == [genesis]);
        first.map(|meta| ChangeId(meta.hash.0)).min()
    }

    /// Has nobody written it yet?
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.sequences.is_empty()
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The changes that no other change depends on, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeId> {
        let mut heads: Vec<ChangeId> = self.doc.get_heads().iter().map(|head| ChangeId(head.0)).collect();
        heads.sort_unstable();
        heads
    }

    /// Adds changes that have passed the gate. Changes it already has are passed over.
    ///
    /// # Errors
    /// Where one depends on what is neither here nor before it: Automerge would keep it in a queue of its own, and that
    /// queue is never used. Nothing is applied then.
    pub fn apply(&mut self, changes: Vec<Change>) -> Result<(), DocumentError> {
        let mut coming = BTreeSet::new();
        for change in &changes {
            for dep in change.deps() {
                if !coming.contains(&dep.0) && !self.knows(dep) {
                    return Err(DocumentError::MissingDependency(ChangeId(dep.0)));
                }
            }
            coming.insert(change.hash().0);
        }
        let made: Vec<(ActorId, u64)> = changes
            .iter()
            .map(|change| (change.actor_id().clone(), change.seq()))
            .collect();
        // Where applying fails it is made anew.
        let mut ever = self.ever.take();
        if let Some(ever) = &mut ever {
            changes.iter().for_each(|change| ever.add(change));
        }
        self.doc.apply_changes(changes)?;
        self.ever = ever.map_or_else(OnceLock::new, OnceLock::from);
        for (actor, sequence) in made {
            count(&mut self.sequences, &actor, sequence);
        }
        Ok(())
    }

    /// All changes in causal order, genesis first.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = self.doc.get_changes(&[]);
        // Automerge's order is causal, but a member may write a change that depends on nothing, not even on the genesis.
        changes.sort_by_key(|change| change.hash() != self.genesis);
        changes
    }

    /// Runs a writer in one transaction on the current heads, as the journal `author`. Gives what the writer gave, and
    /// the raw bytes of the one change it made: none, where it wrote nothing.
    ///
    /// # Errors
    /// What the writer says. The document is then as it was.
    pub fn write<T>(
        &mut self,
        author: JournalId,
        at: Timestamp,
        writer: impl FnOnce(&mut Transaction<'_>) -> Result<T, WriteError>,
    ) -> Result<(T, Option<Vec<u8>>), WriteError> {
        self.doc.set_actor(ActorId::from(&author.0[..]));
        let mut tx = self.doc.transaction();
        let value = match writer(&mut tx) {
            Ok(value) => value,
            Err(error) => {
                tx.rollback();
                return Err(error);
            }
        };
        let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
        let (hash, _) = tx.commit_with(CommitOptions::default().with_time(seconds));
        let change = hash.and_then(|hash| self.doc.get_change_by_hash(&hash));
        if let Some(change) = &change {
            count(&mut self.sequences, change.actor_id(), change.seq());
            if let Some(ever) = self.ever.get_mut() {
                ever.add(change);
            }
        }
        // `raw_bytes`, not `bytes`: the latter compresses, and an entry holds no compressed change.
        Ok((value, change.map(|change| change.raw_bytes().to_vec())))
    }

    /// How many changes a journal has made in this document.
    #[must_use]
    pub fn sequence_of(&self, author: JournalId) -> u64 {
        self.sequences.get(&author).copied().unwrap_or(0)
    }

    /// The heads of the document as it was when each of these journals had made so many changes in it; a journal not
    /// named had made none.
    ///
    /// # Errors
    /// Where a journal has made fewer, or one of the changes depends on one that is not among them.
    pub fn heads_at(&self, counts: &BTreeMap<JournalId, u64>) -> Result<Vec<ChangeId>, DocumentError> {
        for (journal, wanted) in counts {
            let held = self.sequence_of(*journal);
            if held < *wanted {
                return Err(DocumentError::MissingChanges {
                    journal: *journal,
                    wanted: *wanted,
                    held,
                });
            }
        }
        let among = |meta: &ChangeMetadata<'_>| match journal_of(&meta.actor) {
            Some(journal) => counts.get(&journal).is_some_and(|count| meta.seq <= *count),
            // The genesis: the only change that is by no journal.
            None => true,
        };
        let mut inside: BTreeSet<[u8; 32]> = BTreeSet::new();
        let mut heads: BTreeSet<[u8; 32]> = BTreeSet::new();
        // In causal order: what a change depends on came before it.
        for meta in self.doc.get_changes_meta(&[]).iter().filter(|meta| among(meta)) {
            for dep in &meta.deps {
                if !inside.contains(&dep.0) {
                    return Err(DocumentError::NotClosed(ChangeId(dep.0)));
                }
                heads.remove(&dep.0);
            }
            inside.insert(meta.hash.0);
            heads.insert(meta.hash.0);
        }
        Ok(heads.into_iter().map(ChangeId).collect())
    }

    /// What was ever put into a map of which nothing can be taken back; none where it is not one.
    fn ever_put(&self, map: &ObjId) -> Option<&Puts> {
        let maps = || {
            vote::EVER
                .map(|field| genesis::object(self.kind, field))
                .into_iter()
        };
        let ever = self.ever.get_or_init(|| EverPut::new(maps(), &self.changes()));
        ever.at(map)
    }

    fn knows(&self, hash: &ChangeHash) -> bool {
        self.doc.get_change_meta_by_hash(hash).is_some()
    }

    /// Heads as Automerge wants them. It would pass over one it does not know and read another past, so that is an error.
    fn hashes(&self, heads: &[ChangeId]) -> Result<Vec<ChangeHash>, DocumentError> {
        heads
            .iter()
            .map(|head| {
                let hash = ChangeHash(head.0);
                self.knows(&hash)
                    .then_some(hash)
                    .ok_or(DocumentError::UnknownHead(*head))
            })
            .collect()
    }
}

/// The journal that an actor is; the genesis' is none.
fn journal_of(actor: &ActorId) -> Option<JournalId> {
    actor.to_bytes().try_into().ok().map(JournalId)
}

fn count(sequences: &mut BTreeMap<JournalId, u64>, actor: &ActorId, sequence: u64) {
    if let Some(journal) = journal_of(actor) {
        let last = sequences.entry(journal).or_insert(0);
        *last = (*last).max(sequence);
    }
}

/// A text of any length up to a limit.
fn check_text(field: &'static str, text: &str, bytes_max: usize) -> Result<(), WriteError> {
    if text.len() > bytes_max {
        return Err(WriteError::TooLong {
            field,
            bytes: text.len(),
            bytes_max,
        });
    }
    Ok(())
}

/// A title or a name: not empty, not too long.
fn check_line(field: &'static str, line: &str) -> Result<(), WriteError> {
    if line.trim().is_empty() {
        return Err(WriteError::Empty { field });
    }
    check_text(field, line, LINE_BYTES_MAX)
}

/// A word on a list: not empty, not too long.
fn check_word(field: &'static str, word: &str) -> Result<(), WriteError> {
    check_line(field, word)?;
    check_text(field, word, WORD_BYTES_MAX)
}

#[cfg(test)]
mod tests;

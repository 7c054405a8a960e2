//! The journals of a bundle that is written: each goes on where it ended, a branch of a fork stands as a journal of its own, and
//! what hangs on an entry without payload stands apart from what lies before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, KeyId, Signature};
use crate::replica::entry::{Entry, EntryKind, Header};
use crate::replica::limits::JOURNALS_MAX;
use crate::replica::sealed::Sealed;

use super::error::BundleError;

/// How often one journal is divided, and all of them together: where one member has thousands of their entries erased, there is
/// room in the bundle for everybody's journals all the same.
const DIVISIONS_MAX: usize = 16;
const ALL_DIVISIONS_MAX: usize = JOURNALS_MAX / 20;

/// The journals so far.
#[derive(Default)]
pub(super) struct Chains {
    /// Each journal, branch of one and part of one, by its place in the dictionary.
    all: Vec<Chain>,
    /// Those that may go on, by their last entry so far.
    open: BTreeMap<(JournalId, EntryId), usize>,
    /// The greatest number so far of each journal.
    numbers: BTreeMap<JournalId, EntryNumber>,
    divisions: Divisions,
    /// Entries without payload, what follows them, and what has seen either.
    hanging: BTreeSet<EntryId>,
}

/// How often journals were divided.
#[derive(Default)]
struct Divisions {
    of: BTreeMap<JournalId, usize>,
    all: usize,
}

/// Where an entry stands.
pub(super) enum Place {
    /// In the journal at this place.
    GoesOn(usize),
    /// It is the first of the journal at this place.
    Begins(usize),
}

/// As much of the last entry of a journal as a signature is checked against.
struct Chain {
    journal: JournalId,
    number: EntryNumber,
    id: EntryId,
    is_bare: bool,
    signature: Option<Signature>,
}

impl Chains {
    /// Where the next entry stands.
    pub(super) fn place(&mut self, entry: &Entry) -> Result<Place, BundleError> {
        let header = &entry.header;
        let journal = header.journal;
        let number = header.number.0;
        let error = |error| BundleError::Entry {
            journal,
            number,
            error,
        };
        header.check().map_err(error)?;
        let (hung, hangs) = self.note_hanging(entry);
        if let Some(at) = self.open.remove(&(journal, header.prev)) {
            let before = self
                .all
                .get_mut(at)
                .filter(|chain| chain.number.next() == header.number)
                .ok_or(BundleError::Chain { journal, number })?;
            // Where it is the first that hangs on something erased, or where one without payload follows one with it: whoever cannot
            // tell whether that was erased takes in what lies before it, if that is signed.
            let divides = (hangs && !hung) || (entry.sealed.is_empty() && !before.is_bare);
            if divides && before.signature.is_some() && self.divisions.take(journal) {
                return self.begin(entry);
            }
            *before = Chain::of(entry);
            self.reached(entry, at);
            return Ok(Place::GoesOn(at));
        }
        // A branch of a fork begins no later than another one has come to.
        let reached = self.numbers.get(&journal);
        let beyond = reached.is_some_and(|reached| header.number > *reached);
        if beyond || self.open.contains_key(&(journal, entry.id)) {
            return Err(BundleError::Chain { journal, number });
        }
        self.begin(entry)
    }

    /// The signatures of the last entries, in the order of the dictionary.
    pub(super) fn signatures(&self) -> Result<Vec<u8>, BundleError> {
        let mut signatures = Vec::new();
        for chain in &self.all {
            let journal = chain.journal;
            let signature = chain.signature.ok_or(BundleError::Unsigned { journal })?;
            if chain.last().verify(&signature).is_err() {
                return Err(BundleError::Signature {
                    journal,
                    number: chain.number.0,
                });
            }
            signatures.extend_from_slice(&signature.0);
        }
        Ok(signatures)
    }

    fn begin(&mut self, entry: &Entry) -> Result<Place, BundleError> {
        let at = self.all.len();
        if at >= JOURNALS_MAX {
            return Err(BundleError::TooLarge { what: "journals" });
        }
        self.all.push(Chain::of(entry));
        self.reached(entry, at);
        Ok(Place::Begins(at))
    }

    fn reached(&mut self, entry: &Entry, at: usize) {
        let Header { journal, number, .. } = entry.header;
        self.open.insert((journal, entry.id), at);
        let reached = self.numbers.entry(journal).or_insert(number);
        *reached = number.max(*reached);
    }

    /// Does the entry before it hang on one without payload, and does this one? What follows is asked of it, too.
    fn note_hanging(&mut self, entry: &Entry) -> (bool, bool) {
        let header = &entry.header;
        let hung = self.hanging.contains(&header.prev);
        let seen = || header.seen.iter().any(|seen| self.hanging.contains(seen));
        let hangs = entry.sealed.is_empty() || hung || seen();
        if hangs {
            self.hanging.insert(entry.id);
        }
        (hung, hangs)
    }
}

impl Divisions {
    /// Counts one more of a journal. False where there is no room for it.
    fn take(&mut self, journal: JournalId) -> bool {
        let of = self.of.entry(journal).or_default();
        let is_room = *of < DIVISIONS_MAX && self.all < ALL_DIVISIONS_MAX;
        if is_room {
            *of = of.saturating_add(1);
            self.all = self.all.saturating_add(1);
        }
        is_room
    }
}

impl Chain {
    const fn of(entry: &Entry) -> Self {
        Self {
            journal: entry.header.journal,
            number: entry.header.number,
            id: entry.id,
            is_bare: entry.sealed.is_empty(),
            signature: entry.signature,
        }
    }

    fn last(&self) -> Entry {
        Entry {
            header: Header {
                group: GroupId::ZERO,
                journal: self.journal,
                number: self.number,
                prev: EntryId::ZERO,
                seen: Vec::new(),
                kind: EntryKind::Control,
                key: KeyId([0; 32]),
                payload_bytes: 0,
            },
            nonce: [0; 24],
            sealed: Sealed::Held(Vec::new()),
            signature: None,
            id: self.id,
        }
    }
}

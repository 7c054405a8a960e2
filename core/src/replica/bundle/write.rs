//! Writing: each entry is taken apart into lanes, but only where putting it together again gives the same id.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, EntryId, EntryNumber, GroupId, JournalId, KeyId};
use crate::replica::codec::encode;
use crate::replica::content::Content;
use crate::replica::entry::{Entry, EntryKind};
use crate::replica::keys::KeyRing;
use crate::replica::limits::BUNDLE_ENTRIES_MAX;
use crate::replica::sealed::Sealed;

use super::chains::{Chains, Place};
use super::change::Change;
use super::error::BundleError;
use super::form::Form;
use super::lanes::{Lanes, put_i64, put_u64};
use super::past::Past;
use super::{BundleEntry, VERSION, VERSION_ERASED};

/// Takes entries and becomes the plain bytes of a bundle.
pub(super) struct Writer<'k> {
    group: GroupId,
    keys: &'k KeyRing,
    lanes: Lanes<Vec<u8>>,
    entries: usize,
    /// What a reader will rebuild: H0 and payload of every entry.
    rebuilt: usize,
    /// Is of some entry only the header left?
    erased: bool,
    chains: Chains,
    /// The place of each journal in the dictionary of actors.
    actor_of: Vec<usize>,
    key_ids: Dictionary<KeyId>,
    documents: Dictionary<DocumentId>,
    hashes: Dictionary<[u8; 32]>,
    actors: Dictionary<Vec<u8>>,
    /// Control entries so far, by their place among them.
    controls: BTreeMap<EntryId, usize>,
    /// What entries have seen that is not among those.
    seen_outside: BTreeSet<EntryId>,
    /// Changes so far: document and place in it.
    changes: BTreeMap<ChangeId, (usize, usize)>,
    past: Past,
}

impl<'k> Writer<'k> {
    pub(super) fn new(group: GroupId, keys: &'k KeyRing) -> Self {
        Self {
            group,
            keys,
            lanes: Lanes::default(),
            entries: 0,
            rebuilt: 0,
            erased: false,
            chains: Chains::default(),
            actor_of: Vec::new(),
            key_ids: Dictionary::default(),
            documents: Dictionary::default(),
            hashes: Dictionary::default(),
            actors: Dictionary::default(),
            controls: BTreeMap::new(),
            seen_outside: BTreeSet::new(),
            changes: BTreeMap::new(),
            past: Past::default(),
        }
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, item: &BundleEntry) -> Result<(), BundleError> {
        let entry = &item.entry;
        let header = &entry.header;
        if entry.group() != self.group {
            return Err(BundleError::OtherGroup {
                journal: header.journal,
                group: self.group,
            });
        }
        self.entries = self.entries.saturating_add(1);
        if self.entries > BUNDLE_ENTRIES_MAX {
            return Err(BundleError::TooLarge { what: "entries" });
        }
        let actor = self.journal(entry)?;
        let payload = self.plain_payload(item);
        let content = payload
            .as_deref()
            .filter(|_| header.kind == EntryKind::Content)
            .and_then(|payload| Content::from_bytes(payload).ok());
        let form = Form {
            full: payload.is_none(),
            content: content.is_some(),
            kind: header.kind,
            founding: header.group == GroupId::ZERO,
            seen: !header.seen.is_empty(),
            erased: entry.sealed.is_empty(),
        };
        self.erased |= form.erased;
        put_u64(&mut self.lanes.form, form.to_number());
        self.key(header.key);
        self.seen(entry)?;
        let h0 = header.to_bytes().len();
        let payload_bytes = entry.header.payload_bytes as usize;
        self.rebuilt = self.rebuilt.saturating_add(h0).saturating_add(payload_bytes);
        match (content, payload) {
            (Some(content), _) => self.content(&content, header.journal, actor),
            (None, Some(payload)) => self.plain(&payload),
            (None, None) => self.full(entry)?,
        }
        if header.kind == EntryKind::Control {
            let place = self.controls.len();
            self.controls.insert(entry.id, place);
        }
        Ok(())
    }

    /// The version that a reader needs.
    pub(super) const fn version(&self) -> u8 {
        if self.erased { VERSION_ERASED } else { VERSION }
    }

    /// The plain bytes, and how much a reader unpacks and rebuilds from them.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, usize), BundleError> {
        self.lanes.signatures = self.chains.signatures()?;
        let lanes = self.lanes.each();
        let mut plain = self.group.0.to_vec();
        put_u64(&mut plain, 0);
        put_u64(&mut plain, self.entries as u64);
        for lane in &lanes {
            put_u64(&mut plain, lane.len() as u64);
        }
        for lane in lanes {
            plain.append(lane);
        }
        let unpacked = plain.len().saturating_add(self.rebuilt);
        Ok((plain, unpacked))
    }

    /// Says whose entry it is; the place of that journal in the dictionary of actors.
    fn journal(&mut self, entry: &Entry) -> Result<usize, BundleError> {
        let header = &entry.header;
        let place = self.chains.place(entry)?;
        let (Place::GoesOn(index) | Place::Begins(index)) = place;
        put_u64(&mut self.lanes.journal, index as u64);
        if matches!(place, Place::Begins(_)) {
            self.lanes.journals.extend_from_slice(&header.journal.0);
            put_u64(&mut self.lanes.journals, header.number.0);
            if header.number != EntryNumber::FIRST {
                self.lanes.journals.extend_from_slice(&header.prev.0);
            }
            self.actor_of.push(self.actors.append(header.journal.0.to_vec()));
        }
        Ok(self.actor_of.get(index).copied().unwrap_or_default())
    }

    /// The payload, where sealing it again gives this very entry.
    fn plain_payload(&self, item: &BundleEntry) -> Option<Vec<u8>> {
        let key = self.keys.get(item.entry.header.key)?;
        let payload = match &item.payload {
            Some(payload) => payload.clone(),
            None => item.entry.open(key).ok()?,
        };
        let again = Entry::seal(item.entry.header.clone(), &payload, key).ok()?;
        (again.id == item.entry.id && again.sealed == item.entry.sealed && again.nonce == item.entry.nonce)
            .then_some(payload)
    }

    fn key(&mut self, key: KeyId) {
        let (index, new) = self.key_ids.find(&key);
        put_u64(&mut self.lanes.key, index as u64);
        if new {
            self.lanes.keys.extend_from_slice(&key.0);
        }
    }

    fn seen(&mut self, entry: &Entry) -> Result<(), BundleError> {
        if self.seen_outside.contains(&entry.id) {
            return Err(BundleError::Order {
                journal: entry.header.journal,
                number: entry.header.number.0,
            });
        }
        let seen = &entry.header.seen;
        if seen.is_empty() {
            return Ok(());
        }
        put_u64(&mut self.lanes.seen, seen.len() as u64);
        let mut distances = Vec::with_capacity(seen.len());
        let mut outside = Vec::new();
        for id in seen {
            match self.controls.get(id) {
                Some(place) => distances.push(self.controls.len().saturating_sub(*place)),
                None => outside.push(*id),
            }
        }
        distances.sort_unstable();
        for distance in distances {
            put_u64(&mut self.lanes.seen, distance as u64);
        }
        for id in outside {
            self.seen_outside.insert(id);
            put_u64(&mut self.lanes.seen, 0);
            let index = self.hash(id.0);
            put_u64(&mut self.lanes.seen, index);
        }
        Ok(())
    }

    fn hash(&mut self, hash: [u8; 32]) -> u64 {
        let (index, new) = self.hashes.find(&hash);
        if new {
            self.lanes.hashes.extend_from_slice(&hash);
        }
        index as u64
    }

    fn plain(&mut self, bytes: &[u8]) {
        put_u64(&mut self.lanes.lengths, bytes.len() as u64);
        self.lanes.plain.extend_from_slice(bytes);
    }

    /// An entry as it is; what its id says it is, it must be.
    fn full(&mut self, entry: &Entry) -> Result<(), BundleError> {
        let (journal, number) = (entry.header.journal, entry.header.number.0);
        let again = match &entry.sealed {
            Sealed::Held(sealed) => Entry::assemble(entry.header.clone(), entry.nonce, sealed.clone(), None),
            Sealed::Erased(hash) => Entry::assemble_erased(entry.header.clone(), entry.nonce, *hash, None),
        };
        let again = again.map_err(|error| BundleError::Entry {
            journal,
            number,
            error,
        })?;
        if again.id != entry.id {
            return Err(BundleError::Chain { journal, number });
        }
        put_u64(&mut self.lanes.lengths, u64::from(entry.header.payload_bytes));
        self.lanes.nonces.extend_from_slice(&entry.nonce);
        match &entry.sealed {
            Sealed::Held(sealed) => self.lanes.sealed.extend_from_slice(sealed),
            Sealed::Erased(hash) => self.lanes.sealed.extend_from_slice(hash),
        }
        Ok(())
    }

    fn content(&mut self, content: &Content, journal: JournalId, actor: usize) {
        let (document, new) = self.documents.find(&content.document);
        put_u64(&mut self.lanes.document, document as u64);
        if new {
            self.lanes.documents.extend_from_slice(&encode(&content.document));
            self.past.open();
        }
        put_u64(&mut self.lanes.changes, content.changes.len() as u64);
        for chunk in &content.changes {
            let change = Change::parse(&chunk.0)
                .filter(|change| change.actor == journal.0 && change.deps.is_sorted_by(|a, b| a < b));
            let rebuilt = change.as_ref().map(Change::to_bytes);
            match (change, rebuilt) {
                (Some(change), Some((bytes, id))) if bytes == chunk.0 => {
                    self.change(&change, id, document, actor);
                }
                _ => {
                    put_u64(&mut self.lanes.deps, 0);
                    self.plain(&chunk.0);
                }
            }
        }
    }

    fn change(&mut self, change: &Change<'_>, id: ChangeId, document: usize, actor: usize) {
        let last = self.deps(&change.deps, document);
        let Some(past) = self.past.document(document) else {
            return;
        };
        let lanes = &mut self.lanes;
        let start = change.start.wrapping_sub(last.wrapping_add(1));
        put_i64(&mut lanes.start, start.cast_signed());
        let seq = change.seq.wrapping_sub(past.expected_seq(actor));
        put_i64(&mut lanes.seq, seq.cast_signed());
        past.join(actor);
        put_u64(&mut lanes.others, change.others.len() as u64);
        for other in &change.others {
            let known = self.actors.get(*other);
            if let Some(place) = known.and_then(|actor| past.place(actor)) {
                put_u64(&mut lanes.others, (place as u64).saturating_add(1));
                continue;
            }
            let (index, new) = self.actors.find(&other.to_vec());
            put_u64(&mut lanes.others, 0);
            put_u64(&mut lanes.others, index as u64);
            if new {
                put_u64(&mut lanes.actors, other.len() as u64);
                lanes.actors.extend_from_slice(other);
            }
            past.join(index);
        }
        let place = past.len();
        past.push(actor, change, id);
        self.changes.entry(id).or_insert((document, place));
        put_u64(&mut lanes.message, change.message.len() as u64);
        lanes.message.extend_from_slice(change.message);
        put_i64(&mut lanes.time, change.time.wrapping_sub(self.past.time));
        self.past.time = change.time;
        put_columns(lanes, change);
    }

    /// Writes what a change depends on: known changes of its document by how far back they stand, nearest first, then
    /// the others by hash. Returns the greatest last operation among the known ones, or 0.
    fn deps(&mut self, deps: &[ChangeId], document: usize) -> u64 {
        put_u64(&mut self.lanes.deps, (deps.len() as u64).saturating_add(1));
        let mut distances = Vec::with_capacity(deps.len());
        let mut outside = Vec::new();
        let mut last = 0;
        for dep in deps {
            let place = self.changes.get(dep).filter(|(of, _)| *of == document);
            let past = self.past.document(document);
            match place.zip(past) {
                Some(((_, place), past)) => {
                    let distance = past.len().saturating_sub(*place);
                    last = past.back(distance).map_or(0, |(_, last)| last).max(last);
                    distances.push(distance);
                }
                None => outside.push(dep.0),
            }
        }
        distances.sort_unstable();
        for distance in distances {
            put_u64(&mut self.lanes.dep, distance as u64);
        }
        for hash in outside {
            put_u64(&mut self.lanes.dep, 0);
            let index = self.hash(hash);
            put_u64(&mut self.lanes.dep, index);
        }
        last
    }
}

fn put_columns(lanes: &mut Lanes<Vec<u8>>, change: &Change<'_>) {
    let mut layout = 0_u64;
    for column in change.columns.iter().rev() {
        layout = (layout << 1) | u64::from(column.is_some());
    }
    put_u64(&mut lanes.layout, layout);
    let places = lanes.column_lengths.iter_mut().zip(lanes.columns.iter_mut());
    for ((lengths, bytes), column) in places.zip(change.columns) {
        if let Some(column) = column {
            put_u64(lengths, column.len() as u64);
            bytes.extend_from_slice(column);
        }
    }
}

/// Values by order of first use.
#[derive(Debug)]
struct Dictionary<T> {
    places: BTreeMap<T, usize>,
    len: usize,
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            len: 0,
        }
    }
}

impl<T: Ord + Clone> Dictionary<T> {
    /// The place of a value, and whether it is new.
    fn find(&mut self, value: &T) -> (usize, bool) {
        match self.places.get(value) {
            Some(place) => (*place, false),
            None => (self.append(value.clone()), true),
        }
    }

    fn get<Q: Ord + ?Sized>(&self, value: &Q) -> Option<usize>
    where
        T: std::borrow::Borrow<Q>,
    {
        self.places.get(value).copied()
    }

    /// Adds a value at the end, even if it stands there already; then the first place stays its place.
    fn append(&mut self, value: T) -> usize {
        let place = self.len;
        self.len = self.len.saturating_add(1);
        self.places.entry(value).or_insert(place);
        place
    }
}

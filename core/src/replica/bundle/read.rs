//! Reading: the lanes are put together into entries, and every chain is followed to its signature. A member may have
//! crafted the lanes, so nothing in them is believed.

use std::collections::BTreeSet;

use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, EntryId, EntryNumber, GroupId, JournalId, KeyId, Signature};
use crate::replica::codec::{Blob, encode};
use crate::replica::content::Content;
use crate::replica::entry::{Entry, EntryError, EntryKind, Header, SEAL_BYTES};
use crate::replica::keys::KeyRing;
use crate::replica::limits::{
    BUNDLE_ENTRIES_MAX, CHANGES_PER_ENTRY_MAX, JOURNALS_MAX, PAYLOAD_BYTES_MAX, SEEN_MAX,
};

use super::change::Change;
use super::error::{BundleError, malformed};
use super::form::Form;
use super::lanes::{COLUMNS, Cursor, Lanes};
use super::pack::Budget;
use super::past::Past;
use super::{Bundle, BundleEntry, VERSION_ERASED};

/// Reads the plain bytes of a bundle.
pub(super) fn read(plain: &[u8], version: u8, keys: &KeyRing, budget: Budget) -> Result<Bundle, BundleError> {
    let mut cursor = Cursor(plain);
    let group = GroupId(cursor.array()?);
    if cursor.number()? != 0 {
        // Entries that carry keys are to come; this version knows none.
        return Err(BundleError::Newer { version });
    }
    let count = cursor.count()?;
    if count > BUNDLE_ENTRIES_MAX {
        return Err(BundleError::TooLarge { what: "entries" });
    }
    let mut lanes = Lanes::default();
    let mut lengths = Vec::new();
    for _ in lanes.each() {
        lengths.push(cursor.count()?);
    }
    for (lane, length) in lanes.each().into_iter().zip(lengths) {
        *lane = Cursor(cursor.take(length)?);
    }
    if !cursor.0.is_empty() {
        return Err(malformed("something stands behind its end"));
    }
    let mut reader = Reader {
        group,
        version,
        keys,
        budget,
        lanes,
        journals: Vec::new(),
        key_ids: Vec::new(),
        documents: Vec::new(),
        hashes: Vec::new(),
        actors: Vec::new(),
        controls: Vec::new(),
        seen_outside: BTreeSet::new(),
        past: Past::default(),
    };
    let mut entries = Vec::new();
    for index in 0..count {
        entries.push(reader.entry(index)?);
    }
    reader.finish(&mut entries)?;
    Ok(Bundle { group, entries })
}

struct Reader<'a> {
    group: GroupId,
    version: u8,
    keys: &'a KeyRing,
    budget: Budget,
    lanes: Lanes<Cursor<'a>>,
    journals: Vec<Journal>,
    key_ids: Vec<KeyId>,
    documents: Vec<DocumentId>,
    hashes: Vec<[u8; 32]>,
    actors: Vec<&'a [u8]>,
    controls: Vec<EntryId>,
    seen_outside: BTreeSet<EntryId>,
    past: Past,
}

#[derive(Clone, Copy)]
struct Journal {
    id: JournalId,
    actor: usize,
    number: EntryNumber,
    prev: EntryId,
    /// Its last entry so far, as a place in the bundle.
    last: usize,
}

impl<'a> Reader<'a> {
    fn entry(&mut self, index: usize) -> Result<BundleEntry, BundleError> {
        let place = self.journal()?;
        let journal = *self.journals.get(place).ok_or(OUT_OF_RANGE)?;
        let form =
            Form::from_number(self.lanes.form.number()?).ok_or(malformed("an unknown form of entry"))?;
        let key_id = self.key()?;
        let mut header = Header {
            group: if form.founding { GroupId::ZERO } else { self.group },
            journal: journal.id,
            number: journal.number,
            prev: journal.prev,
            seen: if form.seen { self.seen()? } else { Vec::new() },
            kind: form.kind,
            key: key_id,
            payload_bytes: 0,
        };
        let wrong = |error| BundleError::Entry {
            journal: journal.id,
            number: journal.number.0,
            error,
        };
        let key = self.keys.get(key_id);
        let item = if form.full {
            let plain_bytes = self.payload_bytes()?;
            header.payload_bytes = u32::try_from(plain_bytes).map_err(|_| wrong(EntryError::Length))?;
            self.charge(&header, plain_bytes)?;
            let nonce = self.lanes.nonces.array()?;
            let entry = if form.erased {
                if self.version < VERSION_ERASED {
                    return Err(malformed("an unknown form of entry"));
                }
                Entry::assemble_erased(header, nonce, self.lanes.sealed.array()?, None)
            } else {
                let sealed = self.lanes.sealed.take(plain_bytes.saturating_add(SEAL_BYTES))?;
                Entry::assemble(header, nonce, sealed.to_vec(), None)
            };
            let entry = entry.map_err(wrong)?;
            let payload = key.and_then(|key| entry.open(key).ok());
            BundleEntry { entry, payload }
        } else {
            let payload = if form.content {
                self.content(&journal)?
            } else {
                let bytes = self.payload_bytes()?;
                self.lanes.plain.take(bytes)?.to_vec()
            };
            header.payload_bytes = u32::try_from(payload.len()).map_err(|_| wrong(EntryError::Length))?;
            self.charge(&header, payload.len())?;
            let key = key.ok_or(BundleError::KeyMissing { key: key_id })?;
            BundleEntry {
                entry: Entry::seal(header, &payload, key).map_err(wrong)?,
                payload: Some(payload),
            }
        };
        self.took(place, index, &item.entry)?;
        Ok(item)
    }

    /// The chain goes on after this entry.
    fn took(&mut self, place: usize, index: usize, entry: &Entry) -> Result<(), BundleError> {
        let header = &entry.header;
        if entry.group() != self.group {
            return Err(BundleError::OtherGroup {
                journal: header.journal,
                group: self.group,
            });
        }
        if self.seen_outside.contains(&entry.id) {
            return Err(BundleError::Order {
                journal: header.journal,
                number: header.number.0,
            });
        }
        if header.kind == EntryKind::Control {
            self.controls.push(entry.id);
        }
        let journal = self.journals.get_mut(place).ok_or(OUT_OF_RANGE)?;
        journal.number = header.number.next();
        journal.prev = entry.id;
        journal.last = index;
        Ok(())
    }

    /// Every lane is used up, and every journal's last entry is signed by it.
    fn finish(mut self, entries: &mut [BundleEntry]) -> Result<(), BundleError> {
        for journal in &self.journals {
            let signature = Signature(self.lanes.signatures.array()?);
            let entry = &mut entries.get_mut(journal.last).ok_or(OUT_OF_RANGE)?.entry;
            if entry.verify(&signature).is_err() {
                return Err(BundleError::Signature {
                    journal: journal.id,
                    number: entry.header.number.0,
                });
            }
            entry.signature = Some(signature);
        }
        if self.lanes.each().iter().all(|lane| lane.0.is_empty()) {
            Ok(())
        } else {
            Err(malformed("a part of it is longer than needed"))
        }
    }

    fn charge(&mut self, header: &Header, payload_bytes: usize) -> Result<(), BundleError> {
        self.budget
            .take(header.to_bytes().len().saturating_add(payload_bytes))
    }

    fn payload_bytes(&mut self) -> Result<usize, BundleError> {
        let bytes = self.lanes.lengths.count()?;
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(PAYLOAD_TOO_LONG);
        }
        Ok(bytes)
    }

    fn journal(&mut self) -> Result<usize, BundleError> {
        let place = self.lanes.journal.count()?;
        if place != self.journals.len() {
            return Ok(place);
        }
        if place >= JOURNALS_MAX {
            return Err(BundleError::TooLarge { what: "journals" });
        }
        let bytes = self.lanes.journals.take(JournalId::SIZE)?;
        let id = JournalId(bytes.try_into().map_err(|_| OUT_OF_RANGE)?);
        let number = EntryNumber(self.lanes.journals.number()?);
        let prev = if number == EntryNumber::FIRST {
            EntryId::ZERO
        } else {
            EntryId(self.lanes.journals.array()?)
        };
        let actor = self.actors.len();
        self.actors.push(bytes);
        self.journals.push(Journal {
            id,
            actor,
            number,
            prev,
            last: 0,
        });
        Ok(place)
    }

    fn key(&mut self) -> Result<KeyId, BundleError> {
        let place = self.lanes.key.count()?;
        if place == self.key_ids.len() {
            self.key_ids.push(KeyId(self.lanes.keys.array()?));
        }
        self.key_ids.get(place).copied().ok_or(OUT_OF_RANGE)
    }

    fn seen(&mut self) -> Result<Vec<EntryId>, BundleError> {
        let count = self.lanes.seen.count()?;
        if count == 0 || count > SEEN_MAX {
            return Err(malformed("an entry has seen nothing, or too much"));
        }
        let mut seen = Vec::with_capacity(count);
        for _ in 0..count {
            let distance = self.lanes.seen.count()?;
            if distance == 0 {
                let place = self.lanes.seen.count()?;
                let id = EntryId(self.hash(place)?);
                self.seen_outside.insert(id);
                seen.push(id);
            } else {
                let place = self.controls.len().checked_sub(distance).ok_or(OUT_OF_RANGE)?;
                seen.push(*self.controls.get(place).ok_or(OUT_OF_RANGE)?);
            }
        }
        seen.sort_unstable();
        Ok(seen)
    }

    fn hash(&mut self, place: usize) -> Result<[u8; 32], BundleError> {
        if place == self.hashes.len() {
            self.hashes.push(self.lanes.hashes.array()?);
        }
        self.hashes.get(place).copied().ok_or(OUT_OF_RANGE)
    }

    fn content(&mut self, journal: &Journal) -> Result<Vec<u8>, BundleError> {
        let place = self.lanes.document.count()?;
        if place == self.documents.len() {
            self.documents.push(document(&mut self.lanes.documents)?);
            self.past.open();
        }
        let document = *self.documents.get(place).ok_or(OUT_OF_RANGE)?;
        let count = self.lanes.changes.count()?;
        if !(1..=CHANGES_PER_ENTRY_MAX).contains(&count) {
            return Err(malformed("an entry holds no change, or too many"));
        }
        let mut changes = Vec::with_capacity(count);
        let mut total = 0_usize;
        for _ in 0..count {
            let chunk = match self.lanes.deps.count()?.checked_sub(1) {
                None => {
                    let bytes = self.payload_bytes()?;
                    self.lanes.plain.take(bytes)?.to_vec()
                }
                Some(deps) => self.change(deps, place, journal)?,
            };
            total = total.saturating_add(chunk.len());
            if total > PAYLOAD_BYTES_MAX {
                return Err(PAYLOAD_TOO_LONG);
            }
            changes.push(Blob(chunk));
        }
        Ok(Content { document, changes }.to_bytes())
    }

    fn change(&mut self, count: usize, document: usize, journal: &Journal) -> Result<Vec<u8>, BundleError> {
        let (deps, last) = self.deps(count, document)?;
        let time = self.lanes.time.signed()?.wrapping_add(self.past.time);
        self.past.time = time;
        let length = self.lanes.message.count()?;
        let message = self.lanes.message.take(length)?;
        let past = self.past.document(document).ok_or(OUT_OF_RANGE)?;
        let start = self
            .lanes
            .start
            .signed()?
            .cast_unsigned()
            .wrapping_add(last.wrapping_add(1));
        let seq = self
            .lanes
            .seq
            .signed()?
            .cast_unsigned()
            .wrapping_add(past.expected_seq(journal.actor));
        past.join(journal.actor);
        let others = self.others(document)?;
        let layout = self.lanes.layout.number()?;
        if layout.checked_shr(COLUMNS as u32).unwrap_or(0) != 0 {
            return Err(malformed("a change has unknown columns"));
        }
        let mut columns = [None; COLUMNS];
        let places = self
            .lanes
            .column_lengths
            .iter_mut()
            .zip(self.lanes.columns.iter_mut());
        for (index, ((lengths, bytes), column)) in (0_u32..).zip(places.zip(columns.iter_mut())) {
            if layout.wrapping_shr(index) & 1 == 1 {
                *column = Some(bytes.take(lengths.count()?)?);
            }
        }
        let change = Change {
            deps,
            actor: self.actors.get(journal.actor).ok_or(OUT_OF_RANGE)?,
            seq,
            start,
            time,
            message,
            others,
            columns,
        };
        let (bytes, id) = change.to_bytes();
        let past = self.past.document(document).ok_or(OUT_OF_RANGE)?;
        past.push(journal.actor, &change, id);
        Ok(bytes)
    }

    /// What a change depends on, ascending, and the greatest last operation among what is known of it.
    fn deps(&mut self, count: usize, document: usize) -> Result<(Vec<ChangeId>, u64), BundleError> {
        if count > PAYLOAD_BYTES_MAX / ChangeId::SIZE {
            return Err(PAYLOAD_TOO_LONG);
        }
        let mut deps = Vec::with_capacity(count.min(16));
        let mut last = 0;
        for _ in 0..count {
            let distance = self.lanes.dep.count()?;
            if distance == 0 {
                let place = self.lanes.dep.count()?;
                deps.push(ChangeId(self.hash(place)?));
            } else {
                let past = self.past.document(document).ok_or(OUT_OF_RANGE)?;
                let (id, operation) = past.back(distance).ok_or(OUT_OF_RANGE)?;
                deps.push(id);
                last = operation.max(last);
            }
        }
        deps.sort_unstable();
        Ok((deps, last))
    }

    /// Whom the operations of a change name beside its author.
    fn others(&mut self, document: usize) -> Result<Vec<&'a [u8]>, BundleError> {
        let count = self.lanes.others.count()?;
        let mut others: Vec<&'a [u8]> = Vec::new();
        let mut total = 0_usize;
        for _ in 0..count {
            let past = self.past.document(document).ok_or(OUT_OF_RANGE)?;
            let actor = match self.lanes.others.count()?.checked_sub(1) {
                Some(place) => past.actor(place).ok_or(OUT_OF_RANGE)?,
                None => {
                    let actor = self.lanes.others.count()?;
                    if actor == self.actors.len() {
                        let length = self.lanes.actors.count()?;
                        self.actors.push(self.lanes.actors.take(length)?);
                    }
                    past.join(actor);
                    actor
                }
            };
            let bytes = *self.actors.get(actor).ok_or(OUT_OF_RANGE)?;
            total = total.saturating_add(bytes.len()).saturating_add(1);
            if total > PAYLOAD_BYTES_MAX {
                return Err(PAYLOAD_TOO_LONG);
            }
            others.push(bytes);
        }
        Ok(others)
    }
}

const OUT_OF_RANGE: BundleError = malformed("it refers to something that is not in it");

const PAYLOAD_TOO_LONG: BundleError = BundleError::TooLarge {
    what: "bytes of one entry",
};

/// Takes a document's id, which must stand there as it would be written.
fn document(lane: &mut Cursor<'_>) -> Result<DocumentId, BundleError> {
    const WRONG: BundleError = malformed("a document has no possible id");
    let (document, rest) = postcard::take_from_bytes::<DocumentId>(lane.0).map_err(|_| WRONG)?;
    let written = lane.take(lane.0.len().saturating_sub(rest.len()))?;
    if encode(&document) == written {
        Ok(document)
    } else {
        Err(WRONG)
    }
}

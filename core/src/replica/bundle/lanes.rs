//! The lanes of a bundle: what is alike stands together, so that it compresses well. One lane a field.

use super::error::{BundleError, malformed};

/// The columns of operations a change chunk can have, by the number that names them there, ascending.
pub(super) const COLUMN_SPECS: [u64; COLUMNS] = [
    0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73, 0x94, 0xa5,
];

/// How many those are.
pub(super) const COLUMNS: usize = 14;

/// One value for each lane.
#[derive(Debug, Default)]
pub(super) struct Lanes<T> {
    /// Which journal the entry is of.
    pub(super) journal: T,
    /// What form it has here.
    pub(super) form: T,
    /// Which key it is sealed under.
    pub(super) key: T,
    /// What it has seen.
    pub(super) seen: T,
    /// Which document it changes.
    pub(super) document: T,
    /// How many changes it holds.
    pub(super) changes: T,
    /// How many changes a change depends on, and whether it is taken apart at all.
    pub(super) deps: T,
    /// Which ones.
    pub(super) dep: T,
    /// Sequence number, as a difference to the expected.
    pub(super) seq: T,
    /// First operation, as a difference to the expected.
    pub(super) start: T,
    /// Time, as a difference to the change before.
    pub(super) time: T,
    /// Message: length and bytes.
    pub(super) message: T,
    /// How many other actors, and which.
    pub(super) others: T,
    /// Which columns there are.
    pub(super) layout: T,
    /// How long bytes taken as they are are.
    pub(super) lengths: T,
    /// Dictionary: journals, each with the number and, unless that is 1, the id before its first entry here.
    pub(super) journals: T,
    /// The signature over each journal's last entry here.
    pub(super) signatures: T,
    /// Dictionary: keys.
    pub(super) keys: T,
    /// Dictionary: documents.
    pub(super) documents: T,
    /// Dictionary: ids of entries and hashes of changes that are not in the bundle.
    pub(super) hashes: T,
    /// Dictionary: actors that are no journal of the bundle.
    pub(super) actors: T,
    /// Plain payloads and changes that are not taken apart.
    pub(super) plain: T,
    /// Nonces of entries in full form.
    pub(super) nonces: T,
    /// Sealed payloads of entries in full form.
    pub(super) sealed: T,
    /// How long each column is.
    pub(super) column_lengths: [T; COLUMNS],
    /// The columns.
    pub(super) columns: [T; COLUMNS],
}

impl<T> Lanes<T> {
    /// All of them, in the order of the format.
    pub(super) fn each(&mut self) -> Vec<&mut T> {
        let mut lanes = vec![
            &mut self.journal,
            &mut self.form,
            &mut self.key,
            &mut self.seen,
            &mut self.document,
            &mut self.changes,
            &mut self.deps,
            &mut self.dep,
            &mut self.seq,
            &mut self.start,
            &mut self.time,
            &mut self.message,
            &mut self.others,
            &mut self.layout,
            &mut self.lengths,
            &mut self.journals,
            &mut self.signatures,
            &mut self.keys,
            &mut self.documents,
            &mut self.hashes,
            &mut self.actors,
            &mut self.plain,
            &mut self.nonces,
            &mut self.sealed,
        ];
        lanes.extend(self.column_lengths.iter_mut());
        lanes.extend(self.columns.iter_mut());
        lanes
    }
}

/// Where a reader stands in a lane.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

const SHORT: BundleError = malformed("a part of it ends too early");

impl<'a> Cursor<'a> {
    /// So many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], BundleError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A fixed number of bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BundleError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<u64, BundleError> {
        get_u64(&mut self.0).ok_or(SHORT)
    }

    /// A number that counts or indexes something here.
    pub(super) fn count(&mut self) -> Result<usize, BundleError> {
        usize::try_from(self.number()?).map_err(|_| SHORT)
    }

    /// A number that may be negative.
    pub(super) fn signed(&mut self) -> Result<i64, BundleError> {
        get_i64(&mut self.0).ok_or(SHORT)
    }
}

/// Appends an unsigned LEB128 number.
pub(super) fn put_u64(lane: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        lane.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    lane.push(value as u8);
}

/// Appends a signed LEB128 number.
pub(super) fn put_i64(lane: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            lane.push(low);
            return;
        }
        lane.push(low | 0x80);
    }
}

/// Takes an unsigned LEB128 number from the front: 64 bits, in the shortest form only.
pub(super) fn get_u64(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64_u32).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let placed = bits.wrapping_shl(shift);
        if placed.wrapping_shr(shift) != bits || (byte == 0 && shift > 0) {
            return None;
        }
        value |= placed;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes a signed LEB128 number from the front: 64 bits.
pub(super) fn get_i64(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_i64;
    for shift in (0..64_u32).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= i64::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            let used = shift.saturating_add(7);
            if used < 64 && byte & 0x40 != 0 {
                value |= (-1_i64).wrapping_shl(used);
            }
            return Some(value);
        }
    }
    None
}

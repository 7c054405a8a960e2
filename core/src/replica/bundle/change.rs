//! A change chunk of Automerge taken apart and put together again, byte for byte. Nothing here judges a change.

use sha2::{Digest, Sha256};

use crate::domain::id::ChangeId;

use super::lanes::{COLUMN_SPECS, COLUMNS, get_i64, get_u64, put_i64, put_u64};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_TYPE: u8 = 1;

/// Where the actions stand among the columns: there is one for each operation.
const ACTION: usize = 6;

/// The parts of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// What it depends on, as it stands there.
    pub(super) deps: Vec<ChangeId>,
    /// Who made it.
    pub(super) actor: &'a [u8],
    /// The how-manieth of that actor.
    pub(super) seq: u64,
    /// The number of its first operation.
    pub(super) start: u64,
    /// When, in seconds.
    pub(super) time: i64,
    /// A message.
    pub(super) message: &'a [u8],
    /// Whom else its operations name.
    pub(super) others: Vec<&'a [u8]>,
    /// The columns of its operations, in the order of [`COLUMN_SPECS`].
    pub(super) columns: [Option<&'a [u8]>; COLUMNS],
}

impl<'a> Change<'a> {
    /// Takes a chunk apart. `None` where it is no plain change with the usual columns only; whoever calls compares what
    /// [`Change::to_bytes`] makes of it.
    pub(super) fn parse(chunk: &'a [u8]) -> Option<Self> {
        let rest = chunk.strip_prefix(&MAGIC)?;
        let (_checksum, rest) = rest.split_first_chunk::<4>()?;
        let (kind, mut rest) = rest.split_first()?;
        let length = usize::try_from(get_u64(&mut rest)?).ok()?;
        if *kind != CHUNK_TYPE || rest.len() != length {
            return None;
        }
        let body = &mut rest;
        let deps = list(body, |body| {
            let (hash, rest) = body.split_first_chunk::<32>()?;
            *body = rest;
            Some(ChangeId(*hash))
        })?;
        let actor = bytes(body)?;
        let seq = get_u64(body)?;
        let start = get_u64(body)?;
        let time = get_i64(body)?;
        let message = bytes(body)?;
        let others = list(body, bytes)?;
        let specs = list(body, |body| Some((get_u64(body)?, get_u64(body)?)))?;
        let mut columns = [None; COLUMNS];
        let mut places = COLUMN_SPECS.iter().zip(columns.iter_mut());
        for (spec, length) in specs {
            // Ascending, so each search goes on where the last one ended.
            let (_, place) = places.find(|(known, _)| **known == spec)?;
            *place = Some(take(body, usize::try_from(length).ok()?)?);
        }
        body.is_empty().then_some(Self {
            deps,
            actor,
            seq,
            start,
            time,
            message,
            others,
            columns,
        })
    }

    /// The chunk and its hash.
    pub(super) fn to_bytes(&self) -> (Vec<u8>, ChangeId) {
        let mut body = Vec::with_capacity(256);
        put_u64(&mut body, self.deps.len() as u64);
        for dep in &self.deps {
            body.extend_from_slice(&dep.0);
        }
        put_bytes(&mut body, self.actor);
        put_u64(&mut body, self.seq);
        put_u64(&mut body, self.start);
        put_i64(&mut body, self.time);
        put_bytes(&mut body, self.message);
        put_u64(&mut body, self.others.len() as u64);
        for other in &self.others {
            put_bytes(&mut body, other);
        }
        put_u64(&mut body, self.columns.iter().flatten().count() as u64);
        for (spec, column) in COLUMN_SPECS.iter().zip(self.columns) {
            if let Some(column) = column {
                put_u64(&mut body, *spec);
                put_u64(&mut body, column.len() as u64);
            }
        }
        for column in self.columns.iter().flatten() {
            body.extend_from_slice(column);
        }
        let mut front = vec![CHUNK_TYPE];
        put_u64(&mut front, body.len() as u64);
        let hash: [u8; 32] = Sha256::new()
            .chain_update(&front)
            .chain_update(&body)
            .finalize()
            .into();
        let (checksum, _) = hash.split_at(4);
        let chunk = [&MAGIC, checksum, &front, &body].concat();
        (chunk, ChangeId(hash))
    }

    /// The number of its last operation, as far as it can be told without judging it.
    pub(super) fn last_operation(&self) -> u64 {
        let actions = self.columns.get(ACTION).copied().flatten().unwrap_or_default();
        self.start.saturating_add(rows(actions)).saturating_sub(1)
    }
}

/// How many rows a run-length encoded column of numbers has, up to where it stops making sense.
fn rows(mut column: &[u8]) -> u64 {
    let mut rows = 0_u64;
    while let Some(run) = get_i64(&mut column) {
        if run == 0 {
            let Some(nulls) = get_u64(&mut column) else { break };
            rows = rows.saturating_add(nulls);
            continue;
        }
        // A positive number is one value so many times, a negative one so many values.
        let values = if run > 0 { 1 } else { run.unsigned_abs() };
        for _ in 0..values {
            if get_u64(&mut column).is_none() {
                return rows;
            }
        }
        rows = rows.saturating_add(run.unsigned_abs());
    }
    rows
}

fn take<'a>(body: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(taken)
}

fn bytes<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(get_u64(body)?).ok()?;
    take(body, length)
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(body, bytes.len() as u64);
    body.extend_from_slice(bytes);
}

/// So many items as the number at the front says. Each takes at least a byte, so the bytes bound the list.
fn list<'a, T>(body: &mut &'a [u8], mut item: impl FnMut(&mut &'a [u8]) -> Option<T>) -> Option<Vec<T>> {
    let count = usize::try_from(get_u64(body)?).ok()?;
    if count > body.len() {
        return None;
    }
    (0..count).map(|_| item(body)).collect()
}

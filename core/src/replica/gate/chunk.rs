//! The frame of a change: the chunk, the head of the change, and where its columns lie. Copies nothing but the tables.

use super::bytes::Bytes;
use super::refusal::{
    CHANGE_ACTORS_MAX, CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, CHANGE_TIME_MAX, MESSAGE_BYTES_MAX, OP_NUMBER_MAX,
    Refusal,
};
use crate::domain::id::ChangeId;
use crate::planted::{Guard, is_off};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// The columns of a change's operations; each is empty where the change does not need it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ColumnBytes<'a> {
    pub(super) object_actor: &'a [u8],
    pub(super) object_number: &'a [u8],
    pub(super) key_actor: &'a [u8],
    pub(super) key_number: &'a [u8],
    pub(super) key_text: &'a [u8],
    pub(super) insert: &'a [u8],
    pub(super) action: &'a [u8],
    pub(super) value_kind: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) pred_count: &'a [u8],
    pub(super) pred_actor: &'a [u8],
    pub(super) pred_number: &'a [u8],
    pub(super) expand: &'a [u8],
    pub(super) mark_name: &'a [u8],
}

/// A change as its frame tells it.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    pub(super) checksum: [u8; 4],
    pub(super) deps: Vec<ChangeId>,
    /// The author first, then the others in rising order.
    pub(super) actors: Vec<&'a [u8]>,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) columns: ColumnBytes<'a>,
}

impl<'a> Chunk<'a> {
    /// Reads exactly one plain change chunk.
    ///
    /// # Errors
    /// The first rule of the frame that it breaks.
    pub(super) fn read(raw: &'a [u8]) -> Result<Self, Refusal> {
        let (checksum, mut body) = open(raw)?;
        let deps = read_deps(&mut body)?;
        let author = read_actor(&mut body)?;
        let seq = body.unsigned()?;
        let start_op = body.unsigned()?;
        let time = body.signed()?;
        if time.unsigned_abs() > CHANGE_TIME_MAX.unsigned_abs() {
            return Err(Refusal::TimeOutOfRange);
        }
        if start_op == 0 || start_op > OP_NUMBER_MAX {
            return Err(Refusal::OpNumberOutOfRange);
        }
        let message_bytes = body.count(MESSAGE_BYTES_MAX, Refusal::MessageTooLong)?;
        body.text(message_bytes)?;
        let actors = read_actors(&mut body, author)?;
        let columns = read_columns(&mut body)?;
        if !body.is_empty() && !is_off(Guard::GateFooter) {
            return Err(Refusal::ExtraBytes);
        }
        Ok(Self {
            checksum,
            deps,
            actors,
            seq,
            start_op,
            columns,
        })
    }
}

/// The checksum and the body of the one change chunk that `raw` is.
fn open(raw: &[u8]) -> Result<([u8; 4], Bytes<'_>), Refusal> {
    if raw.len() > CHANGE_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let mut input = Bytes(raw);
    if input.take(MAGIC.len())? != MAGIC {
        return Err(Refusal::NotAChunk);
    }
    let checksum = input.take(4)?.try_into().map_err(|_| Refusal::Truncated)?;
    match input.byte()? {
        0 => return Err(Refusal::DocumentChunk),
        1 => {}
        2 => return Err(Refusal::DeflatedChunk),
        3 => return Err(Refusal::BundleChunk),
        _ => return Err(Refusal::UnknownChunk),
    }
    let length = input.count(usize::MAX, Refusal::Truncated)?;
    let body = Bytes(input.take(length)?);
    if input.is_empty() {
        Ok((checksum, body))
    } else {
        Err(Refusal::TrailingBytes)
    }
}

fn read_deps(body: &mut Bytes<'_>) -> Result<Vec<ChangeId>, Refusal> {
    let count = body.count(CHANGE_DEPS_MAX, Refusal::TooManyDeps)?;
    let mut deps: Vec<ChangeId> = Vec::with_capacity(count);
    for _ in 0..count {
        let dep = ChangeId(
            body.take(ChangeId::SIZE)?
                .try_into()
                .map_err(|_| Refusal::Truncated)?,
        );
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(Refusal::DepsNotSorted);
        }
        deps.push(dep);
    }
    Ok(deps)
}

fn read_actor<'a>(body: &mut Bytes<'a>) -> Result<&'a [u8], Refusal> {
    let length = body.count(usize::MAX, Refusal::Truncated)?;
    body.take(length)
}

fn read_actors<'a>(body: &mut Bytes<'a>, author: &'a [u8]) -> Result<Vec<&'a [u8]>, Refusal> {
    let count = body.count(CHANGE_ACTORS_MAX, Refusal::TooManyActors)?;
    let mut actors = Vec::with_capacity(count.saturating_add(1));
    actors.push(author);
    for place in 0..count {
        let actor = read_actor(body)?;
        // The author stands first and outside of the order of the others.
        let rising = place == 0 || actors.last().is_some_and(|last| *last < actor);
        if !rising || actor == author {
            return Err(Refusal::ActorsNotSorted);
        }
        actors.push(actor);
    }
    Ok(actors)
}

fn read_columns<'a>(body: &mut Bytes<'a>) -> Result<ColumnBytes<'a>, Refusal> {
    const DEFLATED: u32 = 8;
    let count = body.count(64, Refusal::ColumnUnknown)?;
    let mut heads: Vec<(u32, usize)> = Vec::with_capacity(count);
    for _ in 0..count {
        let kind = u32::try_from(body.unsigned()?).map_err(|_| Refusal::ColumnUnknown)?;
        if kind & DEFLATED != 0 {
            return Err(Refusal::ColumnDeflated);
        }
        let length = body.count(usize::MAX, Refusal::Truncated)?;
        if heads.last().is_some_and(|(last, _)| *last >= kind) {
            return Err(Refusal::ColumnsNotSorted);
        }
        // Automerge's writer leaves empty columns out.
        if length == 0 {
            return Err(Refusal::ColumnNotCanonical);
        }
        heads.push((kind, length));
    }
    let mut columns = ColumnBytes::default();
    for (kind, length) in heads {
        let bytes = body.take(length)?;
        // A column's kind is its number times sixteen, plus the type of what it holds.
        let column = match kind {
            0x01 => &mut columns.object_actor,
            0x02 => &mut columns.object_number,
            0x11 => &mut columns.key_actor,
            0x13 => &mut columns.key_number,
            0x15 => &mut columns.key_text,
            0x34 => &mut columns.insert,
            0x42 => &mut columns.action,
            0x56 => &mut columns.value_kind,
            0x57 => &mut columns.value,
            0x70 => &mut columns.pred_count,
            0x71 => &mut columns.pred_actor,
            0x73 => &mut columns.pred_number,
            0x94 => &mut columns.expand,
            0xa5 => &mut columns.mark_name,
            _ => return Err(Refusal::ColumnUnknown),
        };
        *column = bytes;
    }
    Ok(columns)
}

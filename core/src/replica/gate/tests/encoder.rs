//! Writes change chunks, right or wrong in whatever way a test asks for. Shares no code with the gate.

use sha2::{Digest, Sha256};

/// A change in parts; `bytes` puts it together, with the right checksum and length.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) chunk_type: u8,
    pub(super) deps: Vec<[u8; 32]>,
    pub(super) actor: Vec<u8>,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) time: i64,
    pub(super) message: Vec<u8>,
    pub(super) others: Vec<Vec<u8>>,
    /// Kind and bytes of each column.
    pub(super) columns: Vec<(u32, Vec<u8>)>,
    pub(super) extra: Vec<u8>,
}

/// An operation as the encoder takes it; ids are (number, place of the actor).
#[derive(Debug, Clone)]
pub(super) struct Op {
    pub(super) object: Option<(u64, u64)>,
    pub(super) key: Key,
    pub(super) insert: bool,
    pub(super) action: u64,
    /// The value's meta number and bytes.
    pub(super) value: (u64, Vec<u8>),
    pub(super) preds: Vec<(u64, u64)>,
    pub(super) expand: bool,
    pub(super) mark_name: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Key {
    Text(String),
    Head,
    Element(u64, u64),
}

impl Op {
    /// Puts the integer 1 under a key of the root.
    pub(super) fn put(key: &str) -> Self {
        Self {
            object: None,
            key: Key::Text(key.to_owned()),
            insert: false,
            action: 1,
            value: (0x14, vec![1]),
            preds: Vec::new(),
            expand: false,
            mark_name: None,
        }
    }

    /// Inserts the text "x" into a list or text.
    pub(super) fn insert(object: (u64, u64), key: Key) -> Self {
        Self {
            object: Some(object),
            key,
            insert: true,
            value: (0x16, b"x".to_vec()),
            ..Self::put("")
        }
    }
}

pub(super) fn unsigned(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

pub(super) fn signed(mut value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [unsigned(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A run-length encoded column; empty if all cells are.
fn runs(cells: &[Option<Vec<u8>>]) -> Vec<u8> {
    if cells.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut at = 0;
    while at < cells.len() {
        let same = cells[at..].iter().take_while(|cell| **cell == cells[at]).count();
        match &cells[at] {
            None => {
                out.extend(signed(0));
                out.extend(unsigned(same as u64));
                at += same;
            }
            Some(value) if same > 1 => {
                out.extend(signed(same as i64));
                out.extend(value);
                at += same;
            }
            Some(_) => {
                let mut end = at;
                while end < cells.len()
                    && cells[end].is_some()
                    && (end + 1 == cells.len() || cells[end + 1] != cells[end])
                {
                    end += 1;
                }
                out.extend(signed(-((end - at) as i64)));
                cells[at..end]
                    .iter()
                    .flatten()
                    .for_each(|value| out.extend(value));
                at = end;
            }
        }
    }
    out
}

fn numbers(cells: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    runs(&cells.map(|cell| cell.map(unsigned)).collect::<Vec<_>>())
}

fn deltas(cells: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    let mut last = 0_i64;
    let cells: Vec<_> = cells
        .map(|cell| {
            cell.map(|value| {
                let delta = (value as i64).wrapping_sub(last);
                last = value as i64;
                signed(delta)
            })
        })
        .collect();
    runs(&cells)
}

fn flags(cells: impl Iterator<Item = bool>) -> Vec<u8> {
    let (mut out, mut value, mut count) = (Vec::new(), false, 0_u64);
    for cell in cells {
        if cell != value {
            out.extend(unsigned(count));
            (value, count) = (cell, 0);
        }
        count += 1;
    }
    if count > 0 {
        out.extend(unsigned(count));
    }
    out
}

fn text_cells<'a>(cells: impl Iterator<Item = Option<&'a str>>) -> Vec<u8> {
    runs(
        &cells
            .map(|cell| cell.map(|text| sized(text.as_bytes())))
            .collect::<Vec<_>>(),
    )
}

/// The columns of operations, as Automerge's writer makes them.
pub(super) fn columns(ops: &[Op]) -> Vec<(u32, Vec<u8>)> {
    let preds = || ops.iter().flat_map(|op| op.preds.iter());
    let element = |op: &Op| match op.key {
        Key::Element(number, actor) => Some((number, actor)),
        Key::Text(_) | Key::Head => None,
    };
    let key_number = |op: &Op| match op.key {
        Key::Element(number, _) => Some(number),
        Key::Head => Some(0),
        Key::Text(_) => None,
    };
    let key_text = |op: &'_ Op| match &op.key {
        Key::Text(text) => Some(text.clone()),
        Key::Head | Key::Element(..) => None,
    };
    let texts: Vec<Option<String>> = ops.iter().map(key_text).collect();
    let all = vec![
        (0x01, numbers(ops.iter().map(|op| op.object.map(|id| id.1)))),
        (0x02, numbers(ops.iter().map(|op| op.object.map(|id| id.0)))),
        (0x11, numbers(ops.iter().map(|op| element(op).map(|id| id.1)))),
        (0x13, deltas(ops.iter().map(key_number))),
        (0x15, text_cells(texts.iter().map(Option::as_deref))),
        (0x34, flags(ops.iter().map(|op| op.insert))),
        (0x42, numbers(ops.iter().map(|op| Some(op.action)))),
        (0x56, numbers(ops.iter().map(|op| Some(op.value.0)))),
        (0x57, ops.iter().flat_map(|op| op.value.1.clone()).collect()),
        (0x70, numbers(ops.iter().map(|op| Some(op.preds.len() as u64)))),
        (0x71, numbers(preds().map(|id| Some(id.1)))),
        (0x73, deltas(preds().map(|id| Some(id.0)))),
        (
            0x94,
            if ops.iter().any(|op| op.expand) {
                flags(ops.iter().map(|op| op.expand))
            } else {
                vec![]
            },
        ),
        (0xa5, text_cells(ops.iter().map(|op| op.mark_name.as_deref()))),
    ];
    all.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
}

impl Draft {
    /// The contents of the chunk.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = unsigned(self.deps.len() as u64);
        self.deps.iter().for_each(|dep| body.extend(dep));
        body.extend(sized(&self.actor));
        body.extend(unsigned(self.seq));
        body.extend(unsigned(self.start_op));
        body.extend(signed(self.time));
        body.extend(sized(&self.message));
        body.extend(unsigned(self.others.len() as u64));
        self.others.iter().for_each(|other| body.extend(sized(other)));
        body.extend(unsigned(self.columns.len() as u64));
        for (kind, bytes) in &self.columns {
            body.extend(unsigned(u64::from(*kind)));
            body.extend(unsigned(bytes.len() as u64));
        }
        self.columns.iter().for_each(|(_, bytes)| body.extend(bytes));
        body.extend(&self.extra);
        body
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        seal(self.chunk_type, &self.body())
    }
}

/// A chunk around these contents, with the right checksum.
pub(super) fn seal(chunk_type: u8, body: &[u8]) -> Vec<u8> {
    let inner = [vec![chunk_type], sized(body)].concat();
    let hash = Sha256::digest(&inner);
    [&[0x85, 0x6f, 0x4a, 0x83], &hash[..4], &inner].concat()
}

/// Where the contents of a chunk begin.
pub(super) fn body_start(chunk: &[u8]) -> usize {
    9 + chunk[9..].iter().take_while(|byte| **byte & 0x80 != 0).count() + 1
}

/// The hash of a chunk.
pub(super) fn hash(chunk: &[u8]) -> [u8; 32] {
    Sha256::digest(&chunk[8..]).into()
}

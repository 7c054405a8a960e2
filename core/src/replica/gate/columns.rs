//! Columns of values, row by row. A column has exactly one canonical form, the one that Automerge's writer makes; any
//! other is refused, because Automerge writes the columns anew when it saves a document and then finds another hash.
//! Memory never grows with a count that a column claims, only with its bytes.

use super::bytes::Bytes;
use super::refusal::Refusal;

/// What a run-length encoded column holds.
pub(super) trait Cell<'a>: Copy + PartialEq {
    fn read(bytes: &mut Bytes<'a>) -> Result<Self, Refusal>;
}

impl<'a> Cell<'a> for u64 {
    fn read(bytes: &mut Bytes<'a>) -> Result<Self, Refusal> {
        bytes.unsigned()
    }
}

impl<'a> Cell<'a> for i64 {
    fn read(bytes: &mut Bytes<'a>) -> Result<Self, Refusal> {
        bytes.signed()
    }
}

impl<'a> Cell<'a> for &'a str {
    fn read(bytes: &mut Bytes<'a>) -> Result<Self, Refusal> {
        let length = bytes.count(usize::MAX, Refusal::Truncated)?;
        bytes.text(length)
    }
}

/// What came last, which decides what may canonically follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    /// Nothing yet.
    Start,
    /// One value several times.
    Repeat,
    /// Different values, one after the other.
    Literal,
    /// Empty cells.
    Empty,
}

/// A run-length encoded column. A column of empty cells only is left out whole.
#[derive(Debug)]
pub(super) struct RunColumn<'a, T> {
    bytes: Bytes<'a>,
    left_out: bool,
    run: Run,
    left: u64,
    last: Option<T>,
}

impl<'a, T: Cell<'a>> RunColumn<'a, T> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: Bytes(bytes),
            left_out: bytes.is_empty(),
            run: Run::Start,
            left: 0,
            last: None,
        }
    }

    /// The next row: a value, or an empty cell.
    pub(super) fn next(&mut self) -> Result<Option<T>, Refusal> {
        if self.left_out {
            return Ok(None);
        }
        if self.left == 0 {
            self.begin_run()?;
        } else if self.run == Run::Literal {
            self.read_different()?;
        }
        self.left = self.left.saturating_sub(1);
        Ok(if self.run == Run::Empty { None } else { self.last })
    }

    /// The next row, where no cell may be empty.
    pub(super) fn next_value(&mut self) -> Result<T, Refusal> {
        self.next()?.ok_or(Refusal::ColumnLengthsDiffer)
    }

    /// Whether all rows were read.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.bytes.is_empty()
    }

    fn begin_run(&mut self) -> Result<(), Refusal> {
        if self.bytes.is_empty() {
            return Err(Refusal::ColumnLengthsDiffer);
        }
        let count = self.bytes.signed()?;
        let before = std::mem::replace(&mut self.run, Run::Start);
        if count > 1 {
            self.read_different()?;
            self.run = Run::Repeat;
        } else if count < 0 && before != Run::Literal {
            self.read_different()?;
            self.run = Run::Literal;
        } else if count == 0 && before != Run::Empty {
            self.left = self.bytes.unsigned()?;
            self.run = Run::Empty;
            self.last = None;
            // All rows empty: the column would have been left out.
            let only_empty = before == Run::Start && self.bytes.is_empty();
            return if self.left == 0 || only_empty {
                Err(Refusal::ColumnNotCanonical)
            } else {
                Ok(())
            };
        } else {
            return Err(Refusal::ColumnNotCanonical);
        }
        self.left = count.unsigned_abs();
        Ok(())
    }

    /// Reads a value that differs from the one before it; else both would stand in one run.
    fn read_different(&mut self) -> Result<(), Refusal> {
        let value = T::read(&mut self.bytes)?;
        if self.last == Some(value) {
            return Err(Refusal::ColumnNotCanonical);
        }
        self.last = Some(value);
        Ok(())
    }
}

/// A column of numbers, each kept as the difference from the one before.
#[derive(Debug)]
pub(super) struct DeltaColumn<'a> {
    deltas: RunColumn<'a, i64>,
    last: i64,
}

impl<'a> DeltaColumn<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            deltas: RunColumn::new(bytes),
            last: 0,
        }
    }

    /// The next row: a number that is not negative, or an empty cell.
    pub(super) fn next(&mut self) -> Result<Option<u64>, Refusal> {
        let Some(delta) = self.deltas.next()? else {
            return Ok(None);
        };
        self.last = self.last.checked_add(delta).ok_or(Refusal::IdMalformed)?;
        u64::try_from(self.last)
            .map(Some)
            .map_err(|_| Refusal::IdMalformed)
    }

    pub(super) fn is_done(&self) -> bool {
        self.deltas.is_done()
    }
}

/// A column of yes and no: counts of each in turn, beginning with no.
#[derive(Debug)]
pub(super) struct FlagColumn<'a> {
    bytes: Bytes<'a>,
    left_out: bool,
    begun: bool,
    value: bool,
    left: u64,
}

impl<'a> FlagColumn<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes: Bytes(bytes),
            left_out: bytes.is_empty(),
            begun: false,
            value: true,
            left: 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<bool, Refusal> {
        if self.left_out {
            return Ok(false);
        }
        while self.left == 0 {
            if self.bytes.is_empty() {
                return Err(Refusal::ColumnLengthsDiffer);
            }
            self.left = self.bytes.unsigned()?;
            self.value = !self.value;
            // Only the very first count, of no, may be zero.
            if self.left == 0 && self.begun {
                return Err(Refusal::ColumnNotCanonical);
            }
            self.begun = true;
        }
        self.left = self.left.saturating_sub(1);
        Ok(self.value)
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.bytes.is_empty()
    }
}

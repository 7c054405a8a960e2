//! The operations of a change, row by row, and the rules that each must hold by itself: those that need no past.

use super::bytes::Bytes;
use super::chunk::Chunk;
use super::columns::{DeltaColumn, FlagColumn, RunColumn};
use super::refusal::{
    CHANGE_MARKS_MAX, CHANGE_OPS_MAX, CHANGE_PREDS_MAX, COUNTER_START_MAX, COUNTER_STEP_MAX, OP_NUMBER_MAX,
    Refusal,
};

/// The id of an operation. Who its actor is depends on the table it was read with or brought into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpId {
    /// The actor's place in a table of actors.
    pub(super) actor: u32,
    /// The number of the operation.
    pub(super) number: u32,
}

/// What an operation is filed under in its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// A key of a map.
    Text(&'a str),
    /// The place before the first element of a list or text.
    Head,
    /// An element of a list or text.
    Element(OpId),
}

/// A kind of object that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Map,
    List,
    Text,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Make(ObjectKind),
    /// Writes a value that is no counter.
    Put,
    PutCounter,
    Delete,
    Increment,
    MarkBegin,
    MarkEnd,
}

/// Whether an operation makes a new element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insertion {
    /// It comes after the element that its key names.
    New,
    /// It is about what its key names.
    None,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The object it is about; none is the root.
    pub(super) object: Option<OpId>,
    pub(super) key: Key<'a>,
    pub(super) insertion: Insertion,
    pub(super) action: Action,
    /// How many predecessors it has, in [`Rows::preds`].
    pub(super) preds: u32,
}

/// All operations of a change.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    pub(super) rows: Vec<Row<'a>>,
    /// The predecessors of all rows, one row after the other.
    pub(super) preds: Vec<OpId>,
}

impl<'a> Rows<'a> {
    /// Reads and checks the operations of `chunk`. The actors in them are places in its table.
    ///
    /// # Errors
    /// The first rule of columns or operations that it breaks.
    pub(super) fn read(chunk: &Chunk<'a>) -> Result<Self, Refusal> {
        let mut reader = Reader::new(chunk);
        let mut rows = Self::default();
        let mut marks = 0_usize;
        let mut open_mark = None;
        while !reader.action.is_done() {
            if rows.rows.len() >= CHANGE_OPS_MAX {
                return Err(Refusal::TooManyOps);
            }
            let row = reader.next(&mut rows.preds)?;
            if matches!(row.action, Action::MarkBegin | Action::MarkEnd) {
                marks = marks.saturating_add(1);
            }
            open_mark = pair_marks(open_mark, &row)?;
            rows.rows.push(row);
        }
        if open_mark.is_some() {
            return Err(Refusal::MarkUnpaired);
        }
        if marks > CHANGE_MARKS_MAX {
            return Err(Refusal::TooManyMarks);
        }
        reader.finish()?;
        let last_op = chunk
            .start_op
            .saturating_add(u64::try_from(rows.rows.len()).unwrap_or(u64::MAX));
        if last_op > OP_NUMBER_MAX {
            Err(Refusal::OpNumberOutOfRange)
        } else {
            Ok(rows)
        }
    }
}

/// A mark's end directly follows its begin, in the same object: that is how Automerge finds them.
fn pair_marks(open: Option<Option<OpId>>, row: &Row<'_>) -> Result<Option<Option<OpId>>, Refusal> {
    match (open, row.action) {
        (None, Action::MarkBegin) => Ok(Some(row.object)),
        (Some(object), Action::MarkEnd) if object == row.object => Ok(None),
        (Some(_), _) | (None, Action::MarkEnd) => Err(Refusal::MarkUnpaired),
        (None, _) => Ok(None),
    }
}

/// Reads all columns in step.
struct Reader<'a> {
    actors_used: Vec<bool>,
    object_actor: RunColumn<'a, u64>,
    object_number: RunColumn<'a, u64>,
    key_actor: RunColumn<'a, u64>,
    key_number: DeltaColumn<'a>,
    key_text: RunColumn<'a, &'a str>,
    insert: FlagColumn<'a>,
    action: RunColumn<'a, u64>,
    value_kind: RunColumn<'a, u64>,
    value: Bytes<'a>,
    pred_count: RunColumn<'a, u64>,
    pred_actor: RunColumn<'a, u64>,
    pred_number: DeltaColumn<'a>,
    expand: FlagColumn<'a>,
    expands: bool,
    expand_left_out: bool,
    insert_left_out: bool,
    mark_name: RunColumn<'a, &'a str>,
}

impl<'a> Reader<'a> {
    fn new(chunk: &Chunk<'a>) -> Self {
        let columns = &chunk.columns;
        let mut actors_used = vec![false; chunk.actors.len()];
        // The author needs no operation that names it.
        if let Some(author) = actors_used.first_mut() {
            *author = true;
        }
        Self {
            actors_used,
            object_actor: RunColumn::new(columns.object_actor),
            object_number: RunColumn::new(columns.object_number),
            key_actor: RunColumn::new(columns.key_actor),
            key_number: DeltaColumn::new(columns.key_number),
            key_text: RunColumn::new(columns.key_text),
            insert: FlagColumn::new(columns.insert),
            action: RunColumn::new(columns.action),
            value_kind: RunColumn::new(columns.value_kind),
            value: Bytes(columns.value),
            pred_count: RunColumn::new(columns.pred_count),
            pred_actor: RunColumn::new(columns.pred_actor),
            pred_number: DeltaColumn::new(columns.pred_number),
            expand: FlagColumn::new(columns.expand),
            expands: false,
            expand_left_out: columns.expand.is_empty(),
            insert_left_out: columns.insert.is_empty(),
            mark_name: RunColumn::new(columns.mark_name),
        }
    }

    fn next(&mut self, preds: &mut Vec<OpId>) -> Result<Row<'a>, Refusal> {
        // Unlike the expansion, this column is there even when it says no throughout.
        if self.insert_left_out {
            return Err(Refusal::ColumnLengthsDiffer);
        }
        let object = match (self.object_actor.next()?, self.object_number.next()?) {
            (None, None) => None,
            (Some(actor), Some(number)) => Some(self.op_id(actor, number)?),
            (Some(_), None) | (None, Some(_)) => return Err(Refusal::IdMalformed),
        };
        let key = match (
            self.key_actor.next()?,
            self.key_number.next()?,
            self.key_text.next()?,
        ) {
            (None, None, Some(text)) => Key::Text(text),
            (None, Some(0), None) => Key::Head,
            (Some(actor), Some(number), None) => Key::Element(self.op_id(actor, number)?),
            _ => return Err(Refusal::KeyMalformed),
        };
        let insertion = if self.insert.next()? {
            Insertion::New
        } else {
            Insertion::None
        };
        let code = self.action.next_value()?;
        let value = self.next_value()?;
        let expand = self.expand.next()?;
        self.expands |= expand;
        let mark_name = self.mark_name.next()?;
        let action = action_of(code, value, mark_name)?;
        if (expand || mark_name.is_some()) && !matches!(action, Action::MarkBegin | Action::MarkEnd) {
            return Err(Refusal::MarkMisplaced);
        }
        let pred_count = self.next_preds(preds)?;
        let row = Row {
            object,
            key,
            insertion,
            action,
            preds: pred_count,
        };
        check_shape(&row)?;
        Ok(row)
    }

    fn op_id(&mut self, actor: u64, number: u64) -> Result<OpId, Refusal> {
        let place = usize::try_from(actor).map_err(|_| Refusal::ActorUnknown)?;
        *self.actors_used.get_mut(place).ok_or(Refusal::ActorUnknown)? = true;
        if number == 0 || number > OP_NUMBER_MAX {
            return Err(Refusal::IdMalformed);
        }
        let actor = u32::try_from(actor).map_err(|_| Refusal::ActorUnknown)?;
        let number = u32::try_from(number).map_err(|_| Refusal::IdMalformed)?;
        Ok(OpId { actor, number })
    }

    fn next_preds(&mut self, preds: &mut Vec<OpId>) -> Result<u32, Refusal> {
        let count = self.pred_count.next_value()?;
        let mut last: Option<OpId> = None;
        for _ in 0..count {
            if preds.len() >= CHANGE_PREDS_MAX {
                return Err(Refusal::TooManyPreds);
            }
            let (Some(actor), Some(number)) = (self.pred_actor.next()?, self.pred_number.next()?) else {
                return Err(Refusal::ColumnLengthsDiffer);
            };
            let pred = self.op_id(actor, number)?;
            // By number here; by actor only the table tells, see `judge`.
            if last.is_some_and(|last| last.number > pred.number || last == pred) {
                return Err(Refusal::PredsNotSorted);
            }
            last = Some(pred);
            preds.push(pred);
        }
        u32::try_from(count).map_err(|_| Refusal::TooManyPreds)
    }

    fn next_value(&mut self) -> Result<Value, Refusal> {
        let kind = self.value_kind.next_value()?;
        let length = usize::try_from(kind >> 4).map_err(|_| Refusal::ValueMalformed)?;
        let mut bytes = Bytes(self.value.take(length).map_err(|_| Refusal::ValueMalformed)?);
        let value = match kind & 15 {
            0 if kind == 0 => Value::Null,
            1 | 2 => Value::Other,
            3 => {
                bytes.unsigned().map_err(|_| Refusal::ValueMalformed)?;
                Value::Other
            }
            4 => Value::Integer(bytes.signed().map_err(|_| Refusal::ValueMalformed)?),
            5 => {
                bytes.take(8).map_err(|_| Refusal::ValueMalformed)?;
                Value::Other
            }
            6 => {
                bytes.text(length).map_err(|_| Refusal::ValueMalformed)?;
                Value::Other
            }
            7 => {
                bytes = Bytes(&[]);
                Value::Other
            }
            8 => Value::Counter(bytes.signed().map_err(|_| Refusal::ValueMalformed)?),
            9 => {
                bytes.signed().map_err(|_| Refusal::ValueMalformed)?;
                Value::Other
            }
            0 => return Err(Refusal::ValueMalformed),
            _ => return Err(Refusal::ValueUnknown),
        };
        if bytes.is_empty() {
            Ok(value)
        } else {
            Err(Refusal::ValueMalformed)
        }
    }

    /// Nothing may be left in any column, and every actor of the table must have been named.
    fn finish(&self) -> Result<(), Refusal> {
        let done = self.object_actor.is_done()
            && self.object_number.is_done()
            && self.key_actor.is_done()
            && self.key_number.is_done()
            && self.key_text.is_done()
            && self.insert.is_done()
            && self.value_kind.is_done()
            && self.value.is_empty()
            && self.pred_count.is_done()
            && self.pred_actor.is_done()
            && self.pred_number.is_done()
            && self.expand.is_done()
            && self.mark_name.is_done();
        if !done {
            return Err(Refusal::ColumnLengthsDiffer);
        }
        if !self.expands && !self.expand_left_out {
            return Err(Refusal::ColumnNotCanonical);
        }
        if self.actors_used.iter().all(|used| *used) {
            Ok(())
        } else {
            Err(Refusal::ActorUnused)
        }
    }
}

/// As much of a value as the rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Null,
    Integer(i64),
    Counter(i64),
    Other,
}

/// What the code of an action, its value and a mark's name make together.
fn action_of(code: u64, value: Value, mark_name: Option<&str>) -> Result<Action, Refusal> {
    let (action, takes) = match (code, value) {
        (0, _) => (Action::Make(ObjectKind::Map), value == Value::Null),
        (1, Value::Counter(start)) => {
            if start.unsigned_abs() > COUNTER_START_MAX.unsigned_abs() {
                return Err(Refusal::CounterOutOfRange);
            }
            (Action::PutCounter, true)
        }
        (1, _) => (Action::Put, true),
        (2, _) => (Action::Make(ObjectKind::List), value == Value::Null),
        (3, _) => (Action::Delete, value == Value::Null),
        (4, _) => (Action::Make(ObjectKind::Text), value == Value::Null),
        (5, Value::Integer(step)) => {
            if step.unsigned_abs() > COUNTER_STEP_MAX.unsigned_abs() {
                return Err(Refusal::CounterOutOfRange);
            }
            (Action::Increment, true)
        }
        (5, _) => (Action::Increment, false),
        (6, _) => return Err(Refusal::TableMade),
        (7, _) if mark_name.is_some() => (Action::MarkBegin, true),
        (7, _) => (Action::MarkEnd, value == Value::Null),
        _ => return Err(Refusal::ActionUnknown),
    };
    if takes {
        Ok(action)
    } else {
        Err(Refusal::ValueMisplaced)
    }
}

/// The rules between action, key, insertion and number of predecessors.
fn check_shape(row: &Row<'_>) -> Result<(), Refusal> {
    let is_mark = matches!(row.action, Action::MarkBegin | Action::MarkEnd);
    match row.insertion {
        Insertion::New => {
            let in_map = matches!(row.key, Key::Text(_));
            if in_map || matches!(row.action, Action::Delete | Action::Increment) {
                return Err(Refusal::InsertMisplaced);
            }
            if row.preds != 0 {
                return Err(Refusal::InsertWithPreds);
            }
        }
        Insertion::None if is_mark => return Err(Refusal::InsertMisplaced),
        Insertion::None => {
            if row.key == Key::Head {
                return Err(Refusal::HeadNotInserted);
            }
            let replaces = matches!(row.key, Key::Element(_))
                || matches!(row.action, Action::Delete | Action::Increment);
            if replaces && row.preds == 0 {
                return Err(Refusal::PredsMissing);
            }
        }
    }
    Ok(())
}

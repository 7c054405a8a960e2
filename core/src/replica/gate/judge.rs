//! Judges the operations of a change against its own past: what they name must be there, and be what they take it for.
//!
//! Only the causal past counts. What the document holds beside it, concurrent to the change, is never looked at, so that
//! every replica comes to the same verdict.

use std::cmp::Ordering;

use super::chunk::Chunk;
use super::order::{Elements, precedes};
use super::past::{Made, Past, Place, Run, Stand, find_run, runs_of};
use super::refusal::{MARK_STEPS_MAX, OBJECT_DEPTH_MAX, Refusal};
use super::rows::{Action, Insertion, Key, ObjectKind, OpId, Row, Rows};

/// A change and its past.
pub(super) struct Judge<'a> {
    past: &'a Past,
    rows: &'a Rows<'a>,
    /// The actors of the change: author first.
    actors: &'a [&'a [u8]],
    /// Their numbers in the past; the author gets one even when it is new.
    numbers: Vec<u32>,
    /// The last operation of each that is in the change's past.
    limits: Vec<u32>,
    start_op: u32,
    /// The change's own operations.
    runs: Vec<Run<&'a str>>,
    mark_steps: usize,
}

/// What a named operation turned out to be.
struct Found<'a> {
    object: Option<OpId>,
    stand: Stand<&'a str>,
    made: Made,
}

impl<'a> Judge<'a> {
    pub(super) fn new(past: &'a Past, chunk: &'a Chunk<'a>, rows: &'a Rows<'a>, start_op: u32) -> Self {
        let newcomer = u32::try_from(past.actors.len()).unwrap_or(u32::MAX);
        let number = |(place, id): (usize, &&[u8])| {
            let unknown = if place == 0 { newcomer } else { u32::MAX };
            past.actor_named(id).unwrap_or(unknown)
        };
        let numbers: Vec<u32> = chunk.actors.iter().enumerate().map(number).collect();
        let limits = numbers.iter().map(|actor| limit(past, chunk, *actor)).collect();
        let author = numbers.first().copied().unwrap_or(newcomer);
        let runs = runs_of(rows, start_op, author, &numbers);
        Self {
            past,
            rows,
            actors: &chunk.actors,
            numbers,
            limits,
            start_op,
            runs,
            mark_steps: MARK_STEPS_MAX,
        }
    }

    /// Judges every operation.
    ///
    /// # Errors
    /// The first rule that one breaks.
    pub(super) fn judge(&mut self) -> Result<(), Refusal> {
        let rows = self.rows;
        let mut preds = rows.preds.as_slice();
        let mut number = self.start_op;
        let mut before: Option<&Row<'_>> = None;
        for row in &rows.rows {
            let count = usize::try_from(row.preds).map_err(|_| Refusal::TooManyPreds)?;
            let (own, rest) = preds
                .split_at_checked(count)
                .ok_or(Refusal::ColumnLengthsDiffer)?;
            preds = rest;
            if !self.continues(before, row, number) {
                self.judge_row(row, number)?;
            }
            self.judge_preds(row, own, number)?;
            if row.action == Action::MarkEnd {
                self.judge_mark(before, row, number)?;
            }
            before = Some(row);
            number = number.saturating_add(1);
        }
        Ok(())
    }

    /// Typing: an insertion directly after the one just judged, in the same object. Its object and element are known.
    fn continues(&self, before: Option<&Row<'_>>, row: &Row<'_>, number: u32) -> bool {
        let last = OpId {
            actor: 0,
            number: number.saturating_sub(1),
        };
        before.is_some_and(|before| {
            before.insertion == Insertion::New
                && row.insertion == Insertion::New
                && matches!(before.action, Action::Put | Action::PutCounter)
                && matches!(row.action, Action::Put | Action::PutCounter)
                && before.object == row.object
                && row.key == Key::Element(last)
        })
    }

    fn judge_row(&self, row: &Row<'_>, number: u32) -> Result<(), Refusal> {
        let object = match row.object {
            None => ObjectKind::Map,
            Some(id) => match self.find(id, number).ok_or(Refusal::ObjectUnknown)?.made {
                Made::Object(kind) => kind,
                Made::Value | Made::Counter | Made::Mark => return Err(Refusal::NotAnObject),
            },
        };
        if matches!(row.action, Action::Make(_)) {
            self.judge_depth(row.object)?;
        }
        let is_mark = matches!(row.action, Action::MarkBegin | Action::MarkEnd);
        if is_mark && object != ObjectKind::Text {
            return Err(Refusal::MarkOutsideText);
        }
        if object == ObjectKind::Text && row.action == Action::Increment {
            return Err(Refusal::IncrementInText);
        }
        match (object, row.key) {
            (ObjectKind::Map, Key::Text(_)) | (ObjectKind::List | ObjectKind::Text, Key::Head) => Ok(()),
            (ObjectKind::Map, Key::Head | Key::Element(_))
            | (ObjectKind::List | ObjectKind::Text, Key::Text(_)) => Err(Refusal::KeyWrongType),
            (ObjectKind::List | ObjectKind::Text, Key::Element(id)) => {
                let element = self.find(id, number).ok_or(Refusal::ElementUnknown)?;
                if !matches!(element.stand, Stand::Inserted(_)) {
                    return Err(Refusal::NotAnElement);
                }
                if element.object != row.object.map(|id| self.moved(id)) {
                    return Err(Refusal::ElementElsewhere);
                }
                let over = row.insertion == Insertion::None;
                if over && element.made == Made::Mark {
                    return Err(Refusal::ElementIsMark);
                }
                match row.action {
                    Action::Make(_) if over && object == ObjectKind::Text => Err(Refusal::ObjectInText),
                    Action::Put | Action::PutCounter if over && object == ObjectKind::Text => {
                        Err(Refusal::ValueInText)
                    }
                    Action::Make(_)
                    | Action::Put
                    | Action::PutCounter
                    | Action::Delete
                    | Action::Increment
                    | Action::MarkBegin
                    | Action::MarkEnd => Ok(()),
                }
            }
        }
    }

    /// An object made in `object`, which is known, must not lie too deep.
    fn judge_depth(&self, object: Option<OpId>) -> Result<(), Refusal> {
        let mut above = object.map(|id| self.moved(id));
        for _ in 0..OBJECT_DEPTH_MAX {
            let Some(id) = above else { return Ok(()) };
            let is_own = self.numbers.first() == Some(&id.actor) && id.number >= self.start_op;
            above = if is_own {
                find_run(&self.runs, id.number)
                    .ok_or(Refusal::ObjectUnknown)?
                    .object
            } else {
                let actor = self.past.actor(id.actor).ok_or(Refusal::ObjectUnknown)?;
                find_run(&actor.runs, id.number)
                    .ok_or(Refusal::ObjectUnknown)?
                    .object
            };
        }
        Err(Refusal::TooDeep)
    }

    fn judge_preds(&self, row: &Row<'_>, preds: &[OpId], number: u32) -> Result<(), Refusal> {
        let mut last: Option<OpId> = None;
        let mut counters = 0_usize;
        for pred in preds {
            if last.is_some_and(|last| self.compare(last, *pred) != Ordering::Less) {
                return Err(Refusal::PredsNotSorted);
            }
            last = Some(*pred);
            let found = self.find(*pred, number).ok_or(Refusal::PredUnknown)?;
            let same_place = match (row.key, &found.stand) {
                (Key::Text(key), Stand::Under(other)) => key == *other,
                (Key::Element(element), Stand::Inserted(_)) => element == *pred,
                (Key::Element(element), Stand::Over(other)) => self.moved(element) == *other,
                (Key::Text(_) | Key::Head | Key::Element(_), _) => false,
            };
            if !same_place || found.object != row.object.map(|id| self.moved(id)) {
                return Err(Refusal::PredElsewhere);
            }
            match found.made {
                Made::Counter => counters = counters.saturating_add(1),
                Made::Mark => return Err(Refusal::ElementIsMark),
                Made::Object(_) | Made::Value => {}
            }
        }
        if row.action == Action::Increment && counters == 0 {
            return Err(Refusal::CounterMissing);
        }
        Ok(())
    }

    /// A mark's end must stand after its begin, wherever concurrent insertions go.
    fn judge_mark(&mut self, begin: Option<&Row<'_>>, end: &Row<'_>, number: u32) -> Result<(), Refusal> {
        let begin_id = OpId {
            actor: 0,
            number: number.saturating_sub(1),
        };
        let begin = begin.ok_or(Refusal::MarkUnpaired)?;
        let ordered = match (begin.key, end.key) {
            // Directly after the begin: a mark that holds nothing yet.
            (_, Key::Element(after)) if after == begin_id => true,
            (Key::Head, Key::Element(_)) => true,
            (Key::Element(before), Key::Element(after)) => {
                // Both were inserted last, so each stands at once behind the element it names: the begin is before
                // the end exactly if the one element is before the other.
                let (before, after) = (self.moved(before), self.moved(after));
                let mut steps = self.mark_steps;
                let ordered = precedes(self, before, after, &mut steps).ok_or(Refusal::MarksTooCostly)?;
                self.mark_steps = steps;
                ordered
            }
            (Key::Text(_) | Key::Head | Key::Element(_), _) => false,
        };
        if ordered {
            Ok(())
        } else {
            Err(Refusal::MarkEndsBeforeBegin)
        }
    }

    /// The operation `id`, if it is in the change's past or stands in the change before operation `number`.
    fn find(&self, id: OpId, number: u32) -> Option<Found<'_>> {
        if id.actor == 0 && id.number >= self.start_op {
            let run = (id.number < number).then(|| find_run(&self.runs, id.number))??;
            return Some(Found {
                object: run.object,
                stand: run.stand.clone(),
                made: run.made,
            });
        }
        let place = usize::try_from(id.actor).ok()?;
        if id.number > *self.limits.get(place)? {
            return None;
        }
        let run = find_run(&self.past.actor(*self.numbers.get(place)?)?.runs, id.number)?;
        let stand = match run.stand {
            Stand::Inserted(place) => Stand::Inserted(place),
            Stand::Over(element) => Stand::Over(element),
            Stand::Under(key) => Stand::Under(self.past.key_text(key)?),
        };
        Some(Found {
            object: run.object,
            stand,
            made: run.made,
        })
    }

    /// From the change's table into the past's.
    fn moved(&self, id: OpId) -> OpId {
        let actor = usize::try_from(id.actor)
            .ok()
            .and_then(|a| self.numbers.get(a))
            .copied();
        OpId {
            actor: actor.unwrap_or(u32::MAX),
            number: id.number,
        }
    }

    /// The order of two ids in the change's table, as Automerge has it.
    fn compare(&self, one: OpId, other: OpId) -> Ordering {
        let name = |id: OpId| {
            usize::try_from(id.actor)
                .ok()
                .and_then(|a| self.actors.get(a))
                .copied()
        };
        one.number
            .cmp(&other.number)
            .then_with(|| name(one).cmp(&name(other)))
    }
}

impl Elements for Judge<'_> {
    fn run_start(&self, element: OpId) -> Option<(u32, Place)> {
        fn stand<K>(runs: &[Run<K>], number: u32) -> Option<(u32, Place)> {
            let run = find_run(runs, number)?;
            match run.stand {
                Stand::Inserted(place) => Some((run.first, place)),
                Stand::Under(_) | Stand::Over(_) => None,
            }
        }
        let is_own = self.numbers.first() == Some(&element.actor) && element.number >= self.start_op;
        if is_own {
            stand(&self.runs, element.number)
        } else {
            stand(&self.past.actor(element.actor)?.runs, element.number)
        }
    }

    fn compare_ids(&self, one: OpId, other: OpId) -> Ordering {
        let name = |id: OpId| {
            if self.numbers.first() == Some(&id.actor) {
                return self.actors.first().copied();
            }
            self.past.actor(id.actor).map(|actor| &*actor.id)
        };
        one.number
            .cmp(&other.number)
            .then_with(|| name(one).cmp(&name(other)))
    }
}

/// The number of the last operation of `actor` that is in the past of `chunk`.
fn limit(past: &Past, chunk: &Chunk<'_>, actor: u32) -> u32 {
    let nodes = chunk.deps.iter().filter_map(|dep| past.node_of(*dep));
    let seen = nodes.map(|node| {
        if node.actor == actor {
            node.seq
        } else {
            node.clock.seq(actor)
        }
    });
    past.last_op(actor, seen.max().unwrap_or(0))
}

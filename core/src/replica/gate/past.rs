//! What a document's past is kept as: actors, changes with their clocks, and operations in runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rows::{Action, Insertion, Key, ObjectKind, OpId, Rows};
use crate::domain::id::ChangeId;

/// How many entries a clock may differ in from the one it is built on before it is written out anew.
const CLOCK_OVERRIDES_MAX: usize = 16;

/// An element of a list or text, or the place before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Head,
    Element(OpId),
}

/// What can be named of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Object(ObjectKind),
    Value,
    Counter,
    Mark,
}

/// Where a run's operations stand in their object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand<K> {
    /// Each is a new element: the first comes after `Place`, every other after the one before it.
    Inserted(Place),
    /// It is a value under a key of a map.
    Under(K),
    /// It is a value of an element.
    Over(OpId),
}

/// Operations with consecutive numbers that stand together. What can never be named again, deletions and increments,
/// is in no run.
#[derive(Debug, Clone)]
pub(super) struct Run<K> {
    pub(super) first: u32,
    pub(super) count: u32,
    /// The object they are in; none is the root.
    pub(super) object: Option<OpId>,
    pub(super) stand: Stand<K>,
    pub(super) made: Made,
}

impl<K> Run<K> {
    /// The number after the last.
    pub(super) fn end(&self) -> u32 {
        self.first.saturating_add(self.count)
    }
}

/// The run that holds an operation's number, of runs in rising order.
pub(super) fn find_run<K>(runs: &[Run<K>], number: u32) -> Option<&Run<K>> {
    let after = runs.partition_point(|run| run.first <= number);
    let run = runs.get(after.checked_sub(1)?)?;
    (number < run.end()).then_some(run)
}

/// The runs of one change, their actors brought from its table into another.
pub(super) fn runs_of<'a>(rows: &Rows<'a>, start_op: u32, author: u32, table: &[u32]) -> Vec<Run<&'a str>> {
    let moved = |id: OpId| OpId {
        actor: usize::try_from(id.actor)
            .ok()
            .and_then(|a| table.get(a))
            .copied()
            .unwrap_or(u32::MAX),
        number: id.number,
    };
    let mut runs: Vec<Run<&'a str>> = Vec::new();
    let mut number = start_op;
    for row in &rows.rows {
        let made = match row.action {
            Action::Make(kind) => Some(Made::Object(kind)),
            Action::Put => Some(Made::Value),
            Action::PutCounter => Some(Made::Counter),
            Action::MarkBegin | Action::MarkEnd => Some(Made::Mark),
            Action::Delete | Action::Increment => None,
        };
        if let Some(made) = made {
            let object = row.object.map(moved);
            let stand = match (row.insertion, row.key) {
                (_, Key::Text(text)) => Stand::Under(text),
                (Insertion::New, Key::Element(after)) => Stand::Inserted(Place::Element(moved(after))),
                (Insertion::None, Key::Element(element)) => Stand::Over(moved(element)),
                (_, Key::Head) => Stand::Inserted(Place::Head),
            };
            let before = OpId {
                actor: author,
                number: number.saturating_sub(1),
            };
            let follows = stand == Stand::Inserted(Place::Element(before));
            match runs.last_mut() {
                Some(run)
                    if follows
                        && run.end() == number
                        && run.object == object
                        && run.made == made
                        && matches!(run.stand, Stand::Inserted(_)) =>
                {
                    run.count = run.count.saturating_add(1);
                }
                _ => runs.push(Run {
                    first: number,
                    count: 1,
                    object,
                    stand,
                    made,
                }),
            }
        }
        number = number.saturating_add(1);
    }
    runs
}

/// How far each actor's changes reach into a past: its last number there.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    base: Arc<[u32]>,
    /// In rising order of actor; counts before `base`.
    overrides: Vec<(u32, u32)>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            base: Arc::new([]),
            overrides: Vec::new(),
        }
    }

    pub(super) fn seq(&self, actor: u32) -> u32 {
        if let Ok(place) = self.overrides.binary_search_by_key(&actor, |(actor, _)| *actor) {
            return self.overrides.get(place).map_or(0, |(_, seq)| *seq);
        }
        usize::try_from(actor)
            .ok()
            .and_then(|a| self.base.get(a))
            .copied()
            .unwrap_or(0)
    }

    fn raise(&mut self, actor: u32, seq: u32) {
        if self.seq(actor) >= seq {
            return;
        }
        match self.overrides.binary_search_by_key(&actor, |(actor, _)| *actor) {
            Ok(place) => {
                if let Some(held) = self.overrides.get_mut(place) {
                    held.1 = seq;
                }
            }
            Err(place) => self.overrides.insert(place, (actor, seq)),
        }
    }

    fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        let base = (0_u32..).zip(self.base.iter().copied());
        base.chain(self.overrides.iter().copied())
            .filter(|(_, seq)| *seq > 0)
    }

    fn settle(&mut self, actors: usize) {
        if self.overrides.len() <= CLOCK_OVERRIDES_MAX {
            return;
        }
        let mut base = self.base.to_vec();
        base.resize(actors.max(base.len()), 0);
        for (actor, seq) in self.overrides.drain(..) {
            if let Some(held) = usize::try_from(actor).ok().and_then(|a| base.get_mut(a)) {
                *held = seq;
            }
        }
        self.base = base.into();
    }
}

/// One change of the past.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) actor: u32,
    pub(super) seq: u32,
    /// The number of its last operation; of an empty change, the one before its first.
    pub(super) max_op: u32,
    /// Its past, without itself.
    pub(super) clock: Clock,
}

/// One actor of the past.
#[derive(Debug, Default)]
pub(super) struct Actor {
    pub(super) id: Box<[u8]>,
    /// Places in [`Past::nodes`], by sequence number, from 1.
    pub(super) changes: Vec<u32>,
    pub(super) runs: Vec<Run<u32>>,
}

/// The past.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) nodes: Vec<Node>,
    pub(super) by_id: BTreeMap<ChangeId, u32>,
    pub(super) actors: Vec<Actor>,
    actor_by_id: BTreeMap<Box<[u8]>, u32>,
    key_by_text: BTreeMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

/// What is recorded of a change.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) id: ChangeId,
    pub(super) deps: &'a [ChangeId],
    pub(super) actors: &'a [&'a [u8]],
    pub(super) seq: u32,
    pub(super) start_op: u32,
    pub(super) max_op: u32,
    pub(super) rows: &'a Rows<'a>,
}

impl Past {
    pub(super) fn actor(&self, actor: u32) -> Option<&Actor> {
        self.actors.get(usize::try_from(actor).ok()?)
    }

    pub(super) fn actor_named(&self, id: &[u8]) -> Option<u32> {
        self.actor_by_id.get(id).copied()
    }

    pub(super) fn node(&self, place: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(place).ok()?)
    }

    pub(super) fn node_of(&self, id: ChangeId) -> Option<&Node> {
        self.node(*self.by_id.get(&id)?)
    }

    pub(super) fn key_text(&self, key: u32) -> Option<&str> {
        self.texts.get(usize::try_from(key).ok()?).map(|text| &**text)
    }

    /// The number of an actor's last operation, its changes up to number `seq` counted; zero where there is none.
    pub(super) fn last_op(&self, actor: u32, seq: u32) -> u32 {
        let change = seq.checked_sub(1).and_then(|s| usize::try_from(s).ok());
        let place = change.and_then(|place| self.actor(actor)?.changes.get(place));
        place
            .and_then(|place| self.node(*place))
            .map_or(0, |node| node.max_op)
    }

    /// Adds a change whose dependencies are all here. One that does not fit is left out: whoever records has checked.
    pub(super) fn record(&mut self, record: &Record<'_>) {
        let Ok(place) = u32::try_from(self.nodes.len()) else {
            return;
        };
        let table: Vec<u32> = record.actors.iter().map(|id| self.actor_number(id)).collect();
        let author = table.first().copied().unwrap_or(u32::MAX);
        let runs = runs_of(record.rows, record.start_op, author, &table);
        let runs: Vec<Run<u32>> = runs.into_iter().map(|run| self.kept(run)).collect();
        let clock = self.clock_after(record.deps);
        let Some(actor) = usize::try_from(author).ok().and_then(|a| self.actors.get_mut(a)) else {
            return;
        };
        actor.changes.push(place);
        actor.runs.extend(runs);
        self.nodes.push(Node {
            actor: author,
            seq: record.seq,
            max_op: record.max_op,
            clock,
        });
        self.by_id.insert(record.id, place);
    }

    /// The past of a change with these dependencies.
    fn clock_after(&self, deps: &[ChangeId]) -> Clock {
        let mut nodes: Vec<&Node> = deps.iter().filter_map(|dep| self.node_of(*dep)).collect();
        // The largest first: what it covers need not be looked through.
        nodes.sort_by_key(|node| std::cmp::Reverse(node.max_op));
        let mut nodes = nodes.into_iter();
        let Some(first) = nodes.next() else {
            return Clock::new();
        };
        let mut clock = first.clock.clone();
        clock.raise(first.actor, first.seq);
        for node in nodes {
            if clock.seq(node.actor) >= node.seq {
                continue;
            }
            for (actor, seq) in node.clock.entries() {
                clock.raise(actor, seq);
            }
            clock.raise(node.actor, node.seq);
        }
        clock.settle(self.actors.len());
        clock
    }

    fn actor_number(&mut self, id: &[u8]) -> u32 {
        if let Some(number) = self.actor_by_id.get(id) {
            return *number;
        }
        let number = u32::try_from(self.actors.len()).unwrap_or(u32::MAX);
        self.actors.push(Actor {
            id: id.into(),
            ..Actor::default()
        });
        self.actor_by_id.insert(id.into(), number);
        number
    }

    fn kept(&mut self, run: Run<&str>) -> Run<u32> {
        let stand = match run.stand {
            Stand::Inserted(place) => Stand::Inserted(place),
            Stand::Over(element) => Stand::Over(element),
            Stand::Under(text) => Stand::Under(self.key_number(text)),
        };
        Run {
            first: run.first,
            count: run.count,
            object: run.object,
            stand,
            made: run.made,
        }
    }

    fn key_number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.key_by_text.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.key_by_text.insert(text, number);
        number
    }
}

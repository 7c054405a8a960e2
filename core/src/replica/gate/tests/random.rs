//! Writes changes at random around what a document holds: ids that are there, mostly in places that fit.

use std::collections::BTreeMap;

use automerge::{Automerge, Change};
use rand_chacha::ChaCha8Rng;

use super::encoder::{Draft, Key, Op, columns};
use super::fuzz::{below, chance};
use super::journal;
use crate::domain::id::JournalId;

/// An operation that is there, ids by actor bytes.
#[derive(Debug, Clone)]
struct Known {
    id: Id,
    object: Option<Id>,
    /// A key of a map, or the element it belongs to.
    register: Result<String, Id>,
    inserts: bool,
    action: u64,
}

type Id = (u64, Vec<u8>);

/// What a document holds, for writing changes around it.
pub(super) struct World {
    ops: Vec<Known>,
    heads: Vec<[u8; 32]>,
    changes: BTreeMap<[u8; 32], (u64, Vec<u8>, u64)>,
    last: BTreeMap<Vec<u8>, [u8; 32]>,
}

impl World {
    pub(super) fn new(doc: &Automerge) -> Self {
        let mut world = Self {
            ops: vec![],
            heads: vec![],
            changes: BTreeMap::new(),
            last: BTreeMap::new(),
        };
        doc.get_changes(&[]).iter().for_each(|change| world.learn(change));
        world
    }

    pub(super) fn learn(&mut self, change: &Change) {
        let hash = change.hash().0;
        let author = change.actor_id().to_bytes().to_vec();
        self.changes
            .insert(hash, (change.max_op(), author.clone(), change.seq()));
        self.heads
            .retain(|head| !change.deps().iter().any(|dep| dep.0 == *head));
        self.heads.push(hash);
        self.last.insert(author.clone(), hash);
        for (number, op) in (change.start_op().get()..).zip(change.decode().operations) {
            use automerge::legacy::{ElementId, Key as OldKey, ObjectId, OpType};
            let old = |id: &automerge::legacy::OpId| (id.0, id.1.to_bytes().to_vec());
            let id = (number, author.clone());
            let action = match op.action {
                OpType::Make(automerge::ObjType::Map | automerge::ObjType::Table) => 0,
                OpType::Put(automerge::ScalarValue::Counter(_)) => 101,
                OpType::Put(_) => 1,
                OpType::Make(automerge::ObjType::List) => 2,
                OpType::Delete => 3,
                OpType::Make(automerge::ObjType::Text) => 4,
                OpType::Increment(_) => 5,
                OpType::MarkBegin(..) | OpType::MarkEnd(_) => 7,
            };
            let object = match &op.obj {
                ObjectId::Root => None,
                ObjectId::Id(id) => Some(old(id)),
            };
            let register = match &op.key {
                OldKey::Map(key) => Ok(key.to_string()),
                OldKey::Seq(ElementId::Id(element)) if !op.insert => Err(old(element)),
                OldKey::Seq(_) => Err(id.clone()),
            };
            self.ops.push(Known {
                id,
                object,
                register,
                inserts: op.insert,
                action,
            });
        }
    }

    pub(super) fn draft(&self, rng: &mut ChaCha8Rng) -> (JournalId, Draft) {
        let author = journal(u8::try_from(below(rng, 6)).unwrap());
        let actor = author.as_bytes().to_vec();
        let mut deps: Vec<[u8; 32]> = if chance(rng, 60) {
            self.heads.clone()
        } else {
            let all: Vec<[u8; 32]> = self.changes.keys().copied().collect();
            (0..=below(rng, 2)).map(|_| all[below(rng, all.len())]).collect()
        };
        let own = self.last.get(&actor);
        deps.extend(own);
        deps.sort_unstable();
        deps.dedup();
        let seq = own.and_then(|own| self.changes.get(own)).map_or(0, |own| own.2) + 1;
        let start_op = deps
            .iter()
            .filter_map(|dep| self.changes.get(dep))
            .map(|c| c.0)
            .max()
            .unwrap_or(0)
            + 1;
        let mut writer = Writer {
            world: self,
            actor: actor.clone(),
            start_op,
            own: vec![],
        };
        let wanted = below(rng, 7);
        let mut ops: Vec<(Known, RawOp)> = Vec::new();
        while ops.len() < wanted {
            let op = writer.op(rng);
            let known = writer.known(&op);
            writer.own.push(known.clone());
            ops.push((known, op));
            writer.pair(rng, &mut ops);
        }
        let raws: Vec<RawOp> = ops.into_iter().map(|(_, raw)| raw).collect();
        let (others, ops) = encode(&actor, &raws);
        let draft = Draft {
            chunk_type: 1,
            deps,
            actor,
            seq,
            start_op,
            time: 0,
            message: vec![],
            others,
            columns: columns(&ops),
            extra: vec![],
        };
        (author, draft)
    }
}

/// An operation before its ids are put into a table.
#[derive(Debug, Clone)]
struct RawOp {
    object: Option<Id>,
    key: Result<String, Option<Id>>,
    insert: bool,
    action: u64,
    value: (u64, Vec<u8>),
    preds: Vec<Id>,
    expand: bool,
    mark_name: Option<String>,
}

struct Writer<'a> {
    world: &'a World,
    actor: Vec<u8>,
    start_op: u64,
    own: Vec<Known>,
}

impl Writer<'_> {
    fn ops(&self) -> impl Iterator<Item = &Known> {
        self.world.ops.iter().chain(&self.own)
    }

    fn pick<'a>(rng: &mut ChaCha8Rng, found: &[&'a Known]) -> Option<&'a Known> {
        // The newest are where things happen.
        let recent = found.len().saturating_sub(6);
        let at = if chance(rng, 50) {
            recent + below(rng, found.len() - recent)
        } else {
            below(rng, found.len())
        };
        found.get(at).copied()
    }

    fn op(&self, rng: &mut ChaCha8Rng) -> RawOp {
        let makes: Vec<&Known> = self.ops().filter(|op| matches!(op.action, 0 | 2 | 4)).collect();
        let made = if chance(rng, 20) {
            None
        } else {
            Self::pick(rng, &makes)
        };
        let object = made.map(|op| op.id.clone());
        let sequence = made.is_some_and(|op| op.action != 0);
        let inside: Vec<&Known> = self.ops().filter(|op| op.object == object).collect();
        let elements: Vec<&Known> = inside.iter().filter(|op| op.inserts).copied().collect();
        let insert = sequence && chance(rng, 60);
        let key = if sequence {
            let element = Self::pick(rng, &elements).map(|op| op.id.clone());
            Err(if insert && chance(rng, 20) { None } else { element })
        } else {
            Ok(["Name", "count", "a", ""][below(rng, 4)].to_owned())
        };
        let action = match below(rng, 20) {
            0 => 0,
            1 => 2,
            2 => 4,
            3..=5 if !insert => 3,
            6..=8 if !insert => 5,
            9..=11 if insert => 7,
            12 => 101,
            _ => 1,
        };
        let register = key.clone().map_err(Option::unwrap_or_default);
        let same: Vec<&Known> = inside
            .iter()
            .filter(|op| op.register == register)
            .copied()
            .collect();
        let mut preds: Vec<Id> = if insert { vec![] } else { Self::some(rng, &same) };
        if chance(rng, 3) {
            preds.extend(Self::pick(rng, &inside).map(|op| op.id.clone()));
        }
        preds.sort();
        preds.dedup();
        let value = value(rng, action);
        let mark_name = (action == 7).then(|| "fett".to_owned());
        let expand = action == 7 && chance(rng, 50);
        RawOp {
            object,
            key,
            insert,
            action: action % 100,
            value,
            preds,
            expand,
            mark_name,
        }
    }

    /// Most of the values under one key; now and then anything there.
    fn some(rng: &mut ChaCha8Rng, same: &[&Known]) -> Vec<Id> {
        let any = chance(rng, 5);
        let values = same
            .iter()
            .filter(|op| any || matches!(op.action, 0..=2 | 4 | 101));
        values
            .filter(|_| chance(rng, 75))
            .map(|op| op.id.clone())
            .collect()
    }

    fn known(&self, op: &RawOp) -> Known {
        let id = (self.start_op + self.own.len() as u64, self.actor.clone());
        let register = match &op.key {
            Ok(key) => Ok(key.clone()),
            Err(Some(element)) if !op.insert => Err(element.clone()),
            Err(_) => Err(id.clone()),
        };
        let action = if op.action == 1 && op.value.0 & 15 == 8 {
            101
        } else {
            op.action
        };
        Known {
            id,
            object: op.object.clone(),
            register,
            inserts: op.insert,
            action,
        }
    }

    /// After a mark's begin its end, mostly.
    fn pair(&mut self, rng: &mut ChaCha8Rng, ops: &mut Vec<(Known, RawOp)>) {
        let Some((_, begin)) = ops.last() else { return };
        if begin.action != 7 || chance(rng, 3) {
            return;
        }
        let inside: Vec<&Known> = self
            .ops()
            .filter(|op| op.object == begin.object && op.inserts)
            .collect();
        let end = RawOp {
            key: Err(Self::pick(rng, &inside).map(|op| op.id.clone())),
            mark_name: None,
            value: (0, vec![]),
            ..begin.clone()
        };
        let known = self.known(&end);
        self.own.push(known.clone());
        ops.push((known, end));
    }
}

fn value(rng: &mut ChaCha8Rng, action: u64) -> (u64, Vec<u8>) {
    match action {
        1 | 7 => match below(rng, 6) {
            0 => (0, vec![]),
            1 => (2, vec![]),
            2 => (0x14, vec![1]),
            3 => (0x26, b"ab".to_vec()),
            4 => (0x85, 0.5_f64.to_le_bytes().to_vec()),
            _ => (0x16, b"x".to_vec()),
        },
        101 => (0x18, vec![3]),
        5 => (0x14, vec![0x7f]),
        _ => (0, vec![]),
    }
}

/// Puts the ids into a table, as Automerge's writer does.
fn encode(author: &[u8], raws: &[RawOp]) -> (Vec<Vec<u8>>, Vec<Op>) {
    let ids = |op: &RawOp| -> Vec<Id> {
        let key = op.key.clone().err().flatten();
        op.object.iter().chain(&key).chain(&op.preds).cloned().collect()
    };
    let mut others: Vec<Vec<u8>> = raws
        .iter()
        .flat_map(ids)
        .map(|id| id.1)
        .filter(|a| a != author)
        .collect();
    others.sort();
    others.dedup();
    let place = |id: &Id| {
        (
            id.0,
            others
                .iter()
                .position(|other| *other == id.1)
                .map_or(0, |at| at as u64 + 1),
        )
    };
    let ops = raws
        .iter()
        .map(|raw| Op {
            object: raw.object.as_ref().map(place),
            key: match &raw.key {
                Ok(key) => Key::Text(key.clone()),
                Err(None) => Key::Head,
                Err(Some(element)) => {
                    let (number, actor) = place(element);
                    Key::Element(number, actor)
                }
            },
            insert: raw.insert,
            action: raw.action,
            value: raw.value.clone(),
            preds: raw.preds.iter().map(place).collect(),
            expand: raw.expand,
            mark_name: raw.mark_name.clone(),
        })
        .collect();
    (others, ops)
}

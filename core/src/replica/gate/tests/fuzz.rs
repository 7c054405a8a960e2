//! Mutations of honest changes, and changes written at random around what a document holds. Most are refused; whatever
//! passes must apply, save, and load to an equal document.
//!
//! `KIEZ_GATE_CASES=200000 cargo test --release -p kiez-core --no-default-features gate::tests::fuzz` for a long run;
//! `KIEZ_GATE_SEED` begins elsewhere.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change, PatchLog};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::encoder::{Draft, Key, Op, body_start, columns, seal};
use super::honest::{cases, play, turns};
use super::{Gated, assert_sound, author_of, content, journal};
use crate::domain::id::{ChangeId, JournalId};
use crate::replica::gate::{Checked, Refusal};

fn seeds(usual: u32) -> std::ops::Range<u64> {
    let first = std::env::var("KIEZ_GATE_SEED")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0_u64);
    first..first + u64::from(cases(usual))
}

fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % bound.max(1)
}

fn chance(rng: &mut ChaCha8Rng, percent: usize) -> bool {
    below(rng, 100) < percent
}

fn honest_history(seed: u64, most: usize) -> Vec<Change> {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    play(&turns(most).new_tree(&mut runner).unwrap().current()).1
}

/// Takes a change through the gate and, if it passes, into the document; tells what became of it.
fn offer(gated: &mut Gated, author: JournalId, raw: &[u8], done: &[Vec<u8>]) -> Result<bool, Refusal> {
    let all = || {
        let hex = |raw: &[u8]| raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let before: Vec<String> = done.iter().map(|raw| hex(raw)).collect();
        format!("after {}\nthe change {}", before.join("\n"), hex(raw))
    };
    let checked = catch_unwind(AssertUnwindSafe(|| gated.past.check(author, raw)))
        .unwrap_or_else(|_| panic!("the gate panics: {}", all()));
    let ready = match checked? {
        Checked::Ready(ready) => ready,
        Checked::Waits { .. } => return Ok(false),
    };
    let sound = catch_unwind(AssertUnwindSafe(|| {
        let (before, heads) = (content(&gated.doc), gated.doc.get_heads());
        let mut log = PatchLog::active();
        gated.doc.apply_changes_log_patches([ready.change().clone()], &mut log).unwrap();
        gated.past.admit(&ready);
        assert_sound(&gated.doc);
        // What the app does besides reading the present: patches, differences, and the document as it was.
        drop(gated.doc.make_patches(&mut log));
        let now = gated.doc.get_heads();
        drop(gated.doc.diff(&heads, &now));
        drop(gated.doc.diff(&now, &heads));
        drop(gated.doc.hydrate(None));
        drop(gated.doc.hydrate(Some(&heads)));
        assert_eq!(content(&gated.doc.fork_at(&heads).unwrap()), before);
    }));
    assert!(sound.is_ok(), "a change that passed does harm: {}", all());
    Ok(true)
}

#[test]
fn mutated_bytes_do_no_harm() {
    let mut passed = 0;
    for seed in seeds(300) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let history = honest_history(seed / 50, 6);
        let mut gated = Gated::new();
        let mut done = Vec::new();
        for change in &history {
            for _ in 0..8 {
                let raw = mutate(&mut rng, change.raw_bytes());
                // Judged only: taken in, it would bar the rest of the honest history.
                let mut aside = gated.branch(&done);
                passed += usize::from(offer(&mut aside, author_of(change), &raw, &done) == Ok(true));
            }
            gated.take(author_of(change), change.raw_bytes()).unwrap();
            done.push(change.raw_bytes().to_vec());
        }
    }
    println!("{passed} mutated changes passed");
    assert!(
        passed > 0,
        "some mutations are harmless, or the test tests nothing"
    );
}

fn mutate(rng: &mut ChaCha8Rng, raw: &[u8]) -> Vec<u8> {
    let mut body = raw[body_start(raw)..].to_vec();
    // The columns are in the second half; the head is mostly hashes and keys.
    for _ in 0..=below(rng, 2) {
        let from = if chance(rng, 80) { body.len() / 2 } else { 0 };
        let at = (from + below(rng, body.len() - from)).min(body.len() - 1);
        match below(rng, 6) {
            0 => body[at] ^= 1 << below(rng, 8),
            1 => body.insert(at, rng.next_u32() as u8),
            2 => drop(body.remove(at)),
            3 => body[at] = [0, 1, 2, 0x7f, 0x7e, 0x80, 0xff][below(rng, 7)],
            4 => body[at] = body[at].wrapping_add(1),
            _ => body[at] = body[at].wrapping_sub(1),
        }
    }
    seal(1, &body)
}

#[test]
fn random_changes_do_no_harm() {
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for seed in seeds(120) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x9e37_79b9);
        let mut gated = Gated::new();
        let mut world = World::new(&gated.doc);
        let mut done = Vec::new();
        for change in honest_history(seed, 5) {
            gated.take(author_of(&change), change.raw_bytes()).unwrap();
            world.learn(&change);
            done.push(change.raw_bytes().to_vec());
        }
        for _ in 0..25 {
            let (author, draft) = world.draft(&mut rng);
            let raw = draft.bytes();
            let verdict = offer(&mut gated, author, &raw, &done);
            *verdicts.entry(format!("{verdict:?}")).or_default() += 1;
            if verdict == Ok(true) {
                world.learn(&Change::try_from(raw.as_slice()).unwrap());
                done.push(raw);
            }
        }
        assert_order_is_free(&mut rng, &gated, &done);
    }
    println!("{verdicts:#?}");
    assert!(
        verdicts.get("Ok(true)").is_some_and(|passed| *passed > 50),
        "enough pass to test something"
    );
}

/// The same changes in one call, and in another causal order through the gate, make the same document.
fn assert_order_is_free(rng: &mut ChaCha8Rng, gated: &Gated, done: &[Vec<u8>]) {
    let parsed: Vec<Change> = done
        .iter()
        .map(|raw| Change::try_from(raw.as_slice()).unwrap())
        .collect();
    let hex = || {
        done.iter()
            .map(|raw| raw.iter().map(|b| format!("{b:02x}")).collect())
            .collect::<Vec<String>>()
    };
    let (mut at_once, _) = super::genesis();
    let same = catch_unwind(AssertUnwindSafe(|| {
        at_once.apply_changes(parsed.clone()).unwrap();
        assert_eq!(content(&at_once), content(&gated.doc));
    }));
    assert!(same.is_ok(), "in one call: {:#?}", hex());
    let mut waiting = parsed;
    let mut other = Gated::new();
    while !waiting.is_empty() {
        let at = below(rng, waiting.len());
        let change = waiting.swap_remove(at);
        match other.past.check(author_of(&change), change.raw_bytes()) {
            Ok(Checked::Ready(ready)) => {
                other.doc.apply_changes([ready.change().clone()]).unwrap();
                other.past.admit(&ready);
            }
            Ok(Checked::Waits { .. }) => waiting.push(change),
            Err(refusal) => panic!("{refusal:?} in another order: {:#?}", hex()),
        }
    }
    assert_eq!(content(&other.doc), content(&gated.doc));
    assert_sound(&other.doc);
}

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
struct World {
    ops: Vec<Known>,
    heads: Vec<[u8; 32]>,
    changes: BTreeMap<[u8; 32], (u64, Vec<u8>, u64)>,
    last: BTreeMap<Vec<u8>, [u8; 32]>,
}

impl World {
    fn new(doc: &Automerge) -> Self {
        let mut world = Self {
            ops: vec![],
            heads: vec![],
            changes: BTreeMap::new(),
            last: BTreeMap::new(),
        };
        doc.get_changes(&[]).iter().for_each(|change| world.learn(change));
        world
    }

    fn learn(&mut self, change: &Change) {
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

    fn draft(&self, rng: &mut ChaCha8Rng) -> (JournalId, Draft) {
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
            Ok(["titel", "count", "a", ""][below(rng, 4)].to_owned())
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

impl Gated {
    /// The same document and past once more.
    fn branch(&self, done: &[Vec<u8>]) -> Self {
        let mut branch = Self::new();
        for raw in done {
            let change = Change::try_from(raw.as_slice()).unwrap();
            branch.take(author_of(&change), raw).unwrap();
        }
        assert!(
            done.iter()
                .all(|raw| branch.past.contains(ChangeId(super::encoder::hash(raw))))
        );
        branch
    }
}

//! Mutations of honest changes, and changes written at random around what a document holds. Most are refused; whatever
//! passes must apply, save, and load to an equal document.
//!
//! `KIEZ_GATE_CASES=200000 cargo test --release -p kiez-core --no-default-features gate::tests::fuzz` for a long run;
//! `KIEZ_GATE_SEED` begins elsewhere.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Change, ChangeHash, PatchLog};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::encoder::{body_start, seal};
use super::honest::{cases, play, turns};
use super::random::World;
use super::{Gated, assert_sound, author_of, content};
use crate::domain::id::{ChangeId, JournalId};
use crate::replica::gate::{Checked, DocumentPast, Refusal};

fn seeds(usual: u32) -> std::ops::Range<u64> {
    let first = std::env::var("KIEZ_GATE_SEED")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0_u64);
    first..first + u64::from(cases(usual))
}

pub(super) fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % bound.max(1)
}

pub(super) fn chance(rng: &mut ChaCha8Rng, percent: usize) -> bool {
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
        gated
            .doc
            .apply_changes_log_patches([ready.change().clone()], &mut log)
            .unwrap();
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
            let alone = verdict_of_own_past(&gated, &draft.deps, author, &raw);
            let verdict = offer(&mut gated, author, &raw, &done);
            assert_eq!(
                alone,
                verdict.map(|_| ()),
                "what is concurrent changes no verdict"
            );
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

/// The verdict where only the change's causal past is held, in a past rebuilt from an Automerge document.
fn verdict_of_own_past(
    gated: &Gated,
    deps: &[[u8; 32]],
    author: JournalId,
    raw: &[u8],
) -> Result<(), Refusal> {
    let heads: Vec<ChangeHash> = deps.iter().map(|dep| ChangeHash(*dep)).collect();
    let own = gated.doc.fork_at(&heads).unwrap();
    DocumentPast::from_changes(&own.get_changes(&[]))
        .check(author, raw)
        .map(|_| ())
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

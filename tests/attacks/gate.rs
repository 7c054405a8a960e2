//! Changes made by hand: what Automerge would take and a group must not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kiez_core::domain::cost::Cost;
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{JournalId, ProposalId};
use kiez_core::planted::Guard;
use kiez_core::replica::document::{Document, proposal};
use kiez_core::replica::entry::EntryKind;

use super::common::{NOW, idea};
use super::people::{One, content, three};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "a member", "a change under another's name",
        "the journal ends before it", Stop::By(Guard::GateActor), foreign_actor;
    "a member", "a number of a change used twice",
        "the journal ends before the second", Stop::By(Guard::GateNumber), number_twice;
    "a member", "operations numbered far ahead, which make later ones overflow",
        "the journal ends before it", Stop::By(Guard::GateStart), huge_start;
    "a member", "a footer that names another author",
        "the journal ends before it", Stop::By(Guard::GateFooter), footer;
    "a member", "a whole `save()` in the place of a change",
        "the journal ends before it", Stop::Made("only plain change chunks are read; nothing received is loaded"), save;
    "a member", "a change that unpacks to gigabytes",
        "the journal ends before it", Stop::Made("nothing compressed is read, and nothing here inflates"), deflated;
}

const IDEA: ProposalId = ProposalId([7; 16]);

/// Mallory's idea, made by hand from this on.
fn hands_in(anna: &mut One, mallory: &mut One, changes: &[Vec<u8>]) -> Outcome {
    let mut entries = Vec::new();
    let mut head = mallory.at.head(mallory.journal()).unwrap();
    for raw in changes {
        let payload = content(DocumentId::Proposal(IDEA), raw.clone());
        let key = mallory.key();
        let entry = mallory.forges_under(&key, head, &[], EntryKind::Content, &payload);
        head = (entry.header.number, entry.id);
        entries.push(entry);
    }
    // What Automerge makes of it where the gate lets it through may be a panic.
    let taken = catch_unwind(AssertUnwindSafe(|| anna.takes(mallory, &entries)));
    held(
        matches!(taken, Ok(Ok(_))),
        "Anna's program panics, or cannot store what came",
    )
}

/// A fresh idea of this title, as somebody's change.
fn created(journal: JournalId, title: &str) -> (Document, Vec<u8>) {
    let mut fresh = Document::new(DocumentKind::Proposal);
    let (_, raw) = fresh
        .write(journal, NOW, |tx| proposal::create(tx, &idea(title)))
        .unwrap();
    (fresh, raw.unwrap())
}

fn changed(raw: &[u8], change: impl FnOnce(&mut automerge::ExpandedChange)) -> Vec<u8> {
    let mut expanded = automerge::Change::try_from(raw).unwrap().decode();
    change(&mut expanded);
    automerge::Change::from(expanded).raw_bytes().to_vec()
}

fn foreign_actor() -> Outcome {
    let [mut anna, carla, mut mallory] = three(10);
    let (_, raw) = created(carla.journal(), "as if by Carla");
    hands_in(&mut anna, &mut mallory, &[raw])?;
    held(!anna.shows("as if by Carla"), "the idea says that Carla wrote it")
}

fn number_twice() -> Outcome {
    let [mut anna, _, mut mallory] = three(20);
    let (_, one) = created(mallory.journal(), "one");
    let (_, two) = created(mallory.journal(), "two");
    hands_in(&mut anna, &mut mallory, &[one, two])?;
    held(
        anna.shows("one"),
        "two changes with one number: Automerge refuses the whole batch",
    )
}

fn huge_start() -> Outcome {
    let [mut anna, _, mut mallory] = three(30);
    let (mut document, first) = created(mallory.journal(), "bench");
    let cost: Option<Cost> = Some("400".parse().unwrap());
    let written = document.write(mallory.journal(), NOW, |tx| proposal::set_cost(tx, cost));
    let second = changed(&written.unwrap().1.unwrap(), |change| {
        change.start_op = 2_000_000_000.try_into().unwrap();
    });
    hands_in(&mut anna, &mut mallory, &[first, second])?;
    held(
        anna.at.idea(IDEA).unwrap().cost.is_none(),
        "whoever writes next has no numbers left",
    )
}

/// A chunk again, with its checksum made right: magic, checksum, kind, length, body.
fn resealed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut rest = vec![kind];
    let mut length = body.len();
    while length > 0x7f {
        rest.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    rest.push(u8::try_from(length).unwrap());
    rest.extend_from_slice(body);
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&rest);
    [&[0x85, 0x6f, 0x4a, 0x83], &hash[..4], &rest].concat()
}

/// The body of a change chunk.
fn body(raw: &[u8]) -> &[u8] {
    let after = raw[9..].iter().position(|byte| byte & 0x80 == 0).unwrap();
    &raw[9 + after + 1..]
}

fn footer() -> Outcome {
    let [mut anna, _, mut mallory] = three(40);
    let (_, raw) = created(mallory.journal(), "with a footer");
    let footed = [body(&raw), &[1, 3, b'A', b'd', b'a']].concat();
    hands_in(&mut anna, &mut mallory, &[resealed(1, &footed)])?;
    held(
        !anna.shows("with a footer"),
        "a change counts that says it is Ada's",
    )
}

fn save() -> Outcome {
    let [mut anna, _, mut mallory] = three(50);
    let (document, _) = created(mallory.journal(), "a whole document");
    hands_in(&mut anna, &mut mallory, &[document.save()])?;
    held(!anna.shows("a whole document"), "a save was loaded")
}

fn deflated() -> Outcome {
    let [mut anna, _, mut mallory] = three(60);
    let (_, raw) = created(mallory.journal(), &"long ".repeat(100));
    let packed = automerge::Change::try_from(&raw[..]).unwrap().bytes().to_vec();
    assert_eq!(packed[8], 2, "Automerge deflates it");
    hands_in(&mut anna, &mut mallory, &[packed])?;
    held(anna.titles().is_empty(), "something was inflated")
}

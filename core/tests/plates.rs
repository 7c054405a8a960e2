//! Ideas get their numbers from whichever steward's device sees them first, and all devices show the same.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

mod common;

use common::{NOW, Neighbour, sync};
use kiez_core::domain::id::{ProposalId, Timestamp};
use kiez_core::domain::proposal::Draft;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;

fn add(replica: &mut Replica<MemoryStorage>, who: &mut Neighbour, title: &str, second: u64) -> ProposalId {
    let draft = Draft {
        title: title.to_owned(),
        ..Draft::default()
    };
    let at = Timestamp(NOW.0 + second * 1_000);
    replica.add_idea(&draft, at, &mut who.rng).unwrap()
}

fn number(replica: &mut Replica<MemoryStorage>, idea: ProposalId) -> Option<u32> {
    replica.plates().unwrap().of(idea).number
}

#[test]
fn a_members_idea_gets_its_number_from_a_steward() {
    let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let later = add(&mut b, &mut ben, "Trees", 2);
    let first = add(&mut b, &mut ben, "Benches", 1);
    assert_eq!(b.number_ideas(NOW).unwrap(), 0, "Ben is no steward");
    assert_eq!(number(&mut b, first), None);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(a.number_ideas(NOW).unwrap(), 2);
    assert_eq!(a.number_ideas(NOW).unwrap(), 0, "nothing is missing");
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!((number(&mut b, first), number(&mut b, later)), (Some(1), Some(2)));
}

#[test]
fn an_idea_and_its_number_are_one_commit() {
    let mut anna = Neighbour::new(1);
    let mut a = anna.found();
    let idea = a
        .at_once(|a| {
            let idea = add(a, &mut anna, "Benches", 0);
            assert_eq!(a.number_ideas(NOW)?, 1);
            Ok::<_, kiez_core::replica::actions::ActionError>(idea)
        })
        .unwrap();
    assert_eq!(number(&mut a, idea), Some(1));
    let mut again = Replica::open(a.into_storage()).unwrap();
    assert_eq!(number(&mut again, idea), Some(1));
}

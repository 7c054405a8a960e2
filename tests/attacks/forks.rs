//! Forks, by an author who signs twice or a thief with a copy of a profile; and work that is to pass through a friend's.

use kiez_core::domain::document::DocumentId;
use kiez_core::planted::{Guard, without};
use kiez_core::replica::document::group;

use super::common::NOW;
use super::people::{One, three};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "a member", "fork by the author: one thing is said to Anna, another to Carla",
        "everybody takes the same one, and the other is kept as evidence", Stop::By(Guard::OneBranch), by_the_author;
    "a thief of a laptop", "fork by a thief, who writes on a copy of the profile",
        "the branch that neighbours built on counts", Stop::By(Guard::BranchBuilders), by_a_thief;
    "a member and a steward", "laundering: a steward builds on a change that was refused",
        "it is not lifted with theirs", Stop::By(Guard::LiftOnlyBeyond), laundered;
}

fn by_the_author() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(10);
    let mut copy = mallory.copied(19);
    mallory.adds("one");
    copy.adds("two");
    anna.meets(&mut mallory).unwrap();
    carla.meets(&mut copy).unwrap();
    for _ in 0..2 {
        anna.meets(&mut carla).unwrap();
    }
    let same = anna.at.digest().unwrap() == carla.at.digest().unwrap();
    held(
        same && anna.at.is_forked(mallory.journal()) && anna.titles().len() == 1,
        "Anna and Carla have different things of Mallory's for good",
    )
}

/// The id of somebody's last entry.
fn last(one: &One) -> kiez_core::domain::id::EntryId {
    one.at.head(one.journal()).unwrap().1
}

fn by_a_thief() -> Outcome {
    let [mut anna, mut carla, mut ben] = three(20);
    let stolen = ben.copied(29);
    let about = ben.adds("of Ben");
    anna.meets(&mut ben).unwrap();
    anna.at.edit_idea(about, "Anna builds on it.", NOW).unwrap();
    carla.meets(&mut anna).unwrap();
    carla
        .at
        .edit_idea(about, "Anna builds on it. Carla too.", NOW)
        .unwrap();
    anna.meets(&mut carla).unwrap();
    // The thief tries until their entry is the one with the smaller id.
    let mut tries = (0..).map(|n| {
        let mut thief = stolen.copied(300 + n);
        thief.adds("of the thief");
        thief
    });
    let base = anna.at.head(ben.journal()).unwrap().1;
    assert_eq!(base, last(&ben));
    let mut thief = tries.find(|thief| last(thief) < base).unwrap();
    anna.meets(&mut thief).unwrap();
    held(
        anna.shows("of Ben") && !anna.shows("of the thief"),
        "Ben's idea is gone, the thief's stands there",
    )
}

fn laundered() -> Outcome {
    let [mut anna, mut nina, mut mallory] = three(30);
    anna.at.describe_group("Zawodzie", "", NOW).unwrap();
    anna.promotes(&mut nina);
    mallory.meets(&mut anna).unwrap();
    nina.meets(&mut anna).unwrap();
    // The software of both lets Mallory write the group's page; Nina, who is a steward, writes on.
    without(Guard::StewardsOnly, || {
        let page = DocumentId::Group;
        mallory
            .at
            .write_document(page, NOW, |tx| group::set_purpose(tx, "Mallory's"))
            .unwrap();
        nina.meets(&mut mallory).unwrap();
        let written = nina
            .at
            .write_document(page, NOW, |tx| group::set_name(tx, "Nina's"));
        written.unwrap();
    });
    anna.meets(&mut nina).unwrap();
    let purpose = anna.at.info().unwrap().purpose;
    held(
        purpose != "Mallory's",
        "what Mallory may not write counts, since Nina built on it",
    )
}

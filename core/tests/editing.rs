//! An idea's texts and fields are changed by several people at once.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod common;

use common::{NOW, Neighbour, sync};
use kiez_core::domain::cost::Cost;
use kiez_core::domain::id::{ChangeId, ProposalId, Timestamp};
use kiez_core::domain::proposal::{Draft, TextField};
use kiez_core::domain::splice::{Splice, SpliceError};
use kiez_core::domain::version::{Part, Was};
use kiez_core::replica::actions::ActionError;

fn splice(at: usize, delete: usize, insert: &str) -> Splice {
    Splice {
        at,
        delete,
        insert: insert.to_owned(),
    }
}

#[test]
fn two_who_type_at_once_have_the_same_in_the_end() {
    let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
    let mut a = anna.found();
    let draft = Draft {
        title: "Benches".into(),
        body: "Two benches by the tree.".into(),
        ..Draft::default()
    };
    let idea = a.add_idea(&draft, NOW, &mut anna.rng).unwrap();
    let mut b = ben.join(&mut a, &mut anna);
    let (body, title) = (TextField::Body, TextField::Title);
    let before = a.idea_text(idea, body).unwrap();
    assert_eq!(before, b.idea_text(idea, body).unwrap());

    a.splice_idea(idea, body, &before.heads, &[splice(4, 0, "green ")], NOW)
        .unwrap();
    // Anna types on before her page has heard of what she typed first.
    let answer = a.splice_idea(idea, body, &before.heads, &[splice(23, 1, "!")], NOW);
    let answer = answer.unwrap();
    assert_eq!(answer.text, "Two green benches by the tree!");
    assert_eq!(answer, a.idea_text(idea, body).unwrap());
    b.splice_idea(idea, body, &before.heads, &[splice(19, 0, "old ")], NOW)
        .unwrap();
    b.splice_idea(idea, title, &before.heads, &[splice(0, 0, "Two ")], NOW)
        .unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(a.digest().unwrap(), b.digest().unwrap());
    assert_eq!(
        b.idea_text(idea, body).unwrap().text,
        "Two green benches by the old tree!"
    );
    assert_eq!(a.idea(idea).unwrap().title, "Two Benches");
}

#[test]
fn what_does_not_fit_is_refused_and_writes_nothing() {
    let mut anna = Neighbour::new(1);
    let mut a = anna.found();
    let draft = Draft {
        title: "Benches".into(),
        ..Draft::default()
    };
    let idea = a.add_idea(&draft, NOW, &mut anna.rng).unwrap();
    let text = a.idea_text(idea, TextField::Title).unwrap();
    let digest = a.digest().unwrap();
    let mut attempt = |id, heads: &[ChangeId], one| a.splice_idea(id, TextField::Title, heads, &[one], NOW);
    assert!(matches!(
        attempt(idea, &text.heads, splice(8, 0, "x")),
        Err(ActionError::Splice(SpliceError::OutOfRange))
    ));
    assert!(matches!(
        attempt(idea, &[ChangeId([9; 32])], splice(0, 0, "x")),
        Err(ActionError::Splice(SpliceError::UnknownHeads))
    ));
    assert!(matches!(
        attempt(idea, &text.heads, splice(0, 7, " ")),
        Err(ActionError::Author(_))
    ));
    assert!(matches!(
        attempt(ProposalId([9; 16]), &text.heads, splice(0, 0, "x")),
        Err(ActionError::NotFound { .. })
    ));
    assert_eq!(a.digest().unwrap(), digest);
}

#[test]
fn title_cost_and_place_are_set_and_not_written_twice() {
    let mut anna = Neighbour::new(1);
    let mut a = anna.found();
    let draft = Draft {
        title: "Benches".into(),
        ..Draft::default()
    };
    let idea = a.add_idea(&draft, NOW, &mut anna.rng).unwrap();
    let cost = Some(Cost::new(1_200).unwrap());
    let place = Some("50.2599,19.0389".parse().unwrap());
    for _ in 0..2 {
        a.set_title(idea, "Two benches", NOW).unwrap();
        a.set_cost(idea, cost, NOW).unwrap();
        a.set_place(idea, place, NOW).unwrap();
    }
    let now = a.idea(idea).unwrap();
    assert_eq!(
        (now.title.as_str(), now.cost, now.place),
        ("Two benches", cost, place)
    );
    let entries = a.census().unwrap().entries;
    assert_eq!(entries, 5, "the founding, the idea, and one for each");
    a.set_cost(idea, None, NOW).unwrap();
    a.set_place(idea, None, NOW).unwrap();
    a.set_place(idea, None, NOW).unwrap();
    let now = a.idea(idea).unwrap();
    assert_eq!((now.cost, now.place), (None, None));
    assert_eq!(a.census().unwrap().entries, entries + 2);
}

#[test]
fn versions_tell_who_added_and_removed_what() {
    let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
    let minute = |n: u64| Timestamp(NOW.0 + n * 60_000);
    let mut a = anna.found();
    let draft = Draft {
        title: "Benches".into(),
        body: "Two benches by the tree.".into(),
        ..Draft::default()
    };
    let idea = a.add_idea(&draft, minute(0), &mut anna.rng).unwrap();
    let mut b = ben.join(&mut a, &mut anna);
    a.edit_idea(idea, "Two green benches by the tree.", minute(10))
        .unwrap();
    a.set_cost(idea, Some(Cost::new(5).unwrap()), minute(15)).unwrap();
    a.edit_idea(idea, "Two green benches by the lime tree.", minute(20))
        .unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    b.edit_idea(idea, "Green benches by the lime tree.", minute(30))
        .unwrap();
    b.set_title(idea, "Green benches", minute(31)).unwrap();
    // Apart from it, and later.
    a.edit_idea(idea, "Two green benches by the lime tree. For all.", minute(40))
        .unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);

    let versions = a.versions(idea).unwrap();
    assert_eq!(versions, b.versions(idea).unwrap());
    let told: Vec<_> = versions
        .iter()
        .map(|version| {
            (
                version.by.unwrap(),
                version.at,
                version.title.as_str(),
                version.body.as_str(),
            )
        })
        .collect();
    let (anna, ben) = (anna.me.person, ben.me.person);
    assert_eq!(
        told,
        [
            (
                anna,
                minute(40),
                "Green benches",
                "Green benches by the lime tree. For all."
            ),
            (
                ben,
                minute(31),
                "Green benches",
                "Green benches by the lime tree."
            ),
            (anna, minute(20), "Benches", "Two green benches by the lime tree."),
        ]
    );
    let part = |text: &str, was| Part {
        text: text.into(),
        was,
    };
    let last = [
        part("Green benches by the lime tree.", Was::Same),
        part(" For all.", Was::Added),
    ];
    assert_eq!(versions[0].parts, last);
    let title = [part("Benches", Was::Removed), part("Green benches", Was::Added)];
    assert_eq!(versions[1].title_parts, title);
    assert_eq!(
        versions[2].parts,
        [part("Two green benches by the lime tree.", Was::Added)]
    );
    assert_eq!(a.idea(idea).unwrap().body, versions[0].body);
}

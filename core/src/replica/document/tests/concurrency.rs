//! What becomes of two things written by people who did not know of each other.

use std::collections::BTreeSet;

use super::round_trips::{ballot, close, poll};
use super::*;
use crate::domain::cost::Cost;
use crate::domain::poll::Method;
use crate::domain::task::{Task, TaskDraft, TaskState};
use automerge::transaction::Transactable;
use proptest::prelude::*;

/// Two copies of one document.
fn twins(document: &Document) -> (Document, Document) {
    (document.clone(), document.clone())
}

fn conflicts<T>(reading: &Reading<T>) -> Vec<&str> {
    assert!(
        reading
            .oddities
            .iter()
            .all(|oddity| oddity.reason == OddityReason::Conflict)
    );
    reading
        .oddities
        .iter()
        .map(|oddity| oddity.path.as_str())
        .collect()
}

#[test]
fn two_edits_of_one_paragraph_are_both_in() {
    let mut document = Document::new(DocumentKind::Proposal);
    write(&mut document, 1, |tx| {
        proposal::set_body(tx, "A bench under the tree, for all.")
    });
    let (mut a, mut b) = twins(&document);
    write(&mut a, 1, |tx| {
        proposal::set_body(tx, "A green bench under the tree, for all.")
    });
    write(&mut b, 2, |tx| {
        proposal::set_body(tx, "A bench under the old tree, for all of us.")
    });
    meet(&mut a, &mut b);
    let reading = proposal::read(&a, idea(1));
    assert_eq!(
        reading.value.body,
        "A green bench under the old tree, for all of us."
    );
    assert_eq!(reading, proposal::read(&b, idea(1)));
    assert_eq!(conflicts(&reading), Vec::<&str>::new());
}

#[test]
fn two_first_edits_of_an_empty_idea_are_both_in() {
    let (mut a, mut b) = twins(&Document::new(DocumentKind::Proposal));
    write(&mut a, 1, |tx| proposal::set_body(tx, "One. "));
    write(&mut b, 2, |tx| proposal::set_body(tx, "Two. "));
    meet(&mut a, &mut b);
    let body = proposal::read(&a, idea(1)).value.body;
    assert!(body == "One. Two. " || body == "Two. One. ");
}

#[test]
fn of_two_places_or_costs_one_wins_whole() {
    let (mut a, mut b) = twins(&Document::new(DocumentKind::Proposal));
    let places = ["50.1,19.2", "51.3,20.4"].map(|place| place.parse().unwrap());
    let costs = [100, 200].map(|cost| Cost::new(cost).unwrap());
    write(&mut a, 1, |tx| {
        proposal::set_place(tx, Some(places[0]))?;
        proposal::set_cost(tx, Some(costs[0]))
    });
    write(&mut b, 2, |tx| {
        proposal::set_place(tx, Some(places[1]))?;
        proposal::set_cost(tx, Some(costs[1]))
    });
    meet(&mut a, &mut b);
    let reading = proposal::read(&a, idea(1));
    assert_eq!(reading, proposal::read(&b, idea(1)));
    assert!(places.contains(&reading.value.place.unwrap()));
    assert!(costs.contains(&reading.value.cost.unwrap()));
    assert_eq!(conflicts(&reading), ["cost", "place"]);
    // Saying again what won settles it.
    let won = reading.value.place;
    write(&mut a, 1, |tx| proposal::set_place(tx, won)).unwrap();
    let reading = proposal::read(&a, idea(1));
    assert_eq!((reading.value.place, conflicts(&reading)), (won, vec!["cost"]));
}

#[test]
fn a_word_put_in_and_taken_out_at_once_stays_in() {
    let mut document = Document::new(DocumentKind::Proposal);
    write(&mut document, 1, |tx| proposal::set_category(tx, "green", true));
    let (mut a, mut b) = twins(&document);
    write(&mut a, 1, |tx| {
        proposal::set_category(tx, "green", false)?;
        proposal::set_category(tx, "green", true)?;
        proposal::set_category(tx, "rest", true)
    });
    write(&mut b, 2, |tx| {
        proposal::set_category(tx, "green", false)?;
        proposal::set_category(tx, "play", true)
    });
    meet(&mut a, &mut b);
    let reading = proposal::read(&a, idea(1));
    assert_eq!(reading.value.categories, ["green", "play", "rest"]);
    assert_eq!(reading.oddities, []);
}

#[test]
fn two_names_of_a_group_are_a_conflict_that_is_named() {
    let (mut a, mut b) = twins(&Document::new(DocumentKind::Group));
    write(&mut a, 1, |tx| group::set_name(tx, "A"));
    write(&mut b, 2, |tx| group::set_name(tx, "B"));
    meet(&mut a, &mut b);
    let reading = group::read(&a);
    assert_eq!(reading, group::read(&b));
    assert!(["A", "B"].contains(&reading.value.name.as_str()));
    assert_eq!(conflicts(&reading), ["name"]);
}

#[test]
fn two_ballots_that_did_not_know_of_each_other_count_as_none_until_cast_again() {
    let id = vote::poll_id(&poll("?"));
    let (mut laptop, mut phone) = twins(&Document::new(DocumentKind::Vote));
    write(&mut laptop, 1, |tx| vote::put_ballot(tx, id, &ballot(0, 5)));
    write(&mut phone, 2, |tx| vote::put_ballot(tx, id, &ballot(1, 6)));
    let apart = laptop.heads();
    meet(&mut laptop, &mut phone);
    assert_eq!(vote::ballot_at(&phone, id, None), vote::BallotReading::Several);
    let together = laptop.heads();
    for (device, by) in [(&mut laptop, 1), (&mut phone, 2)] {
        write(device, by, |tx| vote::put_ballot(tx, id, &ballot(0, 7))).unwrap();
        let one = vote::BallotReading::One(ballot(0, 7));
        assert_eq!(vote::ballot_at(device, id, None), one);
        assert_eq!(
            vote::ballot_at(device, id, Some(&together)),
            vote::BallotReading::Several
        );
    }
    let one = vote::BallotReading::One(ballot(0, 5));
    assert_eq!(vote::ballot_at(&laptop, id, Some(&apart)), one);
}

#[test]
fn the_same_ballot_cast_twice_at_once_settles_when_it_is_cast_again() {
    let id = vote::poll_id(&poll("?"));
    let (mut laptop, mut phone) = twins(&Document::new(DocumentKind::Vote));
    write(&mut laptop, 1, |tx| vote::put_ballot(tx, id, &ballot(0, 5)));
    write(&mut phone, 2, |tx| vote::put_ballot(tx, id, &ballot(0, 5)));
    meet(&mut laptop, &mut phone);
    assert_eq!(vote::ballot_at(&phone, id, None), vote::BallotReading::Several);
    write(&mut phone, 2, |tx| vote::put_ballot(tx, id, &ballot(0, 5))).unwrap();
    assert_eq!(
        vote::ballot_at(&phone, id, None),
        vote::BallotReading::One(ballot(0, 5))
    );
}

#[test]
fn a_close_and_a_poll_cannot_be_taken_back() {
    let mut document = Document::new(DocumentKind::Vote);
    let record = poll("A bench?");
    let id = vote::poll_id(&record);
    write(&mut document, 1, |tx| {
        vote::add_poll(tx, &record)?;
        vote::add_close(tx, &close(id, 1))
    });
    // Deletes both, signs another close instead, and writes a poll over the first.
    write(&mut document, 1, |tx| {
        let polls = genesis::object(DocumentKind::Vote, "polls");
        let closes = genesis::object(DocumentKind::Vote, "closes");
        let keys: Vec<String> = tx.keys(&closes).collect();
        for key in keys {
            tx.delete(&closes, key)?;
        }
        tx.put(&polls, id.to_string(), vec![1_u8])?;
        tx.delete(automerge::ROOT, "closes")?;
        vote::add_close(tx, &close(id, 2))
    });
    let polls = vote::polls(&document, person(1));
    assert_eq!(polls.value, BTreeMap::from([(id, record)]));
    let mut closes = vote::closes(&document).value.remove(&id).unwrap();
    closes.sort_by_key(|close| close.cut.clone());
    assert_eq!(closes, [close(id, 1), close(id, 2)]);
}

fn with_task() -> Document {
    let mut document = Document::new(DocumentKind::Board);
    let draft = TaskDraft {
        title: "Ask".to_owned(),
        ..TaskDraft::default()
    };
    write(&mut document, 1, |tx| board::add_task(tx, task_id(1), &draft));
    document
}

fn the_task(document: &Document) -> Task {
    board::read(document, None).value.remove(0)
}

#[test]
fn a_task_done_by_one_and_edited_by_another_is_done_and_edited() {
    let (mut a, mut b) = twins(&with_task());
    write(&mut a, 1, |tx| board::set_state(tx, task_id(1), TaskState::Done));
    write(&mut b, 2, |tx| {
        board::set_title(tx, task_id(1), "Ask the city")?;
        board::set_notes(tx, task_id(1), "by phone")?;
        board::set_assignee(tx, task_id(1), person(2), true)
    });
    meet(&mut a, &mut b);
    let task = the_task(&a);
    assert_eq!(
        (task.state, task.title.as_str()),
        (TaskState::Done, "Ask the city")
    );
    assert_eq!(
        (task.notes.as_str(), task.assignees),
        ("by phone", BTreeSet::from([person(2)]))
    );
    assert_eq!(board::read(&a, None).oddities, []);
}

#[test]
fn done_beats_reopened_only_where_neither_knew() {
    let mut document = with_task();
    write(&mut document, 1, |tx| {
        board::set_state(tx, task_id(1), TaskState::Done)
    });
    // Reopened with knowledge of it.
    write(&mut document, 2, |tx| {
        board::set_state(tx, task_id(1), TaskState::Open)
    });
    assert_eq!(the_task(&document).state, TaskState::Open);
    // Done by one; done and opened again by another who did not know of that. Whichever of the two Automerge would take.
    for steps in [1, 3] {
        let (mut a, mut b) = twins(&document);
        for n in 0..3 {
            let state = [TaskState::Done, TaskState::Open][n % 2];
            if n < 2 {
                write(&mut a, 3, |tx| board::set_state(tx, task_id(1), state)).unwrap();
            }
            if n < steps {
                write(&mut b, 4, |tx| board::set_state(tx, task_id(1), state)).unwrap();
            }
        }
        assert_eq!(
            (the_task(&a).state, the_task(&b).state),
            (TaskState::Open, TaskState::Done)
        );
        meet(&mut a, &mut b);
        assert_eq!(the_task(&a).state, TaskState::Done);
        assert_eq!(the_task(&b).state, TaskState::Done);
        // Said again by somebody who saw both: now it is opened.
        write(&mut a, 5, |tx| board::set_state(tx, task_id(1), TaskState::Open));
        assert_eq!(the_task(&a).state, TaskState::Open);
    }
}

#[test]
fn who_is_at_a_task_is_passed_by_who_has_done_it() {
    for (one, other, read) in [
        (TaskState::Doing, TaskState::Open, TaskState::Doing),
        (TaskState::Doing, TaskState::Done, TaskState::Done),
    ] {
        let (mut a, mut b) = twins(&with_task());
        write(&mut a, 1, |tx| board::set_state(tx, task_id(1), one));
        write(&mut b, 2, |tx| board::set_state(tx, task_id(1), other));
        meet(&mut a, &mut b);
        assert_eq!((the_task(&a).state, the_task(&b).state), (read, read));
    }
}

#[test]
fn done_said_again_over_two_that_said_so_is_a_word_of_its_own() {
    let (mut a, mut b) = twins(&with_task());
    write(&mut a, 3, |tx| board::set_state(tx, task_id(1), TaskState::Done));
    write(&mut b, 4, |tx| board::set_state(tx, task_id(1), TaskState::Done));
    let mut c = b.clone();
    meet(&mut a, &mut b);
    // One who knows both says so again; another, who knows one of them, opens it.
    write(&mut a, 3, |tx| board::set_state(tx, task_id(1), TaskState::Done));
    write(&mut c, 5, |tx| board::set_state(tx, task_id(1), TaskState::Open));
    meet(&mut a, &mut c);
    assert_eq!(the_task(&a).state, TaskState::Done);
}

#[test]
fn a_poll_of_somebody_else_or_of_no_sense_is_passed_over() {
    let mut document = Document::new(DocumentKind::Vote);
    let mut senseless = poll("x");
    senseless.method = Method::Approval;
    senseless.options = vec![];
    write(&mut document, 1, |tx| {
        vote::add_poll(tx, &poll("?"))?;
        vote::add_poll(tx, &senseless).map(drop)
    });
    let reading = vote::polls(&document, person(1));
    assert_eq!((reading.value.len(), reading.oddities.len()), (1, 1));
    let reading = vote::polls(&document, person(2));
    assert_eq!((reading.value.len(), reading.oddities.len()), (0, 2));
}

fn paragraph() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab🪑é\u{301}\n ]{0,6}", 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the texts, the text is then the new one, and what two people appended at both ends is all there.
    #[test]
    fn a_text_becomes_the_new_one(texts in proptest::collection::vec(paragraph(), 1..6)) {
        let mut document = Document::new(DocumentKind::Proposal);
        for text in texts {
            write(&mut document, 1, |tx| proposal::set_body(tx, &text));
            prop_assert_eq!(&proposal::read(&document, idea(1)).value.body, &text);
            let (mut a, mut b) = twins(&document);
            write(&mut a, 2, |tx| proposal::set_body(tx, &format!("BEFORE{text}")));
            write(&mut b, 3, |tx| proposal::set_body(tx, &format!("{text}AFTER")));
            meet(&mut a, &mut b);
            let body = proposal::read(&a, idea(1)).value.body;
            if text.is_empty() {
                prop_assert!(body == "BEFOREAFTER" || body == "AFTERBEFORE");
            } else {
                prop_assert_eq!(body, format!("BEFORE{text}AFTER"));
            }
        }
    }
}

#[test]
fn a_long_text_written_anew_is_one_splice_and_takes_no_time() {
    let mut document = Document::new(DocumentKind::Proposal);
    let old = "abcdefgh ".repeat(20_000);
    let new: String = "ijkl mnop ".repeat(20_000);
    write(&mut document, 1, |tx| proposal::set_body(tx, &old));
    write(&mut document, 1, |tx| {
        proposal::set_body(tx, &format!("Kept {new}"))
    });
    assert_eq!(
        proposal::read(&document, idea(1)).value.body,
        format!("Kept {new}")
    );
}

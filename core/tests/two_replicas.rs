//! Two replicas in memory, joined by a session without a network: the thinnest path through everything pure.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod common;

use common::{NOW, Neighbour, sync};
use kiez_core::domain::poll::{Method, PollState};
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::replica::hold::Replica;

#[test]
fn two_neighbours_found_write_vote_and_have_the_same() {
    let now = NOW;
    let mut anna = Neighbour::new(1);
    let mut ben = Neighbour::new(2);
    let mut a = anna.found();
    a.describe_group("Zawodzie", "Our quarter", now).unwrap();
    a.set_profile_name("Anna", now).unwrap();
    let idea = a
        .add_idea(
            &Draft {
                title: "Benches".into(),
                body: "Two benches by the lime tree.".into(),
                ..Draft::default()
            },
            now,
            &mut anna.rng,
        )
        .unwrap();

    // Ben joins.
    let mut b = ben.join(&mut a, &mut anna);
    assert_eq!(b.info().unwrap().name, "Zawodzie");
    b.set_profile_name("Ben", now).unwrap();

    // Apart: both edit the same paragraph, both add tasks.
    a.edit_idea(idea, "Two green benches by the lime tree.", now)
        .unwrap();
    b.edit_idea(idea, "Two benches by the old lime tree.", now)
        .unwrap();
    let task = b
        .add_task(
            Some(idea),
            &TaskDraft {
                title: "Ask the city".into(),
                ..TaskDraft::default()
            },
            now,
            &mut ben.rng,
        )
        .unwrap();
    a.add_task(
        None,
        &TaskDraft {
            title: "Print leaflets".into(),
            ..TaskDraft::default()
        },
        now,
        &mut anna.rng,
    )
    .unwrap();
    b.comment(idea, "Good!", now, &mut ben.rng).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(a.digest().unwrap(), b.digest().unwrap());
    assert_eq!(
        a.idea(idea).unwrap().body,
        "Two green benches by the old lime tree."
    );
    assert_eq!(a.name_of(ben.me.person).unwrap().as_deref(), Some("Ben"));

    // A vote on each side.
    let poll = a.open_poll(idea, Method::YesNo, vec![], now).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.cast(poll, &["yes".into()], now).unwrap();
    b.cast(poll, &["no".into()], now).unwrap();
    b.cast(poll, &["yes".into()], now).unwrap();
    b.set_task_state(Some(idea), task, TaskState::Done, now).unwrap();
    assert!(b.close_poll(poll, now).is_err(), "Ben does not count this vote");
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.close_poll(poll, now).unwrap();
    assert!(a.cast(poll, &["no".into()], now).is_err(), "the vote is closed");
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let result = a.poll_outcome(poll).unwrap();
    assert_eq!(result, b.poll_outcome(poll).unwrap());
    assert_eq!(
        (result.state, result.eligible, result.cast),
        (PollState::Closed, 2, 2)
    );
    assert_eq!(result.tally.unwrap().counts, [2, 0, 0]);
    assert_eq!(a.tasks(Some(idea)).unwrap()[0].state, TaskState::Done);
    assert_eq!(
        sync(&mut a, &mut anna, &mut b, &mut ben) / 1024,
        1,
        "nothing new costs a greeting"
    );

    // From the raw entries alone.
    let digest = a.digest().unwrap();
    a.rebuild().unwrap();
    assert_eq!(a.digest().unwrap(), digest);
    let b = Replica::open(b.into_storage()).unwrap().digest().unwrap();
    assert_eq!(b, digest);
}

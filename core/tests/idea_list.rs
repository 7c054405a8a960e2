//! The list of ideas says of each when something was last done about it, how many comments it has, how its text begins, and
//! whether somebody else has done something that came here since the last visit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

mod common;

use std::collections::BTreeMap;

use common::{Neighbour, idea, sync};
use kiez_core::domain::id::{ProposalId, Timestamp};
use kiez_core::domain::poll::Method;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::host::store::{GroupStore, IdeaRow, Store};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Replica, ReplicaError};
use kiez_core::replica::memory::MemoryStorage;

/// Anna founds the group and keeps it in a store; Ben is with her.
struct Two {
    anna: Neighbour,
    at_anna: Replica<GroupStore>,
    ben: Neighbour,
    at_ben: Replica<MemoryStorage>,
}

impl Two {
    fn new() -> Self {
        let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
        let store = Store::in_memory().unwrap();
        let mut at_anna = anna.found_in(store.group(None));
        let at_ben = ben.join(&mut at_anna, &mut anna);
        Self {
            anna,
            at_anna,
            ben,
            at_ben,
        }
    }

    fn meet(&mut self) {
        sync(&mut self.at_anna, &mut self.anna, &mut self.at_ben, &mut self.ben);
    }

    fn list(&mut self) -> BTreeMap<ProposalId, IdeaRow> {
        let read = |replica: &mut Replica<GroupStore>| Ok::<_, ReplicaError>(replica.storage().ideas()?);
        let rows = self.at_anna.with_fresh_views(read).unwrap();
        rows.into_iter().map(|row| (row.id, row)).collect()
    }

    fn visit(&self) {
        self.at_anna.storage().set_visit(at(0)).unwrap();
    }

    /// Which ideas Anna has not seen as they are.
    fn unread(&mut self) -> Vec<ProposalId> {
        let list = self.list().into_values().filter(|row| row.unread);
        list.map(|row| row.id).collect()
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp(second * 1_000)
}

#[test]
fn whatever_somebody_else_does_about_an_idea_makes_it_unread_until_the_next_visit() {
    let mut two = Two::new();
    let own = two
        .at_anna
        .add_idea(&idea("Benches"), at(1), &mut two.anna.rng)
        .unwrap();
    let other = two
        .at_ben
        .add_idea(&idea("Trees"), at(2), &mut two.ben.rng)
        .unwrap();
    two.meet();
    assert_eq!(two.unread(), [other], "what she wrote herself is not new to her");

    let draft = TaskDraft {
        title: "Measure".to_owned(),
        ..TaskDraft::default()
    };
    let (mut poll, mut task) = (None, None);
    for step in 0..6 {
        two.visit();
        assert_eq!(two.unread(), [], "before step {step}");
        match step {
            0 => two.at_ben.edit_idea(own, "Green.", at(3)).unwrap(),
            // By a clock that is far behind: what counts is when it came.
            1 => drop(two.at_ben.comment(own, "Good!", at(0), &mut two.ben.rng).unwrap()),
            2 => poll = Some(two.at_ben.open_poll(own, Method::YesNo, vec![], at(4)).unwrap()),
            3 => two.at_ben.close_poll(poll.unwrap(), at(5)).unwrap(),
            4 => {
                let added = two.at_ben.add_task(Some(own), &draft, at(6), &mut two.ben.rng);
                task = Some(added.unwrap());
            }
            _ => two
                .at_ben
                .set_task_state(Some(own), task.unwrap(), TaskState::Done, at(7))
                .unwrap(),
        }
        assert_eq!(two.unread(), [], "step {step} is not here yet");
        two.meet();
        assert_eq!(two.unread(), [own], "after step {step}");
    }
    // In the same documents as what was seen: only what came since makes an idea unread.
    two.visit();
    two.at_ben
        .comment(other, "Me too.", at(8), &mut two.ben.rng)
        .unwrap();
    two.at_ben.open_poll(other, Method::YesNo, vec![], at(9)).unwrap();
    two.meet();
    assert_eq!(two.unread(), [other]);
}

#[test]
fn what_this_person_does_and_what_concerns_no_idea_leaves_all_as_seen() {
    let mut two = Two::new();
    let benches = two
        .at_ben
        .add_idea(&idea("Benches"), at(1), &mut two.ben.rng)
        .unwrap();
    two.meet();
    two.visit();
    two.at_anna.edit_idea(benches, "Green.", at(2)).unwrap();
    two.at_anna
        .comment(benches, "Good!", at(3), &mut two.anna.rng)
        .unwrap();
    let poll = two
        .at_anna
        .open_poll(benches, Method::YesNo, vec![], at(4))
        .unwrap();
    two.at_ben.set_profile_name("Ben", at(5)).unwrap();
    let general = TaskDraft {
        title: "Tidy up".to_owned(),
        ..TaskDraft::default()
    };
    two.at_ben
        .add_task(None, &general, at(6), &mut two.ben.rng)
        .unwrap();
    two.meet();
    // A ballot says nothing that is to be read.
    two.at_ben.remember_poll(poll, two.anna.me.person);
    two.at_ben.cast(poll, &["yes".to_owned()], at(7)).unwrap();
    two.meet();
    assert_eq!(two.unread(), []);
    assert_eq!(two.list()[&benches].changed_at, at(4));
}

#[test]
fn the_last_thing_done_about_an_idea_is_when_it_changed() {
    let mut two = Two::new();
    let mut draft = idea("Benches");
    draft.body = "Two,\n\nby the tree.".to_owned();
    let benches = two.at_anna.add_idea(&draft, at(1), &mut two.anna.rng).unwrap();
    let trees = two
        .at_anna
        .add_idea(&idea("Trees"), at(2), &mut two.anna.rng)
        .unwrap();
    let told = |two: &mut Two| {
        let row = two.list()[&benches].clone();
        (row.changed_at, row.comments, row.first_words)
    };
    assert_eq!(told(&mut two), (at(1), 0, "Two, by the tree.".to_owned()));
    two.meet();
    two.at_ben
        .comment(benches, "Good!", at(9), &mut two.ben.rng)
        .unwrap();
    two.at_ben
        .comment(benches, "Very!", at(8), &mut two.ben.rng)
        .unwrap();
    two.at_ben.comment(trees, "No.", at(7), &mut two.ben.rng).unwrap();
    two.at_anna
        .comment(benches, "Thanks.", at(5), &mut two.anna.rng)
        .unwrap();
    two.meet();
    assert_eq!(told(&mut two), (at(9), 3, "Two, by the tree.".to_owned()));
    assert_eq!(two.list()[&trees].comments, 1);
    two.at_anna.edit_idea(benches, "Three.", at(10)).unwrap();
    assert_eq!(told(&mut two), (at(10), 3, "Three.".to_owned()));
    let poll = two
        .at_ben
        .open_poll(trees, Method::YesNo, vec![], at(11))
        .unwrap();
    two.meet();
    assert_eq!(two.list()[&trees].changed_at, at(11));
    two.at_ben.close_poll(poll, at(12)).unwrap();
    two.meet();
    assert_eq!(two.list()[&trees].changed_at, at(12));

    // A device that reads all of it at once lists the same.
    let keys = two.at_anna.keys().iter().cloned().collect();
    let bundle = two.at_anna.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let fresh = Store::in_memory().unwrap().group(None);
    let fresh = Replica::from_bundle(fresh, two.at_anna.group(), keys, &bundle).unwrap();
    let listed = two.list();
    two.at_anna = fresh;
    let anew = two.list().into_iter().map(|(id, row)| {
        let unread = listed[&id].unread;
        (id, IdeaRow { unread, ..row })
    });
    assert_eq!(anew.collect::<BTreeMap<_, _>>(), listed);
}

//! Who is to sign a motion to erase is told what would be left; and how much came too late is told afterwards.

use std::collections::BTreeSet;

use kiez_core::domain::control::{CouncilAct, Erasure};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber};
use kiez_core::replica::entry::Entry;
use kiez_core::replica::erase_view::{Aspect, Left, Outlook, TooLate};
use kiez_core::replica::storage::{self, Storage};

use super::common::{NOW, Neighbour, signing, sync};
use super::two::Two;
use super::{Held, propose_apart, second_steward};

fn outlook(replica: &mut Held, motion: EntryId) -> Outlook {
    replica.outlook(motion).unwrap().unwrap()
}

/// The text that would be left, and in what it differs.
fn left(outlook: &Outlook) -> (String, Vec<Aspect>) {
    let Left::Reads { idea, differs } = &outlook.left else {
        panic!("{:?}", outlook.left);
    };
    (
        idea.as_ref().unwrap().body.clone(),
        differs.iter().copied().collect(),
    )
}

/// Anna proposes to erase what stood in the idea; Carla is the other steward and knows of it.
fn proposed(seed: u64) -> (Two, Neighbour, Held, EntryId) {
    let mut two = Two::new(seed);
    let (mut carla, mut c) = second_steward(&mut two);
    two.a.edit_idea(two.idea, "Call Frieda", NOW).unwrap();
    let document = DocumentId::Proposal(two.idea);
    let motion = two.a.propose_erasure(document, "a number", NOW).unwrap();
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    (two, carla, c, motion)
}

#[test]
fn who_is_to_sign_reads_what_would_be_left_and_what_has_changed_since() {
    let (mut two, mut carla, mut c, motion) = proposed(21);
    let seen = outlook(&mut c, motion);
    assert_eq!(
        (seen.document, seen.entries, seen.later),
        (DocumentId::Proposal(two.idea), 3, 0)
    );
    assert_eq!(left(&seen), ("Call Frieda".to_owned(), vec![]));
    assert_eq!(
        outlook(&mut two.a, motion),
        seen,
        "who proposed it is told the same"
    );
    // Ben writes on before it is carried.
    two.b.edit_idea(two.idea, "Call Frieda at noon", NOW).unwrap();
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    let seen = outlook(&mut c, motion);
    assert_eq!(left(&seen), ("Call Frieda".to_owned(), vec![Aspect::Text]));
    assert_eq!((seen.entries, seen.later), (3, 1));
    assert_eq!(c.too_late(carla.me.person).unwrap().len(), 0);
    // It is said, and nothing is refused.
    c.sign(motion).unwrap();
    assert_eq!(c.outlook(motion).unwrap(), None, "it has taken effect");
    assert_eq!(c.idea(two.idea).unwrap().body, "Call Frieda");
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    two.sync();
    let late = |replica: &Held, me| replica.too_late(me).unwrap()[&DocumentId::Proposal(two.idea)];
    assert_eq!(late(&two.b, two.ben.me.person), TooLate { all: 1, mine: 1 });
    assert_eq!(late(&c, carla.me.person), TooLate { all: 1, mine: 0 });
}

#[test]
fn where_nothing_is_said_to_be_left_that_is_told() {
    let mut two = Two::new(22);
    let (mut carla, mut c) = second_steward(&mut two);
    let document = DocumentId::Proposal(two.idea);
    let erasure = Erasure {
        document,
        entries: two.a.storage().entries_about(document).unwrap(),
        origin: None,
    };
    let motion = two
        .a
        .propose(CouncilAct::Erase(erasure), "trust me", NOW)
        .unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    assert_eq!(outlook(&mut c, motion).left, Left::Unknown, "it may come yet");
    two.a
        .comment(two.idea, "Sign it", NOW, &mut two.anna.rng)
        .unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    assert_eq!(outlook(&mut c, motion).left, Left::Nothing);
    c.sign(motion).unwrap();
    assert_eq!(
        c.idea(two.idea).map(|idea| idea.body).unwrap_or_default(),
        "",
        "as it was said"
    );
}

/// Entries of which each is signed, as no honest program does: then what is left can come later than the act.
fn alone(of: &Held, held: Vec<storage::Held>) -> Vec<(Entry, Option<Vec<u8>>)> {
    let signing = signing(of);
    let signed = held.into_iter().map(|held| held.entry.signed(&signing));
    signed.map(|entry| (entry, None)).collect()
}

#[test]
fn where_what_is_left_has_not_come_it_cannot_be_told() {
    let mut two = Two::new(23);
    let (_carla, mut c) = second_steward(&mut two);
    two.a.edit_idea(two.idea, "Call Frieda", NOW).unwrap();
    let motion = two
        .a
        .propose_erasure(DocumentId::Proposal(two.idea), "", NOW)
        .unwrap();
    let journal = two.a.own_journal().unwrap();
    let head = c.head(journal).map_or(EntryNumber(0), |head| head.0);
    let held = two.a.storage().entries(journal, head, usize::MAX).unwrap();
    let mut entries: Vec<_> = alone(&two.a, held);
    let rest = entries.pop().unwrap();
    c.receive(entries).unwrap();
    assert_eq!(outlook(&mut c, motion).left, Left::Unknown);
    c.receive(vec![rest]).unwrap();
    assert_eq!(left(&outlook(&mut c, motion)), ("Call Frieda".to_owned(), vec![]));
}

/// Who was removed without it has left it all the same, and that is told.
#[test]
fn what_somebody_left_who_has_gone_since_is_left() {
    let mut two = Two::new(29);
    let motion = two
        .b
        .propose_erasure(DocumentId::Proposal(two.idea), "", NOW)
        .unwrap();
    let journal = two.b.own_journal().unwrap();
    let head = two.a.head(journal).unwrap().0;
    let held = two.b.storage().entries(journal, head, usize::MAX).unwrap();
    let mut entries: Vec<_> = alone(&two.b, held);
    let rest = entries.pop().unwrap();
    two.a.receive(entries).unwrap();
    let membership = two.a.roster().membership(two.ben.me.person).unwrap();
    two.a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    two.a.receive(vec![rest]).unwrap();
    let body = two.b.idea(two.idea).unwrap().body;
    assert_eq!(left(&outlook(&mut two.a, motion)).0, body);
    two.a.rekey_if_due(&mut two.anna.rng).unwrap();
    two.a.sign(motion).unwrap();
    assert_eq!(two.a.idea(two.idea).unwrap().body, body, "as it was said");
}

#[test]
fn a_motion_that_comes_behind_a_later_one_changes_nothing_that_is_read() {
    let (mut two, mut carla, mut c, first) = proposed(24);
    two.a.edit_idea(two.idea, "Call her", NOW).unwrap();
    let document = DocumentId::Proposal(two.idea);
    let second = two.a.propose_erasure(document, "and a name", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    assert_eq!(
        left(&outlook(&mut c, first)),
        ("Call Frieda".to_owned(), vec![Aspect::Text])
    );
    assert_eq!(outlook(&mut c, first).later, 1, "what was written since");
    assert_eq!(left(&outlook(&mut c, second)), ("Call her".to_owned(), vec![]));
    c.sign(second).unwrap();
    let seen = outlook(&mut c, first);
    assert_eq!((left(&seen), seen.later), (("Call her".to_owned(), vec![]), 0));
    c.sign(first).unwrap();
    assert_eq!(c.idea(two.idea).unwrap().body, "Call her");
}

#[test]
fn of_motions_apart_each_is_told_as_it_would_come_out() {
    for seed in [25, 26, 27] {
        let mut two = Two::new(seed);
        let (mut carla, mut c) = second_steward(&mut two);
        let (by_anna, by_carla) = propose_apart(&mut two, &mut c);
        sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
        for motion in [by_anna, by_carla] {
            let seen = outlook(&mut c, motion);
            let told = left(&seen).0;
            let signer = if motion == by_anna { &mut c } else { &mut two.a };
            signer.sign(motion).unwrap();
            sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
            assert_eq!(c.idea(two.idea).unwrap().body, told);
        }
    }
}

#[test]
fn what_is_left_of_a_board_is_compared_as_a_whole() {
    let mut two = Two::new(28);
    let (mut carla, mut c) = second_steward(&mut two);
    let board = DocumentId::GENERAL_BOARD;
    let task = kiez_core::domain::task::TaskDraft {
        title: "Ask the city".to_owned(),
        ..Default::default()
    };
    two.a.add_task(None, &task, NOW, &mut two.anna.rng).unwrap();
    let motion = two.a.propose_erasure(board, "", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    let reads = |differs| Left::Reads { idea: None, differs };
    assert_eq!(outlook(&mut c, motion).left, reads(BTreeSet::new()));
    c.add_task(None, &task, NOW, &mut carla.rng).unwrap();
    let seen = outlook(&mut c, motion);
    assert_eq!(
        (seen.left, seen.later),
        (reads(BTreeSet::from([Aspect::Other])), 1)
    );
}

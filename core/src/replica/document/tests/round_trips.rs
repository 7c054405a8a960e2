//! What a writer wrote, the reader reads; what says nothing new writes nothing; what is refused leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::comment::Comment;
use crate::domain::cost::Cost;
use crate::domain::id::{CommentId, EntryId, EntryNumber, PollId};
use crate::domain::poll::{Ballot, Close, Method, PollRecord, YES_NO_OPTIONS};
use crate::domain::proposal::{Draft, Proposal};
use crate::domain::task::{Task, TaskDraft, TaskState};
use crate::replica::limits::{BODY_BYTES_MAX, COMMENT_BYTES_MAX, LINE_BYTES_MAX};

pub(super) fn poll(question: &str) -> PollRecord {
    PollRecord {
        question: question.to_owned(),
        ..crate::domain::poll::tests::record(Method::YesNo, &YES_NO_OPTIONS)
    }
}

pub(super) fn ballot(choice: u16, at: u64) -> Ballot {
    Ballot {
        choices: vec![choice],
        at: Timestamp(at),
    }
}

pub(super) fn close(poll: PollId, n: u8) -> Close {
    Close {
        poll,
        cut: BTreeMap::from([(journal(n), (EntryNumber(3), EntryId([n; 32])))]),
        roster: vec![EntryId([9; 32])],
        at: AT,
    }
}

/// Nothing odd, and the same after a save.
fn quiet<T: PartialEq + std::fmt::Debug>(document: &Document, read: impl Fn(&Document) -> Reading<T>) -> T {
    let reading = read(document);
    assert_eq!(reading.oddities, []);
    let loaded = Document::load(document.kind(), &document.save()).unwrap();
    assert_eq!(read(&loaded), reading);
    assert_eq!(loaded.heads(), document.heads());
    assert_eq!(loaded.sequences, document.sequences);
    reading.value
}

#[test]
fn a_group() {
    let mut document = Document::new(DocumentKind::Group);
    assert_eq!(quiet(&document, group::read), group::GroupInfo::default());
    write(&mut document, 1, |tx| {
        group::set_name(tx, "Zawodzie")?;
        group::set_purpose(tx, "Benches,\nand shade")
    });
    let info = quiet(&document, group::read);
    assert_eq!(
        (info.name.as_str(), info.purpose.as_str()),
        ("Zawodzie", "Benches,\nand shade")
    );
    assert!(write(&mut document, 1, |tx| group::set_name(tx, "Zawodzie")).is_none());
    let change = write(&mut document, 2, |tx| group::set_name(tx, "Zawodzie II")).unwrap();
    assert_eq!((change.len(), change.seq()), (1, 1));
}

#[test]
fn an_own_page() {
    let mut document = Document::new(DocumentKind::Own);
    let read = |document: &Document| own::read(document, person(7));
    assert_eq!(quiet(&document, read), own::OwnPage::default());
    let (late, early) = (CommentId([1; 16]), CommentId([2; 16]));
    write(&mut document, 1, |tx| {
        own::set_profile_name(tx, "Ada")?;
        own::add_comment(tx, late, idea(1), "Second", Timestamp(2_000))?;
        own::add_comment(tx, early, idea(2), "First", Timestamp(1_000))
    });
    let comment = |id, about, text: &str, at| Comment {
        id,
        author: person(7),
        about,
        text: text.to_owned(),
        at: Timestamp(at),
    };
    let page = quiet(&document, read);
    assert_eq!(page.name.as_deref(), Some("Ada"));
    assert_eq!(
        page.comments,
        [
            comment(early, idea(2), "First", 1_000),
            comment(late, idea(1), "Second", 2_000)
        ]
    );
    let again = document.write(journal(1), AT, |tx| own::add_comment(tx, late, idea(1), "x", AT));
    assert!(matches!(again, Err(WriteError::Taken { what: "comment", .. })));
    let heads = document.heads();
    let empty = document.write(journal(3), AT, |tx| {
        own::add_comment(tx, CommentId([3; 16]), idea(1), " \n", AT)
    });
    assert_eq!(empty, Err(WriteError::Empty { field: "the comment" }));
    let long = "x".repeat(COMMENT_BYTES_MAX + 1);
    let long = document.write(journal(3), AT, |tx| {
        own::add_comment(tx, CommentId([3; 16]), idea(1), &long, AT)
    });
    assert!(matches!(long, Err(WriteError::TooLong { .. })));
    assert_eq!(document.heads(), heads);
}

#[test]
fn a_vote_document() {
    let mut document = Document::new(DocumentKind::Vote);
    let record = poll("A bench?");
    let ((id, other), _) = document
        .write(journal(1), AT, |tx| {
            Ok((vote::add_poll(tx, &record)?, vote::add_poll(tx, &poll("Two?"))?))
        })
        .unwrap();
    assert_eq!(
        (id, other),
        (vote::poll_id(&record), vote::poll_id(&poll("Two?")))
    );
    let polls = quiet(&document, |document| vote::polls(document, person(1)));
    assert_eq!(
        polls,
        BTreeMap::from([(id, record.clone()), (other, poll("Two?"))])
    );
    assert!(
        write(&mut document, 1, |tx| vote::add_poll(tx, &record).map(drop)).is_none(),
        "a poll that is open already is not opened again"
    );

    assert_eq!(vote::ballot_at(&document, id, None), vote::BallotReading::None);
    write(&mut document, 1, |tx| vote::put_ballot(tx, id, &ballot(0, 1)));
    let first = document.heads();
    assert!(write(&mut document, 1, |tx| vote::put_ballot(tx, id, &ballot(0, 2))).is_none());
    write(&mut document, 2, |tx| vote::put_ballot(tx, id, &ballot(1, 3))).unwrap();
    let one = |choice, at| vote::BallotReading::One(ballot(choice, at));
    assert_eq!(vote::ballot_at(&document, id, None), one(1, 3));
    assert_eq!(vote::ballot_at(&document, id, Some(&first)), one(0, 1));
    let unknown = [ChangeId([7; 32])];
    assert_eq!(
        vote::ballot_at(&document, id, Some(&unknown)),
        vote::BallotReading::None
    );
    assert_eq!(quiet(&document, vote::ballots), BTreeMap::from([(id, one(1, 3))]));

    let (a, b) = (close(id, 1), close(id, 2));
    write(&mut document, 1, |tx| {
        vote::add_close(tx, &a)?;
        vote::add_close(tx, &a)?;
        vote::add_close(tx, &close(other, 1))?;
        vote::add_close(tx, &b)
    });
    let closes = quiet(&document, vote::closes);
    assert_eq!(
        closes.keys().collect::<BTreeSet<_>>(),
        BTreeSet::from([&id, &other])
    );
    assert_eq!(closes[&id].len(), 2);
    assert!(closes[&id].contains(&a) && closes[&id].contains(&b));
}

#[test]
fn an_idea() {
    let mut document = Document::new(DocumentKind::Proposal);
    let read = |document: &Document| proposal::read(document, idea(1));
    assert_eq!(quiet(&document, read).title, "");
    let draft = Draft {
        title: "A bench 🪑".to_owned(),
        body: "Under the old chestnut.\nFor everybody.".to_owned(),
        cost: Some(Cost::new(1200).unwrap()),
        place: Some("50.2599,19.0389".parse().unwrap()),
        categories: vec!["green".to_owned(), "rest".to_owned()],
        targets: vec!["seniors".to_owned()],
    };
    write(&mut document, 1, |tx| proposal::create(tx, &draft));
    let proposal = quiet(&document, read);
    let expected = Proposal {
        id: idea(1),
        title: draft.title.clone(),
        body: draft.body.clone(),
        cost: draft.cost,
        place: draft.place,
        categories: draft.categories.clone(),
        targets: draft.targets.clone(),
    };
    assert_eq!(proposal, expected);
    assert!(write(&mut document, 2, |tx| proposal::create(tx, &draft)).is_none());

    let then = document.heads();
    let change = write(&mut document, 2, |tx| {
        proposal::set_body(tx, "Under the young chestnut.\nFor everybody.")
    });
    assert!(change.unwrap().len() <= 8, "only the changed letters");
    write(&mut document, 2, |tx| {
        proposal::set_cost(tx, None)?;
        proposal::set_place(tx, None)?;
        proposal::set_category(tx, "rest", false)?;
        proposal::set_category(tx, "never there", false)?;
        proposal::set_target(tx, "children", true)
    });
    let proposal = quiet(&document, read);
    assert_eq!(proposal.body, "Under the young chestnut.\nFor everybody.");
    assert_eq!((proposal.cost, proposal.place), (None, None));
    assert_eq!(proposal.categories, ["green"]);
    assert_eq!(proposal.targets, ["children", "seniors"]);
    assert_eq!(proposal::read_body_at(&document, &then).unwrap(), draft.body);
    assert_eq!(proposal::read_title_at(&document, &then).unwrap(), draft.title);
    assert_eq!(
        proposal::read_body_at(&document, &[ChangeId([1; 32])]),
        Err(DocumentError::UnknownHead(ChangeId([1; 32])))
    );
}

#[test]
fn a_splice_counts_as_a_web_page_does() {
    let mut document = Document::new(DocumentKind::Proposal);
    write(&mut document, 1, |tx| proposal::set_body(tx, "a🪑b"));
    let body = |document: &Document| proposal::read(document, idea(1)).value.body;
    // JavaScript: "a🪑b".length === 4.
    write(&mut document, 1, |tx| proposal::splice_body(tx, 3, 1, "c"));
    assert_eq!(body(&document), "a🪑c");
    write(&mut document, 1, |tx| proposal::splice_body(tx, 1, 2, ""));
    assert_eq!(body(&document), "ac");
    write(&mut document, 1, |tx| proposal::splice_body(tx, 99, 99, "d"));
    assert_eq!(body(&document), "acd");
    write(&mut document, 1, |tx| {
        proposal::splice_body(tx, 0, usize::MAX, "")
    });
    assert_eq!(body(&document), "");
    assert!(write(&mut document, 1, |tx| proposal::splice_body(tx, 0, 7, "")).is_none());
}

#[test]
fn a_board() {
    let mut document = Document::new(DocumentKind::Board);
    let read = |document: &Document| board::read(document, Some(idea(1)));
    assert_eq!(quiet(&document, read), []);
    let draft = TaskDraft {
        title: "Ask the city".to_owned(),
        assignees: BTreeSet::from([person(1), person(2)]),
        due: Some("2026-12-01".parse().unwrap()),
    };
    write(&mut document, 1, |tx| board::add_task(tx, task_id(2), &draft));
    let other = TaskDraft {
        title: "Bake".to_owned(),
        ..TaskDraft::default()
    };
    write(&mut document, 1, |tx| board::add_task(tx, task_id(1), &other));
    let first = Task {
        id: task_id(2),
        idea: Some(idea(1)),
        title: draft.title.clone(),
        notes: String::new(),
        assignees: draft.assignees.clone(),
        due: draft.due,
        state: TaskState::Open,
    };
    let second = Task {
        id: task_id(1),
        title: other.title.clone(),
        assignees: BTreeSet::new(),
        due: None,
        ..first.clone()
    };
    assert_eq!(quiet(&document, read), [second.clone(), first]);
    write(&mut document, 2, |tx| {
        let id = task_id(2);
        board::set_state(tx, id, TaskState::Done)?;
        board::set_notes(tx, id, "Called on Monday")?;
        board::splice_notes(tx, id, 6, 0, " them")?;
        board::set_due(tx, id, None)?;
        board::set_title(tx, id, "Ask the city hall")?;
        board::set_assignee(tx, id, person(1), false)?;
        board::set_assignee(tx, id, person(3), true)
    });
    let changed = Task {
        id: task_id(2),
        idea: Some(idea(1)),
        title: "Ask the city hall".to_owned(),
        notes: "Called them on Monday".to_owned(),
        assignees: BTreeSet::from([person(2), person(3)]),
        due: None,
        state: TaskState::Done,
    };
    assert_eq!(quiet(&document, read), [second, changed]);
    assert!(
        write(&mut document, 3, |tx| board::set_state(
            tx,
            task_id(2),
            TaskState::Done
        ))
        .is_none()
    );
    let missing = document.write(journal(1), AT, |tx| {
        board::set_state(tx, task_id(9), TaskState::Done)
    });
    assert!(matches!(missing, Err(WriteError::NotFound { what: "task", .. })));
    let taken = document.write(journal(1), AT, |tx| board::add_task(tx, task_id(1), &other));
    assert!(matches!(taken, Err(WriteError::Taken { what: "task", .. })));
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let mut document = Document::new(DocumentKind::Proposal);
    write(&mut document, 1, |tx| proposal::set_title(tx, "A bench"));
    let (before, heads) = (document.save(), document.heads());
    // A journal that has written nothing, one that has; each after some of it was written.
    for by in [2, 1] {
        let refused = document.write(journal(by), AT, |tx| {
            proposal::set_body(tx, "Some text")?;
            proposal::set_category(tx, "green", true)?;
            proposal::set_title(tx, &"x".repeat(LINE_BYTES_MAX + 1))
        });
        assert!(matches!(refused, Err(WriteError::TooLong { .. })));
        assert_eq!(
            (document.heads(), document.save()),
            (heads.clone(), before.clone())
        );
    }
    let full = "x".repeat(BODY_BYTES_MAX);
    write(&mut document, 1, |tx| proposal::set_body(tx, &full)).unwrap();
    let refused = document.write(journal(1), AT, |tx| proposal::splice_body(tx, 5, 0, "y"));
    assert!(matches!(refused, Err(WriteError::TooLong { .. })));
    assert_eq!(proposal::read(&document, idea(1)).value.body, full);
    let change = write(&mut document, 1, |tx| proposal::splice_body(tx, 5, 1, "y")).unwrap();
    assert_eq!(change.seq(), 3, "refused changes take no number");
}

#[test]
fn a_change_is_raw_and_its_own() {
    let mut document = Document::new(DocumentKind::Proposal);
    let long = "The same words again. ".repeat(100);
    let ((), bytes) = document
        .write(journal(1), AT, |tx| proposal::set_body(tx, &long))
        .unwrap();
    let bytes = bytes.unwrap();
    let change = Change::try_from(&bytes[..]).unwrap();
    assert_eq!(bytes[8], 1, "chunk type 1: a change that is not compressed");
    assert_eq!(change.raw_bytes(), bytes);
    assert_eq!(change.actor_id().to_bytes(), journal(1).0);
    assert_eq!(change.timestamp(), 1_790_000_000);
    assert_eq!(change.deps(), [genesis(DocumentKind::Proposal).hash()]);
    assert!(change.extra_bytes().is_empty() && change.message().is_none());
    // Own previous change among the direct deps, also behind somebody else's.
    let mut other = Document::new(DocumentKind::Proposal);
    other.apply(document.changes()).unwrap();
    let second = write(&mut other, 2, |tx| proposal::set_title(tx, "A")).unwrap();
    document.apply(vec![second.clone()]).unwrap();
    let third = write(&mut document, 1, |tx| proposal::set_title(tx, "B")).unwrap();
    assert_eq!(
        third.deps().iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([&change.hash(), &second.hash()])
    );
    assert_eq!(third.start_op().get(), second.max_op() + 1);
}

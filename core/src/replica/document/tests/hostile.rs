//! Documents as a hostile or a newer member writes them: readers never panic, and what is honest is still read.

use automerge::transaction::Transactable;
use automerge::{ActorId, ObjId, ObjType, ROOT, ScalarValue};
use proptest::prelude::*;

use super::round_trips::{ballot, close, poll};
use super::*;
use crate::domain::id::CommentId;
use crate::domain::proposal::{Draft, TextField};
use crate::domain::task::{TaskDraft, TaskState};
use crate::replica::limits::{BODY_BYTES_MAX, LINE_BYTES_MAX, ODDITIES_MAX, TIMESTAMP_MAX, WORDS_MAX};

/// Changes a document past all writers.
fn tamper(document: &mut Document, by: u8, writer: impl FnOnce(&mut Transaction<'_>)) {
    write(document, by, |tx| {
        writer(tx);
        Ok(())
    });
}

/// Reads everything there is to read; gives how many oddities there were.
fn read_all(document: &Document) -> usize {
    let heads = document.heads();
    let id = vote::poll_id(&poll("?"));
    drop((traces(document, &BTreeMap::new()), states(document)));
    assert!(document.last_change() <= TIMESTAMP_MAX);
    match document.kind() {
        DocumentKind::Group => {
            drop(group::plates(document));
            group::read(document).oddities.len()
        }
        DocumentKind::Own => own::read(document, person(1)).oddities.len(),
        DocumentKind::Vote => {
            drop(vote::ballot_at(document, id, None));
            drop(vote::ballot_at(document, id, Some(&heads)));
            let counts = [
                vote::ballots(document).oddities.len(),
                vote::polls(document, person(1)).oddities.len(),
                vote::closes(document).oddities.len(),
            ];
            counts.into_iter().max().unwrap()
        }
        DocumentKind::Proposal => {
            proposal::read_body_at(document, &heads).unwrap();
            proposal::read_title_at(document, &heads).unwrap();
            drop(proposal::read_text(document, TextField::Body));
            proposal::read(document, idea(1)).oddities.len()
        }
        DocumentKind::Board => board::read(document, None).oddities.len(),
        DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => 0,
    }
}

const KINDS: [DocumentKind; 5] = [
    DocumentKind::Group,
    DocumentKind::Own,
    DocumentKind::Vote,
    DocumentKind::Proposal,
    DocumentKind::Board,
];

/// A document of each kind with something honest in it.
fn honest(kind: DocumentKind) -> Document {
    let mut document = Document::new(kind);
    write(&mut document, 1, |tx| match kind {
        DocumentKind::Group => group::set_name(tx, "Honest"),
        DocumentKind::Own => {
            own::set_profile_name(tx, "Honest")?;
            own::add_comment(tx, CommentId([1; 16]), idea(1), "Honest", AT)
        }
        DocumentKind::Vote => {
            let id = vote::add_poll(tx, &poll("?"))?;
            vote::add_close(tx, &close(id, 1))?;
            vote::put_ballot(tx, id, &ballot(0, 1))
        }
        DocumentKind::Proposal => proposal::create(
            tx,
            &Draft {
                title: "Honest".to_owned(),
                body: "Honest".to_owned(),
                categories: vec!["honest".to_owned()],
                ..Draft::default()
            },
        ),
        DocumentKind::Board => board::add_task(
            tx,
            task_id(1),
            &TaskDraft {
                title: "Honest".to_owned(),
                ..TaskDraft::default()
            },
        ),
        DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => Ok(()),
    });
    document
}

fn honest_is_read(document: &Document) -> bool {
    match document.kind() {
        DocumentKind::Group => group::read(document).value.name == "Honest",
        DocumentKind::Own => own::read(document, person(1))
            .value
            .comments
            .iter()
            .any(|comment| comment.text == "Honest"),
        DocumentKind::Vote => {
            let id = vote::poll_id(&poll("?"));
            vote::polls(document, person(1)).value.contains_key(&id)
                && vote::closes(document)
                    .value
                    .get(&id)
                    .is_some_and(|closes| closes.contains(&close(id, 1)))
        }
        DocumentKind::Proposal => {
            let proposal = proposal::read(document, idea(1)).value;
            proposal.title == "Honest" && proposal.categories.contains(&"honest".to_owned())
        }
        DocumentKind::Board => board::read(document, None)
            .value
            .iter()
            .any(|task| task.id == task_id(1) && task.title == "Honest"),
        DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => true,
    }
}

#[test]
fn deleting_or_replacing_the_roots_takes_nothing_away() {
    for kind in KINDS {
        let mut document = honest(kind);
        let fields = genesis::fields(kind);
        tamper(&mut document, 2, |tx| {
            for (index, (name, _)) in fields.iter().enumerate() {
                match index % 3 {
                    0 => tx.delete(ROOT, *name).unwrap(),
                    1 => tx.put(ROOT, *name, "replaced").unwrap(),
                    _ => drop(tx.put_object(ROOT, *name, ObjType::List).unwrap()),
                }
            }
            tx.delete(ROOT, "kind").unwrap();
        });
        assert!(honest_is_read(&document), "{}", kind.name());
        assert_eq!(read_all(&document), fields.len());
        // And it can still be written to, saved and loaded.
        let loaded = Document::load(kind, &document.save()).unwrap();
        assert!(honest_is_read(&loaded), "{}", kind.name());
        assert_eq!(read_all(&loaded), fields.len());
    }
    let mut document = honest(DocumentKind::Proposal);
    tamper(&mut document, 2, |tx| tx.delete(ROOT, "title").unwrap());
    write(&mut document, 1, |tx| proposal::set_title(tx, "Honest still")).unwrap();
    assert_eq!(proposal::read(&document, idea(1)).value.title, "Honest still");
}

#[test]
fn a_state_of_a_newer_version_is_passed_over_and_can_be_replaced() {
    let state = |document: &Document| board::read(document, None).value.remove(0).state;
    let newer = |document: &mut Document| {
        tamper(document, 2, |tx| {
            let tasks = genesis::object(DocumentKind::Board, "tasks");
            let (_, task) = tx.get(tasks, task_id(1).to_string()).unwrap().unwrap();
            tx.put(task, "state", "in review").unwrap();
        });
    };
    let mut document = honest(DocumentKind::Board);
    newer(&mut document);
    assert_eq!(state(&document), TaskState::Open);
    let reasons: Vec<_> = board::read(&document, None)
        .oddities
        .into_iter()
        .map(|oddity| oddity.reason)
        .collect();
    assert_eq!(reasons, [OddityReason::Invalid, OddityReason::Missing]);
    // What somebody says who did not know of it is read, and what is said after it replaces it.
    let mut apart = honest(DocumentKind::Board);
    newer(&mut apart);
    let mut other = honest(DocumentKind::Board);
    write(&mut other, 3, |tx| {
        board::set_state(tx, task_id(1), TaskState::Doing)
    });
    meet(&mut apart, &mut other);
    assert_eq!(state(&apart), TaskState::Doing);
    write(&mut document, 3, |tx| {
        board::set_state(tx, task_id(1), TaskState::Done)
    });
    assert_eq!(state(&document), TaskState::Done);
    assert_eq!(read_all(&document), 0);
}

/// What a hostile member may put where something else belongs.
fn junk() -> Vec<ScalarValue> {
    vec![
        ScalarValue::Null,
        ScalarValue::Boolean(false),
        ScalarValue::Int(i64::MIN),
        ScalarValue::Int(-1),
        ScalarValue::Uint(u64::MAX),
        ScalarValue::F64(f64::NAN),
        ScalarValue::F64(f64::INFINITY),
        ScalarValue::Timestamp(i64::MIN),
        ScalarValue::Timestamp(i64::MAX),
        ScalarValue::counter(i64::MAX),
        ScalarValue::Bytes(vec![]),
        ScalarValue::Bytes(vec![0xff; 4_000]),
        ScalarValue::Str("".into()),
        ScalarValue::Str("\u{0}\u{202e}".into()),
        ScalarValue::Str("ü".repeat(70_000).into()),
        ScalarValue::Unknown {
            type_code: 14,
            bytes: vec![1, 2, 3],
        },
    ]
}

/// Where there is something to spoil: fields of the root, of the genesis' maps, and of what is in them.
fn places(document: &Document) -> Vec<(ObjId, String)> {
    let mut places = vec![];
    let mut maps = vec![ROOT];
    maps.extend(
        genesis::fields(document.kind)
            .iter()
            .map(|(name, _)| genesis::object(document.kind, name)),
    );
    while let Some(map) = maps.pop() {
        let is_map = map == ROOT || document.doc.object_type(&map) == Ok(ObjType::Map);
        if !is_map {
            continue;
        }
        places.push((map.clone(), "new field".to_owned()));
        places.push((map.clone(), "A".repeat(32)));
        for item in document.doc.map_range(&map, ..) {
            places.push((map.clone(), item.key.to_string()));
            if map != ROOT {
                maps.push(item.id());
            }
        }
    }
    for scalar in ["name", "purpose", "cost", "place"] {
        places.push((ROOT, scalar.to_owned()));
    }
    places
}

#[test]
fn junk_in_every_place_is_named_and_passed_over() {
    for kind in KINDS {
        let clean = honest(kind);
        for (map, key) in places(&clean) {
            for value in junk() {
                let mut document = clean.clone();
                let put = value.clone();
                tamper(&mut document, 2, |tx| tx.put(&map, &key, put).unwrap());
                read_all(&document);
            }
            // Beside what somebody else puts there, and after a save.
            let mut document = clean.clone();
            tamper(&mut document, 2, |tx| tx.put(&map, &key, f64::NAN).unwrap());
            let mut beside = clean.clone();
            tamper(&mut beside, 3, |tx| tx.put(&map, &key, "other").unwrap());
            meet(&mut document, &mut beside);
            let loaded = Document::load(kind, &document.save()).unwrap();
            assert_eq!(read_all(&loaded), read_all(&document));
            for object in [ObjType::Map, ObjType::List, ObjType::Text] {
                let mut document = clean.clone();
                tamper(&mut document, 2, |tx| {
                    drop(tx.put_object(&map, &key, object).unwrap());
                });
                read_all(&document);
            }
        }
    }
}

#[test]
fn junk_that_would_win_does_not_hide_what_is_honest() {
    let fields: [(DocumentKind, &[&str]); 4] = [
        (DocumentKind::Group, &["name"]),
        (
            DocumentKind::Own,
            &["comments", "01010101010101010101010101010101"],
        ),
        (DocumentKind::Proposal, &["categories", "honest"]),
        (
            DocumentKind::Board,
            &["tasks", "01010101010101010101010101010101"],
        ),
    ];
    for (kind, path) in fields {
        let mut honest = honest(kind);
        let mut hostile = Document::new(kind);
        tamper(&mut hostile, 9, |tx| {
            let map = match path {
                [field, _] => genesis::object(kind, field),
                _ => ROOT,
            };
            // Many operations: the last one wins.
            for n in 0..100 {
                tx.put(&map, path[path.len() - 1], n).unwrap();
            }
        });
        meet(&mut honest, &mut hostile);
        assert!(honest_is_read(&honest), "{}", kind.name());
        assert!(kind == DocumentKind::Proposal || read_all(&honest) > 0);
    }
}

#[test]
fn what_is_too_long_is_cut_at_a_character_and_named() {
    let mut document = honest(DocumentKind::Proposal);
    let title = "ü".repeat(LINE_BYTES_MAX);
    let body = "🪑".repeat(BODY_BYTES_MAX / 4 + 1);
    tamper(&mut document, 2, |tx| {
        let texts = ["title", "body"].map(|name| genesis::object(DocumentKind::Proposal, name));
        tx.splice_text(&texts[0], 0, 0, &format!("x{title}")).unwrap();
        tx.splice_text(&texts[1], 0, 0, &body).unwrap();
        let categories = genesis::object(DocumentKind::Proposal, "categories");
        for n in 0..200 {
            tx.put(&categories, format!("{n:03}"), true).unwrap();
        }
        tx.put(&categories, "0".repeat(5_000), true).unwrap();
        tx.put(ROOT, "cost", u64::MAX).unwrap();
        tx.put(ROOT, "place", "91,0").unwrap();
    });
    let reading = proposal::read(&document, idea(1));
    assert_eq!(reading.value.title.len(), LINE_BYTES_MAX - 1);
    assert!(reading.value.title.starts_with("xüü"));
    assert_eq!(reading.value.body.len(), BODY_BYTES_MAX);
    assert_eq!(reading.value.categories.len(), WORDS_MAX);
    assert_eq!((reading.value.cost, reading.value.place), (None, None));
    let reasons: Vec<OddityReason> = reading.oddities.iter().map(|oddity| oddity.reason).collect();
    use OddityReason::{Invalid, TooLong, TooMany};
    assert_eq!(reasons, [TooLong, TooLong, Invalid, Invalid, TooLong, TooMany]);
    assert!(reading.oddities.iter().all(|oddity| oddity.path.len() <= 200));
    // What others made too long can be shortened.
    write(&mut document, 1, |tx| proposal::splice_body(tx, 0, 10, "")).unwrap();
    write(&mut document, 1, |tx| proposal::set_body(tx, "short")).unwrap();
    assert_eq!(proposal::read(&document, idea(1)).value.body, "short");
}

#[test]
fn the_list_of_oddities_has_an_end() {
    let mut document = honest(DocumentKind::Board);
    tamper(&mut document, 2, |tx| {
        let tasks = genesis::object(DocumentKind::Board, "tasks");
        for n in 0..500 {
            tx.put(&tasks, format!("junk {n}"), n).unwrap();
            tx.put(ROOT, format!("junk {n}"), n).unwrap();
        }
    });
    assert_eq!(read_all(&document), ODDITIES_MAX);
    assert!(honest_is_read(&document));
}

#[test]
fn a_text_of_odd_elements_still_becomes_what_is_asked_for() {
    let mut document = honest(DocumentKind::Proposal);
    let body = genesis::object(DocumentKind::Proposal, "body");
    tamper(&mut document, 2, |tx| {
        tx.insert(&body, 0, "several characters in one").unwrap();
        tx.insert(&body, 0, "").unwrap();
        tx.insert(&body, 0, 7).unwrap();
        tx.insert_object(&body, 1, ObjType::Map).unwrap();
        tx.put(&body, 0, "🪑🪑").unwrap();
        tx.split_block(&body, 3).unwrap();
    });
    assert!(proposal::read(&document, idea(1)).value.body.ends_with("Honest"));
    for text in ["several things in one Honest", "Honest", "", "new"] {
        write(&mut document, 1, |tx| proposal::set_body(tx, text));
        assert_eq!(proposal::read(&document, idea(1)).value.body, text);
    }
}

#[test]
fn an_id_stands_only_in_the_way_it_is_written() {
    let mut document = Document::new(DocumentKind::Board);
    let id = TaskId([0xab; 16]);
    let draft = TaskDraft {
        title: "Twice".to_owned(),
        ..TaskDraft::default()
    };
    write(&mut document, 1, |tx| board::add_task(tx, id, &draft));
    tamper(&mut document, 2, |tx| {
        let tasks = genesis::object(DocumentKind::Board, "tasks");
        let task = tx
            .put_object(&tasks, id.to_string().to_uppercase(), ObjType::Map)
            .unwrap();
        tx.put(task, "title", "Twice").unwrap();
    });
    let reading = board::read(&document, None);
    assert_eq!((reading.value.len(), reading.oddities.len()), (1, 1));
}

/// One hostile act, in numbers: where, and what.
#[derive(Debug, Clone)]
struct Act {
    by: u8,
    place: usize,
    what: usize,
    text: String,
    meets: bool,
}

fn act() -> impl Strategy<Value = Act> {
    (2..5_u8, 0..1_000_usize, 0..1_000_usize, ".{0,20}", any::<bool>()).prop_map(
        |(by, place, what, text, meets)| Act {
            by,
            place,
            what,
            text,
            meets,
        },
    )
}

/// Does something to an object of the document, chosen by numbers; what Automerge refuses is not done.
fn commit(document: &mut Document, act: &Act) {
    let mut places = places(document);
    places.push((ROOT, act.text.clone()));
    let (map, key) = places[act.place % places.len()].clone();
    let mut objects: Vec<ObjId> = (1..40)
        .map(|n| ObjId::Id(n, ActorId::from(genesis::GENESIS_ACTOR), 0))
        .collect();
    objects.extend((1..60).map(|n| ObjId::Id(n, ActorId::from(&journal(1 + act.by % 4).0[..]), 1)));
    objects.retain(|id| document.doc.object_type(id).is_ok());
    let object = objects[act.place % objects.len()].clone();
    let junk = junk();
    let value = junk[act.what % junk.len()].clone();
    tamper(document, act.by, |tx| {
        let done = match act.what % 11 {
            0 => tx.put(&map, &key, value),
            1 => tx.put_object(&map, &key, ObjType::Map).map(drop),
            2 => tx.put_object(&map, &key, ObjType::List).map(drop),
            3 => tx.put_object(&map, &key, ObjType::Text).map(drop),
            4 => tx.delete(&map, &key),
            5 => tx.put(&map, &key, act.text.as_str()),
            6 => tx.put(&object, act.text.as_str(), value),
            7 => tx.insert(&object, 0, value),
            8 => tx.splice_text(&object, act.what % 5, 3, &act.text),
            9 => tx.insert_object(&object, 0, ObjType::Map).map(drop),
            _ => tx.put(&map, &key, true),
        };
        drop(done);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_document_makes_a_reader_panic(
        kind in prop::sample::select(KINDS.to_vec()),
        acts in proptest::collection::vec(act(), 1..30),
    ) {
        let mut documents = vec![honest(kind), honest(kind), honest(kind)];
        for act in &acts {
            let at = usize::from(act.by - 2);
            if act.meets {
                let changes = documents[(at + 1) % 3].changes();
                documents[at].apply(changes).unwrap();
            }
            commit(&mut documents[at], act);
            let oddities = read_all(&documents[at]);
            prop_assert!(oddities <= ODDITIES_MAX);
        }
        let mut all = documents[0].clone();
        for document in &documents {
            all.apply(document.changes()).unwrap();
        }
        read_all(&all);
        // Whatever was written, two replicas read the same.
        let mut other = Document::new(kind);
        for document in documents.iter().rev() {
            other.apply(document.changes()).unwrap();
        }
        prop_assert_eq!(all.heads(), other.heads());
        prop_assert_eq!(format!("{:?}", everything(&all)), format!("{:?}", everything(&other)));
        if kind == DocumentKind::Vote {
            prop_assert!(honest_is_read(&all), "polls and closes cannot be taken back");
        }
        // And an honest member can go on.
        match kind {
            DocumentKind::Proposal => {
                write(&mut all, 1, |tx| proposal::set_title(tx, "Honest again"));
                write(&mut all, 1, |tx| proposal::set_body(tx, "Honest again"));
                let read = proposal::read(&all, idea(1)).value;
                prop_assert_eq!((read.title.as_str(), read.body.as_str()), ("Honest again", "Honest again"));
            }
            DocumentKind::Board => {
                let draft = TaskDraft { title: "New".to_owned(), ..TaskDraft::default() };
                write(&mut all, 1, |tx| board::add_task(tx, task_id(7), &draft));
                prop_assert!(board::read(&all, None).value.iter().any(|task| task.title == "New"));
            }
            DocumentKind::Group => {
                write(&mut all, 1, |tx| group::set_name(tx, "New"));
                prop_assert_eq!(group::read(&all).value.name, "New");
            }
            DocumentKind::Own => {
                write(&mut all, 1, |tx| own::set_profile_name(tx, "New"));
                prop_assert_eq!(own::read(&all, person(1)).value.name, Some("New".to_owned()));
            }
            DocumentKind::Vote | DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => {}
        }
    }
}

fn everything(document: &Document) -> String {
    match document.kind() {
        DocumentKind::Group => format!("{:?}", group::read(document)),
        DocumentKind::Own => format!("{:?}", own::read(document, person(1))),
        DocumentKind::Vote => format!(
            "{:?} {:?} {:?}",
            vote::ballots(document),
            vote::polls(document, person(1)),
            vote::closes(document)
        ),
        DocumentKind::Proposal => format!("{:?}", proposal::read(document, idea(1))),
        DocumentKind::Board => format!("{:?}", board::read(document, None)),
        DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => String::new(),
    }
}

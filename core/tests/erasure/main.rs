//! Something is erased: it is gone from every copy, also where it arrives later or is brought again; nothing else of the group is
//! lost, and all copies come to the same, in whatever order they hear of it.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod carriers;
#[path = "../common/mod.rs"]
mod common;
mod standing;
mod two;
mod view;

use std::collections::BTreeSet;

use common::{NOW, Neighbour, idea, sync};
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{CouncilAct, Erasure};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{EntryId, EntryNumber, PersonId, ProposalId};
use kiez_core::domain::poll::Method;
use kiez_core::replica::actions::ActionError;
use kiez_core::replica::author::AuthorError;
use kiez_core::replica::document::Leave;
use kiez_core::replica::hold::{Replica, ReplicaError};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::{Standing, Storage};

use two::Two;

type Held = Replica<MemoryStorage>;

const SECRET: &str = "0201 555 777";

/// All payloads that are stored, as far as they can be read.
fn payloads(replica: &Held) -> Vec<Vec<u8>> {
    let storage = replica.storage();
    let entries = storage.journals().unwrap().into_iter().flat_map(|row| {
        let held = storage.entries(row.id, EntryNumber(0), usize::MAX).unwrap();
        held.into_iter().map(|held| held.entry)
    });
    entries
        .chain(storage.aside().unwrap())
        .filter_map(|entry| entry.open(replica.keys().get(entry.header.key)?).ok())
        .collect()
}

fn holds(replica: &Held, text: &str) -> bool {
    let documents = replica.storage().documents().unwrap().into_iter();
    let saves = documents.filter_map(|document| replica.storage().save(document).unwrap());
    payloads(replica)
        .into_iter()
        .chain(saves.map(|save| save.bytes))
        .any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

fn erased(replica: &Held) -> usize {
    let storage = replica.storage();
    let journals = storage.journals().unwrap();
    let entries = journals
        .iter()
        .flat_map(|row| storage.entries(row.id, EntryNumber(0), usize::MAX).unwrap());
    entries
        .filter(|held| {
            assert_eq!(held.entry.sealed.is_empty(), held.standing == Standing::Erased);
            held.standing == Standing::Erased
        })
        .count()
}

fn said(replica: &mut Held, idea: ProposalId) -> Vec<String> {
    let persons: Vec<PersonId> = replica.roster().persons().into_keys().collect();
    let comments = persons
        .into_iter()
        .flat_map(|person| replica.comments_of(person).unwrap());
    let about = comments.filter(|comment| comment.about == idea);
    about.map(|comment| comment.text).collect()
}

/// Read back, and judged anew from the raw entries, it is the same.
fn stays(replica: Held) -> Held {
    let mut replica = Replica::open(replica.into_storage()).unwrap();
    let digest = replica.digest().unwrap();
    replica.rebuild().unwrap();
    assert_eq!(replica.digest().unwrap(), digest);
    replica
}

#[test]
fn a_comment_of_my_own_is_gone_everywhere_and_the_rest_stays() {
    let mut two = Two::new(1);
    assert!(holds(&two.a, SECRET) && holds(&two.b, SECRET));
    let poll = two.a.open_poll(two.idea, Method::YesNo, vec![], NOW).unwrap();
    two.sync();
    two.b.cast(poll, &["yes".into()], NOW).unwrap();
    two.sync();
    two.a.close_poll(poll, NOW).unwrap();
    let result = two.a.poll_outcome(poll).unwrap();
    two.erase_comment();
    assert_eq!(said(&mut two.b, two.idea), ["I like them"]);
    two.sync();
    let Two {
        mut anna,
        mut ben,
        a,
        b,
        idea,
        ..
    } = two;
    let (mut a, mut b) = (stays(a), stays(b));
    assert_eq!(a.digest().unwrap(), b.digest().unwrap());
    for replica in [&mut a, &mut b] {
        assert_eq!(said(replica, idea), ["I like them"]);
        assert_eq!(replica.name_of(ben.me.person).unwrap().as_deref(), Some("Ben"));
        assert_eq!(replica.name_of(anna.me.person).unwrap().as_deref(), Some("Anna"));
        assert!(!holds(replica, "My number is"));
        assert_eq!(
            erased(replica),
            3,
            "the name and both comments; one of them was said again"
        );
        assert_eq!(replica.poll_outcome(poll).unwrap(), result, "votes stand");
        let told = replica.roster().erased();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].by, BTreeSet::from([ben.me.person]));
    }
    // What he says from now on counts, here and there.
    b.comment(idea, "Still", NOW, &mut ben.rng).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(said(&mut a, idea).len(), 2);
    // Whoever comes later never gets it, and can check every entry.
    let mut carla = Neighbour::new(19);
    let mut c = carla.join(&mut a, &mut anna);
    sync(&mut c, &mut carla, &mut b, &mut ben);
    sync(&mut c, &mut carla, &mut a, &mut anna);
    assert_eq!(c.digest().unwrap(), a.digest().unwrap());
    assert_eq!((erased(&c), holds(&c, "My number is")), (3, false));
    assert_eq!(c.poll_outcome(poll).unwrap(), result);
}

#[test]
fn everything_of_my_own_goes_and_then_what_was_left_of_it() {
    let mut two = Two::new(2);
    two.erase_comment();
    let ben = &two.ben.person;
    two.b.erase_own(ben, Leave::Everything, NOW).unwrap();
    two.sync();
    for replica in [&mut two.a, &mut two.b] {
        assert!(said(replica, two.idea).is_empty());
        assert_eq!(replica.name_of(two.ben.me.person).unwrap(), None);
        assert!(
            !holds(replica, "I like them"),
            "also what the first erasure had left"
        );
        assert_eq!(replica.roster().erased().len(), 2);
    }
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
    two.b.set_profile_name("B.", NOW).unwrap();
    two.sync();
    assert_eq!(two.a.name_of(two.ben.me.person).unwrap().as_deref(), Some("B."));
    stays(two.a);
}

/// As it is once the program was started again: no document is open.
fn started_again(replica: Held) -> Held {
    Replica::open(replica.into_storage()).unwrap()
}

#[test]
fn an_erasure_is_taken_in_where_its_document_is_not_open() {
    let mut two = Two::new(11);
    two.erase_comment();
    two.a = started_again(two.a);
    two.sync();
    assert_eq!(said(&mut two.a, two.idea), ["I like them"]);
    two.erase_idea();
    two.b = started_again(two.b);
    two.sync();
    assert_eq!(two.b.idea(two.idea).unwrap().body, "Call Frieda");
    assert!(!holds(&two.a, SECRET) && !holds(&two.b, SECRET));
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
}

#[test]
fn the_council_takes_out_what_stood_in_an_idea() {
    let mut two = Two::new(3);
    let written = two
        .a
        .deeds_in(DocumentId::Proposal(two.idea), &Default::default())
        .unwrap();
    two.erase_idea();
    two.sync();
    for replica in [&mut two.a, &mut two.b] {
        let idea = replica.idea(two.idea).unwrap();
        assert_eq!(
            (idea.title.as_str(), idea.body.as_str()),
            ("Benches", "Call Frieda")
        );
        assert!(!holds(replica, "Call Frieda: 0201"));
        let deeds = replica
            .deeds_in(DocumentId::Proposal(two.idea), &Default::default())
            .unwrap();
        assert_eq!(deeds[0], written[0], "who wrote it, and when, stays");
        assert_eq!(deeds.len(), 1);
        let told = replica.roster().erased();
        assert_eq!(told[0].reason.as_deref(), Some("a telephone number"));
    }
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
    two.b.edit_idea(two.idea, "Call Frieda at noon", NOW).unwrap();
    two.sync();
    assert_eq!(two.a.idea(two.idea).unwrap().body, "Call Frieda at noon");
}

#[test]
fn it_does_not_matter_whether_the_erasure_or_what_it_erases_comes_first() {
    let mut anna = Neighbour::new(41);
    let mut ben = Neighbour::new(42);
    let mut dora = Neighbour::new(43);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let mut d = dora.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut d, &mut dora);
    let idea = b.add_idea(&idea("Benches"), NOW, &mut ben.rng).unwrap();
    b.edit_idea(idea, &format!("Call Frieda: {SECRET}"), NOW).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.edit_idea(idea, "Call Frieda", NOW).unwrap();
    a.propose_erasure(DocumentId::Proposal(idea), "", NOW).unwrap();
    // Dora hears of the erasure first: from Anna's journal alone.
    let beyond = |from: &Held, replica: &Held, of: &Held| {
        let journal = of.own_journal().unwrap();
        let head = replica.head(journal).map_or(EntryNumber(0), |head| head.0);
        let held = from.storage().entries(journal, head, usize::MAX).unwrap();
        held.into_iter()
            .map(|held| (held.entry, None))
            .collect::<Vec<_>>()
    };
    let of_anna: Vec<_> = beyond(&a, &d, &a);
    assert!(
        of_anna.iter().any(|(entry, _)| entry.sealed.is_empty()),
        "she erased her edit, too"
    );
    d.receive(of_anna).unwrap();
    assert_eq!(d.roster().erased().len(), 1, "what it erases is not here yet");
    // Then Ben, who has not heard of it, brings the old text.
    let of_ben = beyond(&b, &d, &b);
    assert!(of_ben.len() > 1 && of_ben.iter().all(|(entry, _)| !entry.sealed.is_empty()));
    d.receive(of_ben).unwrap();
    assert!(!holds(&d, "Call Frieda: "), "it is dropped as it comes");
    assert_eq!(d.idea(idea).unwrap().body, "Call Frieda");
    sync(&mut b, &mut ben, &mut d, &mut dora);
    sync(&mut a, &mut anna, &mut d, &mut dora);
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(d.digest().unwrap(), a.digest().unwrap());
    assert_eq!(d.digest().unwrap(), b.digest().unwrap());
    assert_eq!((erased(&d), erased(&b)), (erased(&a), erased(&a)));
    assert!(!holds(&b, "Call Frieda: ") && !holds(&a, "Call Frieda: "));
}

#[test]
fn what_was_written_without_knowing_is_kept_for_its_author_and_can_be_said_again() {
    let mut two = Two::new(5);
    two.b.edit_idea(two.idea, "Call Frieda: at noon", NOW).unwrap();
    two.erase_idea();
    two.sync();
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
    for replica in [&mut two.a, &mut two.b] {
        assert_eq!(replica.idea(two.idea).unwrap().body, "Call Frieda");
        assert_eq!(replica.came_too_late(two.ben.me.person).unwrap().len(), 1);
        assert!(replica.came_too_late(two.anna.me.person).unwrap().is_empty());
    }
    assert!(two.b.own_journal().is_some(), "he writes on");
    two.b.edit_idea(two.idea, "Call Frieda at noon", NOW).unwrap();
    two.sync();
    assert_eq!(two.a.idea(two.idea).unwrap().body, "Call Frieda at noon");
    // What came too late can be erased, too.
    two.a
        .propose_erasure(DocumentId::Proposal(two.idea), "once more", NOW)
        .unwrap();
    two.sync();
    assert!(two.b.came_too_late(two.ben.me.person).unwrap().is_empty());
    assert_eq!(two.b.idea(two.idea).unwrap().body, "Call Frieda at noon");
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
}

/// Makes Carla a steward beside Anna.
fn second_steward(two: &mut Two) -> (Neighbour, Held) {
    let mut carla = Neighbour::new(99);
    let mut c = carla.join(&mut two.a, &mut two.anna);
    let promote = CouncilAct::Promote {
        membership: two.a.roster().membership(carla.me.person).unwrap(),
        role: Role::Steward,
    };
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    two.a.propose(promote, "", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    (carla, c)
}

/// Anna and Carla have each written in the idea and proposed to erase what stood there before, and neither knows of the other's.
fn propose_apart(two: &mut Two, c: &mut Held) -> (EntryId, EntryId) {
    let document = DocumentId::Proposal(two.idea);
    two.a.edit_idea(two.idea, "by Anna", NOW).unwrap();
    let by_anna = two.a.propose_erasure(document, "Anna's", NOW).unwrap();
    c.edit_idea(two.idea, "by Carla", NOW).unwrap();
    let by_carla = c.propose_erasure(document, "Carla's", NOW).unwrap();
    (by_anna, by_carla)
}

#[test]
fn one_of_two_stewards_erases_nothing_and_two_erasures_apart_come_to_one() {
    let mut two = Two::new(6);
    let (mut carla, mut c) = second_steward(&mut two);
    let (by_anna, by_carla) = propose_apart(&mut two, &mut c);
    assert_eq!(two.a.roster().erased().len(), 0);
    assert!(holds(&two.a, "Call Frieda: 0201"));
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    assert_eq!(two.a.digest().unwrap(), c.digest().unwrap());
    // Each signs the other's, not knowing that both will be carried.
    two.a.sign(by_carla).unwrap();
    c.sign(by_anna).unwrap();
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    two.sync();
    let mut digests = BTreeSet::new();
    let mut bodies = BTreeSet::new();
    for replica in [&mut two.a, &mut two.b, &mut c] {
        digests.insert(replica.digest().unwrap());
        bodies.insert(replica.idea(two.idea).unwrap().body);
        assert!(!holds(replica, "Call Frieda: 0201"));
        assert_eq!(replica.roster().erased().len(), 2);
        assert!(replica.own_journal().is_some());
    }
    assert_eq!((digests.len(), bodies.len()), (1, 1));
    // Everybody can go on.
    for (replica, who) in [(&mut c, "Carla"), (&mut two.b, "Ben")] {
        replica
            .edit_idea(two.idea, &format!("{who} goes on"), NOW)
            .unwrap();
    }
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    assert_eq!(two.a.digest().unwrap(), c.digest().unwrap());
    stays(c);
}

#[test]
fn an_erasure_that_is_carried_after_a_later_one_does_not_empty_the_idea() {
    let mut two = Two::new(12);
    let (mut carla, mut c) = second_steward(&mut two);
    let document = DocumentId::Proposal(two.idea);
    two.a.edit_idea(two.idea, "Call Frieda", NOW).unwrap();
    let first = two.a.propose_erasure(document, "a number", NOW).unwrap();
    two.a.edit_idea(two.idea, "Call her", NOW).unwrap();
    let second = two.a.propose_erasure(document, "and a name", NOW).unwrap();
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    for motion in [second, first] {
        c.sign(motion).unwrap();
        assert_eq!(c.idea(two.idea).unwrap().body, "Call her");
    }
    sync(&mut two.a, &mut two.anna, &mut c, &mut carla);
    assert_eq!(two.a.idea(two.idea).unwrap().body, "Call her");
    assert_eq!(two.a.digest().unwrap(), c.digest().unwrap());
    assert!(!holds(&c, "Call Frieda"));
    stays(c);
}

#[test]
fn who_has_no_say_erases_nothing() {
    let mut two = Two::new(7);
    two.b
        .propose_erasure(DocumentId::Proposal(two.idea), "I want it", NOW)
        .unwrap();
    let anna = two.anna.me.person;
    assert!(two.b.propose_erasure(DocumentId::Own(anna), "", NOW).is_err());
    assert!(two.b.propose_erasure(DocumentId::Vote(anna), "", NOW).is_err());
    assert!(
        two.b.erase_own(&two.anna.person, Leave::Everything, NOW).is_err(),
        "with somebody else's key"
    );
    two.sync();
    assert!(two.a.roster().erased().is_empty());
    assert!(holds(&two.a, SECRET) && holds(&two.b, SECRET));
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
}

#[test]
fn who_may_not_write_there_proposes_no_erasure_of_which_nothing_would_be_left() {
    let mut two = Two::new(13);
    two.a.describe_group("Us", "", NOW).unwrap();
    let mut olga = Neighbour::new(139);
    let mut o = olga.join_as(Role::Observer, &mut two.a, &mut two.anna);
    two.sync();
    let refused = o.propose_erasure(DocumentId::Proposal(two.idea), "", NOW);
    assert!(may_not_write(refused), "she observes");
    let refused = two.b.propose_erasure(DocumentId::Group, "", NOW);
    assert!(may_not_write(refused), "only stewards write about the group");
    let erasure = Erasure {
        document: DocumentId::Group,
        entries: BTreeSet::new(),
        origin: None,
    };
    let refused = two.b.propose(CouncilAct::Erase(erasure), "", NOW);
    assert!(refused.is_err(), "nor with another program");
    assert!(two.b.own_journal().is_some());
    two.a.propose_erasure(DocumentId::Group, "", NOW).unwrap();
    assert_eq!(two.a.info().unwrap().name, "Us");
}

fn may_not_write<T>(done: Result<T, ActionError>) -> bool {
    let Err(ActionError::Author(AuthorError::Replica(refused))) = done else {
        return false;
    };
    matches!(refused, ReplicaError::MayNotWrite(_))
}

#[test]
fn what_is_too_much_to_be_said_again_is_not_erased_and_nothing_is_lost() {
    let mut two = Two::new(14);
    for _ in 0..17 {
        let long = "x".repeat(64 * 1024);
        two.b.comment(two.idea, &long, NOW, &mut two.ben.rng).unwrap();
    }
    let before = two.b.digest().unwrap();
    let parts = BTreeSet::from([Part::Comment(two.secret)]);
    let refused = two.b.erase_own(&two.ben.person, Leave::Parts(&parts), NOW);
    assert!(matches!(refused, Err(ActionError::TooMuchLeft(_))), "{refused:?}");
    assert_eq!(two.b.digest().unwrap(), before);
    two.sync();
    assert_eq!(two.a.digest().unwrap(), before);
    assert_eq!(said(&mut two.a, two.idea).len(), 19);
    // Everything goes, or so much that the rest fits.
    two.b.erase_own(&two.ben.person, Leave::Everything, NOW).unwrap();
    two.b.comment(two.idea, "Again", NOW, &mut two.ben.rng).unwrap();
    two.sync();
    assert_eq!(said(&mut two.a, two.idea), ["Again"]);
}

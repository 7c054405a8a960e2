//! Whoever carries entries can bring what is left of those that were erased, and keeps back nothing else.

use std::collections::BTreeSet;

use kiez_core::domain::control::{ControlAct, CouncilAct, Erase, Erasure};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{EntryId, EntryNumber, PersonId};
use kiez_core::domain::poll::Method;
use kiez_core::replica::bundle::{self, Compression};
use kiez_core::replica::control::{act_to_bytes, erase_bytes, sign};
use kiez_core::replica::document::Leave;
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::receive::{CarrierFault, ReceiveError, Received};
use kiez_core::replica::storage::Storage;

use super::common::{NOW, Neighbour, idea, sealed, signing, sync};
use super::two::Two;
use super::{Held, SECRET, holds, said, stays};

#[test]
fn a_carrier_keeps_nothing_back_that_was_not_erased() {
    let mut two = Two::new(8);
    two.b.comment(two.idea, "Listen", NOW, &mut two.ben.rng).unwrap();
    let ben = two.b.own_journal().unwrap();
    let head = two.a.head(ben).unwrap().0;
    let held = two.b.storage().entries(ben, head, usize::MAX).unwrap();
    let bare: Vec<_> = held
        .into_iter()
        .map(|held| (held.entry.without_payload(), None))
        .collect();
    let again = bare.clone();
    let refused = two.a.receive(bare);
    assert!(matches!(
        refused,
        Err(ReceiveError::Carrier(CarrierFault::PayloadMissing { .. }))
    ));
    two.sync();
    assert_eq!(said(&mut two.a, two.idea).len(), 3, "it is taken in whole");
    // What is here already is passed over, however little of it is brought again.
    assert_eq!(two.a.receive(again).unwrap().new, 0);
    assert_eq!(said(&mut two.a, two.idea).len(), 3);
}

#[test]
fn a_copy_on_a_stick_says_that_it_needs_newer_software_only_where_something_is_erased() {
    let mut two = Two::new(9);
    let stick = |replica: &Held| replica.bundle(&Frontier::new(), Compression::Fast).unwrap();
    assert_eq!(stick(&two.b)[8], 1);
    two.erase_comment();
    let bytes = stick(&two.b);
    assert_eq!(bytes[8], 2);
    let read = bundle::read(&bytes, two.b.keys()).unwrap();
    let bare = read.entries.iter().filter(|item| item.entry.sealed.is_empty());
    assert_eq!(bare.count(), 3);
    two.a
        .receive(
            read.entries
                .into_iter()
                .map(|item| (item.entry, item.payload))
                .collect(),
        )
        .unwrap();
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
    assert_eq!(
        two.a.name_of(PersonId(two.ben.me.person.0)).unwrap().as_deref(),
        Some("Ben")
    );
}

/// What the other one lacks, as one bundle.
fn brings(from: &Held, to: &mut Held) -> Result<Received, ReceiveError> {
    let bytes = from.bundle(&to.frontier(), Compression::Fast).unwrap();
    let read = bundle::read(&bytes, from.keys()).unwrap();
    let entries = read.entries.into_iter().map(|item| (item.entry, None));
    to.receive(entries.collect())
}

#[test]
fn an_erasure_that_comes_before_the_key_to_read_it_is_taken_in_with_the_key() {
    let mut two = Two::new(10);
    let mut carla = Neighbour::new(109);
    let c = carla.join(&mut two.a, &mut two.anna);
    two.sync();
    // Carla is removed: from then on all is sealed under a new key. Eve comes in at Ben's, who does not know that.
    let membership = two.a.roster().membership(carla.me.person).unwrap();
    two.a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    two.a.rekey_if_due(&mut two.anna.rng).unwrap().unwrap();
    drop(c);
    let mut eve = Neighbour::new(108);
    let mut e = eve.join(&mut two.b, &mut two.ben);
    e.set_box_secret(eve.box_secret.clone()).unwrap();
    sync(&mut e, &mut eve, &mut two.b, &mut two.ben);
    two.erase_idea();
    // She cannot tell what was erased: it is left out, and nobody is blamed.
    let received = brings(&two.a, &mut e).unwrap();
    assert!(!received.put_off.is_empty(), "{received:?}");
    assert!(e.roster().erased().is_empty() && holds(&e, SECRET));
    // Once Anna knows of Eve she gives her the key.
    two.b.set_box_secret(two.ben.box_secret.clone()).unwrap();
    two.sync();
    let hers = e.me().unwrap().grant;
    two.a.give_keys(hers, &mut two.anna.rng).unwrap().unwrap();
    brings(&two.a, &mut e).unwrap();
    assert!(!holds(&e, "Call Frieda: "));
    sync(&mut e, &mut eve, &mut two.a, &mut two.anna);
    assert_eq!(e.digest().unwrap(), two.a.digest().unwrap());
}

/// The same where the act lies on a branch that does not count.
#[test]
fn an_erasure_on_a_branch_that_comes_before_the_key_to_read_it_is_taken_in_with_the_key() {
    let mut two = Two::new(12);
    let mut carla = Neighbour::new(129);
    drop(carla.join(&mut two.a, &mut two.anna));
    two.sync();
    let mut eve = Neighbour::new(128);
    let mut e = eve.join(&mut two.b, &mut two.ben);
    e.set_box_secret(eve.box_secret.clone()).unwrap();
    sync(&mut e, &mut eve, &mut two.b, &mut two.ben);
    // Before Anna knows of Eve all is sealed under a new key.
    let membership = two.a.roster().membership(carla.me.person).unwrap();
    two.a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    two.a.rekey_if_due(&mut two.anna.rng).unwrap().unwrap();
    // Anna's disk was copied: she erases on one copy, and Ben builds on the other.
    let mut copy = Replica::open(two.a.storage().clone()).unwrap();
    let mut anna_again = two.anna.copied(730);
    two.b.set_box_secret(two.ben.box_secret.clone()).unwrap();
    let other = copy.add_idea(&idea("one"), NOW, &mut anna_again.rng).unwrap();
    sync(&mut two.b, &mut two.ben, &mut copy, &mut anna_again);
    two.b.edit_idea(other, "built on", NOW).unwrap();
    two.erase_idea();
    two.sync();
    assert_eq!(two.b.roster().erased().len(), 1);
    assert!(two.b.idea(other).is_ok(), "the other branch counts");
    let received = brings(&two.b, &mut e).unwrap();
    assert!(!received.put_off.is_empty(), "{received:?}");
    assert!(e.roster().erased().is_empty());
    let hers = e.me().unwrap().grant;
    two.b.give_keys(hers, &mut two.ben.rng).unwrap().unwrap();
    brings(&two.b, &mut e).unwrap();
    assert_eq!(e.roster().erased().len(), 1);
    sync(&mut e, &mut eve, &mut two.b, &mut two.ben);
    assert_eq!(e.digest().unwrap(), two.b.digest().unwrap());
}

/// Whoever cannot read what is erased takes in what does not hang on it, also where only the end of a journal bears a signature.
#[test]
fn what_lies_before_something_bare_is_taken_in_by_who_cannot_read_the_act() {
    let mut two = Two::new(18);
    let mut carla = Neighbour::new(189);
    let mut c = carla.join(&mut two.a, &mut two.anna);
    two.sync();
    sync(&mut c, &mut carla, &mut two.b, &mut two.ben);
    c.set_box_secret(carla.box_secret.clone()).unwrap();
    // Anna, apart, removes Ben, seals under a new key, and has something erased that she wrote since.
    let membership = two.a.roster().membership(two.ben.me.person).unwrap();
    two.a.propose(CouncilAct::Remove { membership }, "", NOW).unwrap();
    two.a.rekey_if_due(&mut two.anna.rng).unwrap().unwrap();
    let anna = two.a.own_journal().unwrap();
    let before = two.a.head(anna).unwrap();
    let number = format!("My number is {SECRET}");
    let number = two.a.comment(two.idea, &number, NOW, &mut two.anna.rng).unwrap();
    let leave = BTreeSet::from([Part::Comment(number)]);
    two.a
        .erase_own(&two.anna.person, Leave::Parts(&leave), NOW)
        .unwrap();
    sync(&mut c, &mut carla, &mut two.a, &mut two.anna);
    // Carla, who is told everything, passes it on to Ben.
    for (carrier, is_author) in [(&two.a, true), (&c, false)] {
        let mut b = Replica::open(two.b.storage().clone()).unwrap();
        let received = brings(carrier, &mut b).unwrap();
        assert!(!received.put_off.is_empty(), "{is_author}: {received:?}");
        assert_eq!(b.head(anna), Some(before), "by the author: {is_author}");
        assert!(b.roster().membership(two.ben.me.person).is_none());
    }
}

/// Ben erases in his own document, and names what is not in it.
fn name_in_own(two: &mut Two, entries: &BTreeSet<EntryId>) {
    let journal = two.b.own_journal().unwrap();
    let number = two.b.head(journal).unwrap().0.next();
    let act = own_erasure(two, number, entries.clone());
    two.b.write_act(act).unwrap();
}

/// An erasure by Ben in his own document, at a place in his journal.
pub(super) fn own_erasure(two: &Two, number: EntryNumber, entries: BTreeSet<EntryId>) -> ControlAct {
    let erasure = Erasure {
        document: DocumentId::Own(two.ben.me.person),
        entries,
        origin: None,
    };
    let journal = two.b.own_journal().unwrap();
    let message = erase_bytes(two.b.group(), journal, number, &erasure, NOW);
    ControlAct::Erase(Erase {
        erasure,
        at: NOW,
        person_signature: sign(&two.ben.person, &message),
    })
}

#[test]
fn what_others_have_written_is_not_kept_back_by_naming_it() {
    let mut two = Two::new(15);
    let mut dora = Neighbour::new(159);
    let mut d = dora.join(&mut two.a, &mut two.anna);
    two.sync();
    sync(&mut d, &mut dora, &mut two.b, &mut two.ben);
    let poll = two.a.open_poll(two.idea, Method::YesNo, vec![], NOW).unwrap();
    let before = two
        .a
        .storage()
        .entries_about(DocumentId::Vote(two.anna.me.person))
        .unwrap();
    two.a.cast(poll, &["yes".into()], NOW).unwrap();
    two.sync();
    let votes = two.b.storage();
    let mut ballot = votes.entries_about(DocumentId::Vote(two.anna.me.person)).unwrap();
    ballot.retain(|id| !before.contains(id));
    assert_eq!(ballot.len(), 1);
    name_in_own(&mut two, &ballot);
    let bring = |b: &Held, d: &mut Held, named: bool| {
        let copy = b.bundle(&d.frontier(), Compression::Fast).unwrap();
        let read = bundle::read(&copy, b.keys()).unwrap();
        let entries = read.entries.into_iter().map(|item| {
            let bare = named && ballot.contains(&item.entry.id);
            (
                if bare {
                    item.entry.without_payload()
                } else {
                    item.entry
                },
                None,
            )
        });
        d.receive(entries.collect())
    };
    assert!(matches!(
        bring(&two.b, &mut d, true),
        Err(ReceiveError::Carrier(CarrierFault::PayloadMissing { .. }))
    ));
    bring(&two.b, &mut d, false).unwrap();
    assert_eq!(d.poll_outcome(poll).unwrap().cast, 1);
    assert_eq!(d.digest().unwrap(), two.b.digest().unwrap());
}

/// An erasure of one's own that names one's ballot erases no ballot; and whoever was shown only its header gets it from a copy.
#[test]
fn a_ballot_that_was_named_and_kept_back_comes_with_a_whole_copy() {
    let mut two = Two::new(11);
    let poll = two.a.open_poll(two.idea, Method::YesNo, vec![], NOW).unwrap();
    two.sync();
    two.b.cast(poll, &["yes".into()], NOW).unwrap();
    let votes = DocumentId::Vote(two.ben.me.person);
    let ballot = two.b.storage().entries_about(votes).unwrap();
    let journal = two.b.own_journal().unwrap();
    name_in_own(&mut two, &ballot);
    assert_eq!(two.b.poll_outcome(poll).unwrap().cast, 1, "votes stand");
    // Ben's program shows Anna the header alone.
    let head = two.a.head(journal).unwrap().0;
    let held = two.b.storage().entries(journal, head, usize::MAX).unwrap();
    let shown = held.into_iter().map(|held| {
        let entry = held.entry;
        let named = ballot.contains(&entry.id);
        (if named { entry.without_payload() } else { entry }, None)
    });
    two.a.receive(shown.collect()).unwrap();
    assert_eq!(two.a.poll_outcome(poll).unwrap().cast, 0);
    let copy = two.b.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let read = bundle::read(&copy, two.a.keys()).unwrap();
    let entries = read.entries.into_iter().map(|item| (item.entry, item.payload));
    two.a.receive(entries.collect()).unwrap();
    assert_eq!(two.a.poll_outcome(poll).unwrap().cast, 1);
    assert_eq!(two.a.digest().unwrap(), two.b.digest().unwrap());
}

/// After what Ben wrote an entry that no document was ever in, and an erasure of his that names it.
fn named_garbage(two: &Two) -> (Entry, Entry) {
    let journal = two.b.own_journal().unwrap();
    let key = two.b.keys().current().unwrap().clone();
    let signing = signing(&two.b);
    let follows =
        |after, kind, payload: &[u8]| sealed(&two.b, &signing, after, BTreeSet::new(), kind, &key, payload);
    let garbage = follows(two.b.head(journal).unwrap(), EntryKind::Content, b"nothing");
    let after = (garbage.header.number, garbage.id);
    let act = own_erasure(two, after.0.next(), BTreeSet::from([garbage.id]));
    let act = follows(after, EntryKind::Control, &act_to_bytes(&act));
    (garbage, act)
}

/// What no document was ever in ends its journal also where at first its header alone was shown.
#[test]
fn what_was_kept_back_and_says_nothing_is_taken_when_it_comes() {
    let mut two = Two::new(16);
    let mut dora = Neighbour::new(169);
    let mut d = dora.join(&mut two.a, &mut two.anna);
    sync(&mut d, &mut dora, &mut two.b, &mut two.ben);
    let (garbage, act) = named_garbage(&two);
    let shown = vec![(garbage.clone().without_payload(), None), (act.clone(), None)];
    two.a.receive(shown).unwrap();
    assert_eq!(two.a.roster().erased().len(), 1);
    let whole = vec![(garbage, None), (act, None)];
    d.receive(whole.clone()).unwrap();
    two.a.receive(whole).unwrap();
    for replica in [&d, &two.a] {
        assert_eq!(
            replica.roster().erased().len(),
            1,
            "it counts, although the journal ended before"
        );
    }
    sync(&mut two.a, &mut two.anna, &mut d, &mut dora);
    assert_eq!(d.digest().unwrap(), two.a.digest().unwrap());
    stays(two.a);
}

/// The same on a branch that does not count: what was kept back there is taken when it comes.
#[test]
fn what_was_kept_back_on_a_branch_is_taken_when_it_comes() {
    let mut two = Two::new(17);
    let mut dora = Neighbour::new(179);
    let mut d = dora.join(&mut two.a, &mut two.anna);
    two.sync();
    sync(&mut d, &mut dora, &mut two.b, &mut two.ben);
    let (garbage, act) = named_garbage(&two);
    let shown = vec![(garbage.clone().without_payload(), None), (act.clone(), None)];
    let whole = vec![(garbage.clone(), None), (act, None)];
    // Ben's other copy wrote on, and Anna and Dora on that.
    let other = two.b.add_idea(&idea("one"), NOW, &mut two.ben.rng).unwrap();
    two.sync();
    sync(&mut two.a, &mut two.anna, &mut d, &mut dora);
    for replica in [&mut two.a, &mut d] {
        replica.edit_idea(other, "built on", NOW).unwrap();
    }
    two.a.receive(shown).unwrap();
    d.receive(whole.clone()).unwrap();
    two.a.receive(whole).unwrap();
    for replica in [&two.a, &d] {
        let aside = replica.set_aside(two.ben.me.person);
        assert!(aside.contains(&&garbage), "{}", aside.len());
    }
    stays(two.a);
}

//! R2 of erasing: whose it is, what it takes, and that it stays.

use super::super::*;
use super::acts;
use super::story::{Story, TRUE};
use crate::domain::control::Erasure;
use crate::domain::document::DocumentId;
use crate::domain::id::ProposalId;

const IDEA: DocumentId = DocumentId::Proposal(ProposalId([7; 16]));

/// An erasure of one entry.
fn of(document: DocumentId, entry: u8) -> Erasure {
    acts::erasure(document, BTreeSet::from([EntryId([entry; 32])]))
}

fn own(document: DocumentId, entry: u8) -> ControlAct {
    acts::erase(of(document, entry))
}

fn erases(story: &Story, document: DocumentId, entry: u8) -> bool {
    let ben = story.journal("ben");
    story.roster().is_erased(EntryId([entry; 32]), ben, document)
}

#[test]
fn r2_a_person_erases_in_their_own_document_and_nobody_elses() {
    let mut story = Story::of_stewards(&["ben"]);
    let [anna, ben] = ["anna", "ben"].map(|name| story.person(name));
    for (document, verdict) in [
        (DocumentId::Own(anna), Err(NotOk::NotTheirs)),
        (DocumentId::Vote(ben), Err(NotOk::NotTheirs)),
        (IDEA, Err(NotOk::NotTheirs)),
        (DocumentId::Own(ben), Ok(())),
    ] {
        let act = story.does("ben", own(document, 1));
        assert_eq!(story.verdict(act), verdict, "{document}");
        assert_eq!(erases(&story, document, 1), verdict.is_ok());
    }
    // Nobody else has written there.
    let annas = story.journal("anna");
    let roster = story.roster();
    assert!(!roster.is_erased(EntryId([1; 32]), annas, DocumentId::Own(ben)));
    assert_eq!(roster.erased_in(EntryId([1; 32]), annas), None);
    // Also who has left: it is signed by them, and theirs.
    let leave = acts::leave(story.membership("ben"), story.cut("ben", TRUE));
    story.does("ben", leave);
    let late = story.does("ben", own(DocumentId::Own(ben), 2));
    assert_eq!(story.verdict(late), Ok(()));
    assert!(erases(&story, DocumentId::Own(ben), 2) && erases(&story, DocumentId::Own(ben), 1));
}

#[test]
fn r2_the_council_erases_in_shared_documents_by_a_majority_and_for_ever() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let ben = story.person("ben");
    for document in [DocumentId::Own(ben), DocumentId::Vote(ben)] {
        let motion = story.proposes("anna", CouncilAct::Erase(of(document, 1)));
        assert_eq!(story.verdict(motion), Err(NotOk::NoSuchTenure));
    }
    let motion = story.proposes("anna", CouncilAct::Erase(of(IDEA, 1)));
    assert!(!erases(&story, IDEA, 1) && story.roster().generation(IDEA).is_none());
    story.signs("ben", motion);
    assert!(erases(&story, IDEA, 1));
    assert_eq!(story.roster().generation(IDEA), Some(motion));
    assert!(
        !erases(&story, DocumentId::GENERAL_BOARD, 1),
        "what is about that one"
    );
    // Who signed is removed, as far back as before they signed: what is gone is gone.
    let remove = story.remove("ben");
    story.decides(&["anna", "cleo"], remove);
    assert!(!story.is_in("ben") && erases(&story, IDEA, 1));
    assert_eq!(story.roster().generation(IDEA), Some(motion));
}

#[test]
fn r2_who_may_not_write_there_proposes_no_erasure() {
    let mut story = Story::of_stewards(&["ben"]);
    story.joins("mia", "anna");
    let everything = story.history.everything();
    let invite = story.history.invites(0, everything, Role::Observer);
    story.admits(invite, "olga");
    for (name, document, verdict) in [
        ("olga", IDEA, Err(NotOk::NoSuchTenure)),
        ("olga", DocumentId::Group, Err(NotOk::NoSuchTenure)),
        ("mia", DocumentId::Group, Err(NotOk::NoSuchTenure)),
        ("mia", IDEA, Ok(())),
        ("ben", DocumentId::Group, Ok(())),
    ] {
        let motion = story.proposes(name, CouncilAct::Erase(of(document, 1)));
        assert_eq!(story.verdict(motion), verdict, "{name} in {document}");
    }
}

#[test]
fn r6_of_erasures_apart_one_begins_the_document_and_all_erase() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let one = story.proposes("anna", CouncilAct::Erase(of(IDEA, 1)));
    let two = story.proposes_knowing("cleo", &[], CouncilAct::Erase(of(IDEA, 2)));
    let before = story.roster().heads();
    story.signs_knowing("ben", &before, one);
    story.signs_knowing("anna", &before, two);
    assert!(story.is_carried(one) && story.is_carried(two));
    assert!(erases(&story, IDEA, 1) && erases(&story, IDEA, 2));
    assert_eq!(story.roster().generation(IDEA), Some(one.min(two)));
    // One that knows of both comes after them, whatever its id.
    let three = story.proposes("anna", CouncilAct::Erase(of(IDEA, 3)));
    story.signs("cleo", three);
    assert_eq!(story.roster().generation(IDEA), Some(three));
}

#[test]
fn r6_an_erasure_that_knew_of_another_comes_after_it_whenever_that_is_carried() {
    for first in [0, 1] {
        let mut story = Story::of_stewards(&["ben", "cleo"]);
        let one = story.proposes("anna", CouncilAct::Erase(of(IDEA, 1)));
        let two = story.proposes("anna", CouncilAct::Erase(of(IDEA, 2)));
        story.signs("ben", [one, two][first]);
        assert_eq!(story.roster().generation(IDEA), Some([one, two][first]));
        story.signs("ben", [two, one][first]);
        assert_eq!(story.roster().generation(IDEA), Some(two));
    }
    // Carried twice apart, of which the next one knew one: whatever their ids.
    for document in 0..8 {
        let document = DocumentId::Proposal(ProposalId([document; 16]));
        let mut story = Story::of_stewards(&["ben", "cleo"]);
        let one = story.proposes("anna", CouncilAct::Erase(of(document, 1)));
        let carried = story.signs_knowing("ben", &[one], one);
        story.signs_knowing("cleo", &[one], one);
        let two = story.proposes_knowing("anna", &[carried], CouncilAct::Erase(of(document, 2)));
        story.signs_knowing("ben", &[two], two);
        assert_eq!(story.roster().generation(document), Some(two));
    }
}

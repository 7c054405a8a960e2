//! Erasing what is not one's own, and bringing back what was erased.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use kiez_core::domain::control::{ControlAct, CouncilAct, Erase, Erasure};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber};
use kiez_core::domain::poll::Method;
use kiez_core::planted::Guard;
use kiez_core::replica::control::{erase_bytes, sign};
use kiez_core::replica::entry::Entry;
use kiez_core::replica::storage::Storage;

use super::common::NOW;
use super::people::{One, three};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "more than half of the stewards", "what is somebody's own is erased by the council",
        "it stays", Stop::By(Guard::EraseOwn), by_council;
    "a thief of an unlocked laptop", "its owner's own words are erased without the person key",
        "they stay; the journal ends before it", Stop::By(Guard::EraseSignature), by_thief;
    "a member", "an erasure of one's own names one's ballot, after the vote was opened",
        "the ballot counts", Stop::By(Guard::EraseDocument), names_a_ballot;
    "one of two stewards", "what stood in an idea is erased by one of two",
        "it stays", Stop::By(Guard::Majority), by_one_of_two;
    "a member's device that carries entries", "what was erased is brought again, whole",
        "it is dropped as it comes", Stop::By(Guard::EraseAgain), brought_again;
    "a member's device that carries entries", "an idea is brought without what is in it, as if it had been erased",
        "nothing is stored; the session ends", Stop::By(Guard::EraseListed), kept_back;
}

fn entries_about(one: &One, document: DocumentId) -> BTreeSet<EntryId> {
    one.at.storage().entries_about(document).unwrap()
}

/// An erasure of these entries, as the next in somebody's journal, signed by a person key.
fn erasure(one: &One, document: DocumentId, entries: BTreeSet<EntryId>, person: &SigningKey) -> Entry {
    let erasure = Erasure {
        document,
        entries,
        origin: None,
    };
    let number = one.at.head(one.journal()).unwrap().0.next();
    let message = erase_bytes(one.at.group(), one.journal(), number, &erasure, NOW);
    let act = ControlAct::Erase(Erase {
        erasure,
        at: NOW,
        person_signature: sign(person, &message),
    });
    one.forges_act(&[], &act)
}

fn name_of(one: &mut One, other: &One) -> Option<String> {
    one.at.name_of(other.person()).unwrap()
}

fn by_council() -> Outcome {
    let [mut anna, mut carla, _] = three(10);
    carla.at.set_profile_name("Carla", NOW).unwrap();
    anna.meets(&mut carla).unwrap();
    let document = DocumentId::Own(carla.person());
    let erasure = Erasure {
        document,
        entries: entries_about(&anna, document),
        origin: None,
    };
    // Refused as her own act already; whoever changes the program hands it in all the same.
    anna.at.propose(CouncilAct::Erase(erasure), "", NOW).ok();
    held(name_of(&mut anna, &carla).is_some(), "Carla has no name any more")
}

fn by_thief() -> Outcome {
    let [mut anna, mut carla, mallory] = three(20);
    carla.at.set_profile_name("Carla", NOW).unwrap();
    anna.meets(&mut carla).unwrap();
    let document = DocumentId::Own(carla.person());
    let entry = erasure(
        &carla,
        document,
        entries_about(&carla, document),
        &mallory.who.person,
    );
    anna.takes(&mut carla, &[entry]).ok();
    held(name_of(&mut anna, &carla).is_some(), "Carla's words are gone")
}

fn names_a_ballot() -> Outcome {
    let [mut anna, mut carla, _] = three(30);
    let idea = anna.adds("bench");
    let poll = anna.at.open_poll(idea, Method::YesNo, vec![], NOW).unwrap();
    anna.meets(&mut carla).unwrap();
    carla.at.cast(poll, &["no".into()], NOW).unwrap();
    anna.meets(&mut carla).unwrap();
    let ballot = entries_about(&carla, DocumentId::Vote(carla.person()));
    let document = DocumentId::Own(carla.person());
    let entry = erasure(&carla, document, ballot, &carla.who.person);
    anna.takes(&mut carla, &[entry]).unwrap();
    let cast = anna.at.poll_outcome(poll).unwrap().cast;
    held(cast == 1, "a ballot that was cast is gone")
}

const SECRET: &str = "0201 555 777";

/// An idea of Carla's with a number in it, which has been edited away.
fn edited(anna: &mut One, carla: &mut One) -> (DocumentId, Vec<Entry>) {
    let idea = carla.adds("bench");
    carla.at.edit_idea(idea, SECRET, NOW).unwrap();
    let old = carla.entries_of(carla.journal());
    anna.meets(carla).unwrap();
    anna.at.edit_idea(idea, "somebody", NOW).unwrap();
    (DocumentId::Proposal(idea), old)
}

fn holds(one: &One) -> bool {
    let journals = one.at.storage().journals().unwrap();
    let entries = journals.iter().flat_map(|row| {
        one.at
            .storage()
            .entries(row.id, EntryNumber(0), usize::MAX)
            .unwrap()
    });
    let payloads = entries.filter_map(|held| {
        let key = one.at.keys().get(held.entry.header.key)?;
        held.entry.open(key).ok()
    });
    let secret = SECRET.as_bytes();
    payloads
        .into_iter()
        .any(|payload| payload.windows(secret.len()).any(|part| part == secret))
}

fn by_one_of_two() -> Outcome {
    let [mut anna, mut carla, _] = three(40);
    anna.promotes(&mut carla);
    let (document, _) = edited(&mut anna, &mut carla);
    anna.at.propose_erasure(document, "", NOW).unwrap();
    anna.meets(&mut carla).unwrap();
    held(holds(&carla), "what Carla wrote is gone, and she did not sign it")
}

fn brought_again() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(50);
    // Mallory has nothing of Carla's new idea.
    let (document, old) = edited(&mut anna, &mut carla);
    anna.at.propose_erasure(document, "", NOW).unwrap();
    let of_anna: Vec<Entry> = anna.entries_of(anna.journal());
    let head = mallory.at.head(anna.journal()).unwrap().0;
    let new: Vec<Entry> = of_anna
        .into_iter()
        .filter(|entry| entry.header.number > head)
        .collect();
    assert!(mallory.gets(&new), "the erasure is there before what it erases");
    let head = mallory.at.head(carla.journal()).unwrap().0;
    let old: Vec<Entry> = old
        .into_iter()
        .filter(|entry| entry.header.number > head)
        .collect();
    assert!(mallory.gets(&old));
    held(!holds(&mallory), "the text is back")
}

fn kept_back() -> Outcome {
    let [mut anna, mut carla, _] = three(60);
    let head = carla.at.head(carla.journal()).unwrap().0;
    carla.adds("bench");
    let new = carla.entries_of(carla.journal()).into_iter();
    let bare: Vec<Entry> = new
        .filter(|entry| entry.header.number > head)
        .map(Entry::without_payload)
        .collect();
    anna.gets(&bare);
    anna.meets(&mut carla).unwrap();
    held(anna.shows("bench"), "Anna never gets Carla's idea")
}

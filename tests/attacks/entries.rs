//! A carrier who forges, repeats, leaves out and mixes up entries; a member who writes where they may not.

use kiez_core::domain::charter::Role;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, Timestamp};
use kiez_core::domain::poll::{Ballot, Method};
use kiez_core::planted::{Guard, without};
use kiez_core::replica::allowance::{Amount, Rates, Road};
use kiez_core::replica::bundle::{self, BundleEntry, Compression};
use kiez_core::replica::control::{act_to_bytes, found_bytes, sign};
use kiez_core::replica::document::{group, own, vote};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::limits::BURST_ENTRIES;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::Storage;

use kiez_core::domain::charter::Charter;
use kiez_core::domain::control::{ControlAct, Found};

use super::common::{NOW, Neighbour, channels, idea, signing};
use super::people::{One, founder, idea_of, three};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "a member's device that carries entries", "forged author: an entry in Anna's journal, signed by Mallory",
        "nothing is stored; the session ends", Stop::By(Guard::Signature), forged_author;
    "a member's device that carries entries", "replay: Anna is sent her own entries again",
        "nothing changes, and she writes on", Stop::By(Guard::Replay), replayed;
    "a member's device that carries entries", "an entry is left out, the next one is sent",
        "nothing is stored; the session ends", Stop::By(Guard::Gap), left_out;
    "a member's device that carries entries", "reordered: an entry comes before what its author had seen",
        "nothing is stored; the session ends", Stop::By(Guard::Seen), reordered;
    "a member of two groups", "entries of another group",
        "nothing is stored; the session ends", Stop::By(Guard::OwnGroup), other_group;
    "a member", "a second founding, sent to a newcomer before the first",
        "the founder is who founded the group", Stop::By(Guard::FoundedOnce), second_founding;
    "a member", "a ballot for another",
        "it is kept and does not count", Stop::By(Guard::OwnDocument), ballot_for_another;
    "a member", "another's own document: their name",
        "it is kept and does not count", Stop::By(Guard::OwnDocument), name_for_another;
    "a member", "the group's page, by a member who is no steward",
        "it is kept and does not count", Stop::By(Guard::StewardsOnly), page_by_a_member;
    "an observer", "an idea of an observer",
        "it is kept and does not count", Stop::By(Guard::Observer), idea_of_an_observer;
    "a member", "flooding: the journal grows by more than anybody writes",
        "so much is taken in, the rest is put off, and who brings it sees others come through", Stop::By(Guard::Allowance), flooded;
}

fn forged_author() -> Outcome {
    let [anna, mut carla, mut mallory] = three(10);
    let (number, prev) = carla.at.head(anna.journal()).unwrap();
    let payload = idea_of(anna.journal(), "forged");
    let header = Header {
        group: anna.at.group(),
        journal: anna.journal(),
        number: number.next(),
        prev,
        seen: vec![],
        kind: EntryKind::Content,
        key: anna.key().id(),
        payload_bytes: u32::try_from(payload.len()).unwrap(),
    };
    let entry = Entry::seal(header, &payload, &anna.key()).unwrap();
    let entry = entry.signed(&signing(&mallory.at));
    let taken = carla.takes(&mut mallory, &[entry]);
    held(
        taken.is_err() && !carla.shows("forged"),
        "an idea stands there as if Anna had written it",
    )
}

fn flooded() -> Outcome {
    let [mut anna, mut carla, mallory] = three(60);
    let journal = mallory.journal();
    let junk = vec![7; 16 * 1024];
    // The same for less, so that it is written soon.
    let burst = Amount {
        entries: BURST_ENTRIES,
        bytes: 256 * 1024,
    };
    anna.at.set_rates(Rates {
        burst,
        ..Rates::default()
    });
    let mut after = mallory.at.head(journal).unwrap();
    let key = mallory.key();
    // Each a part of its own, as each goes out when it is written.
    for _ in 0..24 {
        let entry = mallory.forges_under(&key, after, &[], EntryKind::Content, &junk);
        after = (entry.header.number, entry.id);
        anna.at.receive_by(Road::Session, vec![(entry, None)]).unwrap();
    }
    carla.adds("a bench");
    anna.meets(&mut carla).unwrap();
    let (_, bytes) = anna.at.storage().weight(journal, EntryNumber(0)).unwrap();
    let taken = bytes <= burst.bytes + 32 * 1024;
    held(
        taken && anna.shows("a bench") && anna.at.put_off().contains_key(&journal),
        "Mallory fills Anna's disk as fast as she can write",
    )
}

fn replayed() -> Outcome {
    let [mut anna, _, mut mallory] = three(20);
    anna.adds("one");
    anna.meets(&mut mallory).unwrap();
    let again = mallory.entries_of(anna.journal());
    let taken = anna.takes(&mut mallory, &again);
    let forked = anna.at.is_forked(anna.journal());
    held(
        taken.is_ok_and(|received| received.new == 0) && !forked && anna.at.own_journal().is_some(),
        "Anna's journal counts as forked, and she may not write in it",
    )
}

fn left_out() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(30);
    anna.adds("first");
    anna.adds("second");
    anna.meets(&mut mallory).unwrap();
    let last = mallory
        .entries_of(anna.journal())
        .split_off(anna.entries_of(anna.journal()).len() - 1);
    // The one after next: the first of both is never sent.
    carla.gets(&last);
    let head = carla.at.head(anna.journal()).unwrap().0;
    held(
        head < last[0].header.number,
        "Carla has a journal with a hole, and never asks for what is missing",
    )
}

fn reordered() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(40);
    // Anna lets somebody in; Mallory's next entry names that.
    anna.lets_in(49);
    anna.meets(&mut mallory).unwrap();
    mallory.adds("after Emil came");
    let last = mallory.entries_of(mallory.journal()).pop().unwrap();
    assert!(!last.header.seen.is_empty());
    carla.gets(std::slice::from_ref(&last));
    let taken = carla.at.head(last.header.journal).unwrap().1 == last.id;
    held(!taken, "Carla judges an entry without what its author knew")
}

fn other_group() -> Outcome {
    let [mut anna, _, mut mallory] = three(50);
    let other = founder(58);
    let foreign = other.entries_of(other.journal());
    let taken = anna.takes(&mut mallory, &foreign[..1]);
    held(
        taken.is_err() && anna.at.head(other.journal()).is_none(),
        "Anna stores entries of another group",
    )
}

fn second_founding() -> Outcome {
    let [anna, _, mallory] = three(60);
    let key = anna.key();
    let mut usurper = Neighbour::new(66);
    let journal_key = ed25519_dalek::SigningKey::generate(&mut usurper.rng);
    let journal = JournalId(journal_key.verifying_key().to_bytes());
    let founder = usurper.me.named();
    let charter = Charter::circle();
    let message = found_bytes(journal, key.id(), &founder, &charter);
    let act = ControlAct::Found(Found {
        person_signature: sign(&usurper.person, &message),
        founder,
        charter,
    });
    let begin = (EntryNumber(0), EntryId::ZERO);
    let payload = act_to_bytes(&act);
    let strange = super::common::sealed(
        &mallory.at,
        &journal_key,
        begin,
        [].into(),
        EntryKind::Control,
        &key,
        &payload,
    );
    let honest = mallory.at.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let honest = bundle::read(&honest, mallory.at.keys()).unwrap().entries;
    let first = BundleEntry {
        entry: strange,
        payload: None,
    };
    let entries = std::iter::once(first).chain(honest);
    let file = bundle::write(mallory.at.group(), entries, mallory.at.keys(), Compression::Fast).unwrap();
    let newcomer = Replica::from_bundle(MemoryStorage::default(), anna.at.group(), vec![key], &file).unwrap();
    held(
        newcomer.roster().persons() == anna.at.roster().persons(),
        "whoever comes in meets the usurper as the founder",
    )
}

fn ballot_for_another() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(70);
    let about = anna.adds("bench");
    let poll = anna.at.open_poll(about, Method::YesNo, vec![], NOW).unwrap();
    anna.meets(&mut mallory).unwrap();
    let record = mallory.at.poll(poll).unwrap().record;
    let ballot = Ballot::parse(&record, &["yes".to_owned()], NOW).unwrap();
    let document = DocumentId::Vote(carla.person());
    // Mallory's own software lets them.
    without(Guard::OwnDocument, || {
        let write = |tx: &mut automerge::transaction::Transaction<'_>| vote::put_ballot(tx, poll, &ballot);
        mallory.at.write_document(document, NOW, write).unwrap();
    });
    anna.meets(&mut mallory).unwrap();
    anna.meets(&mut carla).unwrap();
    let voted = anna.at.poll_outcome(poll).unwrap().voted;
    held(voted.is_empty(), "Carla has voted, though she never did")
}

fn name_for_another() -> Outcome {
    let [mut anna, carla, mut mallory] = three(80);
    let document = DocumentId::Own(carla.person());
    without(Guard::OwnDocument, || {
        let written = mallory
            .at
            .write_document(document, NOW, |tx| own::set_profile_name(tx, "Thief"));
        written.unwrap();
    });
    anna.meets(&mut mallory).unwrap();
    let name = anna.at.name_of(carla.person()).unwrap();
    held(name.is_none(), "Carla goes by a name that Mallory gave her")
}

fn page_by_a_member() -> Outcome {
    let [mut anna, _, mut mallory] = three(90);
    without(Guard::StewardsOnly, || {
        let page = DocumentId::Group;
        mallory
            .at
            .write_document(page, NOW, |tx| group::set_name(tx, "Mine"))
            .unwrap();
    });
    anna.meets(&mut mallory).unwrap();
    let name = anna.at.info().unwrap().name;
    held(name != "Mine", "the group has Mallory's name")
}

fn idea_of_an_observer() -> Outcome {
    let mut anna = founder(100);
    let mut who = Neighbour::new(101);
    let invited = anna.at.invite(
        &anna.who.me,
        Role::Observer,
        Timestamp(2_000),
        vec![],
        &mut anna.who.rng,
    );
    let invitation = invited.unwrap();
    let (to_anna, to_them) = channels(who.me.device_id(), anna.who.me.device_id());
    let request = invitation.request(&who.me, &who.person, &to_anna);
    let answer = anna.at.admit(&request, &to_them, NOW, &mut anna.who.rng).unwrap();
    let boxes = answer.admission().unwrap().boxes;
    let file = anna.at.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let empty = MemoryStorage::default();
    let at = Replica::join(
        empty,
        &invitation,
        &who.me,
        &who.box_secret,
        &boxes,
        &file,
        &mut who.rng,
    );
    let mut olga = One::of(who, at.unwrap());
    without(Guard::Observer, || {
        olga.at
            .add_idea(&idea("by an observer"), NOW, &mut olga.who.rng)
            .unwrap();
    });
    anna.meets(&mut olga).unwrap();
    held(
        !anna.shows("by an observer"),
        "an observer's idea stands among the others",
    )
}

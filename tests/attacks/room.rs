//! Strangers and members who bring more than a group has room for: by the thousand, shown with less.

use ed25519_dalek::SigningKey;
use kiez_core::domain::control::{ControlAct, CouncilAct, Open};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId};
use kiez_core::planted::Guard;
use kiez_core::replica::allowance::{Amount, Rates, Road};
use kiez_core::replica::control::{act_to_bytes, open_bytes, sign};
use kiez_core::replica::document::Leave;
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::limits::{ERASURE_ENTRIES, OPENING_ENTRIES};
use kiez_core::replica::room::Most;

use super::common::{NOW, Neighbour};
use super::people::{One, three};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "a member's device that carries entries", "journals of nobody by the thousand, under fresh keys",
        "none is stored, and nobody hears of them", Stop::By(Guard::Granted), of_nobody;
    "a member", "one's own devices by the thousand",
        "so many are taken in, the others put off", Stop::By(Guard::OpeningWeight), own_devices;
    "members and their friends", "journals by the thousand, over weeks, until nobody can say what they hold",
        "so many are taken in that a frontier is still read", Stop::By(Guard::JournalsRoom), all_journals;
    "a member's device that carries entries", "journals by the thousand that nobody can read",
        "a few are taken in", Stop::By(Guard::UnreadRoom), unreadable;
    "a member", "branches of their own journal by the thousand",
        "a few are kept: the fork is proven", Stop::By(Guard::BranchesRoom), branches;
    "a removed member", "they write on and on, and somebody carries it",
        "so much is kept, the rest is put off", Stop::By(Guard::QuarantineRoom), after_removal;
    "a member", "erasures by the hundred, each of which makes everybody judge everything anew",
        "a few are taken in, the others put off", Stop::By(Guard::ErasureWeight), erasures;
}

/// The first entry of a journal that a device begins, by virtue of a grant if it were its own.
fn opened(at: &One, of: &Neighbour, grant: EntryId, key: &GroupKey, seed: u64) -> Entry {
    let journal = SigningKey::from_bytes(blake3::hash(&seed.to_le_bytes()).as_bytes());
    let id = JournalId(journal.verifying_key().to_bytes());
    let group = at.at.group();
    let act = ControlAct::Open(Open {
        grant,
        device: of.me.device_id(),
        device_signature: sign(&of.me.device, &open_bytes(group, grant, id)),
    });
    let begin = (EntryNumber(0), EntryId::ZERO);
    let (seen, payload) = ([grant].into(), act_to_bytes(&act));
    super::common::sealed(&at.at, &journal, begin, seen, EntryKind::Control, key, &payload)
}

/// Somebody brings entries in a session, each by itself.
fn brings(to: &mut One, entries: Vec<Entry>) {
    for entry in entries {
        to.at.receive_by(Road::Session, vec![(entry, None)]).unwrap();
    }
}

fn of_nobody() -> Outcome {
    let [mut anna, _, mallory] = three(10);
    let grant = mallory.membership(mallory.person());
    let stranger = Neighbour::new(19);
    let all = (0..60).map(|n| opened(&mallory, &stranger, grant, &mallory.key(), 1_000 + n));
    brings(&mut anna, all.collect());
    held(
        anna.at.frontier().len() == 3,
        "Anna keeps and passes on as many journals as anybody likes to make",
    )
}

fn own_devices() -> Outcome {
    let [mut anna, _, mallory] = three(20);
    let burst = Amount {
        entries: 10 * OPENING_ENTRIES,
        ..Rates::default().burst
    };
    anna.at.set_rates(Rates {
        burst,
        ..Rates::default()
    });
    let grant = mallory.membership(mallory.person());
    let all = (0..60).map(|n| opened(&mallory, &mallory.who, grant, &mallory.key(), 2_000 + n));
    brings(&mut anna, all.collect());
    let told = anna.at.kept_out().contains_key(&mallory.person());
    held(
        anna.at.frontier().len() < 20 && told,
        "Mallory fills the frontier within one burst",
    )
}

fn all_journals() -> Outcome {
    let [mut anna, _, mallory] = three(30);
    anna.at.set_most(Most {
        journals: 20,
        ..Most::default()
    });
    let grant = mallory.membership(mallory.person());
    let all = (0..60).map(|n| opened(&mallory, &mallory.who, grant, &mallory.key(), 3_000 + n));
    brings(&mut anna, all.collect());
    held(
        anna.at.frontier().len() <= 20,
        "Anna's frontier is longer than anybody reads",
    )
}

fn unreadable() -> Outcome {
    let [mut anna, _, mut mallory] = three(40);
    let own = GroupKey::generate(&mut mallory.who.rng);
    anna.at.set_most(Most {
        unread: 10,
        ..Most::default()
    });
    let grant = mallory.membership(mallory.person());
    let all = (0..60).map(|n| opened(&mallory, &mallory.who, grant, &own, 4_000 + n));
    brings(&mut anna, all.collect());
    held(
        anna.at.frontier().len() <= 3 + 10,
        "Anna keeps as many journals as anybody likes to seal under a key of their own",
    )
}

fn branches() -> Outcome {
    let [mut anna, _, mallory] = three(50);
    anna.at.set_most(Most {
        journal_branches: 10,
        ..Most::default()
    });
    let all = (0..60_u32).map(|n| mallory.forges(&[], EntryKind::Content, &n.to_le_bytes()));
    brings(&mut anna, all.collect());
    let kept = anna.at.branches()[&mallory.journal()].len();
    held(kept <= 10, "what Anna says she holds grows without end")
}

fn after_removal() -> Outcome {
    let [mut anna, _, mut mallory] = three(60);
    let membership = anna.membership(mallory.person());
    anna.proposes(CouncilAct::Remove { membership });
    anna.at.set_most(Most {
        quarantine: Amount {
            entries: 10,
            bytes: u64::MAX,
        },
        ..Most::default()
    });
    let journal = mallory.journal();
    let had = anna.at.head(journal).unwrap().0;
    for n in 0..30 {
        mallory.adds(&format!("{n}"));
        let all = mallory.entries_of(journal);
        let has = anna.at.head(journal).unwrap().0;
        let more = all.into_iter().filter(|entry| entry.header.number > has);
        let more = more.map(|entry| (entry, None)).collect();
        anna.at.receive_by(Road::Session, more).unwrap();
    }
    let has = anna.at.head(journal).unwrap().0;
    held(
        has.0 <= had.0 + 10 && anna.at.put_off().contains_key(&journal),
        "who was removed fills Anna's disk, a little every hour for ever",
    )
}

fn erasures() -> Outcome {
    let [mut anna, _, mut mallory] = three(70);
    let burst = Amount {
        entries: 3 * ERASURE_ENTRIES,
        ..Rates::default().burst
    };
    let journal = mallory.journal();
    let person = mallory.who.person.clone();
    anna.at.set_rates(Rates {
        burst,
        ..Rates::default()
    });
    let mut taken = 0;
    for n in 0..8 {
        mallory.at.set_profile_name(&format!("Mallory {n}"), NOW).unwrap();
        mallory.at.erase_own(&person, Leave::Everything, NOW).unwrap();
        let had = anna.at.head(journal).unwrap().0;
        anna.meets(&mut mallory).unwrap();
        taken += usize::from(anna.at.head(journal).unwrap().0 > had);
    }
    held(taken < 6, "Mallory's erasures keep every computer busy")
}

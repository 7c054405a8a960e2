//! The numbered rules, each by its name (here, `council`, `kills`, `life`), what they do not hold (`limits`), the same rules
//! said slowly (`oracle`), histories by the thousand (`properties`, `sentences`), and all small attacks (`explorer`).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test code: a failure is a panic, a long run prints its figures"
)]

mod acts;
mod beside;
mod council;
mod erase;
mod erasures;
mod explorer;
mod histories;
mod kills;
mod life;
mod limits;
mod oracle;
mod properties;
mod sentences;
mod story;

use proptest::prelude::*;

use super::*;
use crate::domain::charter::Charter;
use crate::domain::control::{Admit, ControlEntry, Device, Enrol, Found, Invite, Open};
use crate::domain::id::{BoxKey, DeviceId, EntryId, InviteKey, Signature, Timestamp};

const NONE: Signature = Signature([0; 64]);

fn device(person: u8, device: u8) -> Device {
    Device {
        person: PersonId([person; 32]),
        device: DeviceId([device; 32]),
        box_key: BoxKey([device; 32]),
    }
}

fn entry(id: u8, journal: u8, number: u64, seen: &[u8], act: ControlAct) -> ControlEntry {
    ControlEntry {
        id: EntryId([id; 32]),
        journal: JournalId([journal; 32]),
        number: EntryNumber(number),
        seen: seen.iter().map(|id| EntryId([*id; 32])).collect(),
        act,
    }
}

fn found() -> ControlEntry {
    let act = Found {
        founder: device(1, 1),
        charter: Charter::circle(),
        person_signature: NONE,
    };
    entry(1, 1, 1, &[], ControlAct::Found(act))
}

fn open(id: u8, journal: u8, grant: u8, device: u8, seen: &[u8]) -> ControlEntry {
    let act = Open {
        grant: EntryId([grant; 32]),
        device: DeviceId([device; 32]),
        device_signature: NONE,
    };
    entry(id, journal, 1, seen, ControlAct::Open(act))
}

fn invite(id: u8, journal: u8, number: u64, role: Role) -> ControlEntry {
    let act = Invite {
        key: InviteKey([id; 32]),
        role,
        expires: Timestamp(0),
    };
    entry(id, journal, number, &[], ControlAct::Invite(act))
}

fn admit(id: u8, journal: u8, number: u64, invite: u8, person: u8) -> ControlEntry {
    let act = Admit {
        invite: EntryId([invite; 32]),
        invite_key: InviteKey([invite; 32]),
        joiner: device(person, person),
        exporter: [0; 32],
        invite_signature: NONE,
        person_signature: NONE,
    };
    entry(id, journal, number, &[], ControlAct::Admit(act))
}

fn enrol(id: u8, journal: u8, number: u64, membership: u8, person: u8, named: u8) -> ControlEntry {
    let act = Enrol {
        membership: EntryId([membership; 32]),
        enrolled: device(person, named),
        nonce: [0; 16],
        person_signature: NONE,
    };
    entry(id, journal, number, &[], ControlAct::Enrol(act))
}

/// Founder 1, who admits 2; 2 opens a journal and admits 3.
fn three() -> Vec<ControlEntry> {
    vec![
        found(),
        invite(10, 1, 2, Role::Member),
        admit(11, 1, 3, 10, 2),
        open(12, 2, 11, 2, &[11]),
        invite(13, 2, 2, Role::Observer),
        admit(14, 2, 3, 13, 3),
        open(15, 3, 14, 3, &[14]),
    ]
}

fn roster(entries: Vec<ControlEntry>) -> Roster {
    let mut roster = Roster::default();
    for entry in entries {
        roster.insert(entry).unwrap().ok();
    }
    roster
}

fn with(extra: ControlEntry) -> Result<(), NotOk> {
    roster(three()).insert(extra).unwrap()
}

#[test]
fn r1_past_is_prev_and_seen_closed() {
    let roster = roster(three());
    let persons = |heads: &[u8]| {
        let heads: Vec<EntryId> = heads.iter().map(|id| EntryId([*id; 32])).collect();
        roster.persons_at(&heads).map(|persons| persons.len())
    };
    assert_eq!(persons(&[1]), Some(1));
    assert_eq!(persons(&[10]), Some(1));
    assert_eq!(
        persons(&[12]),
        Some(2),
        "a journal inherits the past of its grant"
    );
    assert_eq!(persons(&[14]), Some(3));
    assert_eq!(persons(&[99]), None);
    assert_eq!(roster.heads(), [EntryId([15; 32])]);
    // What a journal names next is what it has not named yet.
    let unseen = roster.unseen(JournalId([1; 32]), &BTreeSet::new());
    assert_eq!(unseen, [EntryId([15; 32])]);
    assert!(roster.unseen(JournalId([3; 32]), &BTreeSet::new()).is_empty());
}

#[test]
fn r1_an_entry_whose_past_is_missing_changes_nothing() {
    let mut roster = Roster::default();
    roster.insert(found()).unwrap().unwrap();
    assert_eq!(roster.insert(open(12, 2, 11, 2, &[11])), Err(PastMissing));
    assert_eq!(roster.len(), 1);
}

#[test]
fn r2_an_act_is_judged_by_what_its_author_was_allowed() {
    assert_eq!(with(invite(20, 1, 4, Role::Member)), Ok(()));
    assert_eq!(
        with(invite(20, 1, 4, Role::Steward)),
        Err(NotOk::MayNotInvite),
        "nobody is invited as a steward"
    );
    assert_eq!(
        with(invite(20, 3, 2, Role::Member)),
        Err(NotOk::MayNotInvite),
        "an observer invites nobody"
    );
    assert_eq!(with(invite(20, 9, 2, Role::Member)), Err(NotOk::NotAMember));
    assert_eq!(
        with(invite(20, 9, 1, Role::Member)),
        Err(NotOk::OutOfPlace),
        "a journal begins with open"
    );
}

#[test]
fn r2_only_the_inviting_journal_admits_and_only_once() {
    assert_eq!(with(admit(20, 1, 4, 10, 5)), Err(NotOk::InvitationUsed));
    assert_eq!(
        with(admit(20, 1, 4, 13, 5)),
        Err(NotOk::NoSuchInvitation),
        "it is another's invitation"
    );
    assert_eq!(with(admit(20, 1, 4, 77, 5)), Err(NotOk::NoSuchInvitation));
    let mut roster = roster(three());
    roster.insert(invite(20, 1, 4, Role::Member)).unwrap().unwrap();
    assert_eq!(
        roster.insert(admit(21, 1, 5, 20, 2)).unwrap(),
        Err(NotOk::AlreadyAMember)
    );
    assert_eq!(
        roster.insert(admit(22, 1, 6, 20, 3)).unwrap(),
        Ok(()),
        "the author did not know that somebody else had admitted them"
    );
}

#[test]
fn r2_a_journal_begins_on_a_grant_of_its_device_that_it_has_seen() {
    assert_eq!(
        with(open(20, 9, 11, 2, &[11])),
        Ok(()),
        "a second journal on one grant"
    );
    assert_eq!(
        with(open(20, 9, 11, 3, &[11])),
        Err(NotOk::NoSuchGrant),
        "another device"
    );
    assert_eq!(
        with(open(20, 9, 11, 2, &[10])),
        Err(NotOk::NoSuchGrant),
        "not seen"
    );
    assert_eq!(
        with(open(20, 9, 10, 2, &[10])),
        Err(NotOk::NoSuchGrant),
        "an invitation is no grant"
    );
    let late = ControlEntry {
        number: EntryNumber(2),
        ..open(20, 2, 11, 2, &[11])
    };
    assert_eq!(with(late), Err(NotOk::OutOfPlace));
    assert_eq!(
        with(ControlEntry {
            id: EntryId([20; 32]),
            journal: JournalId([9; 32]),
            ..found()
        }),
        Err(NotOk::OutOfPlace)
    );
}

#[test]
fn r2_a_further_device_is_enrolled_in_a_membership_of_its_person() {
    assert_eq!(
        with(enrol(20, 1, 4, 11, 2, 8)),
        Ok(()),
        "by another member, as the person signed it"
    );
    assert_eq!(with(enrol(20, 1, 4, 11, 3, 8)), Err(NotOk::NotTheirMembership));
    assert_eq!(
        with(enrol(20, 1, 4, 14, 3, 8)),
        Err(NotOk::NotTheirMembership),
        "not in the author's past"
    );
    let mut roster = roster(three());
    roster.insert(enrol(20, 2, 4, 11, 2, 8)).unwrap().unwrap();
    roster.insert(open(21, 9, 20, 8, &[20])).unwrap().unwrap();
    let author = roster.author(JournalId([9; 32])).unwrap();
    assert_eq!((author.person, author.role), (PersonId([2; 32]), Role::Member));
    assert_eq!(roster.persons()[&PersonId([2; 32])].devices.len(), 2);
}

#[test]
fn r8_an_unknown_act_takes_no_effect_and_asks_for_an_update() {
    let mut roster = roster(three());
    assert!(!roster.needs_update());
    let unknown = entry(20, 1, 4, &[], ControlAct::Unknown { kind: 77 });
    assert_eq!(roster.insert(unknown).unwrap(), Err(NotOk::Unknown));
    assert!(roster.needs_update());
    assert_eq!(roster.persons().len(), 3);
}

#[test]
fn what_does_not_count_is_in_the_past_of_others_all_the_same() {
    let mut roster = roster(three());
    assert_eq!(
        roster.insert(entry(20, 8, 5, &[15], ControlAct::Void)).unwrap(),
        Err(NotOk::Void)
    );
    let seen_void = ControlEntry {
        seen: BTreeSet::from([EntryId([20; 32])]),
        ..invite(21, 1, 4, Role::Member)
    };
    assert_eq!(roster.insert(seen_void).unwrap(), Ok(()));
    assert!(!roster.needs_update());
}

/// Histories of up to 30 acts by whoever: allowed or not, on what one of the journals had seen.
fn histories() -> impl Strategy<Value = Vec<ControlEntry>> {
    prop::collection::vec((0_u8..6, 0_usize..4, 0_usize..40, 0_usize..40), 0..30).prop_map(|steps| {
        let mut all = three();
        let mut next = vec![(1_u8, 4_u64), (2, 4), (3, 2)];
        for (id, (kind, who, one, other)) in (30_u8..).zip(steps) {
            let place = who % next.len();
            let (journal, number) = next[place];
            let pick = |n: usize| all[n % all.len()].id.0[0];
            let mut entry = match kind {
                0 => invite(id, journal, number, Role::Member),
                1 => admit(id, journal, number, pick(one), 40_u8.wrapping_add(pick(other))),
                2 => enrol(id, journal, number, pick(one), pick(other), id),
                3 => entry(id, journal, number, &[], ControlAct::Unknown { kind: 9 }),
                4 => invite(id, journal, number, Role::Observer),
                _ => {
                    let grant = pick(one);
                    let named = all
                        .iter()
                        .find(|e| e.id.0[0] == grant)
                        .and_then(|e| e.act.device());
                    next.push((id, 2));
                    all.push(open(id, id, grant, named.map_or(0, |d| d.device.0[0]), &[grant]));
                    continue;
                }
            };
            entry.seen.insert(EntryId([pick(other); 32]));
            next[place].1 += 1;
            all.push(entry);
        }
        all
    })
}

/// Takes entries in as they come; what has no past yet comes again later.
fn arrive(mut entries: Vec<ControlEntry>) -> Roster {
    let mut roster = Roster::default();
    let mut held: BTreeMap<JournalId, u64> = BTreeMap::new();
    while !entries.is_empty() {
        let before = entries.len();
        entries.retain(|entry| {
            let next = held.entry(entry.journal).or_insert(0);
            let came = entry.number.0 == *next + 1 && roster.insert(entry.clone()).is_ok();
            *next += u64::from(came);
            !came
        });
        assert!(entries.len() < before, "everything has its past in the end");
    }
    roster
}

proptest! {
    #[test]
    fn the_order_of_arrival_never_matters(entries in histories(), seed in any::<u64>()) {
        let straight = arrive(entries.clone());
        let mut shuffled = entries.clone();
        shuffled.sort_by_key(|entry| blake3::keyed_hash(&blake3::derive_key("test", &seed.to_le_bytes()), &entry.id.0).as_bytes().to_vec());
        let other = arrive(shuffled);
        prop_assert_eq!(straight.persons(), other.persons());
        prop_assert_eq!(straight.heads(), other.heads());
        for entry in &entries {
            prop_assert_eq!(straight.verdict(entry.id), other.verdict(entry.id));
            prop_assert_eq!(straight.author(entry.journal), other.author(entry.journal));
            let at = [entry.id];
            prop_assert_eq!(straight.persons_at(&at), other.persons_at(&at));
        }
    }

    #[test]
    fn nothing_that_comes_later_changes_how_an_act_was_judged(entries in histories(), cut in 7_usize..40) {
        let some = arrive(entries.iter().take(cut).cloned().collect());
        let all = arrive(entries.clone());
        for entry in entries.iter().take(cut) {
            prop_assert_eq!(some.verdict(entry.id), all.verdict(entry.id));
        }
    }

    #[test]
    fn nobody_is_in_without_a_line_of_grants_from_the_founding(entries in histories()) {
        let roster = arrive(entries);
        for (_, author) in roster.authors() {
            prop_assert!(roster.persons().contains_key(&author.person));
        }
        let stewards = roster.persons().into_values().filter(|person| person.role == Role::Steward).count();
        prop_assert_eq!(stewards, 1, "no act of these kinds makes a steward");
    }
}

//! What a hostile member can do to a fork: nothing but what the branches that they forked themselves decide.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

mod common;

use std::collections::BTreeSet;

use common::{NOW, Neighbour, fresh, idea, opened, sealed, signing, sync, titles};
use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{ControlAct, Open};
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{DeviceId, EntryId, EntryNumber, JournalId, ProposalId};
use kiez_core::replica::codec::Blob;
use kiez_core::replica::content::Content;
use kiez_core::replica::control::{act_to_bytes, open_bytes, sign, sign_enrolment};
use kiez_core::replica::document::{Document, proposal};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use rand_chacha::ChaCha20Rng;

type Laptop = Replica<MemoryStorage>;

/// The first entry of a fresh journal under a key that nobody granted anything.
fn first_entry(replica: &Laptop, seen: BTreeSet<EntryId>, rng: &mut ChaCha20Rng, act: Act) -> Entry {
    let signing = SigningKey::generate(rng);
    let journal = JournalId(signing.verifying_key().to_bytes());
    let payload = match act {
        Act::Unknown => vec![0xee, 0xee],
        Act::Open(grant) => {
            let device = SigningKey::generate(rng);
            act_to_bytes(&ControlAct::Open(Open {
                grant,
                device: DeviceId(device.verifying_key().to_bytes()),
                device_signature: sign(&device, &open_bytes(replica.group(), grant, journal)),
            }))
        }
    };
    let key = replica.keys().current().unwrap();
    let begin = (EntryNumber(0), EntryId::ZERO);
    sealed(replica, &signing, begin, seen, EntryKind::Control, key, &payload)
}

enum Act {
    Unknown,
    /// By virtue of somebody's grant, with another device than theirs.
    Open(EntryId),
}

#[test]
fn nobody_speaks_for_others_on_a_fork() {
    for seed in 0..4 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut a = anna.found();
        let mut c = carla.join(&mut a, &mut anna);
        let mut b = ben.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let grants = [&anna, &carla, &carla].map(|of| a.roster().membership(of.me.person).unwrap());
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        let one = b.add_idea(&idea("one"), NOW, &mut ben.rng).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        a.edit_idea(one, "Anna builds on it.", NOW).unwrap();
        sync(&mut a, &mut anna, &mut c, &mut carla);
        c.edit_idea(one, "Anna builds on it. Carla too.", NOW).unwrap();
        sync(&mut a, &mut anna, &mut c, &mut carla);
        // On the other branch nobody builds.
        copy.add_idea(&idea("two"), NOW, &mut ben.rng).unwrap();
        let invited = copy.invite(&ben.me, Role::Member, NOW, vec![], &mut ben.rng);
        let invite = invited.unwrap().invite;
        let mut again = ben.copied(99);
        sync(&mut copy, &mut again, &mut a, &mut anna);
        assert_eq!(titles(&mut a), ["one"], "seed {seed}");
        let forged = grants.map(|grant| {
            let entry = first_entry(&a, [grant, invite].into(), &mut ben.rng, Act::Open(grant));
            (entry, None)
        });
        a.receive(forged.into()).unwrap();
        assert_eq!(titles(&mut a), ["one"], "seed {seed}");
    }
}

#[test]
fn journals_of_nobody_decide_no_fork() {
    for seed in 0..4 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut a = anna.found();
        let old = a.storage().clone();
        let mut b = ben.join(&mut a, &mut anna);
        let mut c = carla.join(&mut a, &mut anna);
        b.add_idea(&idea("benches"), NOW, &mut ben.rng).unwrap();
        c.add_idea(&idea("trees"), NOW, &mut carla.rng).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        let mut restored = Replica::open(old).unwrap();
        let invited = restored.invite(&anna.me, Role::Member, NOW, vec![], &mut anna.rng);
        let invite = invited.unwrap().invite;
        sync(&mut restored, &mut anna, &mut b, &mut ben);
        let junk = (0..5).map(|_| {
            (
                first_entry(&b, [invite].into(), &mut carla.rng, Act::Unknown),
                None,
            )
        });
        b.receive(junk.collect()).unwrap();
        assert_eq!(b.roster().persons().len(), 3, "seed {seed}");
        assert_eq!(titles(&mut b), ["benches", "trees"], "seed {seed}");
    }
}

/// A change that the gate refuses once what it depends on is there, and a proper idea after it.
fn bad_and_good(mallory: &mut Laptop, about: ProposalId) -> Vec<(Entry, Option<Vec<u8>>)> {
    let signing = signing(mallory);
    let journal = JournalId(signing.verifying_key().to_bytes());
    let mut document = mallory.document(DocumentId::Proposal(about)).unwrap().clone();
    let (_, raw) = document
        .write(journal, NOW, |tx| proposal::set_title(tx, "bad"))
        .unwrap();
    let mut expanded = automerge::Change::try_from(&raw.unwrap()[..]).unwrap().decode();
    expanded.start_op = expanded.start_op.checked_add(5).unwrap();
    let bad = automerge::Change::from(expanded).raw_bytes().to_vec();
    let mut fresh = Document::new(DocumentKind::Proposal);
    let (_, good) = fresh
        .write(journal, NOW, |tx| proposal::create(tx, &idea("mallory")))
        .unwrap();
    let key = mallory.keys().current().unwrap();
    let mut head = mallory.head(journal).unwrap();
    let written = [(about, bad), (ProposalId([7; 16]), good.unwrap())];
    let entries = written.map(|(document, raw)| {
        let content = Content {
            document: DocumentId::Proposal(document),
            changes: vec![Blob(raw)],
        };
        let payload = content.to_bytes();
        let kind = EntryKind::Content;
        let entry = sealed(mallory, &signing, head, [].into(), kind, key, &payload);
        head = (entry.header.number, entry.id);
        (entry, None)
    });
    entries.into()
}

#[test]
fn where_a_journal_ends_does_not_hang_on_a_branch_that_lost() {
    for seed in 0..6 {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut carla = Neighbour::new(seed * 10 + 3);
        let mut mallory = Neighbour::new(seed * 10 + 4);
        let mut a = anna.found();
        let mut c = carla.join(&mut a, &mut anna);
        let mut b = ben.join(&mut a, &mut anna);
        let mut m = mallory.join(&mut a, &mut anna);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        sync(&mut a, &mut anna, &mut b, &mut ben);
        sync(&mut a, &mut anna, &mut m, &mut mallory);
        sync(&mut a, &mut anna, &mut c, &mut carla);
        let mut copy = Replica::open(b.storage().clone()).unwrap();
        let mut again = ben.copied(99);
        let one = b.add_idea(&idea("one"), NOW, &mut ben.rng).unwrap();
        let two = copy.add_idea(&idea("two"), NOW, &mut again.rng).unwrap();
        sync(&mut m, &mut mallory, &mut b, &mut ben);
        let entries = bad_and_good(&mut m, one);
        // Anna meets branch one, then Mallory's; Carla branch two, on which she builds.
        sync(&mut a, &mut anna, &mut b, &mut ben);
        assert_eq!(a.receive(entries.clone()).unwrap().ended.len(), 1);
        sync(&mut c, &mut carla, &mut copy, &mut again);
        c.edit_idea(two, "Carla builds on it.", NOW).unwrap();
        c.receive(entries).unwrap();
        sync(&mut a, &mut anna, &mut c, &mut carla);
        assert_eq!(titles(&mut a), titles(&mut c), "seed {seed}");
        assert_eq!(a.digest().unwrap(), c.digest().unwrap(), "seed {seed}");
    }
}

/// Two journals of one member that fork at their first entries, on a grant each, and further ones that build on these so that
/// each fork would be decided by the other: no end of it, if whose a journal is hung on the branch that counts.
#[test]
fn two_journals_that_fork_at_their_beginning_do_not_decide_each_other_in_a_circle() {
    let (mut anna, mut mallory) = (Neighbour::new(401), Neighbour::new(402));
    let mut a = anna.found();
    let mut m = mallory.join(&mut a, &mut anna);
    sync(&mut a, &mut anna, &mut m, &mut mallory);
    let membership = m.roster().membership(mallory.me.person).unwrap();
    let mut begin = |journal: u64, device: u64| {
        let mut further = Neighbour::new(410 + device);
        further.me.person = mallory.me.person;
        let nonce = [u8::try_from(device).unwrap(); 16];
        let enrol = sign_enrolment(m.group(), membership, further.me.named(), nonce, &mallory.person);
        let grant = match m.roster().unopened_grant(&further.me.named()) {
            Some(grant) => grant,
            None => m.write_act(ControlAct::Enrol(enrol)).unwrap(),
        };
        let key = m.keys().current().unwrap();
        opened(&m, &further, grant, key, &fresh(journal))
    };
    // Of each fork the first is the one with the greater id: it counts only where it has more builders.
    let mut fork = |journal, devices: [u64; 2]| {
        let mut both = devices.map(|device| (begin(journal, device), device));
        both.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.id));
        both
    };
    let [(j1, _), (j2, on_j2)] = fork(1, [1, 2]);
    let [(k1, on_k1), (k2, _)] = fork(2, [3, 4]);
    let others = [(3, on_k1, j1.id), (4, 5, j2.id), (5, on_j2, k1.id), (6, 6, k2.id)];
    let others = others.map(|(journal, device, names)| (begin(journal, device), journal, names));
    let name = |first: &Entry, journal, names: EntryId| {
        let after = (first.header.number, first.id);
        let (key, journal) = (m.keys().current().unwrap(), fresh(journal));
        sealed(
            &m,
            &journal,
            after,
            [names].into(),
            EntryKind::Control,
            key,
            &[0xee, 0xee],
        )
    };
    let mut all = vec![name(&k1, 2, j1.id), name(&j1, 1, k1.id)];
    for (first, journal, names) in &others {
        all.extend([first.clone(), name(first, *journal, *names)]);
    }
    sync(&mut a, &mut anna, &mut m, &mut mallory);
    let firsts = [j1, j2, k1, k2];
    let orders = [[0, 1, 2, 3], [1, 0, 3, 2], [1, 0, 2, 3], [0, 1, 3, 2]];
    let chosen = orders.map(|order| {
        let mut here = Replica::open(a.storage().clone()).unwrap();
        for at in order {
            here.receive(vec![(firsts[at].clone(), None)]).unwrap();
        }
        for entry in &all {
            here.receive(vec![(entry.clone(), None)]).unwrap();
        }
        let again = Replica::open(here.storage().clone()).unwrap();
        assert_eq!(again.holdings(), here.holdings());
        assert_eq!(here.forked().count(), 2);
        here.chosen()
    });
    assert!(chosen.iter().all(|other| *other == chosen[0]), "{chosen:?}");
}

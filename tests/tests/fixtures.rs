//! The fixtures of every issue are read for ever: a profile is opened, files are imported, a session is said again. What
//! else a newer build does with them is in `mixed_versions.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::fs;

use ed25519_dalek::SigningKey;
use kiez_core::domain::id::JournalId;
use kiez_core::domain::poll::PollState;
use kiez_core::host::keystore::{Home, Passphrase, RecoveryWords};
use kiez_core::host::node::Node;
use kiez_core::replica::bundle;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::join::Invitation;
use kiez_core::replica::keys::{BoxSecret, GroupKey, KeyRing};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Close, Effect, Session, Side, is_member};
use kiez_core::replica::storage::{OwnJournal, OwnState, Storage, Write};
use kiez_core::replica::wire::{Frame, Goodbye};
use kiez_tests::fixtures::{Neighbours, PASSPHRASE, Profile, bytes, folder_of, hex};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// The issues at whose end fixtures were recorded. All but the last were released: they are never recorded anew.
const ISSUES: [&str; 3] = ["issue-2", "issue-3", "issue-4"];

/// What was recorded of two neighbours at the end of an issue.
struct Recorded {
    issue: &'static str,
    told: Neighbours,
}

fn each() -> impl Iterator<Item = Recorded> {
    ISSUES.into_iter().map(|issue| {
        let json = fs::read(folder_of(issue).join("neighbours.json")).unwrap();
        let told = serde_json::from_slice(&json).unwrap();
        Recorded { issue, told }
    })
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).unwrap().try_into().unwrap()
}

fn group_key(neighbours: &Neighbours) -> GroupKey {
    GroupKey::from_bytes(array(&neighbours.group_key))
}

/// One side as it was before the session: its copy of the group, and the journal it writes.
fn before(recorded: &Recorded, side: usize) -> Replica<MemoryStorage> {
    let file = ["before-anna.kiez", "before-ben.kiez"][side];
    let copy = fs::read(folder_of(recorded.issue).join(file)).unwrap();
    let neighbours = &recorded.told;
    let keys = vec![group_key(neighbours)];
    let replica = Replica::from_bundle(MemoryStorage::default(), neighbours.group, keys, &copy).unwrap();
    let mut storage = replica.into_storage();
    let own = OwnJournal {
        seed: array(&neighbours.sides[side].journal_seed),
        state: OwnState::Writing,
    };
    storage.commit(neighbours.group, vec![Write::Own(own)]).unwrap();
    Replica::open(storage).unwrap()
}

#[test]
fn a_profile_of_every_version_opens() {
    for (issue, comments) in ISSUES.into_iter().zip([1, 2, 1]) {
        let folder = folder_of(issue);
        let told: Profile = serde_json::from_slice(&fs::read(folder.join("profile.json")).unwrap()).unwrap();
        let home = tempfile::tempdir().unwrap();
        for file in ["profile.kiez", "store.db"] {
            fs::copy(folder.join("profile").join(file), home.path().join(file)).unwrap();
        }
        let passphrase = Passphrase::new(PASSPHRASE);
        let node = Node::open(&Home::at(home.path()), &passphrase).unwrap();
        assert_eq!(
            (node.me().person, node.me().device_id()),
            (told.person, told.device)
        );
        let words = node.recovery_words(&passphrase).unwrap();
        assert_eq!(words.phrase().as_str(), told.words);
        let person = RecoveryWords::parse(&told.words).unwrap().person_key();
        assert_eq!(
            person.verifying_key().to_bytes(),
            told.person.0,
            "the words give the key"
        );
        assert_eq!(node.groups().unwrap(), [told.group]);
        assert_eq!(
            hex(&node.status(told.group).unwrap().digest),
            told.digest,
            "{issue}"
        );
        let idea = node.idea(told.group, told.idea).unwrap();
        assert_eq!(idea.comments.len(), comments, "{issue}");
        assert_eq!(node.task(told.group, told.task).unwrap().title, "Ask the city");
        let (_, outcome, _) = node.poll(told.group, told.poll).unwrap();
        assert_eq!(outcome.state, PollState::Closed);
        assert_eq!(outcome.fingerprint.map(|f| hex(&f)), Some(told.fingerprint));
        let export = fs::read(folder.join("profile-export.kiez")).unwrap();
        assert_eq!(node.import(&export).unwrap().new, 0, "all of it is there already");
        node.comment(told.group, told.idea, "It can still be written.")
            .unwrap();
    }
}

#[test]
fn a_copy_of_every_version_is_read_and_its_vote_counted() {
    for Recorded { issue, told } in each() {
        let copy = fs::read(folder_of(issue).join("after.kiez")).unwrap();
        let keys = vec![group_key(&told)];
        let mut replica = Replica::from_bundle(MemoryStorage::default(), told.group, keys, &copy).unwrap();
        assert_eq!(hex(&replica.digest().unwrap()), told.digest, "{issue}");
        assert_eq!(hex(&replica.holdings().digest()), told.frontier_digest, "{issue}");
        assert_eq!(replica.census().unwrap().entries, told.entries as u64);
        let outcome = replica.poll_outcome(told.poll).unwrap();
        assert_eq!(outcome.tally.unwrap().counts, [2, 1]);
        assert_eq!(outcome.fingerprint.map(|f| hex(&f)), Some(told.fingerprint));
    }
}

#[test]
fn a_session_of_every_version_goes_on_as_it_did() {
    for recorded in each() {
        for (side, name) in [(0, Side::Dialler), (1, Side::Answerer)] {
            session_goes_on(&recorded, side, name);
        }
    }
}

fn session_goes_on(recorded: &Recorded, side: usize, name: Side) {
    let Recorded { issue, told } = recorded;
    let mut replica = before(recorded, side);
    let channel = Channel {
        exporter: array(&told.session_exporter),
        peer: told.sides[1 - side].device,
    };
    let mut session = Session::new(name, channel);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for said in &told.session {
        let raw = bytes(&said.bytes).unwrap();
        let frame = Frame::from_bytes(&raw).unwrap();
        assert_eq!(frame.to_bytes(), raw, "one frame, one form");
        if usize::from(said.side) != side {
            for effect in session.on_frame(frame, &mut replica, &mut rng).unwrap() {
                if let Effect::Close(why) = effect {
                    panic!("{issue}, side {side}: {why}");
                }
            }
        }
    }
    assert!(session.is_even(&replica), "{issue}, side {side}");
    assert_eq!(
        hex(&replica.digest().unwrap()),
        told.digest,
        "{issue}, side {side}"
    );
    let goodbye = session.on_frame(Frame::Goodbye(Goodbye::Done), &mut replica, &mut rng);
    assert!(matches!(
        goodbye.unwrap()[..],
        [Effect::Close(Close::Peer(Goodbye::Done))]
    ));
}

#[test]
fn a_greeting_of_every_version_proves_membership() {
    for Recorded { told, .. } in each() {
        let mut ring = KeyRing::default();
        ring.insert(group_key(&told));
        let channel = |exporter| Channel {
            exporter,
            peer: told.sides[1].device,
        };
        let greeting = Frame::from_bytes(&bytes(&told.session[0].bytes).unwrap()).unwrap();
        let exporter = array(&told.session_exporter);
        assert!(is_member(&greeting, &ring, &channel(exporter), Side::Dialler));
        assert!(!is_member(&greeting, &ring, &channel(exporter), Side::Answerer));
        assert!(!is_member(&greeting, &ring, &channel([0; 32]), Side::Dialler));
    }
}

#[test]
fn joining_of_every_version_is_understood() {
    for Recorded { told, .. } in each() {
        let invitation = Invitation::parse(&told.invitation).unwrap();
        assert_eq!(invitation.to_text(), told.invitation);
        assert_eq!(invitation.group, told.group);
        let mut frames = told
            .joining
            .iter()
            .map(|said| Frame::from_bytes(&bytes(&said.bytes).unwrap()).unwrap());
        let Some(Frame::JoinRequest(request)) = frames.next() else {
            panic!("a request comes first");
        };
        assert_eq!(request.admit.invite, invitation.invite);
        assert_eq!(hex(&request.admit.exporter), told.joining_exporter);
        let Some(Frame::Admitted { boxes, .. }) = frames.next() else {
            panic!("the answer comes second");
        };
        let secret = BoxSecret::from_bytes(array(&told.box_secret));
        assert_eq!(secret.open(told.group, &boxes[0]).unwrap(), group_key(&told));
        let Some(Frame::BundlePart { total, bytes }) = frames.next() else {
            panic!("the group comes third");
        };
        assert_eq!(total, bytes.0.len() as u64);
        let mut ring = KeyRing::default();
        ring.insert(group_key(&told));
        assert_eq!(bundle::read(&bytes.0, &ring).unwrap().group, told.group);
    }
}

#[test]
fn the_journals_are_those_of_the_seeds() {
    for recorded in each() {
        for (side, end) in recorded.told.sides.iter().enumerate() {
            let key = SigningKey::from_bytes(&array(&end.journal_seed));
            let journal = JournalId(key.verifying_key().to_bytes());
            let replica = before(&recorded, side);
            let device = replica.roster().device_of_journal(journal).unwrap();
            assert_eq!(device.device, end.device);
        }
    }
}

//! What builds of earlier issues left behind, in the hands of this one: their profiles open, write and meet a new device,
//! their copies are taken in, their sessions answered, their backups restored. And what a later one writes asks for an update.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::fs;
use std::io::Cursor;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Role;
use kiez_core::domain::id::{GroupId, JournalId, ProposalId};
use kiez_core::domain::proposal::Draft;
use kiez_core::host::keystore::{Cost, Home, Passphrase};
use kiez_core::host::net::{Contact, Network, join};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Effect, Session, Side};
use kiez_core::replica::storage::{OwnJournal, OwnState, Storage, Write};
use kiez_core::replica::wire::Frame;
use kiez_tests::browser::Server;
use kiez_tests::fixtures::council::{Standing, Told, standing};
use kiez_tests::fixtures::{PASSPHRASE, bytes, folder_of, hex};
use kiez_tests::laptop::{self, Laptop};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The profiles that were recorded: where, and where it is told which group is in it, how.
const PROFILES: [(&str, &str, &str); 4] = [
    ("issue-2/profile", "issue-2/profile.json", "/digest"),
    ("issue-3/profile", "issue-3/profile.json", "/digest"),
    ("issue-4/profile", "issue-4/profile.json", "/digest"),
    (
        "issue-4/council/profile",
        "issue-4/council/council.json",
        "/after/digest",
    ),
];

/// The groups that govern themselves that were recorded.
const COUNCILS: [&str; 1] = ["issue-4/council"];

/// Longer than anybody may take for anything here.
const LIMIT: Duration = Duration::from_secs(60);

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE)
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(folder_of(path)).unwrap()).unwrap()
}

fn copy_profile(from: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in ["profile.kiez", "store.db"] {
        fs::copy(folder_of(from).join(file), to.join(file)).unwrap();
    }
}

/// A copy of a recorded profile, open.
fn open(from: &str) -> (TempDir, Node) {
    let folder = tempfile::tempdir().unwrap();
    copy_profile(from, folder.path());
    let node = Node::open(&Home::at(folder.path()), &passphrase()).unwrap();
    (folder, node)
}

fn digest(node: &Node, group: GroupId) -> String {
    hex(&node.status(group).unwrap().digest)
}

fn add_idea(node: &Node, group: GroupId, title: &str) -> ProposalId {
    let draft = Draft {
        title: title.to_owned(),
        ..Draft::default()
    };
    node.add_idea(group, &draft).unwrap()
}

/// Somebody joins with this build, on this network, and both write while they are connected.
async fn meet(old: &Node, group: GroupId) {
    let home = tempfile::tempdir().unwrap();
    let nora = Node::create_at(&Home::at(home.path()), "Nora", &passphrase(), Cost::LEAST).unwrap();
    let of_old = Network::start(old, None).await.unwrap();
    let port = of_old.own_addresses().await[0].port();
    let at = (Ipv4Addr::LOCALHOST, port).into();
    let invitation = old.invite(group, Role::Member, vec![at]).unwrap();
    join(&nora, &invitation, &passphrase(), LIMIT).await.unwrap();
    let theirs = add_idea(old, group, "Of the old profile");
    let hers = add_idea(&nora, group, "Of the new device");
    let of_nora = Network::start(&nora, None).await.unwrap();
    let place = (group, old.me().device_id());
    let mut contacts = of_nora.contacts();
    let even = contacts.wait_for(|contacts| contacts.get(&place) == Some(&Contact::Even));
    tokio::time::timeout(LIMIT, even).await.unwrap().unwrap();
    assert_eq!(nora.idea(group, theirs).unwrap().idea.title, "Of the old profile");
    assert_eq!(old.idea(group, hers).unwrap().idea.title, "Of the new device");
    assert_eq!(digest(old, group), digest(&nora, group));
    of_nora.stop().await;
    of_old.stop().await;
}

fn writes_and_meets(runtime: &tokio::runtime::Runtime, (profile, told, place): (&str, &str, &str)) {
    let told = json(told);
    let (_folder, node) = open(profile);
    let group = node.groups().unwrap()[0];
    assert_eq!(told["group"], json!(group), "{profile}");
    assert_eq!(
        told.pointer(place).unwrap(),
        &digest(&node, group),
        "{profile}: the group is whole"
    );
    runtime.block_on(meet(&node, group));
}

#[test]
fn a_profile_of_every_version_writes_and_meets_a_new_device() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Side by side: most of it is waiting for connections to end.
    std::thread::scope(|scope| {
        for profile in PROFILES {
            let runtime = &runtime;
            scope.spawn(move || writes_and_meets(runtime, profile));
        }
    });
}

#[test]
fn what_issue_3_brought_stands_in_its_profile_and_a_later_copy_is_taken_in() {
    let told = json("issue-3/further.json");
    let (_folder, node) = open("issue-3/profile");
    let group = node.groups().unwrap()[0];
    let ideas = node.ideas(group).unwrap();
    let numbers: Vec<_> = ideas
        .iter()
        .map(|idea| (idea.title.as_str(), idea.plate.number))
        .collect();
    assert_eq!(told["numbers"], json!(numbers));
    let people = node.people(group).unwrap();
    let names: Vec<_> = people.iter().map(|person| &person.name).collect();
    assert_eq!(told["names"], json!(names));
    let benches = ideas.iter().find(|idea| idea.title == "Benches").unwrap().id;
    let (_, body) = node.idea_texts(group, benches).unwrap();
    assert_eq!(told["body"], body.text);
    assert!(
        node.history(group, benches).unwrap().len() > 3,
        "who did what is told"
    );
    assert_eq!(
        node.versions(group, benches).unwrap().len(),
        2,
        "one of Anna, one of Ben"
    );

    let later = fs::read(folder_of("issue-3/ben-later.kiez")).unwrap();
    assert!(node.import(&later).unwrap().new > 0);
    assert_eq!(told["later_digest"], digest(&node, group));
    let poll: kiez_core::domain::id::PollId = serde_json::from_value(told["open_poll"].clone()).unwrap();
    node.close_poll(group, poll).unwrap();
    let (_, outcome, _) = node.poll(group, poll).unwrap();
    assert_eq!(
        outcome.tally.unwrap().counts,
        [1, 2],
        "Ben's ballot came with the copy"
    );
}

// -- groups that govern themselves

struct Recorded {
    folder: PathBuf,
    told: Told,
}

fn councils() -> impl Iterator<Item = Recorded> {
    COUNCILS.into_iter().map(|name| {
        let folder = folder_of(name);
        let told = serde_json::from_slice(&fs::read(folder.join("council.json")).unwrap()).unwrap();
        Recorded { folder, told }
    })
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).unwrap().try_into().unwrap()
}

fn group_keys(keys: &[String]) -> Vec<GroupKey> {
    let keys = keys.iter().map(|key| GroupKey::from_bytes(array(key)));
    keys.collect()
}

impl Recorded {
    fn copy(&self, file: &str, keys: &[String]) -> Replica<MemoryStorage> {
        let copy = fs::read(self.folder.join(file)).unwrap();
        let empty = MemoryStorage::default();
        Replica::from_bundle(empty, self.told.group, group_keys(keys), &copy).unwrap()
    }

    /// One side as it was before the session.
    fn before(&self, side: usize) -> Replica<MemoryStorage> {
        let end = &self.told.sides[side];
        let file = ["before-anna.kiez", "before-carla.kiez"][side];
        let mut storage = self.copy(file, &end.keys).into_storage();
        let own = OwnJournal {
            seed: array(&end.journal_seed),
            state: OwnState::Writing,
        };
        storage.commit(self.told.group, vec![Write::Own(own)]).unwrap();
        let mut replica = Replica::open(storage).unwrap();
        let secret = BoxSecret::from_bytes(array(&end.box_secret));
        replica.set_box_secret(secret).unwrap();
        replica
    }
}

fn at<T>(
    node: &Node,
    group: GroupId,
    action: impl FnOnce(&mut Replica<kiez_core::host::store::GroupStore>) -> T,
) -> T {
    node.with_group(group, |replica| Ok::<_, NodeError>(action(replica)))
        .unwrap()
}

fn stands(node: &Node, group: GroupId) -> Standing {
    at(node, group, |replica| standing(replica).unwrap())
}

#[test]
fn a_recorded_council_holds_every_kind_of_act() {
    let told = councils().last().unwrap().told;
    // The first kind of founding is that of the neighbours.
    assert!(
        told.after.kinds.keys().copied().eq(2..=17),
        "{:?}",
        told.after.kinds
    );
    assert!(told.after.quarantined > 0 && told.after.aside > 0);
}

#[test]
fn a_recorded_council_has_erased_and_tells_it_in_a_session_and_in_its_copies() {
    let recorded = councils().last().unwrap();
    let told = &recorded.told;
    assert_eq!(
        told.after.erased.len(),
        2,
        "an own comment, and what stood in an idea"
    );
    assert!(told.after.bare >= 3, "{}", told.after.bare);
    // The number of the bundle's version.
    let version = |file: &str| fs::read(recorded.folder.join(file)).unwrap()[8];
    let files = [
        "before-anna.kiez",
        "before-carla.kiez",
        "after.kiez",
        "later.kiez",
    ];
    assert_eq!(files.map(version), [2; 4]);
    let carla = recorded.before(1);
    assert_eq!(carla.roster().erased().len(), 1, "of the comment she is told");
    let frames = told.session.iter().map(|said| {
        (
            said.side,
            Frame::from_bytes(&bytes(&said.bytes).unwrap()).unwrap(),
        )
    });
    let bundles = frames.filter(|(_, frame)| matches!(frame, Frame::BundlePart { .. }));
    assert_eq!(bundles.map(|(side, _)| side).collect::<Vec<_>>(), [0], "by Anna");
}

#[test]
fn a_council_is_read_from_a_copy_and_from_a_profile_and_goes_on() {
    for recorded in councils() {
        let told = &recorded.told;
        let mut copy = recorded.copy("after.kiez", &told.keys);
        assert_eq!(standing(&mut copy).unwrap(), told.after);
        let name = recorded.folder.join("profile");
        let (_folder, node) = open(name.to_str().unwrap());
        assert_eq!(node.me().person, told.person);
        let words = node.recovery_words(&passphrase()).unwrap();
        assert_eq!(words.phrase().as_str(), told.words);
        assert_eq!(stands(&node, told.group), told.after);
        at(&node, told.group, Replica::rebuild).unwrap();
        assert_eq!(stands(&node, told.group), told.after, "judged anew");
        assert!(node.words_noted().unwrap());
        assert_eq!(node.lock_after().unwrap(), Some(30));
        let later = fs::read(recorded.folder.join("later.kiez")).unwrap();
        assert!(node.import(&later).unwrap().new > 0);
        assert_eq!(digest(&node, told.group), told.later_digest);
        // She still acts as a steward.
        let council = node.council(told.group).unwrap();
        let carla = *council
            .stewards
            .iter()
            .find(|other| **other != told.person)
            .unwrap();
        let wish = kiez_core::host::node::Wish::Demote(carla, Role::Member);
        node.wish(told.group, &wish, "her turn is over").unwrap();
        assert_eq!(
            node.council(told.group).unwrap().motions.len(),
            council.motions.len() + 1
        );
    }
}

#[test]
fn a_session_of_a_council_goes_on_as_it_did() {
    for recorded in councils() {
        let told = &recorded.told;
        for (side, name) in [(0, Side::Dialler), (1, Side::Answerer)] {
            let mut replica = recorded.before(side);
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
                if usize::from(said.side) == side {
                    continue;
                }
                for effect in session.on_frame(frame, &mut replica, &mut rng).unwrap() {
                    if let Effect::Close(why) = effect {
                        panic!("side {side}: {why}");
                    }
                }
            }
            assert!(session.is_even(&replica), "side {side}");
            assert_eq!(standing(&mut replica).unwrap(), told.after, "side {side}");
        }
    }
}

#[test]
fn a_backup_of_every_version_brings_the_person_back() {
    for recorded in councils() {
        let told = &recorded.told;
        let backup = fs::read(recorded.folder.join("backup.kiez")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("again"));
        let go_on = &mut |_| ControlFlow::Continue(());
        let read = Node::recover_at(&home, &passphrase(), Cursor::new(backup), Cost::LEAST, go_on);
        let (node, what) = read.unwrap();
        assert_eq!((what.name.as_str(), what.groups), ("Anna", vec![told.group]));
        assert_eq!(node.me().person, told.person);
        let stands = stands(&node, told.group);
        assert_eq!(stands, told.after, "all of it can be read at once");
        let refused = node.comment(told.group, node.ideas(told.group).unwrap()[0].id, "Too early");
        assert!(refused.is_err(), "and nothing be written before it is enrolled");
    }
}

// -- what a later build writes

/// A kind of act that no build knows.
const KIND: u16 = u16::MAX;

/// A copy of a recorded council in which Carla has written an act of newer software.
fn with_newer_act(recorded: &Recorded) -> Vec<u8> {
    let told = &recorded.told;
    let mut replica = recorded.copy("after.kiez", &told.keys);
    let signing = SigningKey::from_bytes(&array(&told.sides[1].journal_seed));
    let journal = JournalId(signing.verifying_key().to_bytes());
    let (number, prev) = replica.frontier()[&journal];
    let payload = [&KIND.to_le_bytes()[..], b"whatever it says"].concat();
    let key = replica.keys().current().unwrap().clone();
    let header = Header {
        group: told.group,
        journal,
        number: number.next(),
        prev,
        seen: vec![],
        kind: EntryKind::Control,
        key: key.id(),
        payload_bytes: u32::try_from(payload.len()).unwrap(),
    };
    let entry = Entry::seal(header, &payload, &key).unwrap().signed(&signing);
    replica.receive(vec![(entry, None)]).unwrap();
    replica.bundle(&Frontier::new(), Compression::Small).unwrap()
}

#[test]
fn an_act_of_a_newer_version_asks_for_an_update_and_changes_nothing() {
    let recorded = councils().last().unwrap();
    let laptop = Laptop::new();
    copy_profile("issue-4/council/profile", &laptop.home());
    let node = Node::open(&Home::at(laptop.home()), &passphrase()).unwrap();
    node.change_passphrase(&passphrase(), &Passphrase::new(laptop::PASSPHRASE))
        .unwrap();
    drop(node);
    assert_eq!(laptop.ask(&["status"])["needs_update"], false);
    let people = laptop.ask(&["people"]);
    let file = laptop.file("newer.kiez", with_newer_act(&recorded));
    assert_eq!(laptop.ask(&["import", &file])["new"], 1);

    let status = laptop.ask(&["status"]);
    assert_eq!(status["needs_update"], true);
    assert_eq!(status["quarantined"], recorded.told.after.quarantined);
    assert_eq!(laptop.ask(&["people"]), people, "never a guess");
    laptop.ask(&["idea", "add", "We go on all the same"]);

    let server = Server::start(&laptop);
    let entered = server.enter();
    let unlock = json!({"act": "unlock", "passphrase": laptop::PASSPHRASE});
    assert_eq!(server.page(&entered, "/api/act", &unlock).status, 200);
    let group = json!(recorded.told.group);
    for question in ["council", "connections"] {
        let question = json!({"ask": question, "group": group});
        let said = server.page(&entered, "/api/ask", &question).json();
        assert_eq!(said["needsUpdate"], true, "{question}");
    }
    assert_eq!(server.running.stop().code, Some(0));
}

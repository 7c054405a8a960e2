//! What a member's device sends when its software is not ours: properly sealed and signed entries of Ben's journal, with
//! anything in them, taken in by Anna's device. From payload to roster, document and lists.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use kiez_core::domain::poll::Method;
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::TaskDraft;
use kiez_core::replica::bundle::{self, Compression};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::receive::ReceiveError;
use kiez_core::replica::session::Channel;
use kiez_core::replica::storage::Storage;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::input::Input;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

type Place = (EntryNumber, EntryId);

/// Anna's device before Ben's sends anything odd.
struct Street {
    at_anna: MemoryStorage,
    key: GroupKey,
    ben: SigningKey,
    head: Place,
    controls: Vec<EntryId>,
}

/// Entries: by the first byte all at once or one by one, and what is looked at then; of each its kind, what it has seen, and its payload.
pub(super) fn run(bytes: &[u8]) {
    static STREET: OnceLock<(Street, Vec<Vec<u8>>)> = OnceLock::new();
    let (street, _) = STREET.get_or_init(street);
    let mut input = Input(bytes);
    let flags = input.byte();
    let is_at_once = flags & 1 == 0;
    let (mut head, mut controls) = (street.head, street.controls.clone());
    let mut entries = Vec::new();
    for _ in 0..6 {
        if input.is_empty() {
            break;
        }
        let Some(entry) = street.entry(head, &controls, &mut input) else {
            continue;
        };
        head = (entry.header.number, entry.id);
        if entry.header.kind == EntryKind::Control {
            controls.push(entry.id);
        }
        entries.push((entry, None));
    }
    let mut anna = Replica::open(street.at_anna.clone()).expect("the group opens");
    if is_at_once {
        take(&mut anna, entries);
    } else {
        entries.into_iter().for_each(|entry| take(&mut anna, vec![entry]));
    }
    assert_sound(anna, flags);
}

/// What Ben's own device would send, as inputs.
///
/// # Panics
/// Where the group of this file cannot be made.
#[must_use]
pub fn honest() -> Vec<Vec<u8>> {
    street().1
}

fn take(anna: &mut Replica<MemoryStorage>, entries: Vec<(Entry, Option<Vec<u8>>)>) {
    match anna.receive(entries) {
        Ok(_) | Err(ReceiveError::Carrier(_)) => {}
        Err(ReceiveError::Replica(error)) => panic!("{error}"),
    }
}

/// What must hold of Anna's device now. By flags, as each takes its time: after a restart, judged anew, and carried on.
fn assert_sound(mut anna: Replica<MemoryStorage>, flags: u8) {
    let digest = anna.digest().expect("memory does not fail");
    let lists = lists_of(&mut anna);
    if flags & 2 != 0 {
        anna = Replica::open(anna.into_storage()).expect("the group opens");
        assert_eq!(
            anna.digest().expect("memory does not fail"),
            digest,
            "the same after a restart"
        );
        assert_eq!(lists_of(&mut anna), lists);
    }
    if flags & 4 != 0 {
        anna.rebuild().expect("memory does not fail");
        assert_eq!(
            anna.digest().expect("memory does not fail"),
            digest,
            "the same judged anew"
        );
        assert_eq!(lists_of(&mut anna), lists);
    }
    if flags & 8 != 0 {
        let file = anna
            .bundle(&Frontier::new(), Compression::Fast)
            .expect("the group can be exported");
        let carried = bundle::read(&file, anna.keys()).expect("the export is read");
        // Whoever has it all already learns nothing from the export.
        let entries = carried.entries.into_iter().map(|item| (item.entry, item.payload));
        let received = anna.receive(entries.collect()).expect("an export is taken in");
        assert_eq!(received.new, 0);
    }
}

fn lists_of(anna: &mut Replica<MemoryStorage>) -> String {
    let ideas = anna.ideas().expect("memory does not fail");
    let mut told = format!("{:?}{:?}", anna.info().ok(), anna.plates().ok());
    for idea in &ideas {
        told += &format!(
            "{:?}{:?}",
            anna.tasks(Some(idea.id)).ok(),
            anna.versions(idea.id).ok()
        );
    }
    for (poll, record) in anna.polls().expect("memory does not fail") {
        told += &format!("{record:?}{:?}", anna.poll_outcome(poll).ok());
    }
    for document in anna.storage().documents().expect("memory does not fail") {
        told += &format!(
            "{document}{:?}",
            anna.document(document).map(|document| document.heads()).ok()
        );
    }
    format!("{told}{ideas:?}{:?}", anna.tasks(None).ok())
}

impl Street {
    fn entry(&self, after: Place, controls: &[EntryId], input: &mut Input<'_>) -> Option<Entry> {
        let flags = input.byte();
        let mut seen: Vec<EntryId> = (0..flags >> 1 & 3).filter_map(|_| input.pick(controls)).collect();
        seen.sort_unstable();
        seen.dedup();
        let payload = input.sized();
        let header = Header {
            group: self.at_anna.group().ok().flatten()?,
            journal: JournalId(self.ben.verifying_key().to_bytes()),
            number: after.0.next(),
            prev: after.1,
            seen,
            kind: if flags & 1 == 0 {
                EntryKind::Content
            } else {
                EntryKind::Control
            },
            key: self.key.id(),
            payload_bytes: u32::try_from(payload.len()).ok()?,
        };
        Some(Entry::seal(header, payload, &self.key).ok()?.signed(&self.ben))
    }

    /// What Ben has written since, as inputs: all of it, and each entry by itself.
    fn inputs_of(&self, at_ben: &Replica<MemoryStorage>) -> Vec<Vec<u8>> {
        let journal = JournalId(self.ben.verifying_key().to_bytes());
        let held = at_ben.storage().entries(journal, self.head.0, 6);
        let written = held.expect("memory does not fail").into_iter().map(|held| {
            let payload = held.entry.open(&self.key).expect("Ben's entries open");
            let kind = u8::from(held.entry.header.kind == EntryKind::Control);
            let length = u16::try_from(payload.len())
                .expect("what he wrote is short")
                .to_le_bytes();
            [&[kind], &length[..], &payload].concat()
        });
        let written: Vec<Vec<u8>> = written.collect();
        let all = [vec![0xe], written.concat()].concat();
        let each = written.iter().map(|entry| [&[3], entry.as_slice()].concat());
        std::iter::once(all).chain(each).collect()
    }
}

/// A person with a device.
struct Neighbour {
    me: Me,
    person: SigningKey,
    box_secret: BoxSecret,
    rng: ChaCha20Rng,
}

impl Neighbour {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let person = SigningKey::generate(&mut rng);
        let device = SigningKey::generate(&mut rng);
        let box_secret = BoxSecret::generate(&mut rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device,
            box_key: box_secret.public(),
        };
        Self {
            me,
            person,
            box_secret,
            rng,
        }
    }
}

/// The group, and what Ben would do next.
fn street() -> (Street, Vec<Vec<u8>>) {
    let (mut anna, mut ben) = (Neighbour::new(1), Neighbour::new(2));
    let empty = MemoryStorage::default();
    let mut at_anna = Replica::found(empty, &anna.me, &anna.person, Charter::circle(), &mut anna.rng)
        .expect("a group is founded");
    let draft = Draft {
        title: "Benches".to_owned(),
        body: "Two benches.".to_owned(),
        ..Draft::default()
    };
    let idea = at_anna
        .add_idea(&draft, NOW, &mut anna.rng)
        .expect("an idea is added");
    let mut at_ben = join(&mut anna, &mut at_anna, &mut ben);
    // Anna learns of Ben's journal.
    let head = at_ben
        .signing_journal()
        .map(|(id, _)| id)
        .and_then(|id| at_ben.head(id))
        .expect("he has one");
    bring(&at_ben, &mut at_anna);
    let poll = at_anna
        .open_poll(idea, Method::YesNo, vec![], NOW)
        .expect("a poll is opened");
    bring(&at_anna, &mut at_ben);
    let mut street = Street {
        key: at_anna.keys().current().expect("the group has a key").clone(),
        ben: at_ben.signing_journal().expect("he has one").1.clone(),
        controls: at_anna
            .storage()
            .control()
            .expect("memory does not fail")
            .iter()
            .map(|held| held.entry.id)
            .collect(),
        at_anna: MemoryStorage::default(),
        head,
    };
    let task = TaskDraft {
        title: "Ask the city".to_owned(),
        ..TaskDraft::default()
    };
    at_ben
        .comment(idea, "Good!", NOW, &mut ben.rng)
        .expect("he comments");
    at_ben.cast(poll, &["yes".to_owned()], NOW).expect("he votes");
    at_ben
        .edit_idea(idea, "Two green benches.", NOW)
        .expect("he edits");
    at_ben
        .add_task(Some(idea), &task, NOW, &mut ben.rng)
        .expect("he adds a task");
    at_ben
        .open_poll(idea, Method::YesNo, vec![], NOW)
        .expect("he opens a poll");
    at_ben
        .invite(&ben.me, Role::Member, NOW, vec![], &mut ben.rng)
        .expect("he invites");
    let inputs = street.inputs_of(&at_ben);
    street.at_anna = at_anna.into_storage();
    (street, inputs)
}

fn join(
    anna: &mut Neighbour,
    at_anna: &mut Replica<MemoryStorage>,
    ben: &mut Neighbour,
) -> Replica<MemoryStorage> {
    let invitation = at_anna
        .invite(&anna.me, Role::Member, NOW, vec![], &mut anna.rng)
        .expect("Anna invites");
    let end = |peer| Channel {
        exporter: [9; 32],
        peer,
    };
    let request = invitation.request(&ben.me, &ben.person, &end(anna.me.device_id()));
    let answer = at_anna.admit(&request, &end(ben.me.device_id()), NOW, &mut anna.rng);
    let admission = answer
        .ok()
        .and_then(kiez_core::replica::join::Answer::admission)
        .expect("Anna admits");
    let file = at_anna
        .bundle(&Frontier::new(), Compression::Fast)
        .expect("the group is sent");
    let empty = MemoryStorage::default();
    Replica::join(
        empty,
        &invitation,
        &ben.me,
        &ben.box_secret,
        &admission.boxes,
        &file,
        &mut ben.rng,
    )
    .expect("Ben joins")
}

/// Everything of one device to another.
fn bring(from: &Replica<MemoryStorage>, to: &mut Replica<MemoryStorage>) {
    let file = from
        .bundle(&Frontier::new(), Compression::Fast)
        .expect("the group is sent");
    let read = bundle::read(&file, to.keys()).expect("it is read");
    let entries = read
        .entries
        .into_iter()
        .map(|item| (item.entry, item.payload))
        .collect();
    to.receive(entries).expect("it is taken in");
}

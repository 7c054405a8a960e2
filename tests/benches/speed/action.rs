//! One action, durable: a hundred actions in the proportions of the year, each over what it cannot do without.

use std::time::Duration;

use automerge::Change;
use ed25519_dalek::SigningKey;
use kiez_core::domain::id::{GroupId, PollId, ProposalId, TaskId};
use kiez_core::domain::poll::Method;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::host::keystore::{Home, Unlocked, open_database};
use kiez_core::host::node::{Node, NodeError};
use kiez_core::replica::content::Content;
use kiez_core::replica::document::Document;
use kiez_core::replica::entry::{Entry, Header};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::storage::Storage;
use rusqlite::Connection;

use kiez_tests::year::profile::passphrase;

use super::profiles::{Profiles, unlock};
use super::table::Table;
use super::{RUNS, median, timed};

/// What somebody does. In the year there are, of a hundred actions, so many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ballot,
    Edit,
    Comment,
    AddTask,
    MoveTask,
}

const MIX: [(Kind, usize); 5] = [
    (Kind::Ballot, 49),
    (Kind::Edit, 18),
    (Kind::Comment, 17),
    (Kind::AddTask, 5),
    (Kind::MoveTask, 11),
];

/// Ideas, polls and tasks that somebody is busy with for a while: their documents are open.
struct Busy {
    ideas: Vec<ProposalId>,
    /// With how often it was answered: who says the same again writes nothing.
    polls: Vec<(PollId, usize)>,
    tasks: Vec<(TaskId, TaskState)>,
}

const BUSY: usize = 8;

/// A database as the profile's: SQLCipher, write-ahead log, FULL, with one table for rows of any kind.
pub struct CommitFloor {
    connection: Connection,
    _unlocked: Unlocked,
}

impl CommitFloor {
    pub fn new(home: &Home) -> Self {
        let unlocked = home
            .create_at(&passphrase(), kiez_core::host::keystore::Cost::LEAST)
            .unwrap();
        let connection = open_database(&unlocked).unwrap();
        connection
            .execute_batch("CREATE TABLE rows (row INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
            .unwrap();
        let mut floor = Self {
            connection,
            _unlocked: unlocked,
        };
        // The log has reached its full length once, as that of a profile in use: a file that grows takes longer to sync.
        floor.one_full_commit(&vec![0; 6 << 20]);
        floor
            .connection
            .query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
            .unwrap();
        floor
    }

    /// A floor: one row of so many bytes as the entry has, in a transaction of its own, durable when it returns.
    pub fn one_full_commit(&mut self, bytes: &[u8]) {
        let transaction = self.connection.transaction().unwrap();
        transaction
            .prepare_cached("INSERT INTO rows (bytes) VALUES (?1)")
            .unwrap()
            .execute([bytes])
            .unwrap();
        transaction.commit().unwrap();
    }
}

/// A floor: the payload is sealed for the group.
pub fn seal(header: &Header, payload: &[u8], key: &GroupKey) -> Entry {
    Entry::seal(header.clone(), payload, key).unwrap()
}

/// A floor: the entry is signed.
pub fn sign(entry: Entry, journal: &SigningKey) -> Entry {
    entry.signed(journal)
}

/// A floor: the change is applied to the document as it was before.
pub fn apply(before: &mut Document, change: Change) {
    before.apply(vec![change]).unwrap();
}

/// The floor: seal, sign, one FULL commit, apply; of the very same payload.
fn seal_sign_commit_apply(said: &Said, before: &mut Document, commit: &mut CommitFloor) -> Duration {
    let change = said.change.clone();
    let (took, ()) = timed(|| {
        let entry = sign(seal(&said.header, &said.payload, &said.key), &said.journal);
        commit.one_full_commit(&said.row(&entry));
        apply(before, change);
    });
    took
}

/// What an action wrote.
pub struct Said {
    pub header: Header,
    pub payload: Vec<u8>,
    pub key: GroupKey,
    pub journal: SigningKey,
    pub change: Change,
}

impl Said {
    /// The last thing that this device wrote.
    pub fn last<S: Storage>(replica: &Replica<S>) -> Self {
        let (id, journal) = replica.signing_journal().unwrap();
        let (number, _) = replica.frontier()[&id];
        let held = replica.storage().entry(id, number).unwrap().unwrap();
        let key = replica.keys().get(held.entry.header.key).unwrap().clone();
        let payload = held.entry.open(&key).unwrap();
        let content = Content::from_bytes(&payload).unwrap();
        Self {
            change: Change::from_bytes(content.changes[0].0.clone()).unwrap(),
            header: held.entry.header,
            payload,
            key,
            journal: journal.clone(),
        }
    }

    /// The bytes that have to lie on the disk.
    pub fn row(&self, entry: &Entry) -> Vec<u8> {
        let signature = entry.signature.unwrap().0;
        [
            &entry.header.to_bytes()[..],
            &entry.nonce,
            entry.sealed.held().unwrap(),
            &signature,
        ]
        .concat()
    }

    fn document(&self) -> kiez_core::domain::document::DocumentId {
        Content::from_bytes(&self.payload).unwrap().document
    }
}

/// Does one thing; how long until it was durable.
fn act(node: &Node, group: GroupId, busy: &mut Busy, kind: Kind, turn: usize) -> Duration {
    let one = turn % BUSY;
    match kind {
        Kind::Ballot => {
            let (poll, times) = &mut busy.polls[one];
            *times += 1;
            let answer = ["yes", "no", "abstain"][*times % 3].to_owned();
            timed(|| node.cast(group, *poll, &[answer]).unwrap()).0
        }
        Kind::Edit => {
            let idea = node.with_group(group, |r| r.idea(busy.ideas[one]).map_err(NodeError::from));
            let body = format!("{} und noch etwas {turn}", idea.unwrap().body);
            timed(|| node.edit_idea(group, busy.ideas[one], &body).unwrap()).0
        }
        Kind::Comment => {
            let text =
                format!("Das wird allen helfen, und zwar zum {turn}. Mal, weil es allen etwas bringt.");
            timed(|| node.comment(group, busy.ideas[one], &text).unwrap()).0
        }
        Kind::AddTask => {
            let draft = TaskDraft {
                title: format!("Noch etwas zu tun {turn}"),
                ..TaskDraft::default()
            };
            timed(|| node.add_task(group, Some(busy.ideas[one]), &draft).unwrap()).0
        }
        Kind::MoveTask => {
            let (task, state) = &mut busy.tasks[one];
            *state = match state {
                TaskState::Open | TaskState::Doing => TaskState::Done,
                TaskState::Done => TaskState::Open,
            };
            timed(|| node.set_task_state(group, *task, *state).unwrap()).0
        }
    }
}

/// Some ideas with a poll and a task each.
fn settle(node: &Node, group: GroupId) -> Busy {
    let ideas: Vec<ProposalId> = node
        .ideas(group)
        .unwrap()
        .iter()
        .take(BUSY)
        .map(|row| row.id)
        .collect();
    let draft = TaskDraft {
        title: "Etwas zu tun".to_owned(),
        ..TaskDraft::default()
    };
    Busy {
        polls: ideas
            .iter()
            .map(|idea| (node.open_poll(group, *idea, Method::YesNo, vec![]).unwrap(), 0))
            .collect(),
        tasks: ideas
            .iter()
            .map(|idea| {
                (
                    node.add_task(group, Some(*idea), &draft).unwrap(),
                    TaskState::Open,
                )
            })
            .collect(),
        ideas,
    }
}

/// The documents that an action may change, as they are.
fn documents(
    node: &Node,
    group: GroupId,
    busy: &Busy,
    turn: usize,
) -> Vec<(kiez_core::domain::document::DocumentId, Document)> {
    use kiez_core::domain::document::DocumentId;
    let idea = busy.ideas[turn % BUSY];
    let me = node.me().person;
    let all = [
        DocumentId::Vote(me),
        DocumentId::Own(me),
        DocumentId::Proposal(idea),
        DocumentId::board_of(idea),
    ];
    node.with_group(group, |replica| {
        all.into_iter()
            .map(|id| Ok((id, replica.document(id)?.clone())))
            .collect::<Result<_, NodeError>>()
    })
    .unwrap()
}

pub fn measure(profiles: &Profiles, table: &mut Table) {
    let node = Node::open_unlocked(unlock(&profiles.founder)).unwrap();
    let group = profiles.group;
    let mut busy = settle(&node, group);
    let mut commit = CommitFloor::new(&Home::at(profiles.founder.directory().join("floor")));
    // Kind by kind, spread evenly over the run.
    let mut turns: Vec<(usize, Kind)> = MIX
        .iter()
        .flat_map(|(kind, count)| (0..*count).map(move |n| (n * 1_000 / count, *kind)))
        .collect();
    turns.sort_by_key(|(place, _)| *place);
    let mut each: Vec<(Kind, Duration, Duration)> = Vec::new();
    let mut runs = Vec::new();
    for run in 0..=RUNS {
        let (mut done, mut floor) = (Duration::ZERO, Duration::ZERO);
        for (turn, (_, kind)) in turns.iter().enumerate() {
            let turn = run * turns.len() + turn;
            let before = documents(&node, group, &busy, turn);
            let took = act(&node, group, &mut busy, *kind, turn);
            let said = node
                .with_group(group, |replica| Ok::<_, NodeError>(Said::last(replica)))
                .unwrap();
            let wanted = said.document();
            let (_, mut before) = before.into_iter().find(|(id, _)| *id == wanted).unwrap();
            let least = seal_sign_commit_apply(&said, &mut before, &mut commit);
            done += took;
            floor += least;
            if run > 0 {
                each.push((*kind, took, least));
            }
        }
        // The first run only opens the documents.
        if run > 0 {
            runs.push((done.as_secs_f64() / floor.as_secs_f64(), done / 100, floor / 100));
        }
    }
    let ratio = median(runs.iter().map(|run| run.0).collect());
    let (_, done, floor) = median(runs);
    let mut beside = vec![format!(
        "mean of a hundred as in the year: {} µs; floor {} µs",
        done.as_micros(),
        floor.as_micros()
    )];
    for (kind, _) in MIX {
        let of = |pick: fn(&(Kind, Duration, Duration)) -> Duration| {
            median(each.iter().filter(|one| one.0 == kind).map(pick).collect())
        };
        let (took, least) = (of(|one| one.1), of(|one| one.2));
        beside.push(format!(
            "{kind:?}: median {} µs, floor {} µs, ratio {:.2}",
            took.as_micros(),
            least.as_micros(),
            took.as_secs_f64() / least.as_secs_f64()
        ));
    }
    table.ratio(
        "one action, durable / seal + sign + one FULL commit + apply",
        ratio,
        2.0,
        beside,
    );
}

//! Measures bundles on one neighbourhood year: 200 people, 300 proposals with texts, comments and 60 ballots each,
//! 2,000 tasks; 36,900 actions in 740 documents. Run with `--release --no-default-features`; `fast` leaves level 19 out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: it may fail, it prints, and it reads the clock"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Instant;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, Automerge, Change, ObjId, ObjType, ROOT, ReadDoc};
use ed25519_dalek::SigningKey;
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{BoardId, EntryId, EntryNumber, GroupId, JournalId, PersonId, ProposalId};
use kiez_core::replica::bundle::{self, BundleEntry, Compression};
use kiez_core::replica::codec::Blob;
use kiez_core::replica::content::Content;
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::keys::{GroupKey, KeyRing};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

const PEOPLE: usize = 200;
const PROPOSALS: usize = 300;
const BOARDS: usize = 40;
const YEAR: u64 = 365 * 24 * 3600;
const START: u64 = 1_767_225_600;

fn main() {
    let small = std::env::args().nth(1).as_deref() != Some("fast");
    let mut year = Year::new();
    year.live();
    let key = year.key.clone();
    let mut keys = KeyRing::default();
    keys.insert(key);
    let actions = year.changes.len();
    let raw: Vec<u8> = year.changes.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    println!(
        "{actions} actions, {} entries, {} documents, raw changes {} bytes ({} each)",
        year.entries.len(),
        year.documents.len(),
        raw.len(),
        raw.len() / actions
    );
    let replay = time(|| replay(&year.changes));
    println!("bulk replay without any check: {} ms", replay.0);
    let mut levels = vec![(Compression::Fast, 3)];
    if small {
        levels.push((Compression::Small, 19));
    }
    for (level, zstd_level) in levels {
        let baseline = compressed(&raw, zstd_level);
        let entries = year.entries.clone();
        let (write, file) = time(|| bundle::write(year.group, entries, &keys, level).unwrap());
        let (read, back) = time(|| bundle::read(&file, &keys).unwrap());
        assert_eq!(back.entries.len(), year.entries.len());
        assert!(
            back.entries
                .iter()
                .zip(&year.entries)
                .all(|(a, b)| a.entry.id == b.entry.id)
        );
        println!(
            "level {zstd_level}: bundle {} bytes, {:.2} an entry; zstd of raw changes {baseline}; ratio {:.3}; \
             write {write} ms, read {read} ms ({:.2} of replay)",
            file.len(),
            file.len() as f64 / year.entries.len() as f64,
            file.len() as f64 / baseline as f64,
            read as f64 / replay.0 as f64,
        );
    }
}

/// With the window a bundle has, too.
fn compressed(raw: &[u8], level: i32) -> usize {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level).unwrap();
    if level > 3 {
        encoder.long_distance_matching(true).unwrap();
        encoder.window_log(27).unwrap();
    }
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap().len()
}

fn time<T>(work: impl FnOnce() -> T) -> (u128, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed().as_millis(), done)
}

fn replay(changes: &[(DocumentId, Vec<u8>)]) -> usize {
    let mut by_document: BTreeMap<DocumentId, Vec<Change>> = BTreeMap::new();
    for (document, bytes) in changes {
        let change = Change::from_bytes(bytes.clone()).unwrap();
        by_document
            .entry(*document)
            .or_insert_with(|| genesis(document.kind()).get_changes(&[]))
            .push(change);
    }
    let mut heads = 0;
    for changes in by_document.into_values() {
        let mut document = Automerge::new();
        document.apply_changes(changes).unwrap();
        heads += document.get_heads().len();
    }
    heads
}

/// What a document begins with.
fn genesis(kind: DocumentKind) -> Automerge {
    let mut document = AutoCommit::new().with_actor(ActorId::from([0_u8; 16]));
    let objects: &[(&str, ObjType)] = match kind {
        DocumentKind::Proposal => &[("body", ObjType::Text), ("groups", ObjType::Map)],
        DocumentKind::Own => &[("profile", ObjType::Map), ("comments", ObjType::Map)],
        DocumentKind::Vote => &[("ballots", ObjType::Map)],
        DocumentKind::Group
        | DocumentKind::Board
        | DocumentKind::Meeting
        | DocumentKind::Help
        | DocumentKind::Strategy => &[("tasks", ObjType::Map)],
    };
    for (name, kind) in objects {
        document.put_object(ROOT, *name, *kind).unwrap();
    }
    document.commit_with(CommitOptions::default().with_time(0));
    document.document().clone()
}

struct Year {
    rng: ChaCha20Rng,
    key: GroupKey,
    group: GroupId,
    people: Vec<Person>,
    words: Vec<String>,
    documents: BTreeMap<DocumentId, AutoCommit>,
    forks: BTreeMap<DocumentId, AutoCommit>,
    changes: Vec<(DocumentId, Vec<u8>)>,
    entries: Vec<BundleEntry>,
    controls: Vec<EntryId>,
}

struct Person {
    id: PersonId,
    journal: SigningKey,
    number: u64,
    last: EntryId,
    seen: usize,
}

#[derive(Clone, Copy)]
enum Act {
    Propose(usize),
    Edit(usize),
    Comment(usize),
    Ballot(usize, usize),
    Task(usize),
    Move(usize),
}

impl Year {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(2026);
        let syllables = [
            "ba", "ver", "en", "der", "stra", "ße", "kin", "gart", "platz", "haus", "un", "ge", "lich",
            "tung", "rad", "weg", "nach", "bar", "fest", "er", "te", "ein", "auf", "schu", "le", "grün",
            "was", "ser", "spiel", "zeit",
        ];
        let words = (0..3_000)
            .map(|_| {
                (0..rng.random_range(1..4))
                    .map(|_| syllables[rng.random_range(0..syllables.len())])
                    .collect()
            })
            .collect();
        let people = (0..PEOPLE)
            .map(|_| Person {
                id: PersonId(random(&mut rng)),
                journal: SigningKey::from_bytes(&random(&mut rng)),
                number: 0,
                last: EntryId::ZERO,
                seen: 0,
            })
            .collect();
        Self {
            key: GroupKey::from_bytes(random(&mut rng)),
            rng,
            group: GroupId::ZERO,
            people,
            words,
            documents: BTreeMap::new(),
            forks: BTreeMap::new(),
            changes: Vec::new(),
            entries: Vec::new(),
            controls: Vec::new(),
        }
    }

    /// The whole year.
    fn live(&mut self) {
        for person in 0..PEOPLE {
            // An `admit` and an `open`: keys and signatures, so nothing that compresses.
            let mut payload = vec![0; 250];
            self.rng.fill_bytes(&mut payload);
            self.entry(
                if person == 0 { 0 } else { person - 1 },
                EntryKind::Control,
                payload,
            );
            let mut payload = vec![0; 70];
            self.rng.fill_bytes(&mut payload);
            self.entry(person, EntryKind::Control, payload);
        }
        let mut acts = Vec::new();
        for proposal in 0..PROPOSALS {
            let begin = START + self.rng.random_range(0..YEAR * 9 / 10);
            let span = 30 * 24 * 3600;
            acts.push((begin, Act::Propose(proposal)));
            for _ in 0..22 {
                acts.push((begin + 1 + self.rng.random_range(0..span), Act::Edit(proposal)));
            }
            for _ in 0..20 {
                acts.push((begin + 1 + self.rng.random_range(0..span), Act::Comment(proposal)));
            }
            let first = self.rng.random_range(0..PEOPLE);
            for voter in 0..60 {
                let when = begin + span + self.rng.random_range(0..14 * 24 * 3600);
                acts.push((when, Act::Ballot(proposal, (first + voter * 3) % PEOPLE)));
            }
        }
        for task in 0..2_000 {
            let begin = START + self.rng.random_range(0..YEAR);
            acts.push((begin, Act::Task(task)));
            for _ in 0..2 {
                acts.push((
                    begin + 1 + self.rng.random_range(0..30 * 24 * 3600),
                    Act::Move(task),
                ));
            }
        }
        acts.sort_by_key(|(when, _)| *when);
        for (when, act) in acts {
            self.act(when, act);
        }
        for person in &self.people {
            let last = self
                .entries
                .iter_mut()
                .rfind(|item| item.entry.id == person.last)
                .unwrap();
            last.entry = last.entry.clone().signed(&person.journal);
        }
    }

    fn act(&mut self, when: u64, act: Act) {
        let someone = self.rng.random_range(0..PEOPLE);
        match act {
            Act::Propose(n) => {
                let (title, body) = (self.sentence(5), self.sentence(120));
                self.change(proposal(n), n % PEOPLE, when, |document| {
                    document.put(ROOT, "title", title).unwrap();
                    document.put(ROOT, "status", "draft").unwrap();
                    document.put(ROOT, "cost", (n as i64) * 100).unwrap();
                    let text = object(document, &ROOT, "body");
                    document.splice_text(&text, 0, 0, &body).unwrap();
                });
            }
            Act::Edit(n) => {
                let words = self.rng.random_range(1..12);
                let (sentence, place) = (self.sentence(words), self.rng.random::<u32>() as usize);
                let cut = if self.rng.random_range(0..4) == 0 { 5 } else { 0 };
                let author = if self.rng.random_range(0..3) == 0 {
                    someone
                } else {
                    n % PEOPLE
                };
                self.change(proposal(n), author, when, |document| {
                    let text = object(document, &ROOT, "body");
                    let length = document.length(&text);
                    document
                        .splice_text(&text, place % (length - cut), cut as isize, &sentence)
                        .unwrap();
                });
            }
            Act::Comment(n) => {
                let (id, words) = (hex(&random::<16>(&mut self.rng)), self.rng.random_range(5..30));
                let text = self.sentence(words);
                self.change(
                    DocumentId::Own(self.people[someone].id),
                    someone,
                    when,
                    |document| {
                        let comments = object(document, &ROOT, "comments");
                        let comment = document.put_object(&comments, id, ObjType::Map).unwrap();
                        document.put(&comment, "about", hex(&number(n))).unwrap();
                        document.put(&comment, "at", when as i64 * 1000).unwrap();
                        document.put(&comment, "text", text).unwrap();
                    },
                );
            }
            Act::Ballot(n, voter) => {
                let answer = ["yes", "no", "abstain"][self.rng.random_range(0..3)];
                self.change(DocumentId::Vote(self.people[voter].id), voter, when, |document| {
                    let ballots = object(document, &ROOT, "ballots");
                    let ballot = document.put_object(&ballots, poll(n), ObjType::Map).unwrap();
                    document.put(&ballot, "answer", answer).unwrap();
                    document.put(&ballot, "at", when as i64 * 1000).unwrap();
                });
            }
            Act::Task(n) => {
                let (title, notes) = (self.sentence(4), self.sentence(12));
                self.change(board(n), someone, when, |document| {
                    let tasks = object(document, &ROOT, "tasks");
                    let task = document
                        .put_object(&tasks, hex(&number(n)), ObjType::Map)
                        .unwrap();
                    document.put(&task, "title", title).unwrap();
                    document.put(&task, "state", "open").unwrap();
                    document.put(&task, "due", when as i64 / 86_400 + 14).unwrap();
                    let text = document.put_object(&task, "notes", ObjType::Text).unwrap();
                    document.splice_text(&text, 0, 0, &notes).unwrap();
                });
            }
            Act::Move(n) => {
                let person = hex(&self.people[someone].id.0);
                let state = ["doing", "done"][self.rng.random_range(0..2)];
                self.change(board(n), someone, when, |document| {
                    let tasks = object(document, &ROOT, "tasks");
                    if let Some((_, task)) = document.get(&tasks, hex(&number(n))).unwrap() {
                        document.put(&task, "state", state).unwrap();
                        document.put(&task, "assignee", person).unwrap();
                    }
                });
            }
        }
    }

    /// One change to one document; now and then two people did not know of each other.
    fn change(&mut self, id: DocumentId, person: usize, when: u64, work: impl FnOnce(&mut AutoCommit)) {
        let mut main = self.documents.remove(&id).unwrap_or_else(|| {
            let mut document = AutoCommit::new();
            document
                .apply_changes(genesis(id.kind()).get_changes(&[]))
                .unwrap();
            document
        });
        let fork = self.forks.remove(&id);
        let shared = matches!(id, DocumentId::Proposal(_) | DocumentId::Board(_));
        let actor = ActorId::from(self.people[person].journal.verifying_key().to_bytes());
        let mut apart = (shared && fork.is_none() && self.rng.random_range(0..10) == 0).then(|| main.fork());
        if let Some(mut fork) = fork {
            main.merge(&mut fork).unwrap();
        }
        let target = apart.as_mut().unwrap_or(&mut main);
        target.set_actor(actor);
        work(target);
        let hash = target.commit_with(CommitOptions::default().with_time(when as i64));
        let hash =
            hash.or_else(|| Some(target.empty_change(CommitOptions::default().with_time(when as i64))));
        let bytes = target
            .get_change_by_hash(&hash.unwrap())
            .unwrap()
            .raw_bytes()
            .to_vec();
        if let Some(apart) = apart {
            // The same person goes on only where their own change is known.
            self.forks.insert(id, apart);
        }
        self.documents.insert(id, main);
        let content = Content {
            document: id,
            changes: vec![Blob(bytes.clone())],
        };
        self.changes.push((id, bytes));
        self.entry(person, EntryKind::Content, content.to_bytes());
    }

    fn entry(&mut self, person: usize, kind: EntryKind, payload: Vec<u8>) {
        let control = kind == EntryKind::Control;
        let author = &mut self.people[person];
        author.number += 1;
        let founding = self.entries.is_empty();
        let newest = self.controls.len();
        // Now and then somebody learns of newer control entries.
        let seen = if newest > author.seen && !founding {
            author.seen = newest;
            vec![self.controls[newest - 1]]
        } else {
            Vec::new()
        };
        let header = Header {
            group: self.group,
            journal: JournalId(author.journal.verifying_key().to_bytes()),
            number: EntryNumber(author.number),
            prev: author.last,
            seen,
            kind,
            key: self.key.id(),
            payload_bytes: payload.len() as u32,
        };
        let entry = Entry::seal(header, &payload, &self.key).unwrap();
        author.last = entry.id;
        if founding {
            self.group = entry.group();
        }
        if control {
            self.controls.push(entry.id);
            author.seen = self.controls.len();
        }
        self.entries.push(BundleEntry {
            entry,
            payload: Some(payload),
        });
    }

    /// Words as people use them: few often, many seldom.
    fn sentence(&mut self, words: usize) -> String {
        let mut text = String::new();
        for _ in 0..words {
            let rank = (self.words.len() as f64).powf(self.rng.random::<f64>()) as usize;
            text.push_str(&self.words[rank.min(self.words.len() - 1)]);
            text.push(' ');
        }
        text
    }
}

fn object(document: &AutoCommit, parent: &ObjId, name: &str) -> ObjId {
    document.get(parent, name).unwrap().unwrap().1
}

fn random<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn number(n: usize) -> [u8; 16] {
    *blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk().unwrap()
}

fn poll(n: usize) -> String {
    hex(blake3::hash(&[b'p', n as u8, (n >> 8) as u8]).as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn proposal(n: usize) -> DocumentId {
    DocumentId::Proposal(ProposalId(number(n)))
}

fn board(n: usize) -> DocumentId {
    DocumentId::Board(BoardId(number(n % BOARDS)))
}

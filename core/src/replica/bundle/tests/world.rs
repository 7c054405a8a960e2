//! A small group for tests: some journals, some documents that they really change, control entries in between.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, ObjType, ROOT, ReadDoc};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::SigningKey;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, PersonId, ProposalId};
use crate::replica::bundle::lanes::{Cursor, Lanes, put_u64};
use crate::replica::bundle::write::Writer;
use crate::replica::bundle::{self, Bundle, BundleEntry, BundleError, Compression, pack, seal};
use crate::replica::codec::Blob;
use crate::replica::content::Content;
use crate::replica::entry::{Entry, EntryKind, Header, SEAL_BYTES};
use crate::replica::keys::{GroupKey, KeyRing};

pub(super) struct World {
    pub(super) rng: ChaCha20Rng,
    pub(super) key: GroupKey,
    pub(super) group: GroupId,
    pub(super) journals: Vec<Journal>,
    pub(super) entries: Vec<BundleEntry>,
    controls: Vec<EntryId>,
    documents: BTreeMap<DocumentId, AutoCommit>,
}

pub(super) struct Journal {
    pub(super) key: SigningKey,
    number: u64,
    last: EntryId,
}

impl World {
    /// A founded group.
    pub(super) fn new(seed: u64, journals: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut random = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let key = GroupKey::from_bytes(random());
        let journals = (0..journals)
            .map(|_| Journal {
                key: SigningKey::from_bytes(&random()),
                number: 0,
                last: EntryId::ZERO,
            })
            .collect();
        let mut world = Self {
            rng,
            key,
            group: GroupId::ZERO,
            journals,
            entries: Vec::new(),
            controls: Vec::new(),
            documents: BTreeMap::new(),
        };
        world.control(0, b"found");
        world.group = world.entries[0].entry.group();
        world
    }

    /// A group in which a good deal happened.
    pub(super) fn lively(seed: u64, journals: usize, acts: usize) -> Self {
        let mut world = Self::new(seed, journals);
        for _ in 0..acts {
            let who = world.rng.random_range(0..journals);
            match world.rng.random_range(0..10) {
                0 => world.control(who, b"an act"),
                1 => world.odd_nonce(who),
                2 => world.unreadable(who),
                3 => world.strange_content(who),
                _ => world.change(who),
            }
        }
        world
    }

    pub(super) fn keys(&self) -> KeyRing {
        let mut keys = KeyRing::default();
        keys.insert(self.key.clone());
        keys
    }

    /// What the next entry of a journal says of itself.
    pub(super) fn header(&mut self, who: usize, kind: EntryKind, payload_bytes: usize) -> Header {
        let mut seen: Vec<EntryId> = Vec::new();
        for _ in 0..self.rng.random_range(0..3) {
            if !self.controls.is_empty() {
                seen.push(self.controls[self.rng.random_range(0..self.controls.len())]);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        let journal = &self.journals[who];
        Header {
            group: self.group,
            journal: JournalId(journal.key.verifying_key().to_bytes()),
            number: EntryNumber(journal.number + 1),
            prev: journal.last,
            seen,
            kind,
            key: self.key.id(),
            payload_bytes: u32::try_from(payload_bytes).unwrap(),
        }
    }

    pub(super) fn add(&mut self, who: usize, entry: Entry, payload: Option<Vec<u8>>) {
        let journal = &mut self.journals[who];
        journal.number += 1;
        journal.last = entry.id;
        if entry.header.kind == EntryKind::Control {
            self.controls.push(entry.id);
        }
        let entry = entry.signed(&journal.key);
        self.entries.push(BundleEntry { entry, payload });
    }

    pub(super) fn sealed(&mut self, who: usize, kind: EntryKind, payload: &[u8]) {
        let header = self.header(who, kind, payload.len());
        let entry = Entry::seal(header, payload, &self.key).unwrap();
        // A caller need not know the payload.
        let known = self.rng.random_range(0..5) > 0;
        self.add(who, entry, known.then(|| payload.to_vec()));
    }

    pub(super) fn control(&mut self, who: usize, payload: &[u8]) {
        self.sealed(who, EntryKind::Control, payload);
    }

    /// An entry that has seen these, and says nothing that can be rebuilt.
    pub(super) fn plain(&mut self, who: usize, kind: EntryKind, seen: &[EntryId]) -> EntryId {
        let mut header = self.header(who, kind, 5);
        header.seen = seen.to_vec();
        let entry = Entry::seal(header, b"plain", &self.key).unwrap();
        let id = entry.id;
        self.add(who, entry, None);
        id
    }

    /// A nonce of the author's choice.
    pub(super) fn odd_nonce(&mut self, who: usize) {
        let header = self.header(who, EntryKind::Control, 3);
        let h0 = header.to_bytes();
        let payload = Payload {
            msg: b"odd",
            aad: &h0,
        };
        let sealed = XChaCha20Poly1305::new(&self.key.payload_key().into())
            .encrypt(&XNonce::from([7; 24]), payload)
            .unwrap();
        let entry = Entry::assemble(header, [7; 24], sealed, None).unwrap();
        self.add(who, entry, Some(b"odd".to_vec()));
    }

    /// Nothing that opens; now and then under a key that nobody holds.
    pub(super) fn unreadable(&mut self, who: usize) {
        let mut header = self.header(who, EntryKind::Content, 30);
        if self.rng.random() {
            header.key = GroupKey::from_bytes([0xee; 32]).id();
        }
        let mut sealed = vec![0; 30 + SEAL_BYTES];
        self.rng.fill_bytes(&mut sealed);
        let entry = Entry::assemble(header, [9; 24], sealed, None).unwrap();
        self.add(who, entry, None);
    }

    /// A content entry that holds no such thing, or no such changes.
    pub(super) fn strange_content(&mut self, who: usize) {
        let mut chunk = self.make_change(who, DocumentId::GENERAL_BOARD);
        let other = (who + 1) % self.journals.len();
        let place = self.rng.random_range(0..chunk.len());
        chunk[place] ^= 0x11;
        let theirs = self.make_change(other, DocumentId::GENERAL_BOARD);
        let content = Content {
            document: DocumentId::GENERAL_BOARD,
            changes: vec![Blob(chunk), Blob(Vec::new()), Blob(theirs)],
        };
        let mut payload = content.to_bytes();
        if self.rng.random() {
            payload.pop();
        }
        self.sealed(who, EntryKind::Content, &payload);
    }

    pub(super) fn change(&mut self, who: usize) {
        let document = match self.rng.random_range(0..4) {
            0 => DocumentId::Own(PersonId([who as u8; 32])),
            1 => DocumentId::Proposal(ProposalId([self.rng.random_range(0..3); 16])),
            2 => DocumentId::Group,
            _ => DocumentId::GENERAL_BOARD,
        };
        let changes = (0..self.rng.random_range(1..4))
            .map(|_| Blob(self.make_change(who, document)))
            .collect();
        let content = Content { document, changes };
        self.sealed(who, EntryKind::Content, &content.to_bytes());
    }

    /// A change by automerge itself; sometimes beside the last one, so that there are several heads.
    fn make_change(&mut self, who: usize, id: DocumentId) -> Vec<u8> {
        let mut main = self.documents.remove(&id).unwrap_or_else(|| {
            let mut document = AutoCommit::new().with_actor(ActorId::from([0_u8; 16]));
            document.put_object(ROOT, "text", ObjType::Text).unwrap();
            document.commit_with(CommitOptions::default().with_time(0));
            document
        });
        let actor = ActorId::from(self.journals[who].key.verifying_key().to_bytes());
        let mut apart = (self.rng.random_range(0..4) == 0).then(|| main.fork());
        main.set_actor(actor.clone());
        let text = main.get(ROOT, "text").unwrap().unwrap().1;
        let place = self.rng.random_range(0..=main.length(&text));
        main.splice_text(&text, place, 0, "some words ").unwrap();
        main.put(ROOT, "by", self.rng.random_range(0..1_000_i64)).unwrap();
        let time = 1_800_000_000 + self.rng.random_range(0..1_000_i64);
        let mut options = CommitOptions::default().with_time(time);
        if self.rng.random_range(0..5) == 0 {
            options = options.with_message("a message");
        }
        let hash = main.commit_with(options).unwrap();
        let bytes = main.get_change_by_hash(&hash).unwrap().raw_bytes().to_vec();
        if let Some(apart) = &mut apart {
            apart.set_actor(ActorId::from([1_u8; 16]));
            apart.put(ROOT, "elsewhere", 1).unwrap();
            apart.commit_with(CommitOptions::default().with_time(time));
            main.merge(apart).unwrap();
        }
        self.documents.insert(id, main);
        bytes
    }

    pub(super) fn write(&self) -> Vec<u8> {
        bundle::write(self.group, self.entries.clone(), &self.keys(), Compression::Fast).unwrap()
    }

    /// What comes out: every payload that opens with the right nonce, and signatures only where a journal ends, or goes on with an
    /// entry without its payload.
    pub(super) fn expected(&self, entries: &[BundleEntry]) -> Vec<BundleEntry> {
        let mut last = BTreeMap::new();
        let mut divided = BTreeSet::new();
        for (index, item) in entries.iter().enumerate() {
            let before = last.insert(item.entry.header.journal, index);
            let is_bare = |at: usize| entries[at].entry.sealed.is_empty();
            divided.extend(before.filter(|before| is_bare(index) && !is_bare(*before)));
        }
        let mut expected = Vec::new();
        for (index, item) in entries.iter().enumerate() {
            let mut item = item.clone();
            item.payload = item.entry.open(&self.key).ok();
            if last[&item.entry.header.journal] != index && !divided.contains(&index) {
                item.entry.signature = None;
            }
            expected.push(item);
        }
        expected
    }
}

/// The plain bytes of a bundle, taken apart: what a member may craft.
pub(super) struct Plain {
    pub(super) group: GroupId,
    pub(super) key_entries: u64,
    pub(super) entries: u64,
    pub(super) lanes: Lanes<Vec<u8>>,
}

impl Plain {
    pub(super) fn of(world: &World) -> Self {
        let keys = world.keys();
        let mut writer = Writer::new(world.group, &keys);
        for entry in &world.entries {
            writer.push(entry).unwrap();
        }
        let (bytes, _) = writer.finish().unwrap();
        let mut cursor = Cursor(&bytes);
        let group = GroupId(cursor.array().unwrap());
        let key_entries = cursor.number().unwrap();
        let entries = cursor.number().unwrap();
        let mut lanes: Lanes<Vec<u8>> = Lanes::default();
        let lengths: Vec<usize> = lanes.each().iter().map(|_| cursor.count().unwrap()).collect();
        for (lane, length) in lanes.each().into_iter().zip(lengths) {
            *lane = cursor.take(length).unwrap().to_vec();
        }
        assert!(cursor.0.is_empty());
        Self {
            group,
            key_entries,
            entries,
            lanes,
        }
    }

    pub(super) fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = self.group.0.to_vec();
        put_u64(&mut bytes, self.key_entries);
        put_u64(&mut bytes, self.entries);
        for lane in self.lanes.each() {
            put_u64(&mut bytes, lane.len() as u64);
        }
        for lane in self.lanes.each() {
            bytes.extend_from_slice(lane);
        }
        bytes
    }
}

/// Seals plain bytes as a member can, and reads them.
pub(super) fn read_crafted(world: &World, plain: &[u8]) -> Result<Bundle, BundleError> {
    let container = pack::pack(plain, 0, Compression::Fast).unwrap();
    let file = seal::seal(&container, &world.key, seal::VERSION).unwrap();
    bundle::read(&file, &world.keys())
}

/// Reads plain bytes without the file around them.
pub(super) fn read_plain(world: &World, plain: &[u8]) -> Result<Bundle, BundleError> {
    bundle::read::read(plain, seal::VERSION, &world.keys(), pack::Budget::of(plain.len()))
}

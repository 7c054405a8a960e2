//! The group around the bytes: that of the fixtures of issue 2, whose key is known, so that real bytes can be told on.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use automerge::{Automerge, Change};
use ed25519_dalek::SigningKey;
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{GroupId, JournalId};
use kiez_core::replica::bundle::{self, BundleEntry};
use kiez_core::replica::content::Content;
use kiez_core::replica::document::{TEXT_ENCODING, genesis};
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::keys::{GroupKey, KeyRing};

/// The key of the group: `group_key` in `neighbours.json`.
pub const GROUP_KEY: [u8; 32] = *b"\x00\x14\xe3\xc6\x41\x8d\x65\x9d\x0f\x01\x56\x07\xf2\x6f\x82\xdf\
    \x44\xdf\x3d\x35\xf2\x79\xa8\xb2\x57\x4e\xd3\x53\x9e\x88\x85\xd9";

/// With this Ben's boxes open: `box_secret` in `neighbours.json`.
pub(super) const BOX_SECRET: [u8; 32] = *b"\x1f\x77\x68\x95\xfe\x21\x79\xcc\xae\x81\x60\xc4\x66\xca\x50\xb6\
    \x28\x8c\x01\x6b\x6e\x19\xe6\xaa\x40\x25\xf5\xfd\xac\x72\x7c\xb6";

/// The whole group, as Anna exported it.
const FILE: &[u8] = include_bytes!("../../fixtures/issue-2/after.kiez");

/// The group, read.
#[derive(Debug)]
pub struct Held {
    /// Its id.
    pub group: GroupId,
    /// Its key.
    pub keys: KeyRing,
    /// Its entries.
    pub entries: Vec<BundleEntry>,
    /// Who writes in it: Anna, Ben.
    pub journals: Vec<JournalId>,
    /// Of each kind the document that has most changes.
    pub documents: BTreeMap<DocumentKind, Base>,
}

/// A document as it lies in the group.
#[derive(Debug)]
pub struct Base {
    /// Which.
    pub id: DocumentId,
    /// As Automerge holds it.
    pub doc: Automerge,
    /// All its changes, genesis first.
    pub changes: Vec<Change>,
}

/// The group. Read once.
///
/// # Panics
/// Where the fixture cannot be read.
#[must_use]
pub fn held() -> &'static Held {
    static HELD: OnceLock<Held> = OnceLock::new();
    HELD.get_or_init(|| {
        let mut keys = KeyRing::default();
        keys.insert(GroupKey::from_bytes(GROUP_KEY));
        let bundle = bundle::read(FILE, &keys).expect("the fixture is read");
        let mut journals: Vec<JournalId> = Vec::new();
        let mut changes: BTreeMap<DocumentId, Vec<Change>> = BTreeMap::new();
        for BundleEntry { entry, payload } in &bundle.entries {
            if !journals.contains(&entry.header.journal) {
                journals.push(entry.header.journal);
            }
            let content = payload.as_deref().map(Content::from_bytes);
            let (EntryKind::Content, Some(Ok(content))) = (entry.header.kind, content) else {
                continue;
            };
            let read = |raw: &[u8]| Change::try_from(raw).expect("a change of the fixture is one");
            let made = content.changes.iter().map(|raw| read(&raw.0));
            changes.entry(content.document).or_default().extend(made);
        }
        Held {
            group: bundle.group,
            keys,
            entries: bundle.entries,
            journals,
            documents: DocumentKind::ALL.map(|kind| (kind, base(kind, &changes))).into(),
        }
    })
}

/// A journal by number: the two of the group, and one that has written nothing.
#[must_use]
pub fn journal_of_place(place: u8) -> JournalId {
    let journals = &held().journals;
    let known = journals.get(usize::from(place) % 3).copied();
    known.unwrap_or_else(|| JournalId(signing(3).verifying_key().to_bytes()))
}

/// A signing key by number.
pub(super) fn signing(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// The group's key.
pub(super) const fn group_key() -> GroupKey {
    GroupKey::from_bytes(GROUP_KEY)
}

fn base(kind: DocumentKind, documents: &BTreeMap<DocumentId, Vec<Change>>) -> Base {
    let of_kind = documents.iter().filter(|(id, _)| id.kind() == kind);
    let (id, own) = of_kind
        .max_by_key(|(_, changes)| changes.len())
        .map_or((DocumentId::Group, &[][..]), |(id, own)| (*id, own.as_slice()));
    let mut changes = vec![genesis(kind)];
    changes.extend_from_slice(own);
    let mut doc = Automerge::new_with_encoding(TEXT_ENCODING);
    doc.apply_changes(changes.clone())
        .expect("the fixture's changes apply");
    Base { id, doc, changes }
}

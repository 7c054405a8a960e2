//! Tests of the gate: hostile changes by rule, honest histories, mutations of honest changes, a history from JavaScript.

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "small numbers of tests"
)]
mod encoder;
mod fuzz;
mod honest;
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "small numbers of tests"
)]
mod hostile;
mod javascript;
mod random;

use std::collections::BTreeMap;

use automerge::{
    ActorId, Automerge, Change, ROOT, ReadDoc, ScalarValue, transaction::CommitOptions,
    transaction::Transactable,
};

use super::{Checked, DocumentPast, Refusal};
use crate::domain::id::{ChangeId, JournalId};

/// The journal of test person `n`.
pub(super) fn journal(n: u8) -> JournalId {
    let mut id = [0x11; 32];
    id[0] = n.wrapping_mul(83);
    id[31] = n;
    JournalId(id)
}

pub(super) fn actor(n: u8) -> ActorId {
    ActorId::from(journal(n).as_bytes().as_slice())
}

/// A document that holds only a genesis change: a list, a text, a map and a counter.
pub(super) fn genesis() -> (Automerge, Change) {
    let mut doc = Automerge::new().with_actor(ActorId::from(b"kiez".as_slice()));
    let mut tx = doc.transaction();
    tx.put_object(ROOT, "text", automerge::ObjType::Text).unwrap();
    tx.put_object(ROOT, "list", automerge::ObjType::List).unwrap();
    tx.put_object(ROOT, "map", automerge::ObjType::Map).unwrap();
    tx.put(ROOT, "count", ScalarValue::counter(0)).unwrap();
    tx.commit_with(CommitOptions::default().with_time(0));
    let change = doc.get_changes(&[]).remove(0);
    (doc, change)
}

/// A document and its past, fed through the gate.
pub(super) struct Gated {
    pub(super) doc: Automerge,
    pub(super) past: DocumentPast,
}

impl Gated {
    pub(super) fn new() -> Self {
        let (doc, change) = genesis();
        Self {
            doc,
            past: DocumentPast::from_genesis(&change),
        }
    }

    pub(super) fn take(&mut self, author: JournalId, raw: &[u8]) -> Result<(), Refusal> {
        match self.past.check(author, raw)? {
            Checked::Ready(ready) => {
                self.doc
                    .apply_changes([ready.change().clone()])
                    .expect("a checked change applies");
                self.past.admit(&ready);
                Ok(())
            }
            Checked::Waits { missing } => panic!("waits for {missing:?}"),
        }
    }
}

pub(super) fn author_of(change: &Change) -> JournalId {
    JournalId(change.actor_id().to_bytes().try_into().unwrap())
}

/// Everything that can be read of a document, as text.
pub(super) fn content(doc: &Automerge) -> String {
    let mut out = String::new();
    read_object(doc, &ROOT, &mut out);
    out
}

fn read_object(doc: &Automerge, object: &automerge::ObjId, out: &mut String) {
    use std::fmt::Write;
    let kind = doc.object_type(object).unwrap();
    write!(out, "{kind:?}({}", doc.length(object)).unwrap();
    match kind {
        automerge::ObjType::Map | automerge::ObjType::Table => {
            for key in doc.keys(object).collect::<Vec<_>>() {
                write!(out, " {key}=").unwrap();
                read_values(doc, doc.get_all(object, key.as_str()).unwrap(), out);
            }
        }
        automerge::ObjType::List => {
            for index in 0..doc.length(object) {
                read_values(doc, doc.get_all(object, index).unwrap(), out);
            }
        }
        automerge::ObjType::Text => {
            write!(out, "{:?}", doc.text(object).unwrap()).unwrap();
            for mark in doc.marks(object).unwrap() {
                write!(
                    out,
                    "<{} {} {} {:?}>",
                    mark.start, mark.end, mark.name, mark.value
                )
                .unwrap();
            }
            for span in doc.spans(object).unwrap() {
                match span {
                    automerge::iter::Span::Text { text, marks } => {
                        let marks: BTreeMap<String, String> = marks
                            .iter()
                            .flat_map(|marks| marks.iter())
                            .map(|(name, value)| (name.to_owned(), format!("{value:?}")))
                            .collect();
                        write!(out, "[{text:?} {marks:?}]").unwrap();
                    }
                    // Its content is among the values below.
                    automerge::iter::Span::Block(_) => out.push_str("[block]"),
                }
            }
            for index in 0..doc.length(object) {
                read_values(doc, doc.get_all(object, index).unwrap(), out);
            }
        }
    }
    out.push(')');
}

fn read_values(doc: &Automerge, values: Vec<(automerge::Value<'_>, automerge::ObjId)>, out: &mut String) {
    use std::fmt::Write;
    for (value, id) in values {
        if value.is_object() {
            read_object(doc, &id, out);
        } else {
            write!(out, "{value:?},").unwrap();
        }
    }
}

/// The guarantee: what passed saves, loads, and is the same afterwards.
pub(super) fn assert_sound(doc: &Automerge) {
    let before = content(doc);
    let loaded = Automerge::load(&doc.save()).expect("its own save loads");
    assert_eq!(doc.get_heads(), loaded.get_heads());
    assert_eq!(before, content(&loaded));
    let bytes = |doc: &Automerge| -> BTreeMap<ChangeId, Vec<u8>> {
        let changes = doc.get_changes(&[]);
        changes
            .iter()
            .map(|c| (ChangeId(c.hash().0), c.raw_bytes().to_vec()))
            .collect()
    };
    assert_eq!(
        bytes(doc),
        bytes(&loaded),
        "changes are the same bytes after loading"
    );
}

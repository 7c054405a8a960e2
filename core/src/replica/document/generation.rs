//! A document begun anew after something in it was erased: the same fields under another genesis, so that no change of the
//! generation before fits into it. One change, in an entry like any other, brings what is left.

use std::collections::BTreeSet;

use automerge::legacy::OpType;
use automerge::marks::ExpandMark;
use automerge::transaction::{Transactable, Transaction};
use automerge::{
    Automerge, AutomergeError, Change, ChangeMetadata, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value,
};

use crate::domain::document::DocumentKind;
use crate::domain::erasure::Part;
use crate::domain::id::{ChangeId, EntryNumber, JournalId, Timestamp};

use super::super::codec::Blob;
use super::genesis::{AGAIN_FIELD, KIND_FIELD, fields, genesis_of, object};
use super::{Document, DocumentError, WriteError, journal_of};

/// What of a document is not taken over into its next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave<'a> {
    /// All that stands there is left out.
    Everything,
    /// These parts.
    Parts(&'a BTreeSet<Part>),
}

/// How a later generation of a document began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    /// In whose journal: that one's first change takes over what was left of the generation before.
    by: JournalId,
    /// Who began the document in its first generation, and when.
    pub(super) origin: Option<(JournalId, Timestamp)>,
}

impl Document {
    /// The empty document of the generation that begins with the act at this place; `origin` is that of the first one.
    #[must_use]
    pub fn of_generation(
        kind: DocumentKind,
        place: (JournalId, EntryNumber),
        origin: Option<(JournalId, Timestamp)>,
    ) -> Self {
        Self {
            begun: Some(Begun { by: place.0, origin }),
            ..Self::begun_with(kind, genesis_of(kind, Some(place)))
        }
    }

    /// Writes what stands here into the empty document of the next generation.
    ///
    /// # Errors
    /// Where Automerge refuses.
    pub fn rest_in(
        &self,
        next: &mut Self,
        author: JournalId,
        at: Timestamp,
        leave: Leave<'_>,
    ) -> Result<Option<Vec<u8>>, WriteError> {
        let ((), raw) = next.write(author, at, |tx| {
            // So that there is such a change also where nothing is left: else what comes next would be taken for it.
            tx.put(ROOT, AGAIN_FIELD, true)?;
            match leave {
                Leave::Everything => Ok(()),
                Leave::Parts(parts) => copy_document(self, tx, parts),
            }
        })?;
        Ok(raw)
    }

    /// Does the same stand in both, of whatever generation and however it came there?
    ///
    /// # Errors
    /// Where Automerge refuses.
    pub fn says_the_same_as(&self, other: &Self) -> Result<bool, DocumentError> {
        if self.kind != other.kind {
            return Ok(false);
        }
        for (name, object_type) in fields(self.kind) {
            let field = object(self.kind, name);
            if !is_same((&self.doc, &field), (&other.doc, &field), *object_type, &|_| {
                false
            })? {
                return Ok(false);
            }
        }
        let begins = |key: &str| is_begun_with(self.kind, key);
        Ok(is_same(
            (&self.doc, &ROOT),
            (&other.doc, &ROOT),
            ObjType::Map,
            &begins,
        )?)
    }

    /// The change with what was left of the generation before.
    pub(super) fn rest(&self) -> Option<ChangeId> {
        let by = self.begun?.by;
        let is_rest = |meta: &&ChangeMetadata<'_>| {
            meta.seq == 1 && meta.deps == [self.genesis] && journal_of(&meta.actor) == Some(by)
        };
        let metas = self.doc.get_changes_meta(&[]);
        let rest = metas.iter().find(is_rest);
        rest.map(|meta| ChangeId(meta.hash.0))
    }
}

fn copy_document(
    from: &Document,
    tx: &mut Transaction<'_>,
    leave: &BTreeSet<Part>,
) -> Result<(), WriteError> {
    let kind = from.kind;
    for (name, object_type) in fields(kind) {
        let field = object(kind, name);
        copy_object(&from.doc, tx, (&field, &field), *object_type, &|key| {
            leave.iter().any(|part| part.is_at(name, key))
        })?;
    }
    copy_map(&from.doc, tx, (&ROOT, &ROOT), &|key| is_begun_with(kind, key))
}

/// Is that in the root of every document of a kind, or says that one was begun anew?
fn is_begun_with(kind: DocumentKind, key: &str) -> bool {
    [KIND_FIELD, AGAIN_FIELD].contains(&key) || fields(kind).iter().any(|(name, _)| *name == key)
}

/// From an object here to one there, which is empty.
type Both<'a> = (&'a ObjId, &'a ObjId);

fn copy_object(
    from: &Automerge,
    tx: &mut Transaction<'_>,
    (old, new): Both<'_>,
    object_type: ObjType,
    left_out: &dyn Fn(&str) -> bool,
) -> Result<(), WriteError> {
    match object_type {
        ObjType::Map | ObjType::Table => copy_map(from, tx, (old, new), left_out),
        ObjType::List => copy_list(from, tx, (old, new)),
        ObjType::Text => copy_text(from, tx, (old, new)),
    }
}

fn copy_map(
    from: &Automerge,
    tx: &mut Transaction<'_>,
    (old, new): Both<'_>,
    left_out: &dyn Fn(&str) -> bool,
) -> Result<(), WriteError> {
    let keys: Vec<String> = from.keys(old).filter(|key| !left_out(key)).collect();
    for key in keys {
        match from.get(old, key.as_str())? {
            Some((Value::Scalar(value), _)) => tx.put(new, key, value.into_owned())?,
            Some((Value::Object(object_type), child)) => {
                let copy = tx.put_object(new, key, object_type)?;
                copy_object(from, tx, (&child, &copy), object_type, &|_| false)?;
            }
            None => {}
        }
    }
    Ok(())
}

fn copy_list(from: &Automerge, tx: &mut Transaction<'_>, (old, new): Both<'_>) -> Result<(), WriteError> {
    for index in 0..from.length(old) {
        match from.get(old, index)? {
            Some((Value::Scalar(value), _)) => tx.insert(new, index, value.into_owned())?,
            Some((Value::Object(object_type), child)) => {
                let copy = tx.insert_object(new, index, object_type)?;
                copy_object(from, tx, (&child, &copy), object_type, &|_| false)?;
            }
            None => {}
        }
    }
    Ok(())
}

fn copy_text(from: &Automerge, tx: &mut Transaction<'_>, (old, new): Both<'_>) -> Result<(), WriteError> {
    let text = from.text(old)?;
    if !text.is_empty() {
        tx.splice_text(new, 0, 0, &text)?;
    }
    for mark in from.marks(old)? {
        tx.mark(new, mark, ExpandMark::Both)?;
    }
    Ok(())
}

/// An object in a document.
type In<'a> = (&'a Automerge, &'a ObjId);

fn is_same(
    one: In<'_>,
    other: In<'_>,
    object_type: ObjType,
    left_out: &dyn Fn(&str) -> bool,
) -> Result<bool, AutomergeError> {
    let both = |a: Option<(Value<'_>, ObjId)>, b: Option<(Value<'_>, ObjId)>| match (a, b) {
        (None, None) => Ok(true),
        (Some((Value::Scalar(a), _)), Some((Value::Scalar(b), _))) => Ok(a == b),
        (Some((Value::Object(a_type), a)), Some((Value::Object(b_type), b))) if a_type == b_type => {
            is_same((one.0, &a), (other.0, &b), a_type, &|_| false)
        }
        (Some(_) | None, Some(_) | None) => Ok(false),
    };
    match object_type {
        ObjType::Text => Ok(one.0.text(one.1)? == other.0.text(other.1)?),
        ObjType::List => {
            let length = one.0.length(one.1);
            let mut same = length == other.0.length(other.1);
            for index in 0..length {
                same = same && both(one.0.get(one.1, index)?, other.0.get(other.1, index)?)?;
            }
            Ok(same)
        }
        ObjType::Map | ObjType::Table => {
            let keys = |(doc, object): In<'_>| -> Vec<String> {
                doc.keys(object).filter(|key| !left_out(key)).collect()
            };
            let all = keys(one);
            let mut same = all == keys(other);
            for key in &all {
                same = same
                    && both(
                        one.0.get(one.1, key.as_str())?,
                        other.0.get(other.1, key.as_str())?,
                    )?;
            }
            Ok(same)
        }
    }
}

/// What somebody typed with these changes, which are applied nowhere: a line for each of them and each thing put.
#[must_use]
pub fn said_in(changes: &[Blob]) -> String {
    let mut said = String::new();
    for change in changes
        .iter()
        .filter_map(|raw| Change::from_bytes(raw.0.clone()).ok())
    {
        let mut typing = false;
        for op in change.decode().operations {
            let OpType::Put(ScalarValue::Str(text)) = &op.action else {
                continue;
            };
            // Letters of one text belong together; a value that is put stands for itself.
            let goes_on = op.insert && typing;
            if !goes_on && !said.is_empty() {
                said.push('\n');
            }
            typing = op.insert;
            said.push_str(text);
        }
    }
    said
}

//! The first change of every document, one fixed for each kind. It never changes: a snapshot test holds its bytes.
//!
//! It creates every map and text that the kind's fields live in, so that two devices never create the same one twice.
//! Readers and writers address these objects by the operation that created them, not by their name in the root, so
//! nobody can delete or replace them: where the name is gone or points elsewhere, what is in them still stands.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, Change, ObjId, ObjType, ROOT};

use crate::domain::document::DocumentKind;
use crate::domain::id::{EntryNumber, JournalId};

use super::TEXT_ENCODING;

/// Who wrote every genesis: shorter than a journal's id, so nobody can be it.
pub(super) const GENESIS_ACTOR: [u8; 16] = [0; 16];

/// The field of the root that names the kind. It makes the genesis of two kinds differ even where their fields do not.
pub(super) const KIND_FIELD: &str = "kind";

/// The field of the root that says that a later generation was begun, so that there is a change that says so where nothing else
/// is left.
pub(super) const AGAIN_FIELD: &str = "again";

/// The fixed genesis change of a kind. No entry carries it: every device makes it.
#[must_use]
pub fn genesis(kind: DocumentKind) -> Change {
    genesis_of(kind, None)
}

/// The genesis of a later generation: the same operations, and the place of the act that it begins with, so that no change
/// of another generation follows it.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "it depends on nothing but the kind, and a test makes every one of them"
)]
pub(super) fn genesis_of(kind: DocumentKind, begins: Option<(JournalId, EntryNumber)>) -> Change {
    let mut doc = Automerge::new_with_encoding(TEXT_ENCODING).with_actor(ActorId::from(GENESIS_ACTOR));
    let mut tx = doc.transaction();
    for (name, object) in fields(kind) {
        tx.put_object(ROOT, *name, *object)
            .expect("a map or text can be put into the root");
    }
    tx.put(ROOT, KIND_FIELD, kind.name())
        .expect("a text can be put into the root");
    let options = CommitOptions::default().with_time(0);
    drop(tx.commit_with(match begins {
        Some((journal, number)) => options.with_message(format!("{journal} {}", number.0)),
        None => options,
    }));
    doc.get_last_local_change()
        .expect("the genesis was just committed")
}

/// The maps and texts of a kind, in the order in which the genesis creates them.
pub(super) const fn fields(kind: DocumentKind) -> &'static [(&'static str, ObjType)] {
    use ObjType::{Map, Text};
    match kind {
        DocumentKind::Group => &[("areas", Map), ("labels", Map), ("relays", Map), ("plates", Map)],
        DocumentKind::Own => &[
            ("profile", Map),
            ("comments", Map),
            ("endorsements", Map),
            ("attendance", Map),
        ],
        DocumentKind::Vote => &[
            ("ballots", Map),
            ("polls", Map),
            ("closes", Map),
            ("delegations", Map),
        ],
        DocumentKind::Proposal => &[
            ("title", Text),
            ("body", Text),
            ("options", Map),
            ("categories", Map),
            ("targets", Map),
            ("status", Map),
            ("attachments", Map),
        ],
        DocumentKind::Board => &[("tasks", Map)],
        DocumentKind::Meeting => &[
            ("about", Map),
            ("agenda", Map),
            ("speakers", Map),
            ("minutes", Text),
            ("decisions", Map),
        ],
        DocumentKind::Help => &[("needs", Map), ("offers", Map), ("matches", Map)],
        DocumentKind::Strategy => &[
            ("goals", Map),
            ("groups", Map),
            ("measures", Map),
            ("indicators", Map),
            ("observations", Map),
        ],
    }
}

/// The object that the genesis created for a field. The root, where the kind has no such field.
pub(super) fn object(kind: DocumentKind, field: &str) -> ObjId {
    let position = fields(kind).iter().position(|(name, _)| *name == field);
    // Operations count from 1, one for each field in order. No actor sorts before the genesis', so its index is 0.
    position
        .and_then(|position| u64::try_from(position).ok()?.checked_add(1))
        .map_or(ROOT, |counter| {
            ObjId::Id(counter, ActorId::from(GENESIS_ACTOR), 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::to_hex;
    use automerge::ReadDoc;

    #[test]
    fn the_bytes_of_every_genesis_stay() {
        let lines: Vec<String> = DocumentKind::ALL
            .iter()
            .map(|kind| {
                let change = genesis(*kind);
                let hash = to_hex(&change.hash().0);
                format!(
                    "{}\n  hash {hash}\n  bytes {}",
                    kind.name(),
                    to_hex(change.raw_bytes())
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn every_field_is_addressed_by_the_operation_that_made_it() {
        for kind in DocumentKind::ALL {
            let mut doc = Automerge::new_with_encoding(TEXT_ENCODING);
            doc.apply_changes([genesis(kind)]).unwrap();
            for (name, object_type) in fields(kind) {
                let (value, id) = doc.get(ROOT, *name).unwrap().unwrap();
                assert_eq!(value.to_objtype(), Some(*object_type));
                assert_eq!(id, object(kind, name));
            }
            assert_eq!(doc.get_changes(&[]).len(), 1);
        }
    }
}

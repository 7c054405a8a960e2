//! What was erased in a group, for a page, and erasing what is one's own.

use std::collections::BTreeSet;

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{CommentId, EntryId, GroupId, Timestamp};
use kiez_core::host::keystore::Passphrase;
use kiez_core::host::node::Node;
use kiez_core::replica::document::Leave;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Fault;
use super::names::Names;
use super::view::{IdeaRef, Person};

/// What of their own somebody erases in a group. What stood there before goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Own {
    /// Name and comments.
    Everything {},
    Comment {
        #[ts(type = "string")]
        id: CommentId,
    },
}

/// Something that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct ErasedCard {
    #[ts(type = "string")]
    id: EntryId,
    /// Whose own it was; null where it was shared.
    own: Option<Person>,
    /// In which idea.
    idea: Option<IdeaRef>,
    /// Who erased it, or proposed and signed it.
    by: Vec<Person>,
    /// Why the council did.
    reason: Option<String>,
    #[ts(type = "number")]
    at: Timestamp,
}

/// Something that this person wrote into an idea before they knew that it had been begun anew. It does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct LateCard {
    #[ts(type = "string")]
    id: EntryId,
    idea: Option<IdeaRef>,
    text: String,
}

/// Erases it.
pub(super) fn erase_own(node: &Node, group: GroupId, own: Own, passphrase: &str) -> Result<EntryId, Fault> {
    let passphrase = Passphrase::new(passphrase);
    let parts = match own {
        Own::Everything {} => return Ok(node.erase_own(group, &passphrase, Leave::Everything)?),
        Own::Comment { id } => BTreeSet::from([Part::Comment(id)]),
    };
    Ok(node.erase_own(group, &passphrase, Leave::Parts(&parts))?)
}

/// What was erased, the newest first.
pub(super) fn erased(node: &Node, group: GroupId, names: &Names<'_>) -> Result<Vec<ErasedCard>, Fault> {
    let cards = node.erased(group)?.into_iter().map(|erased| ErasedCard {
        id: erased.act,
        own: erased.document.owner().map(|person| names.person(person)),
        idea: idea(erased.document, names),
        by: names.persons(erased.by),
        reason: erased.reason,
        at: erased.at,
    });
    Ok(cards.collect())
}

/// What this person wrote too late.
pub(super) fn late(node: &Node, group: GroupId, names: &Names<'_>) -> Result<Vec<LateCard>, Fault> {
    let cards = node.came_too_late(group)?.into_iter().map(|late| LateCard {
        id: late.entry,
        idea: idea(late.document, names),
        text: late.text,
    });
    Ok(cards.collect())
}

fn idea(document: DocumentId, names: &Names<'_>) -> Option<IdeaRef> {
    if let DocumentId::Proposal(id) = document {
        names.idea(id)
    } else {
        None
    }
}

//! What was erased in a group, for a page, and erasing what is one's own.

use std::collections::BTreeSet;

use kiez_core::domain::cost::Cost;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{CommentId, EntryId, GroupId, Timestamp};
use kiez_core::host::keystore::Passphrase;
use kiez_core::host::node::Node;
use kiez_core::replica::document::Leave;
use kiez_core::replica::erase_view::{Aspect, Left, Outlook};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Fault;
use super::names::{Names, degrees};
use super::view::{IdeaRef, Person, Place, shown};

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
    /// How many changes came too late, since who wrote them did not know of it; and how many of them are mine.
    late: usize,
    #[serde(rename = "lateMine")]
    late_mine: usize,
}

/// How much of what a motion to erase leaves is what stands there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LeftOver {
    /// It has not come here yet.
    Unknown,
    Nothing,
    Same,
    Other,
}

shown!(
    /// What of an idea would read otherwise.
    Differing(Aspect), "kebab-case", Title, Text, Cost, Place, Categories, Targets, Other
);

/// An idea as it would stand.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub(crate) struct IdeaThen {
    title: String,
    body: String,
    #[ts(type = "number | null")]
    cost: Option<u64>,
    place: Option<Place>,
    categories: Vec<String>,
    targets: Vec<String>,
}

/// What an open motion to erase would do, for who is to sign it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub(crate) struct ErasesCard {
    /// How many pieces would go.
    entries: usize,
    left: LeftOver,
    /// In what that which would be left differs from what stands there now.
    differs: Vec<Differing>,
    /// What would be left.
    reads: Option<IdeaThen>,
    /// How many changes of now would not count any more.
    later: usize,
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
    let cards = node.erased(group)?.into_iter().map(|card| {
        let erased = card.erased;
        ErasedCard {
            id: erased.act,
            own: erased.document.owner().map(|person| names.person(person)),
            idea: idea(erased.document, names),
            by: names.persons(erased.by),
            reason: erased.reason,
            at: erased.at,
            late: card.late.all,
            late_mine: card.late.mine,
        }
    });
    Ok(cards.collect())
}

/// What a motion would do.
pub(super) fn erases(outlook: Outlook) -> ErasesCard {
    let (left, differs, reads) = match outlook.left {
        Left::Unknown => (LeftOver::Unknown, BTreeSet::new(), None),
        Left::Nothing => (LeftOver::Nothing, BTreeSet::new(), None),
        Left::Reads { idea, differs } if differs.is_empty() => (LeftOver::Same, differs, idea),
        Left::Reads { idea, differs } => (LeftOver::Other, differs, idea),
    };
    ErasesCard {
        entries: outlook.entries,
        left,
        differs: differs.into_iter().map(Differing::from).collect(),
        reads: reads.map(|idea| IdeaThen {
            title: idea.title,
            body: idea.body,
            cost: idea.cost.map(Cost::units),
            place: idea.place.map(degrees),
            categories: idea.categories,
            targets: idea.targets,
        }),
        later: outlook.later,
    }
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

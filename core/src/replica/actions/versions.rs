//! The versions of an idea's texts: what each person who wrote on them added and took away.

use crate::domain::document::DocumentId;
use crate::domain::id::{PersonId, ProposalId, Timestamp};
use crate::domain::version::{Edit, Part, ends, parts};

use super::super::document::{Document, State, proposal, states};
use super::super::hold::Replica;
use super::super::limits::VERSIONS_MAX;
use super::super::storage::Storage;
use super::ActionError;

/// An idea's texts as somebody left them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// When, by their clock.
    pub at: Timestamp,
    /// Who; none where it was somebody whose membership does not count any more.
    pub by: Option<PersonId>,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// The title beside that of the version before.
    pub title_parts: Vec<Part>,
    /// The text beside that of the version before.
    pub parts: Vec<Part>,
}

impl<S: Storage> Replica<S> {
    /// The versions of an idea's texts, newest first; what one person changed within an hour is one.
    ///
    /// # Errors
    /// Where there is no such idea, or the storage fails.
    pub fn versions(&mut self, id: ProposalId) -> Result<Vec<Version>, ActionError> {
        self.require_idea(id)?;
        let all = states(self.document(DocumentId::Proposal(id))?);
        let edit = |state: &State| Edit {
            by: self.roster().author(state.journal).map(|author| author.person),
            at: state.at,
        };
        let edits: Vec<Edit> = all.iter().map(edit).collect();
        let ends = ends(&edits);
        let earlier = ends.len().saturating_sub(VERSIONS_MAX);
        let document = self.document(DocumentId::Proposal(id))?;
        // The last one that is not told is what the first one told is compared with.
        let before = earlier
            .checked_sub(1)
            .and_then(|place| all.get(*ends.get(place)?));
        let mut before = before.map_or_else(Default::default, |state| texts(document, state));
        let mut versions = Vec::new();
        for place in ends.into_iter().skip(earlier) {
            let (Some(state), Some(edit)) = (all.get(place), edits.get(place)) else {
                continue;
            };
            let now = texts(document, state);
            versions.push(Version {
                at: edit.at,
                by: edit.by,
                title_parts: parts(&before.0, &now.0),
                parts: parts(&before.1, &now.1),
                title: now.0.clone(),
                body: now.1.clone(),
            });
            before = now;
        }
        versions.reverse();
        Ok(versions)
    }
}

/// Title and text.
fn texts(document: &Document, state: &State) -> (String, String) {
    (
        proposal::read_title_at(document, &state.heads).unwrap_or_default(),
        proposal::read_body_at(document, &state.heads).unwrap_or_default(),
    )
}

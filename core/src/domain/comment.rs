//! What somebody says about something, in their own document.

use serde::Serialize;

use super::id::{CommentId, PersonId, ProposalId, Timestamp};

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Whose it is: the owner of the document it stands in.
    pub author: PersonId,
    /// The idea it is about.
    pub about: ProposalId,
    /// What it says.
    pub text: String,
    /// When, by the author's clock.
    pub at: Timestamp,
}

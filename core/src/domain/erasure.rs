//! What can be taken out of a person's own document, besides all that stood there before.

use super::id::CommentId;

/// A part of a person's own document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What they call themselves.
    Name,
    /// Something they said.
    Comment(CommentId),
}

impl Part {
    /// Is this part kept in a field of a document under a key?
    #[must_use]
    pub fn is_at(&self, field: &str, key: &str) -> bool {
        match self {
            Self::Name => field == "profile" && key == "name",
            Self::Comment(id) => field == "comments" && key == id.to_string(),
        }
    }
}

//! The payload of a content entry: changes to one document, as raw Automerge change chunks.

use serde::{Deserialize, Serialize};

use crate::domain::document::DocumentId;

use super::codec::{Blob, DecodeError, decode, encode};
use super::limits::CHANGES_PER_ENTRY_MAX;

/// Changes to one document. What they say is for the change gate to judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Which document.
    pub document: DocumentId,
    /// Each one plain change chunk, in the order they were made; at least one.
    pub changes: Vec<Blob>,
}

/// Why a payload is no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The bytes are of another shape.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// No change, or more than one entry may hold.
    #[error("a content entry holds between 1 and {CHANGES_PER_ENTRY_MAX} changes")]
    Count,
}

impl Content {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// From a payload.
    ///
    /// # Errors
    /// Where the bytes are not canonical or the number of changes is not allowed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentError> {
        let content: Self = decode(bytes)?;
        if (1..=CHANGES_PER_ENTRY_MAX).contains(&content.changes.len()) {
            Ok(content)
        } else {
            Err(ContentError::Count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_reads_back_and_its_bytes_are_a_tuple() {
        let content = Content {
            document: DocumentId::GENERAL_BOARD,
            changes: vec![Blob(vec![1, 2]), Blob(Vec::new())],
        };
        let bytes = content.to_bytes();
        assert_eq!(bytes, encode(&(content.document, content.changes.clone())));
        assert_eq!(Content::from_bytes(&bytes), Ok(content));
    }

    #[test]
    fn content_without_changes_or_with_too_many_is_refused() {
        for count in [0, CHANGES_PER_ENTRY_MAX + 1] {
            let bytes = Content {
                document: DocumentId::Group,
                changes: vec![Blob(Vec::new()); count],
            }
            .to_bytes();
            assert_eq!(Content::from_bytes(&bytes), Err(ContentError::Count));
        }
        assert_eq!(
            Content::from_bytes(&[0]),
            Err(ContentError::Decode(DecodeError::Malformed))
        );
    }
}

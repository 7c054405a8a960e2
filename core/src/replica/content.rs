//! The payload of a content entry: changes to one document.

use serde::{Deserialize, Serialize};

use crate::domain::document::DocumentId;

use super::codec::{Blob, DecodeError, decode, encode};
use super::limits::CHANGES_PER_ENTRY_MAX;

/// Changes to one document, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Which document.
    pub document: DocumentId,
    /// Raw, uncompressed Automerge change chunks.
    pub changes: Vec<Blob>,
}

impl Content {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where the bytes are not canonical, or hold no change or too many.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let content: Self = decode(bytes)?;
        if content.changes.is_empty() || content.changes.len() > CHANGES_PER_ENTRY_MAX {
            return Err(DecodeError::Malformed);
        }
        Ok(content)
    }
}

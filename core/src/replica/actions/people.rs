//! The group's page and people's own.

use rand::CryptoRng;

use crate::domain::comment::Comment;
use crate::domain::document::DocumentId;
use crate::domain::id::{CommentId, PersonId, ProposalId, Timestamp};

use super::super::document::{group, own};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::ActionError;

impl<S: Storage> Replica<S> {
    /// The group's name and purpose.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn info(&mut self) -> Result<group::GroupInfo, ReplicaError> {
        Ok(group::read(self.document(DocumentId::Group)?).value)
    }

    /// Names the group and says what it is for.
    ///
    /// # Errors
    /// Where this person is no steward, a text does not fit, or the storage fails.
    pub fn describe_group(&mut self, name: &str, purpose: &str, at: Timestamp) -> Result<(), ActionError> {
        self.write_document(DocumentId::Group, at, |tx| {
            group::set_name(tx, name)?;
            group::set_purpose(tx, purpose)
        })?;
        Ok(())
    }

    /// Says under which name this person wants to be known.
    ///
    /// # Errors
    /// Where the name does not fit, or the storage fails.
    pub fn set_profile_name(&mut self, name: &str, at: Timestamp) -> Result<(), ActionError> {
        let person = self.myself()?;
        self.write_document(DocumentId::Own(person), at, |tx| own::set_profile_name(tx, name))?;
        Ok(())
    }

    /// The name somebody wants to be known under.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn name_of(&mut self, person: PersonId) -> Result<Option<String>, ReplicaError> {
        Ok(own::read(self.document(DocumentId::Own(person))?, person)
            .value
            .name)
    }

    /// Comments on an idea.
    ///
    /// # Errors
    /// Where there is no such idea, the text does not fit, or the storage fails.
    pub fn comment(
        &mut self,
        about: ProposalId,
        text: &str,
        at: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<CommentId, ActionError> {
        let person = self.myself()?;
        self.require_idea(about)?;
        let mut id = CommentId([0; 16]);
        rng.fill_bytes(&mut id.0);
        self.write_document(DocumentId::Own(person), at, |tx| {
            own::add_comment(tx, id, about, text, at)
        })?;
        Ok(id)
    }

    /// All comments of a person.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn comments_of(&mut self, person: PersonId) -> Result<Vec<Comment>, ReplicaError> {
        Ok(own::read(self.document(DocumentId::Own(person))?, person)
            .value
            .comments)
    }

    /// The person this device belongs to, where it may write.
    pub(super) fn myself(&self) -> Result<PersonId, ReplicaError> {
        self.me()
            .map(|author| author.person)
            .ok_or(ReplicaError::NotWriting)
    }
}

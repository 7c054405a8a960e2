//! Ideas and tasks.

use rand::CryptoRng;

use crate::domain::document::DocumentId;
use crate::domain::id::{ProposalId, TaskId, Timestamp};
use crate::domain::proposal::{Draft, Proposal};
use crate::domain::task::{Task, TaskDraft, TaskState};

use super::super::document::{Document, board, proposal};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::ActionError;

impl<S: Storage> Replica<S> {
    /// Writes down a new idea.
    ///
    /// # Errors
    /// Where a text does not fit, this person may not, or the storage fails.
    pub fn add_idea(
        &mut self,
        draft: &Draft,
        at: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<ProposalId, ActionError> {
        let mut id = ProposalId([0; 16]);
        rng.fill_bytes(&mut id.0);
        self.write_document(DocumentId::Proposal(id), at, |tx| proposal::create(tx, draft))?;
        Ok(id)
    }

    /// Makes an idea's text the one given, by the smallest change to the present one.
    ///
    /// # Errors
    /// Where there is no such idea, the text does not fit, or the storage fails.
    pub fn edit_idea(&mut self, id: ProposalId, body: &str, at: Timestamp) -> Result<(), ActionError> {
        self.require_idea(id)?;
        self.write_document(DocumentId::Proposal(id), at, |tx| proposal::set_body(tx, body))?;
        Ok(())
    }

    /// An idea as it stands.
    ///
    /// # Errors
    /// Where there is none, or the storage fails.
    pub fn idea(&mut self, id: ProposalId) -> Result<Proposal, ActionError> {
        Ok(proposal::read(self.require_idea(id)?, id).value)
    }

    /// The document of an idea that is here.
    pub(super) fn require_idea(&mut self, id: ProposalId) -> Result<&Document, ActionError> {
        let document = self.document(DocumentId::Proposal(id))?;
        if document.is_untouched() {
            return Err(ActionError::NotFound {
                what: "idea",
                id: id.to_string(),
            });
        }
        Ok(document)
    }

    /// All ideas.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn ideas(&mut self) -> Result<Vec<Proposal>, ReplicaError> {
        let mut ideas = Vec::new();
        for document in self.storage().documents()? {
            if let DocumentId::Proposal(id) = document {
                ideas.push(proposal::read(self.document(document)?, id).value);
            }
        }
        Ok(ideas)
    }

    /// Puts a task on an idea's board, or on the general one.
    ///
    /// # Errors
    /// Where there is no such idea, a text does not fit, or the storage fails.
    pub fn add_task(
        &mut self,
        idea: Option<ProposalId>,
        draft: &TaskDraft,
        at: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<TaskId, ActionError> {
        if let Some(idea) = idea {
            self.require_idea(idea)?;
        }
        let mut id = TaskId([0; 16]);
        rng.fill_bytes(&mut id.0);
        self.write_document(board_for(idea), at, |tx| board::add_task(tx, id, draft))?;
        Ok(id)
    }

    /// Says how far a task is.
    ///
    /// # Errors
    /// Where there is no such task on that board, or the storage fails.
    pub fn set_task_state(
        &mut self,
        idea: Option<ProposalId>,
        id: TaskId,
        state: TaskState,
        at: Timestamp,
    ) -> Result<(), ActionError> {
        self.write_document(board_for(idea), at, |tx| board::set_state(tx, id, state))?;
        Ok(())
    }

    /// Takes a task: this person is among those who do it, and is at it.
    ///
    /// # Errors
    /// Where there is no such task on that board, or the storage fails.
    pub fn take_task(
        &mut self,
        idea: Option<ProposalId>,
        id: TaskId,
        at: Timestamp,
    ) -> Result<(), ActionError> {
        let me = self.myself()?;
        self.write_document(board_for(idea), at, |tx| {
            board::set_assignee(tx, id, me, true)?;
            board::set_state(tx, id, TaskState::Doing)
        })?;
        Ok(())
    }

    /// The tasks of an idea's board, or of the general one.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn tasks(&mut self, idea: Option<ProposalId>) -> Result<Vec<Task>, ReplicaError> {
        Ok(board::read(self.document(board_for(idea))?, idea).value)
    }
}

fn board_for(idea: Option<ProposalId>) -> DocumentId {
    idea.map_or(DocumentId::GENERAL_BOARD, DocumentId::board_of)
}

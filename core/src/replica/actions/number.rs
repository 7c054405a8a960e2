//! The numbers of ideas: given by the first steward's device that sees an idea, without anybody asking for it.

use std::collections::BTreeSet;

use crate::domain::admission::{Admission, admission};
use crate::domain::document::DocumentId;
use crate::domain::id::{ProposalId, Timestamp};
use crate::domain::plate::{Plate, Plates};

use super::super::document::group;
use super::super::hold::{Replica, ReplicaError};
use super::super::limits::PLATES_PER_ENTRY_MAX;
use super::super::receive::Received;
use super::super::storage::Storage;
use super::ActionError;

impl<S: Storage> Replica<S> {
    /// The numbers of ideas.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn plates(&mut self) -> Result<Plates, ReplicaError> {
        Ok(group::plates(self.document(DocumentId::Group)?).value)
    }

    /// Gives every idea that has no number one, where this device is a steward's; says how many it gave.
    ///
    /// Only what is missing is written, and in an order that all devices with the same documents share. So two stewards who
    /// do it at once write the same, and who has received the other's numbers has nothing left to write.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn number_ideas(&mut self, at: Timestamp) -> Result<usize, ActionError> {
        if !self.may_number() {
            return Ok(0);
        }
        let plates = self.plates()?;
        let mut missing = BTreeSet::new();
        for idea in self.known_ideas()? {
            if plates.of(idea).number.is_some() {
                continue;
            }
            if let Some((_, begun)) = self.document(DocumentId::Proposal(idea))?.origin() {
                missing.insert((begun, idea));
            }
            self.close_unused();
        }
        let new = plates.number(missing.into_iter().map(|(_, idea)| idea));
        self.set_plates(&new, at)?;
        Ok(new.len())
    }

    /// Gives ideas that nobody else has yet their numbers in this order, where this device is a steward's.
    ///
    /// # Errors
    /// See [`Self::number_ideas`].
    pub fn number_new(&mut self, ideas: &[ProposalId], at: Timestamp) -> Result<(), ActionError> {
        if !self.may_number() {
            return Ok(());
        }
        let new = self.plates()?.number(ideas.iter().copied());
        self.set_plates(&new, at)
    }

    fn set_plates(&mut self, new: &[(ProposalId, Plate)], at: Timestamp) -> Result<(), ActionError> {
        for some in new.chunks(PLATES_PER_ENTRY_MAX) {
            self.write_document(DocumentId::Group, at, |tx| group::set_plates(tx, some))?;
        }
        Ok(())
    }

    /// Can there be something to number after this was received? Asked before all ideas are looked through.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn may_lack_numbers(&mut self, received: &Received) -> Result<bool, ReplicaError> {
        if !self.may_number() {
            return Ok(false);
        }
        if received.control || received.documents.contains(&DocumentId::Group) {
            return Ok(true);
        }
        let ideas: Vec<ProposalId> = received.documents.iter().filter_map(idea_of).collect();
        if ideas.is_empty() {
            return Ok(false);
        }
        let plates = self.plates()?;
        Ok(ideas.into_iter().any(|idea| plates.of(idea).number.is_none()))
    }

    fn may_number(&self) -> bool {
        admission(self.me().as_ref(), &DocumentId::Group) == Admission::Admit
    }

    /// All ideas, those included that an action under way has not committed yet.
    fn known_ideas(&self) -> Result<BTreeSet<ProposalId>, ReplicaError> {
        let stored = self.storage().documents()?;
        Ok(stored
            .iter()
            .chain(self.open.keys())
            .filter_map(idea_of)
            .collect())
    }
}

const fn idea_of(document: &DocumentId) -> Option<ProposalId> {
    match document {
        DocumentId::Proposal(idea) => Some(*idea),
        DocumentId::Group
        | DocumentId::Own(_)
        | DocumentId::Vote(_)
        | DocumentId::Board(_)
        | DocumentId::Meeting(_)
        | DocumentId::Help(_)
        | DocumentId::Strategy(_) => None,
    }
}

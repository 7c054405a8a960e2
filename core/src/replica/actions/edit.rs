//! Changing what an idea says: its texts by what was typed, its other fields as a whole.

use crate::domain::cost::Cost;
use crate::domain::document::DocumentId;
use crate::domain::id::{ChangeId, ProposalId, Timestamp};
use crate::domain::place::Place;
use crate::domain::proposal::TextField;
use crate::domain::splice::Splice;

use super::super::document::{Document, proposal};
use super::super::hold::Replica;
use super::super::storage::Storage;
use super::ActionError;

/// A text that people write together, and the point in its past to which splices of it refer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextNow {
    /// What it says, whole: a position in it is one in the document.
    pub text: String,
    /// The heads of its document.
    pub heads: Vec<ChangeId>,
}

impl TextNow {
    fn of(document: &Document, field: TextField) -> Self {
        Self {
            text: proposal::read_text(document, field),
            heads: document.heads(),
        }
    }
}

impl<S: Storage> Replica<S> {
    /// A text of an idea as it stands, to be edited by [`Self::splice_idea`].
    ///
    /// # Errors
    /// Where there is no such idea, or the storage fails.
    pub fn idea_text(&mut self, id: ProposalId, field: TextField) -> Result<TextNow, ActionError> {
        Ok(TextNow::of(self.require_idea(id)?, field))
    }

    /// Types into a text of an idea. The splices are about the text as it was at the heads; what has been changed since stays,
    /// and they are made in the text as it is now. Gives the text as it stands after.
    ///
    /// # Errors
    /// Where there is no such idea, the heads are not known here, the splices do not fit the text as it was, the text would
    /// become too long or the title empty, or the storage fails; nothing is written then.
    pub fn splice_idea(
        &mut self,
        id: ProposalId,
        field: TextField,
        heads: &[ChangeId],
        splices: &[Splice],
        at: Timestamp,
    ) -> Result<TextNow, ActionError> {
        let now = proposal::carry_splices(self.require_idea(id)?, field, heads, splices)?;
        self.write_document(DocumentId::Proposal(id), at, |tx| {
            proposal::make_splices(tx, field, &now)
        })?;
        self.idea_text(id, field)
    }

    /// Gives an idea another title, by the smallest change to the present one.
    ///
    /// # Errors
    /// Where there is no such idea, the title is empty or too long, or the storage fails.
    pub fn set_title(&mut self, id: ProposalId, title: &str, at: Timestamp) -> Result<(), ActionError> {
        self.require_idea(id)?;
        self.write_document(DocumentId::Proposal(id), at, |tx| proposal::set_title(tx, title))?;
        Ok(())
    }

    /// Says what an idea would cost; nothing takes the cost away. What stands there already, undisputed, is not written
    /// again.
    ///
    /// # Errors
    /// Where there is no such idea, or the storage fails.
    pub fn set_cost(&mut self, id: ProposalId, cost: Option<Cost>, at: Timestamp) -> Result<(), ActionError> {
        let standing = proposal::read(self.require_idea(id)?, id);
        if standing.value.cost != cost || !standing.is_settled() {
            self.write_document(DocumentId::Proposal(id), at, |tx| proposal::set_cost(tx, cost))?;
        }
        Ok(())
    }

    /// Says where an idea is; nothing takes the place away. What stands there already, undisputed, is not written
    /// again.
    ///
    /// # Errors
    /// Where there is no such idea, or the storage fails.
    pub fn set_place(
        &mut self,
        id: ProposalId,
        place: Option<Place>,
        at: Timestamp,
    ) -> Result<(), ActionError> {
        let standing = proposal::read(self.require_idea(id)?, id);
        if standing.value.place != place || !standing.is_settled() {
            self.write_document(DocumentId::Proposal(id), at, |tx| proposal::set_place(tx, place))?;
        }
        Ok(())
    }
}

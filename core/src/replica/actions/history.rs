//! Who did what and when.

use std::collections::BTreeMap;

use crate::domain::deed::{Deed, Done};
use crate::domain::document::DocumentId;
use crate::domain::id::{JournalId, PersonId, PollId, ProposalId};
use crate::domain::poll::{Closing, PollRecord};

use super::super::author::AuthorError;
use super::super::document::{Trace, board, own, proposal, traces};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::ActionError;

/// A trace with the idea it belongs to and what it says.
type Told = (Trace, Option<ProposalId>, String);

impl<S: Storage> Replica<S> {
    /// What was done in a document, oldest first; of each journal the first changes are passed over, as many as are named.
    /// What cannot be told, because the thing it was done to is not readable, is left out.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn deeds_in(
        &mut self,
        id: DocumentId,
        known: &BTreeMap<JournalId, u64>,
    ) -> Result<Vec<Done>, ReplicaError> {
        let all = traces(self.document(id)?, known);
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let told: Vec<Told> = match id {
            DocumentId::Proposal(idea) => self.told_of_idea(idea, all)?,
            DocumentId::Own(person) => self.told_by(person, all)?,
            DocumentId::Vote(_) => self.told_of_polls(all)?,
            DocumentId::Board(of) => {
                let idea = (id != DocumentId::GENERAL_BOARD).then_some(ProposalId(of.0));
                let tasks = board::read(self.document(id)?, idea).value;
                let title = |deed| {
                    let (Deed::Task(task) | Deed::TaskDone(task)) = deed else {
                        return None;
                    };
                    tasks.iter().find(|t| t.id == task).map(|t| t.title.clone())
                };
                all.into_iter()
                    .filter_map(|trace| title(trace.deed).map(|title| (trace, idea, title)))
                    .collect()
            }
            DocumentId::Group | DocumentId::Meeting(_) | DocumentId::Help(_) | DocumentId::Strategy(_) => {
                Vec::new()
            }
        };
        let done = told.into_iter().map(|(trace, idea, text)| Done {
            deed: trace.deed,
            by: self.roster().author(trace.journal).map(|author| author.person),
            at: trace.at,
            idea,
            text,
        });
        Ok(done.collect())
    }

    fn told_of_idea(&mut self, id: ProposalId, all: Vec<Trace>) -> Result<Vec<Told>, ReplicaError> {
        let document = self.document(DocumentId::Proposal(id))?;
        let text = |trace: &Trace| {
            if matches!(trace.deed, Deed::Written | Deed::Title) {
                proposal::read_title_at(document, &[trace.change]).unwrap_or_default()
            } else {
                trace.value.clone().unwrap_or_default()
            }
        };
        Ok(all
            .into_iter()
            .map(|trace| {
                let text = text(&trace);
                (trace, Some(id), text)
            })
            .collect())
    }

    fn told_by(&mut self, person: PersonId, all: Vec<Trace>) -> Result<Vec<Told>, ReplicaError> {
        let page = own::read(self.document(DocumentId::Own(person))?, person).value;
        let comments: BTreeMap<_, _> = page.comments.into_iter().map(|c| (c.id, c)).collect();
        let name = page.name.unwrap_or_default();
        let told = all.into_iter().filter_map(|trace| {
            let Deed::Comment(id) = trace.deed else {
                return Some((trace, None, name.clone()));
            };
            let comment = comments.get(&id)?;
            Some((trace, Some(comment.about), comment.text.clone()))
        });
        Ok(told.collect())
    }

    fn told_of_polls(&mut self, all: Vec<Trace>) -> Result<Vec<Told>, ReplicaError> {
        let mut told = Vec::new();
        for trace in all {
            let closed = matches!(trace.deed, Deed::VoteClosed(_));
            let (Deed::VoteOpened(poll) | Deed::VoteClosed(poll)) = trace.deed else {
                continue;
            };
            if let Some(record) = self.told_poll(poll, closed)? {
                told.push((trace, Some(record.proposal), record.question));
            }
        }
        Ok(told)
    }

    /// The record of a poll, where it is here; of one that is to be closed, where it is. One counter's word alone closes no
    /// poll of several.
    fn told_poll(&mut self, id: PollId, closed: bool) -> Result<Option<PollRecord>, ReplicaError> {
        match self.poll(id) {
            Ok(view) if closed && !matches!(view.closing, Closing::Closed(_)) => Ok(None),
            Ok(view) => Ok(Some(view.record)),
            Err(ActionError::Author(AuthorError::Replica(error))) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

//! What happened: in a group since this person was last here, and with one idea ever.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::deed::{Deed, Done, newest_first};
use crate::domain::document::DocumentId;
use crate::domain::id::{CommentId, GroupId, PersonId, ProposalId, Timestamp};
use crate::domain::proposal::TextField;
use crate::replica::actions::{ActionError, TextNow, Version};
use crate::replica::limits::HISTORY_MAX;

use super::{Node, NodeError, now};

/// What happened in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// When this person was last here; none: never, and all is news.
    pub since: Option<Timestamp>,
    /// What has come since, the newest first; nothing before the first visit.
    pub done: Vec<Done>,
}

impl Node {
    /// What others have done that came since this person was last here. Before they ever were, nothing is told: all would
    /// be news.
    ///
    /// # Errors
    /// Where there is no such group, or the store fails; so for all below.
    pub fn news(&self, group: GroupId) -> Result<News, NodeError> {
        let me = self.me().person;
        self.with_group(group, |replica| {
            let visit = replica.storage().visit()?;
            let done = match visit {
                Some(_) => replica.news(visit, Some(me))?,
                None => Vec::new(),
            };
            Ok(News {
                since: visit.map(|visit| visit.at),
                done,
            })
        })
    }

    /// Which comments on an idea have come from others since this person was last here; none before they ever were.
    ///
    /// # Errors
    /// See [`Node::news`].
    pub fn new_comments(&self, group: GroupId, id: ProposalId) -> Result<BTreeSet<CommentId>, NodeError> {
        let me = self.me().person;
        self.fresh(group, |replica| {
            let Some(visit) = replica.storage().visit()? else {
                return Ok(BTreeSet::new());
            };
            let mut authors: BTreeSet<PersonId> = BTreeSet::new();
            authors.extend(
                replica
                    .storage()
                    .comments(id)?
                    .into_iter()
                    .map(|comment| comment.author),
            );
            authors.remove(&me);
            let mut new = BTreeSet::new();
            for author in authors {
                let done = replica.done_since(DocumentId::Own(author), visit.applied)?;
                let about = done.into_iter().filter(|done| done.idea == Some(id));
                new.extend(about.filter_map(|done| {
                    let Deed::Comment(comment) = done.deed else {
                        return None;
                    };
                    Some(comment)
                }));
                replica.close_unused();
            }
            Ok(new)
        })
    }

    /// Remembers that this person has seen what is here now: only what comes from now on is news.
    ///
    /// # Errors
    /// See [`Node::news`].
    pub fn seen(&self, group: GroupId) -> Result<(), NodeError> {
        self.with_group(group, |replica| Ok(replica.storage().set_visit(now())?))
    }

    /// All that was done with an idea, the newest first.
    ///
    /// # Errors
    /// See [`Node::news`]; where there is no such idea.
    pub fn history(&self, group: GroupId, id: ProposalId) -> Result<Vec<Done>, NodeError> {
        self.fresh(group, |replica| {
            replica.idea(id)?;
            let mut documents = BTreeSet::from([DocumentId::Proposal(id), DocumentId::board_of(id)]);
            let store = replica.storage();
            let comments = store.comments(id)?.into_iter();
            documents.extend(comments.map(|comment| DocumentId::Own(comment.author)));
            let polls = store.poll_rows()?.into_iter().filter(|poll| poll.idea == id);
            for poll in polls.collect::<Vec<_>>() {
                replica.remember_poll(poll.id, poll.opener);
                documents.insert(DocumentId::Vote(poll.opener));
                match replica.poll(poll.id) {
                    Ok(view) => documents.extend(view.record.counters.into_iter().map(DocumentId::Vote)),
                    // It names control entries that nobody has: it is told nowhere.
                    Err(ActionError::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let mut all = Vec::new();
            for document in documents {
                let done = replica.deeds_in(document, &BTreeMap::new())?;
                all.extend(done.into_iter().filter(|done| done.idea == Some(id)));
                replica.close_unused();
            }
            let mut history = newest_first(all);
            history.truncate(HISTORY_MAX);
            Ok(history)
        })
    }

    /// An idea's title and its text, for who writes in them.
    ///
    /// # Errors
    /// See [`Node::news`]; where there is no such idea.
    pub fn idea_texts(&self, group: GroupId, id: ProposalId) -> Result<(TextNow, TextNow), NodeError> {
        self.with_group(group, |replica| {
            let title = replica.idea_text(id, TextField::Title)?;
            Ok((title, replica.idea_text(id, TextField::Body)?))
        })
    }

    /// The versions of an idea's texts, the newest first.
    ///
    /// # Errors
    /// See [`Node::news`]; where there is no such idea.
    pub fn versions(&self, group: GroupId, id: ProposalId) -> Result<Vec<Version>, NodeError> {
        self.with_group(group, |replica| Ok(replica.versions(id)?))
    }
}

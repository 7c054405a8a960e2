//! What changes something: each command is one action on one group's replica, then everybody is told.

use std::net::SocketAddr;

use crate::domain::charter::{Charter, Role};
use crate::domain::cost::Cost;
use crate::domain::id::{ChangeId, CommentId, GroupId, PollId, ProposalId, TaskId, Timestamp};
use crate::domain::place::Place;
use crate::domain::poll::Method;
use crate::domain::proposal::{Draft, TextField};
use crate::domain::splice::Splice;
use crate::domain::task::{TaskDraft, TaskState};
use crate::host::keystore::Passphrase;
use crate::host::random::SystemRandom;
use crate::host::store::GroupStore;
use crate::replica::actions::{ActionError, TextNow};
use crate::replica::author::AuthorError;
use crate::replica::document::group;
use crate::replica::hold::Replica;
use crate::replica::join::Invitation;

use super::{Node, NodeError, now};

/// How long an invitation is good for: two weeks.
const INVITATION_MILLISECONDS: u64 = 14 * 24 * 60 * 60 * 1000;

impl Node {
    /// Founds a group with this person as its first steward.
    ///
    /// # Errors
    /// A wrong passphrase (the person key signs the founding), a text that does not fit, a failing store.
    pub fn found(&self, name: &str, purpose: &str, passphrase: &Passphrase) -> Result<GroupId, NodeError> {
        self.found_with(name, purpose, Charter::circle(), passphrase)
    }

    /// Founds a group with rules of its own.
    ///
    /// # Errors
    /// See [`Node::found`].
    pub fn found_with(
        &self,
        name: &str,
        purpose: &str,
        charter: Charter,
        passphrase: &Passphrase,
    ) -> Result<GroupId, NodeError> {
        group::check(name, purpose).map_err(AuthorError::from)?;
        let person = self.recovery_words(passphrase)?.person_key();
        let storage = self.store().group(None);
        let replica = Replica::found_with(
            storage,
            self.me(),
            &person,
            charter,
            &mut SystemRandom,
            |replica| -> Result<(), NodeError> {
                replica.describe_group(name, purpose, now())?;
                replica.set_profile_name(&self.profile_name()?, now())?;
                Ok(())
            },
        )?;
        let group = replica.group();
        self.adopt(replica);
        Ok(group)
    }

    /// Invites somebody. The invitation names where this device is reachable.
    ///
    /// # Errors
    /// Where the charter does not allow it, or the store fails.
    pub fn invite(
        &self,
        group: GroupId,
        role: Role,
        addresses: Vec<SocketAddr>,
    ) -> Result<Invitation, NodeError> {
        let expires = Timestamp(now().0.saturating_add(INVITATION_MILLISECONDS));
        self.change(group, |replica| {
            Ok(replica.invite(self.me(), role, expires, addresses, &mut SystemRandom)?)
        })
    }

    /// Writes down an idea.
    ///
    /// # Errors
    /// See [`Replica::add_idea`]; so for all below.
    pub fn add_idea(&self, group: GroupId, draft: &Draft) -> Result<ProposalId, NodeError> {
        self.change(group, |replica| {
            // In one commit: a steward's own idea is never seen without its number.
            replica.at_once(|replica| {
                let id = replica.add_idea(draft, now(), &mut SystemRandom)?;
                replica.number_ideas(now())?;
                Ok(id)
            })
        })
    }

    /// Makes an idea's text the one given.
    ///
    /// # Errors
    /// See [`Replica::edit_idea`].
    pub fn edit_idea(&self, group: GroupId, id: ProposalId, body: &str) -> Result<(), NodeError> {
        self.change(group, |replica| replica.edit_idea(id, body, now()))
    }

    /// Types into an idea's title or text.
    ///
    /// # Errors
    /// See [`Replica::splice_idea`].
    pub fn splice_idea(
        &self,
        group: GroupId,
        id: ProposalId,
        field: TextField,
        heads: &[ChangeId],
        splices: &[Splice],
    ) -> Result<TextNow, NodeError> {
        self.change(group, |replica| {
            replica.splice_idea(id, field, heads, splices, now())
        })
    }

    /// Gives an idea another title.
    ///
    /// # Errors
    /// See [`Replica::set_title`].
    pub fn set_title(&self, group: GroupId, id: ProposalId, title: &str) -> Result<(), NodeError> {
        self.change(group, |replica| replica.set_title(id, title, now()))
    }

    /// Says what an idea would cost.
    ///
    /// # Errors
    /// See [`Replica::set_cost`].
    pub fn set_cost(&self, group: GroupId, id: ProposalId, cost: Option<Cost>) -> Result<(), NodeError> {
        self.change(group, |replica| replica.set_cost(id, cost, now()))
    }

    /// Says where an idea is.
    ///
    /// # Errors
    /// See [`Replica::set_place`].
    pub fn set_place(&self, group: GroupId, id: ProposalId, place: Option<Place>) -> Result<(), NodeError> {
        self.change(group, |replica| replica.set_place(id, place, now()))
    }

    /// Comments on an idea.
    ///
    /// # Errors
    /// See [`Replica::comment`].
    pub fn comment(&self, group: GroupId, about: ProposalId, text: &str) -> Result<CommentId, NodeError> {
        self.change(group, |replica| {
            replica.comment(about, text, now(), &mut SystemRandom)
        })
    }

    /// Opens a poll.
    ///
    /// # Errors
    /// See [`Replica::open_poll`].
    pub fn open_poll(
        &self,
        group: GroupId,
        idea: ProposalId,
        method: Method,
        options: Vec<String>,
    ) -> Result<PollId, NodeError> {
        self.change(group, |replica| replica.open_poll(idea, method, options, now()))
    }

    /// Casts a ballot.
    ///
    /// # Errors
    /// See [`Replica::cast`].
    pub fn cast(&self, group: GroupId, poll: PollId, answers: &[String]) -> Result<(), NodeError> {
        self.hint_poll(group, poll)?;
        self.change(group, |replica| replica.cast(poll, answers, now()))
    }

    /// Closes a poll.
    ///
    /// # Errors
    /// See [`Replica::close_poll`].
    pub fn close_poll(&self, group: GroupId, poll: PollId) -> Result<(), NodeError> {
        self.hint_poll(group, poll)?;
        self.change(group, |replica| replica.close_poll(poll, now()))
    }

    /// Puts a task on a board.
    ///
    /// # Errors
    /// See [`Replica::add_task`].
    pub fn add_task(
        &self,
        group: GroupId,
        idea: Option<ProposalId>,
        draft: &TaskDraft,
    ) -> Result<TaskId, NodeError> {
        self.change(group, |replica| {
            replica.add_task(idea, draft, now(), &mut SystemRandom)
        })
    }

    /// Says how far a task is.
    ///
    /// # Errors
    /// Where there is no such task, or the store fails.
    pub fn set_task_state(&self, group: GroupId, task: TaskId, state: TaskState) -> Result<(), NodeError> {
        let idea = self.board_of(group, task)?;
        self.change(group, |replica| replica.set_task_state(idea, task, state, now()))
    }

    /// Takes a task: this person does it, and is at it.
    ///
    /// # Errors
    /// As all commands; where there is no such task.
    pub fn take_task(&self, group: GroupId, task: TaskId) -> Result<(), NodeError> {
        let idea = self.board_of(group, task)?;
        self.change(group, |replica| replica.take_task(idea, task, now()))
    }

    /// Says under which name this person wants to be known in a group.
    ///
    /// # Errors
    /// See [`Replica::set_profile_name`].
    pub fn set_profile_name(&self, group: GroupId, name: &str) -> Result<(), NodeError> {
        self.change(group, |replica| replica.set_profile_name(name, now()))
    }

    pub(super) fn change<T>(
        &self,
        group: GroupId,
        action: impl FnOnce(&mut Replica<GroupStore>) -> Result<T, ActionError>,
    ) -> Result<T, NodeError> {
        let value = self.with_group(group, |replica| {
            // Whoever has gone is not to read what is written now.
            replica.rekey_if_due(&mut SystemRandom)?;
            action(replica).map_err(NodeError::from)
        })?;
        self.tell(group);
        Ok(value)
    }

    /// The idea on whose board a task stands. That never changes, so a view that is behind will do where it knows the task.
    fn board_of(&self, group: GroupId, task: TaskId) -> Result<Option<ProposalId>, NodeError> {
        let known = self.with_group(group, |replica| {
            Ok::<_, NodeError>(replica.storage().board_of(task)?)
        })?;
        known.map_or_else(|| Ok(self.task(group, task)?.idea), Ok)
    }

    fn hint_poll(&self, group: GroupId, poll: PollId) -> Result<(), NodeError> {
        self.with_group(group, |replica| {
            // Who opened it never changes: asked once.
            if !replica.remembers_poll(poll) {
                return replica.with_fresh_views(|replica| {
                    let rows = replica.storage().poll_rows()?;
                    if let Some(row) = rows.into_iter().find(|row| row.id == poll) {
                        replica.remember_poll(row.id, row.opener);
                    }
                    Ok(())
                });
            }
            Ok(())
        })
    }
}

//! What only reads: lists come from the views, one thing at a time from its document.

use std::collections::BTreeMap;

use crate::domain::charter::Role;
use crate::domain::id::{DeviceId, GroupId, JournalId, PersonId, PollId, ProposalId, TaskId, Timestamp};
use crate::domain::proposal::Proposal;
use crate::host::store::{CommentRow, GroupStore, IdeaRow, PollRow, SearchHit, TaskRow};
use crate::replica::actions::{ActionError, PollOutcome, PollView};
use crate::replica::document::vote::BallotReading;
use crate::replica::frontier::Frontier;
use crate::replica::hold::Replica;

use super::{Node, NodeError};

/// A group in the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GroupCard {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// How many people are in it.
    pub people: usize,
}

/// A person in the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PersonCard {
    /// Their id.
    pub id: PersonId,
    /// The name they want to be known under.
    pub name: Option<String>,
    /// Their role.
    pub role: Role,
    /// Whether they count in majorities of persons.
    pub voice: bool,
    /// How many devices they have.
    pub devices: usize,
    /// Is it the person of this profile?
    pub me: bool,
}

/// The page of one idea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdeaPage {
    /// The idea.
    pub idea: Proposal,
    /// Who wrote it down, and when.
    pub row: Option<IdeaRow>,
    /// What people say.
    pub comments: Vec<CommentRow>,
    /// The votes about it.
    pub polls: Vec<PollRow>,
    /// Its tasks.
    pub tasks: Vec<TaskRow>,
}

/// What another person's device has of this one's writing, by its own word.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PeerStatus {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: Option<String>,
    /// Which of their devices.
    pub device: DeviceId,
    /// Does it have everything that this device wrote?
    pub has_all_of_mine: bool,
    /// When it said so; none: it never did.
    pub as_of: Option<Timestamp>,
}

/// How a group stands on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which group.
    pub group: GroupId,
    /// The fingerprint of the admitted entries and every document's heads.
    pub digest: [u8; 32],
    /// How many entries are held.
    pub entries: u64,
    /// How many of them count once something else is here.
    pub waiting: u64,
    /// How many of them never count.
    pub quarantined: u64,
    /// How many entries of this person lie on a branch that does not count, because their profile was copied.
    pub set_aside: usize,
    /// Whether somebody uses a newer Kiez: update this one to see everything.
    pub needs_update: bool,
    /// The others' devices.
    pub peers: Vec<PeerStatus>,
}

impl Node {
    /// A group's name and size.
    ///
    /// # Errors
    /// Where there is no such group, or the store fails; so for all below.
    pub fn group_card(&self, group: GroupId) -> Result<GroupCard, NodeError> {
        self.fresh(group, |replica| {
            let (name, purpose) = replica.storage().described()?;
            Ok(GroupCard {
                id: group,
                name,
                purpose,
                people: replica.roster().persons().len(),
            })
        })
    }

    /// Who is in a group.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn people(&self, group: GroupId) -> Result<Vec<PersonCard>, NodeError> {
        let me = self.me().person;
        self.fresh(group, |replica| {
            let persons = replica.roster().persons();
            persons
                .into_iter()
                .map(|(id, person)| {
                    let devices: std::collections::BTreeSet<DeviceId> =
                        person.devices.values().map(|device| device.device).collect();
                    Ok(PersonCard {
                        id,
                        name: replica.storage().person_name(id)?,
                        role: person.role,
                        voice: person.has_voice,
                        devices: devices.len(),
                        me: id == me,
                    })
                })
                .collect()
        })
    }

    /// The names of those who were in a group and are not.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn former_names(&self, group: GroupId) -> Result<BTreeMap<PersonId, Option<String>>, NodeError> {
        self.fresh(group, |replica| {
            let former = replica.roster().former().into_keys();
            former
                .map(|person| Ok((person, replica.storage().person_name(person)?)))
                .collect()
        })
    }

    /// All ideas.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn ideas(&self, group: GroupId) -> Result<Vec<IdeaRow>, NodeError> {
        self.fresh(group, |replica| Ok(replica.storage().ideas()?))
    }

    /// One idea with all that belongs to it.
    ///
    /// # Errors
    /// See [`Node::group_card`]; where there is no such idea.
    pub fn idea(&self, group: GroupId, id: ProposalId) -> Result<IdeaPage, NodeError> {
        self.fresh(group, |replica| {
            let store = replica.storage();
            let row = store.ideas()?.into_iter().find(|row| row.id == id);
            let comments = store.comments(id)?;
            let polls = store
                .poll_rows()?
                .into_iter()
                .filter(|poll| poll.idea == id)
                .collect();
            let tasks = store
                .task_rows()?
                .into_iter()
                .filter(|task| task.idea == Some(id))
                .collect();
            Ok(IdeaPage {
                idea: replica.idea(id)?,
                row,
                comments,
                polls,
                tasks,
            })
        })
    }

    /// All polls.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn polls(&self, group: GroupId) -> Result<Vec<PollRow>, NodeError> {
        self.fresh(group, |replica| Ok(replica.storage().poll_rows()?))
    }

    /// One poll, how it stands, and what this person answered.
    ///
    /// # Errors
    /// See [`Node::group_card`]; where there is no such poll.
    pub fn poll(
        &self,
        group: GroupId,
        id: PollId,
    ) -> Result<(PollView, PollOutcome, BallotReading), NodeError> {
        let opener = self
            .polls(group)?
            .into_iter()
            .find(|row| row.id == id)
            .map(|row| row.opener);
        self.fresh(group, |replica| {
            if let Some(opener) = opener {
                replica.remember_poll(id, opener);
            }
            let view = replica.poll(id)?;
            let outcome = replica.poll_outcome(id)?;
            let own = replica.own_ballot(id).unwrap_or(BallotReading::None);
            Ok((view, outcome, own))
        })
    }

    /// All tasks.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn tasks(&self, group: GroupId) -> Result<Vec<TaskRow>, NodeError> {
        self.fresh(group, |replica| Ok(replica.storage().task_rows()?))
    }

    /// One task.
    ///
    /// # Errors
    /// See [`Node::group_card`]; where there is no such task.
    pub fn task(&self, group: GroupId, id: TaskId) -> Result<TaskRow, NodeError> {
        let found = self.tasks(group)?.into_iter().find(|task| task.id == id);
        found.ok_or_else(|| {
            ActionError::NotFound {
                what: "task",
                id: id.to_string(),
            }
            .into()
        })
    }

    /// Ideas, comments and tasks with these letters in them.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn search(&self, group: GroupId, text: &str) -> Result<Vec<SearchHit>, NodeError> {
        self.fresh(group, |replica| Ok(replica.storage().search(text)?))
    }

    /// How a group stands on this device.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn status(&self, group: GroupId) -> Result<Status, NodeError> {
        let peers = self.peer_statuses(group)?;
        let me = self.me().person;
        self.with_group(group, |replica| {
            let census = replica.census()?;
            Ok(Status {
                group,
                digest: replica.digest()?,
                entries: census.entries,
                waiting: census.waiting,
                quarantined: census.quarantined,
                set_aside: replica.set_aside(me).len(),
                needs_update: replica.roster().needs_update(),
                peers,
            })
        })
    }

    pub(super) fn peer_statuses(&self, group: GroupId) -> Result<Vec<PeerStatus>, NodeError> {
        let said = self.peers_of(group)?;
        let me = self.me().clone();
        self.fresh(group, |replica| {
            let mine = own_part(replica, me.device_id());
            let mut statuses = Vec::new();
            for (person, card) in replica.roster().persons() {
                let devices: BTreeMap<DeviceId, ()> =
                    card.devices.values().map(|device| (device.device, ())).collect();
                for device in devices.into_keys().filter(|device| *device != me.device_id()) {
                    let row = said.get(&device);
                    let has = |row: &crate::host::store::PeerRow| {
                        mine.iter()
                            .all(|(journal, head)| row.has.get(journal).is_some_and(|has| has.0 >= head.0))
                    };
                    statuses.push(PeerStatus {
                        person,
                        name: replica.storage().person_name(person)?,
                        device,
                        has_all_of_mine: row.is_some_and(has),
                        as_of: row.map(|row| row.at),
                    });
                }
            }
            Ok(statuses)
        })
    }

    /// Reads with views that are up to date, also on a full disk.
    pub(super) fn fresh<T>(
        &self,
        group: GroupId,
        read: impl FnOnce(&mut Replica<GroupStore>) -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        self.with_group(group, |replica| replica.with_fresh_views(read))
    }
}

/// How far the journals of this device reach.
fn own_part(replica: &Replica<GroupStore>, device: DeviceId) -> Frontier {
    let mine: Vec<JournalId> = replica
        .roster()
        .authors()
        .filter(|(_, author)| {
            replica
                .roster()
                .device(author.grant)
                .is_some_and(|d| d.device == device)
        })
        .map(|(journal, _)| journal)
        .collect();
    replica
        .frontier()
        .into_iter()
        .filter(|(journal, _)| mine.contains(journal))
        .collect()
}

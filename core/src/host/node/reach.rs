//! Who has seen what, and how far each idea is.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::document::DocumentId;
use crate::domain::id::{DeviceId, GroupId, PersonId, ProposalId, Timestamp};
use crate::domain::poll::PollState;
use crate::domain::stage::Stage;
use crate::domain::task::TaskState;

use super::queries::PeerStatus;
use super::{Node, NodeError};

/// What another person has of this device's writing, by the word of the best of their devices.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PersonReach {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: Option<String>,
    /// Their devices.
    pub devices: BTreeSet<DeviceId>,
    /// Does one of their devices have everything that this device wrote?
    pub has_all_of_mine: bool,
    /// When that device said so, or, where none has everything, when one last said anything; none: none ever did.
    pub as_of: Option<Timestamp>,
}

impl Node {
    /// What everybody else has of this device's writing: each person once.
    ///
    /// # Errors
    /// Where there is no such group, or the store fails; so for all below.
    pub fn reach(&self, group: GroupId) -> Result<Vec<PersonReach>, NodeError> {
        let me = self.me().person;
        let mut devices = self.peer_statuses(group)?;
        devices.retain(|device| device.person != me);
        Ok(by_person(devices))
    }

    /// Who has everything that is here of an idea's text. This person has; of the others those of whom one device said so.
    ///
    /// # Errors
    /// See [`Node::reach`]; where there is no such idea.
    pub fn who_has(&self, group: GroupId, id: ProposalId) -> Result<BTreeMap<PersonId, bool>, NodeError> {
        let said = self.peers_of(group)?;
        let me = self.me().person;
        self.with_group(group, |replica| {
            replica.idea(id)?;
            let reach = replica.storage().reach_of(DocumentId::Proposal(id))?;
            let persons = replica.roster().persons().into_iter();
            Ok(persons
                .map(|(person, card)| {
                    let rows = card
                        .devices
                        .values()
                        .filter_map(|device| said.get(&device.device));
                    let has = rows.map(|row| &row.has).any(|has| {
                        let mut all = reach.iter();
                        all.all(|(journal, number)| has.get(journal).is_some_and(|has| has.0 >= *number))
                    });
                    (person, has || person == me)
                })
                .collect())
        })
    }

    /// How far each idea is that has a vote or a task; all others are ideas.
    ///
    /// # Errors
    /// See [`Node::reach`].
    pub fn stages(&self, group: GroupId) -> Result<BTreeMap<ProposalId, Stage>, NodeError> {
        let mut ideas = self.fresh(group, |replica| {
            let mut ideas: BTreeMap<ProposalId, (Vec<PollState>, Vec<TaskState>)> = BTreeMap::new();
            for task in replica.storage().task_rows()? {
                if let Some(idea) = task.idea {
                    ideas.entry(idea).or_default().1.push(task.state);
                }
            }
            Ok(ideas)
        })?;
        for poll in self.poll_list(group)? {
            ideas.entry(poll.record.proposal).or_default().0.push(poll.state);
        }
        let stages = ideas.into_iter();
        Ok(stages
            .map(|(idea, (polls, tasks))| (idea, Stage::of(polls, tasks)))
            .collect())
    }
}

fn by_person(devices: Vec<PeerStatus>) -> Vec<PersonReach> {
    let mut best: BTreeMap<PersonId, PersonReach> = BTreeMap::new();
    for device in devices {
        let standing = best.entry(device.person).or_insert_with(|| PersonReach {
            person: device.person,
            name: device.name,
            devices: BTreeSet::new(),
            has_all_of_mine: false,
            as_of: None,
        });
        standing.devices.insert(device.device);
        let said = (device.has_all_of_mine, device.as_of);
        (standing.has_all_of_mine, standing.as_of) = said.max((standing.has_all_of_mine, standing.as_of));
    }
    best.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_what_the_best_of_their_devices_has() {
        let device = |person: u8, has_all_of_mine, as_of: Option<u64>| PeerStatus {
            person: PersonId([person; 32]),
            name: None,
            device: DeviceId([0; 32]),
            has_all_of_mine,
            as_of: as_of.map(Timestamp),
        };
        let devices = vec![
            device(1, false, Some(9)),
            device(1, true, Some(4)),
            device(1, true, Some(3)),
            device(2, false, None),
            device(2, false, Some(5)),
            device(3, false, None),
        ];
        let told: Vec<_> = by_person(devices)
            .into_iter()
            .map(|reach| (reach.has_all_of_mine, reach.as_of.map(|at| at.0)))
            .collect();
        assert_eq!(told, [(true, Some(4)), (false, Some(5)), (false, None)]);
    }
}

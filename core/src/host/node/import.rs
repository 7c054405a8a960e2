//! Files in and out: copies of a group on a stick, and participatory budgets as ideas.

use crate::domain::cost::Cost;
use crate::domain::id::{GroupId, ProposalId};
use crate::domain::pabulib::{self, PabulibError};
use crate::domain::proposal::Draft;
use crate::host::random::SystemRandom;
use crate::replica::actions::ActionError;
use crate::replica::bundle::{self, BundleError, Compression};
use crate::replica::frontier::Frontier;
use crate::replica::hold::ReplicaError;
use crate::replica::missing::BundlingError;
use crate::replica::receive::{CarrierFault, ReceiveError};

use super::{Node, NodeError, now};

/// Why a file could not be used. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no copy of a group, or a damaged one.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// What is in it does not fit together.
    #[error("this copy does not fit what is here: {0}; ask for a whole copy")]
    Carrier(#[from] CarrierFault),
    /// It is of no group of this profile.
    #[error("this copy belongs to none of your groups: join the group first, on a member's invitation")]
    NoGroup,
    /// It is no participatory budget, or a wrong one.
    #[error(transparent)]
    Pabulib(#[from] PabulibError),
}

/// What an import brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Into which group.
    pub group: GroupId,
    /// How many entries the file held.
    pub entries: usize,
    /// How many of them were new here.
    pub new: usize,
}

impl Node {
    /// A copy of everything in a group, for a stick.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn export(&self, group: GroupId) -> Result<Vec<u8>, NodeError> {
        self.with_group(group, |replica| {
            match replica.bundle(&Frontier::new(), Compression::Small) {
                Ok(bytes) => Ok(bytes),
                Err(BundlingError::Replica(error)) => Err(error.into()),
                Err(BundlingError::Bundle(error)) => Err(ImportError::from(error).into()),
            }
        })
    }

    /// Takes in a copy of a group that is in this profile.
    ///
    /// # Errors
    /// Where the file is none, is damaged, or is of no group here; nothing is stored then.
    pub fn import(&self, bytes: &[u8]) -> Result<Imported, NodeError> {
        for group in self.groups()? {
            let imported = self.with_group(group, |replica| {
                let fits = bundle::find_key(bytes, replica.keys().iter()).map_err(ImportError::from)?;
                if fits.is_none() {
                    return Ok::<_, NodeError>(None);
                }
                let read = bundle::read(bytes, replica.keys()).map_err(ImportError::from)?;
                let entries = read.entries.len();
                let received = replica
                    .receive(read.entries.into_iter().map(|e| (e.entry, e.payload)).collect())
                    .map_err(|error| match error {
                        ReceiveError::Carrier(fault) => NodeError::from(ImportError::from(fault)),
                        ReceiveError::Replica(error) => NodeError::from(error),
                    })?;
                Ok(Some(Imported {
                    group,
                    entries,
                    new: received.new,
                }))
            })?;
            if let Some(imported) = imported {
                self.tell(group);
                self.number_ideas(group);
                return Ok(imported);
            }
        }
        // A file that is no copy at all says so, even where there is no group yet.
        bundle::find_key(bytes, std::iter::empty()).map_err(ImportError::from)?;
        Err(ImportError::NoGroup.into())
    }

    /// Takes the projects of a participatory budget for ideas, each signed by this person. Where this device is a steward's
    /// they are numbered in the order in which they stand there.
    ///
    /// # Errors
    /// Where the text is no Pabulib file, or the store fails; nothing is stored then.
    pub fn import_pabulib(&self, group: GroupId, text: &str) -> Result<Vec<ProposalId>, NodeError> {
        let budget = pabulib::parse(text).map_err(ImportError::from)?;
        if self.with_group(group, |replica| {
            Ok::<_, NodeError>(replica.own_journal().is_none())
        })? {
            return Err(ReplicaError::NotWriting.into());
        }
        let drafts = budget.projects.into_iter().map(|project| Draft {
            title: project.name,
            body: String::new(),
            cost: Some(project.cost).filter(|cost: &Cost| cost.units() > 0),
            place: project.place,
            categories: project.categories,
            targets: project.targets,
        });
        self.change(group, |replica| {
            replica.at_once(|replica| {
                let added: Vec<ProposalId> = drafts
                    .map(|draft| replica.add_idea(&draft, now(), &mut SystemRandom))
                    .collect::<Result<_, ActionError>>()?;
                replica.number_new(&added, now())?;
                Ok(added)
            })
        })
    }
}

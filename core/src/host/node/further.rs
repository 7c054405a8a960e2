//! A further device of this person: what the first one gives it, and what the new one makes of it. The talk between the two is
//! `host::net`'s.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;

use crate::domain::control::Device;
use crate::domain::id::{DeviceId, GroupId};
use crate::host::keystore::{Cost, Home, Passphrase, RecoveryWords};
use crate::host::random::SystemRandom;
use crate::replica::bundle::Compression;
use crate::replica::frontier::Frontier;
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::join::{AdmitError, JoinError};
use crate::replica::keys::{BoxSecret, GroupKey, KeyBox};
use crate::replica::wire::JoinRefusal;

use super::{NewProfile, Node, NodeError};

/// Why a group was not brought to a further device.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FurtherError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Its device cannot be enrolled from here.
    #[error(transparent)]
    Refused(#[from] JoinRefusal),
    /// What came does not fit together.
    #[error(transparent)]
    Join(#[from] JoinError),
}

impl From<AdmitError> for FurtherError {
    fn from(error: AdmitError) -> Self {
        match error {
            AdmitError::Refused(refusal) => Self::Refused(refusal),
            AdmitError::Replica(error) => Self::Node(error.into()),
        }
    }
}

impl From<ReplicaError> for FurtherError {
    fn from(error: ReplicaError) -> Self {
        Self::Node(error.into())
    }
}

impl Node {
    /// Makes a profile of the same person, on the device that this is to be.
    pub(crate) fn create_further(
        home: &Home,
        passphrase: &Passphrase,
        name: &str,
        words: &RecoveryWords,
        (device, box_secret): (SigningKey, BoxSecret),
    ) -> Result<Self, NodeError> {
        let who = NewProfile {
            name,
            words,
            device,
            box_secret,
        };
        Self::create_filled(home, passphrase, Cost::STANDARD, &who, |_| Ok(()))
    }

    /// Enrols a further device of this person in a group, and gives what it needs: the keys, sealed for it, and everything
    /// there is.
    pub(crate) fn enrol_further(
        &self,
        group: GroupId,
        device: Device,
        person: &SigningKey,
    ) -> Result<(Vec<KeyBox>, Vec<u8>), FurtherError> {
        let given = self.with_group(group, |replica| {
            let admission = replica.enrol_further(device, person, &mut SystemRandom)?;
            let bundle = replica.bundle(&Frontier::new(), Compression::Fast);
            let bundle = bundle.map_err(|_| JoinRefusal::Unable)?;
            Ok::<_, FurtherError>((admission.boxes, bundle))
        })?;
        self.tell(group);
        Ok(given)
    }

    /// Takes in a group that another device of this person brought, and begins a journal in it.
    pub(crate) fn take_in_own(
        &self,
        group: GroupId,
        boxes: &[KeyBox],
        bundle: &[u8],
    ) -> Result<(), FurtherError> {
        let keys: Result<Vec<GroupKey>, _> = boxes
            .iter()
            .map(|sealed| self.box_secret().open(group, sealed))
            .collect();
        let keys = keys.map_err(JoinError::from)?;
        let mut replica = Replica::from_bundle(self.store().group(None), group, keys, bundle)?;
        // Cut off here, opening the group does it.
        replica.open_journal(self.me(), &mut SystemRandom)?;
        // What they know from their other device is no news.
        let seen = replica.storage().set_visit(super::now());
        seen.map_err(NodeError::from)?;
        self.adopt(replica);
        Ok(())
    }

    /// On how many devices this person is, as far as any of the groups knows; this one counts.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn own_devices(&self) -> Result<usize, NodeError> {
        let mut most = 1;
        for group in self.groups()? {
            let mut devices: BTreeSet<DeviceId> = self.my_devices(group)?.into_values().collect();
            devices.insert(self.me().device_id());
            most = most.max(devices.len());
        }
        Ok(most)
    }
}

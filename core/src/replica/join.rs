//! Coming in: the invitation as text, the joiner's request, the inviting device's answer.

use std::net::SocketAddr;

use ed25519_dalek::SigningKey;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::charter::Role;
use crate::domain::control::{Admit, ControlAct, Device, Enrol, Invite};
use crate::domain::id::{BoxKey, DeviceId, EntryId, GroupId, InviteKey, Timestamp};
use crate::domain::roster::NotOk;
use crate::planted::{Bug, is_on};

use super::bundle::{self, BundleError};
use super::codec::{decode, encode};
use super::control::{is_signed, join_bytes, sign};
use super::hold::{Me, Replica, ReplicaError};
use super::keys::{BoxError, BoxSecret, GroupKey, KeyBox, seal_box};
use super::limits::{ADDRESSES_MAX, INVITATION_BYTES_MAX};
use super::receive::ReceiveError;
use super::session::Channel;
use super::storage::{Storage, Write};
use super::wire::{JoinRefusal, JoinRequest};

const PREFIX: &str = "kiez1";

/// What an inviting member hands to a neighbour. It holds no group key: only the inviting device can let somebody in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Invitation {
    /// Which group.
    #[zeroize(skip)]
    pub group: GroupId,
    /// The `invite` entry.
    #[zeroize(skip)]
    pub invite: EntryId,
    /// The one-time secret.
    pub secret: [u8; 32],
    /// The inviting device.
    #[zeroize(skip)]
    pub inviter: DeviceId,
    /// What boxes for it are sealed to.
    #[zeroize(skip)]
    pub box_key: BoxKey,
    /// Where it was reachable.
    #[zeroize(skip)]
    pub addresses: Vec<SocketAddr>,
    /// A relay by which it is reachable.
    #[zeroize(skip)]
    pub relay: Option<String>,
    /// When it stops accepting.
    #[zeroize(skip)]
    pub expires: Timestamp,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invitation({:?})", self.invite)
    }
}

/// Why a text is no invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// It does not begin like one.
    #[error("this is not an invitation: an invitation begins with {PREFIX}")]
    NotAnInvitation,
    /// Its checksum does not fit.
    #[error("the invitation is incomplete or mistyped: copy it again, whole")]
    CutOff,
    /// Newer software made it.
    #[error("this invitation was made by a newer Kiez: update this one")]
    Newer,
}

impl Invitation {
    /// As text to copy: letters and digits only.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut bytes = encode(self);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        let letters = data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase();
        bytes.zeroize();
        format!("{PREFIX}{letters}")
    }

    /// Reads it back, whatever spaces, line breaks and capitals got into it on the way.
    ///
    /// # Errors
    /// Where it is none, or was cut off or mistyped.
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let text: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .to_lowercase();
        let Some(letters) = text.strip_prefix(PREFIX) else {
            let newer = text
                .strip_prefix("kiez")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            return Err(if newer {
                InvitationError::Newer
            } else {
                InvitationError::NotAnInvitation
            });
        };
        if letters.len() > INVITATION_BYTES_MAX {
            return Err(InvitationError::CutOff);
        }
        let bytes = data_encoding::BASE32_NOPAD
            .decode(letters.to_uppercase().as_bytes())
            .map_err(|_| InvitationError::CutOff)?;
        let (body, sum) = bytes
            .len()
            .checked_sub(4)
            .and_then(|split| bytes.split_at_checked(split))
            .ok_or(InvitationError::CutOff)?;
        if checksum(body) != sum {
            return Err(InvitationError::CutOff);
        }
        let invitation: Self = decode(body).map_err(|_| InvitationError::CutOff)?;
        if invitation.addresses.len() > ADDRESSES_MAX {
            return Err(InvitationError::CutOff);
        }
        Ok(invitation)
    }

    /// The request of this device to be admitted, good for this one session.
    #[must_use]
    pub fn request(&self, me: &Me, person: &SigningKey, channel: &Channel) -> JoinRequest {
        let secret = SigningKey::from_bytes(&self.secret);
        let invite_key = InviteKey(secret.verifying_key().to_bytes());
        let joiner = me.named();
        let message = join_bytes(self.group, self.invite, invite_key, &joiner, &channel.exporter);
        let admit = Admit {
            invite: self.invite,
            invite_key,
            joiner,
            exporter: channel.exporter,
            invite_signature: sign(&secret, &message),
            person_signature: sign(person, &message),
        };
        JoinRequest {
            group: self.group,
            admit,
        }
    }
}

fn checksum(body: &[u8]) -> [u8; 4] {
    let hash = blake3::derive_key("kiez 1 invitation", body);
    let mut sum = [0; 4];
    for (to, from) in sum.iter_mut().zip(hash) {
        *to = from;
    }
    sum
}

/// The short code that both screens show while somebody joins: six digits of this very session.
#[must_use]
pub fn short_code(group: GroupId, channel: &Channel) -> String {
    let hash = blake3::derive_key("kiez 1 short code", &encode(&(group, channel.exporter)));
    let number = hash
        .iter()
        .take(8)
        .fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
    let digits = number % 1_000_000;
    format!("{:03} {:03}", digits / 1000, digits % 1000)
}

/// The inviting device's yes.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The `admit` entry.
    pub grant: EntryId,
    /// The group keys for the joiner.
    pub boxes: Vec<KeyBox>,
}

/// What the inviting device answers a request that is in order.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Yes.
    Admitted(Admission),
    /// They are a member already: this device of theirs is to be enrolled.
    Member(Known),
}

impl Answer {
    /// The yes, where it is one.
    #[must_use]
    pub fn admission(self) -> Option<Admission> {
        match self {
            Self::Admitted(admission) => Some(admission),
            Self::Member(_) => None,
        }
    }
}

/// A member who asked to join with a further device. Only [`Replica::admit`] makes one: their request was in order.
#[derive(Debug, Clone)]
pub struct Known {
    joiner: Device,
    membership: EntryId,
}

impl Known {
    /// The membership in which the device is to be enrolled.
    #[must_use]
    pub const fn membership(&self) -> EntryId {
        self.membership
    }
}

/// Why nobody was admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The joiner is told.
    #[error(transparent)]
    Refused(#[from] JoinRefusal),
    /// Our own trouble.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// Why joining failed.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The boxes do not open.
    #[error(transparent)]
    Box(#[from] BoxError),
    /// The group's entries cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// They do not fit together.
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    /// The storage, or no grant for this device in what came.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// What came is another group than the invitation's.
    #[error("the inviting device sent another group than the invitation names")]
    OtherGroup,
}

impl<S: Storage> Replica<S> {
    /// Writes an `invite` and gives the invitation for it.
    ///
    /// # Errors
    /// Where the charter does not allow it, or the storage fails.
    pub fn invite(
        &mut self,
        me: &Me,
        role: Role,
        expires: Timestamp,
        addresses: Vec<SocketAddr>,
        rng: &mut impl CryptoRng,
    ) -> Result<Invitation, ReplicaError> {
        let secret = SigningKey::generate(rng);
        let key = InviteKey(secret.verifying_key().to_bytes());
        let invite = self.write_act(ControlAct::Invite(Invite { key, role, expires }))?;
        Ok(Invitation {
            group: self.group(),
            invite,
            secret: secret.to_bytes(),
            inviter: me.device_id(),
            box_key: me.box_key,
            addresses: addresses.into_iter().take(ADDRESSES_MAX).collect(),
            relay: None,
            expires,
        })
    }

    /// Answers a joiner's request: admits, and boxes the group keys. The same joiner asking again gets the same answer. A
    /// member who asks with a device that is not theirs yet is asked for its enrolment.
    ///
    /// # Errors
    /// A refusal for the joiner, or our own trouble.
    pub fn admit(
        &mut self,
        request: &JoinRequest,
        channel: &Channel,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, AdmitError> {
        let admit = &request.admit;
        let expires = self.invite_behind(request, channel)?;
        let opened = |grant| self.roster().unopened_grant(&admit.joiner) != Some(grant);
        let used = self
            .roster()
            .admitted_by(admit.invite)
            .map(|(grant, earlier)| (grant, earlier.joiner));
        let grant = match used {
            // Whoever has gone since is given no keys for having come in on it once.
            Some((grant, joiner))
                if joiner == admit.joiner
                    && (self.roster().is_enrolled(grant) || is_on(Bug::InvitationForever)) =>
            {
                // They came in, and took the group off their device since: it is enrolled again.
                if self.roster().is_enrolled(grant) && opened(grant) {
                    return self.known(admit.joiner).map(Answer::Member);
                }
                grant
            }
            Some(_) => return Err(JoinRefusal::Used.into()),
            None if now > expires => return Err(JoinRefusal::Expired.into()),
            None => match self.write_act(ControlAct::Admit(admit.clone())) {
                Ok(grant) => grant,
                Err(ReplicaError::NotAllowed(NotOk::AlreadyAMember)) => {
                    // Granted before, by whoever it was, and the answer was lost.
                    match self.roster().unopened_grant(&admit.joiner) {
                        Some(grant) => grant,
                        None => return self.known(admit.joiner).map(Answer::Member),
                    }
                }
                Err(error) => return Err(error.into()),
            },
        };
        self.admission(grant, admit.joiner.box_key, rng)
            .map(Answer::Admitted)
    }

    /// Writes the enrolment that a member signed who asked to join with a further device, and boxes the group keys.
    ///
    /// # Errors
    /// A refusal for the joiner, or our own trouble.
    pub fn enrol(
        &mut self,
        known: &Known,
        enrol: Enrol,
        rng: &mut impl CryptoRng,
    ) -> Result<Admission, AdmitError> {
        if enrol.enrolled != known.joiner || enrol.membership != known.membership {
            return Err(JoinRefusal::Invalid.into());
        }
        // Asked for more than once at a time, it is written once.
        if let Some(grant) = self.roster().unopened_grant(&known.joiner) {
            return self.admission(grant, known.joiner.box_key, rng);
        }
        let grant = match self.write_act(ControlAct::Enrol(enrol)) {
            Ok(grant) => grant,
            Err(ReplicaError::NotAllowed(_) | ReplicaError::OwnWorkRefused(_)) => {
                return Err(JoinRefusal::Invalid.into());
            }
            Err(error) => return Err(error.into()),
        };
        self.admission(grant, known.joiner.box_key, rng)
    }

    /// When the invitation expires that this request comes with. It is one of this device, and of the device on the other
    /// end of this very channel.
    fn invite_behind(&self, request: &JoinRequest, channel: &Channel) -> Result<Timestamp, JoinRefusal> {
        let admit = &request.admit;
        let own = self.own_journal().ok_or(JoinRefusal::Unable)?;
        let (journal, invite) = self.roster().invite(admit.invite).ok_or(JoinRefusal::Unknown)?;
        if request.group != self.group() || journal != own {
            return Err(JoinRefusal::Unknown);
        }
        if !is_signed(self.group(), admit)
            || invite.key != admit.invite_key
            || admit.exporter != channel.exporter
            || admit.joiner.device != channel.peer
        {
            return Err(JoinRefusal::Invalid);
        }
        Ok(invite.expires)
    }

    fn known(&self, joiner: Device) -> Result<Known, AdmitError> {
        let membership = self.roster().membership(joiner.person);
        let membership = membership.ok_or(JoinRefusal::AlreadyAMember)?;
        Ok(Known { joiner, membership })
    }

    fn admission(
        &self,
        grant: EntryId,
        box_key: BoxKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Admission, AdmitError> {
        let boxes: Result<Vec<KeyBox>, BoxError> = self
            .keys()
            .iter()
            // The oldest first: whoever takes them in knows which came last.
            .rev()
            .map(|key| seal_box(self.group(), key, box_key, rng))
            .collect();
        Ok(Admission {
            grant,
            boxes: boxes.map_err(|_| JoinRefusal::Invalid)?,
        })
    }

    /// Begins a group in an empty storage from what the inviting device sent, and opens this device's journal.
    ///
    /// # Errors
    /// Where what came does not open or does not fit together; nothing is stored then.
    pub fn join(
        storage: S,
        invitation: &Invitation,
        me: &Me,
        box_secret: &BoxSecret,
        boxes: &[KeyBox],
        bundle: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, JoinError> {
        let keys: Result<Vec<GroupKey>, BoxError> = boxes
            .iter()
            .map(|sealed| box_secret.open(invitation.group, sealed))
            .collect();
        let mut replica = Self::from_bundle(storage, invitation.group, keys?, bundle)?;
        replica.open_journal(me, rng)?;
        Ok(replica)
    }

    /// Begins a group in an empty storage from its keys and a bundle of everything. It can be read, not written yet.
    /// All of it is one commit: a group of which only the keys were stored could neither be used nor joined again.
    ///
    /// # Errors
    /// See [`Replica::join`].
    pub fn from_bundle(
        storage: S,
        group: GroupId,
        keys: Vec<GroupKey>,
        bytes: &[u8],
    ) -> Result<Self, JoinError> {
        let mut replica = Self::empty(storage, group);
        for key in &keys {
            replica.keys.insert(key.clone());
        }
        let read = bundle::read(bytes, &replica.keys)?;
        if read.group != group {
            return Err(JoinError::OtherGroup);
        }
        let entries = read.entries.into_iter().map(|e| (e.entry, e.payload)).collect();
        replica.receive_first(keys.into_iter().map(Write::Key).collect(), entries)?;
        Ok(replica)
    }
}

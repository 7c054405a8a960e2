//! Coming in: the invitation as text, the joiner's request, the inviting device's answer.

use std::net::SocketAddr;

use ed25519_dalek::SigningKey;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::charter::Role;
use crate::domain::control::{Admit, ControlAct, Device, Enrol, Invite};
use crate::domain::id::{BoxKey, DeviceId, EntryId, GroupId, InviteKey, PersonId, Timestamp};
use crate::domain::roster::NotOk;
use crate::planted::{Bug, Guard, is_off, is_on};

use super::bundle::{self, BundleError};
use super::codec::{decode, encode};
use super::control::{is_signed, join_bytes, sign, sign_enrolment};
use super::hold::{Me, Replica, ReplicaError};
use super::keys::{BoxError, BoxSecret, GroupKey, KeyBox, seal_box};
use super::letters::{LettersFault, from_letters, six_digits, tidied, to_letters};
use super::limits::{ADDRESSES_MAX, INVITATION_BYTES_MAX};
use super::own_device;
use super::receive::ReceiveError;
use super::session::Channel;
use super::storage::{Storage, Write};
use super::wire::{JoinRefusal, JoinRequest};

const PREFIX: &str = "kiez1";
const CHECKSUM: &str = "kiez 1 invitation";

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
    /// It is for a further computer of one person.
    #[error("this is not an invitation: it makes this computer a further one of yours (`kiez device join`)")]
    OwnDevice,
}

impl Invitation {
    /// As text to copy: letters and digits only.
    #[must_use]
    pub fn to_text(&self) -> String {
        to_letters(PREFIX, CHECKSUM, encode(self))
    }

    /// Reads it back, whatever spaces, line breaks and capitals got into it on the way.
    ///
    /// # Errors
    /// Where it is none, or was cut off or mistyped.
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let text = tidied(text);
        let body =
            from_letters(PREFIX, CHECKSUM, INVITATION_BYTES_MAX, &text).map_err(|fault| match fault {
                LettersFault::OtherPrefix if is_newer(&text) => InvitationError::Newer,
                LettersFault::OtherPrefix if text.starts_with(own_device::PREFIX) => {
                    InvitationError::OwnDevice
                }
                LettersFault::OtherPrefix => InvitationError::NotAnInvitation,
                LettersFault::CutOff => InvitationError::CutOff,
            })?;
        let invitation: Self = decode(&body).map_err(|_| InvitationError::CutOff)?;
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

fn is_newer(text: &str) -> bool {
    text.strip_prefix("kiez")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The short code that both screens show while somebody joins: six digits of this very session.
#[must_use]
pub fn short_code(group: GroupId, channel: &Channel) -> String {
    six_digits(&blake3::derive_key(
        "kiez 1 short code",
        &encode(&(group, channel.exporter)),
    ))
}

/// The digits by which members know whom they vouch for: the same on the joiner's screen and on theirs.
#[must_use]
pub fn asking_code(group: GroupId, invite: EntryId, person: PersonId) -> String {
    let hash = blake3::derive_key("kiez 1 asking code", &encode(&(group, invite, person)));
    six_digits(&hash)
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
        self.rekey_if_due(rng)?;
        let used = self
            .roster()
            .admitted_by(admit.invite)
            .map(|(grant, earlier)| (grant, earlier.joiner));
        let grant = match used {
            Some((grant, joiner)) if joiner == admit.joiner => {
                let is_in = self.roster().is_enrolled(grant);
                // Who has gone since then would get the keys that were made because they went.
                if !is_in && !is_off(Guard::Readmission) && !is_on(Bug::InvitationForever) {
                    return Err(JoinRefusal::Used.into());
                }
                // They came in, and took the group off their device since: it is enrolled again.
                if is_in && self.roster().unopened_grant(&admit.joiner) != Some(grant) {
                    return self.known(admit.joiner).map(Answer::Member);
                }
                grant
            }
            Some(_) if !is_off(Guard::InvitationOnce) => return Err(JoinRefusal::Used.into()),
            None if now > expires && !is_off(Guard::InvitationExpiry) => {
                return Err(JoinRefusal::Expired.into());
            }
            _ => match self.write_act(ControlAct::Admit(admit.clone())) {
                Ok(grant) => grant,
                Err(ReplicaError::NotAllowed(NotOk::AlreadyAMember)) => {
                    // Granted before, by whoever it was, and the answer was lost.
                    match self.roster().unopened_grant(&admit.joiner) {
                        Some(grant) => grant,
                        None => return self.known(admit.joiner).map(Answer::Member),
                    }
                }
                Err(ReplicaError::NotAllowed(NotOk::VouchersMissing)) => {
                    self.ask_for_vouchers(admit.invite, admit.joiner.person)?;
                    return Err(JoinRefusal::Vouchers.into());
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
        self.rekey_if_due(rng)?;
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

    /// Enrols a further device of this person, and boxes the group keys for it. No invitation is needed for that, so it does
    /// not matter whom the charter lets invite.
    ///
    /// # Errors
    /// A refusal for that device, or our own trouble.
    pub fn enrol_further(
        &mut self,
        device: Device,
        person: &SigningKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Admission, AdmitError> {
        let known = self.known(device)?;
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let enrol = sign_enrolment(self.group(), known.membership, device, nonce, person);
        self.enrol(&known, enrol, rng)
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
            || (invite.key != admit.invite_key && !is_off(Guard::InvitationKey))
            || (admit.exporter != channel.exporter && !is_off(Guard::JoinExporter))
            || (admit.joiner.device != channel.peer && !is_off(Guard::JoinDevice))
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

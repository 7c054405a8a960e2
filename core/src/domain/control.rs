//! Acts about the group itself: who is in it, with which devices. The other kinds of DESIGN section 6 (confirm, role,
//! remove, retire, leave, revoke, amend, hide, erase, rekey, keys) take their place here when they come.

use std::collections::BTreeSet;

use super::charter::{Charter, Role};
use super::id::{
    BoxKey, DeviceId, EntryId, EntryNumber, InviteKey, JournalId, PersonId, Signature, Timestamp,
};

/// A person's device as a grant names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Device {
    /// Whose it is.
    pub person: PersonId,
    /// Its endpoint key.
    pub device: DeviceId,
    /// What boxes for it are sealed to.
    pub box_key: BoxKey,
}

/// `found`: the founding entry. Its author is the first steward.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// The founder and the device that founds.
    pub founder: Device,
    /// The rules.
    pub charter: Charter,
    /// The person key over journal, group key, device and charter.
    pub person_signature: Signature,
}

/// `open`: the first entry of every journal but the founding one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Open {
    /// The `found`, `admit` or `enrol` entry that lets it begin; named in `seen`, too.
    pub grant: EntryId,
    /// The device of that grant.
    pub device: DeviceId,
    /// The endpoint key over group, grant and journal.
    pub device_signature: Signature,
}

/// `invite`: somebody may be admitted by this device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Invite {
    /// The public half of the one-time secret in the invitation.
    pub key: InviteKey,
    /// The role that is offered.
    pub role: Role,
    /// When the inviting device stops accepting it. Its own clock decides, and only whether it accepts.
    pub expires: Timestamp,
}

/// `admit`: the holder of an invitation is in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Admit {
    /// The `invite` entry, of the same journal.
    pub invite: EntryId,
    /// The public half of the invitation's secret.
    pub invite_key: InviteKey,
    /// Who comes in, with which device.
    pub joiner: Device,
    /// The TLS exporter of the session in which they asked: the request is good for that session only.
    pub exporter: [u8; 32],
    /// The invitation's secret over the request.
    pub invite_signature: Signature,
    /// The person key over the request.
    pub person_signature: Signature,
}

/// `enrol`: a further device of a member.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Enrol {
    /// The `found` or `admit` entry of the membership it belongs to: it falls with it.
    pub membership: EntryId,
    /// Whose device, and which.
    pub enrolled: Device,
    /// A number drawn for this enrolment, so that the same device can be enrolled again.
    pub nonce: [u8; 16],
    /// The person key over all of it.
    pub person_signature: Signature,
}

/// One control act whose own signatures have been verified when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlAct {
    /// See [`Found`].
    Found(Found),
    /// See [`Open`].
    Open(Open),
    /// See [`Invite`].
    Invite(Invite),
    /// See [`Admit`].
    Admit(Admit),
    /// See [`Enrol`].
    Enrol(Enrol),
    /// An entry that does not count: its journal ended before it, or it lies on a branch that lost. It stands here because
    /// others may have it in their past.
    Void,
    /// A kind or version this software does not know: ask for an update, never guess (R8).
    Unknown {
        /// The kind's number.
        kind: u16,
    },
}

impl ControlAct {
    /// The device that it grants something: a membership, or a place in one.
    #[must_use]
    pub const fn device(&self) -> Option<Device> {
        match self {
            Self::Found(found) => Some(found.founder),
            Self::Admit(admit) => Some(admit.joiner),
            Self::Enrol(enrol) => Some(enrol.enrolled),
            Self::Open(_) | Self::Invite(_) | Self::Void | Self::Unknown { .. } => None,
        }
    }
}

/// A control entry as the roster judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlEntry {
    /// Its id.
    pub id: EntryId,
    /// Who wrote it.
    pub journal: JournalId,
    /// Its place in that journal.
    pub number: EntryNumber,
    /// All control entries named in `seen` by this entry or by entries of the journal since its last control entry.
    pub seen: BTreeSet<EntryId>,
    /// What it does.
    pub act: ControlAct,
}

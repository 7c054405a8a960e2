//! Acts about the group itself: who is in it, with which devices, under which rules and keys.
//!
//! Three kinds (DESIGN section 6). **Own** acts are a person's alone: [`Enrol`], [`Retire`], [`Leave`], [`Withdraw`],
//! [`Erase`].
//! **Additive** ones are whose the charter allows: [`Invite`], [`Ask`], [`Vouch`], [`Admit`]. **Council** acts are proposed by a
//! [`Motion`] and signed by [`Sign`]; they take effect with the last signature they need. [`Rekey`] and [`Keys`] carry the
//! group's keys and change nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::charter::{Amendment, Charter, Role};
use super::document::DocumentId;
use super::id::{
    BoxKey, CommentId, DeviceId, EntryId, EntryNumber, InviteKey, JournalId, KeyId, PersonId, ProposalId,
    SealedKey, Signature, Timestamp,
};

/// Up to where journals count: for each the last entry that does. A journal that is not named counts for nothing.
pub type Cut = BTreeMap<JournalId, (EntryNumber, EntryId)>;

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

/// `ask`: somebody has come with an invitation and waits for members who vouch for them. By the inviting journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ask {
    /// The `invite` entry.
    pub invite: EntryId,
    /// Who has come. What they are called, members say aloud when they compare the digits.
    pub person: PersonId,
}

/// `vouch`: a member has met the person who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vouch {
    /// The `ask` entry.
    pub ask: EntryId,
}

/// What the council decides. The order is the wire format's, and complete: an act that comes later gets a kind of motion of its
/// own, so that software which does not know it asks for an update instead of ending its author's journal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CouncilAct {
    /// A member gets voice: they count in majorities of persons.
    Confirm {
        /// The `found` or `admit` entry of their membership.
        membership: EntryId,
    },
    /// A member gets a role besides the one they came with.
    Promote {
        /// Their membership.
        membership: EntryId,
        /// The role.
        role: Role,
    },
    /// A role ends; what the person had besides stays.
    Demote {
        /// The entry that granted the role: a `found`, an `admit` or the motion that promoted.
        tenure: EntryId,
    },
    /// A membership ends, with its roles and devices.
    Remove {
        /// The `found` or `admit` entry.
        membership: EntryId,
    },
    /// An invitation ends.
    Revoke {
        /// The `invite` entry.
        invite: EntryId,
    },
    /// A rule of the charter changes.
    Amend(Amendment),
    /// Something is hidden, or shown again.
    Hide {
        /// What.
        target: Target,
        /// Which of both.
        shown: Shown,
    },
    /// What was in a shared document goes. A kind of motion of its own on the wire.
    Erase(Erasure),
}

/// What can be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// An idea.
    Idea(ProposalId),
    /// A comment.
    Comment {
        /// In whose document it stands.
        author: PersonId,
        /// Which.
        comment: CommentId,
    },
}

/// Whether something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// Only to who asks for it.
    Hidden,
    /// To everybody.
    Visible,
}

/// What goes of a document. A new generation of it begins; what is left of the one before stands in the entry that follows
/// this act in its journal, so that it can be erased in turn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Erasure {
    /// Which document.
    pub document: DocumentId,
    /// The entries whose payload goes. Only those that are about this document do.
    pub entries: BTreeSet<EntryId>,
    /// Who began the document, and when by their clock.
    pub origin: Option<(JournalId, Timestamp)>,
}

/// `erase`: what a person has written in their own document goes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Erase {
    /// What goes.
    pub erasure: Erasure,
    /// When, by the author's clock.
    pub at: Timestamp,
    /// The person key over all of it and this place in this journal: a laptop in a thief's hands cannot erase.
    pub person_signature: Signature,
}

/// `motion`: a council act is proposed. The author's signature counts like any other.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Motion {
    /// What is proposed.
    pub act: CouncilAct,
    /// Why. For people.
    pub reason: String,
    /// For an act that ends something: what the author holds of the journals it is about.
    pub cut: Cut,
    /// When, by the author's clock.
    pub at: Timestamp,
}

/// `sign`: a signature under a motion. Signing again seals what others signed apart.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sign {
    /// The `motion` entry.
    pub motion: EntryId,
    /// As [`Motion::cut`], as far as the signer holds more. The furthest of all counted signatures counts.
    pub cut: Cut,
}

/// `retire`: a device of the author's person is lost or not used any more.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Retire {
    /// The `found`, `admit` or `enrol` entry that named it.
    pub enrolment: EntryId,
    /// How far its journals count.
    pub cut: Cut,
}

/// `leave`: the author's person goes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Leave {
    /// Their membership.
    pub membership: EntryId,
    /// How far the journals of all their devices count; the one it is written in counts up to it.
    pub cut: Cut,
}

/// `withdraw`: an invitation is taken back by who made it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Withdraw {
    /// The `invite` entry.
    pub invite: EntryId,
    /// How far the journal of the invitation counts for it.
    pub cut: Cut,
}

/// A group key, sealed for one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BoxedKey {
    /// The entry that named the device: a `found`, `admit` or `enrol`.
    pub enrolment: EntryId,
    /// Which key.
    pub key: KeyId,
    /// The encapsulated key.
    pub encapsulated: [u8; 32],
    /// The sealed key.
    pub sealed: SealedKey,
}

/// `rekey`: a new group key, for every living device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rekey {
    /// The key.
    pub key: KeyId,
    /// The key for each device.
    pub boxes: Vec<BoxedKey>,
}

/// `keys`: keys for devices that lack them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Keys {
    /// Each for one device.
    pub boxes: Vec<BoxedKey>,
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
    /// See [`Ask`].
    Ask(Ask),
    /// See [`Vouch`].
    Vouch(Vouch),
    /// See [`Motion`].
    Motion(Motion),
    /// See [`Sign`].
    Sign(Sign),
    /// See [`Retire`].
    Retire(Retire),
    /// See [`Leave`].
    Leave(Leave),
    /// See [`Withdraw`].
    Withdraw(Withdraw),
    /// See [`Erase`].
    Erase(Erase),
    /// See [`Rekey`].
    Rekey(Rekey),
    /// See [`Keys`].
    Keys(Keys),
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
            Self::Open(_)
            | Self::Invite(_)
            | Self::Ask(_)
            | Self::Vouch(_)
            | Self::Motion(_)
            | Self::Sign(_)
            | Self::Retire(_)
            | Self::Leave(_)
            | Self::Withdraw(_)
            | Self::Erase(_)
            | Self::Rekey(_)
            | Self::Keys(_)
            | Self::Void
            | Self::Unknown { .. } => None,
        }
    }

    /// What it would erase.
    #[must_use]
    pub const fn erasure(&self) -> Option<&Erasure> {
        if let Self::Erase(erase) = self {
            return Some(&erase.erasure);
        }
        if let Self::Motion(motion) = self
            && let CouncilAct::Erase(erasure) = &motion.act
        {
            return Some(erasure);
        }
        None
    }

    /// The boxes in it.
    #[must_use]
    pub fn boxes(&self) -> &[BoxedKey] {
        if let Self::Rekey(rekey) = self {
            &rekey.boxes
        } else if let Self::Keys(keys) = self {
            &keys.boxes
        } else {
            &[]
        }
    }

    /// The key that it makes.
    #[must_use]
    pub const fn made_key(&self) -> Option<KeyId> {
        if let Self::Rekey(rekey) = self {
            Some(rekey.key)
        } else {
            None
        }
    }

    /// The cut that it names.
    #[must_use]
    pub const fn cut(&self) -> Option<&Cut> {
        match self {
            Self::Motion(motion) => Some(&motion.cut),
            Self::Sign(sign) => Some(&sign.cut),
            Self::Retire(retire) => Some(&retire.cut),
            Self::Leave(leave) => Some(&leave.cut),
            Self::Withdraw(withdraw) => Some(&withdraw.cut),
            Self::Found(_)
            | Self::Open(_)
            | Self::Invite(_)
            | Self::Admit(_)
            | Self::Enrol(_)
            | Self::Ask(_)
            | Self::Vouch(_)
            | Self::Erase(_)
            | Self::Rekey(_)
            | Self::Keys(_)
            | Self::Void
            | Self::Unknown { .. } => None,
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

//! What is said in a session: frames, and entries without what the other side can compute.
//!
//! A frame on the wire is its length (four bytes, little-endian, at most [`FRAME_BYTES_MAX`]) and its canonical postcard
//! bytes. The order of the variants is the wire format's; only append. The bytes are laid down in `docs/format.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::control::{Admit, Enrol};
use crate::domain::id::{EntryId, EntryNumber, GroupId, JournalId, KeyId, Signature};

use super::codec::{Blob, DecodeError, decode, encode};
use super::entry::{Entry, EntryError, EntryKind, Header, SEAL_BYTES};
use super::frontier::Holdings;
use super::keys::KeyBox;
use super::limits::{BUNDLE_BYTES_MAX, ENTRIES_PER_FRAME_MAX, FRAME_BYTES_MAX, JOURNALS_MAX, PROOFS};

/// The version of the session protocol.
pub const PROTOCOL_VERSION: u16 = 1;

/// One message of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// First from both sides: proofs of membership.
    Hello {
        /// [`PROTOCOL_VERSION`].
        version: u16,
        /// One tag for each group key held, padded with random ones.
        proofs: Box<[[u8; 32]; PROOFS]>,
    },
    /// Who speaks: the journal, and its signature over this very session.
    Identify {
        /// The journal.
        journal: JournalId,
        /// Over group, exporter, role and journal.
        signature: Signature,
    },
    /// The digest of the speaker's frontier.
    Digest([u8; 32]),
    /// What the speaker holds.
    Frontier(Holdings),
    /// Entries the other side lacks.
    Entries(EntriesFrame),
    /// A piece of a bundle of entries the other side lacks.
    BundlePart {
        /// How long the bundle is.
        total: u64,
        /// The next piece.
        bytes: Blob,
    },
    /// So far these journals are stored durably now; and all branches.
    Stored(Holdings),
    /// Please publish this enrolment: a device that may not write in its old journal any more asks for a fresh start.
    PublishEnrolment(Box<Enrol>),
    /// The speaker ends the session, and why.
    Goodbye(Goodbye),
    /// A joiner asks to be admitted. The act is complete but for being written.
    JoinRequest(Box<JoinRequest>),
    /// The inviting device has admitted: the boxes with the group keys; a bundle follows.
    Admitted {
        /// The `admit` entry.
        grant: EntryId,
        /// The group keys, sealed for the joiner's device.
        boxes: Vec<KeyBox>,
    },
    /// The inviting device does not admit, and why.
    NotAdmitted(JoinRefusal),
    /// The joiner is a member already: they are asked for an enrolment of this device in that membership, as
    /// [`Frame::PublishEnrolment`].
    Member {
        /// The `found` or `admit` entry of the membership.
        membership: EntryId,
    },
}

/// A joiner's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// Which group.
    pub group: GroupId,
    /// The act that the inviting device is asked to write.
    pub admit: Admit,
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
pub enum Goodbye {
    /// The speaker is done.
    #[error("the other side is done")]
    Done,
    /// No group in common.
    #[error("the other device is not in this group")]
    NoCommonGroup,
    /// Another protocol.
    #[error("the other device speaks another version of Kiez: one of both needs an update")]
    Version,
    /// What was sent broke the protocol.
    #[error("the other device said that what was sent makes no sense")]
    Fault,
    /// The speaker could not store what was sent.
    #[error("the other device could not store what was sent: its disk may be full")]
    NotStored,
    /// The signature over the session is wrong.
    #[error("the other device could not show who it is")]
    Unidentified,
}

/// Why somebody is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
pub enum JoinRefusal {
    /// Past its time.
    #[error("the invitation has expired: ask for a new one")]
    Expired,
    /// Somebody joined with it.
    #[error("the invitation was used already: ask for a new one")]
    Used,
    /// Not one of this device.
    #[error("the other device does not know this invitation: ask for a new one")]
    Unknown,
    /// Wrong signatures.
    #[error("the request does not fit the invitation: ask for a new one")]
    Invalid,
    /// They are in the group.
    #[error("you are in this group already")]
    AlreadyAMember,
    /// The inviting device cannot write now.
    #[error("the other device cannot admit anybody at the moment: try again later, or ask somebody else")]
    Unable,
    /// The charter asks for members who have met the joiner; they have been asked.
    #[error(
        "somebody in the group has to say that they have met you: show them the digits, then join again with the same invitation"
    )]
    Vouchers,
}

/// Entries without what follows from their order: each journal's entries stand in their order, and its last one here is
/// the one that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EntriesFrame {
    /// The keys that the entries name by number.
    pub keys: Vec<KeyId>,
    /// Each journal in here: which, the number and `prev` of its first entry, and the signature of its last.
    pub journals: Vec<JournalPart>,
    /// The entries, in an order in which `prev` and `seen` come first.
    pub entries: Vec<WireEntry>,
}

/// A journal's share of an [`EntriesFrame`]. A forked journal has one for each branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalPart {
    /// Which.
    pub journal: JournalId,
    /// The number of its first entry here.
    pub first: EntryNumber,
    /// What that entry follows.
    pub prev: EntryId,
    /// The signature of its last entry here.
    pub signature: Signature,
    /// Whether the first entry here is the founding one: it names no group.
    pub founding: bool,
}

/// An entry of an [`EntriesFrame`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    /// Its journal, by its place in the frame's list.
    pub journal: u32,
    /// [`EntryKind`] as a number.
    pub kind: u8,
    /// Its key, by its place in the frame's list.
    pub key: u16,
    /// See [`Header::seen`].
    pub seen: Vec<EntryId>,
    /// See [`Entry::nonce`].
    pub nonce: [u8; 24],
    /// See [`Entry::sealed`].
    pub sealed: Blob,
}

impl Frame {
    /// Its bytes, without the length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a frame, and holds it to the limits.
    ///
    /// # Errors
    /// Where the bytes are not canonical or go beyond a limit. Never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        let frame: Self = decode(bytes)?;
        let within = match &frame {
            Self::Frontier(held) | Self::Stored(held) => {
                held.heads.len() <= JOURNALS_MAX && held.branches.len() <= JOURNALS_MAX
            }
            Self::Entries(entries) => {
                entries.entries.len() <= ENTRIES_PER_FRAME_MAX && entries.journals.len() <= JOURNALS_MAX
            }
            Self::BundlePart { total, .. } => {
                usize::try_from(*total).is_ok_and(|total| total <= BUNDLE_BYTES_MAX)
            }
            Self::Admitted { boxes, .. } => boxes.len() <= JOURNALS_MAX,
            Self::Hello { .. }
            | Self::Identify { .. }
            | Self::Digest(_)
            | Self::PublishEnrolment(_)
            | Self::Goodbye(_)
            | Self::JoinRequest(_)
            | Self::NotAdmitted(_)
            | Self::Member { .. } => true,
        };
        if within {
            Ok(frame)
        } else {
            Err(FrameError::TooMany)
        }
    }
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Beyond [`FRAME_BYTES_MAX`].
    #[error("a message longer than allowed")]
    TooLong,
    /// More things in it than allowed.
    #[error("a message with more in it than allowed")]
    TooMany,
    /// Not of the expected shape.
    #[error(transparent)]
    Shape(#[from] DecodeError),
}

impl EntriesFrame {
    /// Packs entries that all have their payload. Each journal's entries must be without gaps, and its last one signed; where it forked, so for each
    /// branch, which is a part of its own from where it leaves another one.
    #[must_use]
    pub fn pack(entries: &[Entry]) -> Option<Self> {
        let mut frame = Self::default();
        // For each branch what it has come to, by its last entry so far.
        let mut tips: BTreeMap<(JournalId, EntryId), usize> = BTreeMap::new();
        let mut signatures: Vec<Option<Signature>> = Vec::new();
        let mut keys: BTreeMap<KeyId, u16> = BTreeMap::new();
        for entry in entries {
            let header = &entry.header;
            let next_key = u16::try_from(keys.len()).ok()?;
            let key = *keys.entry(header.key).or_insert_with(|| {
                frame.keys.push(header.key);
                next_key
            });
            let place = tips.remove(&(header.journal, header.prev)).unwrap_or_else(|| {
                frame.journals.push(JournalPart {
                    journal: header.journal,
                    first: header.number,
                    prev: header.prev,
                    signature: Signature([0; 64]),
                    founding: header.group == GroupId::ZERO,
                });
                signatures.push(None);
                signatures.len().saturating_sub(1)
            });
            *signatures.get_mut(place)? = entry.signature;
            tips.insert((header.journal, entry.id), place);
            frame.entries.push(WireEntry {
                journal: u32::try_from(place).ok()?,
                kind: header.kind as u8,
                key,
                seen: header.seen.clone(),
                nonce: entry.nonce,
                sealed: Blob(entry.sealed.held()?.to_vec()),
            });
        }
        for (part, signature) in frame.journals.iter_mut().zip(signatures) {
            part.signature = signature?;
        }
        Some(frame)
    }

    /// Puts the entries together again; each journal's last one gets its signature.
    ///
    /// # Errors
    /// The carrier's fault: a key or journal that is not listed, or a header that contradicts itself.
    pub fn unpack(self, group: GroupId) -> Result<Vec<Entry>, EntryError> {
        let mut next: Vec<(EntryNumber, EntryId)> =
            self.journals.iter().map(|part| (part.first, part.prev)).collect();
        let mut last: Vec<Option<usize>> = vec![None; self.journals.len()];
        let mut entries: Vec<Entry> = Vec::new();
        for wire in self.entries {
            let place = usize::try_from(wire.journal).map_err(|_| EntryError::Header)?;
            let part = self.journals.get(place).ok_or(EntryError::Header)?;
            let slot = next.get_mut(place).ok_or(EntryError::Header)?;
            let founding = part.founding && slot.0 == part.first;
            let plain = wire
                .sealed
                .0
                .len()
                .checked_sub(SEAL_BYTES)
                .ok_or(EntryError::Length)?;
            let header = Header {
                group: if founding { GroupId::ZERO } else { group },
                journal: part.journal,
                number: slot.0,
                prev: slot.1,
                seen: wire.seen,
                kind: EntryKind::from_number(wire.kind)?,
                key: *self.keys.get(usize::from(wire.key)).ok_or(EntryError::Header)?,
                payload_bytes: u32::try_from(plain).map_err(|_| EntryError::Length)?,
            };
            let entry = Entry::assemble(header, wire.nonce, wire.sealed.0, None)?;
            *slot = (slot.0.next(), entry.id);
            if let Some(last) = last.get_mut(place) {
                *last = Some(entries.len());
            }
            entries.push(entry);
        }
        for (part, last) in self.journals.iter().zip(last) {
            let entry = last
                .and_then(|last| entries.get_mut(last))
                .ok_or(EntryError::Header)?;
            entry.signature = Some(part.signature);
        }
        Ok(entries)
    }
}

//! Control acts as bytes, and the signatures inside them. What is read from here has been verified.
//!
//! A payload is the kind's number (two bytes, little-endian) and the act. A number that is not in the table below is not an
//! error: it is an act of newer software (R8). Zero is never a kind.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signer, SigningKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::charter::{Charter, Counters, Inviters};
use crate::domain::control::{
    Admit, ControlAct, ControlEntry, CouncilAct, Device, Enrol, Erasure, Found, Motion,
};
use crate::domain::id::{EntryId, EntryNumber, GroupId, InviteKey, JournalId, KeyId, Signature, Timestamp};
use crate::domain::poll::Share;
use crate::planted::{Guard, is_off};

use super::codec::{decode, encode};
use super::entry::{Entry, Header, verify};
use super::limits::{CUT_JOURNALS_MAX, ERASED_ENTRIES_MAX, REASON_BYTES_MAX};

const FOUND: u16 = 1;
const OPEN: u16 = 2;
const INVITE: u16 = 3;
const ADMIT: u16 = 4;
const ENROL: u16 = 5;
const MOTION: u16 = 6;
const SIGN: u16 = 7;
const RETIRE: u16 = 8;
const LEAVE: u16 = 9;
const WITHDRAW: u16 = 10;
const ASK: u16 = 11;
const VOUCH: u16 = 12;
const REKEY: u16 = 13;
const KEYS: u16 = 14;
/// `found` with a charter that the first version cannot express. What it can is written in it, so that older software
/// reads it.
const FOUND_2: u16 = 15;
const ERASE: u16 = 16;
/// `motion` to erase: a kind of its own, so that older software asks for an update.
const MOTION_ERASE: u16 = 17;

/// A motion to erase, as it is written.
#[derive(Serialize, Deserialize)]
struct MotionErase {
    erasure: Erasure,
    reason: String,
    at: Timestamp,
}

/// A charter as the first version knew it.
#[derive(Serialize, Deserialize)]
struct Charter1 {
    inviters: Inviters,
    counters: Counters,
    quorum: Share,
}

/// `found` of the first version.
#[derive(Serialize, Deserialize)]
struct Found1 {
    founder: Device,
    charter: Charter1,
    person_signature: Signature,
}

impl Charter1 {
    /// None where the charter says more.
    fn of(charter: &Charter) -> Option<Self> {
        let expressible =
            charter.vouchers == 0 && charter.fund.is_none() && matches!(charter.counters, Counters::Opener);
        expressible.then_some(Self {
            inviters: charter.inviters,
            counters: charter.counters,
            quorum: charter.quorum,
        })
    }

    fn charter(self) -> Charter {
        Charter {
            inviters: self.inviters,
            counters: self.counters,
            quorum: self.quorum,
            ..Charter::circle()
        }
    }
}

/// Why a payload is no control act. The author's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// Not of the shape its kind has.
    #[error("a control act of the wrong shape")]
    Shape,
    /// `found` outside of a group's founding entry.
    #[error("a group can be founded only once")]
    SecondFounding,
    /// A signature inside it is wrong.
    #[error("a control act with a wrong signature inside")]
    Signature,
}

/// The payload of an act.
#[must_use]
pub fn act_to_bytes(act: &ControlAct) -> Vec<u8> {
    match act {
        ControlAct::Found(found) => match Charter1::of(&found.charter) {
            Some(charter) => numbered(
                FOUND,
                &Found1 {
                    founder: found.founder,
                    charter,
                    person_signature: found.person_signature,
                },
            ),
            None => numbered(FOUND_2, found),
        },
        ControlAct::Open(open) => numbered(OPEN, open),
        ControlAct::Invite(invite) => numbered(INVITE, invite),
        ControlAct::Admit(admit) => numbered(ADMIT, admit),
        ControlAct::Enrol(enrol) => numbered(ENROL, enrol),
        ControlAct::Motion(motion) => match &motion.act {
            CouncilAct::Erase(erasure) => numbered(
                MOTION_ERASE,
                &MotionErase {
                    erasure: erasure.clone(),
                    reason: motion.reason.clone(),
                    at: motion.at,
                },
            ),
            CouncilAct::Confirm { .. }
            | CouncilAct::Promote { .. }
            | CouncilAct::Demote { .. }
            | CouncilAct::Remove { .. }
            | CouncilAct::Revoke { .. }
            | CouncilAct::Amend(_)
            | CouncilAct::Hide { .. } => numbered(MOTION, motion),
        },
        ControlAct::Sign(sign) => numbered(SIGN, sign),
        ControlAct::Retire(retire) => numbered(RETIRE, retire),
        ControlAct::Leave(leave) => numbered(LEAVE, leave),
        ControlAct::Withdraw(withdraw) => numbered(WITHDRAW, withdraw),
        ControlAct::Erase(erase) => numbered(ERASE, erase),
        ControlAct::Ask(ask) => numbered(ASK, ask),
        ControlAct::Vouch(vouch) => numbered(VOUCH, vouch),
        ControlAct::Rekey(rekey) => numbered(REKEY, rekey),
        ControlAct::Keys(keys) => numbered(KEYS, keys),
        ControlAct::Void => Vec::new(),
        ControlAct::Unknown { kind } => kind.to_le_bytes().to_vec(),
    }
}

/// Reads an act and verifies the signatures inside it; `group` and `header` are those of the entry it stands in.
///
/// # Errors
/// The author's fault, where shape or signature are wrong.
pub fn act_from_bytes(group: GroupId, header: &Header, payload: &[u8]) -> Result<ControlAct, ActError> {
    let act = act_from_own_store(payload)?;
    // Else a member could found the group again, and who happened to meet that entry first would believe it.
    let second = matches!(act, ControlAct::Found(_)) && header.group != GroupId::ZERO;
    if second && !is_off(Guard::FoundedOnce) {
        return Err(ActError::SecondFounding);
    }
    if holds(group, header, &act) {
        Ok(act)
    } else {
        Err(ActError::Signature)
    }
}

/// Reads an act that [`act_from_bytes`] has read before this device stored it: the signatures inside are not verified again.
///
/// # Errors
/// Where the shape is wrong.
pub(super) fn act_from_own_store(payload: &[u8]) -> Result<ControlAct, ActError> {
    let (kind, body) = payload.split_at_checked(2).ok_or(ActError::Shape)?;
    let kind: [u8; 2] = kind.try_into().map_err(|_| ActError::Shape)?;
    let act = match u16::from_le_bytes(kind) {
        0 => return Err(ActError::Shape),
        FOUND => {
            let found: Found1 = read(body)?;
            // What the first version cannot have said is not said in it.
            if !matches!(found.charter.counters, Counters::Opener) {
                return Err(ActError::Shape);
            }
            ControlAct::Found(Found {
                founder: found.founder,
                charter: found.charter.charter(),
                person_signature: found.person_signature,
            })
        }
        FOUND_2 => {
            let found: Found = read(body)?;
            if Charter1::of(&found.charter).is_some() {
                return Err(ActError::Shape);
            }
            ControlAct::Found(found)
        }
        OPEN => ControlAct::Open(read(body)?),
        INVITE => ControlAct::Invite(read(body)?),
        ADMIT => ControlAct::Admit(read(body)?),
        ENROL => ControlAct::Enrol(read(body)?),
        MOTION => ControlAct::Motion(read_motion(body)?),
        SIGN => ControlAct::Sign(read(body)?),
        RETIRE => ControlAct::Retire(read(body)?),
        LEAVE => ControlAct::Leave(read(body)?),
        WITHDRAW => ControlAct::Withdraw(read(body)?),
        ERASE => ControlAct::Erase(read(body)?),
        MOTION_ERASE => {
            let motion: MotionErase = read(body)?;
            ControlAct::Motion(Motion {
                act: CouncilAct::Erase(motion.erasure),
                reason: motion.reason,
                cut: BTreeMap::new(),
                at: motion.at,
            })
        }
        ASK => ControlAct::Ask(read(body)?),
        VOUCH => ControlAct::Vouch(read(body)?),
        REKEY => ControlAct::Rekey(read(body)?),
        KEYS => ControlAct::Keys(read(body)?),
        kind => ControlAct::Unknown { kind },
    };
    if fits(&act) { Ok(act) } else { Err(ActError::Shape) }
}

/// Is everything in it as long as it may be?
fn fits(act: &ControlAct) -> bool {
    if let ControlAct::Motion(motion) = act {
        let amended = if let CouncilAct::Amend(amendment) = &motion.act {
            amendment.is_valid()
        } else {
            true
        };
        if !amended || motion.reason.len() > REASON_BYTES_MAX {
            return false;
        }
    }
    if act
        .erasure()
        .is_some_and(|erasure| erasure.entries.len() > ERASED_ENTRIES_MAX)
    {
        return false;
    }
    act.cut().is_none_or(|cut| cut.len() <= CUT_JOURNALS_MAX)
}

impl Entry {
    /// As the roster judges it. `seen`: what it and the entries since its journal's last control entry named.
    pub(super) fn as_control(&self, seen: BTreeSet<EntryId>, act: ControlAct) -> ControlEntry {
        ControlEntry {
            id: self.id,
            journal: self.header.journal,
            number: self.header.number,
            seen,
            act,
        }
    }
}

/// Do the signatures inside an act hold?
fn holds(group: GroupId, header: &Header, act: &ControlAct) -> bool {
    match act {
        ControlAct::Found(found) => {
            let message = found_bytes(header.journal, header.key, &found.founder, &found.charter);
            verify(&found.founder.person.0, &message, &found.person_signature)
        }
        ControlAct::Open(open) => {
            let message = open_bytes(group, open.grant, header.journal);
            is_off(Guard::DeviceSignature) || verify(&open.device.0, &message, &open.device_signature)
        }
        ControlAct::Admit(admit) => is_signed(group, admit),
        ControlAct::Enrol(enrol) => {
            let message = enrol_bytes(group, enrol.membership, &enrol.enrolled, &enrol.nonce);
            is_off(Guard::EnrolSignature)
                || verify(&enrol.enrolled.person.0, &message, &enrol.person_signature)
        }
        ControlAct::Erase(erase) => {
            let person = erase.erasure.document.owner();
            let message = erase_bytes(group, header.journal, header.number, &erase.erasure, erase.at);
            is_off(Guard::EraseSignature)
                || person.is_some_and(|person| verify(&person.0, &message, &erase.person_signature))
        }
        ControlAct::Invite(_)
        | ControlAct::Ask(_)
        | ControlAct::Vouch(_)
        | ControlAct::Motion(_)
        | ControlAct::Sign(_)
        | ControlAct::Retire(_)
        | ControlAct::Leave(_)
        | ControlAct::Withdraw(_)
        | ControlAct::Rekey(_)
        | ControlAct::Keys(_)
        | ControlAct::Void
        | ControlAct::Unknown { .. } => true,
    }
}

/// Are the invitation's secret and the person key behind this request?
#[must_use]
pub fn is_signed(group: GroupId, admit: &Admit) -> bool {
    let message = join_bytes(
        group,
        admit.invite,
        admit.invite_key,
        &admit.joiner,
        &admit.exporter,
    );
    let signed = verify(&admit.invite_key.0, &message, &admit.invite_signature)
        && verify(&admit.joiner.person.0, &message, &admit.person_signature);
    signed || is_off(Guard::JoinSignatures)
}

/// What the person key signs to found a group: all that its founding entry says, so that one signature founds one group.
#[must_use]
pub fn found_bytes(journal: JournalId, key: KeyId, founder: &Device, charter: &Charter) -> Vec<u8> {
    match Charter1::of(charter) {
        Some(charter) => encode(&("kiez 1 found", journal, key, founder, charter)),
        None => encode(&("kiez 2 found", journal, key, founder, charter)),
    }
}

/// What the endpoint key signs to open a journal.
#[must_use]
pub fn open_bytes(group: GroupId, grant: EntryId, journal: JournalId) -> Vec<u8> {
    encode(&("kiez 1 open", group, grant, journal))
}

/// What the invitation's secret and the person key sign to join.
#[must_use]
pub fn join_bytes(
    group: GroupId,
    invite: EntryId,
    invite_key: InviteKey,
    joiner: &Device,
    exporter: &[u8; 32],
) -> Vec<u8> {
    encode(&("kiez 1 join", group, invite, invite_key, joiner, exporter))
}

/// What the person key signs to enrol a further device.
#[must_use]
pub fn enrol_bytes(group: GroupId, membership: EntryId, enrolled: &Device, nonce: &[u8; 16]) -> Vec<u8> {
    encode(&("kiez 1 enrol", group, membership, enrolled, nonce))
}

/// What the person key signs to erase: bound to one place in one journal, so that it is good for once.
#[must_use]
pub fn erase_bytes(
    group: GroupId,
    journal: JournalId,
    number: EntryNumber,
    erasure: &Erasure,
    at: Timestamp,
) -> Vec<u8> {
    encode(&("kiez 1 erase", group, journal, number, erasure, at))
}

/// An `enrol` of a device in a membership of its person, signed by that person.
#[must_use]
pub fn sign_enrolment(
    group: GroupId,
    membership: EntryId,
    enrolled: Device,
    nonce: [u8; 16],
    person: &SigningKey,
) -> Enrol {
    let message = enrol_bytes(group, membership, &enrolled, &nonce);
    Enrol {
        membership,
        enrolled,
        nonce,
        person_signature: sign(person, &message),
    }
}

/// Signs one of the above.
#[must_use]
pub fn sign(key: &SigningKey, message: &[u8]) -> Signature {
    Signature(key.sign(message).to_bytes())
}

fn numbered<T: Serialize>(kind: u16, act: &T) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend(encode(act));
    bytes
}

/// What older software takes for the author's fault is one here, too.
fn read_motion(body: &[u8]) -> Result<Motion, ActError> {
    let motion: Motion = read(body)?;
    if matches!(motion.act, CouncilAct::Erase(_)) {
        Err(ActError::Shape)
    } else {
        Ok(motion)
    }
}

fn read<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<T, ActError> {
    decode(body).map_err(|_| ActError::Shape)
}

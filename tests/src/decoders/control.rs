//! Control acts: as they come, and with the signatures inside made anew, so that what is behind them is reached.

use kiez_core::domain::charter::Charter;
use kiez_core::domain::control::{Admit, ControlAct, Enrol, Erase, Found, Open};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{DeviceId, EntryId, EntryNumber, GroupId, InviteKey, JournalId, PersonId};
use kiez_core::replica::codec::{decode, encode};
use kiez_core::replica::control::{
    ActError, act_from_bytes, act_to_bytes, enrol_bytes, erase_bytes, found_bytes, join_bytes, open_bytes,
    sign,
};
use kiez_core::replica::entry::{EntryKind, Header};
use kiez_core::replica::limits::ERASED_ENTRIES_MAX;

use super::input::Input;
use super::world::{group_key, held, signing};

/// Any act: kinds that come later, too, are read by the same function and written by the same one.
pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let flags = input.byte();
    let header = Header {
        group: if flags & 1 == 0 {
            held().group
        } else {
            GroupId::ZERO
        },
        journal: JournalId(signing(1).verifying_key().to_bytes()),
        number: EntryNumber(if flags & 1 == 0 { 2 } else { 1 }),
        prev: if flags & 1 == 0 {
            EntryId([1; 32])
        } else {
            EntryId::ZERO
        },
        seen: vec![],
        kind: EntryKind::Control,
        key: group_key().id(),
        payload_bytes: u32::try_from(input.0.len()).unwrap_or(0),
    };
    judged(&header, input.0);
    if let Some(signed) = signed_anew(&header, input.0) {
        let read = act_from_bytes(held().group, &header, &signed);
        assert!(
            matches!(read, Ok(_) | Err(ActError::SecondFounding)),
            "what is signed is read"
        );
        judged(&header, &signed);
    }
}

fn judged(header: &Header, payload: &[u8]) {
    let Ok(act) = act_from_bytes(held().group, header, payload) else {
        return;
    };
    // Of an act of newer software only the kind is read.
    if !matches!(act, ControlAct::Unknown { .. }) {
        assert!(act_to_bytes(&act) == payload, "an act is written as it was read");
    }
}

/// The same act with keys and signatures of ours; none where it is of another kind or shape.
fn signed_anew(header: &Header, payload: &[u8]) -> Option<Vec<u8>> {
    let (kind, body) = payload.split_first_chunk::<2>()?;
    let group = held().group;
    let (person, device, secret) = (signing(4), signing(5), signing(6));
    let person_id = PersonId(person.verifying_key().to_bytes());
    let act = match u16::from_le_bytes(*kind) {
        1 | 15 => {
            let mut found = found_in(*kind, body)?;
            found.founder.person = person_id;
            let message = found_bytes(header.journal, header.key, &found.founder, &found.charter);
            found.person_signature = sign(&person, &message);
            // Which of both kinds it is, the charter says.
            return Some(act_to_bytes(&ControlAct::Found(found)));
        }
        2 => {
            let mut open: Open = decode(body).ok()?;
            open.device = DeviceId(device.verifying_key().to_bytes());
            open.device_signature = sign(&device, &open_bytes(group, open.grant, header.journal));
            encode(&open)
        }
        4 => {
            let mut admit: Admit = decode(body).ok()?;
            admit.joiner.person = person_id;
            admit.invite_key = InviteKey(secret.verifying_key().to_bytes());
            let joiner = &admit.joiner;
            let message = join_bytes(group, admit.invite, admit.invite_key, joiner, &admit.exporter);
            admit.invite_signature = sign(&secret, &message);
            admit.person_signature = sign(&person, &message);
            encode(&admit)
        }
        5 => {
            let mut enrol: Enrol = decode(body).ok()?;
            enrol.enrolled.person = person_id;
            let message = enrol_bytes(group, enrol.membership, &enrol.enrolled, &enrol.nonce);
            enrol.person_signature = sign(&person, &message);
            encode(&enrol)
        }
        16 => {
            let mut erase: Erase = decode(body).ok()?;
            if erase.erasure.entries.len() > ERASED_ENTRIES_MAX {
                return None;
            }
            erase.erasure.document = DocumentId::Own(person_id);
            let (journal, number) = (header.journal, header.number);
            let message = erase_bytes(group, journal, number, &erase.erasure, erase.at);
            erase.person_signature = sign(&person, &message);
            encode(&erase)
        }
        _ => return None,
    };
    Some([kind.to_vec(), act].concat())
}

/// A `found` of either kind; none where the charter could be none.
fn found_in(kind: [u8; 2], body: &[u8]) -> Option<Found> {
    let found = if u16::from_le_bytes(kind) == 1 {
        let (founder, (inviters, counters, quorum), person_signature) = decode(body).ok()?;
        Found {
            founder,
            charter: Charter {
                inviters,
                counters,
                quorum,
                ..Charter::circle()
            },
            person_signature,
        }
    } else {
        decode(body).ok()?
    };
    Some(found)
}

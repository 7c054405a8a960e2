//! Control acts for tests, without the signatures that are checked before the roster sees them.

use super::super::*;
use crate::domain::charter::Charter;
use crate::domain::control::{
    Admit, Ask, Cut, Enrol, Erase, Erasure, Found, Invite, Keys, Leave, Open, Retire, Sign, Vouch, Withdraw,
};
use crate::domain::document::DocumentId;
use crate::domain::id::{BoxKey, DeviceId, InviteKey, ProposalId, Signature, Timestamp};

pub(super) const NONE: Signature = Signature([0; 64]);

pub(super) fn device(person: u8, device: u8) -> Device {
    Device {
        person: PersonId([person; 32]),
        device: DeviceId([device; 32]),
        box_key: BoxKey([device; 32]),
    }
}

pub(super) fn found(person: u8, charter: Charter) -> ControlAct {
    ControlAct::Found(Found {
        founder: device(person, 1),
        charter,
        person_signature: NONE,
    })
}

pub(super) fn open(grant: EntryId, device: u8) -> ControlAct {
    ControlAct::Open(Open {
        grant,
        device: DeviceId([device; 32]),
        device_signature: NONE,
    })
}

pub(super) fn invite(key: u8, role: Role) -> ControlAct {
    ControlAct::Invite(Invite {
        key: InviteKey([key; 32]),
        role,
        expires: Timestamp(0),
    })
}

pub(super) fn admit(invite: EntryId, key: InviteKey, person: u8, named: u8) -> ControlAct {
    ControlAct::Admit(Admit {
        invite,
        invite_key: key,
        joiner: device(person, named),
        exporter: [0; 32],
        invite_signature: NONE,
        person_signature: NONE,
    })
}

pub(super) fn enrol(membership: EntryId, person: u8, named: u8) -> ControlAct {
    ControlAct::Enrol(Enrol {
        membership,
        enrolled: device(person, named),
        nonce: [0; 16],
        person_signature: NONE,
    })
}

pub(super) fn ask(invite: EntryId, person: u8) -> ControlAct {
    ControlAct::Ask(Ask {
        invite,
        person: PersonId([person; 32]),
    })
}

pub(super) fn vouch(ask: EntryId) -> ControlAct {
    ControlAct::Vouch(Vouch { ask })
}

pub(super) fn motion(act: CouncilAct, cut: Cut) -> ControlAct {
    ControlAct::Motion(Motion {
        act,
        reason: String::new(),
        cut,
        at: Timestamp(0),
    })
}

pub(super) fn sign(motion: EntryId, cut: Cut) -> ControlAct {
    ControlAct::Sign(Sign { motion, cut })
}

pub(super) fn retire(enrolment: EntryId, cut: Cut) -> ControlAct {
    ControlAct::Retire(Retire { enrolment, cut })
}

pub(super) fn leave(membership: EntryId, cut: Cut) -> ControlAct {
    ControlAct::Leave(Leave { membership, cut })
}

pub(super) fn withdraw(invite: EntryId, cut: Cut) -> ControlAct {
    ControlAct::Withdraw(Withdraw { invite, cut })
}

/// These entries go.
pub(super) fn erasure(document: DocumentId, entries: BTreeSet<EntryId>) -> Erasure {
    Erasure {
        document,
        entries,
        origin: None,
    }
}

pub(super) fn erase(erasure: Erasure) -> ControlAct {
    ControlAct::Erase(Erase {
        erasure,
        at: Timestamp(5),
        person_signature: NONE,
    })
}

pub(super) fn keys() -> ControlAct {
    ControlAct::Keys(Keys { boxes: Vec::new() })
}

pub(super) fn target(which: u8) -> Target {
    Target::Idea(ProposalId([which; 16]))
}

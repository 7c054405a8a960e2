//! R2 and R8: whether an act was allowed, judged in its own past.

use super::super::control::{Admit, ControlAct, ControlEntry, Enrol, Found, Invite, Open};
use super::super::id::EntryNumber;
use super::{NotOk, Roster};
use crate::planted::{Bug, is_on};

impl Roster {
    pub(super) fn judge(&self, entry: &ControlEntry, past: &[u64]) -> Result<(), NotOk> {
        match &entry.act {
            ControlAct::Void => Err(NotOk::Void),
            // Also where a journal begins with it: who may write there is not known before the update.
            ControlAct::Unknown { .. } => Err(NotOk::Unknown),
            ControlAct::Found(found) => self.judge_found(entry, found),
            ControlAct::Open(open) => self.judge_open(entry, open),
            _ if entry.number == EntryNumber::FIRST => Err(NotOk::OutOfPlace),
            ControlAct::Invite(invite) => self.judge_invite(entry, invite),
            ControlAct::Admit(admit) => self.judge_admit(entry, admit, past),
            ControlAct::Enrol(enrol) => self.judge_enrol(entry, enrol, past),
        }
    }

    fn judge_found(&self, entry: &ControlEntry, found: &Found) -> Result<(), NotOk> {
        let first = entry.number == EntryNumber::FIRST && entry.seen.is_empty() && self.founding.is_none();
        if first && found.charter.quorum.is_valid() {
            Ok(())
        } else {
            Err(NotOk::OutOfPlace)
        }
    }

    fn judge_open(&self, entry: &ControlEntry, open: &Open) -> Result<(), NotOk> {
        if entry.number != EntryNumber::FIRST {
            return Err(NotOk::OutOfPlace);
        }
        let device = self
            .device(open.grant)
            .filter(|device| device.device == open.device);
        if device.is_some() && entry.seen.contains(&open.grant) {
            Ok(())
        } else {
            Err(NotOk::NoSuchGrant)
        }
    }

    fn judge_invite(&self, entry: &ControlEntry, invite: &Invite) -> Result<(), NotOk> {
        let author = self.author(entry.journal).ok_or(NotOk::NotAMember)?;
        let allowed = self
            .charter()
            .is_some_and(|charter| charter.may_invite(author.role, invite.role));
        if allowed { Ok(()) } else { Err(NotOk::MayNotInvite) }
    }

    fn judge_admit(&self, entry: &ControlEntry, admit: &Admit, past: &[u64]) -> Result<(), NotOk> {
        self.author(entry.journal).ok_or(NotOk::NotAMember)?;
        let (inviter, invite) = self.invite(admit.invite).ok_or(NotOk::NoSuchInvitation)?;
        if inviter != entry.journal || invite.key != admit.invite_key {
            return Err(NotOk::NoSuchInvitation);
        }
        // Only this journal can have used it, and its entries are judged in their order: what is here came before.
        if self.admitted_by(admit.invite).is_some() {
            return Err(NotOk::InvitationUsed);
        }
        let memberships = self.memberships.get(&admit.joiner.person);
        let known = memberships
            .into_iter()
            .flatten()
            .filter_map(|id| self.entries.get(id))
            .any(|judged| self.reaches(past, judged) || is_on(Bug::RosterByAll));
        if known { Err(NotOk::AlreadyAMember) } else { Ok(()) }
    }

    fn judge_enrol(&self, entry: &ControlEntry, enrol: &Enrol, past: &[u64]) -> Result<(), NotOk> {
        self.author(entry.journal).ok_or(NotOk::NotAMember)?;
        let membership = self
            .entries
            .get(&enrol.membership)
            .filter(|judged| judged.verdict.is_ok() && self.reaches(past, judged))
            .and_then(|judged| self.membership_granted(&judged.entry.act));
        match membership {
            Some((person, _)) if person == enrol.enrolled.person => Ok(()),
            _ => Err(NotOk::NotTheirMembership),
        }
    }
}

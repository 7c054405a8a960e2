//! R2 and R8: whether an act was allowed, judged in its own past; and what one that was rests on.

use std::collections::BTreeSet;

use super::super::charter::{Inviters, Role};
use super::super::control::{
    Admit, Ask, ControlAct, ControlEntry, CouncilAct, Enrol, Erase, Found, Invite, Leave, Motion, Open,
    Retire, Sign, Vouch, Withdraw,
};
use super::super::id::{EntryId, EntryNumber, PersonId};
use super::erase::{is_shared, is_theirs};
use super::kill::{Kill, Kind, Tenure, furthest};
use super::moment::{Basis, Chain, Exercise, Moment, Needed, Powers};
use super::past::Reach;
use super::view::View;
use super::{Author, NotOk, Roster};
use crate::planted::{Bug, Guard, is_off, is_on};

/// One act before its judge: what it says, and what its author knew.
struct Case<'a> {
    roster: &'a Roster,
    entry: &'a ControlEntry,
    /// What its author knew.
    known: View<'a>,
    /// Its past and itself.
    reach: &'a Reach,
}

impl Roster {
    /// Judges an entry by the moment before it. `reach` is its past with itself.
    pub(super) fn judge(&self, entry: &ControlEntry, known: &Moment, reach: &Reach) -> Result<Basis, NotOk> {
        let now = &self.now;
        let known = if is_on(Bug::RosterByAll) { now } else { known };
        let case = Case {
            roster: self,
            entry,
            known: View {
                roster: self,
                moment: known,
            },
            reach,
        };
        case.judge()
    }
}

impl Case<'_> {
    fn judge(&self) -> Result<Basis, NotOk> {
        match &self.entry.act {
            ControlAct::Void => Err(NotOk::Void),
            // Also where a journal begins with it: who may write there is not known before the update.
            ControlAct::Unknown { .. } => Err(NotOk::Unknown),
            ControlAct::Found(found) => self.found(found),
            ControlAct::Open(open) => self.open(open),
            _ if self.entry.number == EntryNumber::FIRST => Err(NotOk::OutOfPlace),
            ControlAct::Invite(invite) => self.invite(invite),
            ControlAct::Ask(ask) => self.ask(ask),
            ControlAct::Vouch(vouch) => self.vouch(vouch),
            ControlAct::Admit(admit) => self.admit(admit),
            ControlAct::Enrol(enrol) => self.enrol(enrol),
            ControlAct::Motion(motion) => self.motion(motion),
            ControlAct::Sign(sign) => self.sign(sign),
            ControlAct::Retire(retire) => self.retire(retire),
            ControlAct::Leave(leave) => self.leave(leave),
            ControlAct::Withdraw(withdraw) => self.withdraw(withdraw),
            ControlAct::Erase(erase) => self.erase(erase),
            ControlAct::Rekey(_) | ControlAct::Keys(_) if is_off(Guard::KeyAuthor) => Ok(Basis::default()),
            ControlAct::Rekey(_) | ControlAct::Keys(_) => self.author().map(|(_, basis)| basis),
        }
    }

    /// Who wrote it, by tenures that live as they know it.
    fn author(&self) -> Result<(Author, Basis), NotOk> {
        let journal = self.entry.journal;
        let author = self.known.author(journal).ok_or(NotOk::NotAMember)?;
        let chain = self.roster.chain(journal).ok_or(NotOk::NotAMember)?;
        let basis = Basis {
            chain: Some(chain),
            ..Basis::default()
        };
        Ok((author, basis))
    }

    fn found(&self, found: &Found) -> Result<Basis, NotOk> {
        let entry = self.entry;
        let first =
            entry.number == EntryNumber::FIRST && entry.seen.is_empty() && self.roster.founding.is_none();
        if !first || !found.charter.is_valid() {
            return Err(NotOk::OutOfPlace);
        }
        let chain = Chain {
            open: entry.id,
            enrolment: entry.id,
            membership: entry.id,
            person: found.founder.person,
        };
        Ok(Basis {
            chain: Some(chain),
            ..Basis::default()
        })
    }

    fn open(&self, open: &Open) -> Result<Basis, NotOk> {
        if self.entry.number != EntryNumber::FIRST {
            return Err(NotOk::OutOfPlace);
        }
        let device = self.roster.act(open.grant).and_then(ControlAct::device);
        let device = device.filter(|device| device.device == open.device || is_off(Guard::GrantedDevice));
        let membership = self.roster.membership_of(open.grant);
        let person = membership.and_then(|membership| self.roster.person_of(membership));
        let (Some(_), Some(membership), Some(person)) = (device, membership, person) else {
            return Err(NotOk::NoSuchGrant);
        };
        if !self.entry.seen.contains(&open.grant) || !self.known.enrolment_lives(open.grant) {
            return Err(NotOk::NoSuchGrant);
        }
        let chain = Chain {
            open: self.entry.id,
            enrolment: open.grant,
            membership,
            person,
        };
        Ok(Basis {
            chain: Some(chain),
            needs: vec![open.grant],
            ..Basis::default()
        })
    }

    fn invite(&self, invite: &Invite) -> Result<Basis, NotOk> {
        let (author, mut basis) = self.author()?;
        let charter = self.known.charter().ok_or(NotOk::MayNotInvite)?;
        if !charter.may_invite(author.role, invite.role) {
            return Err(NotOk::MayNotInvite);
        }
        let needed = match charter.inviters {
            Inviters::Members => Role::Member,
            Inviters::Stewards => Role::Steward,
        };
        basis.exercise = self
            .known
            .exercise(author.membership, needed)
            .ok_or(NotOk::MayNotInvite)?;
        Ok(basis)
    }

    /// The invitation of this very journal, where nobody has ended it.
    fn own_invitation(&self, id: EntryId) -> Result<&Invite, NotOk> {
        let (journal, invite) = self.roster.invite(id).ok_or(NotOk::NoSuchInvitation)?;
        if journal != self.entry.journal && !is_off(Guard::OwnInvitation) {
            return Err(NotOk::NoSuchInvitation);
        }
        let ended = self.known.is_over(Tenure::Invitation(id)) && !is_off(Guard::InvitationEnded);
        if ended || !self.known.lives(id) {
            return Err(NotOk::InvitationEnded);
        }
        Ok(invite)
    }

    fn ask(&self, ask: &Ask) -> Result<Basis, NotOk> {
        let (_, basis) = self.author()?;
        self.own_invitation(ask.invite)?;
        Ok(basis)
    }

    fn vouch(&self, vouch: &Vouch) -> Result<Basis, NotOk> {
        let (author, mut basis) = self.author()?;
        let asked = matches!(self.roster.act(vouch.ask), Some(ControlAct::Ask(_)));
        if !asked || !self.known.lives(vouch.ask) {
            return Err(NotOk::NoSuchInvitation);
        }
        basis.exercise = self
            .known
            .exercise(author.membership, Role::Member)
            .ok_or(NotOk::NoPower)?;
        basis.needs.push(vouch.ask);
        Ok(basis)
    }

    fn admit(&self, admit: &Admit) -> Result<Basis, NotOk> {
        let (author, mut basis) = self.author()?;
        let invite = self.own_invitation(admit.invite)?;
        if invite.key != admit.invite_key && !is_off(Guard::InvitationKey) {
            return Err(NotOk::NoSuchInvitation);
        }
        // Only this journal can have used it, and its entries are judged in their order: what is here came before.
        if self.roster.admitted_by(admit.invite).is_some() && !is_off(Guard::InvitationOnce) {
            return Err(NotOk::InvitationUsed);
        }
        let memberships = self.roster.memberships.get(&admit.joiner.person);
        let is_member = |membership: &EntryId| self.known.membership_lives(*membership);
        if memberships.into_iter().flatten().any(is_member) {
            return Err(NotOk::AlreadyAMember);
        }
        basis.needs.push(admit.invite);
        basis.invitation = Some(admit.invite);
        basis.persons.extend(self.vouched(admit, author.person)?);
        Ok(basis)
    }

    /// Those who vouch for the joiner; never more are asked for than there are.
    fn vouched(&self, admit: &Admit, inviter: PersonId) -> Result<Option<Needed>, NotOk> {
        let asked = self.known.charter().map_or(0, |charter| charter.vouchers);
        let count = self.known.members_but(inviter, usize::from(asked));
        if count == 0 || is_off(Guard::Vouchers) {
            return Ok(None);
        }
        let vouches = self.roster.vouches.get(&(admit.invite, admit.joiner.person));
        let living = vouches.into_iter().flatten().filter(|id| self.known.lives(**id));
        let by: Vec<_> = living
            .filter_map(|id| self.roster.entries.get(id))
            .filter_map(|judged| {
                let chain = judged.basis.chain?;
                let other = chain.person != inviter || is_off(Guard::OtherVoucher);
                let counts = other && self.known.membership_lives(chain.membership);
                counts.then(|| (chain.person, judged.entry.id, judged.basis.exercise.clone()))
            })
            .collect();
        let persons: BTreeSet<PersonId> = by.iter().map(|(person, _, _)| *person).collect();
        if persons.len() < count {
            return Err(NotOk::VouchersMissing);
        }
        Ok(Some(Needed { count, by }))
    }

    fn enrol(&self, enrol: &Enrol) -> Result<Basis, NotOk> {
        let (_, mut basis) = self.author()?;
        let theirs = self.roster.person_of(enrol.membership) == Some(enrol.enrolled.person);
        let theirs = theirs || is_off(Guard::OwnMembership);
        if !theirs || !self.known.membership_lives(enrol.membership) {
            return Err(NotOk::NotTheirMembership);
        }
        basis.needs.push(enrol.membership);
        Ok(basis)
    }

    fn motion(&self, motion: &Motion) -> Result<Basis, NotOk> {
        let (author, mut basis) = self.author()?;
        if !self.is_possible(&motion.act, &author) {
            return Err(NotOk::NoSuchTenure);
        }
        basis.powers = self.powers(&author);
        self.carry(&mut basis, self.entry.id, motion, &author);
        Ok(basis)
    }

    /// Is there what the act is about, as its author knows, and theirs to propose?
    fn is_possible(&self, act: &CouncilAct, author: &Author) -> bool {
        let known = &self.known;
        match act {
            CouncilAct::Confirm { membership } => known.membership_lives(*membership),
            // Also where it is over: whoever ended it may have let too much count.
            CouncilAct::Remove { membership } => {
                known.lives(*membership) && self.roster.person_of(*membership).is_some()
            }
            CouncilAct::Promote { membership, role } => {
                *role > Role::Observer && known.membership_lives(*membership)
            }
            CouncilAct::Demote { tenure } => {
                let membership = self.roster.membership_of_role(*tenure);
                known.holds_role(*tenure) && membership.is_some_and(|id| known.membership_lives(id))
            }
            CouncilAct::Revoke { invite } => {
                let is_one = self.roster.invite(*invite).is_some();
                is_one && known.lives(*invite) && !known.is_over(Tenure::Invitation(*invite))
            }
            CouncilAct::Amend(amendment) => amendment.is_valid(),
            CouncilAct::Hide { .. } => true,
            CouncilAct::Erase(erasure) => is_shared(erasure.document, author),
        }
    }

    fn powers(&self, author: &Author) -> Powers {
        let membership = author.membership;
        Powers {
            steward: self.known.exercise(membership, Role::Steward),
            voice: self.known.voice(membership),
        }
    }

    fn sign(&self, sign: &Sign) -> Result<Basis, NotOk> {
        let (author, mut basis) = self.author()?;
        let motion = self.roster.motion(sign.motion).ok_or(NotOk::NoSuchMotion)?;
        if !self.known.lives(sign.motion) {
            return Err(NotOk::NoSuchMotion);
        }
        if !self.known.carried_by(sign.motion).is_empty() {
            return Err(NotOk::CarriedAlready);
        }
        basis.powers = self.powers(&author);
        if basis.powers.steward.is_none() && basis.powers.voice.is_none() {
            return Err(NotOk::NoPower);
        }
        basis.needs.push(sign.motion);
        self.carry(&mut basis, sign.motion, motion, &author);
        Ok(basis)
    }

    /// The last signature that a motion needs makes it take effect: more than half of the stewards, or more than half of the
    /// persons with voice, as its author knows. Where both are, it holds as long as one of them does.
    fn carry(&self, basis: &mut Basis, id: EntryId, motion: &Motion, author: &Author) {
        let signatures = self.signatures(id, basis, author);
        let steward = |signature: &Signature| {
            let exercise = signature.powers.steward.clone()?;
            self.known.is_steward(signature.membership).then_some(exercise)
        };
        let voice = |signature: &Signature| {
            let exercise = signature.powers.voice.clone()?;
            self.known.has_voice(signature.membership).then_some(exercise)
        };
        let stewards = majority(&signatures, steward, |most| self.known.stewards(most));
        let voices = majority(&signatures, voice, |most| self.known.voices(most));
        basis.persons.extend(stewards.into_iter().chain(voices));
        if basis.persons.is_empty() {
            return;
        }
        if let Some(tenure) = Roster::tenure_of(&motion.act) {
            basis.kill = Some(self.council_kill(tenure, basis, &signatures));
        }
        basis.carries = Some(id);
    }

    /// What a motion ends that is carried: as far as those hold whose signatures count, but for the one it is about.
    fn council_kill(&self, tenure: Tenure, basis: &Basis, signatures: &[Signature]) -> Kill {
        let about = self.roster.holder(tenure);
        let others = basis.signatures().filter(|(person, _, _)| Some(*person) != about);
        let acts = others.filter_map(|(_, by, _)| {
            if *by == self.entry.id {
                Some(&self.entry.act)
            } else {
                self.roster.act(*by)
            }
        });
        let cut = furthest(acts.filter_map(ControlAct::cut));
        let counted: BTreeSet<EntryId> = basis.signatures().map(|(_, by, _)| *by).collect();
        let signers = signatures
            .iter()
            .filter(|signature| counted.contains(&signature.entry));
        let signers: Vec<EntryId> = signers.map(|signature| signature.membership).collect();
        self.roster
            .kill(self.entry.id, self.reach, tenure, Kind::Council, cut, &signers)
    }

    /// All signatures under a motion that live as the author knows, with their own.
    fn signatures(&self, motion: EntryId, own: &Basis, author: &Author) -> Vec<Signature> {
        let earlier = self.roster.signed.get(&motion).into_iter().flatten();
        let earlier = earlier.filter(|id| self.known.lives(**id));
        let mut all: Vec<Signature> = earlier
            .filter_map(|id| self.roster.entries.get(id))
            .filter_map(|judged| {
                let chain = judged.basis.chain?;
                Some(Signature {
                    entry: judged.entry.id,
                    person: chain.person,
                    membership: chain.membership,
                    powers: judged.basis.powers.clone(),
                })
            })
            .collect();
        all.push(Signature {
            entry: self.entry.id,
            person: author.person,
            membership: author.membership,
            powers: own.powers.clone(),
        });
        all
    }

    fn own_kill(&self, tenure: Tenure, cut: &super::super::control::Cut) -> Result<Basis, NotOk> {
        let (author, mut basis) = self.author()?;
        if self.roster.holder(tenure) != Some(author.person) && !is_off(Guard::OwnKill) {
            return Err(NotOk::NotTheirs);
        }
        let cut = furthest(std::iter::once(cut));
        let signers = [author.membership];
        let enrolments = self.roster.enrolments_before(author.grant);
        let kind = match tenure {
            Tenure::Membership(_) => Kind::Leave { enrolments },
            Tenure::Enrolment(_) | Tenure::Role(_) | Tenure::Invitation(_) => Kind::Own { enrolments },
        };
        let kill = self
            .roster
            .kill(self.entry.id, self.reach, tenure, kind, cut, &signers);
        basis.kill = Some(kill);
        Ok(basis)
    }

    fn retire(&self, retire: &Retire) -> Result<Basis, NotOk> {
        if !self.known.enrolment_lives(retire.enrolment) {
            return Err(NotOk::NoSuchTenure);
        }
        self.own_kill(Tenure::Enrolment(retire.enrolment), &retire.cut)
    }

    fn leave(&self, leave: &Leave) -> Result<Basis, NotOk> {
        if !self.known.membership_lives(leave.membership) {
            return Err(NotOk::NoSuchTenure);
        }
        self.own_kill(Tenure::Membership(leave.membership), &leave.cut)
    }

    fn withdraw(&self, withdraw: &Withdraw) -> Result<Basis, NotOk> {
        let over = self.known.is_over(Tenure::Invitation(withdraw.invite));
        if self.roster.invite(withdraw.invite).is_none() || !self.known.lives(withdraw.invite) || over {
            return Err(NotOk::NoSuchInvitation);
        }
        self.own_kill(Tenure::Invitation(withdraw.invite), &withdraw.cut)
    }

    fn erase(&self, erase: &Erase) -> Result<Basis, NotOk> {
        // Signed by the person: whether this device still has its place says nothing.
        let chain = self.roster.chain(self.entry.journal).ok_or(NotOk::NotAMember)?;
        if !is_theirs(erase.erasure.document, chain.person) {
            return Err(NotOk::NotTheirs);
        }
        Ok(Basis {
            chain: Some(chain),
            ..Basis::default()
        })
    }
}

/// A signature under a motion.
struct Signature {
    entry: EntryId,
    person: PersonId,
    membership: EntryId,
    powers: Powers,
}

/// Are those who signed with a power more than half of all who have it? `all` gives them, no more than it is asked for.
fn majority(
    signatures: &[Signature],
    power: impl Fn(&Signature) -> Option<Exercise>,
    all: impl Fn(usize) -> BTreeSet<PersonId>,
) -> Option<Needed> {
    let by: Vec<_> = signatures
        .iter()
        .filter_map(|signature| Some((signature.person, signature.entry, power(signature)?)))
        .collect();
    let persons: BTreeSet<PersonId> = by.iter().map(|(person, _, _)| *person).collect();
    let twice = persons.len().saturating_mul(2);
    let all = all(twice).len();
    if is_off(Guard::Majority) {
        return Some(Needed { count: 0, by });
    }
    if all == 0 || twice <= all {
        return None;
    }
    let count = (all / 2).saturating_add(1);
    Some(Needed { count, by })
}

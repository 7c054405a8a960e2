//! R2: whether the author and the signers had the power, as they knew.

use super::*;
use crate::domain::charter::Inviters;
use crate::domain::control::{Admit, Cut};
use crate::domain::document::{DocumentId, Eraser};

impl Oracle {
    /// None where it is not ok. `before` is what the author knew, `known` what of it lived.
    pub(super) fn judge(&self, at: usize, before: Set, known: World) -> Option<Facts> {
        let entry = &self.entries[at];
        let is_first = entry.number == EntryNumber::FIRST;
        match &entry.act {
            ControlAct::Void | ControlAct::Unknown { .. } => return None,
            ControlAct::Found(found) => {
                let alone = is_first && at == 0 && found.charter.is_valid();
                let writer = Writer {
                    open: at,
                    enrolment: at,
                    membership: at,
                    person: found.founder.person,
                };
                return alone.then(|| Facts::of(writer));
            }
            ControlAct::Open(open) => {
                let grant = self.is_enrolment(known, open.grant)?;
                let membership = self.membership_of(grant)?;
                let device = self.entries[grant].act.device()?.device;
                let fits = is_first && device == open.device && entry.seen.contains(&open.grant);
                let person = self.person_of(membership);
                let facts = Facts::of(Writer {
                    open: at,
                    enrolment: grant,
                    membership,
                    person,
                });
                return fits.then_some(Facts {
                    needs: 1 << grant,
                    ..facts
                });
            }
            _ if is_first => return None,
            // They have signed it as a person: whether their place lives is not asked.
            ControlAct::Erase(erase) => {
                let opens = |at: &usize| {
                    let first = &self.entries[*at];
                    first.journal == entry.journal && first.number == EntryNumber::FIRST && self.is_ok(*at)
                };
                let writer = self.ok(places(before).find(opens)?).writer;
                let theirs = erase.erasure.document == DocumentId::Own(writer.person);
                return theirs.then(|| Facts::of(writer));
            }
            _ => {}
        }
        let writer = self.writer(known, entry.journal)?;
        let facts = Facts::of(writer);
        match &entry.act {
            ControlAct::Invite(invite) => {
                let charter = self.charter(known)?;
                let needed = match charter.inviters {
                    Inviters::Members => Role::Member,
                    Inviters::Stewards => Role::Steward,
                };
                let power = self.power(known, writer.membership, needed)?;
                (invite.role != Role::Steward).then_some(Facts {
                    power: Some(power),
                    ..facts
                })
            }
            ControlAct::Ask(ask) => self.own_invitation(known, at, ask.invite).map(|_| facts),
            ControlAct::Vouch(vouch) => {
                let ask = self.lives(known, vouch.ask)?;
                let power = self.power(known, writer.membership, Role::Member)?;
                let is_ask = matches!(self.entries[ask].act, ControlAct::Ask(_));
                is_ask.then_some(Facts {
                    power: Some(power),
                    needs: 1 << ask,
                    ..facts
                })
            }
            ControlAct::Admit(admit) => self.admit(at, admit, known, facts),
            ControlAct::Enrol(enrol) => {
                let membership = self.is_membership(known, enrol.membership)?;
                let theirs = self.person_of(membership) == enrol.enrolled.person;
                theirs.then_some(Facts {
                    needs: 1 << membership,
                    ..facts
                })
            }
            ControlAct::Motion(motion) => {
                self.is_possible(known, &motion.act, writer).then_some(())?;
                Some(self.signed(at, at, motion, before, known, facts))
            }
            ControlAct::Sign(sign) => {
                let named = self.lives(known, sign.motion)?;
                let ControlAct::Motion(motion) = &self.entries[named].act else {
                    return None;
                };
                let facts = Facts {
                    needs: 1 << named,
                    ..facts
                };
                let facts = self.signed(at, named, motion, before, known, facts);
                let may = facts.as_steward.is_some() || facts.as_voice.is_some();
                (may && self.granted_by(known, named) == 0).then_some(facts)
            }
            ControlAct::Retire(retire) => {
                let enrolment = self.is_enrolment(known, retire.enrolment)?;
                let whose = self.person_of(self.membership_of(enrolment)?);
                self.own_end(
                    at,
                    Tenure::Enrolment(retire.enrolment),
                    whose,
                    &retire.cut,
                    before,
                    facts,
                )
            }
            ControlAct::Leave(leave) => {
                let whose = self.person_of(self.is_membership(known, leave.membership)?);
                self.own_end(
                    at,
                    Tenure::Membership(leave.membership),
                    whose,
                    &leave.cut,
                    before,
                    facts,
                )
            }
            ControlAct::Withdraw(withdraw) => {
                let invite = self.lives(known, withdraw.invite)?;
                let tenure = Tenure::Invitation(withdraw.invite);
                let is_open =
                    matches!(self.entries[invite].act, ControlAct::Invite(_)) && !self.is_over(known, tenure);
                let whose = self.ok(invite).writer.person;
                is_open.then_some(())?;
                self.own_end(at, tenure, whose, &withdraw.cut, before, facts)
            }
            ControlAct::Rekey(_) | ControlAct::Keys(_) => Some(facts),
            other => panic!("judged above: {other:?}"),
        }
    }

    /// Who writes a journal, where all their tenures live.
    pub(super) fn writer(&self, world: World, journal: JournalId) -> Option<Writer> {
        let first = |at: &usize| {
            let entry = &self.entries[*at];
            entry.journal == journal && entry.number == EntryNumber::FIRST
        };
        let open = places(world.living).find(first)?;
        let writer = self.ok(open).writer;
        self.is_enrolment(world, self.entries[writer.enrolment].id)?;
        Some(writer)
    }

    fn own_invitation(&self, known: World, at: usize, invite: EntryId) -> Option<usize> {
        let invite = self.lives(known, invite)?;
        let entry = &self.entries[invite];
        let mine = entry.journal == self.entries[at].journal && matches!(entry.act, ControlAct::Invite(_));
        (mine && !self.is_over(known, Tenure::Invitation(entry.id))).then_some(invite)
    }

    fn admit(&self, at: usize, admit: &Admit, known: World, facts: Facts) -> Option<Facts> {
        let invite = self.own_invitation(known, at, admit.invite)?;
        let ControlAct::Invite(invitation) = &self.entries[invite].act else {
            return None;
        };
        let used = self
            .oks(self.everything())
            .any(|(_, facts)| facts.invitation == Some(admit.invite));
        let is_member = self
            .memberships(known)
            .any(|at| self.person_of(at) == admit.joiner.person);
        if invitation.key != admit.invite_key || used || is_member {
            return None;
        }
        let facts = Facts {
            needs: 1 << invite,
            invitation: Some(admit.invite),
            ..facts
        };
        let inviter = facts.writer.person;
        let mut others = self.persons_who(known, |at| self.role(known, at) > Role::Observer);
        others.remove(&inviter);
        let count = others.len().min(usize::from(self.charter(known)?.vouchers));
        if count == 0 {
            return Some(facts);
        }
        let mut by = Vec::new();
        for (vouch, theirs) in self.oks(known.living) {
            let ControlAct::Vouch(said) = &self.entries[vouch].act else {
                continue;
            };
            let ControlAct::Ask(ask) = &self.entries[self.at[&said.ask]].act else {
                continue;
            };
            let asked = ask.invite == admit.invite && ask.person == admit.joiner.person;
            let person = theirs.writer.person;
            let membership = self.entries[theirs.writer.membership].id;
            if asked && person != inviter && self.is_membership(known, membership).is_some() {
                by.push((person, vouch, theirs.power.clone().unwrap()));
            }
        }
        let persons: BTreeSet<PersonId> = by.iter().map(|(person, _, _)| *person).collect();
        (persons.len() >= count).then(|| Facts {
            majorities: vec![Majority { count, by }],
            ..facts
        })
    }

    /// Is there what a council act is about, as its author knows, and theirs to propose?
    fn is_possible(&self, known: World, act: &CouncilAct, writer: Writer) -> bool {
        match act {
            CouncilAct::Confirm { membership } => self.is_membership(known, *membership).is_some(),
            // Also where it is over.
            CouncilAct::Remove { membership } => self
                .lives(known, *membership)
                .is_some_and(|at| self.membership_of(at) == Some(at)),
            CouncilAct::Promote { membership, role } => {
                *role != Role::Observer && self.is_membership(known, *membership).is_some()
            }
            CouncilAct::Demote { tenure } => {
                let held = self
                    .memberships(known)
                    .flat_map(|membership| self.roles(known, membership));
                held.into_iter()
                    .any(|(role, ..)| self.entries[role].id == *tenure)
            }
            CouncilAct::Revoke { invite } => {
                let is_invite = |at: usize| matches!(self.entries[at].act, ControlAct::Invite(_));
                self.lives(known, *invite).is_some_and(is_invite)
                    && !self.is_over(known, Tenure::Invitation(*invite))
            }
            CouncilAct::Amend(amendment) => amendment.is_valid(),
            CouncilAct::Hide { .. } => true,
            CouncilAct::Erase(erasure) => {
                let role = self.role(known, writer.membership);
                let may_write = match erasure.document {
                    DocumentId::Group => role == Role::Steward,
                    _ => role != Role::Observer,
                };
                may_write && matches!(erasure.document.erased_by(), Some(Eraser::Council))
            }
        }
    }

    /// A signature, and what comes of it: it may be the last one needed.
    fn signed(
        &self,
        at: usize,
        named: usize,
        motion: &Motion,
        before: Set,
        known: World,
        facts: Facts,
    ) -> Facts {
        let mine = facts.writer;
        let mut facts = facts;
        facts.as_steward = self.power(known, mine.membership, Role::Steward);
        facts.as_voice = self.voice(known, mine.membership);
        let mut signatures: Vec<(usize, Facts)> = Vec::new();
        for (other, theirs) in self.oks(known.living) {
            let signs = match &self.entries[other].act {
                ControlAct::Motion(_) => other == named,
                ControlAct::Sign(sign) => self.at[&sign.motion] == named,
                _ => false,
            };
            if signs {
                signatures.push((other, theirs.clone()));
            }
        }
        signatures.push((at, facts.clone()));
        let stewards = self.stewards(known);
        let voices = self.voices(known);
        let still = |membership: usize, counts: &dyn Fn(usize) -> bool| {
            self.is_membership(known, self.entries[membership].id).is_some() && counts(membership)
        };
        let mut by_stewards = Vec::new();
        let mut by_voices = Vec::new();
        for (other, theirs) in &signatures {
            let writer = theirs.writer;
            if let Some(power) = &theirs.as_steward
                && still(writer.membership, &|at| self.role(known, at) == Role::Steward)
            {
                by_stewards.push((writer.person, *other, power.clone()));
            }
            if let Some(power) = &theirs.as_voice
                && still(writer.membership, &|at| self.voice(known, at).is_some())
            {
                by_voices.push((writer.person, *other, power.clone()));
            }
        }
        for (by, all) in [(by_stewards, stewards.len()), (by_voices, voices.len())] {
            let persons: BTreeSet<PersonId> = by.iter().map(|(person, _, _)| *person).collect();
            if persons.len() * 2 > all && all > 0 {
                facts.majorities.push(Majority {
                    count: all / 2 + 1,
                    by,
                });
            }
        }
        if facts.majorities.is_empty() {
            return facts;
        }
        facts.carries = Some(named);
        let tenure = match motion.act {
            CouncilAct::Remove { membership } => Tenure::Membership(membership),
            CouncilAct::Demote { tenure } => Tenure::Role(tenure),
            CouncilAct::Revoke { invite } => Tenure::Invitation(invite),
            _ => return facts,
        };
        let counted: BTreeSet<usize> = facts
            .majorities
            .iter()
            .flat_map(|all| &all.by)
            .map(|(_, by, _)| *by)
            .collect();
        let whose = self.whose(tenure);
        // Not the one it is about: they would let everything count.
        let others = signatures
            .iter()
            .filter(|(by, theirs)| counted.contains(by) && theirs.writer.person != whose);
        let cuts = others.filter_map(|(by, _)| self.entries[*by].act.cut());
        let signers = signatures.iter().filter(|(by, _)| counted.contains(by));
        let signers = signers.map(|(_, theirs)| theirs.writer.membership).collect();
        facts.end = Some(self.end(at, tenure, whose, cuts, before, signers, (0, 0)));
        facts
    }

    fn whose(&self, tenure: Tenure) -> PersonId {
        let (Tenure::Membership(id) | Tenure::Enrolment(id) | Tenure::Role(id) | Tenure::Invitation(id)) =
            tenure;
        let at = self.at[&id];
        match &self.entries[at].act {
            ControlAct::Motion(motion) => match &motion.act {
                CouncilAct::Promote { membership, .. } => self.person_of(self.at[membership]),
                other => panic!("no tenure: {other:?}"),
            },
            ControlAct::Invite(_) => self.ok(at).writer.person,
            _ => self.person_of(self.membership_of(at).unwrap()),
        }
    }

    fn own_end(
        &self,
        at: usize,
        tenure: Tenure,
        whose: PersonId,
        cut: &Cut,
        before: Set,
        facts: Facts,
    ) -> Option<Facts> {
        let signers = vec![facts.writer.membership];
        let leaves = matches!(tenure, Tenure::Membership(_));
        let mut enrolments = 0;
        let mut device = facts.writer.enrolment;
        while matches!(self.entries[device].act, ControlAct::Enrol(_)) {
            enrolments += 1;
            device = self.ok(device).writer.enrolment;
        }
        let kind = (if leaves { 1 } else { 2 }, enrolments);
        let end = self.end(at, tenure, whose, std::iter::once(cut), before, signers, kind);
        (facts.writer.person == whose).then_some(Facts {
            end: Some(end),
            ..facts
        })
    }

    /// R3 and R4: how far its signers hold the journals, and its weight.
    #[allow(clippy::too_many_arguments, reason = "what a kill is made of")]
    fn end<'a>(
        &self,
        at: usize,
        tenure: Tenure,
        whose: PersonId,
        cuts: impl Iterator<Item = &'a Cut>,
        before: Set,
        signers: Vec<usize>,
        kind: (u8, usize),
    ) -> End {
        let mut cut: BTreeMap<JournalId, u64> = BTreeMap::new();
        for (journal, (number, _)) in cuts.flatten() {
            let to = cut.entry(*journal).or_default();
            *to = number.0.max(*to);
        }
        let line = |membership: usize| {
            let mut line = vec![membership];
            loop {
                let last = line[line.len() - 1];
                let inviter = self.ok(last).writer.membership;
                if inviter == last {
                    return line;
                }
                line.push(inviter);
            }
        };
        let theirs: Vec<usize> = places(before)
            .filter(|entry| {
                let writes = |at: &usize| self.entries[*at].journal == self.entries[*entry].journal;
                let mut opens = self
                    .oks(before)
                    .filter(|(open, facts)| facts.writer.open == *open);
                opens.any(|(open, facts)| writes(&open) && facts.writer.person == whose)
            })
            .collect();
        let knew = |signer: &usize| theirs.iter().any(|entry| has(self.past[*entry], *signer));
        let brought_in = |signer: &usize| {
            line(*signer)
                .iter()
                .skip(1)
                .any(|at| self.person_of(*at) == whose)
        };
        let counted = signers.iter().filter(|at| knew(at) && !brought_in(at));
        let persons: BTreeSet<PersonId> = counted.map(|at| self.person_of(*at)).collect();
        let nearest = signers
            .iter()
            .map(|at| line(*at).len())
            .min()
            .unwrap_or(usize::MAX);
        End {
            tenure,
            cut,
            weight: (kind, Reverse(persons.len()), nearest, self.entries[at].id),
        }
    }
}

//! What people do about the group itself: they propose, sign, leave, retire devices, take invitations back, vouch, and come
//! back after they had to go.

use kiez_core::domain::charter::{Amendment, Inviters, Role};
use kiez_core::domain::control::{CouncilAct, Shown, Target};
use kiez_core::domain::id::{EntryId, PersonId};
use kiez_core::domain::poll::Share;
use kiez_core::domain::roster::{MotionCard, Person};
use kiez_core::replica::memory::MemoryStorage;

use super::disk::Disk;
use super::model::Act;
use super::people::Offer;
use super::world::{Outcome, World, wrong};

/// So many people a group keeps, as far as those know who would go or let others go.
const FEWEST: usize = 3;

impl World {
    /// Somebody proposes something to the council, or signs what was proposed.
    pub(super) fn council_meets(&mut self) -> Outcome {
        let stewards_only = self.dice.chance(60);
        let acts = |node: &super::node::Node| {
            node.role()
                .is_some_and(|role| !stewards_only || role == Role::Steward)
        };
        let Some(node) = self.some_node(acts) else {
            return Ok(());
        };
        match self.dice.below(20) {
            0..=8 => self.signs(node),
            9 | 10 => self.promotes(node),
            11 | 12 => self.confirms(node),
            13 | 14 => self.proposes_removal(node),
            15 => self.demotes(node),
            16 => self.amends(node),
            17 | 18 => self.hides(node),
            _ => self.revokes(node),
        }
    }

    /// Somebody does what nobody else has a say in.
    pub(super) fn somebody_acts_for_themselves(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.role().is_some()) else {
            return Ok(());
        };
        match self.dice.below(8) {
            0 => self.leaves(node),
            1 | 2 => self.retires(node),
            3 => self.withdraws(node),
            _ => self.vouches(node),
        }
    }

    fn people_at(&self, node: usize) -> Vec<(PersonId, Person)> {
        let replica = self.nodes[node].replica.as_ref().unwrap();
        replica.roster().persons().into_iter().collect()
    }

    /// Somebody in the group by whom this holds: one who breaks the rules rather than another.
    fn somebody(&mut self, node: usize, holds: impl Fn(&Person) -> bool) -> Option<(PersonId, Person)> {
        let mut people = self.people_at(node);
        people.retain(|(_, person)| holds(person));
        let outlaw = self.nodes.iter().find(|node| node.is_outlaw);
        let outlaw = outlaw.map(|node| node.me.person);
        let caught = people.iter().find(|(id, _)| Some(*id) == outlaw).cloned();
        if caught.is_some() && self.dice.chance(50) {
            return caught;
        }
        self.dice.pick(&people)
    }

    fn proposes(&mut self, node: usize, act: CouncilAct) -> Outcome {
        let attempt = self.attempt(node, |replica, _, now| {
            replica.propose(act.clone(), "because", now)
        })?;
        let name = &self.nodes[node].name;
        self.trace.event(format_args!("{name} proposes {act:?}"));
        self.report.motions += u64::from(attempt.result.is_ok());
        self.keep(node, true, &attempt, Act::Control)
    }

    fn proposes_removal(&mut self, node: usize) -> Outcome {
        if self.people_at(node).len() <= FEWEST {
            return Ok(());
        }
        let Some((id, person)) = self.somebody(node, |_| true) else {
            return Ok(());
        };
        self.model.touched.insert(id);
        let membership = *person.memberships.first().unwrap();
        self.proposes(node, CouncilAct::Remove { membership })
    }

    fn promotes(&mut self, node: usize) -> Outcome {
        let Some((_, person)) = self.somebody(node, |person| person.role != Role::Steward) else {
            return Ok(());
        };
        let role = if self.dice.chance(80) {
            Role::Steward
        } else {
            Role::Member
        };
        let membership = *person.memberships.first().unwrap();
        self.proposes(node, CouncilAct::Promote { membership, role })
    }

    fn confirms(&mut self, node: usize) -> Outcome {
        let Some((_, person)) = self.somebody(node, |person| !person.has_voice) else {
            return Ok(());
        };
        let membership = *person.memberships.first().unwrap();
        self.proposes(node, CouncilAct::Confirm { membership })
    }

    fn demotes(&mut self, node: usize) -> Outcome {
        let Some((id, _)) = self.somebody(node, |person| person.role == Role::Steward) else {
            return Ok(());
        };
        let roster = self.nodes[node].replica.as_ref().unwrap().roster();
        let tenures = roster.role_tenures(id);
        let of_stewards = tenures.iter().find(|(_, role)| *role == Role::Steward);
        let Some((tenure, _)) = of_stewards.copied() else {
            return Ok(());
        };
        self.model.touched.insert(id);
        self.proposes(node, CouncilAct::Demote { tenure })
    }

    fn amends(&mut self, node: usize) -> Outcome {
        let amendment = match self.dice.below(6) {
            0 => Amendment::Inviters(Inviters::Stewards),
            1 | 2 => Amendment::Inviters(Inviters::Members),
            3 => Amendment::Vouchers(1),
            4 => Amendment::Vouchers(0),
            _ => Amendment::Quorum(Share {
                numerator: 1,
                denominator: 2,
            }),
        };
        self.proposes(node, CouncilAct::Amend(amendment))
    }

    fn hides(&mut self, node: usize) -> Outcome {
        let Some((person, _)) = self.somebody(node, |_| true) else {
            return Ok(());
        };
        let Ok(comments) = self.replica(node).comments_of(person) else {
            wrong!("comments cannot be read")
        };
        let target = match self.dice.pick(&comments) {
            Some(comment) => Target::Comment {
                author: person,
                comment: comment.id,
            },
            None => match self.some_idea(node)? {
                Some(idea) => Target::Idea(idea),
                None => return Ok(()),
            },
        };
        let shown = if self.dice.chance(70) {
            Shown::Hidden
        } else {
            Shown::Visible
        };
        self.proposes(node, CouncilAct::Hide { target, shown })
    }

    fn revokes(&mut self, node: usize) -> Outcome {
        let roster = self.nodes[node].replica.as_ref().unwrap().roster();
        let open: Vec<EntryId> = roster.open_invitations().into_keys().collect();
        let Some(invite) = self.dice.pick(&open) else {
            return Ok(());
        };
        self.ends_invitation(invite);
        self.proposes(node, CouncilAct::Revoke { invite })
    }

    /// Whoever came or comes in on it may be out again.
    fn ends_invitation(&mut self, invite: EntryId) {
        for offer in self.offers.iter_mut().filter(|offer| offer.entry.2 == invite) {
            offer.is_ended = true;
            self.model.touched.insert(self.nodes[offer.to].me.person);
        }
    }

    /// Nobody signs what one who breaks the rules wants for themselves.
    fn signs(&mut self, node: usize) -> Outcome {
        let me = self.nodes[node].me.person;
        let replica = self.nodes[node].replica.as_ref().unwrap();
        let mut open: Vec<MotionCard> = replica.roster().motions();
        open.retain(|card| !card.carried && !self.model.vain.contains(&card.id));
        // In an order that does not hang on the run.
        open.sort_by_key(|card| (card.motion.at, card.id));
        let people = replica.roster().persons();
        let Some(person) = people.get(&me).filter(|person| person.memberships.len() == 1) else {
            return Ok(());
        };
        let has_a_say = person.has_voice || person.role == Role::Steward;
        let mut removals = open
            .iter()
            .filter(|card| matches!(card.motion.act, CouncilAct::Remove { .. }));
        // They agree on a removal more often than on anything else.
        let removal = removals.next().cloned().filter(|_| people.len() > FEWEST);
        let mut erasures = open
            .iter()
            .filter(|card| matches!(card.motion.act, CouncilAct::Erase(_)));
        let erasure = erasures.next().cloned().filter(|_| self.dice.chance(40));
        let card = match removal.filter(|_| self.dice.chance(50)).or(erasure) {
            Some(card) => card,
            None => match self.dice.pick(&open) {
                Some(card) => card,
                None => return Ok(()),
            },
        };
        let attempt = self.attempt(node, |replica, _, _| replica.sign(card.id))?;
        let name = &self.nodes[node].name;
        self.trace.event(format_args!(
            "{name} signs {:?}: {}",
            card.motion.act,
            attempt.result.is_ok()
        ));
        self.keep(node, has_a_say, &attempt, Act::Control)
    }

    fn leaves(&mut self, node: usize) -> Outcome {
        if self.people_at(node).len() <= FEWEST {
            return Ok(());
        }
        self.model.touched.insert(self.nodes[node].me.person);
        let attempt = self.attempt(node, |replica, _, _| replica.leave())?;
        let name = self.nodes[node].name.clone();
        self.trace
            .event(format_args!("{name} leaves: {}", attempt.result.is_ok()));
        self.note_control(node, &attempt)?;
        if attempt.result.is_ok() && self.nodes[node].role().is_some() {
            wrong!("{name} has left and may still write");
        }
        Ok(())
    }

    fn retires(&mut self, node: usize) -> Outcome {
        let me = self.nodes[node].me.clone();
        let people = self.people_at(node);
        let mine = people.into_iter().find(|(id, _)| *id == me.person);
        let Some((_, person)) = mine.filter(|(_, person)| person.devices.len() > 1) else {
            return Ok(());
        };
        let devices: Vec<EntryId> = person.devices.keys().copied().collect();
        let Some(enrolment) = self.dice.pick(&devices) else {
            return Ok(());
        };
        self.model.touched.insert(me.person);
        self.model.retired.insert(person.devices[&enrolment].device);
        let attempt = self.attempt(node, |replica, _, _| replica.retire(enrolment))?;
        let name = &self.nodes[node].name;
        self.trace.event(format_args!(
            "{name} retires {enrolment:?}: {}",
            attempt.result.is_ok()
        ));
        self.note_control(node, &attempt)
    }

    fn withdraws(&mut self, node: usize) -> Outcome {
        let me = self.nodes[node].me.person;
        let roster = self.nodes[node].replica.as_ref().unwrap().roster();
        let open = roster.open_invitations();
        let mine = open.iter().filter(|(_, (by, _))| *by == me).map(|(id, _)| *id);
        let mine: Vec<EntryId> = mine.collect();
        let Some(invite) = self.dice.pick(&mine) else {
            return Ok(());
        };
        self.ends_invitation(invite);
        let attempt = self.attempt(node, |replica, _, _| replica.withdraw(invite))?;
        let name = &self.nodes[node].name;
        self.trace.event(format_args!("{name} takes an invitation back"));
        self.note_control(node, &attempt)
    }

    fn vouches(&mut self, node: usize) -> Outcome {
        let roster = self.nodes[node].replica.as_ref().unwrap().roster();
        let asking: Vec<EntryId> = roster.asking().into_iter().map(|(ask, ..)| ask).collect();
        if self.nodes[node].role() == Some(Role::Observer) {
            return Ok(());
        }
        let Some(ask) = self.dice.pick(&asking) else {
            return Ok(());
        };
        let attempt = self.attempt(node, |replica, _, _| replica.vouch(ask))?;
        let name = &self.nodes[node].name;
        self.trace.event(format_args!("{name} has met who asks"));
        self.note_control(node, &attempt)
    }

    /// Too few have met who comes in: the inviting device has asked for more.
    pub(super) fn check_vouchers(&mut self, offer: &Offer) -> Outcome {
        let (person, name) = (self.nodes[offer.to].me.person, self.nodes[offer.to].name.clone());
        let roster = self.replica(offer.inviter).roster();
        if roster.charter().is_none_or(|charter| charter.vouchers == 0) {
            wrong!("{name} is asked for vouchers, and the charter does not");
        }
        if !roster.asking().iter().any(|(_, ask, _)| ask.person == person) {
            wrong!("{name} needs somebody who has met them, and nobody is told");
        }
        self.trace
            .event(format_args!("{name} needs somebody who has met them"));
        Ok(())
    }

    /// Is this invitation one that may be used, as its device knows?
    pub(super) fn is_open(&self, offer: &Offer) -> bool {
        let replica = self.nodes[offer.inviter].replica.as_ref();
        replica.is_some_and(|replica| replica.roster().open_invitations().contains_key(&offer.entry.2))
    }

    /// Somebody who had to go takes the group off their computer: invited once more, they begin with nothing.
    pub(super) fn somebody_begins_anew(&mut self) -> Outcome {
        let has_gone = |node: &super::node::Node| {
            let replica = node.replica.as_deref();
            let is_out = replica.is_some_and(|replica| replica.roster().membership(node.me.person).is_none());
            is_out && !node.is_outlaw && node.behind.is_none()
        };
        let Some(node) = self.some_node(has_gone) else {
            return Ok(());
        };
        let lost = self.lost_by(node, &MemoryStorage::default());
        if !self.may_be_lost(node, &lost) {
            return Ok(());
        }
        self.connections.retain(|_, connection| !connection.is_of(node));
        let place = &mut self.nodes[node];
        place.disk = Disk::default();
        place.replica = None;
        place.page = None;
        place.backup = None;
        let name = place.name.clone();
        self.model.lose(&lost);
        self.files.retain(|file| file.ids.is_disjoint(&lost));
        self.trace.event(format_args!(
            "{name} is out and takes the group off: {} entries",
            lost.len()
        ));
        Ok(())
    }
}

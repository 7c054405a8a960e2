//! How people and devices come in: invitations, joining with replies that get lost, further devices, and coming back
//! after a restored backup.

use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{ControlAct, Enrol};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, Timestamp};
use kiez_core::domain::roster::NotOk;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::control::sign_enrolment;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Replica, ReplicaError};
use kiez_core::replica::join::{Admission, AdmitError, Answer, Invitation, JoinError, Known};
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::session::{Channel, bundle_parts};
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::{Frame, JoinRefusal};
use rand::Rng;

use super::disk::Disk;
use super::model::Act;
use super::node::Node;
use super::world::{Attempt, Outcome, World, wrong};

/// An invitation on its way to somebody.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    text: String,
    pub(super) inviter: usize,
    /// The entry that invites.
    pub(super) entry: (JournalId, EntryNumber, EntryId),
    /// For whom: a device.
    pub(super) to: usize,
    expires: Timestamp,
    pub(super) is_used: bool,
    /// Somebody has tried to end it.
    pub(super) is_ended: bool,
}

/// Can this device write in the group as a member?
pub(super) fn is_member(node: &Node) -> bool {
    node.role().is_some_and(|role| role != Role::Observer)
}

impl World {
    pub(super) fn somebody_invites(&mut self) -> Outcome {
        let outside = self.nodes_where(|node| node.is_first && node.replica.is_none());
        let inviter = self.some_node(is_member);
        let (Some(inviter), Some(to)) = (inviter, self.dice.pick(&outside)) else {
            return Ok(());
        };
        let role = self.persons[self.nodes[to].person].role;
        let me = self.nodes[inviter].me.clone();
        let own_role = self.nodes[inviter].role().unwrap();
        let charter = self.replica(inviter).roster().charter();
        if !charter.is_some_and(|charter| charter.may_invite(own_role, role)) {
            return Ok(());
        }
        let lasts = self.dice.pick(&[1_000, 3_600_000, 1_000_000_000_000]).unwrap();
        let expires = Timestamp(self.now(inviter).0 + lasts);
        let attempt = self.attempt(inviter, |replica, rng, _| {
            replica.invite(&me, role, expires, vec![], rng)
        })?;
        self.note_control(inviter, &attempt)?;
        let (from, whom) = (&self.nodes[inviter].name, &self.nodes[to].name);
        self.trace
            .event(format_args!("{from} invites {whom}: {}", attempt.result.is_ok()));
        if let Ok(invitation) = attempt.result {
            self.offers.push(Offer {
                text: invitation.to_text(),
                inviter,
                entry: attempt.wrote[0],
                to,
                expires,
                is_used: false,
                is_ended: false,
            });
        }
        Ok(())
    }

    /// Control acts are checked by what they do; here only that they were done, or why not.
    pub(super) fn note_control<T>(&mut self, node: usize, attempt: &Attempt<T, ReplicaError>) -> Outcome {
        if let (Err(error), false) = (&attempt.result, attempt.fault) {
            wrong!("{} could not write a control act: {error}", self.nodes[node].name);
        }
        self.note(node, Act::Control, &attempt.wrote)
    }

    pub(super) fn somebody_joins(&mut self) -> Outcome {
        let Some(number) = (!self.offers.is_empty()).then(|| self.dice.below(self.offers.len())) else {
            return Ok(());
        };
        let offer = self.offers[number].clone();
        if self.nodes[offer.inviter].replica.is_none() || self.nodes[offer.inviter].behind.is_some() {
            return Ok(());
        }
        let inviter = &self.nodes[offer.inviter];
        let has_gone = inviter.own_head().is_some() && inviter.role().is_none();
        if inviter.is_outlaw || has_gone {
            return Ok(());
        }
        let Ok(invitation) = Invitation::parse(&offer.text) else {
            wrong!("an invitation does not read back");
        };
        if offer.is_used && self.nodes[offer.to].replica.is_some() {
            return self.stranger_tries(&offer, &invitation);
        }
        let (to_inviter, to_joiner) = self.channels(offer.to, offer.inviter);
        let joiner = &self.nodes[offer.to];
        let request = invitation.request(&joiner.me, &self.persons[joiner.person].key, &to_inviter);
        let Some(Frame::JoinRequest(request)) = self.hop(&Frame::JoinRequest(Box::new(request)))? else {
            return Ok(());
        };
        let attempt = self.attempt(offer.inviter, |replica, rng, now| {
            replica.admit(&request, &to_joiner, now, rng)
        })?;
        self.note(offer.inviter, Act::Control, &attempt.wrote)?;
        let whom = self.nodes[offer.to].name.clone();
        if !attempt.wrote.is_empty() {
            let (by, joiner) = (
                self.nodes[offer.inviter].me.person,
                self.nodes[offer.to].me.person,
            );
            self.model.lets_in(by, joiner);
            if offer.is_ended {
                self.model.touched.insert(joiner);
            }
            // Also where the power went before the inviter could say so.
            let roster = self.nodes[offer.inviter].replica.as_ref().unwrap().roster();
            let admits = |id| matches!(roster.act(id), Some(ControlAct::Admit(_)));
            self.offers[number].is_used |= attempt.wrote.iter().any(|(.., id)| admits(*id));
        }
        let offer = self.offers[number].clone();
        match attempt.result {
            Ok(Answer::Admitted(admission)) => {
                self.trace.event(format_args!("{whom} is admitted"));
                self.offers[number].is_used = true;
                if self.nodes[offer.to].replica.is_none() {
                    self.admitted(&offer, &invitation, admission)?;
                }
                Ok(())
            }
            Ok(Answer::Member(known)) => {
                self.trace
                    .event(format_args!("{whom} is a member, and asked for an enrolment"));
                self.check_refusal(&offer, JoinRefusal::AlreadyAMember)?;
                if self.nodes[offer.to].replica.is_some() {
                    self.offers.remove(number);
                    return Ok(());
                }
                self.enrols_to_join(&offer, &invitation, &known)
            }
            Err(AdmitError::Refused(JoinRefusal::Vouchers)) => self.check_vouchers(&offer),
            Err(AdmitError::Refused(why)) => {
                self.trace.event(format_args!("{whom} is refused: {why}"));
                self.check_refusal(&offer, why)?;
                self.offers.remove(number);
                Ok(())
            }
            Err(AdmitError::Replica(_)) if attempt.fault => Ok(()),
            Err(AdmitError::Replica(ReplicaError::NotAllowed(NotOk::InvitationEnded)))
                if !self.is_open(&offer) =>
            {
                self.trace.event(format_args!("{whom}: the invitation is over"));
                self.offers.remove(number);
                Ok(())
            }
            Err(AdmitError::Replica(error)) => wrong!("{whom} could not be admitted: {error}"),
        }
    }

    /// Who has gone comes in no more on the invitation on which they came: they would get the keys that were made because they went.
    pub(super) fn check_gone_stay_out(&mut self, honest: &[usize]) -> Outcome {
        for offer in self.offers.clone() {
            let (whom, id) = (&self.nodes[offer.to], offer.entry.2);
            let (name, person) = (whom.name.clone(), whom.me.person);
            let roster = self.nodes[offer.inviter]
                .replica
                .as_ref()
                .map(|replica| replica.roster());
            let admitted = roster.and_then(|roster| roster.admitted_by(id));
            let came = admitted.is_some_and(|(_, admit)| admit.joiner == whom.me.named());
            let is_in = roster.is_some_and(|roster| roster.person(person).is_some());
            if !honest.contains(&offer.inviter) || !came || is_in {
                continue;
            }
            let Ok(invitation) = Invitation::parse(&offer.text) else {
                wrong!("an invitation does not read back");
            };
            let (to_inviter, to_joiner) = self.channels(offer.to, offer.inviter);
            let whom = &self.nodes[offer.to];
            let request = invitation.request(&whom.me, &self.persons[whom.person].key, &to_inviter);
            let now = self.now(offer.inviter);
            let inviter = &mut self.nodes[offer.inviter];
            let replica = inviter.replica.as_mut().unwrap();
            if let Ok(Answer::Admitted(_)) = replica.admit(&request, &to_joiner, now, inviter.dice.rng()) {
                wrong!("{name} has gone, and came in again on the invitation on which they came");
            }
        }
        Ok(())
    }

    /// A member who asked to join with a device that is not theirs yet signs its enrolment.
    fn enrols_to_join(&mut self, offer: &Offer, invitation: &Invitation, known: &Known) -> Outcome {
        let membership = known.membership();
        if self.hop(&Frame::Member { membership })?.is_none() {
            return Ok(());
        }
        let Some(enrol) = self.enrolment(offer.inviter, offer.to) else {
            wrong!("a member without a membership");
        };
        let Some(Frame::PublishEnrolment(enrol)) = self.hop(&Frame::PublishEnrolment(Box::new(enrol)))?
        else {
            return Ok(());
        };
        let attempt = self.attempt(offer.inviter, |replica, rng, _| replica.enrol(known, *enrol, rng))?;
        self.note(offer.inviter, Act::Control, &attempt.wrote)?;
        let (by, joiner) = (
            self.nodes[offer.inviter].me.person,
            self.nodes[offer.to].me.person,
        );
        self.model.lets_in(by, joiner);
        match attempt.result {
            Ok(admission) => self.admitted(offer, invitation, admission),
            Err(AdmitError::Replica(_)) if attempt.fault => Ok(()),
            Err(error) => wrong!("a member's further device was not enrolled: {error}"),
        }
    }

    /// Sends a frame over a connection that may break: none where it did.
    fn hop(&mut self, frame: &Frame) -> Outcome<Option<Frame>> {
        if self.dice.chance(20) {
            self.trace
                .event(format_args!("a frame is lost while somebody joins"));
            return Ok(None);
        }
        match Frame::from_bytes(&frame.to_bytes()) {
            Ok(read) if read == *frame => Ok(Some(read)),
            Ok(_) => wrong!("a frame reads back as another"),
            Err(error) => wrong!("a frame does not read back: {error}"),
        }
    }

    /// The inviting device's answer goes to the joiner.
    fn admitted(&mut self, offer: &Offer, invitation: &Invitation, admission: Admission) -> Outcome {
        let Ok(bundle) = self
            .replica(offer.inviter)
            .bundle(&Frontier::new(), Compression::Fast)
        else {
            wrong!("no bundle for a joiner");
        };
        let reply = Frame::Admitted {
            grant: admission.grant,
            boxes: admission.boxes,
        };
        let Some(Frame::Admitted { boxes, .. }) = self.hop(&reply)? else {
            return Ok(());
        };
        let mut received = Vec::new();
        for part in bundle_parts(&bundle) {
            let Some(Frame::BundlePart { bytes, .. }) = self.hop(&part)? else {
                return Ok(());
            };
            received.extend(bytes.0);
        }
        if self.goes_on_beginning(offer.to)? {
            return Ok(());
        }
        self.tempt(offer.to);
        let joiner = &mut self.nodes[offer.to];
        let (disk, rng) = (joiner.disk.clone(), joiner.dice.rng());
        let joined = Replica::join(
            disk,
            invitation,
            &joiner.me,
            &joiner.box_secret,
            &boxes,
            &received,
            rng,
        );
        self.came_in(offer.to, joined)
    }

    /// Did the power go when this device had the group and no journal yet?
    fn has_begun(&self, node: usize) -> bool {
        matches!(self.nodes[node].disk.group(), Ok(Some(_)))
    }

    /// A device that has the group opens its journal, as after any start. Where it cannot, it begins from nothing.
    fn goes_on_beginning(&mut self, node: usize) -> Outcome<bool> {
        if !self.has_begun(node) {
            return Ok(false);
        }
        self.tempt(node);
        let taker = &mut self.nodes[node];
        let replica = Replica::open(taker.disk.clone());
        let replica = replica.and_then(|mut replica| {
            replica.set_box_secret(taker.box_secret.clone())?;
            Ok(replica)
        });
        let able = replica.as_ref().is_ok_and(|replica| {
            replica.grant_for(&taker.me).is_some() && replica.keys().current().is_some()
        });
        let is_off = taker.disk.is_off();
        if !able && !is_off {
            taker.disk = Disk::default();
            return Ok(false);
        }
        let begun = replica.and_then(|mut replica| {
            replica.open_journal(&taker.me, taker.dice.rng())?;
            Ok(replica)
        });
        self.came_in(node, begun.map_err(JoinError::from))?;
        Ok(true)
    }

    /// A device has tried to begin with a group.
    fn came_in(&mut self, node: usize, came: Result<Replica<Disk>, JoinError>) -> Outcome {
        let is_in = came.is_ok();
        let error = came.err().map(|error| error.to_string());
        let (fired, _) = self.nodes[node].disk.settle();
        self.report.faults += u64::from(fired);
        if !is_in && !fired {
            wrong!(
                "{} could not join: {}",
                self.nodes[node].name,
                error.unwrap_or_default()
            );
        }
        // Whatever is on the disk now is what counts, as after any other start.
        self.restart(node)?;
        let begun = self.nodes[node].replica.is_some();
        let name = self.nodes[node].name.clone();
        self.trace
            .event(format_args!("{name} begins with the group: {begun}"));
        if is_in && !begun {
            wrong!("{name} joined and is not in");
        }
        Ok(())
    }

    /// Somebody found a used invitation.
    fn stranger_tries(&mut self, offer: &Offer, invitation: &Invitation) -> Outcome {
        // A restored inviter who may write on does not know what they admitted since: that is a fork, not a used invitation. And
        // where they were answered with another's admission, it was not used.
        if !self.knows_used(offer) {
            return Ok(());
        }
        let seed = self.dice.below(1 << 30);
        let stranger = Node::new(seed as u64, 999, self.nodes[offer.to].person, true, &self.persons);
        let mut exporter = [0; 32];
        self.dice.rng().fill_bytes(&mut exporter);
        let channel = |peer: &Node| Channel {
            exporter,
            peer: peer.me.device_id(),
        };
        let inviter = &self.nodes[offer.inviter];
        let person = &self.persons[stranger.person];
        let request = invitation.request(&stranger.me, &person.key, &channel(inviter));
        let to_stranger = channel(&stranger);
        let attempt = self.attempt(offer.inviter, |replica, rng, now| {
            replica.admit(&request, &to_stranger, now, rng)
        })?;
        self.trace.event(format_args!("a used invitation is tried again"));
        if !attempt.wrote.is_empty() {
            wrong!("a used invitation let somebody in");
        }
        match attempt.result {
            // Where the invitation is not what let them in: nothing was written, and they are who they say.
            Err(AdmitError::Refused(JoinRefusal::Used)) | Ok(Answer::Member(_)) => Ok(()),
            // Nobody came in on it: its answer was another member's, or an enrolment.
            Err(AdmitError::Refused(JoinRefusal::Vouchers)) if !self.knows_used(offer) => Ok(()),
            Err(AdmitError::Refused(why)) => self.check_refusal(offer, why),
            Err(AdmitError::Replica(_)) if attempt.fault => Ok(()),
            Err(AdmitError::Replica(ReplicaError::NotAllowed(NotOk::InvitationEnded)))
                if !self.knows_used(offer) =>
            {
                Ok(())
            }
            other => wrong!("a used invitation was answered with {other:?}"),
        }
    }

    fn knows_used(&self, offer: &Offer) -> bool {
        let replica = self.nodes[offer.inviter].replica.as_ref();
        replica.is_some_and(|replica| replica.roster().admitted_by(offer.entry.2).is_some())
    }

    /// Is there a reason for this refusal?
    fn check_refusal(&mut self, offer: &Offer, why: JoinRefusal) -> Outcome {
        let now = self.now(offer.inviter);
        let joiner = self.nodes[offer.to].me.person;
        let replica = self.nodes[offer.inviter].replica.as_ref().unwrap();
        let own = replica.own_journal();
        let (journal, number, id) = offer.entry;
        let is_held = self.nodes[offer.inviter].has_applied((journal, number), id);
        let justified = match why {
            JoinRefusal::Expired => now > offer.expires,
            JoinRefusal::Unable => own.is_none(),
            // Since a backup was restored its journal is another one, or the invitation is lost.
            JoinRefusal::Unknown => own.is_some_and(|own| own != journal) || !is_held,
            JoinRefusal::AlreadyAMember => replica.roster().persons().contains_key(&joiner),
            // They came in on it once, and that place is over. They may have another one.
            JoinRefusal::Used => {
                let admitted = replica.roster().admitted_by(id);
                offer.is_used && admitted.is_some_and(|(grant, _)| !replica.roster().is_enrolled(grant))
            }
            JoinRefusal::Invalid | JoinRefusal::Vouchers => false,
        };
        if !justified {
            wrong!("refused without reason: {why}");
        }
        Ok(())
    }

    /// Somebody enrols a further device, on their first one or with another member's help.
    pub(super) fn somebody_enrols(&mut self) -> Outcome {
        let Some(device) = self.some_node(|node| !node.is_first && node.replica.is_none()) else {
            return Ok(());
        };
        let Some(by) = self.some_node(|node| node.role().is_some()) else {
            return Ok(());
        };
        let Some(enrol) = self.enrolment(by, device) else {
            return Ok(());
        };
        let attempt = self.attempt(by, |replica, _, _| replica.write_act(ControlAct::Enrol(enrol)))?;
        self.model
            .lets_in(self.nodes[by].me.person, self.nodes[device].me.person);
        let (who, what) = (&self.nodes[by].name, &self.nodes[device].name);
        self.trace
            .event(format_args!("{who} enrols {what}: {}", attempt.result.is_ok()));
        self.note_control(by, &attempt)?;
        if attempt.result.is_ok() && self.dice.chance(70) {
            self.hand_over(by, device)?;
        }
        Ok(())
    }

    /// An enrolment of a device, signed by its person: none where `at` does not know them as a member.
    pub(super) fn enrolment(&mut self, at: usize, device: usize) -> Option<Enrol> {
        let replica = self.nodes[at].replica.as_ref()?;
        let person = &self.persons[self.nodes[device].person];
        let membership = replica.roster().membership(person.id)?;
        let enrolled = self.nodes[device].me.named();
        let mut nonce = [0; 16];
        self.dice.rng().fill_bytes(&mut nonce);
        Some(sign_enrolment(
            replica.group(),
            membership,
            enrolled,
            nonce,
            &person.key,
        ))
    }

    /// A device that somebody's roster knows, and that has not begun, is given the keys and the group.
    pub(super) fn somebody_hands_over(&mut self) -> Outcome {
        let Some(from) = self.some_node(|node| node.role().is_some()) else {
            return Ok(());
        };
        if let Some(to) = self.some_node(|node| node.replica.is_none()) {
            self.hand_over(from, to)?;
        }
        Ok(())
    }

    /// Keys go directly, as boxes will carry them later; the group goes as a bundle.
    fn hand_over(&mut self, from: usize, to: usize) -> Outcome {
        self.make_key(from)?;
        let giver = self.nodes[from].replica.as_ref().unwrap();
        if giver.grant_for(&self.nodes[to].me).is_none() {
            return Ok(());
        }
        let group = giver.group();
        let keys: Vec<GroupKey> = giver.keys().iter().cloned().collect();
        let Ok(bundle) = giver.bundle(&Frontier::new(), Compression::Fast) else {
            wrong!("no bundle for a further device");
        };
        if self.goes_on_beginning(to)? {
            return Ok(());
        }
        self.tempt(to);
        let taker = &mut self.nodes[to];
        let begun = Replica::from_bundle(taker.disk.clone(), group, keys, &bundle);
        let begun = begun.and_then(|mut replica| {
            replica.open_journal(&taker.me, taker.dice.rng())?;
            Ok(replica)
        });
        self.came_in(to, begun)
    }
}

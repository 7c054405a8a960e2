//! One step of a session with the replica at hand: what was said is taken in, keys are given, a journal is opened.

use std::collections::BTreeSet;

use crate::domain::control::Enrol;
use crate::domain::id::{KeyId, Timestamp};
use crate::host::random::{self, SystemRandom};
use crate::host::store::GroupStore;
use crate::replica::control::sign_enrolment;
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::session::{Effect, Session};
use crate::replica::wire::Frame;

use super::{SessionError, Shared};

/// Whether this device has asked to be enrolled again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Enrolling {
    NotAsked,
    Asked,
    Refused,
}

pub(super) struct Step {
    pub(super) effects: Vec<Effect>,
    /// When something that was put off would be taken in.
    pub(super) takes_more_at: Option<Timestamp>,
    pub(super) even: bool,
    /// A fresh journal was opened after an enrolment.
    pub(super) opened: bool,
}

pub(super) fn step(
    shared: &Shared,
    session: &mut Session,
    frame: Option<Frame>,
    replica: &mut Replica<GroupStore>,
    enrolling: &mut Enrolling,
) -> Result<Step, SessionError> {
    let named = matches!(frame, Some(Frame::Identify { .. }));
    let mut effects = match frame {
        Some(frame) => session.on_frame(frame, replica, &mut SystemRandom)?,
        None => session.on_change(replica)?,
    };
    let learned = |effect: &Effect| matches!(effect, Effect::Received(received) if received.control);
    let lacks = session.take_lacks();
    let met = named || !lacks.is_empty() || effects.iter().any(learned);
    if met && give_keys(session, replica, &lacks)? {
        effects.extend(session.on_change(replica)?);
    }
    let mut opened = false;
    if replica.own_journal().is_none() {
        if replica.grant_for(shared.node.me()).is_some() {
            replica.open_journal(shared.node.me(), &mut SystemRandom)?;
            effects.extend(session.on_change(replica)?);
            opened = true;
            *enrolling = Enrolling::NotAsked;
        } else if *enrolling == Enrolling::NotAsked
            && session.is_even(replica)
            && let Some(enrol) = enrolment(shared, replica)
        {
            effects.extend(session.ask_to_publish(enrol));
            *enrolling = Enrolling::Asked;
        }
    }
    let put_off =
        |effect: &Effect| matches!(effect, Effect::Received(received) if !received.put_off.is_empty());
    if effects.iter().any(put_off) {
        replica
            .storage()
            .set_put_off(replica.put_off())
            .map_err(ReplicaError::from)?;
    }
    Ok(Step {
        takes_more_at: replica.takes_more_at(),
        effects,
        even: session.is_even(replica),
        opened,
    })
}

/// Gives the other device the keys that it lacks, also those that it has just shown to lack. True where there were some.
fn give_keys(
    session: &Session,
    replica: &mut Replica<GroupStore>,
    lacks: &BTreeSet<KeyId>,
) -> Result<bool, ReplicaError> {
    let Some(journal) = session.peer().filter(|_| session.is_open()) else {
        return Ok(false);
    };
    let peer = (journal, session.device());
    Ok(replica.give_keys_to(peer, lacks, &mut SystemRandom)?.is_some())
}

/// This device's enrolment, signed by its person: after it was restored from an older state.
fn enrolment(shared: &Shared, replica: &Replica<GroupStore>) -> Option<Enrol> {
    let node = &shared.node;
    let words = node.recovery_words(&shared.passphrase.as_ref()?.now()).ok()?;
    let me = node.me();
    let membership = replica.roster().membership(me.person)?;
    Some(sign_enrolment(
        replica.group(),
        membership,
        me.named(),
        random::bytes(),
        &words.person_key(),
    ))
}

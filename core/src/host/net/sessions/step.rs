//! One step of a session with the replica at hand: what was said is taken in, keys are given, a journal is opened.

use std::collections::BTreeSet;

use crate::domain::control::Enrol;
use crate::domain::id::{KeyId, Timestamp};
use crate::host::node::now;
use crate::host::random::{self, SystemRandom};
use crate::host::store::GroupStore;
use crate::replica::control::sign_enrolment;
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::session::{Effect, Session};
use crate::replica::wire::Frame;

use super::{SessionError, Shared};

/// What was put off is not asked for again before that: it comes as a whole, with all that was put off with it.
const AGAIN_AFTER_MILLISECONDS: u64 = 600_000;

/// Whether this device has asked to be enrolled again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Enrolling {
    NotAsked,
    Asked,
    Refused,
}

pub(super) struct Step {
    pub(super) effects: Vec<Effect>,
    /// When something that was put off just now is worth being offered again.
    pub(super) again: Option<Timestamp>,
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
            && (session.is_even(replica) || !replica.put_off().is_empty())
            && let Some(enrol) = enrolment(shared, replica)
        {
            effects.extend(session.ask_to_publish(enrol));
            *enrolling = Enrolling::Asked;
        }
    }
    let mut again = None;
    for effect in &effects {
        if let Effect::Received(received) = effect
            && !received.put_off.is_empty()
        {
            let storage = replica.storage();
            storage
                .set_put_off(replica.put_off())
                .map_err(ReplicaError::from)?;
            let until = replica.takes_more_at(&received.put_off);
            let at_once = Timestamp(now().0.saturating_add(AGAIN_AFTER_MILLISECONDS));
            again = Some(until.map_or(at_once, |until| until.max(at_once)));
        }
    }
    Ok(Step {
        again,
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

//! A group whose charter asks that members have met whoever comes in.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod common;

use common::{NOW, Neighbour, channels, sync};
use kiez_core::domain::charter::{Amendment, Role};
use kiez_core::domain::control::CouncilAct;
use kiez_core::domain::id::Timestamp;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::join::{AdmitError, Invitation, asking_code};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::wire::JoinRefusal;

/// Asks to come in; true where the answer is yes.
fn asks(
    joiner: &Neighbour,
    invitation: &Invitation,
    a: &mut Replica<MemoryStorage>,
    anna: &mut Neighbour,
) -> Result<bool, JoinRefusal> {
    let (to_a, to_joiner) = channels(joiner.me.device_id(), anna.me.device_id());
    let request = invitation.request(&joiner.me, &joiner.person, &to_a);
    match a.admit(&request, &to_joiner, NOW, &mut anna.rng) {
        Ok(answer) => Ok(answer.admission().is_some()),
        Err(AdmitError::Refused(refusal)) => Err(refusal),
        Err(AdmitError::Replica(error)) => panic!("{error}"),
    }
}

#[test]
fn who_comes_waits_until_a_member_has_met_them_and_comes_in_with_the_same_invitation() {
    let mut anna = Neighbour::new(1);
    let mut ben = Neighbour::new(2);
    let carla = Neighbour::new(3);
    let mut a = anna.found();
    let mut b = ben.join(&mut a, &mut anna);
    let amend = CouncilAct::Amend(Amendment::Vouchers(2));
    a.propose(amend, "we want to know each other", NOW).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let invitation = a
        .invite(&anna.me, Role::Member, Timestamp(2_000), vec![], &mut anna.rng)
        .unwrap();
    assert_eq!(
        asks(&carla, &invitation, &mut a, &mut anna),
        Err(JoinRefusal::Vouchers)
    );
    assert_eq!(
        asks(&carla, &invitation, &mut a, &mut anna),
        Err(JoinRefusal::Vouchers)
    );
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let asking = b.roster().asking();
    assert_eq!(asking.len(), 1, "asked for once, however often they come");
    let (ask, what, _) = asking.into_iter().next().unwrap();
    assert_eq!(what.person, carla.me.person);
    // The digits that Carla's screen shows are those on Ben's.
    assert_eq!(
        asking_code(b.group(), what.invite, what.person),
        asking_code(invitation.group, invitation.invite, carla.me.person)
    );
    // The inviter's own word is none: they say it by inviting.
    a.vouch(ask).unwrap();
    assert_eq!(
        asks(&carla, &invitation, &mut a, &mut anna),
        Err(JoinRefusal::Vouchers)
    );
    b.vouch(ask).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    // Two are asked for, and there is but one who could: never more than there are.
    assert_eq!(asks(&carla, &invitation, &mut a, &mut anna), Ok(true));
    assert!(a.roster().persons().contains_key(&carla.me.person));
    assert!(a.roster().asking().is_empty());
}

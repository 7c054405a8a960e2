//! Coming in: somebody who found an invitation, used it, was refused, or has gone; a member who lets in whom they may not.

use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::control::{Ask, Vouch};
use kiez_core::domain::control::{ControlAct, CouncilAct, Enrol, Leave, Open, Retire, Withdraw};
use kiez_core::domain::id::{DeviceId, EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use kiez_core::planted::{Guard, without};
use kiez_core::replica::control::{act_to_bytes, open_bytes, sign, sign_enrolment};
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::join::{AdmitError, Answer, Invitation};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::Channel;
use kiez_core::replica::wire::{Frame, JoinRequest};

use super::common::{NOW, Neighbour, channels, sealed};
use super::people::{One, founder, three};
use super::street;
use super::{Outcome, Stop, attacks, held};

attacks! {
    "who was invited", "an invitation used twice",
        "the second one is refused", Stop::By(Guard::InvitationOnce), street::used_twice;
    "who was invited", "an invitation used after the council revoked it",
        "they are refused", Stop::By(Guard::InvitationEnded), street::after_revocation;
    "who was invited", "an invitation used after it was taken back",
        "they are refused", Stop::By(Guard::InvitationEnded), street::after_withdrawal;
    "who was invited", "an invitation used after its time",
        "they are refused", Stop::By(Guard::InvitationExpiry), street::expired;
    "who knows of an invitation", "an invitation used by the wrong key",
        "they are refused", Stop::By(Guard::InvitationKey), street::wrong_key;
    "who saw a request", "a request to join replayed in another session",
        "it is refused", Stop::By(Guard::JoinExporter), street::request_replayed;
    "who saw a request", "a request to join shown by another device",
        "it is refused", Stop::By(Guard::JoinDevice), another_device;
    "who was invited", "somebody joins in another's name",
        "they are refused", Stop::By(Guard::JoinSignatures), in_another_name;
    "a removed member", "they ask again on the invitation they came in with",
        "they get no key that was made since", Stop::By(Guard::Readmission), street::asks_again;
    "a member", "a member admits on another device's invitation",
        "nobody is in", Stop::By(Guard::OwnInvitation), on_another_invitation;
    "a member", "a voucher is missing",
        "nobody is in", Stop::By(Guard::Vouchers), voucher_missing;
    "a member", "who invites vouches themselves",
        "nobody is in", Stop::By(Guard::OtherVoucher), vouches_themselves;
    "a member", "a device enrolled for another person",
        "it is nobody's", Stop::By(Guard::EnrolSignature), enrols_for_another;
    "a member", "an own device enrolled in a steward's membership",
        "it is nobody's", Stop::By(Guard::OwnMembership), enrols_in_another;
    "a member", "a journal begun on another's grant, with an own device",
        "it is nobody's", Stop::By(Guard::GrantedDevice), opens_on_another;
    "a member", "a journal begun in the name of another's device",
        "it is nobody's", Stop::By(Guard::DeviceSignature), opens_as_another;
    "a member", "another's enrolment handed in to be published",
        "the session ends, nothing is written", Stop::By(Guard::PublishOwn), publishes_another;
    "a member", "a stranger to it retires a device",
        "the device stays", Stop::By(Guard::OwnKill), retires_another;
    "a member", "somebody leaves in another's name",
        "they stay", Stop::By(Guard::OwnKill), leaves_for_another;
    "a member", "another's invitation taken back",
        "it stays open", Stop::By(Guard::OwnKill), withdraws_another;
}

fn invites(anna: &mut One) -> Invitation {
    let invited = anna.at.invite(
        &anna.who.me,
        Role::Member,
        Timestamp(2_000),
        vec![],
        &mut anna.who.rng,
    );
    invited.unwrap()
}

fn asked(anna: &mut One, request: &JoinRequest, channel: &Channel) -> Result<Answer, AdmitError> {
    anna.at.admit(request, channel, NOW, &mut anna.who.rng)
}

fn another_device() -> Outcome {
    let mut anna = founder(10);
    let invitation = invites(&mut anna);
    let (ben, thief) = (Neighbour::new(11), Neighbour::new(12));
    let (to_anna, _) = channels(ben.me.device_id(), anna.who.me.device_id());
    let request = invitation.request(&ben.me, &ben.person, &to_anna);
    let (_, from_thief) = channels(thief.me.device_id(), anna.who.me.device_id());
    let answer = asked(&mut anna, &request, &from_thief);
    held(answer.is_err(), "a thief gets an answer to Ben's request")
}

fn in_another_name() -> Outcome {
    let [mut anna, carla, _] = three(20);
    anna.proposes(CouncilAct::Remove {
        membership: anna.membership(carla.person()),
    });
    anna.rekeys();
    let invitation = invites(&mut anna);
    let mut thief = Neighbour::new(29);
    thief.me.person = carla.person();
    let (to_anna, to_thief) = channels(thief.me.device_id(), anna.who.me.device_id());
    // Carla's person key is Carla's.
    let request = invitation.request(&thief.me, &thief.person, &to_anna);
    asked(&mut anna, &request, &to_thief).ok();
    held(
        !anna.has(carla.person()),
        "Carla is back in the group, on a thief's device",
    )
}

/// A request with an invitation that Mallory admits themselves.
fn admit_act(invitation: &Invitation, friend: &Neighbour) -> ControlAct {
    let (channel, _) = channels(friend.me.device_id(), invitation.inviter);
    ControlAct::Admit(invitation.request(&friend.me, &friend.person, &channel).admit)
}

fn on_another_invitation() -> Outcome {
    let [mut anna, _, mut mallory] = three(30);
    let invitation = invites(&mut anna);
    anna.meets(&mut mallory).unwrap();
    let friend = Neighbour::new(39);
    let act = admit_act(&invitation, &friend);
    without(Guard::OwnInvitation, || mallory.at.write_act(act).unwrap());
    anna.meets(&mut mallory).unwrap();
    held(
        !anna.has(friend.me.person),
        "Mallory's friend is in, whom Anna never saw",
    )
}

/// A group whose charter asks for one voucher, with Carla and Mallory in it.
fn with_vouchers(seed: u64) -> [One; 3] {
    let mut who = Neighbour::new(seed);
    let empty = MemoryStorage::default();
    let at = Replica::found(empty, &who.me, &who.person, Charter::circle(), &mut who.rng).unwrap();
    let mut anna = One::of(who, at);
    let (mut carla, mut mallory) = (anna.lets_in(seed + 1), anna.lets_in(seed + 2));
    anna.proposes(CouncilAct::Amend(
        kiez_core::domain::charter::Amendment::Vouchers(1),
    ));
    for _ in 0..2 {
        anna.meets(&mut carla).unwrap();
        anna.meets(&mut mallory).unwrap();
    }
    [anna, carla, mallory]
}

fn voucher_missing() -> Outcome {
    let [mut anna, _, mut mallory] = with_vouchers(40);
    let invitation = invites(&mut mallory);
    let friend = Neighbour::new(49);
    let act = admit_act(&invitation, &friend);
    without(Guard::Vouchers, || mallory.at.write_act(act).unwrap());
    anna.meets(&mut mallory).unwrap();
    held(!anna.has(friend.me.person), "somebody is in whom nobody has met")
}

fn vouches_themselves() -> Outcome {
    let [mut anna, _, mut mallory] = with_vouchers(50);
    let invitation = invites(&mut mallory);
    let friend = Neighbour::new(59);
    let ask = Ask {
        invite: invitation.invite,
        person: friend.me.person,
    };
    let ask = mallory.at.write_act(ControlAct::Ask(ask)).unwrap();
    mallory.at.write_act(ControlAct::Vouch(Vouch { ask })).unwrap();
    let act = admit_act(&invitation, &friend);
    without(Guard::OtherVoucher, || mallory.at.write_act(act).unwrap());
    anna.meets(&mut mallory).unwrap();
    held(
        !anna.has(friend.me.person),
        "somebody is in whom only the inviter vouches for",
    )
}

fn devices_of(anna: &One, person: PersonId) -> usize {
    anna.at.roster().persons()[&person].devices.len()
}

fn enrols_for_another() -> Outcome {
    let [mut anna, carla, mut mallory] = three(60);
    let thief = Neighbour::new(69);
    let mut named = thief.me.named();
    named.person = carla.person();
    let membership = mallory.membership(carla.person());
    let enrol = sign_enrolment(
        mallory.at.group(),
        membership,
        named,
        [7; 16],
        &mallory.who.person,
    );
    without(Guard::EnrolSignature, || {
        mallory.at.write_act(ControlAct::Enrol(enrol)).unwrap()
    });
    anna.meets(&mut mallory).unwrap();
    held(
        devices_of(&anna, carla.person()) == 1,
        "Mallory's device writes as Carla",
    )
}

fn enrols_in_another() -> Outcome {
    let [mut anna, _, mut mallory] = three(70);
    let mut second = Neighbour::new(79);
    second.me.person = mallory.person();
    let membership = mallory.membership(anna.person());
    let group = mallory.at.group();
    let enrol: Enrol = sign_enrolment(group, membership, second.me.named(), [7; 16], &mallory.who.person);
    without(Guard::OwnMembership, || {
        mallory.at.write_act(ControlAct::Enrol(enrol)).unwrap()
    });
    anna.meets(&mut mallory).unwrap();
    held(
        devices_of(&anna, anna.person()) == 1,
        "Mallory's device is a steward's",
    )
}

/// A fresh journal that says to begin on Anna's grant.
fn begins(
    mallory: &mut One,
    grant: EntryId,
    device: DeviceId,
) -> (JournalId, kiez_core::replica::entry::Entry) {
    let key = ed25519_dalek::SigningKey::generate(&mut mallory.who.rng);
    let journal = JournalId(key.verifying_key().to_bytes());
    let message = open_bytes(mallory.at.group(), grant, journal);
    let act = ControlAct::Open(Open {
        grant,
        device,
        device_signature: sign(&mallory.who.me.device, &message),
    });
    let begin = (EntryNumber(0), EntryId::ZERO);
    let seen = [grant].into();
    let under = mallory.key();
    let entry = sealed(
        &mallory.at,
        &key,
        begin,
        seen,
        EntryKind::Control,
        &under,
        &act_to_bytes(&act),
    );
    (journal, entry)
}

fn opens_on_another() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(80);
    let device = mallory.who.me.device_id();
    let grant = mallory.membership(anna.person());
    let (journal, entry) = begins(&mut mallory, grant, device);
    carla.takes(&mut mallory, &[entry]).ok();
    anna.meets(&mut carla).unwrap();
    held(
        anna.at.roster().author(journal).is_none(),
        "Mallory has a journal as Anna",
    )
}

fn opens_as_another() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(90);
    let grant = mallory.membership(anna.person());
    let (journal, entry) = begins(&mut mallory, grant, anna.who.me.device_id());
    carla.takes(&mut mallory, &[entry]).ok();
    anna.meets(&mut carla).unwrap();
    held(
        anna.at.roster().author(journal).is_none(),
        "Mallory has a journal as Anna's device",
    )
}

fn publishes_another() -> Outcome {
    let [mut anna, carla, mut mallory] = three(100);
    let mut second = Neighbour::new(109);
    second.me.person = carla.person();
    let membership = mallory.membership(carla.person());
    // Signed by Carla for another time, and never meant to be published now.
    let group = mallory.at.group();
    let enrol = sign_enrolment(group, membership, second.me.named(), [7; 16], &carla.who.person);
    let heard = anna.hears(&mut mallory, Frame::PublishEnrolment(Box::new(enrol)));
    held(
        heard.is_err() && devices_of(&anna, carla.person()) == 1,
        "Mallory decides when a device of Carla's is enrolled",
    )
}

fn retires_another() -> Outcome {
    let [mut anna, carla, mut mallory] = three(110);
    let enrolment = mallory.membership(carla.person());
    let cut = mallory
        .at
        .cut_of(kiez_core::domain::roster::Tenure::Enrolment(enrolment));
    let act = ControlAct::Retire(Retire { enrolment, cut });
    without(Guard::OwnKill, || mallory.at.write_act(act).unwrap());
    anna.meets(&mut mallory).unwrap();
    held(
        devices_of(&anna, carla.person()) == 1,
        "Carla's laptop may not write any more",
    )
}

fn leaves_for_another() -> Outcome {
    let [mut anna, carla, mut mallory] = three(120);
    let membership = mallory.membership(carla.person());
    let cut = mallory
        .at
        .cut_of(kiez_core::domain::roster::Tenure::Membership(membership));
    let act = ControlAct::Leave(Leave { membership, cut });
    without(Guard::OwnKill, || mallory.at.write_act(act).unwrap());
    anna.meets(&mut mallory).unwrap();
    held(anna.has(carla.person()), "Carla has left, without knowing")
}

fn withdraws_another() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(130);
    let invitation = invites(&mut carla);
    anna.meets(&mut carla).unwrap();
    anna.meets(&mut mallory).unwrap();
    let invite = invitation.invite;
    let cut = mallory
        .at
        .cut_of(kiez_core::domain::roster::Tenure::Invitation(invite));
    let act = ControlAct::Withdraw(Withdraw { invite, cut });
    without(Guard::OwnKill, || mallory.at.write_act(act).unwrap());
    anna.meets(&mut mallory).unwrap();
    let open = anna.at.roster().open_invitations();
    held(open.contains_key(&invite), "Carla's invitation is void")
}

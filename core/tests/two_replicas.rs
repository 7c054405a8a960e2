//! Two replicas in memory, joined by a session without a network: the thinnest path through everything pure.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::id::{DeviceId, PersonId, Timestamp};
use kiez_core::domain::poll::{Method, PollState};
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::BoxSecret;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Effect, Session, Side, hello};
use kiez_core::replica::wire::Frame;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

struct Neighbour {
    me: Me,
    person: SigningKey,
    box_secret: BoxSecret,
    rng: ChaCha20Rng,
}

impl Neighbour {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let person = SigningKey::generate(&mut rng);
        let device = SigningKey::generate(&mut rng);
        let box_secret = BoxSecret::generate(&mut rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device,
            box_key: box_secret.public(),
        };
        Self {
            me,
            person,
            box_secret,
            rng,
        }
    }
}

fn channels(a: DeviceId, b: DeviceId) -> (Channel, Channel) {
    let exporter = [9; 32];
    (Channel { exporter, peer: b }, Channel { exporter, peer: a })
}

/// Runs a session until nothing is said any more; returns how many bytes were.
fn sync(
    a: &mut Replica<MemoryStorage>,
    an: &mut Neighbour,
    b: &mut Replica<MemoryStorage>,
    bn: &mut Neighbour,
) -> usize {
    let (to_b, to_a) = channels(an.me.device_id(), bn.me.device_id());
    let mut at_a = Session::new(Side::Dialler, to_b);
    let mut at_b = Session::new(Side::Answerer, to_a);
    let mut for_b = vec![hello(a.keys(), &to_b, Side::Dialler, &mut an.rng)];
    let mut for_a: Vec<Frame> = vec![];
    let mut bytes = 0;
    while !for_a.is_empty() || !for_b.is_empty() {
        for frame in std::mem::take(&mut for_b) {
            let raw = frame.to_bytes();
            bytes += raw.len() + 4;
            let effects = at_b
                .on_frame(Frame::from_bytes(&raw).unwrap(), b, &mut bn.rng)
                .unwrap();
            for_a.extend(effects.into_iter().filter_map(send));
        }
        for frame in std::mem::take(&mut for_a) {
            let raw = frame.to_bytes();
            bytes += raw.len() + 4;
            let effects = at_a
                .on_frame(Frame::from_bytes(&raw).unwrap(), a, &mut an.rng)
                .unwrap();
            for_b.extend(effects.into_iter().filter_map(send));
        }
    }
    assert!(
        at_a.is_even(a) && at_b.is_even(b),
        "both sides know that they have the same"
    );
    bytes
}

fn send(effect: Effect) -> Option<Frame> {
    match effect {
        Effect::Send(frame) => Some(frame),
        Effect::Close(why) => panic!("{why}"),
        Effect::Received(_) | Effect::PeerHas(_) | Effect::Progress { .. } | Effect::Published => None,
    }
}

#[test]
fn two_neighbours_found_write_vote_and_have_the_same() {
    let now = Timestamp(1_000);
    let mut anna = Neighbour::new(1);
    let mut ben = Neighbour::new(2);
    let mut a = Replica::found(
        MemoryStorage::default(),
        &anna.me,
        &anna.person,
        Charter::circle(),
        &mut anna.rng,
    )
    .unwrap();
    a.describe_group("Zawodzie", "Our quarter", now).unwrap();
    a.set_profile_name("Anna", now).unwrap();
    let idea = a
        .add_idea(
            &Draft {
                title: "Benches".into(),
                body: "Two benches by the lime tree.".into(),
                ..Draft::default()
            },
            now,
            &mut anna.rng,
        )
        .unwrap();

    // Ben joins.
    let invitation = a
        .invite(&anna.me, Role::Member, Timestamp(2_000), vec![], &mut anna.rng)
        .unwrap();
    let (to_a, to_b) = channels(ben.me.device_id(), anna.me.device_id());
    let request = invitation.request(&ben.me, &ben.person, &to_a);
    let admission = a.admit(&request, &to_b, now, &mut anna.rng).unwrap();
    let bundle = a.bundle(&Frontier::new(), Compression::Fast).unwrap();
    let mut b = Replica::join(
        MemoryStorage::default(),
        &invitation,
        &ben.me,
        &ben.box_secret,
        &admission.boxes,
        &bundle,
        &mut ben.rng,
    )
    .unwrap();
    assert_eq!(b.info().unwrap().name, "Zawodzie");
    b.set_profile_name("Ben", now).unwrap();

    // Apart: both edit the same paragraph, both add tasks.
    a.edit_idea(idea, "Two green benches by the lime tree.", now)
        .unwrap();
    b.edit_idea(idea, "Two benches by the old lime tree.", now)
        .unwrap();
    let task = b
        .add_task(
            Some(idea),
            &TaskDraft {
                title: "Ask the city".into(),
                ..TaskDraft::default()
            },
            now,
            &mut ben.rng,
        )
        .unwrap();
    a.add_task(
        None,
        &TaskDraft {
            title: "Print leaflets".into(),
            ..TaskDraft::default()
        },
        now,
        &mut anna.rng,
    )
    .unwrap();
    b.comment(idea, "Good!", now, &mut ben.rng).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    assert_eq!(a.digest().unwrap(), b.digest().unwrap());
    assert_eq!(
        a.idea(idea).unwrap().body,
        "Two green benches by the old lime tree."
    );
    assert_eq!(a.name_of(ben.me.person).unwrap().as_deref(), Some("Ben"));

    // A vote on each side.
    let poll = a.open_poll(idea, Method::YesNo, vec![], now).unwrap();
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.cast(poll, &["yes".into()], now).unwrap();
    b.cast(poll, &["no".into()], now).unwrap();
    b.cast(poll, &["yes".into()], now).unwrap();
    b.set_task_state(Some(idea), task, TaskState::Done, now).unwrap();
    assert!(b.close_poll(poll, now).is_err(), "Ben does not count this vote");
    sync(&mut a, &mut anna, &mut b, &mut ben);
    a.close_poll(poll, now).unwrap();
    assert!(a.cast(poll, &["no".into()], now).is_err(), "the vote is closed");
    sync(&mut a, &mut anna, &mut b, &mut ben);
    let result = a.poll_outcome(poll).unwrap();
    assert_eq!(result, b.poll_outcome(poll).unwrap());
    assert_eq!(
        (result.state, result.eligible, result.cast),
        (PollState::Closed, 2, 2)
    );
    assert_eq!(result.tally.unwrap().counts, [2, 0, 0]);
    assert_eq!(a.tasks(Some(idea)).unwrap()[0].state, TaskState::Done);
    assert_eq!(
        sync(&mut a, &mut anna, &mut b, &mut ben) / 1024,
        1,
        "nothing new costs a greeting"
    );

    // From the raw entries alone.
    let digest = a.digest().unwrap();
    a.rebuild().unwrap();
    assert_eq!(a.digest().unwrap(), digest);
    let b = Replica::open(b.into_storage()).unwrap().digest().unwrap();
    assert_eq!(b, digest);
}

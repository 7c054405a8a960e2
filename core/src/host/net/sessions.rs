//! Drives sync sessions over connections: frames in, effects out.

mod step;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use tokio::sync::{broadcast, mpsc};
use tokio::task::block_in_place;

use crate::domain::id::{DeviceId, GroupId, Timestamp};
use crate::host::clock::instant;
use crate::host::node::{Changed, NodeError, now};
use crate::host::random::SystemRandom;
use crate::host::store::{GroupStore, PeerRow};
use crate::planted::{Guard, is_off};
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::session::{Channel, Close, Effect, Session, Side, hello, is_member};
use crate::replica::wire::{Frame, Goodbye};

use super::frames::{self, WireError};
use super::outgoing::{Outgoing, outgoing};
use super::places::{dialable, endpoint_address};
use super::running::Running;
use super::{Contact, DIAL, SYNC, Shared};
use step::{Enrolling, step};

/// How often an attempt is moved to where the device was just seen.
const PLACES_MAX: usize = 4;

/// How long the last words may take to arrive.
const FAREWELL: Duration = Duration::from_millis(700);

/// How long a member may take for each step of showing who it is: it may be busy with what somebody else brings.
const NAMING: Duration = Duration::from_secs(20);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("{0}")]
    Closed(String),
}

impl From<ReplicaError> for SessionError {
    fn from(error: ReplicaError) -> Self {
        Self::Node(error.into())
    }
}

/// Tries to reach a device, and syncs with it until the connection ends.
pub(super) async fn dial(shared: &Shared, group: GroupId, device: DeviceId, addresses: BTreeSet<SocketAddr>) {
    if shared.contact(group, device).is_none() {
        shared.set_contact(group, device, Contact::Busy);
    }
    let ended = dial_and_sync(shared, group, device, addresses).await;
    if let Err(error) = &ended {
        tracing::debug!("{device:?}: {error}");
    }
    ended_with(shared, group, device);
}

async fn dial_and_sync(
    shared: &Shared,
    group: GroupId,
    device: DeviceId,
    addresses: BTreeSet<SocketAddr>,
) -> Result<(), SessionError> {
    let connection = connect(shared, device, addresses).await?;
    // They dialled, too, and came first.
    if shared.sessions.any_with((group, device)) {
        return Ok(());
    }
    shared.set_contact(group, device, Contact::Busy);
    let channel = frames::channel(&connection)?;
    let greeting = shared.with_group(group, |replica| {
        Ok::<_, NodeError>(hello(replica.keys(), &channel, Side::Dialler, &mut SystemRandom))
    })?;
    let (send, recv) = frames::open(&connection, &greeting).await?;
    let session = Session::new(Side::Dialler, channel);
    run(shared, group, session, channel, &connection, send, recv, None).await
}

/// Connects. Where the device is seen somewhere else meanwhile, there: an address that was kept may be long out of date.
async fn connect(
    shared: &Shared,
    device: DeviceId,
    mut addresses: BTreeSet<SocketAddr>,
) -> Result<Connection, WireError> {
    let mut nearby = shared.nearby.subscribe();
    for _ in 0..PLACES_MAX {
        let address = endpoint_address(device, &addresses).ok_or(WireError::Lost)?;
        let tried = dialable(&addresses);
        let elsewhere = nearby.wait_for(|nearby| {
            nearby
                .get(&device)
                .is_some_and(|seen| !dialable(seen).is_subset(&tried))
        });
        let seen = tokio::select! {
            connection = tokio::time::timeout(DIAL, shared.endpoint.connect(address, SYNC)) => {
                return connection.map_err(|_| WireError::Lost)?.map_err(|_| WireError::Lost);
            }
            () = shared.stopped() => None,
            nearby = elsewhere => nearby.ok().and_then(|nearby| nearby.get(&device).cloned()),
        };
        addresses.extend(seen.ok_or(WireError::Lost)?);
    }
    Err(WireError::Lost)
}

/// Answers somebody who dialled: finds out which group they mean.
pub(super) async fn answer(shared: &Shared, connection: &Connection) -> Result<(), SessionError> {
    let channel = frames::channel(connection)?;
    let accepted = shared.unless_stopped(frames::accept(connection)).await;
    let (mut send, recv, greeting) = accepted.ok_or(WireError::Lost)??;
    let Some(group) = group_of(shared, &greeting, &channel)? else {
        frames::write(&mut send, &Frame::Goodbye(Goodbye::NoCommonGroup)).await?;
        farewell(&mut send).await;
        return Ok(());
    };
    shared.set_contact(group, channel.peer, Contact::Busy);
    let session = Session::new(Side::Answerer, channel);
    let first = Some(greeting);
    let ended = run(shared, group, session, channel, connection, send, recv, first).await;
    ended_with(shared, group, channel.peer);
    ended
}

/// The group whose key a greeting proves.
fn group_of(shared: &Shared, greeting: &Frame, channel: &Channel) -> Result<Option<GroupId>, NodeError> {
    for group in block_in_place(|| shared.node.groups())? {
        let member = shared.with_group(group, |replica| {
            Ok::<_, NodeError>(is_member(greeting, replica.keys(), channel, Side::Dialler))
        })?;
        if member {
            return Ok(Some(group));
        }
    }
    Ok(None)
}

fn ended_with(shared: &Shared, group: GroupId, device: DeviceId) {
    if shared.sessions.any_with((group, device)) {
        // Another session goes on: it is to say again how it stands.
        shared.node.tell(group);
        return;
    }
    let contact = match shared.contact(group, device) {
        Some(Contact::Even | Contact::EndedEven) => Contact::EndedEven,
        Some(Contact::Busy | Contact::Lost) | None => Contact::Lost,
    };
    shared.set_contact(group, device, contact);
    let kept = block_in_place(|| shared.node.keep_peer(group, device));
    if let Err(error) = kept {
        tracing::warn!("what {device:?} has could not be kept: {error}");
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one connection, each used once"
)]
async fn run(
    shared: &Shared,
    group: GroupId,
    mut session: Session,
    channel: Channel,
    connection: &Connection,
    mut send: SendStream,
    mut recv: RecvStream,
    first: Option<Frame>,
) -> Result<(), SessionError> {
    // Reading and writing go on at the same time: two sides that only write would wait for each other for ever.
    let (outgoing, mut waiting) = outgoing();
    let (incoming, mut frames_in) = mpsc::channel::<Result<Frame, WireError>>(1);
    let writing = async move {
        waiting.write(&mut send, frames::PATIENCE).await?;
        farewell(&mut send).await;
        Ok::<_, WireError>(())
    };
    let reading = async move {
        loop {
            let frame = match frames::read(&mut recv).await {
                Ok(Some(frame)) => Ok(frame),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let broken = frame.is_err();
            if incoming.send(frame).await.is_err() || broken {
                return;
            }
        }
    };
    remember_address(shared, group, connection, channel.peer);
    let place = (group, channel.peer);
    let me = shared.node.me().device_id();
    let dialler = if first.is_some() { channel.peer } else { me };
    let running = shared.sessions.begin(place, dialler, instant());
    let talking = talk(
        shared,
        place,
        &running,
        &mut session,
        first,
        &mut frames_in,
        outgoing,
    );
    let mut reading = std::pin::pin!(reading);
    let mut writing = std::pin::pin!(writing);
    let mut talking = std::pin::pin!(talking);
    let mut read_ended = false;
    let talked = loop {
        tokio::select! {
            talked = &mut talking => break talked,
            () = &mut reading, if !read_ended => read_ended = true,
            written = &mut writing => break written.map_err(SessionError::from),
        }
    };
    // Nothing more is said now: what was said last, also why, still goes out.
    if matches!(talked, Ok(()) | Err(SessionError::Closed(_))) {
        tokio::time::timeout(FAREWELL, writing).await.ok();
    }
    connection.close(0_u32.into(), b"");
    shared.sessions.end(place, &running);
    talked
}

/// The session itself: frames and changes in, effects out, until one side is done.
async fn talk(
    shared: &Shared,
    (group, peer): (GroupId, DeviceId),
    running: &Running,
    session: &mut Session,
    first: Option<Frame>,
    incoming: &mut mpsc::Receiver<Result<Frame, WireError>>,
    outgoing: Outgoing,
) -> Result<(), SessionError> {
    let mut changed = shared.node.events();
    let mut enrolling = Enrolling::NotAsked;
    let mut next = first;
    let mut again = None;
    loop {
        let frame = match next.take() {
            Some(frame) => Some(frame),
            None => tokio::select! {
                frame = heard(session, incoming, &outgoing) => match frame? {
                    Some(frame) => Some(frame),
                    None => return Ok(()),
                },
                there_is = changed_here(group, &mut changed, &outgoing), if session.is_open() => {
                    if !there_is {
                        return Ok(());
                    }
                    None
                }
                () = running.gives_way() => break,
                // What was put off is offered again by a new session.
                () = reached(again), if !session.is_receiving() => break,
                () = shared.stopped() => break,
            },
        };
        let (step, lacks_numbers) = shared.with_group(group, |replica| {
            let step = step(shared, session, frame, replica, &mut enrolling)?;
            let lacks = lacks_numbers(replica, &step.effects)?;
            Ok::<_, SessionError>((step, lacks))
        })?;
        let mut tell = false;
        for effect in step.effects {
            match effect {
                Effect::Send(frame) => outgoing.say(&frame)?,
                Effect::PeerHas(has) => {
                    let at = now();
                    shared.node.peer_has(
                        group,
                        PeerRow {
                            device: peer,
                            has,
                            at,
                        },
                    );
                }
                Effect::Received(received) => {
                    tell |= received.new > 0 || !received.put_off.is_empty();
                    again = again.or(step.again);
                }
                Effect::Published => tell = true,
                Effect::NotPublished => {
                    tracing::warn!("{peer:?} could not enrol this device again");
                    enrolling = Enrolling::Refused;
                }
                Effect::Progress { bytes, total } => tracing::info!("received {bytes} of {total} bytes"),
                Effect::Close(why) => return ended(&why),
            }
        }
        if tell || step.opened {
            shared.node.tell(group);
        }
        // What was numbered is told the other side by the next step.
        let numbered = lacks_numbers && block_in_place(|| shared.node.number_ideas(group));
        let contact = if step.even && !numbered && enrolling != Enrolling::Asked {
            Contact::Even
        } else {
            Contact::Busy
        };
        shared.set_contact(group, peer, contact);
    }
    // Where nobody writes any more, nobody needs to be told.
    outgoing.say(&Frame::Goodbye(Goodbye::Done)).ok();
    Ok(())
}

/// Waits for a point in time; for ever where there is none.
async fn reached(at: Option<Timestamp>) {
    match at {
        Some(at) => tokio::time::sleep(Duration::from_millis(at.0.saturating_sub(now().0))).await,
        None => std::future::pending().await,
    }
}

/// Did something come after which ideas are to be numbered?
fn lacks_numbers(replica: &mut Replica<GroupStore>, effects: &[Effect]) -> Result<bool, ReplicaError> {
    for effect in effects {
        if let Effect::Received(received) = effect
            && replica.may_lack_numbers(received)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The next frame. None where the other side has ended. Who has not shown who it is may not take for ever.
async fn heard(
    session: &Session,
    incoming: &mut mpsc::Receiver<Result<Frame, WireError>>,
    outgoing: &Outgoing,
) -> Result<Option<Frame>, SessionError> {
    outgoing.has_room().await;
    if session.is_open() || is_off(Guard::Naming) {
        return Ok(incoming.recv().await.transpose()?);
    }
    match tokio::time::timeout(NAMING, incoming.recv()).await {
        Ok(frame) => Ok(frame.transpose()?),
        Err(_) => {
            outgoing.say(&Frame::Goodbye(Goodbye::Unidentified)).ok();
            let why = "the other device did not show in time who it is";
            Err(SessionError::Closed(why.to_owned()))
        }
    }
}

/// Waits until something has changed in the group. False where nothing will any more.
async fn changed_here(
    group: GroupId,
    changed: &mut broadcast::Receiver<Changed>,
    outgoing: &Outgoing,
) -> bool {
    loop {
        // Until then it would only wait behind the rest.
        outgoing.is_short().await;
        match changed.recv().await {
            Ok(event) if event.group != group => {}
            // Whoever missed some looks at what there is now.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return true,
            Err(broadcast::error::RecvError::Closed) => return false,
        }
    }
}

fn ended(why: &Close) -> Result<(), SessionError> {
    if *why == Close::Peer(Goodbye::Done) {
        Ok(())
    } else {
        Err(SessionError::Closed(why.to_string()))
    }
}

/// Remembers where a device was reached, for when nothing is heard of it.
fn remember_address(shared: &Shared, group: GroupId, connection: &Connection, device: DeviceId) {
    let paths = connection.paths();
    let addresses: BTreeSet<SocketAddr> = paths
        .iter()
        .filter_map(|path| {
            let iroh::TransportAddr::Ip(address) = path.remote_addr() else {
                return None;
            };
            Some(*address)
        })
        .collect();
    if addresses.is_empty() {
        return;
    }
    let addresses: Vec<SocketAddr> = addresses.into_iter().collect();
    let store = shared.node.store().group(Some(group));
    let kept = block_in_place(|| store.set_contact(device, &addresses));
    if let Err(error) = kept {
        tracing::warn!("an address could not be kept: {error}");
    }
}

/// Waits until the other side has everything, or does not answer any more.
async fn farewell(send: &mut SendStream) {
    if send.finish().is_ok() {
        tokio::time::timeout(FAREWELL, send.stopped()).await.ok();
    }
}

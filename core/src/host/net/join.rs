//! Coming in over the network: the joiner asks, the inviting device answers.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use iroh::endpoint::{Connection, RecvStream};
use tokio::task::block_in_place;

use crate::domain::control::Enrol;
use crate::domain::id::{DeviceId, GroupId};
use crate::host::keystore::Passphrase;
use crate::host::node::{Node, NodeError, now};
use crate::host::random::{self, SystemRandom};
use crate::host::store::GroupStore;
use crate::replica::bundle::Compression;
use crate::replica::control::sign_enrolment;
use crate::replica::frontier::Frontier;
use crate::replica::hold::Replica;
use crate::replica::join::{
    Admission, AdmitError, Answer, Invitation, JoinError, Known, asking_code, short_code,
};
use crate::replica::keys::KeyBox;
use crate::replica::limits::BUNDLE_BYTES_MAX;
use crate::replica::session::bundle_parts;
use crate::replica::wire::{Frame, JoinRefusal, JoinRequest};

use super::frames::{self, WireError};
use super::places::{bind, close};
use super::seek::Seeker;
use super::sessions::SessionError;
use super::{JOIN, NetError, Shared};

/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(60);

/// Who has joined what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The group.
    pub group: GroupId,
    /// The code that the inviting device shows, too.
    pub code: String,
}

/// Why nobody joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinFailure {
    /// No network.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// This group is in the profile.
    #[error("you are in this group already")]
    AlreadyHere,
    /// The time of the invitation is over.
    #[error("the invitation has expired: ask for a new one")]
    Expired,
    /// The inviting device did not answer.
    #[error(
        "the inviting device cannot be reached: it must be running (`kiez sync --listen`) on the same network or cable; then try again"
    )]
    Unreachable,
    /// The inviting device said no.
    #[error(transparent)]
    Refused(#[from] JoinRefusal),
    /// Members have to vouch first.
    #[error("{} {code}", JoinRefusal::Vouchers)]
    Vouchers {
        /// The digits to show them.
        code: String,
    },
    /// What it sent cannot be used.
    #[error(transparent)]
    Join(#[from] JoinError),
}

/// Joins with an invitation; tries to reach the inviting device until the time is over.
///
/// # Errors
/// Where it cannot be reached, refuses, or what it sends cannot be used.
pub async fn join(
    node: &Node,
    invitation: &Invitation,
    passphrase: &Passphrase,
    timeout: Duration,
) -> Result<Joined, JoinFailure> {
    if block_in_place(|| node.groups())?.contains(&invitation.group) {
        return Err(JoinFailure::AlreadyHere);
    }
    if now() > invitation.expires {
        return Err(JoinFailure::Expired);
    }
    let person = block_in_place(|| node.recovery_words(passphrase))?.person_key();
    let endpoint = bind(node).await?;
    let trying = try_until_joined(node, &endpoint, invitation, &person);
    let joined = tokio::time::timeout(timeout, trying)
        .await
        .unwrap_or(Err(JoinFailure::Unreachable));
    close(&endpoint).await;
    joined
}

async fn try_until_joined(
    node: &Node,
    endpoint: &iroh::Endpoint,
    invitation: &Invitation,
    person: &SigningKey,
) -> Result<Joined, JoinFailure> {
    let mut seeker = Seeker::of(endpoint, invitation.inviter, JOIN, &invitation.addresses);
    loop {
        let connection = seeker.connect().await;
        match ask(node, &connection, invitation, person).await {
            Err(AskError::Lost) => {}
            Err(AskError::Failed(failure)) => return Err(failure),
            Ok(joined) => {
                let kept = seeker.stop().await;
                let store = node.store().group(Some(joined.group));
                block_in_place(|| store.set_contact(invitation.inviter, &kept)).map_err(NodeError::from)?;
                return Ok(joined);
            }
        }
    }
}

enum AskError {
    /// Worth another attempt.
    Lost,
    Failed(JoinFailure),
}

impl From<WireError> for AskError {
    fn from(_: WireError) -> Self {
        Self::Lost
    }
}

impl<E: Into<JoinFailure>> From<E> for AskError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn ask(
    node: &Node,
    connection: &Connection,
    invitation: &Invitation,
    person: &SigningKey,
) -> Result<Joined, AskError> {
    let channel = frames::channel(connection)?;
    let request = invitation.request(node.me(), person, &channel);
    let (mut send, mut recv) = frames::open(connection, &Frame::JoinRequest(Box::new(request))).await?;
    let mut answer = next(&mut recv).await?;
    if let Frame::Member { membership } = answer {
        // A profile that was restored: this device becomes one more of theirs.
        let enrolled = node.me().named();
        let enrol = sign_enrolment(invitation.group, membership, enrolled, random::bytes(), person);
        frames::write(&mut send, &Frame::PublishEnrolment(Box::new(enrol))).await?;
        answer = next(&mut recv).await?;
    }
    if let Frame::NotAdmitted(refusal) = answer {
        let me = node.me().person;
        if refusal == JoinRefusal::Vouchers {
            let code = asking_code(invitation.group, invitation.invite, me);
            return Err(AskError::Failed(JoinFailure::Vouchers { code }));
        }
        return Err(refusal.into());
    }
    let Frame::Admitted { boxes, .. } = answer else {
        return Err(AskError::Lost);
    };
    let bundle = whole_bundle(&mut recv).await?;
    let group = block_in_place(|| adopt(node, invitation, &boxes, &bundle))?;
    send.finish().ok();
    connection.close(0_u32.into(), b"");
    Ok(Joined {
        group,
        code: short_code(group, &channel),
    })
}

async fn whole_bundle(recv: &mut RecvStream) -> Result<Vec<u8>, WireError> {
    let mut bundle = Vec::new();
    loop {
        let Frame::BundlePart { total, bytes } = next(recv).await? else {
            return Err(WireError::Lost);
        };
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        bundle.extend_from_slice(&bytes.0);
        if bytes.0.is_empty() || bundle.len() > total || total > BUNDLE_BYTES_MAX {
            return Err(WireError::Lost);
        }
        tracing::info!("received {} of {total} bytes", bundle.len());
        if bundle.len() == total {
            return Ok(bundle);
        }
    }
}

async fn next(recv: &mut RecvStream) -> Result<Frame, WireError> {
    let frame = tokio::time::timeout(ANSWER, frames::read(recv)).await;
    frame.map_err(|_| WireError::Lost)??.ok_or(WireError::Lost)
}

/// Takes in the group as the inviting device sent it, and says the person's name there.
fn adopt(
    node: &Node,
    invitation: &Invitation,
    boxes: &[KeyBox],
    bundle: &[u8],
) -> Result<GroupId, JoinFailure> {
    let mut replica = Replica::join(
        node.store().group(None),
        invitation,
        node.me(),
        node.box_secret(),
        boxes,
        bundle,
        &mut SystemRandom,
    )?;
    let name = node.profile_name()?;
    replica.rekey_if_due(&mut SystemRandom).map_err(NodeError::from)?;
    replica.set_profile_name(&name, now()).map_err(NodeError::from)?;
    let group = replica.group();
    node.adopt(replica);
    Ok(group)
}

/// Answers a joiner.
pub(super) async fn answer(shared: &Shared, connection: &Connection) -> Result<(), SessionError> {
    let channel = frames::channel(connection)?;
    let accepted = shared.unless_stopped(frames::accept(connection)).await;
    let (mut send, mut recv, frame) = accepted.ok_or(WireError::Lost)??;
    let Frame::JoinRequest(request) = frame else {
        return Err(WireError::Lost.into());
    };
    let answer = match block_in_place(|| admit(shared, &request, &channel)) {
        Ok(Reply::Member(known)) => {
            let membership = known.membership();
            frames::write(&mut send, &Frame::Member { membership }).await?;
            let signed = shared.unless_stopped(next(&mut recv)).await;
            let Frame::PublishEnrolment(enrol) = signed.ok_or(WireError::Lost)?? else {
                return Err(WireError::Lost.into());
            };
            block_in_place(|| enrol_known(shared, request.group, &known, *enrol))
        }
        Ok(Reply::Admitted(frames_out)) => Ok(frames_out),
        Err(refusal) => Err(refusal),
    };
    let frames_out = match answer {
        Ok(frames_out) => {
            let code = short_code(request.group, &channel);
            shared.joined.send_replace(Some(Joined {
                group: request.group,
                code,
            }));
            shared.set_contact(request.group, DeviceId(channel.peer.0), super::Contact::Lost);
            shared.node.tell(request.group);
            frames_out
        }
        Err(refusal) => vec![Frame::NotAdmitted(refusal)],
    };
    for frame in &frames_out {
        frames::write(&mut send, frame).await?;
    }
    send.finish().ok();
    // The joiner closes when it has everything.
    tokio::select! {
        _ = connection.closed() => {}
        () = shared.stopped() => {}
        () = tokio::time::sleep(ANSWER) => {}
    }
    Ok(())
}

enum Reply {
    /// The boxes, and the group.
    Admitted(Vec<Frame>),
    /// An enrolment is wanted.
    Member(Known),
}

fn admit(
    shared: &Shared,
    request: &JoinRequest,
    channel: &crate::replica::session::Channel,
) -> Result<Reply, JoinRefusal> {
    let group = shared
        .node
        .with_group(request.group, |replica| -> Result<Reply, Refusal> {
            match replica.admit(request, channel, now(), &mut SystemRandom)? {
                Answer::Admitted(admission) => Ok(Reply::Admitted(whole(replica, admission)?)),
                Answer::Member(known) => Ok(Reply::Member(known)),
            }
        });
    group.map_err(|Refusal(refusal)| refusal)
}

fn enrol_known(
    shared: &Shared,
    group: GroupId,
    known: &Known,
    enrol: Enrol,
) -> Result<Vec<Frame>, JoinRefusal> {
    let answer = shared.node.with_group(group, |replica| {
        let admission = replica.enrol(known, enrol, &mut SystemRandom)?;
        whole(replica, admission)
    });
    answer.map_err(|Refusal(refusal)| refusal)
}

/// What somebody gets who is in: the keys, and all that there is.
fn whole(replica: &Replica<GroupStore>, admission: Admission) -> Result<Vec<Frame>, Refusal> {
    let bundle = replica
        .bundle(&Frontier::new(), Compression::Fast)
        .map_err(|_| Refusal(JoinRefusal::Unable))?;
    let mut frames_out = vec![Frame::Admitted {
        grant: admission.grant,
        boxes: admission.boxes,
    }];
    frames_out.extend(bundle_parts(&bundle));
    Ok(frames_out)
}

struct Refusal(JoinRefusal);

impl From<AdmitError> for Refusal {
    fn from(error: AdmitError) -> Self {
        Self(match error {
            AdmitError::Refused(refusal) => refusal,
            AdmitError::Replica(_) => JoinRefusal::Unable,
        })
    }
}

impl From<NodeError> for Refusal {
    fn from(error: NodeError) -> Self {
        // A stranger is not told which groups there are.
        Self(if matches!(error, NodeError::NoSuchGroup) {
            JoinRefusal::Unknown
        } else {
            JoinRefusal::Unable
        })
    }
}

//! The new device: dials, shows the code, makes its profile, takes in what is brought.

use std::net::SocketAddr;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use iroh::Endpoint;
use iroh::endpoint::Connection;
use tokio::task::block_in_place;

use crate::domain::id::GroupId;
use crate::host::keystore::{Home, Passphrase, RecoveryWords};
use crate::host::node::{FurtherError, Node, NodeError};
use crate::host::random::SystemRandom;
use crate::replica::keys::{BoxSecret, KeyBox};
use crate::replica::limits::{BUNDLE_BYTES_MAX, FRAME_BYTES_MAX};
use crate::replica::own_device::{
    DeviceFrame, DeviceSide, DeviceText, OwnPerson, device_code, device_proof, device_proof_holds,
};

use super::super::DEVICE;
use super::super::frames::{GREETING, WireError};
use super::super::places::{bind_as, close};
use super::super::seek::Seeker;
use super::{DeviceFailure, GOOD_FOR, Talk, channel};

/// How long the first device may take to bring the next piece.
const BRINGING: Duration = Duration::from_secs(120);

/// What becomes a further device.
#[derive(Debug)]
pub enum Newcomer {
    /// A computer without a profile: it gets one here, with this passphrase.
    Fresh(Home, Passphrase),
    /// One that has a profile of the same person, from the words, or from an attempt that broke off: it gets the groups it lacks.
    Known(Node),
}

/// A computer that has become a further one of somebody.
#[derive(Debug, Clone)]
pub struct MovedIn {
    /// Its profile.
    pub node: Node,
    /// The groups that were brought.
    pub groups: Vec<GroupId>,
    /// How many could not be brought.
    pub left_out: usize,
}

/// Becomes a further device of the person who shows a text at their first one. `on_code` hears the code that both screens show;
/// then the person at the first device is asked. `patience` is for finding it.
///
/// # Errors
/// Where it cannot be found, says no, or what it sends cannot be used.
pub async fn move_in(
    newcomer: Newcomer,
    text: &DeviceText,
    patience: Duration,
    on_code: &mut (dyn FnMut(&str) + Send),
) -> Result<MovedIn, DeviceFailure> {
    let mut newcomer = Becoming::of(newcomer)?;
    let endpoint = bind_as(newcomer.device()).await?;
    let moved_in = find_and_move_in(&endpoint, &mut newcomer, text, patience, on_code).await;
    close(&endpoint).await;
    moved_in
}

async fn find_and_move_in(
    endpoint: &Endpoint,
    newcomer: &mut Becoming,
    text: &DeviceText,
    patience: Duration,
    on_code: &mut (dyn FnMut(&str) + Send),
) -> Result<MovedIn, DeviceFailure> {
    let mut seeker = Seeker::of(endpoint, text.device, DEVICE, &text.addresses);
    let connection = tokio::time::timeout(patience, seeker.connect()).await;
    // Once: who has shown the secret has used up the text.
    let moved_in = match connection {
        Ok(connection) => {
            let moved_in = talk_over(&connection, newcomer, text, on_code).await;
            connection.close(0_u32.into(), b"");
            moved_in
        }
        Err(_) => Err(DeviceFailure::Unreachable),
    };
    let addresses = seeker.stop().await;
    let moved_in = moved_in?;
    remember(&moved_in, text, &addresses)?;
    Ok(moved_in)
}

fn remember(moved_in: &MovedIn, text: &DeviceText, addresses: &[SocketAddr]) -> Result<(), DeviceFailure> {
    for group in &moved_in.groups {
        let store = moved_in.node.store().group(Some(*group));
        block_in_place(|| store.set_contact(text.device, addresses)).map_err(NodeError::from)?;
    }
    Ok(())
}

/// What becomes a further device, with its keys.
enum Becoming {
    Fresh {
        home: Home,
        passphrase: Passphrase,
        device: Box<SigningKey>,
        box_secret: BoxSecret,
    },
    Known(Node),
}

impl Becoming {
    fn of(newcomer: Newcomer) -> Result<Self, DeviceFailure> {
        match newcomer {
            Newcomer::Known(node) => Ok(Self::Known(node)),
            Newcomer::Fresh(home, passphrase) => {
                home.refuse_if_taken().map_err(NodeError::from)?;
                Ok(Self::Fresh {
                    home,
                    passphrase,
                    device: Box::new(SigningKey::generate(&mut SystemRandom)),
                    box_secret: BoxSecret::generate(&mut SystemRandom),
                })
            }
        }
    }

    fn device(&self) -> &SigningKey {
        match self {
            Self::Fresh { device, .. } => device,
            Self::Known(node) => &node.me().device,
        }
    }

    fn box_key(&self) -> crate::domain::id::BoxKey {
        match self {
            Self::Fresh { box_secret, .. } => box_secret.public(),
            Self::Known(node) => node.me().box_key,
        }
    }

    /// The profile of this person. On a fresh computer it is made here.
    fn become_person(&mut self, person: &OwnPerson) -> Result<Node, DeviceFailure> {
        let words = RecoveryWords::from_entropy(person.entropy);
        let node = match self {
            Self::Known(node) => {
                if node.me().person.0 != words.person_key().verifying_key().to_bytes() {
                    return Err(DeviceFailure::OtherPerson);
                }
                return Ok(node.clone());
            }
            Self::Fresh {
                home,
                passphrase,
                device,
                box_secret,
            } => {
                let keys = (SigningKey::clone(device), box_secret.clone());
                Node::create_further(home, passphrase, &person.name, &words, keys)?
            }
        };
        *self = Self::Known(node.clone());
        Ok(node)
    }
}

async fn talk_over(
    connection: &Connection,
    newcomer: &mut Becoming,
    text: &DeviceText,
    on_code: &mut (dyn FnMut(&str) + Send),
) -> Result<MovedIn, DeviceFailure> {
    let channel = channel(connection)?;
    let opened = tokio::time::timeout(GREETING, connection.open_bi()).await;
    let (send, recv) = opened
        .map_err(|_| WireError::Silent)?
        .map_err(|_| WireError::Lost)?;
    let mut talk = Talk { send, recv };
    talk.say(&DeviceFrame::Knock {
        proof: device_proof(&text.secret, &channel, DeviceSide::New),
        box_key: newcomer.box_key(),
    })
    .await?;
    let DeviceFrame::Answer { proof } = next(&mut talk, GREETING).await? else {
        return Err(DeviceFailure::Unusable);
    };
    if !device_proof_holds(&text.secret, &channel, DeviceSide::First, &proof) {
        return Err(DeviceFailure::NotTheFirst);
    }
    on_code(&device_code(&text.secret, &channel));
    // Now the person at the first device is asked.
    let DeviceFrame::Person(person) = next(&mut talk, GOOD_FOR).await? else {
        return Err(DeviceFailure::Unusable);
    };
    let node = block_in_place(|| newcomer.become_person(&person))?;
    let has = block_in_place(|| node.groups())?;
    talk.say(&DeviceFrame::Ready { has }).await?;
    let mut groups = Vec::new();
    loop {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "whatever else it says, it is out of turn"
        )]
        match next(&mut talk, BRINGING).await? {
            DeviceFrame::Group { group, boxes, total } => {
                take_in(&mut talk, &node, group, &boxes, total).await?;
                groups.push(group);
            }
            DeviceFrame::Done { left_out } => {
                return Ok(MovedIn {
                    node,
                    groups,
                    left_out: usize::try_from(left_out).unwrap_or(usize::MAX),
                });
            }
            _ => return Err(DeviceFailure::Unusable),
        }
    }
}

async fn next(talk: &mut Talk, patience: Duration) -> Result<DeviceFrame, DeviceFailure> {
    let frame = talk.hear(FRAME_BYTES_MAX, patience).await?;
    if let DeviceFrame::No(refusal) = frame {
        return Err(refusal.into());
    }
    Ok(frame)
}

async fn take_in(
    talk: &mut Talk,
    node: &Node,
    group: GroupId,
    boxes: &[KeyBox],
    total: u64,
) -> Result<(), DeviceFailure> {
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    if total > BUNDLE_BYTES_MAX {
        return Err(DeviceFailure::Unusable);
    }
    let mut bundle = Vec::new();
    while bundle.len() < total {
        let DeviceFrame::Part(bytes) = next(talk, BRINGING).await? else {
            return Err(DeviceFailure::Unusable);
        };
        bundle.extend_from_slice(&bytes.0);
        tracing::info!("received {} of {total} bytes", bundle.len());
    }
    let taken_in = block_in_place(|| node.take_in_own(group, boxes, &bundle));
    taken_in.map_err(|error| match error {
        FurtherError::Node(error) => DeviceFailure::Node(error),
        FurtherError::Refused(_) | FurtherError::Join(_) => DeviceFailure::Unusable,
    })?;
    talk.say(&DeviceFrame::Stored(group)).await?;
    Ok(())
}

//! The first device: shows the text, asks the person, brings the groups.

use std::collections::BTreeSet;
use std::time::Duration;

use iroh::endpoint::Connection;
use tokio::sync::watch;
use tokio::task::block_in_place;

use crate::domain::control::Device;
use crate::domain::id::{BoxKey, GroupId, Timestamp};
use crate::host::keystore::RecoveryWords;
use crate::host::node::{NodeError, now};
use crate::host::random;
use crate::replica::codec::Blob;
use crate::replica::limits::{ADDRESSES_MAX, BUNDLE_PART_BYTES, FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX};
use crate::replica::own_device::{
    DeviceFrame, DeviceRefusal, DeviceSide, DeviceText, OwnPerson, device_code, device_proof,
    device_proof_holds,
};
use crate::replica::session::Channel;

use super::super::frames::{GREETING, WireError};
use super::super::sessions::SessionError;
use super::super::{Network, Shared};
use super::{GOOD_FOR, Offer, OfferFault, Offered, Shown, Talk, channel};

/// How long the new device may take to make its profile, or to take in a group.
const TAKING_IN: Duration = Duration::from_secs(300);

/// How long the last word may take to arrive.
const FAREWELL: Duration = Duration::from_secs(5);

impl Network {
    /// Makes a text for a further device of this person, in the place of an earlier one. The words are what it is about: who
    /// asks has given the passphrase.
    pub async fn offer_device(&self, words: RecoveryWords) -> DeviceText {
        let addresses = self.own_addresses().await;
        let good_for = u64::try_from(GOOD_FOR.as_millis()).unwrap_or(u64::MAX);
        let text = DeviceText {
            secret: random::bytes(),
            device: self.shared.node.me().device_id(),
            addresses: addresses.into_iter().take(ADDRESSES_MAX).collect(),
            expires: Timestamp(now().0.saturating_add(good_for)),
        };
        let offered = &self.shared.offered;
        // Whoever waits on the one before hears that it is over.
        *offered.lock() = Some(Shown {
            secret: text.secret,
            expires: text.expires,
            words: Some(words),
            decided: watch::Sender::new(None),
        });
        offered.state.send_replace(Offer::Waiting {
            expires: text.expires,
        });
        text
    }

    /// How it stands with it.
    #[must_use]
    pub fn offer(&self) -> watch::Receiver<Offer> {
        let offered = &self.shared.offered;
        let expired = |offer: &mut Offer| {
            let over = matches!(offer, Offer::Waiting { expires } if now() > *expires);
            if over {
                *offer = Offer::Failed(OfferFault::Expired);
            }
            over
        };
        offered.state.send_if_modified(expired);
        offered.state.subscribe()
    }

    /// The person says whether both screens show the same code. Only a yes lets anything be sent, and it counts only once a
    /// code is shown. False where none is.
    #[must_use]
    pub fn decide_device(&self, agrees: bool) -> bool {
        let offered = &self.shared.offered;
        let shown = offered.lock();
        let asked = matches!(*offered.state.borrow(), Offer::Asking { .. });
        match shown.as_ref().filter(|_| asked) {
            Some(shown) => {
                shown.decided.send_replace(Some(agrees));
                true
            }
            None => false,
        }
    }

    /// Shows the text no longer; whoever has come with it is told.
    pub fn withdraw_device(&self) {
        let offered = &self.shared.offered;
        // Dropping it ends whoever waits for the decision.
        offered.lock().take();
        offered.state.send_replace(Offer::None);
    }
}

/// Somebody who knew the secret, and has the text now.
struct Taken {
    secret: [u8; 32],
    expires: Timestamp,
    words: RecoveryWords,
    decided: watch::Receiver<Option<bool>>,
}

impl Offered {
    /// Gives the text to who proves to know its secret. Others learn nothing.
    fn take(&self, proof: &[u8; 32], channel: &Channel) -> Result<Taken, DeviceRefusal> {
        let mut shown = self.lock();
        let shown = shown
            .as_mut()
            .filter(|shown| device_proof_holds(&shown.secret, channel, DeviceSide::New, proof))
            .ok_or(DeviceRefusal::Unknown)?;
        if now() > shown.expires {
            shown.words = None;
            return Err(DeviceRefusal::Expired);
        }
        Ok(Taken {
            secret: shown.secret,
            expires: shown.expires,
            words: shown.words.take().ok_or(DeviceRefusal::Used)?,
            decided: shown.decided.subscribe(),
        })
    }

    /// How it goes on for who came with this secret. Another text may be shown by now: then it is nobody's affair.
    fn now_is(&self, secret: &[u8; 32], offer: Offer) {
        let shown = self.lock();
        if shown.as_ref().is_some_and(|shown| shown.secret == *secret) {
            self.state.send_replace(offer);
        }
    }
}

/// Answers a device that says it is a further one of this person.
pub(in super::super) async fn answer(shared: &Shared, connection: &Connection) -> Result<(), SessionError> {
    let channel = channel(connection)?;
    let knocking = async {
        let accepted = tokio::time::timeout(GREETING, connection.accept_bi()).await;
        let (send, recv) = accepted
            .map_err(|_| WireError::Silent)?
            .map_err(|_| WireError::Lost)?;
        let mut talk = Talk { send, recv };
        let frame = talk.hear(FIRST_FRAME_BYTES_MAX, GREETING).await?;
        Ok::<_, WireError>((talk, frame))
    };
    let knocked = shared.unless_stopped(knocking).await;
    let (mut talk, frame) = knocked.ok_or(WireError::Lost)??;
    let DeviceFrame::Knock { proof, box_key } = frame else {
        return Err(WireError::Lost.into());
    };
    let ended = match shared.offered.take(&proof, &channel) {
        Ok(taken) => {
            let secret = taken.secret;
            let ended = let_in(shared, connection, &mut talk, &channel, box_key, taken).await;
            let offer = match &ended {
                Ok(left_out) => Offer::Done { left_out: *left_out },
                Err(Ended::Refused(_, fault)) => Offer::Failed(*fault),
                Err(Ended::Lost(_)) => Offer::Failed(OfferFault::Lost),
            };
            shared.offered.now_is(&secret, offer);
            ended
        }
        Err(refusal) => Err(Ended::Refused(refusal, OfferFault::Lost)),
    };
    if let Err(Ended::Refused(refusal, _)) = &ended {
        talk.say(&DeviceFrame::No(*refusal)).await?;
    }
    talk.send.finish().ok();
    // The new device closes when it has heard it.
    tokio::time::timeout(FAREWELL, connection.closed()).await.ok();
    match ended {
        Err(Ended::Lost(error)) => Err(error.into()),
        Ok(_) | Err(Ended::Refused(..)) => Ok(()),
    }
}

/// Why a device that knew the secret was not let in.
enum Ended {
    /// It is told, and so is the person here.
    Refused(DeviceRefusal, OfferFault),
    Lost(WireError),
}

impl From<WireError> for Ended {
    fn from(error: WireError) -> Self {
        Self::Lost(error)
    }
}

/// Asks the person, and brings everything. Gives how many groups could not be brought.
async fn let_in(
    shared: &Shared,
    connection: &Connection,
    talk: &mut Talk,
    channel: &Channel,
    box_key: BoxKey,
    taken: Taken,
) -> Result<usize, Ended> {
    let proof = device_proof(&taken.secret, channel, DeviceSide::First);
    talk.say(&DeviceFrame::Answer { proof }).await?;
    let code = device_code(&taken.secret, channel);
    shared.offered.now_is(&taken.secret, Offer::Asking { code });
    agreed(shared, connection, taken.decided.clone(), taken.expires).await?;

    let unable = |_: NodeError| Ended::Refused(DeviceRefusal::Unable, OfferFault::Unable);
    let name = block_in_place(|| shared.node.profile_name()).map_err(unable)?;
    let groups = block_in_place(|| shared.node.groups()).map_err(unable)?;
    let of = groups.len();
    let person = OwnPerson {
        entropy: *taken.words.entropy(),
        name,
        groups: u32::try_from(of).unwrap_or(u32::MAX),
    };
    shared
        .offered
        .now_is(&taken.secret, Offer::Bringing { done: 0, of });
    talk.say(&DeviceFrame::Person(person)).await?;
    let DeviceFrame::Ready { has } = talk.hear(FRAME_BYTES_MAX, TAKING_IN).await? else {
        return Err(WireError::Lost.into());
    };
    let has: BTreeSet<GroupId> = has.into_iter().collect();
    let person = taken.words.person_key();
    let device = Device {
        person: shared.node.me().person,
        device: channel.peer,
        box_key,
    };
    let mut left_out = 0_usize;
    for (done, group) in groups.into_iter().enumerate() {
        shared.offered.now_is(&taken.secret, Offer::Bringing { done, of });
        if has.contains(&group) {
            continue;
        }
        match block_in_place(|| shared.node.enrol_further(group, device, &person)) {
            Ok((boxes, bundle)) => bring(talk, group, boxes, &bundle).await?,
            Err(error) => {
                tracing::warn!("{group} is not brought: {error}");
                left_out = left_out.saturating_add(1);
            }
        }
    }
    talk.say(&DeviceFrame::Done {
        left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
    })
    .await?;
    Ok(left_out)
}

/// Waits until the person has said that the codes agree.
async fn agreed(
    shared: &Shared,
    connection: &Connection,
    mut decided: watch::Receiver<Option<bool>>,
    expires: Timestamp,
) -> Result<(), Ended> {
    let left = Duration::from_millis(expires.0.saturating_sub(now().0));
    let stopped = || Ended::Refused(DeviceRefusal::Stopped, OfferFault::Expired);
    tokio::select! {
        agrees = decided.wait_for(Option::is_some) => match agrees.map(|agrees| *agrees) {
            Ok(Some(true)) => Ok(()),
            Ok(Some(false) | None) => {
                Err(Ended::Refused(DeviceRefusal::Disagreed, OfferFault::Disagreed))
            }
            // Withdrawn, or another text is shown.
            Err(_) => Err(stopped()),
        },
        _ = connection.closed() => Err(WireError::Lost.into()),
        () = shared.stopped() => Err(stopped()),
        () = tokio::time::sleep(left) => Err(stopped()),
    }
}

async fn bring(
    talk: &mut Talk,
    group: GroupId,
    boxes: Vec<crate::replica::keys::KeyBox>,
    bundle: &[u8],
) -> Result<(), Ended> {
    talk.say(&DeviceFrame::Group {
        group,
        boxes,
        total: bundle.len() as u64,
    })
    .await?;
    for part in bundle.chunks(BUNDLE_PART_BYTES) {
        talk.say(&DeviceFrame::Part(Blob(part.to_vec()))).await?;
    }
    if talk.hear(FRAME_BYTES_MAX, TAKING_IN).await? == DeviceFrame::Stored(group) {
        Ok(())
    } else {
        Err(WireError::Lost.into())
    }
}

//! A further device of the same person comes in: the first one shows a text, the new one dials, the person says that both
//! screens show one code, and only then anything is sent. The frames are `replica::own_device`'s.
//!
//! **One use.** Whoever shows the secret first has the text; it is good for nobody else then, and not again where that
//! connection is lost: so nobody can try until a code happens to fit. Whoever does not know the secret learns nothing, not even
//! whether there is a text.

mod first;
mod new;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use tokio::sync::watch;

use crate::domain::id::Timestamp;
use crate::host::keystore::RecoveryWords;
use crate::host::node::NodeError;
use crate::replica::own_device::{DeviceFrame, DeviceRefusal};
use crate::replica::session::Channel;

use super::NetError;
use super::frames::{self, PATIENCE, WireError};

pub(super) use first::answer;
pub use new::{MovedIn, Newcomer, move_in};

/// What separates this exporter from that of a sync session.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-kiez-device-1";

/// How long a text is good for, and how long the person may take to compare the codes: minutes, since both computers are here.
const GOOD_FOR: Duration = Duration::from_secs(15 * 60);

/// How it stands with a further device, at the first one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Offer {
    /// No text is shown.
    #[default]
    None,
    /// A text is shown, and nobody has come.
    Waiting {
        /// Until when.
        expires: Timestamp,
    },
    /// Somebody who knows the text is there: do both screens show this code?
    Asking {
        /// Six digits.
        code: String,
    },
    /// The person said yes: groups are brought.
    Bringing {
        /// So many
        done: usize,
        /// of so many.
        of: usize,
    },
    /// The new device has everything.
    Done {
        /// Groups that could not be brought: this device may not write in them.
        left_out: usize,
    },
    /// It came to nothing.
    Failed(OfferFault),
}

/// Why it came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferFault {
    /// The person said that the codes differ.
    #[error("you said that the codes differ: nothing was sent. Make a new text, and try again")]
    Disagreed,
    /// Time is over.
    #[error("the time is over: make a new text")]
    Expired,
    /// The connection was lost.
    #[error(
        "the connection to the other computer was lost: make a new text, and try again there; what it has it keeps"
    )]
    Lost,
    /// Our own trouble.
    #[error("this computer cannot bring its groups at the moment: make a new text, and try again")]
    Unable,
}

/// The one text that is shown at a time.
#[derive(Debug, Default)]
pub(super) struct Offered {
    text: Mutex<Option<Shown>>,
    state: watch::Sender<Offer>,
}

/// A text that is or was shown. The latest is kept, so that who comes too late hears why.
struct Shown {
    secret: [u8; 32],
    expires: Timestamp,
    /// Who they are; gone once somebody has come with the secret, or nobody may any more.
    words: Option<RecoveryWords>,
    decided: watch::Sender<Option<bool>>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Offered {
    fn lock(&self) -> MutexGuard<'_, Option<Shown>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a computer did not become a further one of somebody. Where a profile was made already, running it again with a new text
/// goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum DeviceFailure {
    /// No network.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Nobody there.
    #[error(
        "your first computer cannot be reached: Kiez must be open there, showing this text, on the same network or cable; then \
         try again"
    )]
    Unreachable,
    /// It said no.
    #[error(transparent)]
    Refused(#[from] DeviceRefusal),
    /// Who answered did not know the secret of the text.
    #[error("who answered is not your first computer: nothing was sent. Make a new text there")]
    NotTheFirst,
    /// The profile here is somebody else's.
    #[error("the profile on this computer is another person's: choose another folder with --home DIR")]
    OtherPerson,
    /// It broke off.
    #[error(
        "the connection was lost. Make a new text on your first computer, and try again; what is here already stays"
    )]
    Lost,
    /// What came cannot be used.
    #[error("what your first computer sent cannot be used: update Kiez on both, and try again")]
    Unusable,
}

impl From<WireError> for DeviceFailure {
    fn from(_: WireError) -> Self {
        Self::Lost
    }
}

/// The two ends of one talk.
struct Talk {
    send: SendStream,
    recv: RecvStream,
}

impl Talk {
    async fn say(&mut self, frame: &DeviceFrame) -> Result<(), WireError> {
        let bytes = frames::with_length(frame.to_bytes())?;
        frames::write_bytes(&mut self.send, &bytes, PATIENCE).await
    }

    /// The next frame, at most so long, within this time.
    async fn hear(&mut self, most: usize, patience: Duration) -> Result<DeviceFrame, WireError> {
        let bytes = tokio::time::timeout(patience, frames::read_bytes(&mut self.recv, most)).await;
        let bytes = bytes.map_err(|_| WireError::Silent)??.ok_or(WireError::Lost)?;
        DeviceFrame::from_bytes(&bytes).map_err(|_| WireError::Lost)
    }
}

fn channel(connection: &Connection) -> Result<Channel, WireError> {
    frames::channel_for(connection, EXPORTER_LABEL)
}

//! What a page is told of the person on this computer and on others, and what it does about them: the door, backups, further
//! computers, the end of a profile.

use std::io::Cursor;
use std::pin::pin;
use std::time::Duration;

use kiez_core::domain::id::{DeviceId, PersonId, Timestamp};
use kiez_core::host::keystore::{Cost, Passphrase};
use kiez_core::host::net::{Newcomer, Offer, move_in};
use kiez_core::host::node::Node;
use kiez_core::replica::own_device;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use ts_rs::TS;

use super::Fault;
use super::house::{Event, House, Open};
use super::view::GroupCard;
use crate::device::offer_fault;

/// How long the new computer looks for the first one. It can be stopped.
const LOOK: Duration = Duration::from_secs(120);

/// A passphrase is at most so long, in bytes.
const PASSPHRASE_BYTES_MAX: usize = 4 * 1024;

/// Is there a profile here, and is it open?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DoorState {
    /// There is none.
    New,
    /// The passphrase is wanted.
    Locked,
    /// It is open.
    Open,
}

/// What stands at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Door {
    pub(crate) state: DoorState,
    /// Whose profile it is; this and what follows is told once it is open.
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<GroupCard>,
    #[ts(type = "string | null")]
    pub(crate) person: Option<PersonId>,
    #[ts(type = "string | null")]
    pub(crate) device: Option<DeviceId>,
    /// Has this person said that the recovery words are written down?
    pub(crate) words_noted: bool,
    /// When a backup was last written.
    #[ts(type = "number | null")]
    pub(crate) backed_up: Option<Timestamp>,
    /// Were this computer lost, nothing would bring them back: no words noted, no backup, no second computer.
    pub(crate) needs_way_back: bool,
    /// After how many minutes without the person it is locked; none: never.
    pub(crate) lock_after: Option<u16>,
    /// Is this the example neighbourhood, which is gone when it is left?
    pub(crate) example: bool,
}

/// A text for a further computer of this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct DeviceText {
    pub(crate) text: String,
    #[ts(type = "number")]
    pub(crate) expires: Timestamp,
}

/// How it stands with a further computer, at the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub(crate) enum DeviceOffer {
    /// No text is shown.
    None {},
    Waiting {
        #[ts(type = "number")]
        expires: Timestamp,
    },
    /// Somebody who knows the text is there: do both screens show this code?
    Asking {
        code: String,
    },
    Bringing {
        done: usize,
        of: usize,
    },
    /// So many groups could not be brought.
    #[serde(rename_all = "camelCase")]
    Done {
        left_out: usize,
    },
    /// It came to nothing.
    Failed {
        code: String,
    },
}

/// What this computer got from the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MovedIn {
    pub(crate) groups: usize,
    pub(crate) left_out: usize,
}

/// A backup as a file.
pub(crate) struct Backup {
    /// What it is to be called, without an ending.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

pub(super) fn offer(open: &Open) -> DeviceOffer {
    let offer = open.network.offer().borrow().clone();
    match offer {
        Offer::None => DeviceOffer::None {},
        Offer::Waiting { expires } => DeviceOffer::Waiting { expires },
        Offer::Asking { code } => DeviceOffer::Asking { code },
        Offer::Bringing { done, of } => DeviceOffer::Bringing { done, of },
        Offer::Done { left_out } => DeviceOffer::Done { left_out },
        Offer::Failed(fault) => DeviceOffer::Failed {
            code: offer_fault(fault).to_owned(),
        },
    }
}

/// Makes a text for a further computer.
pub(super) async fn offer_device(open: &Open, passphrase: &str) -> Result<Value, Fault> {
    let words = block_in_place(|| open.node.recovery_words(&Passphrase::new(passphrase)))?;
    let text = open.network.offer_device(words).await;
    Ok(json!(DeviceText {
        text: text.to_text(),
        expires: text.expires,
    }))
}

/// Makes this computer a further one of the person who shows a text. It can be stopped until something was sent.
pub(super) async fn join_device(house: &House, text: &str, passphrase: &str) -> Result<Value, Fault> {
    let mut stops = house.joining_stops();
    let text = own_device::DeviceText::parse(text)?;
    let newcomer = Newcomer::Fresh(house.home().clone(), Passphrase::new(passphrase));
    let teller = house.clone();
    let mut on_code = move |code: &str| {
        teller.tell(Event::DeviceCode {
            code: code.to_owned(),
        });
    };
    let mut moving = pin!(move_in(newcomer, &text, LOOK, &mut on_code));
    let moved_in = tokio::select! {
        moved_in = &mut moving => moved_in,
        // Where the profile is there already, it is kept: it opens with its passphrase.
        () = stops.stopped() => return Err(Fault::new("stopped")),
    };
    // A profile that was made opens, also where not all groups came.
    match moved_in {
        Ok(moved_in) => {
            let got = MovedIn {
                groups: moved_in.groups.len(),
                left_out: moved_in.left_out,
            };
            house.open_made(moved_in.node, passphrase).await?;
            Ok(json!(got))
        }
        Err(failure) => {
            house.tell_door();
            Err(failure.into())
        }
    }
}

/// Puts a backup together.
pub(crate) async fn back_up(house: &House, passphrase: &str) -> Result<Backup, Fault> {
    let open = house.unlocked().await?;
    let (bytes, backed_up) = block_in_place(|| open.node.back_up_bytes(&Passphrase::new(passphrase)))?;
    drop(open);
    house.tell_door();
    Ok(Backup {
        name: super::copies::file_name(&format!("Kiez {}", backed_up.name)),
        bytes,
    })
}

/// Makes a profile of a backup, and opens it. What is sent: the length of the passphrase (`u32`, little-endian), the passphrase,
/// the backup.
pub(crate) async fn recover(house: &House, sent: &[u8]) -> Result<(), Fault> {
    let wrong = || Fault::new("usage");
    let (length, rest) = sent.split_first_chunk::<4>().ok_or_else(wrong)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| wrong())?;
    if length > PASSPHRASE_BYTES_MAX {
        return Err(wrong());
    }
    let (passphrase, backup) = rest.split_at_checked(length).ok_or_else(wrong)?;
    let passphrase = std::str::from_utf8(passphrase).map_err(|_| wrong())?;
    house
        .begin(passphrase, |passphrase| {
            let mut on = |_| std::ops::ControlFlow::Continue(());
            let backup = Cursor::new(backup);
            let (node, _) = Node::recover_at(house.home(), passphrase, backup, Cost::STANDARD, &mut on)?;
            Ok(node)
        })
        .await
}

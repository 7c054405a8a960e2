//! A further device of the same person comes in: the text that the first device shows, the proofs that both know its secret,
//! the code that both screens show, and the frames. `docs/format-session.md` lays the bytes down.
//!
//! The new device dials, since the text says where the first one is. Both prove over the TLS exporter that they know the
//! secret; both screens show a code; and only when the person at the first one has said that the codes agree, it sends
//! who they are. Then the new device makes its profile, and the first one enrols it in each group and brings the group's keys
//! and entries.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::id::{BoxKey, DeviceId, GroupId, Timestamp};

use super::codec::{Blob, DecodeError, decode, encode};
use super::keys::KeyBox;
use super::letters::{LettersFault, from_letters, six_digits, tidied, to_letters};
use super::limits::{
    ADDRESSES_MAX, BUNDLE_BYTES_MAX, FRAME_BYTES_MAX, INVITATION_BYTES_MAX, JOURNALS_MAX, LINE_BYTES_MAX,
};
use super::session::Channel;

pub(super) const PREFIX: &str = "kiezme1";
const CHECKSUM: &str = "kiez 1 own device";
const SECRET_KEY: &str = "kiez 1 own device secret";
const CODE: &str = "kiez 1 own device code";

/// What the first device shows, for the new one. Whoever reads it could come in, if the person at the first device agreed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct DeviceText {
    /// The one-time secret.
    pub secret: [u8; 32],
    /// The first device.
    #[zeroize(skip)]
    pub device: DeviceId,
    /// Where it is reachable.
    #[zeroize(skip)]
    pub addresses: Vec<SocketAddr>,
    /// When it stops accepting, by its own clock.
    #[zeroize(skip)]
    pub expires: Timestamp,
}

impl std::fmt::Debug for DeviceText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceText({:?})", self.device)
    }
}

/// Why a text makes no computer a further one of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceTextError {
    /// It begins otherwise.
    #[error(
        "this is not the text that your first computer shows: it begins with {PREFIX}. An invitation to a group belongs to \
         `kiez join`"
    )]
    OtherText,
    /// Its checksum does not fit.
    #[error("the text is incomplete or mistyped: copy it again, whole")]
    CutOff,
    /// Newer software made it.
    #[error("this text was made by a newer Kiez: update this one")]
    Newer,
}

impl DeviceText {
    /// As text to copy: letters and digits only.
    #[must_use]
    pub fn to_text(&self) -> String {
        to_letters(PREFIX, CHECKSUM, encode(self))
    }

    /// Reads it back, whatever spaces, line breaks and capitals got into it on the way.
    ///
    /// # Errors
    /// Where it is none, or was cut off or mistyped.
    pub fn parse(text: &str) -> Result<Self, DeviceTextError> {
        let text = tidied(text);
        let newer = text
            .strip_prefix("kiezme")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let body =
            from_letters(PREFIX, CHECKSUM, INVITATION_BYTES_MAX, &text).map_err(|fault| match fault {
                LettersFault::OtherPrefix if newer => DeviceTextError::Newer,
                LettersFault::OtherPrefix => DeviceTextError::OtherText,
                LettersFault::CutOff => DeviceTextError::CutOff,
            })?;
        let text: Self = decode(&body).map_err(|_| DeviceTextError::CutOff)?;
        if text.addresses.len() > ADDRESSES_MAX {
            return Err(DeviceTextError::CutOff);
        }
        Ok(text)
    }
}

/// Who proves something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceSide {
    /// The device that shows the text.
    First,
    /// The one that is new.
    New,
}

/// The proof that this side of this very session knows the secret.
#[must_use]
pub fn device_proof(secret: &[u8; 32], channel: &Channel, side: DeviceSide) -> [u8; 32] {
    let side: u8 = match side {
        DeviceSide::New => 0,
        DeviceSide::First => 1,
    };
    let key = blake3::derive_key(SECRET_KEY, secret);
    let message = encode(&("kiez 1 own device proof", channel.exporter, side));
    *blake3::keyed_hash(&key, &message).as_bytes()
}

/// Does a proof of that side hold? Compared in constant time.
#[must_use]
pub fn device_proof_holds(secret: &[u8; 32], channel: &Channel, side: DeviceSide, proof: &[u8; 32]) -> bool {
    blake3::Hash::from(device_proof(secret, channel, side)) == blake3::Hash::from(*proof)
}

/// The code that both screens show: six digits of this very session.
#[must_use]
pub fn device_code(secret: &[u8; 32], channel: &Channel) -> String {
    six_digits(&blake3::derive_key(CODE, &encode(&(secret, channel.exporter))))
}

/// One message between the two. The order of the variants is the wire format's; only append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceFrame {
    /// The new device: knows the secret, and what boxes for it are to be sealed to.
    Knock {
        /// See [`device_proof`].
        proof: [u8; 32],
        /// Of the profile that is to be.
        box_key: BoxKey,
    },
    /// The first device knows the secret, too. Both show the code now.
    Answer {
        /// See [`device_proof`].
        proof: [u8; 32],
    },
    /// The codes agree: who they are.
    Person(OwnPerson),
    /// The new device's profile is there, and has these groups already.
    Ready {
        /// Groups that are not to be brought.
        has: Vec<GroupId>,
    },
    /// A group: the new device is enrolled in it. So many bytes of a bundle follow.
    Group {
        /// Which.
        group: GroupId,
        /// Its keys, sealed for the new device.
        boxes: Vec<KeyBox>,
        /// How long the bundle is.
        total: u64,
    },
    /// A piece of that bundle.
    Part(Blob),
    /// The group is stored, and its journal begun.
    Stored(GroupId),
    /// That was all; so many groups could not be brought.
    Done {
        /// How many.
        left_out: u32,
    },
    /// The first device says no.
    No(DeviceRefusal),
}

/// Who the person is. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct OwnPerson {
    /// The recovery words' entropy.
    pub entropy: [u8; 32],
    /// Their name.
    #[zeroize(skip)]
    pub name: String,
    /// How many groups they have.
    #[zeroize(skip)]
    pub groups: u32,
}

impl std::fmt::Debug for OwnPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnPerson(..)")
    }
}

/// Why the first device lets nobody in. Who does not know the secret hears `Unknown`, whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
pub enum DeviceRefusal {
    /// No such text is shown there now.
    #[error("your first computer does not know this text: make a new one there")]
    Unknown,
    /// Past its time.
    #[error("the text has expired: make a new one on your first computer")]
    Expired,
    /// Somebody came with it before.
    #[error(
        "the text was used already: make a new one on your first computer. If it was not you, do not agree there to any code"
    )]
    Used,
    /// The person at the first device says so.
    #[error(
        "on your first computer it was said that the codes differ, so nothing was sent. Make a new text, and try again"
    )]
    Disagreed,
    /// The person did not say in time whether the codes agree, or has stopped it.
    #[error("it was stopped on your first computer: make a new text there, and try again")]
    Stopped,
    /// It cannot now.
    #[error("your first computer cannot do that at the moment: look there, and try again")]
    Unable,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceFrameError {
    /// Not of the shape.
    #[error(transparent)]
    Shape(#[from] DecodeError),
    /// Beyond a limit.
    #[error("a frame holds more than it may")]
    TooMuch,
}

impl DeviceFrame {
    /// Its bytes, without the length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a frame, and holds it to the limits.
    ///
    /// # Errors
    /// Where the bytes are not canonical or go beyond a limit. Never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeviceFrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(DeviceFrameError::TooMuch);
        }
        let frame: Self = decode(bytes)?;
        let within = match &frame {
            Self::Person(person) => person.name.len() <= LINE_BYTES_MAX,
            Self::Group { boxes, total, .. } => {
                boxes.len() <= JOURNALS_MAX
                    && usize::try_from(*total).is_ok_and(|total| total <= BUNDLE_BYTES_MAX)
            }
            Self::Part(bytes) => !bytes.0.is_empty(),
            Self::Knock { .. }
            | Self::Answer { .. }
            | Self::Ready { .. }
            | Self::Stored(_)
            | Self::Done { .. }
            | Self::No(_) => true,
        };
        if within {
            Ok(frame)
        } else {
            Err(DeviceFrameError::TooMuch)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::domain::id::{KeyId, to_hex};

    const CHANNEL: Channel = Channel {
        exporter: [9; 32],
        peer: DeviceId([5; 32]),
    };

    fn text() -> DeviceText {
        DeviceText {
            secret: [7; 32],
            device: DeviceId([5; 32]),
            addresses: vec!["192.0.2.7:50000".parse().unwrap()],
            expires: Timestamp(1_800_000_000_000),
        }
    }

    fn frames() -> Vec<DeviceFrame> {
        let sealed = KeyBox {
            key: KeyId([3; 32]),
            encapsulated: [4; 32],
            sealed: Blob(vec![1; 48]),
        };
        let group = GroupId([1; 32]);
        vec![
            DeviceFrame::Knock {
                proof: [8; 32],
                box_key: BoxKey([6; 32]),
            },
            DeviceFrame::Answer { proof: [8; 32] },
            DeviceFrame::Person(OwnPerson {
                entropy: [2; 32],
                name: "Anna".to_owned(),
                groups: 1,
            }),
            DeviceFrame::Ready { has: vec![group] },
            DeviceFrame::Group {
                group,
                boxes: vec![sealed],
                total: 300,
            },
            DeviceFrame::Part(Blob(vec![1, 2, 3])),
            DeviceFrame::Stored(group),
            DeviceFrame::Done { left_out: 0 },
            DeviceFrame::No(DeviceRefusal::Unable),
        ]
    }

    #[test]
    fn the_bytes_stay() {
        let mut lines = String::new();
        writeln!(lines, "text: {}", text().to_text()).unwrap();
        writeln!(lines, "code: {}", device_code(&[7; 32], &CHANNEL)).unwrap();
        for side in [DeviceSide::New, DeviceSide::First] {
            let proof = to_hex(&device_proof(&[7; 32], &CHANNEL, side));
            writeln!(lines, "proof of {side:?}: {proof}").unwrap();
        }
        for frame in frames() {
            assert_eq!(DeviceFrame::from_bytes(&frame.to_bytes()), Ok(frame.clone()));
            writeln!(lines, "{}", to_hex(&frame.to_bytes())).unwrap();
        }
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn the_text_reads_back_as_people_copy_it_and_says_what_else_it_is() {
        let letters = text().to_text();
        let (first, rest) = letters.split_at(20);
        let copied = format!(" {}\n{rest} ", first.to_uppercase());
        assert_eq!(DeviceText::parse(&copied), Ok(text()));
        for (typed, error) in [
            ("kiez1abc", DeviceTextError::OtherText),
            ("", DeviceTextError::OtherText),
            ("kiezme2abc", DeviceTextError::Newer),
            ("kiezme1", DeviceTextError::CutOff),
            (first, DeviceTextError::CutOff),
        ] {
            assert_eq!(DeviceText::parse(typed), Err(error), "{typed}");
        }
        let mistyped = letters.replacen('a', "b", 1);
        assert_eq!(DeviceText::parse(&mistyped), Err(DeviceTextError::CutOff));
        let many = DeviceText {
            addresses: vec!["192.0.2.7:50000".parse().unwrap(); ADDRESSES_MAX + 1],
            ..text()
        };
        assert_eq!(DeviceText::parse(&many.to_text()), Err(DeviceTextError::CutOff));
    }

    #[test]
    fn a_proof_is_of_one_secret_one_session_and_one_side() {
        let proof = device_proof(&[7; 32], &CHANNEL, DeviceSide::New);
        let other = Channel {
            exporter: [10; 32],
            ..CHANNEL
        };
        let holds = |secret, channel, side| device_proof_holds(secret, channel, side, &proof);
        assert!(holds(&[7; 32], &CHANNEL, DeviceSide::New));
        assert!(!holds(&[6; 32], &CHANNEL, DeviceSide::New));
        assert!(!holds(&[7; 32], &other, DeviceSide::New));
        assert!(!holds(&[7; 32], &CHANNEL, DeviceSide::First));
    }

    #[test]
    fn frames_are_held_to_their_limits_and_show_no_secret() {
        let too_long = DeviceFrame::Person(OwnPerson {
            entropy: [2; 32],
            name: "x".repeat(LINE_BYTES_MAX + 1),
            groups: 0,
        });
        let too_large = DeviceFrame::Group {
            group: GroupId([1; 32]),
            boxes: vec![],
            total: u64::MAX,
        };
        for frame in [too_long, too_large, DeviceFrame::Part(Blob(vec![]))] {
            let read = DeviceFrame::from_bytes(&frame.to_bytes());
            assert_eq!(read, Err(DeviceFrameError::TooMuch));
        }
        for bytes in frames().iter().map(DeviceFrame::to_bytes) {
            for length in 0..bytes.len() {
                assert!(DeviceFrame::from_bytes(&bytes[..length]).is_err());
            }
        }
        assert!(!format!("{:?} {:?}", frames(), text()).contains("2, 2, 2"));
    }
}

//! Names of things: one newtype for every kind of id, so that no id can be taken for another.
//!
//! In text (people, JSON, URLs) an id is lower-case hexadecimal; in bytes it is itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: {digits} hexadecimal digits expected")]
pub struct IdError {
    /// How many digits an id of this kind has.
    pub digits: usize,
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('?');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

pub(crate) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let wrong = IdError {
        digits: N.saturating_mul(2),
    };
    let nibbles: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let nibbles = nibbles.ok_or_else(|| wrong.clone())?;
    let (pairs, rest) = nibbles.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong);
    }
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4) | low).collect();
    bytes.try_into().map_err(|_| wrong)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// Its size in bytes.
            pub const SIZE: usize = $size;

            /// The id as bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let short: String = to_hex(&self.0).chars().take(8).collect();
                write!(f, concat!(stringify!($name), "({})"), short)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                from_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    // A tuple: exactly the bytes, without a length.
                    use serde::ser::SerializeTuple;
                    let mut tuple = serializer.serialize_tuple($size)?;
                    for byte in &self.0 {
                        tuple.serialize_element(byte)?;
                    }
                    tuple.end()
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> de::Visitor<'de> for Visitor {
                    type Value = [u8; $size];

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "an id of {} bytes", $size)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                        from_hex(text).map_err(E::custom)
                    }

                    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                        let mut bytes = [0_u8; $size];
                        for (index, byte) in bytes.iter_mut().enumerate() {
                            *byte = seq
                                .next_element()?
                                .ok_or_else(|| de::Error::invalid_length(index, &"an id"))?;
                        }
                        Ok(bytes)
                    }
                }
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Visitor).map(Self)
                } else {
                    deserializer.deserialize_tuple($size, Visitor).map(Self)
                }
            }
        }
    };
}

id!(
    /// A neighbourhood initiative: the id of its founding entry.
    GroupId, 32
);
id!(
    /// A human member: the public key that comes from the recovery words.
    PersonId, 32
);
id!(
    /// One installed profile: its iroh endpoint key.
    DeviceId, 32
);
id!(
    /// A journal: the public key that signs its entries.
    JournalId, 32
);
id!(
    /// An entry: BLAKE3 of its header.
    EntryId, 32
);
id!(
    /// A group key, by a derived hash of it.
    KeyId, 32
);
id!(
    /// The X25519 public key that boxes for a device are sealed to.
    BoxKey, 32
);
id!(
    /// The public key of an invitation's one-time secret.
    InviteKey, 32
);
id!(
    /// A poll: the hash of its record.
    PollId, 32
);
id!(
    /// An Automerge change: its SHA-256.
    ChangeId, 32
);
id!(
    /// An idea (in code: a proposal).
    ProposalId, 16
);
id!(
    /// A board of tasks.
    BoardId, 16
);
id!(
    /// A task on a board.
    TaskId, 16
);
id!(
    /// A comment in a person's own document.
    CommentId, 16
);
id!(
    /// A meeting.
    MeetingId, 16
);
id!(
    /// A page of needs and offers.
    HelpId, 16
);
id!(
    /// A page of goals and measures.
    StrategyId, 16
);
id!(
    /// An Ed25519 signature.
    Signature, 64
);
id!(
    /// A group key sealed in a box: the key and the seal's tag.
    SealedKey, 48
);

impl From<EntryId> for GroupId {
    /// The founding entry's id is the group's id.
    fn from(found: EntryId) -> Self {
        Self(found.0)
    }
}

impl GroupId {
    /// What stands in the founding entry itself, whose id is not known yet.
    pub const ZERO: Self = Self([0; 32]);
}

impl EntryId {
    /// What the first entry of a journal names as its predecessor.
    pub const ZERO: Self = Self([0; 32]);
}

/// A point in time as somebody's clock claimed it: milliseconds since 1970, UTC. For people to read; no rule depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// The place of an entry in its journal, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryNumber(pub u64);

impl EntryNumber {
    /// The first entry.
    pub const FIRST: Self = Self(1);

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_text_json_and_bytes() {
        let id = ProposalId([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(id.to_string(), "0f0102030405060708090a0b0c0d0eff");
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ProposalId>(&json).unwrap(), id);
        let bytes = postcard::to_stdvec(&id).unwrap();
        assert_eq!(bytes.len(), 16);
        assert_eq!(postcard::from_bytes::<ProposalId>(&bytes).unwrap(), id);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "0",
            "zz",
            "0f0102030405060708090a0b0c0d0ef",
            "0f0102030405060708090a0b0c0d0eff00",
        ] {
            assert_eq!(text.parse::<ProposalId>(), Err(IdError { digits: 32 }));
        }
        assert!(postcard::from_bytes::<ProposalId>(&[1, 2]).is_err());
    }
}

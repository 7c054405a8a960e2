//! Shapes to bytes and back: postcard, accepted only where it is canonical.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are not the shape they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Cut off, or something impossible in it.
    #[error("the bytes are not of the expected shape")]
    Malformed,
    /// The same could be said in other bytes, or something stands behind the end.
    #[error("the bytes are not canonical")]
    NotCanonical,
}

/// The canonical bytes of a value.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "postcard writes to a growing buffer, and no type here has an unknown length"
)]
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("a value of known length encodes")
}

/// Reads a value whose bytes must be exactly what [`encode`] would write.
///
/// # Errors
/// Where they are not. Memory is bounded by the length of `bytes`: postcard reserves no more than it reads.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).map_err(|_| DecodeError::Malformed)?;
    if !rest.is_empty() || encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Bytes that are written as a length and themselves, not one by one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Blob(pub Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Blob;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_bytes_are_read() {
        let bytes = encode(&(300_u64, Blob(vec![1, 2])));
        assert_eq!(decode::<(u64, Blob)>(&bytes), Ok((300, Blob(vec![1, 2]))));
        // The same number in a longer form.
        assert_eq!(decode::<u64>(&[0x81, 0x00]), Err(DecodeError::NotCanonical));
        assert_eq!(decode::<u64>(&[0x01, 0x00]), Err(DecodeError::NotCanonical));
        assert_eq!(decode::<u64>(&[]), Err(DecodeError::Malformed));
        assert_eq!(
            decode::<Blob>(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1]),
            Err(DecodeError::Malformed)
        );
        assert_eq!(
            decode::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1]),
            Err(DecodeError::Malformed)
        );
    }
}

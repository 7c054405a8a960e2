//! Bytes as text that people copy: a prefix that says what it is, then letters and digits only, with a checksum.

use zeroize::Zeroize;

/// Why a text is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LettersFault {
    /// It begins otherwise.
    OtherPrefix,
    /// It is incomplete or mistyped.
    CutOff,
}

/// The text of a body. `checksum` is the context of its checksum. The body is wiped.
pub(super) fn to_letters(prefix: &str, checksum: &'static str, mut body: Vec<u8>) -> String {
    let sum = blake3::derive_key(checksum, &body);
    body.extend(sum.into_iter().take(4));
    let letters = data_encoding::BASE32_NOPAD.encode(&body).to_lowercase();
    body.zeroize();
    format!("{prefix}{letters}")
}

/// The text without what got into it on its way: spaces, line breaks, capitals.
pub(super) fn tidied(text: &str) -> String {
    let letters: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    letters.to_lowercase()
}

/// The body of a tidied text.
pub(super) fn from_letters(
    prefix: &str,
    checksum: &'static str,
    most: usize,
    text: &str,
) -> Result<Vec<u8>, LettersFault> {
    let letters = text.strip_prefix(prefix).ok_or(LettersFault::OtherPrefix)?;
    if letters.len() > most {
        return Err(LettersFault::CutOff);
    }
    let mut body = data_encoding::BASE32_NOPAD
        .decode(letters.to_uppercase().as_bytes())
        .map_err(|_| LettersFault::CutOff)?;
    let split = body.len().checked_sub(4).ok_or(LettersFault::CutOff)?;
    let sum = body.split_off(split);
    let right = blake3::derive_key(checksum, &body);
    if right.get(..4) == Some(sum.as_slice()) {
        Ok(body)
    } else {
        Err(LettersFault::CutOff)
    }
}

/// Six digits of a hash, as both screens show them.
pub(super) fn six_digits(hash: &[u8; 32]) -> String {
    let number = hash
        .iter()
        .take(8)
        .fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
    let digits = number % 1_000_000;
    format!("{:03} {:03}", digits / 1000, digits % 1000)
}

//! The sealed file: a head in the clear that tells a stranger nothing, then the container in sealed chunks.
//!
//! No randomness is needed: the salt is a keyed hash of the container, so a salt returns only with the same bytes.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::domain::id::KeyId;
use crate::replica::keys::GroupKey;
use crate::replica::limits::BUNDLE_BYTES_MAX;

use super::error::BundleError;

/// The first bytes of every bundle. The line ends in it show a transfer that took it for text.
pub(super) const MAGIC: [u8; 8] = *b"\x89KIEZ\r\n\x1a";

/// What every bundle is written as that older software can read.
pub(super) const VERSION: u8 = 1;

/// With entries of which only the header is left.
pub(super) const VERSION_ERASED: u8 = 2;

/// Magic, version, container length, salt, tag.
pub(super) const HEAD_BYTES: usize = 52;

/// How much of the container one sealed chunk holds.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

const TAG_BYTES: usize = 16;
const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// The head of a file, read and found possible.
pub(super) struct Head<'a> {
    bytes: &'a [u8; HEAD_BYTES],
    container_bytes: usize,
    salt: [u8; 19],
    tag: [u8; TAG_BYTES],
}

impl<'a> Head<'a> {
    /// Reads it from the first bytes of a file.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, BundleError> {
        let start = file.get(..MAGIC.len()).unwrap_or(file);
        if start.is_empty() || !MAGIC.starts_with(start) {
            return Err(BundleError::NotABundle);
        }
        if let Some(&version) = file.get(MAGIC.len())
            && version != VERSION
            && version != VERSION_ERASED
        {
            return Err(BundleError::Newer { version });
        }
        let Some((bytes, _)) = file.split_first_chunk::<HEAD_BYTES>() else {
            return Err(BundleError::Truncated {
                missing: HEAD_BYTES.saturating_sub(file.len()) as u64,
            });
        };
        let (_, rest) = bytes.split_at(9);
        let (length, rest) = rest.split_first_chunk::<8>().ok_or(BundleError::Damaged)?;
        let (salt, rest) = rest.split_first_chunk::<19>().ok_or(BundleError::Damaged)?;
        let (tag, _) = rest
            .split_first_chunk::<TAG_BYTES>()
            .ok_or(BundleError::Damaged)?;
        let container_bytes = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .filter(|bytes| *bytes <= BUNDLE_BYTES_MAX)
            .ok_or(TOO_LARGE)?;
        if container_bytes == 0 {
            return Err(BundleError::Damaged);
        }
        Ok(Self {
            bytes,
            container_bytes,
            salt: *salt,
            tag: *tag,
        })
    }

    /// Was the file sealed under this group key?
    pub(super) fn fits(&self, key: &GroupKey) -> bool {
        let (head, _) = self.bytes.split_at(HEAD_BYTES.saturating_sub(TAG_BYTES));
        tag_of(head, key) == self.tag
    }

    /// Its version, one of those that are read.
    pub(super) const fn version(&self) -> u8 {
        let [_, _, _, _, _, _, _, _, version, ..] = self.bytes;
        *version
    }

    /// How long the whole file is.
    pub(super) const fn file_bytes(&self) -> usize {
        file_bytes(self.container_bytes)
    }
}

/// The sealed file of a container.
pub(super) fn seal(container: &[u8], key: &GroupKey, version: u8) -> Result<Vec<u8>, BundleError> {
    if container.is_empty() || file_bytes(container.len()) > BUNDLE_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    let salt = salt_of(container, key);
    let mut file = Vec::with_capacity(file_bytes(container.len()));
    file.extend_from_slice(&MAGIC);
    file.push(version);
    file.extend_from_slice(&(container.len() as u64).to_le_bytes());
    file.extend_from_slice(&salt);
    let tag = tag_of(&file, key);
    file.extend_from_slice(&tag);
    let head = file.clone();
    let cipher = XChaCha20Poly1305::new(&key.bundle_key().into());
    let last = container.len().div_ceil(CHUNK_BYTES).saturating_sub(1);
    for (index, chunk) in container.chunks(CHUNK_BYTES).enumerate() {
        let nonce = XNonce::from(nonce_of(&salt, index, index == last).ok_or(TOO_LARGE)?);
        let payload = Payload {
            msg: chunk,
            aad: &head,
        };
        file.extend_from_slice(&cipher.encrypt(&nonce, payload).map_err(|_| TOO_LARGE)?);
    }
    Ok(file)
}

/// The container of a whole file whose head fits this key.
pub(super) fn open(file: &[u8], key: &GroupKey) -> Result<Vec<u8>, BundleError> {
    let head = Head::read(file)?;
    if !head.fits(key) {
        return Err(BundleError::NoKey);
    }
    check_length(file, &head)?;
    let (_, sealed) = file.split_at_checked(HEAD_BYTES).ok_or(BundleError::Damaged)?;
    let cipher = XChaCha20Poly1305::new(&key.bundle_key().into());
    let mut container = Vec::with_capacity(head.container_bytes);
    let last = head.container_bytes.div_ceil(CHUNK_BYTES).saturating_sub(1);
    for (index, chunk) in sealed.chunks(SEALED_CHUNK_BYTES).enumerate() {
        let nonce = XNonce::from(nonce_of(&head.salt, index, index == last).ok_or(BundleError::Damaged)?);
        let payload = Payload {
            msg: chunk,
            aad: head.bytes,
        };
        container.extend_from_slice(
            &cipher
                .decrypt(&nonce, payload)
                .map_err(|_| BundleError::Damaged)?,
        );
    }
    if container.len() == head.container_bytes && salt_of(&container, key) == head.salt {
        Ok(container)
    } else {
        Err(BundleError::Damaged)
    }
}

/// Is all of the file there, and nothing behind it?
pub(super) fn check_length(file: &[u8], head: &Head<'_>) -> Result<(), BundleError> {
    match head.file_bytes().checked_sub(file.len()) {
        Some(0) => Ok(()),
        Some(missing) => Err(BundleError::Truncated {
            missing: missing as u64,
        }),
        None => Err(BundleError::Damaged),
    }
}

const TOO_LARGE: BundleError = BundleError::TooLarge {
    what: "bytes of the file",
};

const fn file_bytes(container_bytes: usize) -> usize {
    container_bytes
        .div_ceil(CHUNK_BYTES)
        .saturating_mul(TAG_BYTES)
        .saturating_add(container_bytes)
        .saturating_add(HEAD_BYTES)
}

fn salt_of(container: &[u8], key: &GroupKey) -> [u8; 19] {
    let salt_key = blake3::derive_key("kiez 1 bundle salt", &key.bundle_key());
    let mut salt = [0; 19];
    blake3::Hasher::new_keyed(&salt_key)
        .update(container)
        .finalize_xof()
        .fill(&mut salt);
    salt
}

/// Names the key to whoever holds it, and nothing to anybody else: it differs from file to file.
fn tag_of(head: &[u8], key: &GroupKey) -> [u8; TAG_BYTES] {
    let tag_key = blake3::derive_key("kiez 1 bundle tag", &key.bundle_key());
    let mut tag = [0; TAG_BYTES];
    blake3::Hasher::new_keyed(&tag_key)
        .update(head)
        .finalize_xof()
        .fill(&mut tag);
    tag
}

/// Place and end are in the nonce, so a chunk that is moved, or an end that is cut off, does not open.
fn nonce_of(salt: &[u8; 19], index: usize, last: bool) -> Option<[u8; 24]> {
    let index = u32::try_from(index).ok()?;
    let mut nonce = [0; 24];
    let (prefix, rest) = nonce.split_first_chunk_mut::<19>()?;
    *prefix = *salt;
    let (counter, flag) = rest.split_first_chunk_mut::<4>()?;
    *counter = index.to_le_bytes();
    *flag.first_mut()? = u8::from(last);
    Some(nonce)
}

/// The key among these that a file is sealed under.
pub(super) fn find<'a>(
    head: &Head<'_>,
    mut keys: impl Iterator<Item = &'a GroupKey>,
) -> Option<(KeyId, &'a GroupKey)> {
    keys.find(|key| head.fits(key)).map(|key| (key.id(), key))
}

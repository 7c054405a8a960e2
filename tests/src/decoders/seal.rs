//! What `docs/format-bundle.md` says of the file around a bundle's plain bytes, so that a target reaches what is inside.
//! Shares no code with the reader.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use kiez_core::replica::keys::GroupKey;

const HEAD: &[u8] = b"\x89KIEZ\r\n\x1a\x01";
const HEAD_BYTES: usize = 52;
const CHUNK_BYTES: usize = 64 * 1024;

/// The file of a container.
pub(super) fn file_of(container: &[u8], key: &GroupKey) -> Vec<u8> {
    let salt = derived::<19>("kiez 1 bundle salt", container, key);
    let mut file = HEAD.to_vec();
    file.extend((container.len() as u64).to_le_bytes());
    file.extend(salt);
    file.extend(derived::<16>("kiez 1 bundle tag", &file, key));
    let head = file.clone();
    let mut chunks = container.chunks(CHUNK_BYTES).enumerate().peekable();
    while let Some((index, chunk)) = chunks.next() {
        let nonce = nonce_of(&salt, index, chunks.peek().is_none());
        let payload = Payload {
            msg: chunk,
            aad: &head,
        };
        let sealed = cipher(key).encrypt(&nonce, payload);
        file.extend(sealed.expect("a chunk can be sealed"));
    }
    file
}

/// The container of a file, where it is one under this key.
fn container_of(file: &[u8], key: &GroupKey) -> Option<Vec<u8>> {
    let (head, sealed) = file.split_at_checked(HEAD_BYTES)?;
    let salt = head.get(17..36)?.first_chunk::<19>()?;
    let mut container = Vec::new();
    let mut chunks = sealed
        .chunks(CHUNK_BYTES.saturating_add(16))
        .enumerate()
        .peekable();
    while let Some((index, chunk)) = chunks.next() {
        let nonce = nonce_of(salt, index, chunks.peek().is_none());
        let payload = Payload {
            msg: chunk,
            aad: head,
        };
        container.extend(cipher(key).decrypt(&nonce, payload).ok()?);
    }
    Some(container)
}

/// The plain bytes of a file, where it is one under this key.
#[must_use]
pub fn plain_of(file: &[u8], key: &GroupKey) -> Option<Vec<u8>> {
    let container = container_of(file, key)?;
    zstd::stream::decode_all(container.as_slice()).ok()
}

fn cipher(key: &GroupKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.bundle_key().into())
}

fn derived<const N: usize>(purpose: &str, of: &[u8], key: &GroupKey) -> [u8; N] {
    let mut bytes = [0; N];
    blake3::Hasher::new_keyed(&blake3::derive_key(purpose, &key.bundle_key()))
        .update(of)
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn nonce_of(salt: &[u8; 19], index: usize, is_last: bool) -> XNonce {
    let index = u32::try_from(index).unwrap_or(u32::MAX).to_le_bytes();
    let mut nonce = [0; 24];
    let parts = salt.iter().chain(&index).copied().chain([u8::from(is_last)]);
    nonce.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    XNonce::from(nonce)
}

"""HPKE (RFC 9180) as docs/format.md, section 3, uses it: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
Calls no code of Kiez."""

import hashlib
import hmac

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from primitives import GroupKey, Refused, require, text, unsigned

KEM = b"KEM\x00\x20"
SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"


def extract(salt, suite, label, secret):
    return hmac.digest(salt, b"HPKE-v1" + suite + label + secret, hashlib.sha256)


def expand(key, suite, label, info, length):
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out, block, count = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([count]), hashlib.sha256)
        out, count = out + block, count + 1
    return out[:length]


def key_pair(secret):
    private = expand(extract(b"", KEM, b"dkp_prk", secret), KEM, b"sk", b"", 32)
    return private, sodium.crypto_scalarmult_base(private)


def open_box(secret, encapsulated, info, sealed):
    private, public = key_pair(secret)
    shared = extract(b"", KEM, b"eae_prk", sodium.crypto_scalarmult(private, encapsulated))
    shared = expand(shared, KEM, b"shared_secret", encapsulated + public, 32)
    context = b"\0" + extract(b"", SUITE, b"psk_id_hash", b"") + extract(b"", SUITE, b"info_hash", info)
    secret = extract(shared, SUITE, b"secret", b"")
    key = expand(secret, SUITE, b"key", context, 32)
    nonce = expand(secret, SUITE, b"base_nonce", context, 12)
    try:
        return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, b"", nonce, key)
    except CryptoError as error:
        raise Refused("a box does not open") from error


def open_group_key(secret, info, key, encapsulated, sealed):
    """A key that was opened counts only if its id is the one the box names."""
    opened = GroupKey(open_box(secret, encapsulated, info, sealed))
    require(opened.id == key, "a box holds another key than it says")
    return opened


def open_join_box(secret, group, key, encapsulated, sealed):
    _, public = key_pair(secret)
    return open_group_key(secret, text("kiez 1 join box") + group + key + public, key, encapsulated, sealed)


def open_entry_box(secret, entry, box):
    """A box in a control entry opens in that place only."""
    _, public = key_pair(secret)
    info = text("kiez 1 entry box") + entry.group + box.key + entry.journal + unsigned(entry.number) + public
    return open_group_key(secret, info, box.key, box.encapsulated, box.sealed)


def keys_for(secret, act, devices):
    """The keys that an act boxes for the device with this secret. Devices: their box keys, by what enrolled them."""
    _, public = key_pair(secret)
    mine = [box for box in act.boxes if devices.get(box.enrolment) == public]
    return [open_entry_box(secret, act.entry, box) for box in mine]

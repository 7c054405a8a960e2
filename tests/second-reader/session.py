"""A recorded invitation, joining and session: docs/format-session.md. Calls no code of Kiez.

    python session.py RECORDING

The recording is tests/fixtures/issue-2/neighbours.json. Verifies every proof, signature and box in it, and prints what was
said as JSON. What breaks a rule is refused: exit code 1."""

import base64
import hashlib
import hmac
import json
import sys

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

import reader
from entries import CONTENT, ZERO, Act, Entry
from primitives import Bytes, GroupKey, Refused, derive, keyed, require, text, verify

FRAMES = [
    "hello", "identify", "digest", "frontier", "entries", "bundle part", "stored", "publish enrolment", "goodbye",
    "join request", "admitted", "not admitted",
]


# -- HPKE (RFC 9180): base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.

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


# -- section 1


def address(body):
    kind = body.choice(2)
    return body.take(4 if kind == 0 else 16), body.unsigned(16)


def invitation(words):
    words = "".join(words.split()).lower()
    require(words.startswith("kiez1") and len(words) <= 5 + 4096, "not an invitation")
    letters = words[5:].upper()
    data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    body, checksum = data[:-4], data[-4:]
    require(derive("kiez 1 invitation", body)[:4] == checksum, "cut off or mistyped")
    body = Bytes(body)
    said = {
        "group": body.take(32), "invite": body.take(32), "secret": body.take(32), "inviter": body.take(32),
        "box_key": body.take(32), "addresses": body.list(lambda: address(body)),
        "relay": body.text() if body.flag() else None, "expires": body.unsigned(),
    }
    require(body.done() and len(said["addresses"]) <= 16, "not an invitation")
    return said


# -- section 2


def frontier(body):
    return body.map(lambda: body.take(32), lambda: (body.unsigned(), body.take(32)))


def holdings(body):
    heads = frontier(body)
    leaf = lambda: (body.unsigned(), body.take(32))
    branches = body.map(lambda: body.take(32), lambda: body.list(leaf))
    require(all(a < b for set in branches.values() for a, b in zip(set, set[1:])), "a set is not ascending")
    return heads, branches


def entries(body, group):
    keys = body.list(lambda: body.take(32))
    journals = body.list(lambda: [body.take(32), body.unsigned(), body.take(32), body.take(64), body.flag()])
    last = {}
    out = []
    for _ in range(body.unsigned()):
        place, kind, key = body.unsigned(32), body.byte(), body.unsigned(16)
        seen = body.list(lambda: body.take(32))
        nonce, sealed = body.take(24), body.blob()
        require(place < len(journals) and key < len(keys) and len(sealed) >= 16, "a place beyond the list")
        journal, number, prev, _, founding = journals[place]
        own = ZERO if founding and place not in last else group
        entry = Entry(own, journal, number, prev, seen, kind, keys[key], len(sealed) - 16)
        entry.close(nonce, sealed)
        require(entry.group == group, "an entry of another group")
        journals[place][1:3] = [number + 1, entry.id]
        last[place] = entry
        out.append(entry)
    require(len(last) == len(journals), "a journal without entries")
    for place, entry in last.items():
        entry.verify(journals[place][3])
    return out


class Connection:
    """What is said on one connection, side by side."""

    def __init__(self, told, exporter):
        self.told, self.exporter = told, exporter
        self.group, self.key = bytes.fromhex(told["group"]), GroupKey(bytes.fromhex(told["group_key"]))
        self.said, self.entries, self.digests, self.bundle = [], [], {}, b""

    def hear(self, side, frame):
        body = Bytes(frame)
        name = FRAMES[body.choice(len(FRAMES))]
        self.said.append(name)
        getattr(self, "hear_" + name.replace(" ", "_"))(body, side)
        require(body.done(), "bytes behind a frame")

    def hear_hello(self, body, side):
        require(body.unsigned(16) == 1, "another version")
        proofs = [body.take(32) for _ in range(16)]
        proof = keyed(self.key.session, text("kiez 1 proof") + self.exporter + bytes([side]))
        require(proof in proofs, "no proof of membership")

    def hear_identify(self, body, side):
        journal = body.take(32)
        message = text("kiez 1 identify") + self.group + self.exporter + bytes([side]) + journal
        verify(journal, message, body.take(64), "identify")

    def hear_digest(self, body, side):
        self.digests[side] = body.take(32)

    def hear_frontier(self, body, side):
        start = body.at
        holdings(body)
        require(derive("kiez 1 frontier", body.data[start : body.at]) == self.digests[side], "not what the digest said")

    def hear_stored(self, body, side):
        heads, _ = holdings(body)
        known = {(entry.journal, entry.number, entry.id) for entry in self.entries}
        require(all((journal, *head) in known for journal, head in heads.items()), "stored what was not sent")

    def hear_entries(self, body, side):
        for entry in entries(body, self.group):
            entry.open(self.key)
            if entry.kind != CONTENT:
                Act(entry, self.group)
            self.entries.append(entry)

    def hear_bundle_part(self, body, side):
        total = body.unsigned()
        self.bundle += body.blob()
        require(len(self.bundle) <= total, "longer than it says")

    def hear_join_request(self, body, side):
        require(body.take(32) == self.group, "another group")
        act = object.__new__(Act)
        start = body.at
        act.read_admit(body, self.group)
        require(self.exporter in body.data[start : body.at], "not of this connection")

    def hear_admitted(self, body, side):
        body.take(32)
        secret = bytes.fromhex(self.told["box_secret"])
        _, public = key_pair(secret)
        for key, encapsulated, sealed in body.list(lambda: (body.take(32), body.take(32), body.blob())):
            info = text("kiez 1 join box") + self.group + key + public
            opened = GroupKey(open_box(secret, encapsulated, info, sealed))
            require(opened.id == key, "a box holds another key than it says")
            require(opened.bytes == self.key.bytes, "another key")


def short_code(group, exporter):
    number = int.from_bytes(derive("kiez 1 short code", group + exporter)[:8], "big") % 1000000
    return f"{number // 1000:03} {number % 1000:03}"


def listen(told, frames, exporter):
    connection = Connection(told, bytes.fromhex(exporter))
    for frame in frames:
        connection.hear(frame["side"], bytes.fromhex(frame["bytes"]))
    return connection


def main(path):
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    try:
        invited = invitation(told["invitation"])
        joining = listen(told, told["joining"], told["joining_exporter"])
        session = listen(told, told["session"], told["session_exporter"])
        joined = reader.read(joining.bundle, joining.key)
    except Refused as why:
        print(json.dumps({"refused": str(why)}), file=sys.stderr)
        return 1
    print(json.dumps({
        "invitation": {"group": invited["group"].hex(), "invite": invited["invite"].hex(),
                       "addresses": len(invited["addresses"]), "expires": invited["expires"]},
        "code": short_code(joining.group, joining.exporter),
        "joining": joining.said, "joined": joined["group"],
        "session": session.said, "entries": [entry.id.hex() for entry in session.entries],
    }))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

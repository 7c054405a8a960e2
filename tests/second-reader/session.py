"""A recorded invitation, joining and session: docs/format-session.md. Calls no code of Kiez.

    python session.py RECORDING [BUNDLE BUNDLE]

The recording is a neighbours.json or council.json of tests/fixtures; to the latter belong the bundles of what both had before. Verifies
every proof, signature and box in it, and prints what was said as JSON. What breaks a rule is refused: exit code 1."""

import base64
import json
import sys

import bundle
import reader
from acts import join_request
from entries import CONTROL, ZERO, Entry
from hpke import open_join_box
from listing import Listing, listed
from primitives import Bytes, GroupKey, Refused, derive, keyed, require, text, verify

FRAMES = [
    "hello", "identify", "digest", "frontier", "entries", "bundle part", "stored", "publish enrolment", "goodbye",
    "join request", "admitted", "not admitted",
]


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
    """What is said on one connection, side by side. `sides`: what each of them knows before."""

    def __init__(self, told, exporter, sides):
        self.told, self.exporter, self.sides = told, exporter, sides
        self.group = bytes.fromhex(told["group"])
        self.said, self.entries, self.digests = [], [], {}
        self.coming, self.bundles = b"", []

    def hear(self, side, frame):
        body = Bytes(frame)
        name = FRAMES[body.choice(len(FRAMES))]
        self.said.append(name)
        getattr(self, "hear_" + name.replace(" ", "_"))(body, side)
        require(body.done(), "bytes behind a frame")

    def hear_hello(self, body, side):
        require(body.unsigned(16) == 1, "another version")
        proofs = [body.take(32) for _ in range(16)]
        message = text("kiez 1 proof") + self.exporter + bytes([side])
        proven = [keyed(key.session, message) in proofs for key in self.sides[1 - side].keys.values()]
        require(any(proven), "no proof of membership")

    def hear_identify(self, body, side):
        journal = body.take(32)
        message = text("kiez 1 identify") + self.group + self.exporter + bytes([side]) + journal
        verify(journal, message, body.take(64), "identify")

    def hear_digest(self, body, side):
        self.digests[side] = body.take(32)

    def hear_frontier(self, body, side):
        start = body.at
        holdings(body)
        # One that comes again is about branches that came since.
        said = self.digests.pop(side, None)
        require(said in (None, derive("kiez 1 frontier", body.data[start : body.at])), "not what the digest said")

    def hear_stored(self, body, side):
        heads, _ = holdings(body)
        known = {(entry.journal, entry.number, entry.id) for entry in self.entries}
        require(all((journal, *head) in known for journal, head in heads.items()), "stored what was not sent")

    def hear_entries(self, body, side):
        for entry in entries(body, self.group):
            if entry.kind == CONTROL:
                self.sides[1 - side].learn(entry)
            self.take(entry, side)

    def take(self, entry, side):
        said = self.sides[1 - side].said(entry)
        require("fault" not in said, said.get("fault"))
        self.entries.append(entry)

    def hear_bundle_part(self, body, side):
        total, part = body.unsigned(), body.blob()
        self.coming += part
        require(part and len(self.coming) <= total, "longer than it says")
        if len(self.coming) == total:
            self.bundles.append(self.coming)
            self.coming = b""
            hearer = self.sides[1 - side]
            group, whole = bundle.read(self.bundles[-1], list(hearer.keys.values()), hearer.learn)
            require(group == self.group, "the bundle of another group")
            hearer.named(whole)
            for entry in whole:
                self.take(entry, side)

    def hear_join_request(self, body, side):
        require(body.take(32) == self.group, "another group")
        start = body.at
        join_request(body, self.group)
        require(self.exporter in body.data[start : body.at], "not of this connection")

    def hear_admitted(self, body, side):
        body.take(32)
        for key, encapsulated, sealed in body.list(lambda: (body.take(32), body.take(32), body.blob())):
            opened = open_join_box(self.sides[0].secret, self.group, key, encapsulated, sealed)
            require(key in self.sides[0].keys and opened.bytes == self.sides[0].keys[key].bytes, "another key")


def short_code(group, exporter):
    number = int.from_bytes(derive("kiez 1 short code", group + exporter)[:8], "big") % 1000000
    return f"{number // 1000:03} {number % 1000:03}"


def listen(told, frames, exporter, sides):
    connection = Connection(told, bytes.fromhex(exporter), sides)
    for frame in frames:
        connection.hear(frame["side"], bytes.fromhex(frame["bytes"]))
    return connection


def neighbours(told):
    key = GroupKey(bytes.fromhex(told["group_key"]))
    sides = [Listing(bytes.fromhex(told["box_secret"]), [key]) for _ in range(2)]
    invited = invitation(told["invitation"])
    joining = listen(told, told["joining"], told["joining_exporter"], sides)
    session = listen(told, told["session"], told["session_exporter"], sides)
    joined = reader.read(joining.bundles[0], key)
    return {
        "invitation": {"group": invited["group"].hex(), "invite": invited["invite"].hex(),
                       "addresses": len(invited["addresses"]), "expires": invited["expires"]},
        "code": short_code(joining.group, joining.exporter),
        "joining": joining.said, "joined": joined["group"],
        "session": session.said, "entries": [entry.id.hex() for entry in session.entries],
    }


def council(told, bundles):
    sides = []
    for end, path in zip(told["sides"], bundles):
        keys = [GroupKey(bytes.fromhex(key)) for key in end["keys"]]
        with open(path, "rb") as file:
            sides.append(listed(file.read(), bytes.fromhex(end["box_secret"]), keys)[1])
    session = listen(told, told["session"], told["session_exporter"], sides)
    return {
        "session": session.said, "entries": [entry.id.hex() for entry in session.entries],
        "keys": [sorted(key.hex() for key in side.keys) for side in sides],
    }


def main(path, *bundles):
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    try:
        print(json.dumps(council(told, bundles) if bundles else neighbours(told)))
    except Refused as why:
        print(json.dumps({"refused": str(why)}), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The file that `kiez backup` writes: docs/format-profile.md, sections 1, 2 and 4. Calls no code of Kiez.

    python backup.py BACKUP PASSPHRASE

Prints what is in it as JSON. What breaks a rule is refused: exit code 1."""

import json
import sys
import unicodedata

from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw
from nacl import bindings as sodium

import bundle
from primitives import Bytes, GroupKey, Refused, derive, hash32, require, unseal
from session import address

HEAD = 118
CHUNK = 65536


def root_key(passphrase, memory, passes, lanes, salt):
    secret = unicodedata.normalize("NFKD", passphrase).encode()
    require(ARGON2_VERSION == 0x13, "another version of Argon2")
    return hash_secret_raw(secret, salt, passes, memory, lanes, 32, Type.ID)


def cost(head, at):
    """Section 1: memory in KiB, passes, lanes."""
    memory, passes, lanes = (int.from_bytes(head[at + 4 * n : at + 4 * n + 4], "big") for n in range(3))
    require(65536 <= memory <= 1048576 and 1 <= passes <= 64 and 1 <= lanes <= 16, "a cost beyond the limits")
    return memory, passes, lanes


def open_file(file, passphrase):
    require(file[:8] == b"KIEZBACK", "not a backup")
    require(len(file) > HEAD, "cut off")
    require(int.from_bytes(file[8:10], "big") == 1, "made by a newer version")
    head = file[:HEAD]
    require(hash32(head[:86]) == head[86:], "the head is damaged")
    root = root_key(passphrase, *cost(head, 10), head[22:54])
    require(derive("kiez 2026-11 root key to backup check", root) == head[54:86], "the passphrase is wrong")
    key = derive("kiez 2026-11 root key to backup key", root)
    sealed = file[HEAD:]
    chunks = -(-len(sealed) // (CHUNK + 16))
    plain = b""
    for index in range(chunks):
        chunk = sealed[index * (CHUNK + 16) : (index + 1) * (CHUNK + 16)]
        nonce = index.to_bytes(8, "little") + bytes([index == chunks - 1]) + bytes(15)
        plain += unseal(key, nonce, head, chunk, "a chunk of the backup")
    return Bytes(plain), cost(head, 10)


def record(body):
    length = int.from_bytes(body.take(4), "little")
    require(length <= 16777216, "a record too long")
    return Bytes(body.take(length))


def read(file, passphrase):
    body, paid = open_file(file, passphrase)
    beginning = record(body)
    entropy, name, made, count = beginning.take(32), beginning.text(), beginning.unsigned(), beginning.unsigned(32)
    require(beginning.done(), "bytes behind a record")
    person, _ = sodium.crypto_sign_seed_keypair(derive("kiez 2026-11 recovery words to person key", entropy))
    groups = []
    for _ in range(count):
        part = record(body)
        group, keys = part.take(32), part.list(lambda: GroupKey(part.take(32)))
        contacts = part.list(lambda: (part.take(32), part.list(lambda: address(part))))
        length = part.unsigned()
        require(part.done(), "bytes behind a record")
        id, entries = bundle.read(body.take(length), keys)
        require(id == group, "the bundle of another group")
        groups.append({
            "group": group.hex(), "keys": [key.id.hex() for key in keys], "contacts": len(contacts),
            "entries": [entry.id.hex() for entry in entries],
        })
    require(body.done(), "bytes behind the last group")
    return {"person": person.hex(), "name": name, "made": made, "cost": paid, "groups": groups}


def main(path, passphrase):
    with open(path, "rb") as file:
        data = file.read()
    try:
        print(json.dumps(read(data, passphrase)))
    except Refused as why:
        print(json.dumps({"refused": str(why)}), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

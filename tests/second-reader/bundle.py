"""The file that `kiez export` writes: docs/format-bundle.md. Calls no code of Kiez."""

import hashlib

import zstandard

from entries import CONTENT, CONTROL, ZERO, Entry
from primitives import Bytes, Refused, blob, derive, document_id, keyed, require, signed, unseal, unsigned

MAGIC = bytes.fromhex("894b49455a0d0a1a")
CHUNK = 65536
LANES = 52
COLUMNS = [0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73, 0x94, 0xA5]
ACTION = 6
FULL, IS_CONTENT, IS_KIND, FOUNDING, SEEN, ERASED = 1, 2, 4, 8, 16, 32
U64 = (1 << 64) - 1


def open_file(file, keys):
    """Section 1: the version and the container. It is sealed under the one of the keys whose tag it has."""
    require(file[:8] == MAGIC, "not a bundle")
    require(len(file) >= 52, "cut off")
    require(file[8] in (1, 2), "made by a newer version")
    length = int.from_bytes(file[9:17], "little")
    require(1 <= length <= 268435456, "an impossible length")
    salt, tag, head = file[17:36], file[36:52], file[:52]
    fits = [key for key in keys if keyed(derive("kiez 1 bundle tag", key.bundle), file[:36], 16) == tag]
    require(fits, "sealed under another key")
    key = fits[0]
    chunks = -(-length // CHUNK)
    require(len(file) >= 52 + length + 16 * chunks, "cut off")
    require(len(file) == 52 + length + 16 * chunks, "longer than it says")
    container = bytearray()
    for index in range(chunks):
        sealed = file[52 + index * (CHUNK + 16) : 52 + (index + 1) * (CHUNK + 16)]
        nonce = salt + index.to_bytes(4, "little") + bytes([index == chunks - 1])
        container += unseal(key.bundle, nonce, head, sealed, "a chunk of the bundle")
    require(keyed(derive("kiez 1 bundle salt", key.bundle), bytes(container), 19) == salt, "the salt is another")
    return file[8], bytes(container)


class Budget:
    """Section 2: what may be unpacked."""

    def __init__(self, container):
        self.left = min(1 << 30, (1 << 20) + 256 * len(container))

    def spend(self, count):
        self.left -= count
        require(self.left >= 0, "it unpacks to too much")


def unpack(container, budget):
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    plain = bytearray()
    try:
        for at in range(0, len(container), 4096):
            if unpacker.eof:
                require(not any(container[at:]), "something behind the frame")
                break
            part = unpacker.decompress(container[at : at + 4096])
            budget.spend(len(part))
            plain += part
    except zstandard.ZstdError as error:
        raise Refused("it does not unpack") from error
    require(unpacker.eof and not any(unpacker.unused_data), "the frame does not end")
    return bytes(plain)


class Dictionary:
    def __init__(self, take):
        self.take, self.values = take, []

    def at(self, place):
        require(place <= len(self.values), "a place beyond the dictionary")
        if place == len(self.values):
            self.values.append(self.take())
        return self.values[place]


class DocumentPast:
    """What section 5 remembers of a document."""

    def __init__(self):
        self.changes, self.last_op, self.seq, self.actors = [], {}, {}, []


class Reader:
    """Sections 3 to 5."""

    def __init__(self, plain, version, keys, budget, learn):
        body = Bytes(plain)
        self.forms = 32 if version == 1 else 64
        self.group = body.take(32)
        require(body.unsigned() == 0, "made by a newer version")
        self.count = body.unsigned()
        require(self.count <= 4000000, "too many entries")
        lengths = [body.unsigned() for _ in range(LANES)]
        self.lanes = [Bytes(body.take(length)) for length in lengths]
        require(body.done(), "bytes behind the lanes")
        lane = self.lanes
        self.keys, self.budget, self.learn = keys, budget, learn
        self.journals = Dictionary(self.take_journal)
        self.key_ids = Dictionary(lambda: lane[17].take(32))
        self.documents = Dictionary(lambda: document_id(lane[18])[0])
        self.hashes = Dictionary(lambda: lane[19].take(32))
        self.actors = Dictionary(lambda: lane[20].blob())
        self.heads, self.order, self.control, self.named = {}, [], [], set()
        self.pasts, self.time, self.entries = {}, 0, []

    def number(self, lane):
        return self.lanes[lane].unsigned()

    def take_journal(self):
        id, number = self.lanes[15].take(32), self.number(15)
        require(len(self.heads) < 20000, "too many journals")
        # A forked journal stands there once for each branch.
        place = len(self.heads)
        self.heads[place] = [number, ZERO if number == 1 else self.lanes[15].take(32), None]
        self.order.append(place)
        # Whose change it is, is told by the place among the actors: each branch has its own.
        self.actors.values.append(id)
        return place, id, len(self.actors.values) - 1

    def read(self):
        for _ in range(self.count):
            self.read_entry()
        for journal in self.order:
            self.heads[journal][2].verify(self.lanes[16].take(64))
        require(all(lane.done() for lane in self.lanes), "not all is used up")
        return self.entries

    def read_entry(self):
        place, journal, actor = self.journals.at(self.number(0))
        form = self.number(1)
        full, is_content = bool(form & FULL), bool(form & IS_CONTENT)
        require(form < self.forms and not (is_content and (full or not form & IS_KIND)), "an unknown form")
        require(not form & ERASED or (full and form & IS_KIND), "an unknown form")
        key = self.key_ids.at(self.number(2))
        seen = self.take_seen() if form & SEEN else []
        next_number, prev, _ = self.heads[place]
        kind = CONTENT if form & IS_KIND else CONTROL
        group = ZERO if form & FOUNDING else self.group
        if full:
            length = self.number(14)
        else:
            payload = self.take_content(actor) if is_content else self.lanes[21].take(self.number(14))
            length = len(payload)
        entry = Entry(group, journal, next_number, prev, seen, kind, key, length)
        self.budget.spend(len(entry.h0) + length)
        if form & ERASED:
            entry.bare(self.lanes[22].take(24), self.lanes[23].take(32))
        elif full:
            entry.close(self.lanes[22].take(24), self.lanes[23].take(length + 16))
        else:
            require(key in self.keys, "sealed under a key that is not held")
            entry.seal(payload, self.keys[key])
        require(entry.group == self.group, "an entry of another group")
        require(entry.id not in self.named, "an entry that stands too late")
        if kind == CONTROL:
            self.control.append(entry.id)
            self.keys.update({key.id: key for key in self.learn(entry)})
        self.heads[place] = [next_number + 1, entry.id, entry]
        self.entries.append(entry)

    def take_seen(self):
        count = self.number(3)
        require(1 <= count <= 256, "seen of an impossible length")
        seen = []
        for _ in range(count):
            distance = self.number(3)
            if distance == 0:
                seen.append(self.hashes.at(self.number(3)))
                self.named.add(seen[-1])
            else:
                require(distance <= len(self.control), "a distance beyond the beginning")
                seen.append(self.control[-distance])
        return sorted(seen)

    def take_content(self, actor):
        document = self.documents.at(self.number(4))
        count = self.number(5)
        require(1 <= count <= 64, "no change, or too many")
        payload = document + unsigned(count)
        past = self.pasts.setdefault(document, DocumentPast())
        for _ in range(count):
            dep_count = self.number(6)
            if dep_count == 0:
                payload += blob(self.lanes[21].take(self.number(14)))
            else:
                payload += blob(self.take_change(actor, past, dep_count - 1))
            require(len(payload) <= 2097152, "a payload too long")
        return payload

    def take_change(self, actor, past, dep_count):
        deps = []
        for _ in range(dep_count):
            distance = self.number(7)
            if distance == 0:
                deps.append(self.hashes.at(self.number(7)))
            else:
                require(distance <= len(past.changes), "a distance beyond the beginning")
                deps.append(past.changes[-distance])
        deps.sort()
        last = max((past.last_op[dep] for dep in deps if dep in past.last_op), default=0)
        self.time = wrap(self.time + self.lanes[10].signed())
        message = self.lanes[11].blob()
        start = (last + 1 + self.lanes[9].signed()) & U64
        seq = (1 + past.seq.get(actor, 0) + self.lanes[8].signed()) & U64
        past.seq[actor] = seq
        if actor not in past.actors:
            past.actors.append(actor)
        journal = self.actors.values[actor]
        others = [self.take_other(past) for _ in range(self.number(12))]
        layout = self.number(13)
        require(layout < 1 << len(COLUMNS), "an unknown column")
        columns = [
            (index, self.lanes[38 + index].take(self.number(24 + index)))
            for index in range(len(COLUMNS)) if layout >> index & 1
        ]
        body = b"".join([
            unsigned(len(deps)), *deps, blob(journal), unsigned(seq), unsigned(start), signed(self.time), blob(message),
            unsigned(len(others)), *map(blob, others), unsigned(len(columns)),
            *(unsigned(COLUMNS[index]) + unsigned(len(data)) for index, data in columns),
            *(data for _, data in columns),
        ])
        front = b"\1" + unsigned(len(body))
        hash = hashlib.sha256(front + body).digest()
        rows = count_rows(dict(columns).get(ACTION, b""))
        past.changes.append(hash)
        past.last_op[hash] = max(min(start + rows, U64) - 1, 0)
        return b"\x85\x6f\x4a\x83" + hash[:4] + front + body

    def take_other(self, past):
        place = self.number(12)
        if place > 0:
            require(place <= len(past.actors), "an actor beyond the list")
            return self.actors.values[past.actors[place - 1]]
        actor = self.number(12)
        id = self.actors.at(actor)
        past.actors.append(actor)
        return id


def wrap(value):
    """Arithmetic on signed numbers wraps at 64 bits."""
    value &= U64
    return value - (1 << 64) if value >> 63 else value


def count_rows(column):
    body, rows = Bytes(column), 0
    try:
        while not body.done():
            run = body.signed()
            if run == 0:
                rows += body.unsigned()
            elif run > 0:
                body.unsigned()
                rows += run
            else:
                for _ in range(-run):
                    body.unsigned()
                rows -= run
    except Refused:
        pass
    return rows


def read(file, keys, learn=lambda _: []):
    """The group, and all entries in the bundle's order, each with its plain payload where that can be told. `learn` is asked for
    the keys that a control entry gives whoever reads."""
    version, container = open_file(file, keys)
    budget = Budget(container)
    reader = Reader(unpack(container, budget), version, {key.id: key for key in keys}, budget, learn)
    return reader.group, reader.read()

"""A second reader of Kiez's format, written from docs/format*.md alone; it calls no code of Kiez.

    python reader.py BUNDLE GROUP-KEY-IN-HEX

Verifies everything in the bundle, judges a group in which nobody has ended anything yet and erased only what was their own, and prints
what is in it as JSON. What breaks a rule is refused: exit code 1. Acts of the council are read by listing.py, which judges nothing."""

import hashlib
import json
import sys

import bundle
from acts import JUDGED, NAMES, ROLES, Act
from entries import CONTROL, Roster, admits, content, frontier_digest, state_digest
from primitives import Bytes, GroupKey, Refused, blob, require, unsigned

# docs/format-documents.md, section 1: the changes that no entry carries.
GENESIS = {
    "group": "b6dfe45a8b273f47daee9c8b3626e597dd6ba3f018cae9412cfee23d49e87b60",
    "own": "716613bc95ad3c87fe86f2d2e9e1fdebb8684930b3100f16e3249ff44d419171",
    "vote": "ed4fc75a986ed9bc6606f2e936c7abfcbd3104b0ef7c37fe9b9b115406c45734",
    "proposal": "74a03f14859199e9d0d3ad6ee7015f1f825b00f0617d4ce2886004e4066b724a",
    "board": "f235b6fa0a080f4a741fdcba004ceb14bd2e4db5970d14aaa7e527eb9bc3a134",
    "meeting": "df128a868d3ad2fc83ecfcdb4aeff421769e3620795b6f147b28699f2d3cf93c",
    "help": "f4dc59d75941e53ab0138fc13392ea7ff8474ad0389f6176dff8f43bbb8cceb5",
    "strategy": "ed184cb175f613af92da1e5b8a4d459ca731acdd1f781cd27a64cd23f21eb5a8",
}
# The body of the genesis of an own document, before its message and behind it.
OWN_GENESIS = ["001000000000000000000000000000000000010100", (
    "06152f340142045604570370027b0770726f66696c6508636f6d6d656e74730c656e646f7273656d656e74730a617474656e64616e6365046b696e64"
    "0504007f0104007f366f776e0500"
)]


def own_genesis(act):
    """Of the generation that begins with an act; none: the first one."""
    message = f"{act.entry.journal.hex()} {act.entry.number}".encode() if act else b""
    before, behind = map(bytes.fromhex, OWN_GENESIS)
    body = before + blob(message) + b"\0" + behind
    return hashlib.sha256(b"\1" + unsigned(len(body)) + body).digest()


class Change:
    """The head of a plain change chunk: format-bundle.md section 5, and the first rules of format-gate.md."""

    def __init__(self, raw, journal):
        require(len(raw) <= 1 << 20, "TooLarge")
        body = Bytes(raw)
        require(body.take(4) == b"\x85\x6f\x4a\x83", "NotAChunk")
        checksum = body.take(4)
        rest = raw[body.at :]
        require(body.byte() == 1, "not a plain change")
        self.hash = hashlib.sha256(rest).digest()
        require(body.unsigned() == len(raw) - body.at, "TrailingBytes")
        require(self.hash[:4] == checksum, "ChecksumWrong")
        self.deps = [body.take(32) for _ in range(body.unsigned())]
        require(all(a < b for a, b in zip(self.deps, self.deps[1:])), "DepsNotSorted")
        require(body.blob() == journal, "ActorForeign")
        self.seq, self.start, self.time = body.unsigned(), body.unsigned(), body.signed()
        self.message = body.text()
        self.actors = [body.blob() for _ in range(body.unsigned())]
        columns = [(body.unsigned(), body.unsigned()) for _ in range(body.unsigned())]
        self.rows = 0
        for kind, length in columns:
            data = body.take(length)
            if kind == 0x42:
                self.rows = bundle.count_rows(data)
        require(body.done(), "ExtraBytes")


class Document:
    """As much of a document as the gate's rules of place need."""

    def __init__(self, name, begins):
        genesis = own_genesis(begins) if begins else bytes.fromhex(GENESIS[name.partition("/")[0]])
        # The genesis' last operation: one for each field, and one for `kind`.
        fields = {"group": 4, "own": 4, "vote": 4, "proposal": 7, "board": 1, "meeting": 5, "help": 3, "strategy": 5}
        self.last_op = {genesis: fields[name.partition("/")[0]] + 1}
        self.heads, self.last, self.changes = {genesis}, {}, 0

    def take(self, change, journal):
        """None where it waits."""
        if any(dep not in self.last_op for dep in change.deps):
            return None
        seq, previous = self.last.get(journal, (0, None))
        require(change.seq == seq + 1, "SeqNotNext")
        require(previous is None or previous in change.deps, "OwnPreviousMissing")
        require(change.start == 1 + max((self.last_op[dep] for dep in change.deps), default=0), "StartOpNotNext")
        self.last_op[change.hash] = change.start + change.rows - 1
        self.last[journal] = (change.seq, change.hash)
        self.heads -= set(change.deps)
        self.heads.add(change.hash)
        self.changes += 1
        return change


class Group:
    """Everything in a bundle, judged."""

    def __init__(self, group, key):
        self.group, self.key, self.roster = group, key, Roster(group)
        self.frontier, self.ended, self.control, self.content = {}, {}, [], []
        self.documents, self.ids, self.journals, self.waiting, self.quarantined = {}, {}, {}, 0, 0

    def take(self, entry):
        # The carrier's part: order and chain.
        number, prev = self.frontier.get(entry.journal, (0, bytes(32)))
        require((entry.number, entry.prev) == (number + 1, prev), "a gap in a journal")
        self.frontier[entry.journal] = (entry.number, entry.id)
        self.journals.setdefault(entry.journal, []).append(entry.id)
        # The author's part: a fault ends the journal before this entry.
        act = None
        try:
            if entry.payload is None and not entry.erased:
                entry.open(self.key)
            if entry.kind == CONTROL:
                act = Act(entry, self.group)
        except Refused as fault:
            self.end(entry, fault)
        if entry.kind == CONTROL:
            self.control.append(entry)
            self.roster.insert(entry, act)
        else:
            self.roster.note(entry)
            self.content.append((entry, self.roster.last[entry.journal]))

    def end(self, entry, fault):
        number, _ = self.ended.get(entry.journal, (entry.number + 1, None))
        if entry.number < number:
            self.ended[entry.journal] = entry.number, str(fault)

    def counts(self, entry):
        return entry.journal not in self.ended or entry.number < self.ended[entry.journal][0]

    def judge(self):
        """Once all acts are known, the content: also a later one says what is erased."""
        self.applied = set()
        named = set().union(*(act.erased for act in self.roster.erasures().values()))
        for entry, known in self.content:
            require(not entry.erased or entry.id in named, "a payload that nobody erased is missing")
            if not entry.erased and self.counts(entry):
                try:
                    self.take_content(entry, known)
                except Refused as fault:
                    self.end(entry, fault)
        self.applied |= {entry.id for entry in self.control if self.counts(entry)}

    def generation_of(self, entry, document, known):
        """Of an entry: that of the act right before it, else what its author knew."""
        before = self.roster.acts.get(entry.prev)
        if before is not None and before.document == document:
            return entry.prev
        return self.roster.generation(document, known)

    def take_content(self, entry, known):
        id, name, changes = content(entry.payload)
        erasures = self.roster.erasures()
        if any(act.document == name and entry.id in act.erased for act in erasures.values()):
            return
        generation = self.roster.generation(name)
        if self.generation_of(entry, name, known) != generation:
            self.quarantined += 1
            return
        if not admits(self.roster.author(entry.journal), name):
            self.quarantined += 1
            return
        document = self.documents.setdefault(name, Document(name, erasures.get(generation)))
        self.ids[name] = id
        taken = [document.take(Change(raw, entry.journal), entry.journal) for raw in changes]
        # A whole group in causal order has nothing that waits.
        if None in taken:
            self.waiting += 1
        else:
            self.applied.add(entry.id)

    def answer(self):
        heads = {self.ids[name]: document.heads for name, document in self.documents.items()}
        acts = [(id, act) for id, act in self.roster.acts.items() if self.roster.ok[id]]
        return {
            "group": self.group.hex(),
            "entries": {journal.hex(): [id.hex() for id in ids] for journal, ids in self.journals.items()},
            "acts": {id.hex(): NAMES[act.kind] for id, act in acts},
            "people": {person.hex(): ROLES[role] for person, role in self.roster.people().items()},
            "frontier_digest": frontier_digest(self.frontier).hex(),
            "state_digest": state_digest(self.applied, heads).hex(),
            "documents": {
                name: {"changes": document.changes, "heads": sorted(head.hex() for head in document.heads)}
                for name, document in self.documents.items()
            },
            "ended": {journal.hex(): why for journal, (_, why) in self.ended.items()},
            "waiting": self.waiting,
            "quarantined": self.quarantined,
        }


def read(file, key):
    id, entries = bundle.read(file, [key])
    group = Group(id, key)
    for entry in entries:
        group.take(entry)
    group.judge()
    return group.answer()


def main(path, key):
    with open(path, "rb") as file:
        data = file.read()
    try:
        print(json.dumps(read(data, GroupKey(bytes.fromhex(key)))))
    except Refused as why:
        print(json.dumps({"refused": str(why)}), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

"""Entries, admission, digests: docs/format.md, sections 4 and 6 to 8. Calls no code of Kiez."""

from acts import ADMIT, ENROL, ERASE, FOUND, INVITE, JUDGED, OPEN
from primitives import Bytes, derive, document_id, hash32, keyed, require, seal, unsigned, unseal, verify

ZERO = bytes(32)
CONTROL, CONTENT = 0, 1
OBSERVER, MEMBER, STEWARD = 0, 1, 2
ROLES = ["observer", "member", "steward"]


class Entry:
    """Section 4. `payload` is plain. Of one that was erased (section 7) there is neither that nor what was sealed."""

    def __init__(self, group, journal, number, prev, seen, kind, key, length):
        self.header_group, self.journal, self.number, self.prev = group, journal, number, prev
        self.seen, self.kind, self.key, self.length = seen, kind, key, length
        founding = group == ZERO
        require(0 < number < (1 << 64) - 1, "a number out of range")
        require((prev == ZERO) == (number == 1), "prev does not fit the number")
        require(not founding or (number == 1 and not seen), "the founding entry is not first")
        require(len(seen) <= 256 and all(a < b for a, b in zip(seen, seen[1:])), "seen is not ascending")
        require(kind in (CONTROL, CONTENT), "an unknown kind of entry")
        require(length <= 2097152, "a payload too long")
        self.h0 = b"".join([
            b"\1", group, journal, number.to_bytes(8, "little"), prev, len(seen).to_bytes(2, "little"), *seen,
            bytes([kind]), key, length.to_bytes(4, "little"),
        ])
        self.payload = self.nonce = self.sealed = self.id = None
        self.erased = False

    def close(self, nonce, sealed):
        require(len(sealed) == self.length + 16, "not as long as it says")
        self.sealed = sealed
        self.name(nonce, hash32(sealed))

    def bare(self, nonce, sealed_hash):
        """What is left of one that was erased. Acts never are."""
        require(self.kind == CONTENT, "an act without its payload")
        self.erased = True
        self.name(nonce, sealed_hash)

    def name(self, nonce, sealed_hash):
        self.nonce = nonce
        self.id = hash32(self.h0 + nonce + sealed_hash)
        self.group = self.id if self.header_group == ZERO else self.header_group

    def seal(self, payload, key):
        """Nonce, ciphertext and id follow from header, payload and key."""
        self.payload = payload
        nonce = keyed(key.nonce, self.h0 + payload, 24)
        self.close(nonce, seal(key.payload, nonce, self.h0, payload))

    def open(self, key):
        """Of one that came sealed: what only its author can have done wrong is raised here."""
        payload = unseal(key.payload, self.nonce, self.h0, self.sealed, "a payload")
        require(keyed(key.nonce, self.h0 + payload, 24) == self.nonce, "the nonce is of the author's choice")
        self.payload = payload

    def verify(self, signature):
        verify(self.journal, b"kiez entry 1" + self.id, signature, "an entry")


class Roster:
    """Sections 6 and 7: which acts count, of the first five kinds, and what people have erased of their own. What the other acts end or
    need, this reader does not judge."""

    def __init__(self, group):
        self.group = group
        self.acts, self.ok, self.past, self.last = {}, {}, {}, {}
        self.first, self.used, self.charter = {}, set(), None

    def note(self, entry):
        """The past of an entry of either kind: prev and seen, closed. Kept as the set of control entries in it."""
        past = set(self.last.get(entry.journal, ()))
        for seen in entry.seen:
            require(seen in self.acts, "a seen control entry is missing")
            past |= self.past[seen]
        if entry.kind == CONTROL:
            past.add(entry.id)
            self.past[entry.id] = past
        self.last[entry.journal] = past

    def insert(self, entry, act):
        """`act` is none where its author was at fault."""
        self.acts[entry.id] = act
        self.note(entry)
        if entry.number == 1:
            self.first[entry.journal] = entry.id
        self.ok[entry.id] = act is not None and act.kind in JUDGED and self.judge(act)

    def judge(self, act):
        entry = act.entry
        if act.kind == FOUND:
            self.charter = act
            return act.quorum[1] > 0 and act.quorum[0] <= act.quorum[1]
        if act.kind == OPEN:
            grant = self.acts.get(act.grant)
            return (
                entry.number == 1 and act.grant in entry.seen and self.ok[act.grant]
                and grant.kind in (FOUND, ADMIT, ENROL) and grant.device == act.device
            )
        author = self.author(entry.journal)
        if entry.number == 1 or author is None:
            return False
        if act.kind == INVITE:
            return author[1] >= (MEMBER if self.charter.inviters == 0 else STEWARD) and act.role != STEWARD
        if act.kind == ERASE:
            return act.document == "own/" + author[0].hex()
        past = self.past[entry.id] - {entry.id}
        if act.kind == ADMIT:
            invite = self.acts.get(act.invite)
            fits = (
                invite is not None and invite.kind == INVITE and self.ok[act.invite]
                and invite.entry.journal == entry.journal and invite.invite_key == act.invite_key
            )
            known = any(self.is_membership(id) and self.acts[id].person == act.person for id in past)
            if not fits or act.invite in self.used or known:
                return False
            self.used.add(act.invite)
            return True
        return act.membership in past and self.is_membership(act.membership) and (
            self.acts[act.membership].person == act.person
        )

    def is_membership(self, id):
        return self.ok[id] and self.acts[id].kind in (FOUND, ADMIT)

    def author(self, journal):
        """Person and role behind a journal, or none."""
        id = self.first.get(journal)
        if id is None or not self.ok.get(id):
            return None
        act = self.acts[id]
        if act.kind == OPEN:
            id, act = act.grant, self.acts[act.grant]
        if act.kind == ENROL:
            id, act = act.membership, self.acts[act.membership]
        if act.kind == FOUND:
            return act.person, STEWARD
        return (act.person, self.acts[act.invite].role) if act.kind == ADMIT else None

    def erasures(self):
        return {id: act for id, act in self.acts.items() if self.ok[id] and act.kind == ERASE}

    def generation(self, document, known=None):
        """The act with which the document's last generation begins, or none; with `known`, among these acts."""
        of_document = [id for id, act in self.erasures().items() if act.document == document]
        acts = [id for id in of_document if known is None or id in known]
        last = [id for id in acts if not any(id in self.past[other] for other in acts if other != id)]
        return min(last, default=None)

    def people(self):
        people = {}
        for id, act in self.acts.items():
            if self.is_membership(id):
                role = STEWARD if act.kind == FOUND else self.acts[act.invite].role
                people[act.person] = max(role, people.get(act.person, OBSERVER))
        return people


def admits(author, name):
    """Section 7."""
    if author is None:
        return False
    person, role = author
    kind, _, who = name.partition("/")
    if kind in ("own", "vote"):
        return who == person.hex() and (kind == "own" or role != OBSERVER)
    return role == STEWARD or (role == MEMBER and kind != "group")


def content(payload):
    body = Bytes(payload)
    document, name = document_id(body)
    changes = body.list(body.blob)
    require(body.done(), "bytes behind content")
    require(1 <= len(changes) <= 64, "no change, or too many")
    return document, name, changes


def frontier_digest(frontier):
    """Section 8, where no journal forked. Journal to number and id."""
    said = unsigned(len(frontier))
    for journal in sorted(frontier):
        number, id = frontier[journal]
        said += journal + unsigned(number) + id
    return derive("kiez 1 frontier", said + unsigned(0))


def state_digest(applied, heads):
    """Section 8. Heads by the bytes of the document id, which ascend as the ids do."""
    said = unsigned(len(applied)) + b"".join(sorted(applied))
    for document in sorted(heads):
        said += document + unsigned(len(heads[document])) + b"".join(sorted(heads[document]))
    return derive("kiez 1 state", said)

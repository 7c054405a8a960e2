"""Control acts: docs/format.md, section 5. Reads each kind and verifies the signatures inside it. Calls no code of Kiez."""

from primitives import Bytes, document_id, require, text, unsigned, verify

ZERO = bytes(32)
FOUND, OPEN, INVITE, ADMIT, ENROL, FOUND_2, ERASE, MOTION_ERASE = 1, 2, 3, 4, 5, 15, 16, 17
NAMES = {
    FOUND: "found", OPEN: "open", INVITE: "invite", ADMIT: "admit", ENROL: "enrol", 6: "motion", 7: "sign", 8: "retire",
    9: "leave", 10: "withdraw", 11: "ask", 12: "vouch", 13: "rekey", 14: "keys", FOUND_2: "found",
    ERASE: "erase", MOTION_ERASE: "motion",
}
# What this reader judges: section 6, the first table, and a person's own erasure.
JUDGED = (FOUND, OPEN, INVITE, ADMIT, ENROL, ERASE)
ROLES = ["observer", "member", "steward"]
INVITERS = ["members", "stewards"]
COUNTERS = ["opener", "stewards"]
COUNCIL = ["confirm", "promote", "demote", "remove", "revoke", "amend", "hide"]
AMENDMENTS = ["inviters", "vouchers", "counters", "quorum", "fund"]


def share(body):
    return {"numerator": body.unsigned(32), "denominator": body.unsigned(32)}


def is_share(said):
    return 0 < said["denominator"] and said["numerator"] <= said["denominator"]


def fund(body):
    if not body.flag():
        return None
    said = {
        "jurors": ["drawn", "named"][body.choice(2)],
        "residents": share(body),
        "cap": body.unsigned() if body.flag() else None,
    }
    require(said["cap"] is None or said["cap"] <= 10**12, "a cap beyond what money can be")
    return said


def amendment(body):
    name = AMENDMENTS[body.choice(5)]
    if name == "inviters":
        value = INVITERS[body.choice(2)]
    elif name == "vouchers":
        value = body.byte()
        require(value <= 20, "too many vouchers")
    elif name == "counters":
        value = COUNTERS[body.choice(2)]
    elif name == "quorum":
        value = share(body)
        require(is_share(value), "no share")
    else:
        value = fund(body)
        require(value is None or is_share(value["residents"]), "no share")
    return {name: value}


def council_act(body):
    name = COUNCIL[body.choice(7)]
    if name in ("confirm", "remove"):
        said = {"membership": body.take(32).hex()}
    elif name == "promote":
        said = {"membership": body.take(32).hex(), "role": ROLES[body.choice(3)]}
    elif name == "demote":
        said = {"tenure": body.take(32).hex()}
    elif name == "revoke":
        said = {"invite": body.take(32).hex()}
    elif name == "amend":
        said = amendment(body)
    elif body.choice(2) == 0:
        said = {"target": {"idea": body.take(16).hex()}}
    else:
        said = {"target": {"comment": {"author": body.take(32).hex(), "comment": body.take(16).hex()}}}
    if name == "hide":
        said["shown"] = ["hidden", "visible"][body.choice(2)]
    return {name: said}


def erasure(body):
    document, name = document_id(body)
    entries = body.set(lambda: body.take(32))
    require(len(entries) <= 40000, "too many entries erased")
    origin = (body.take(32), body.unsigned()) if body.flag() else None
    said = {
        "document": name, "entries": [entry.hex() for entry in entries],
        "origin": origin and [origin[0].hex(), origin[1]],
    }
    return name, said, set(entries)


def cut(body):
    journals = body.map(lambda: body.take(32), lambda: (body.unsigned(), body.take(32)))
    require(len(journals) <= 1000, "a cut of too many journals")
    return {journal.hex(): [number, id.hex()] for journal, (number, id) in journals.items()}


class Box:
    """A key for one device, in an entry."""

    def __init__(self, body):
        self.enrolment, self.key = body.take(32), body.take(32)
        self.encapsulated, self.sealed = body.take(32), body.take(48)

    def said(self):
        return {"enrolment": self.enrolment.hex(), "key": self.key.hex()}


class Act:
    """One act. `said` is what it says, as it is listed; none where its kind is of newer software."""

    def __init__(self, entry, group):
        require(len(entry.payload) >= 2, "an act without a kind")
        self.entry = entry
        self.kind = int.from_bytes(entry.payload[:2], "little")
        require(self.kind != 0, "there is no kind 0")
        body = Bytes(entry.payload[2:])
        self.device, self.boxes, self.said = None, [], None
        self.document, self.erased = None, set()
        if self.kind not in NAMES:
            return
        self.said = {}
        getattr(self, "read_" + NAMES[self.kind])(body, group)
        require(body.done(), "bytes behind an act")

    def id(self, body, name):
        value = body.take(32)
        self.said[name] = value.hex()
        return value

    def take_device(self, body, name):
        self.person, self.device, self.box_key = body.take(32), body.take(32), body.take(32)
        self.said[name] = {
            "person": self.person.hex(), "device": self.device.hex(), "box_key": self.box_key.hex(),
        }
        return self.person + self.device + self.box_key

    def read_found(self, body, group):
        require(self.entry.header_group == ZERO, "a second founding")
        device = self.take_device(body, "founder")
        start = body.at
        self.inviters = body.choice(2)
        said = {"inviters": INVITERS[self.inviters], "vouchers": 0, "counters": "opener", "fund": None}
        if self.kind == FOUND:
            body.choice(1)
        else:
            said["vouchers"], said["counters"] = body.byte(), COUNTERS[body.choice(2)]
        said["quorum"] = share(body)
        if self.kind == FOUND_2:
            said["fund"] = fund(body)
            plain = said["vouchers"] == 0 and said["counters"] == "opener" and said["fund"] is None
            require(not plain, "the first kind of founding says this")
        self.quorum = (said["quorum"]["numerator"], said["quorum"]["denominator"])
        self.said["charter"] = said
        charter = body.data[start : body.at]
        name = "kiez 1 found" if self.kind == FOUND else "kiez 2 found"
        message = text(name) + self.entry.journal + self.entry.key + device + charter
        verify(self.person, message, body.take(64), "found")

    def read_open(self, body, group):
        self.grant, self.device = self.id(body, "grant"), self.id(body, "device")
        message = text("kiez 1 open") + group + self.grant + self.entry.journal
        verify(self.device, message, body.take(64), "open")

    def read_invite(self, body, group):
        self.invite_key, self.role = self.id(body, "key"), body.choice(3)
        self.said["role"], self.said["expires"] = ROLES[self.role], body.unsigned()

    def read_admit(self, body, group):
        self.said = self.said or {}
        self.invite, self.invite_key = self.id(body, "invite"), self.id(body, "invite_key")
        device = self.take_device(body, "joiner")
        message = text("kiez 1 join") + group + self.invite + self.invite_key + device + body.take(32)
        verify(self.invite_key, message, body.take(64), "admit, by the invitation")
        verify(self.person, message, body.take(64), "admit, by the person")

    def read_enrol(self, body, group):
        self.membership = self.id(body, "membership")
        device = self.take_device(body, "enrolled")
        message = text("kiez 1 enrol") + group + self.membership + device + body.take(16)
        verify(self.person, message, body.take(64), "enrol")

    def read_motion(self, body, group):
        if self.kind == MOTION_ERASE:
            self.document, said, self.erased = erasure(body)
            self.said["act"] = {"erase": said}
        else:
            self.said["act"] = council_act(body)
        self.said["reason"] = body.text()
        require(len(self.said["reason"].encode()) <= 4096, "a reason too long")
        self.said["cut"] = {} if self.kind == MOTION_ERASE else cut(body)
        self.said["at"] = body.unsigned()

    def read_erase(self, body, group):
        start = body.at
        self.document, self.said["erasure"], self.erased = erasure(body)
        self.said["at"] = body.unsigned()
        kind, _, person = self.document.partition("/")
        require(kind == "own", "only what is one's own is erased alone")
        place = group + self.entry.journal + unsigned(self.entry.number)
        message = text("kiez 1 erase") + place + body.data[start : body.at]
        verify(bytes.fromhex(person), message, body.take(64), "erase")

    def read_sign(self, body, group):
        self.ends(body, "motion")

    def read_retire(self, body, group):
        self.ends(body, "enrolment")

    def read_leave(self, body, group):
        self.ends(body, "membership")

    def read_withdraw(self, body, group):
        self.ends(body, "invite")

    def ends(self, body, name):
        self.id(body, name)
        self.said["cut"] = cut(body)

    def read_ask(self, body, group):
        self.id(body, "invite")
        self.id(body, "person")

    def read_vouch(self, body, group):
        self.id(body, "ask")

    def read_rekey(self, body, group):
        self.id(body, "key")
        self.read_keys(body, group)

    def read_keys(self, body, group):
        self.boxes = body.list(lambda: Box(body))
        self.said["boxes"] = [box.said() for box in self.boxes]


def join_request(body, group):
    """The act in a join request: its signatures, before it stands in an entry."""
    act = object.__new__(Act)
    act.said = {}
    act.read_admit(body, group)

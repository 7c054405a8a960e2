"""Lists what is in a bundle, every act and every change to a document: docs/format.md, sections 4, 5 and 7. Calls no code of Kiez.

    python listing.py BUNDLE BOX-SECRET KEY...

Secret and keys in hexadecimal. Verifies each hash chain, signature and seal. Keys that are boxed for the device with this secret are taken
out of the acts and used. What was erased is named by an act. What an act brings about is not judged: see reader.py."""

import json
import sys

import bundle
from acts import NAMES, Act
from entries import CONTROL, content
from hpke import keys_for
from primitives import GroupKey, Refused, require


class Listing:
    def __init__(self, secret, keys):
        self.secret, self.keys = secret, {key.id: key for key in keys}
        self.acts, self.devices, self.learned = {}, {}, []

    def learn(self, entry):
        """Reads an act when its entry has come, and gives the keys in it for this device."""
        found = self.act(entry)
        if isinstance(found, str):
            return []
        if found.kind in NAMES and NAMES[found.kind] in ("found", "admit", "enrol"):
            self.devices[entry.id] = found.box_key
        given = keys_for(self.secret, found, self.devices)
        self.learned += [key.id.hex() for key in given if key.id not in self.keys]
        self.keys.update({key.id: key for key in given})
        return given

    def act(self, entry):
        """The act, or why it is none: that is its author's fault."""
        if entry.id not in self.acts:
            try:
                self.open(entry)
                self.acts[entry.id] = Act(entry, entry.group)
            except Refused as fault:
                self.acts[entry.id] = str(fault)
        return self.acts[entry.id]

    def open(self, entry):
        if entry.payload is None:
            if entry.key not in self.keys:
                raise Refused("sealed under a key that is not held")
            entry.open(self.keys[entry.key])

    def named(self, entries):
        """Section 7: nobody keeps a payload back but where an act names the entry. Whether the act took effect is not judged here."""
        named = set().union(*(act.erased for act in self.acts.values() if not isinstance(act, str)))
        require(all(entry.id in named for entry in entries if entry.erased), "a payload that nobody erased is missing")

    def said(self, entry):
        line = {
            "journal": entry.journal.hex(), "number": entry.number, "key": entry.key.hex(),
            "seen": [seen.hex() for seen in entry.seen],
        }
        if entry.kind == CONTROL:
            act = self.act(entry)
            if isinstance(act, str):
                return {**line, "fault": act}
            return {**line, "kind": act.kind, "act": act.said}
        if entry.erased:
            return {**line, "erased": True}
        try:
            self.open(entry)
            _, name, changes = content(entry.payload)
            return {**line, "document": name, "changes": len(changes)}
        except Refused as fault:
            return {**line, "fault": str(fault)}


def listed(file, secret, keys):
    """What is in it, and what whoever has read it knows."""
    listing = Listing(secret, keys)
    group, entries = bundle.read(file, keys, listing.learn)
    listing.named(entries)
    said = {entry.id.hex(): listing.said(entry) for entry in entries}
    return {"group": group.hex(), "entries": said, "learned": listing.learned}, listing


def main(path, secret, *keys):
    with open(path, "rb") as file:
        data = file.read()
    try:
        said, _ = listed(data, bytes.fromhex(secret), [GroupKey(bytes.fromhex(key)) for key in keys])
        print(json.dumps(said))
    except Refused as why:
        print(json.dumps({"refused": str(why)}), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

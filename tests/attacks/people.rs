//! People with their laptops in memory, who meet in sessions or hand each other whatever they like.

use std::collections::BTreeSet;

use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{ControlAct, CouncilAct};
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, PersonId, ProposalId};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::codec::Blob;
use kiez_core::replica::content::Content;
use kiez_core::replica::control::{act_to_bytes, sign_enrolment};
use kiez_core::replica::document::{Document, proposal};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::receive::Received;
use kiez_core::replica::session::{Effect, Session, Side, hello};
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::{EntriesFrame, Frame};

use super::common::{NOW, Neighbour, channels, idea, sealed, signing};

pub(crate) type Held = Replica<MemoryStorage>;

/// A person and their laptop.
pub(crate) struct One {
    pub(crate) who: Neighbour,
    pub(crate) at: Held,
}

/// How a session ended: quietly, or one side broke it off and said why.
pub(crate) type Met = Result<(), String>;

/// Somebody who has just founded a group.
pub(crate) fn founder(seed: u64) -> One {
    let mut who = Neighbour::new(seed);
    let at = who.found();
    One::of(who, at)
}

/// A founder and two members who have met everybody.
pub(crate) fn three(seed: u64) -> [One; 3] {
    let mut anna = founder(seed);
    let (mut carla, mut mallory) = (anna.lets_in(seed + 1), anna.lets_in(seed + 2));
    for _ in 0..2 {
        anna.meets(&mut carla).unwrap();
        anna.meets(&mut mallory).unwrap();
    }
    [anna, carla, mallory]
}

impl One {
    pub(crate) fn of(who: Neighbour, mut at: Held) -> Self {
        at.set_box_secret(who.box_secret.clone()).unwrap();
        Self { who, at }
    }

    pub(crate) fn person(&self) -> PersonId {
        self.who.me.person
    }

    /// Invites somebody, who comes in; both have the same then.
    pub(crate) fn lets_in(&mut self, seed: u64) -> Self {
        let mut who = Neighbour::new(seed);
        let at = who.join(&mut self.at, &mut self.who);
        let mut one = Self::of(who, at);
        self.meets(&mut one).unwrap();
        one
    }

    /// The same profile once more.
    pub(crate) fn copied(&self, seed: u64) -> Self {
        let at = Replica::open(self.at.storage().clone()).unwrap();
        let mut who = self.who.copied(seed);
        who.box_secret = self.who.box_secret.clone();
        who.person = self.who.person.clone();
        Self::of(who, at)
    }

    /// A further device of the same person.
    pub(crate) fn second(&mut self, seed: u64) -> Self {
        let mut who = self.who.copied(seed);
        who.me = Neighbour::new(seed).me;
        who.me.person = self.person();
        who.person = self.who.person.clone();
        let membership = self.membership(self.person());
        let enrol = sign_enrolment(self.at.group(), membership, who.me.named(), [7; 16], &who.person);
        self.at.write_act(ControlAct::Enrol(enrol)).unwrap();
        let file = self.at.bundle(&Frontier::new(), Compression::Fast).unwrap();
        let keys = self.at.keys().iter().rev().cloned().collect();
        let at = Replica::from_bundle(MemoryStorage::default(), self.at.group(), keys, &file).unwrap();
        let mut second = Self::of(who, at);
        second
            .at
            .open_journal(&second.who.me, &mut second.who.rng)
            .unwrap();
        self.meets(&mut second).unwrap();
        second
    }

    /// Somebody's membership, as it is known here.
    pub(crate) fn membership(&self, of: PersonId) -> EntryId {
        self.at.roster().membership(of).unwrap()
    }

    pub(crate) fn has(&self, person: PersonId) -> bool {
        self.at.roster().persons().contains_key(&person)
    }

    pub(crate) fn is_steward(&self, person: PersonId) -> bool {
        self.at.roster().stewards().contains(&person)
    }

    pub(crate) fn titles(&mut self) -> Vec<String> {
        super::common::titles(&mut self.at)
    }

    pub(crate) fn shows(&mut self, title: &str) -> bool {
        self.titles().iter().any(|shown| shown == title)
    }

    pub(crate) fn adds(&mut self, title: &str) -> ProposalId {
        self.at.add_idea(&idea(title), NOW, &mut self.who.rng).unwrap()
    }

    /// Proposes something.
    pub(crate) fn proposes(&mut self, act: CouncilAct) -> EntryId {
        self.at.propose(act, "", NOW).unwrap()
    }

    /// Makes somebody a steward; this person decides alone so far.
    pub(crate) fn promotes(&mut self, other: &mut Self) {
        let membership = self.membership(other.person());
        let role = Role::Steward;
        self.proposes(CouncilAct::Promote { membership, role });
        self.meets(other).unwrap();
    }

    /// Makes a new key where one is due.
    pub(crate) fn rekeys(&mut self) {
        self.at.rekey_if_due(&mut self.who.rng).unwrap();
    }

    pub(crate) fn journal(&self) -> JournalId {
        self.at.signing_journal().unwrap().0
    }

    pub(crate) fn key(&self) -> GroupKey {
        self.at.keys().current().unwrap().clone()
    }

    /// All entries of a journal.
    pub(crate) fn entries_of(&self, journal: JournalId) -> Vec<Entry> {
        let held = self
            .at
            .storage()
            .entries(journal, EntryNumber(0), usize::MAX)
            .unwrap();
        held.into_iter().map(|held| held.entry).collect()
    }

    /// The next entry of this person's journal, with whatever in it. It is not stored here.
    pub(crate) fn forges(&self, seen: &[EntryId], kind: EntryKind, payload: &[u8]) -> Entry {
        let head = self.at.head(self.journal()).unwrap();
        self.forges_after(head, seen, kind, payload)
    }

    fn forges_after(
        &self,
        after: (EntryNumber, EntryId),
        seen: &[EntryId],
        kind: EntryKind,
        payload: &[u8],
    ) -> Entry {
        let key = self
            .at
            .keys()
            .current()
            .or_else(|| self.at.keys().newest())
            .unwrap();
        self.forges_under(key, after, seen, kind, payload)
    }

    /// After any entry of this person's journal, under any key.
    pub(crate) fn forges_under(
        &self,
        key: &GroupKey,
        after: (EntryNumber, EntryId),
        seen: &[EntryId],
        kind: EntryKind,
        payload: &[u8],
    ) -> Entry {
        let seen: BTreeSet<EntryId> = seen.iter().copied().collect();
        sealed(&self.at, &signing(&self.at), after, seen, kind, key, payload)
    }

    /// The same for an act.
    pub(crate) fn forges_act(&self, seen: &[EntryId], act: &ControlAct) -> Entry {
        self.forges(seen, EntryKind::Control, &act_to_bytes(act))
    }

    /// The same for an idea.
    pub(crate) fn forges_idea(&self, title: &str) -> Entry {
        self.forges(&[], EntryKind::Content, &idea_of(self.journal(), title))
    }

    /// A session until nothing is said any more.
    pub(crate) fn meets(&mut self, other: &mut Self) -> Met {
        talk(self, other).map(drop)
    }

    /// Takes in entries of which nobody has told it what came before: what a carrier sends in a session.
    pub(crate) fn gets(&mut self, entries: &[Entry]) -> bool {
        let entries = entries.iter().map(|entry| (entry.clone(), None)).collect();
        self.at.receive(entries).is_ok()
    }

    /// In a session, after all is said, the other one sends these entries. What came of it here.
    pub(crate) fn takes(&mut self, from: &mut Self, entries: &[Entry]) -> Result<Received, String> {
        let frame = EntriesFrame::pack(entries).unwrap();
        self.hears(from, Frame::Entries(frame))
    }

    /// In a session, after all is said, the other one sends this. What was received by it.
    pub(crate) fn hears(&mut self, from: &mut Self, frame: Frame) -> Result<Received, String> {
        let (mut here, ..) = talk(self, from)?;
        let mut received = Received::default();
        for effect in here.on_frame(frame, &mut self.at, &mut self.who.rng).unwrap() {
            match effect {
                Effect::Close(why) => return Err(why.to_string()),
                Effect::Received(what) => received = what,
                _ => {}
            }
        }
        Ok(received)
    }
}

/// The payload of an idea of a journal.
pub(crate) fn idea_of(journal: JournalId, title: &str) -> Vec<u8> {
    let mut fresh = Document::new(DocumentKind::Proposal);
    let written = fresh.write(journal, NOW, |tx| proposal::create(tx, &idea(title)));
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(title.as_bytes()).as_bytes()[..16]);
    content(DocumentId::Proposal(ProposalId(id)), written.unwrap().1.unwrap())
}

/// The payload of a change.
pub(crate) fn content(document: DocumentId, raw: Vec<u8>) -> Vec<u8> {
    let changes = vec![Blob(raw)];
    Content { document, changes }.to_bytes()
}

/// A session until nothing is said any more: the one who dialled, the other one, and what the first one said.
pub(crate) fn talk(a: &mut One, b: &mut One) -> Result<(Session, Session, Vec<Frame>), String> {
    let (to_b, to_a) = channels(a.who.me.device_id(), b.who.me.device_id());
    let mut at_a = Session::new(Side::Dialler, to_b);
    let mut at_b = Session::new(Side::Answerer, to_a);
    let mut for_b = vec![hello(a.at.keys(), &to_b, Side::Dialler, &mut a.who.rng)];
    let mut for_a: Vec<Frame> = vec![];
    let mut said_by_a = vec![];
    while !for_a.is_empty() || !for_b.is_empty() {
        for frame in std::mem::take(&mut for_b) {
            let effects = at_b.on_frame(frame, &mut b.at, &mut b.who.rng).unwrap();
            for_a.extend(said(effects)?);
        }
        for frame in std::mem::take(&mut for_a) {
            let effects = at_a.on_frame(frame, &mut a.at, &mut a.who.rng).unwrap();
            for_b.extend(said(effects)?);
        }
        said_by_a.extend(for_b.iter().cloned());
    }
    Ok((at_a, at_b, said_by_a))
}

fn said(effects: Vec<Effect>) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::new();
    for effect in effects {
        match effect {
            Effect::Send(frame) => frames.push(frame),
            Effect::Close(why) => return Err(why.to_string()),
            _ => {}
        }
    }
    Ok(frames)
}

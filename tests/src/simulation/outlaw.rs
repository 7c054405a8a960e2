//! One who breaks the rules. What they write must count nowhere, and must cost nobody else anything.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, ProposalId, Timestamp};
use kiez_core::replica::codec::Blob;
use kiez_core::replica::content::Content;
use kiez_core::replica::document::{Document, own, proposal};
use kiez_core::replica::entry::{Entry, EntryKind, Header};
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::storage::{Held, Standing, Storage, Write};
use rand::Rng;

use super::model::Act;
use super::people::is_member;
use super::world::{Outcome, World, wrong};

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crime {
    /// Writes into another person's own document.
    WritesForAnother,
    /// Writes what is no content.
    WritesNoise,
    /// Writes a change under another journal's name.
    SignsAsAnother,
    /// Writes two changes with one number into one document.
    CountsTwice,
}

impl World {
    pub(super) fn somebody_breaks_rules(&mut self) -> Outcome {
        if let Some(schemer) = self.nodes.iter().position(|node| node.is_schemer) {
            return self.schemes(schemer);
        }
        let members = self.nodes_where(is_member);
        if members.len() < 4 || self.nodes.iter().any(|node| node.is_outlaw) {
            return Ok(());
        }
        let (Some(node), Some(victim)) = (self.dice.pick(&members), self.dice.pick(&members)) else {
            return Ok(());
        };
        if self.nodes[node].person == self.nodes[victim].person {
            return Ok(());
        }
        if self.dice.chance(50) {
            self.nodes[node].is_outlaw = true;
            self.nodes[node].is_schemer = true;
            return self.schemes(node);
        }
        let crimes = [
            Crime::WritesForAnother,
            Crime::WritesNoise,
            Crime::SignsAsAnother,
            Crime::CountsTwice,
        ];
        let crime = self.dice.pick(&crimes).unwrap();
        let name = self.nodes[node].name.clone();
        self.trace
            .event(format_args!("{name} breaks the rules: {crime:?}"));
        match crime {
            Crime::WritesForAnother => self.writes_for(node, victim)?,
            Crime::WritesNoise => {
                let noise = vec![7; 1 + self.dice.below(50)];
                self.commit_crime(node, noise)?;
            }
            Crime::SignsAsAnother => self.signs_as(node, victim)?,
            Crime::CountsTwice => self.counts_twice(node)?,
        }
        self.nodes[node].is_outlaw = true;
        if crime != Crime::WritesForAnother {
            self.goes_on(node)?;
        }
        self.mark_stale(node);
        Ok(())
    }

    /// What breaks the rules, or was written by whoever did, and counts all the same. Where it was erased nobody can tell any more what
    /// ended that journal: what comes after it counts as far as it is good (`docs/rules.md`).
    pub(super) fn crime_that_counts(&self, node: usize, applied: &BTreeSet<EntryId>) -> Option<EntryId> {
        if self.is_crime_erased(node) {
            return None;
        }
        self.crimes.iter().find(|crime| applied.contains(*crime)).copied()
    }

    pub(super) fn is_crime_erased(&self, node: usize) -> bool {
        let Some(replica) = self.nodes[node].replica.as_ref() else {
            return false;
        };
        let outlaws = self.nodes.iter().filter(|node| node.is_outlaw);
        let journals: Vec<JournalId> = outlaws.filter_map(|node| Some(node.own_head()?.0)).collect();
        let is_erased = |crime: &EntryId| {
            let mut journals = journals.iter();
            journals.any(|journal| replica.roster().erased_in(*crime, *journal).is_some())
        };
        self.crimes.iter().any(is_erased)
    }

    fn writes_for(&mut self, node: usize, victim: usize) -> Outcome {
        let document = DocumentId::Own(self.nodes[victim].me.person);
        let (journal, _) = self.nodes[node].own_head().unwrap();
        let Ok(theirs) = self.replica(node).document(document) else {
            wrong!("a document cannot be read")
        };
        let mut copy = theirs.clone();
        let written = copy.write(journal, Timestamp(1), |tx| {
            own::set_profile_name(tx, "I am a fool")
        });
        self.commit_crime(node, content(document, written.unwrap().1.unwrap()))?;
        Ok(())
    }

    fn signs_as(&mut self, node: usize, victim: usize) -> Outcome {
        let (id, mut copy) = self.fresh_idea();
        let (journal, _) = self.nodes[victim].own_head().unwrap();
        let written = copy.write(journal, Timestamp(1), |tx| proposal::set_title(tx, "I say so"));
        self.commit_crime(node, content(id, written.unwrap().1.unwrap()))?;
        Ok(())
    }

    /// The first of the two is as good as any.
    fn counts_twice(&mut self, node: usize) -> Outcome {
        let (id, fresh) = self.fresh_idea();
        let (journal, _) = self.nodes[node].own_head().unwrap();
        let (title, letter) = (self.model.word("idea"), self.model.letter());
        let body = letter.to_string();
        let first = fresh.clone().write(journal, Timestamp(1), |tx| {
            proposal::set_title(tx, &title)?;
            proposal::set_body(tx, &body)
        });
        let second = fresh
            .clone()
            .write(journal, Timestamp(2), |tx| proposal::set_title(tx, "again"));
        let written = self.commit(node, content(id, first.unwrap().1.unwrap()))?;
        self.note(node, Act::Idea { title, letter }, &[written])?;
        self.commit_crime(node, content(id, second.unwrap().1.unwrap()))?;
        Ok(())
    }

    pub(super) fn fresh_idea(&mut self) -> (DocumentId, Document) {
        let mut id = ProposalId([0; 16]);
        self.dice.rng().fill_bytes(&mut id.0);
        (DocumentId::Proposal(id), Document::new(DocumentKind::Proposal))
    }

    /// What they write from then on is void, however good it looks.
    fn goes_on(&mut self, node: usize) -> Outcome {
        for _ in 0..self.dice.below(3) {
            let attempt = self.attempt(node, |replica, _, now| {
                replica.set_profile_name("still here", now)
            })?;
            self.crimes.extend(attempt.wrote.iter().map(|(.., id)| *id));
        }
        Ok(())
    }

    fn commit_crime(&mut self, node: usize, payload: Vec<u8>) -> Outcome {
        let (.., id) = self.commit(node, payload)?;
        self.crimes.insert(id);
        Ok(())
    }

    /// Writes an entry with this payload, past everything that would refuse it on this device.
    fn commit(&mut self, node: usize, payload: Vec<u8>) -> Outcome<(JournalId, EntryNumber, EntryId)> {
        let keys = self.replica(node).keys();
        let key = keys.current().or_else(|| keys.newest()).unwrap().clone();
        self.commit_as(node, EntryKind::Content, vec![], &payload, &key)
    }

    /// As [`World::commit`], with any header.
    pub(super) fn commit_as(
        &mut self,
        node: usize,
        kind: EntryKind,
        seen: Vec<EntryId>,
        payload: &[u8],
        key: &GroupKey,
    ) -> Outcome<(JournalId, EntryNumber, EntryId)> {
        let place = &mut self.nodes[node];
        let group = place.replica.as_ref().unwrap().group();
        let (journal, _) = place.own_head().unwrap();
        let Ok(Some(own)) = place.disk.own() else {
            wrong!("an outlaw without a journal")
        };
        let rows = place.disk.journals().unwrap_or_default();
        let mut row = rows.into_iter().find(|row| row.id == journal).unwrap();
        let header = Header {
            group,
            journal,
            number: row.head.0.next(),
            prev: row.head.1,
            seen,
            kind,
            key: key.id(),
            payload_bytes: u32::try_from(payload.len()).unwrap(),
        };
        let entry = Entry::seal(header, payload, key).unwrap();
        let entry = entry.signed(&SigningKey::from_bytes(&own.seed));
        let written = (journal, entry.header.number, entry.id);
        row.head = (entry.header.number, entry.id);
        // Their own device lets it count only when it judges everything anew, and then it has to know what it is about.
        let written_in = Content::from_bytes(payload)
            .ok()
            .filter(|_| kind == EntryKind::Content);
        let held = Held {
            entry,
            standing: Standing::Void,
            document: written_in.as_ref().map(|content| content.document),
            changes: written_in.map_or(0, |content| u32::try_from(content.changes.len()).unwrap()),
            seen: [].into(),
        };
        let writes = vec![Write::Entry(Box::new(held)), Write::Journal(row)];
        place.disk.commit(group, writes).unwrap();
        self.restart(node)?;
        Ok(written)
    }
}

pub(super) fn content(document: DocumentId, raw: Vec<u8>) -> Vec<u8> {
    Content {
        document,
        changes: vec![Blob(raw)],
    }
    .to_bytes()
}

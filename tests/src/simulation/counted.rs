//! Who is in the group in the end, what counts of what those who have gone wrote, and who can read it: computed from the
//! raw entries, apart from how the devices came to it.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::admission::{Admission, Quarantine, admission_of};
use kiez_core::domain::control::ControlAct;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{ChangeId, EntryId, EntryNumber};
use kiez_core::domain::roster::{Moment, Roster};
use kiez_core::replica::content::Content;
use kiez_core::replica::entry::{EntryKind, Header};
use kiez_core::replica::gate::{change_deps, change_id};
use kiez_core::replica::storage::Storage;

use super::world::{Outcome, World, wrong};

/// What of all content counts.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// What does not, since its author had gone.
    pub(super) beyond: BTreeSet<EntryId>,
    /// What was erased: only the header is left.
    pub(super) erased: BTreeSet<EntryId>,
    /// What was written into a document before its author knew that it was begun anew.
    pub(super) late: BTreeSet<EntryId>,
    /// How many entries count only since somebody built on them.
    pub(super) lifted: usize,
}

/// An entry of content as it stands by the end of its author's place alone.
struct Piece {
    id: EntryId,
    document: DocumentId,
    changes: Vec<ChangeId>,
    deps: Vec<ChangeId>,
    stands: Stands,
}

/// Whether it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// By itself.
    Counts,
    /// Where somebody built on it who may.
    Beyond,
    /// Whoever builds on it.
    Never,
}

/// For which generation of its document an entry was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    /// The one that is read: it brings what was left of the one before.
    Begun,
    /// The one that is read.
    Last,
    /// Another one.
    Earlier,
}

fn generation_of(roster: &Roster, content: &Content, header: &Header, known: &Moment) -> Generation {
    let last = roster.generation(content.document);
    let begins = roster
        .erasure(header.prev)
        .is_some_and(|erasure| erasure.document == content.document);
    let is_last = if begins {
        last == Some(header.prev)
    } else {
        roster.generation_at(content.document, known) == last
    };
    match (is_last, begins) {
        (true, true) => Generation::Begun,
        (true, false) => Generation::Last,
        (false, _) => Generation::Earlier,
    }
}

impl World {
    /// Which content counts: what stands by itself, and what that was built on.
    pub(super) fn what_counts(&self, node: usize) -> Outcome<Counted> {
        let mut counted = Counted::default();
        let pieces = self.pieces_of(node, &mut counted)?;
        let mut at: BTreeMap<(DocumentId, ChangeId), usize> = BTreeMap::new();
        for (number, piece) in pieces.iter().enumerate() {
            at.extend(
                piece
                    .changes
                    .iter()
                    .map(|change| ((piece.document, *change), number)),
            );
        }
        let mut counts: BTreeSet<usize> = (0..pieces.len())
            .filter(|n| pieces[*n].stands == Stands::Counts)
            .collect();
        let mut to_visit: Vec<usize> = counts.iter().copied().collect();
        while let Some(number) = to_visit.pop() {
            let piece = &pieces[number];
            for dep in &piece.deps {
                if let Some(below) = at.get(&(piece.document, *dep))
                    && pieces[*below].stands != Stands::Never
                    && counts.insert(*below)
                {
                    to_visit.push(*below);
                }
            }
        }
        let all = pieces.iter().enumerate();
        let lifted = all
            .clone()
            .filter(|(n, piece)| piece.stands != Stands::Counts && counts.contains(n));
        Ok(Counted {
            lifted: lifted.count(),
            beyond: all
                .filter(|(n, _)| !counts.contains(n))
                .map(|(_, piece)| piece.id)
                .collect(),
            ..counted
        })
    }

    /// The entries here that nobody can read who is left.
    pub(super) fn gone_with_their_key(&self, node: usize) -> BTreeSet<EntryId> {
        let place = &self.nodes[node];
        let keys = place.replica.as_ref().unwrap().keys();
        let rows = place.disk.journals().unwrap_or_default().into_iter();
        let entries = rows.flat_map(|row| {
            place
                .disk
                .entries(row.id, EntryNumber(0), usize::MAX)
                .unwrap_or_default()
        });
        let gone = entries.filter(|held| {
            let key = held.entry.header.key;
            keys.get(key).is_none() && self.has_gone(key)
        });
        gone.map(|held| held.entry.id).collect()
    }

    /// All content on a disk that is no crime, was not erased, can be read, and is liftable or stands.
    fn pieces_of(&self, node: usize, counted: &mut Counted) -> Outcome<Vec<Piece>> {
        let place = &self.nodes[node];
        let (replica, disk) = (place.replica.as_ref().unwrap(), &place.disk);
        let mut pieces = Vec::new();
        for row in disk.journals().unwrap_or_default() {
            let mut seen: BTreeSet<EntryId> = BTreeSet::new();
            for held in disk
                .entries(row.id, EntryNumber(0), usize::MAX)
                .unwrap_or_default()
            {
                let header = &held.entry.header;
                seen.extend(&header.seen);
                if header.kind == EntryKind::Control {
                    seen.clear();
                    continue;
                }
                if self.crimes.contains(&held.entry.id) || self.model.sealed.contains(&held.entry.id) {
                    continue;
                }
                if held.entry.sealed.is_empty() {
                    if replica.roster().erased_in(held.entry.id, row.id).is_none() {
                        wrong!("{:?} is gone, and nobody has erased it", held.entry.id)
                    }
                    counted.erased.insert(held.entry.id);
                    continue;
                }
                let key = replica.keys().get(header.key);
                if key.is_none() && self.has_gone(header.key) {
                    continue;
                }
                let payload = key.and_then(|key| held.entry.open(key).ok());
                let Some(content) = payload.and_then(|payload| Content::from_bytes(&payload).ok()) else {
                    wrong!("{} cannot read {:?}", place.name, held.entry.id)
                };
                let known = replica.roster().known(row.id, header.number, &seen);
                let generation = generation_of(replica.roster(), &content, header, &known);
                if generation == Generation::Earlier {
                    counted.late.insert(held.entry.id);
                    continue;
                }
                let standing = replica.roster().standing(row.id, header.number, &known);
                let stands = match admission_of(&standing, &content.document) {
                    // What was left counts with the act that left it, whatever ends its author's place.
                    _ if generation == Generation::Begun => Stands::Counts,
                    Admission::Admit => Stands::Counts,
                    Admission::Quarantine(Quarantine::Beyond) => Stands::Beyond,
                    Admission::Quarantine(why) => {
                        // Its author knew of what they could not read: that their place was over, say.
                        let author = replica.roster().author(row.id);
                        if author.is_none_or(|author| self.model.is_untouched(author.person)) {
                            wrong!("{:?} does not count: {why:?}", held.entry.id)
                        }
                        Stands::Never
                    }
                };
                let raw = || content.changes.iter().map(|blob| &blob.0);
                pieces.push(Piece {
                    id: held.entry.id,
                    document: content.document,
                    changes: raw().filter_map(|raw| change_id(raw).ok()).collect(),
                    deps: raw()
                        .flat_map(|raw| change_deps(raw).unwrap_or_default())
                        .collect(),
                    stands,
                });
            }
        }
        Ok(pieces)
    }

    /// Marks what does not count or was erased, and sees to it that it is only of those whose place somebody tried to end.
    pub(super) fn mark_beyond(&mut self, counted: &Counted) -> Outcome {
        for number in 0..self.model.deeds.len() {
            let deed = &self.model.deeds[number];
            let is_beyond = counted.beyond.contains(&deed.entry);
            if is_beyond && self.model.is_untouched(deed.person) {
                wrong!("deed {number} does not count, and nobody touched its author: {deed:?}");
            }
            let is_gone = counted.erased.contains(&deed.entry) || counted.late.contains(&deed.entry);
            let deed = &mut self.model.deeds[number];
            deed.is_beyond = is_beyond;
            deed.is_gone = is_gone;
        }
        Ok(())
    }

    /// Everybody who is in the group says the same of who is in it and by which rules; and nobody is out whom nobody touched.
    pub(super) fn check_rosters(&mut self, honest: &[usize]) -> Outcome {
        let roster = |node: usize| self.nodes[node].replica.as_ref().unwrap().roster();
        let first = roster(honest[0]);
        let (persons, charter, hidden) = (first.persons(), first.charter(), first.hidden());
        for node in honest {
            let other = roster(*node);
            let same = other.persons() == persons && other.charter() == charter && other.hidden() == hidden;
            if !same || other.stewards() != first.stewards() || other.voices() != first.voices() {
                wrong!("{} says otherwise who is in the group", self.nodes[*node].name);
            }
        }
        for node in &self.nodes {
            let person = node.me.person;
            let was_in = node.replica.is_some() && !node.is_outlaw;
            if was_in
                && !persons.contains_key(&person)
                && self.model.is_untouched(person)
                && !self.options.forks
            {
                wrong!("{} is not in the group, and nobody touched them", node.name);
            }
            let knows = node
                .replica
                .as_ref()
                .is_some_and(|replica| replica.me().is_some());
            if was_in
                && !persons.contains_key(&person)
                && knows
                && !self.cannot_know(node)
                && !self.is_left_behind(node)
            {
                wrong!("{} is out and does not know", node.name);
            }
        }
        self.report.ends = first.kills() as u64;
        Ok(())
    }

    /// All who are in the group seal under one key, which nobody has who is out.
    pub(super) fn check_keys(&mut self, honest: &[usize]) -> Outcome {
        let current = |node: usize| {
            self.nodes[node]
                .replica
                .as_ref()
                .unwrap()
                .keys()
                .current()
                .cloned()
        };
        let key = current(honest[0]);
        for node in honest {
            if current(*node) != key {
                wrong!(
                    "{} seals under another key than the first",
                    self.nodes[*node].name
                );
            }
        }
        let Some(key) = key else {
            // Nobody is left who could make one: a new group is founded (R7).
            if honest.iter().all(|node| self.nodes[*node].role().is_none()) {
                return Ok(());
            }
            wrong!("nobody has a key to seal under")
        };
        let persons = self.nodes[honest[0]].replica.as_ref().unwrap().roster().persons();
        for node in &self.nodes {
            let device = node.me.device_id();
            let person = persons.get(&node.me.person);
            let is_in = person.is_some_and(|person| person.devices.values().any(|of| of.device == device));
            let holds = node
                .replica
                .as_ref()
                .is_some_and(|replica| replica.keys().get(key.id()).is_some());
            if holds && !is_in && !self.options.forks {
                wrong!("{} is out and holds the key of those who are in", node.name);
            }
        }
        Ok(())
    }

    /// What those who break the rules wanted has not come.
    pub(super) fn check_vain(&mut self, honest: &[usize]) -> Outcome {
        let roster = self.nodes[honest[0]].replica.as_ref().unwrap().roster();
        for id in &self.model.vain {
            let came = match roster.act(*id) {
                Some(ControlAct::Motion(_)) => roster.motion_card(*id).is_some_and(|card| card.carried),
                Some(_) => roster.lives(*id),
                None => false,
            };
            if came {
                wrong!("{id:?} breaks the rules and takes effect: {:?}", roster.act(*id));
            }
        }
        Ok(())
    }
}

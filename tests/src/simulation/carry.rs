//! Entries that travel otherwise than in a session: as files, and by couriers who bring part of what they could, in
//! whatever order is allowed; some of them carelessly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, KeyId};
use kiez_core::replica::bundle::{self, BundleError, Compression};
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::keys::GroupKey;
use kiez_core::replica::receive::{CarrierFault, ReceiveError, Received};
use kiez_core::replica::storage::Storage;

use super::disk::ids;
use super::world::{Outcome, World, wrong};

/// A file with what somebody exported.
#[derive(Debug)]
pub(super) struct File {
    bytes: Vec<u8>,
    /// The keys of its exporter.
    keys: BTreeSet<KeyId>,
    /// Whether it begins at the beginning, or where somebody else was.
    is_whole: bool,
    /// What its exporter had: it builds on nothing else.
    pub(super) ids: BTreeSet<EntryId>,
    /// How far it reaches.
    pub(super) heads: BTreeMap<JournalId, EntryNumber>,
}

/// How a courier goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carelessness {
    None,
    /// Brings entries before those they build on.
    Shuffles,
    /// Loses the first entry of a journal's share.
    Loses,
    /// Changes a signature.
    Tampers,
    /// Loses the last signature of a journal's share.
    Unsigns,
}

/// Entries of one journal up to one that is signed: what can be carried alone.
type Piece = Vec<Entry>;

impl World {
    pub(super) fn somebody_exports(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.replica.is_some() && !node.is_outlaw) else {
            return Ok(());
        };
        let beyond = match self.some_node(|node| node.replica.is_some()) {
            Some(other) if self.dice.chance(50) => self.replica(other).frontier(),
            _ => Frontier::new(),
        };
        let replica = self.replica(node);
        let has = replica.frontier();
        let Ok(bytes) = replica.bundle(&beyond, Compression::Fast) else {
            wrong!("no bundle for a file")
        };
        let bytes_len = bytes.len();
        let file = File {
            bytes,
            keys: replica.keys().iter().map(GroupKey::id).collect(),
            is_whole: beyond.is_empty(),
            ids: ids(&self.nodes[node].disk.memory()),
            heads: has
                .iter()
                .map(|(journal, (number, _))| (*journal, *number))
                .collect(),
        };
        self.files.push(file);
        if self.files.len() > 4 {
            self.files.remove(0);
        }
        let name = &self.nodes[node].name;
        self.trace
            .event(format_args!("{name} exports a file of {bytes_len} bytes"));
        Ok(())
    }

    pub(super) fn somebody_imports(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.replica.is_some() && !node.is_outlaw) else {
            return Ok(());
        };
        if self.files.is_empty() {
            return Ok(());
        }
        let file = self.dice.below(self.files.len());
        let mut bytes = self.files[file].bytes.clone();
        let is_damaged = self.dice.chance(10);
        if is_damaged {
            let at = self.dice.below(bytes.len());
            bytes[at] ^= 1 << self.dice.below(8);
        }
        let name = self.nodes[node].name.clone();
        let is_whole = self.files[file].is_whole;
        self.trace.event(format_args!(
            "{name} imports a file, whole: {is_whole}, damaged: {is_damaged}"
        ));
        let entries = match bundle::read(&bytes, self.replica(node).keys()) {
            Ok(_) if is_damaged => wrong!("{name} read a damaged file"),
            Err(_) if is_damaged => return Ok(()),
            // It, or something in it, was sealed under a key that came after this device was away, or gone.
            Err(BundleError::NoKey | BundleError::KeyMissing { .. }) if self.has_newer_keys(file, node) => {
                return Ok(());
            }
            Err(error) => wrong!("{name} could not read a file: {error}"),
            Ok(read) => read.entries.into_iter().map(|e| (e.entry, e.payload)).collect(),
        };
        match self.receive(node, entries)? {
            // What was meant for somebody else may not follow on what is here.
            Err(
                CarrierFault::Gap { .. }
                | CarrierFault::SeenMissing { .. }
                | CarrierFault::PayloadMissing { .. },
            ) if !is_whole => Ok(()),
            // What it builds on may lie on a branch that is in no file.
            Err(_) if self.options.forks => Ok(()),
            Err(fault) => wrong!("{name} refuses a good file: {fault}"),
            Ok(_) => Ok(()),
        }
    }

    /// Did the exporter of a file hold a key that this device does not?
    fn has_newer_keys(&self, file: usize, node: usize) -> bool {
        let held = self.nodes[node].replica.as_ref().unwrap().keys();
        self.files[file].keys.iter().any(|key| held.get(*key).is_none())
    }

    /// A device takes in entries; none of them where that is the carrier's fault.
    fn receive(
        &mut self,
        node: usize,
        entries: Vec<(Entry, Option<Vec<u8>>)>,
    ) -> Outcome<Result<Option<Received>, CarrierFault>> {
        let before = self.replica(node).frontier();
        self.tempt(node);
        let result = self.replica(node).receive(entries);
        let fault = self.settle(node)?;
        match result {
            Ok(received) => {
                let waiting = self.replica(node).census().map_or(0, |census| census.waiting);
                self.report.waited = self.report.waited.max(waiting);
                self.note_ended(node, &received)?;
                self.check_disk(node)?;
                Ok(Ok(Some(received)))
            }
            Err(ReceiveError::Carrier(error)) => {
                if self.replica(node).frontier() != before {
                    wrong!("something was kept of what was refused: {error}");
                }
                Ok(Err(error))
            }
            Err(ReceiveError::Replica(_)) if fault => Ok(Ok(None)),
            Err(ReceiveError::Replica(error)) => wrong!("could not take in entries: {error}"),
        }
    }

    /// Somebody carries a part of what one device has to another.
    pub(super) fn courier_goes(&mut self) -> Outcome {
        let nodes = self.nodes_where(|node| node.replica.is_some() && !node.is_outlaw);
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for from in &nodes {
            pairs.extend(nodes.iter().filter(|to| *to != from).map(|to| (*from, *to)));
        }
        self.dice.shuffle(&mut pairs);
        let Some((from, to)) = pairs
            .into_iter()
            .find(|(from, to)| !self.pieces(*from, *to).is_empty())
        else {
            return Ok(());
        };
        let careless = self.dice.pick(&[
            Carelessness::None,
            Carelessness::None,
            Carelessness::None,
            Carelessness::Shuffles,
            Carelessness::Loses,
            Carelessness::Tampers,
            Carelessness::Unsigns,
        ]);
        let careless = careless.unwrap();
        let mut queues = self.pieces(from, to);
        if self.dice.chance(70) {
            // One journal only, the giver's own where there is something of it: what builds on others will have to wait.
            let own = self.nodes[from].own_head().map(|(journal, _)| journal);
            let of_own = queues
                .iter()
                .position(|queue| Some(queue[0][0].header.journal) == own);
            let only = of_own.unwrap_or_else(|| self.dice.below(queues.len()));
            queues = vec![queues.swap_remove(only)];
        }
        let mut pieces = self.some_of(to, queues, careless == Carelessness::Shuffles);
        let expected = self.spoil(to, &mut pieces, careless);
        let entries: Vec<(Entry, Option<Vec<u8>>)> =
            pieces.into_iter().flatten().map(|entry| (entry, None)).collect();
        let (giver, taker) = (self.nodes[from].name.clone(), self.nodes[to].name.clone());
        self.trace.event(format_args!(
            "a courier brings {} entries from {giver} to {taker}, careless: {careless:?}",
            entries.len()
        ));
        let result = match self.receive(to, entries)? {
            // The act that says so did not come with it.
            Err(CarrierFault::PayloadMissing { entry }) => return self.check_unlisted(to, entry),
            result => result,
        };
        // Where a journal forked, what follows on one branch does not follow on the other.
        if result.is_ok() == expected || self.options.forks {
            Ok(())
        } else {
            wrong!("{taker} took what a courier brought, {careless:?}: {result:?}")
        }
    }

    /// Who is brought an entry without what is in it takes it where they know that it is erased.
    fn check_unlisted(&self, to: usize, entry: EntryId) -> Outcome {
        let roster = self.nodes[to].replica.as_ref().unwrap().roster();
        let mut rows = self
            .nodes
            .iter()
            .flat_map(|node| node.disk.journals().unwrap_or_default());
        if rows.any(|row| roster.erased_in(entry, row.id).is_some()) {
            wrong!(
                "{} knows that {entry:?} is erased, and refuses it",
                self.nodes[to].name
            );
        }
        Ok(())
    }

    /// What one device has and another has not, by journal, in pieces that can be carried alone.
    fn pieces(&self, from: usize, to: usize) -> Vec<VecDeque<Piece>> {
        let theirs = self.nodes[to].replica.as_ref().unwrap().frontier();
        let disk = &self.nodes[from].disk;
        let mut queues = Vec::new();
        for row in disk.journals().unwrap_or_default() {
            let after = theirs.get(&row.id).map_or(EntryNumber(0), |(number, _)| *number);
            let mut pieces = VecDeque::new();
            let mut piece = Piece::new();
            for held in disk.entries(row.id, after, usize::MAX).unwrap_or_default() {
                let is_signed = held.entry.signature.is_some();
                piece.push(held.entry);
                if is_signed {
                    pieces.push_back(std::mem::take(&mut piece));
                }
            }
            if !pieces.is_empty() {
                queues.push(pieces);
            }
        }
        queues
    }

    /// A part of it in an order that is allowed, or in any that keeps each journal's own.
    fn some_of(&mut self, to: usize, mut queues: Vec<VecDeque<Piece>>, any_order: bool) -> Vec<Piece> {
        let roster = self.nodes[to].replica.as_ref().unwrap().roster().clone();
        let mut brought: BTreeSet<EntryId> = BTreeSet::new();
        let mut chosen = Vec::new();
        let ends_early = self.dice.chance(60);
        loop {
            let ready = |piece: &Piece| {
                any_order
                    || piece.iter().all(|entry| {
                        entry.header.seen.iter().all(|seen| {
                            roster.contains(*seen)
                                || brought.contains(seen)
                                || piece.iter().any(|e| e.id == *seen)
                        })
                    })
            };
            let able: Vec<usize> = (0..queues.len())
                .filter(|queue| queues[*queue].front().is_some_and(ready))
                .collect();
            let Some(queue) = self.dice.pick(&able) else {
                return chosen;
            };
            if ends_early && self.dice.chance(15) {
                return chosen;
            }
            let piece = queues[queue].pop_front().unwrap();
            brought.extend(
                piece
                    .iter()
                    .filter(|e| e.header.kind == EntryKind::Control)
                    .map(|e| e.id),
            );
            chosen.push(piece);
        }
    }

    /// Goes wrong as said, where there is something to go wrong with. Says whether what is left may be taken.
    fn spoil(&mut self, to: usize, pieces: &mut [Piece], careless: Carelessness) -> bool {
        let at = self.dice.below(pieces.len());
        match careless {
            Carelessness::None => true,
            Carelessness::Shuffles => {
                let roster = self.nodes[to].replica.as_ref().unwrap().roster();
                let mut here: BTreeSet<EntryId> = BTreeSet::new();
                for entry in pieces.iter().flatten() {
                    if entry
                        .header
                        .seen
                        .iter()
                        .any(|seen| !roster.contains(*seen) && !here.contains(seen))
                    {
                        return false;
                    }
                    here.insert(entry.id);
                }
                true
            }
            Carelessness::Loses => {
                let Some(journal) = pieces.get(at).map(|piece| piece[0].header.journal) else {
                    return true;
                };
                let first = pieces.iter_mut().find(|piece| piece[0].header.journal == journal);
                let lost = first.unwrap().remove(0);
                let needed = pieces
                    .iter()
                    .flatten()
                    .any(|entry| entry.header.journal == journal || entry.header.seen.contains(&lost.id));
                !needed
            }
            Carelessness::Tampers => {
                let entry = pieces.get_mut(at).and_then(|piece| piece.last_mut());
                let Some(signature) = entry.and_then(|entry| entry.signature.as_mut()) else {
                    return true;
                };
                signature.0[self.dice.below(64)] ^= 1 << self.dice.below(8);
                false
            }
            Carelessness::Unsigns => {
                let Some(journal) = pieces.get(at).map(|piece| piece[0].header.journal) else {
                    return true;
                };
                let mut of_journal = pieces
                    .iter_mut()
                    .flatten()
                    .filter(|e| e.header.journal == journal);
                of_journal.next_back().unwrap().signature = None;
                false
            }
        }
    }
}

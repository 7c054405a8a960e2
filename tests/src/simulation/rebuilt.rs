//! From what is kept or given alone comes the same: from the raw entries, from the disk, from a file.

use kiez_core::replica::bundle::{self, Compression};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::keys::GroupKey;

use super::disk::Disk;
use super::state::State;
use super::world::{Outcome, World, wrong};

impl World {
    /// From the raw entries alone, from the disk alone and from a bundle alone comes the same.
    pub(super) fn check_rebuilt(&mut self, honest: &[usize]) -> Outcome {
        let state = State::of(self.replica(honest[0]))?;
        for node in honest {
            self.restart(*node)?;
            self.check_same(*node, &state, "starting again")?;
            if let Err(error) = self.replica(*node).rebuild() {
                wrong!("{} could not rebuild: {error}", self.nodes[*node].name);
            }
            self.check_same(*node, &state, "rebuilding")?;
        }
        let from = self.dice.pick(honest).unwrap();
        self.check_given_by(from, &state)?;
        Ok(())
    }

    /// Everybody can still give everybody everything, by a file.
    pub(super) fn check_bundles(&mut self, honest: &[usize]) -> Outcome {
        if self.report.erased == 0 {
            return Ok(());
        }
        let state = State::of(self.replica(honest[0]))?;
        for from in honest {
            let name = self.nodes[*from].name.clone();
            let whole = self.check_given_by(*from, &state)?;
            for to in honest.iter().filter(|to| *to != from) {
                // A file is sealed under the newest key: one that its maker alone was given, say.
                let newest = self.nodes[*from]
                    .replica
                    .as_ref()
                    .unwrap()
                    .keys()
                    .newest()
                    .map(GroupKey::id);
                let held = self.nodes[*to].replica.as_ref().unwrap().keys();
                if newest.is_some_and(|key| held.get(key).is_none()) {
                    continue;
                }
                let taker = self.nodes[*to].name.clone();
                let replica = self.replica(*to);
                let read = match bundle::read(&whole, replica.keys()) {
                    Ok(read) => read,
                    Err(error) => wrong!("{taker} cannot read the file of {name}: {error}"),
                };
                let entries = read.entries.into_iter().map(|e| (e.entry, e.payload)).collect();
                if let Err(error) = replica.receive(entries) {
                    wrong!("{taker} refuses the file of {name}: {error}");
                }
                self.check_same(*to, &state, "a file")?;
            }
        }
        Ok(())
    }

    /// From what somebody gives by a file comes the same. The file.
    fn check_given_by(&self, from: usize, state: &State) -> Outcome<Vec<u8>> {
        let name = &self.nodes[from].name;
        let replica = self.nodes[from].replica.as_ref().unwrap();
        let keys = replica.keys().iter().cloned().collect();
        let Ok(whole) = replica.bundle(&Frontier::new(), Compression::Fast) else {
            wrong!("{name} has no bundle")
        };
        let mut fresh = match Replica::from_bundle(Disk::default(), replica.group(), keys, &whole) {
            Ok(fresh) => fresh,
            Err(error) => wrong!("a fresh device cannot read what {name} gives: {error}"),
        };
        let came = State::of(&mut fresh)?;
        if came != *state {
            wrong!(
                "a fresh device came to something else by {name}: {}",
                came.differs_from(state)
            );
        }
        Ok(whole)
    }
}

//! One simulated device: whose it is, its disk, its clock, and the replica that runs on it.

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::Role;
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::BoxSecret;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::storage::Storage;

use super::dice::Dice;
use super::disk::Disk;
use super::page::Page;

/// A clock that is wrong, and goes wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Milliseconds since 1970 when the simulation begins.
    start: u64,
    /// How many of its thousandths pass in a thousandth of a true second.
    rate: u64,
}

impl Clock {
    /// Any clock from years behind to years ahead, from standing still to ten times too fast.
    pub(super) fn any(dice: &mut Dice) -> Self {
        const YEAR: usize = 365 * 24 * 3_600_000;
        let start = dice.below(20 * YEAR) as u64 + 1_000_000_000_000;
        let rate = dice.pick(&[0, 500, 1000, 1000, 1000, 1001, 10_000]).unwrap();
        Self { start, rate }
    }

    /// What it shows so many milliseconds after the beginning.
    pub(super) const fn at(self, elapsed: u64) -> Timestamp {
        Timestamp(self.start + elapsed * self.rate / 1000)
    }
}

/// A simulated person.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) key: SigningKey,
    pub(super) id: PersonId,
    /// As what they will be invited.
    pub(super) role: Role,
}

/// A simulated device.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// Whose: a place in the list of persons.
    pub(super) person: usize,
    /// Whether it is that person's first device.
    pub(super) is_first: bool,
    pub(super) me: Me,
    pub(super) box_secret: BoxSecret,
    pub(super) dice: Dice,
    pub(super) clock: Clock,
    pub(super) disk: Disk,
    /// The group on this device, once it is in.
    pub(super) replica: Option<Box<Replica<Disk>>>,
    /// What its owner's window shows of an idea.
    pub(super) page: Option<Page>,
    /// An older state of the disk.
    pub(super) backup: Option<MemoryStorage>,
    /// Restored with its journal's secret: this journal must not be written before it was synced that far.
    pub(super) behind: Option<(JournalId, EntryNumber)>,
    /// Its owner broke the rules: from then on nothing of it counts, and it is compared with nobody.
    pub(super) is_outlaw: bool,
    /// An outlaw who keeps to the forms: their journal goes on, and so do they.
    pub(super) is_schemer: bool,
}

impl Node {
    /// A new device of this person.
    pub(super) fn new(seed: u64, number: usize, person: usize, is_first: bool, persons: &[Person]) -> Self {
        let mut dice = Dice::new(seed, 1_000 + number as u64);
        let device = SigningKey::generate(dice.rng());
        let box_secret = BoxSecret::generate(dice.rng());
        let owner = &persons[person];
        let me = Me {
            person: owner.id,
            device,
            box_key: box_secret.public(),
        };
        let suffix = if is_first { "" } else { "'s second" };
        Self {
            name: format!("{}{suffix}", owner.name),
            person,
            is_first,
            me,
            box_secret,
            clock: Clock::any(&mut dice),
            dice,
            disk: Disk::default(),
            replica: None,
            page: None,
            backup: None,
            behind: None,
            is_outlaw: false,
            is_schemer: false,
        }
    }

    /// In which role it writes: none where it may not.
    pub(super) fn role(&self) -> Option<Role> {
        if self.behind.is_some() || self.is_outlaw {
            return None;
        }
        Some(self.replica.as_ref()?.me()?.role)
    }

    /// The last entry of its own journal.
    pub(super) fn own_head(&self) -> Option<(JournalId, EntryNumber)> {
        let replica = self.replica.as_ref()?;
        let journal = replica.own_journal()?;
        let (number, _) = replica.frontier().remove(&journal)?;
        Some((journal, number))
    }

    /// Is this entry here, be it on a branch that does not count?
    pub(super) fn holds(&self, place: (JournalId, EntryNumber), id: EntryId) -> bool {
        let held = self.disk.entry(place.0, place.1).ok().flatten();
        held.is_some_and(|held| held.entry.id == id) || self.keeps_aside(id)
    }

    /// Does this entry lie on a branch here that does not count?
    pub(super) fn keeps_aside(&self, id: EntryId) -> bool {
        let aside = self.disk.aside().unwrap_or_default();
        aside.iter().any(|entry| entry.id == id)
    }

    /// Does this entry count here?
    pub(super) fn has_applied(&self, place: (JournalId, EntryNumber), id: EntryId) -> bool {
        use kiez_core::replica::storage::Standing;
        let held = self.disk.entry(place.0, place.1).ok().flatten();
        held.is_some_and(|held| held.entry.id == id && matches!(held.standing, Standing::Applied(_)))
    }
}

//! One neighbourhood year from a seed: 200 people who were really admitted, 300 ideas with texts, comments and 60 ballots
//! each, 2,000 tasks; 36,900 actions, each done by a replica and put through the gate of the others.
//!
//! Two hundred replicas that each take in everything would be two hundred times the work. So people live in two blocks
//! of flats. A block is one replica on which its people speak one after the other, each with an own journal; the blocks
//! sync at the end of each round, entries as they go over the wire. Who acts in one block does not know what was done
//! in another since the last sync: that is the concurrency in it.
//!
//! What is left out: nobody closes a poll. A close names every elector's journal, 14 KB of it, and 300 would weigh more
//! than half of all other changes together.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    reason = "fixtures of benchmarks and tests: where the year cannot be made, they fail"
)]

mod block;
mod plan;
pub mod profile;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::id::{GroupId, PersonId, Timestamp};
use kiez_core::host::keystore::RecoveryWords;
use kiez_core::replica::bundle::{self, Compression};
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::join::Invitation;
use kiez_core::replica::keys::{BoxSecret, GroupKey, KeyRing};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::Channel;
use kiez_core::replica::storage::{OwnJournal, Storage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use block::Block;
use plan::{PEOPLE, Plan, ROUNDS};

/// How many people there are before the year begins; the others come in during it.
const FIRST_PEOPLE: usize = 120;

/// How many blocks of flats.
const BLOCKS: usize = 2;

/// The one who writes nothing after coming in: the reader of benchmarks.
const QUIET: usize = 1;

/// When the year begins, in milliseconds.
const START: u64 = 1_767_225_600_000;

/// A year of a group, and two people in it whose secrets are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Year {
    /// The group.
    pub group: GroupId,
    /// Its key.
    pub key: [u8; 32],
    /// The steward.
    pub founder: Member,
    /// A member who has written nothing but their name.
    pub quiet: Member,
    /// The bundle of what there was in autumn.
    pub behind: Vec<u8>,
    /// The bundle of what there was a hundredth of the year's actions later.
    pub ahead: Vec<u8>,
    /// The bundle of everything.
    pub whole: Vec<u8>,
}

/// The secrets of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Of the recovery words.
    pub entropy: [u8; 32],
    /// The seed of the endpoint key.
    pub device: [u8; 32],
    /// What boxes are opened with.
    pub box_secret: [u8; 32],
    /// The seed of the journal's key.
    pub journal: [u8; 32],
}

/// Somebody who lives here.
#[derive(Debug, Clone)]
struct Neighbour {
    entropy: [u8; 32],
    person: SigningKey,
    me: Me,
    box_secret: BoxSecret,
    /// Once they are in.
    own: Option<OwnJournal>,
}

impl Year {
    /// The year of this seed. Takes a minute or two.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut people: Vec<Neighbour> = (0..PEOPLE).map(|_| Neighbour::new(&mut rng)).collect();
        let first = found(&mut people, &mut rng);
        let group = first.group();
        let storage = first.into_storage();
        let key = *storage.keys().unwrap()[0].as_bytes();
        let mut plan = Plan::new(&mut rng);
        let words = rng.random();
        let mut blocks: Vec<Block> = (0..BLOCKS)
            .map(|place| Block::new(place, storage.clone(), words))
            .collect();
        drop(storage);
        // So many actions were done, and what was there then.
        let mut autumn: Vec<(usize, Vec<u8>)> = Vec::new();
        let hundredth = plan.actions() / 100;
        let mut done = 0;
        let mut round = 0;
        while round < ROUNDS || plan.has_more(round) {
            move_in(&mut blocks, &mut people, round);
            let acts = plan.take(round);
            // In autumn they sync more often, so that a moment a hundredth later can be named.
            let parts = if (76..84).contains(&(done / hundredth)) {
                16
            } else {
                1
            };
            for acts in acts.chunks(acts.len().div_ceil(parts).max(1)) {
                live(&mut blocks, &people, acts);
                sync(&mut blocks);
                done = blocks.iter().map(|block| block.done).sum();
                let next = autumn
                    .first()
                    .map_or(80 * hundredth, |(begin, _)| begin + hundredth);
                if autumn.len() < 2 && done >= next {
                    autumn.push((done, blocks[0].bundle()));
                }
            }
            for block in &mut blocks {
                plan.postpone(round, std::mem::take(&mut block.postponed));
            }
            round += 1;
        }
        let mut autumn = autumn.into_iter().map(|(_, bundle)| bundle);
        Self {
            group,
            key,
            founder: people[0].member(),
            quiet: people[QUIET].member(),
            behind: autumn.next().unwrap(),
            ahead: autumn.next().unwrap(),
            whole: blocks[0].bundle(),
        }
    }

    /// The year of this seed, kept in a file of this directory. Another version of the generator has another file.
    #[must_use]
    pub fn cached(seed: u64, directory: &Path) -> Self {
        let mut version = DefaultHasher::new();
        let sources = [
            include_str!("year.rs"),
            include_str!("year/block.rs"),
            include_str!("year/plan.rs"),
        ];
        (seed, sources).hash(&mut version);
        let file = directory.join(format!("year-{:016x}", version.finish()));
        // Where formats have changed since it does not hold any more; then the year is made anew.
        let kept = std::fs::read(&file)
            .ok()
            .and_then(|bytes| Self::from_bytes(&bytes));
        if let Some(kept) = kept.filter(Self::holds) {
            return kept;
        }
        let year = Self::of(seed);
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(&file, year.to_bytes()).unwrap();
        year
    }

    /// The group's keys.
    #[must_use]
    pub fn keys(&self) -> KeyRing {
        let mut keys = KeyRing::default();
        keys.insert(GroupKey::from_bytes(self.key));
        keys
    }

    /// Is everything in it admitted by the software of today?
    fn holds(&self) -> bool {
        let keys = vec![GroupKey::from_bytes(self.key)];
        let replica = Replica::from_bundle(MemoryStorage::default(), self.group, keys, &self.behind);
        let Ok(replica) = replica else { return false };
        let census = replica.census().unwrap();
        let all = census.entries == census.applied.len() as u64;
        let people = replica.roster().persons().len();
        all && people > FIRST_PEOPLE && bundle::read(&self.whole, &self.keys()).is_ok()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.group.0, self.key].concat();
        for member in [self.founder, self.quiet] {
            bytes.extend([member.entropy, member.device, member.box_secret, member.journal].concat());
        }
        for bundle in [&self.behind, &self.ahead, &self.whole] {
            bytes.extend(u64::try_from(bundle.len()).unwrap().to_le_bytes());
            bytes.extend(bundle);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(10 * 32)?;
        let [group, key, e1, d1, b1, j1, e2, d2, b2, j2] = *head.as_chunks::<32>().0 else {
            return None;
        };
        let member = |entropy, device, box_secret, journal| Member {
            entropy,
            device,
            box_secret,
            journal,
        };
        let bundle = |bytes| -> Option<(Vec<u8>, &[u8])> {
            let (length, rest) = <[u8]>::split_first_chunk::<8>(bytes)?;
            let (bundle, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            Some((bundle.to_vec(), rest))
        };
        let (behind, rest) = bundle(rest)?;
        let (ahead, rest) = bundle(rest)?;
        let (whole, _) = bundle(rest)?;
        Some(Self {
            group: GroupId(group),
            key,
            founder: member(e1, d1, b1, j1),
            quiet: member(e2, d2, b2, j2),
            behind,
            ahead,
            whole,
        })
    }
}

impl Neighbour {
    fn new(rng: &mut ChaCha20Rng) -> Self {
        let entropy: [u8; 32] = rng.random();
        let person = RecoveryWords::from_entropy(entropy).person_key();
        let device = SigningKey::from_bytes(&rng.random());
        let box_secret = BoxSecret::generate(rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device,
            box_key: box_secret.public(),
        };
        Self {
            entropy,
            person,
            me,
            box_secret,
            own: None,
        }
    }

    fn member(&self) -> Member {
        Member {
            entropy: self.entropy,
            device: self.me.device.to_bytes(),
            box_secret: *self.box_secret.as_bytes(),
            journal: self.own.as_ref().unwrap().seed,
        }
    }
}

/// The founding, and the first people coming in: each on an invitation of somebody who is in, from a bundle.
fn found(people: &mut [Neighbour], rng: &mut ChaCha20Rng) -> Replica<MemoryStorage> {
    let founder = &people[0];
    let at = Timestamp(START);
    let mut replica = Replica::found(
        MemoryStorage::default(),
        &founder.me,
        &founder.person,
        Charter::circle(),
        rng,
    )
    .unwrap();
    replica.describe_group("Zawodzie", "Our quarter", at).unwrap();
    replica.set_profile_name(&name(0), at).unwrap();
    people[0].own = replica.storage().own().unwrap();
    for joiner in 1..FIRST_PEOPLE {
        let inviter = rng.random_range(0..joiner);
        replica = speak_as(replica, people[inviter].own.clone().unwrap());
        let (invitation, channel) = invite(&mut replica, &people[inviter], &people[joiner], rng);
        let (me, box_secret) = (&people[joiner].me, &people[joiner].box_secret);
        let request = invitation.request(me, &people[joiner].person, &channel);
        let admission = replica
            .admit(&request, &channel, at, rng)
            .unwrap()
            .admission()
            .unwrap();
        let bundle = replica.bundle(&Frontier::new(), Compression::Fast).unwrap();
        replica = Replica::join(
            MemoryStorage::default(),
            &invitation,
            me,
            box_secret,
            &admission.boxes,
            &bundle,
            rng,
        )
        .unwrap();
        replica.set_profile_name(&name(joiner), at).unwrap();
        people[joiner].own = replica.storage().own().unwrap();
    }
    replica
}

/// An invitation by who speaks, and the session in which the invited one answers it.
fn invite(
    replica: &mut Replica<MemoryStorage>,
    inviter: &Neighbour,
    joiner: &Neighbour,
    rng: &mut ChaCha20Rng,
) -> (Invitation, Channel) {
    let expires = Timestamp(START * 2);
    let invitation = replica
        .invite(&inviter.me, Role::Member, expires, vec![], rng)
        .unwrap();
    let channel = Channel {
        exporter: rng.random(),
        peer: joiner.me.device_id(),
    };
    (invitation, channel)
}

/// The same replica, on which somebody else speaks from now on.
fn speak_as(replica: Replica<MemoryStorage>, own: OwnJournal) -> Replica<MemoryStorage> {
    let group = replica.group();
    let mut storage = replica.into_storage();
    let own = kiez_core::replica::storage::Write::Own(own);
    storage.commit(group, vec![own]).unwrap();
    Replica::open(storage).unwrap()
}

/// Where somebody lives.
const fn block_of(person: usize) -> usize {
    person / plan::PERSON_ROUNDS % BLOCKS
}

fn name(person: usize) -> String {
    format!("Neighbour {person}")
}

/// Who comes in does so at the beginning of a round.
fn move_in(blocks: &mut [Block], people: &mut [Neighbour], round: usize) {
    let joiners: Vec<usize> = (FIRST_PEOPLE..PEOPLE)
        .filter(|person| plan::joins_in(*person) == round)
        .collect();
    for joiner in joiners {
        let own = blocks[block_of(joiner)].admit(people, joiner, round);
        people[joiner].own = Some(own);
    }
}

/// What is planned, in every block at the same time.
fn live(blocks: &mut [Block], people: &[Neighbour], acts: &[plan::Scheduled]) {
    std::thread::scope(|scope| {
        for (place, block) in blocks.iter_mut().enumerate() {
            let mine = acts
                .iter()
                .filter(move |scheduled| block_of(scheduled.person) == place);
            scope.spawn(move || block.live(people, mine));
        }
    });
}

/// The first block gathers everything, then the others take it from there.
fn sync(blocks: &mut [Block]) {
    let (first, others) = blocks.split_first_mut().unwrap();
    for other in others.iter_mut() {
        first.take_from(other);
    }
    let first = &*first;
    std::thread::scope(|scope| {
        for other in others {
            scope.spawn(move || other.take_from(first));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_reads_back_from_its_bytes() {
        let member = Member {
            entropy: [1; 32],
            device: [2; 32],
            box_secret: [3; 32],
            journal: [4; 32],
        };
        let year = Year {
            group: GroupId([5; 32]),
            key: [6; 32],
            founder: member,
            quiet: Member {
                journal: [7; 32],
                ..member
            },
            behind: vec![8; 5],
            ahead: vec![8; 6],
            whole: vec![9; 7],
        };
        assert_eq!(Year::from_bytes(&year.to_bytes()), Some(year));
    }
}

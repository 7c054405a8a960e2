//! Runs seeds, twice each, and says what came of it.

use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::world::World;

/// What is told apart from the defaults of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Print every event.
    pub trace: bool,
    /// Devices restored with their journal's secret may write before they sync: forks.
    pub forks: bool,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Devices.
    pub nodes: u64,
    /// Things that happened.
    pub events: u64,
    /// What people did and is durable, without what was lost with a disk.
    pub actions: u64,
    /// What was lost with a disk before anybody else had it.
    pub lost: u64,
    /// Entries that count in the end, on each device.
    pub admitted: u64,
    /// Entries that wait in the end.
    pub waiting: u64,
    /// The most entries that waited on one device at a time.
    pub waited: u64,
    /// Entries that are kept and do not count in the end.
    pub quarantined: u64,
    /// Power cuts and failed writes.
    pub faults: u64,
    /// Disks restored from a backup.
    pub restores: u64,
    /// Journals that forked.
    pub forks: u64,
    /// Group keys that were made after somebody had gone.
    pub rekeys: u64,
    /// Acts that ended somebody's place, a role, a device or an invitation, and are taken in the end.
    pub ends: u64,
    /// Motions of the council.
    pub motions: u64,
    /// Entries beyond the end of their author's place that count, since somebody built on them.
    pub lifted: u64,
    /// Acts that erase.
    pub erasures: u64,
    /// Entries of which only the header is left in the end.
    pub erased: u64,
    /// Frames that arrived.
    pub frames: u64,
    /// The hash of all that happened.
    pub trace: String,
}

/// A run that did not end as it must.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which seed.
    pub seed: u64,
    /// What is wrong.
    pub what: String,
    /// What happened last.
    pub last: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        writeln!(f, "what happened last:")?;
        for line in &self.last {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "again: cargo run --release -p kiez-tests --bin simulate -- --seed {} --trace",
            self.seed
        )
    }
}

impl std::error::Error for Failure {}

/// Runs one seed once.
///
/// # Errors
/// What is wrong, where the devices do not end equal and complete, or something panicked.
pub fn run(seed: u64, options: Options) -> Result<Report, Box<Failure>> {
    let mut world = World::new(seed, options);
    let ended = catch_unwind(AssertUnwindSafe(|| world.live()));
    let what = match ended {
        Ok(Ok(())) => return Ok(world.report()),
        Ok(Err(wrong)) => wrong.0,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("panicked: {}", text.unwrap_or_default())
        }
    };
    Err(Box::new(Failure {
        seed,
        what,
        last: world.trace.last(),
    }))
}

/// What many runs came to.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// How many seeds.
    pub seeds: u64,
    /// The sums of their reports.
    pub sum: Report,
}

impl Totals {
    fn add(&mut self, one: &Report) {
        self.seeds += 1;
        let sum = &mut self.sum;
        sum.nodes += one.nodes;
        sum.events += one.events;
        sum.actions += one.actions;
        sum.lost += one.lost;
        sum.admitted += one.admitted;
        sum.waiting += one.waiting;
        sum.waited += one.waited;
        sum.quarantined += one.quarantined;
        sum.faults += one.faults;
        sum.restores += one.restores;
        sum.forks += one.forks;
        sum.rekeys += one.rekeys;
        sum.ends += one.ends;
        sum.motions += one.motions;
        sum.lifted += one.lifted;
        sum.erasures += one.erasures;
        sum.erased += one.erased;
        sum.frames += one.frames;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = &self.sum;
        write!(
            f,
            "{} seeds, {} devices, {} events, {} actions ({} lost with a disk), {} frames, {} faults, {} restores, {} forks, \
             {} motions, {} ends, {} new keys, {} erasures of {} entries; at rest admitted {} ({} lifted), waiting {} (on the way at most {}), \
             quarantined {}",
            self.seeds,
            sum.nodes,
            sum.events,
            sum.actions,
            sum.lost,
            sum.frames,
            sum.faults,
            sum.restores,
            sum.forks,
            sum.motions,
            sum.ends,
            sum.rekeys,
            sum.erasures,
            sum.erased,
            sum.admitted,
            sum.lifted,
            sum.waiting,
            sum.waited,
            sum.quarantined
        )
    }
}

/// Runs each of these seeds twice; both runs must come to the same, event by event.
///
/// # Errors
/// The first failure.
pub fn run_seeds(
    seeds: Range<u64>,
    options: Options,
    mut progress: impl FnMut(&Totals),
) -> Result<Totals, Box<Failure>> {
    let mut totals = Totals::default();
    for seed in seeds {
        let first = run(seed, options)?;
        let second = run(seed, options)?;
        if first != second {
            return Err(Box::new(Failure {
                seed,
                what: "the second run of this seed came to something else".to_owned(),
                last: vec![format!("{first:?}"), format!("{second:?}")],
            }));
        }
        totals.add(&first);
        progress(&totals);
    }
    Ok(totals)
}

//! The catalogue of attacks: what somebody could try against a group, what must hold, and the guard that stops it.
//!
//! Each row is run twice: as the software is, and with its guard switched off (`kiez_core::planted::Guard`). As it is the
//! attack must come to nothing; without its guard it must succeed, so that no row holds by accident and no guard goes
//! unseen. `README.md` here shows the rows as a table, and is held to them.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::iter_kv_map,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "test code: a failure is a panic"
)]

#[path = "../../core/tests/common/mod.rs"]
mod common;
mod council;
mod entries;
mod erase;
mod forks;
mod gate;
mod joining;
mod keys;
mod people;
mod room;
mod street;
mod table;
mod web;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use kiez_core::planted::{Guard, inherit, without};

/// What the attacker got that they must not get.
#[derive(Debug)]
struct Breach(String);

/// The attack came to nothing, or not.
type Outcome = Result<(), Breach>;

/// It must be so, else the attacker has reached this.
fn held(holds: bool, reached: impl Into<String>) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Breach(reached.into()))
    }
}

/// Who stands in the way.
#[derive(Debug, Clone, Copy)]
enum Stop {
    /// This guard.
    By(Guard),
    /// Nothing that could be left out: there is no code that would do it. The words say why.
    Made(&'static str),
}

/// One row of the catalogue.
#[derive(Debug)]
struct Attack {
    what: &'static str,
    who: &'static str,
    holds: &'static str,
    stop: Stop,
    run: fn() -> Outcome,
}

/// The rows of a theme: who, what, what must hold, who stops it, the test.
macro_rules! attacks {
    ($($who:literal, $what:literal, $holds:literal, $stop:expr, $run:path;)+) => {
        pub(crate) const ATTACKS: &[crate::Attack] = &[$(crate::Attack {
            what: $what, who: $who, holds: $holds, stop: $stop, run: $run,
        }),+];
    };
}
pub(crate) use attacks;

/// The themes, as the table has them.
const THEMES: &[(&str, &str, &[Attack])] = &[
    ("entries", "Entries, documents and journals", entries::ATTACKS),
    ("gate", "Changes", gate::ATTACKS),
    ("joining", "Coming in", joining::ATTACKS),
    ("council", "Council, roles and removal", council::ATTACKS),
    ("erase", "Erasing", erase::ATTACKS),
    ("keys", "Keys", keys::ATTACKS),
    ("forks", "Forks and laundering", forks::ATTACKS),
    ("room", "What fills a disk", room::ATTACKS),
    ("wire", "On the network", wire::ATTACKS),
    ("web", "The local web server", web::ATTACKS),
];

fn theme(name: &str) -> &'static [Attack] {
    THEMES.iter().find(|(theme, ..)| *theme == name).unwrap().2
}

/// Two rows at a time, whoever runs them: hundreds of connections are made within a minute only where not everybody is at it.
static TURNS: [Mutex<()>; 2] = [const { Mutex::new(()) }; 2];

impl Attack {
    /// Does it only wait until a time is over?
    const fn waits(&self) -> bool {
        matches!(self.stop, Stop::By(Guard::Greeting | Guard::Naming))
    }
}

/// Runs rows, each with its guard off (or all on), each on a thread of its own: a switch is its thread's. None where one broke
/// down instead of saying how it went.
fn tried(
    attacks: &'static [Attack],
    off: impl Fn(&Attack) -> Option<Option<Guard>>,
) -> Vec<(&'static Attack, Option<Outcome>)> {
    let started: Vec<_> = attacks
        .iter()
        .enumerate()
        .filter_map(|(number, attack)| {
            let off = off(attack)?;
            let run = move || {
                let turn = &TURNS[number % TURNS.len()];
                let _turn = (!attack.waits()).then(|| turn.lock().unwrap_or_else(PoisonError::into_inner));
                match off {
                    Some(guard) => without(guard, attack.run),
                    None => (attack.run)(),
                }
            };
            Some((attack, std::thread::spawn(run)))
        })
        .collect();
    let ended = started
        .into_iter()
        .map(|(attack, running)| (attack, running.join().ok()));
    ended.collect()
}

fn all_hold(attacks: &'static [Attack]) {
    let mut wrong = Vec::new();
    for (attack, outcome) in tried(attacks, |_| Some(None)) {
        match outcome {
            Some(Ok(())) => {}
            Some(Err(Breach(reached))) => wrong.push(format!("{}: {reached}", attack.what)),
            None => wrong.push(format!("{}: the test broke down", attack.what)),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} attacks succeed:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn each_needs_its_guard(attacks: &'static [Attack]) {
    let mut wrong = Vec::new();
    let off = |attack: &Attack| match attack.stop {
        Stop::By(guard) => Some(Some(guard)),
        Stop::Made(_) => None,
    };
    for (attack, outcome) in tried(attacks, off) {
        let (what, stop) = (attack.what, attack.stop);
        match outcome {
            Some(Err(Breach(_))) => {}
            Some(Ok(())) => wrong.push(format!("{what}: comes to nothing also without {stop:?}")),
            None => wrong.push(format!("{what}: broke down without {stop:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} guards:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! themes {
    ($($name:ident)+) => {
        mod every_attack_comes_to_nothing {
            $(#[test] fn $name() { crate::all_hold(crate::theme(stringify!($name))); })+
        }
        mod without_its_guard_every_attack_succeeds {
            $(#[test] fn $name() { crate::each_needs_its_guard(crate::theme(stringify!($name))); })+
        }
    };
}
themes! { entries gate joining council erase keys forks room wire web }

#[test]
fn no_guard_is_left_out() {
    let rows = THEMES.iter().flat_map(|(_, _, attacks)| attacks.iter());
    let named: BTreeSet<Guard> = rows
        .filter_map(|attack| match attack.stop {
            Stop::By(guard) => Some(guard),
            Stop::Made(_) => None,
        })
        .collect();
    let all: BTreeSet<Guard> = Guard::ALL.iter().copied().collect();
    assert_eq!(named, all);
}

/// A switch that reached other threads, or stayed, would make the rows say nothing.
#[test]
fn a_guard_is_off_where_it_is_switched_off_and_nowhere_else() {
    use kiez_core::planted::is_off;
    let off = || is_off(Guard::Signature);
    let (here, there, below) = without(Guard::Signature, || {
        let elsewhere = std::thread::spawn(off).join().unwrap();
        let inherit = inherit();
        let inherited = std::thread::spawn(move || {
            inherit();
            off()
        });
        (off(), elsewhere, inherited.join().unwrap())
    });
    assert_eq!((here, there, below, off()), (true, false, true, false));
}

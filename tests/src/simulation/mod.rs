//! A whole neighbourhood in one thread, from one number: devices on a network that breaks, disks that fail, clocks that
//! are wrong, people who do everything the commands allow. In the end all devices must be equal and nothing be missing.
//!
//! All randomness, time and scheduling come from the seed, so a seed that fails can be run again:
//! `cargo run --release -p kiez-tests --bin simulate -- --seed N --trace`.
//!
//! [`world`](self) holds the devices and decides what happens next; `network` connects them, `act` is what people do,
//! `page` what their windows do, `people` how they come in, `council` how they govern the group, `erase` what they have erased, `restore` how disks are lost, `carry` how files and other carriers bring entries, `outlaw`
//! and `scheme` who breaks the rules, `counted` what counts of those who have gone, `model` what was done, and `rest` makes everybody meet and compares; `rebuilt` begins anew from what is kept.
//!
//! At the end of each seed, once everybody can meet everybody (`rest`, `check`):
//! - **Nobody diverges.** All who are in the group hold the same entries and come to the same: what counts, documents, who is in it,
//!   its rules, the key to seal under, polls, numbers, versions. So do a restart, judging all raw entries anew, and a fresh device.
//! - **No accepted action is lost.** Whatever a device said was done counts, and is shown. Not what was on one disk only that was
//!   lost, or was sealed under a key that has gone with all who had it; nor what lies beyond the end of its author's place, and nobody
//!   built on: reckoned from the raw entries, and only of persons whose place somebody tried to end, or of whom those let them in.
//! - **Nobody is wedged.** Within some rounds all sessions say that both sides have the same, nothing waits, nothing that counts is
//!   unread, whoever lost their journal has another; then everybody who is in the group writes once more, and everybody reads it.
//! - **What is erased is gone**, the same everywhere, also on branches kept aside; what was left is there, who wrote too late is
//!   told, and everybody still takes in a whole copy from everybody.
//! - **Nobody gets what is not theirs.** No forbidden entry counts, no motion of the powerless is carried, and whoever is out does not
//!   have the key under which the others seal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "test code: a panic fails the run, and its message says where"
)]

mod act;
mod carry;
mod check;
mod council;
mod counted;
mod dice;
mod disk;
mod erase;
mod model;
mod network;
mod node;
mod outlaw;
mod page;
mod people;
mod rebuilt;
mod rest;
mod restore;
mod runner;
mod scheme;
mod state;
mod trace;
mod world;

pub use runner::{Failure, Options, Report, Totals, run, run_seeds};

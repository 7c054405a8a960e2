//! A whole neighbourhood in one thread, from one number: devices on a network that breaks, disks that fail, clocks that
//! are wrong, people who do everything the commands allow. In the end all devices must be equal and nothing be missing.
//!
//! All randomness, time and scheduling come from the seed, so a seed that fails can be run again:
//! `cargo run --release -p kiez-tests --bin simulate -- --seed N --trace`.
//!
//! [`world`](self) holds the devices and decides what happens next; `network` connects them, `act` is what people do,
//! `page` what their windows do, `people` how they come in, `council` how they govern the group, `restore` how disks are lost, `carry` how files and other carriers bring entries, `outlaw`
//! and `scheme` who breaks the rules, `counted` what counts of those who have gone, `model` what was done, and `rest` makes everybody meet and compares.

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
mod model;
mod network;
mod node;
mod outlaw;
mod page;
mod people;
mod rest;
mod restore;
mod runner;
mod scheme;
mod state;
mod trace;
mod world;

pub use runner::{Failure, Options, Report, Totals, run, run_seeds};

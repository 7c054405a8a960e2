//! One group as one device holds it. No I/O, no clock, no randomness of its own.
//!
//! From the bytes up: [`entry`] and [`keys`] are what is signed and sealed, [`control`] and [`content`] what is inside,
//! [`gate`] and [`document`] what becomes of changes. [`hold`] is the [`hold::Replica`] itself, over a
//! [`storage::Storage`]: `receive` takes in what others bring, [`allowance`] and `room` how much of it, `begin` which journals, [`judge`] judges it, `author` writes what this device says, `missing` finds what
//! others lack, [`rekey`] makes and gives keys, `beyond` keeps what somebody wrote after their end, and `actions` are what
//! people do. [`session`] syncs two replicas over [`wire`] frames, [`join`] lets somebody in, [`own_device`] a further
//! device of the same person, [`bundle`] carries a group in a file.

pub mod actions;
pub mod allowance;
pub mod author;
mod begin;
mod beyond;
pub mod bundle;
pub mod codec;
pub mod content;
pub mod control;
pub mod document;
pub mod entry;
mod erase;
pub mod erase_view;
pub mod fork;
pub mod frontier;
pub mod gate;
pub mod hold;
pub mod join;
pub mod judge;
pub mod keys;
mod letters;
pub mod limits;
pub mod memory;
pub mod missing;
pub mod own_device;
mod own_journal;
pub mod receive;
mod reckoning;
pub mod rekey;
mod reopen;
pub mod room;
pub mod sealed;
pub mod session;
pub mod storage;
mod unproven;
pub mod wire;

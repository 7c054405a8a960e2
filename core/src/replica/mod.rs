//! One group as one device holds it. No I/O, no clock, no randomness of its own.

pub mod codec;
pub mod control;
pub mod document;
pub mod entry;
pub mod gate;
pub mod keys;
pub mod limits;

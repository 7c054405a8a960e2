//! What the words mean and the rules: no Automerge, no runtime, no clock, no randomness, no I/O.

pub mod id;

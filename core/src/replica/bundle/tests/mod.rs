//! Tests of the bundle: [`world`] makes entries, [`whole`] what must come back, [`hostile`] what must be refused.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod format;
mod hostile;
mod whole;
mod world;

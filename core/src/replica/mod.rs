//! One group as one device holds it: entries, journals, documents, sync. No I/O, no clock, no randomness of its own.

pub mod gate;

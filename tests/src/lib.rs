//! What crosses crates: simulation, end to end, benchmarks, fixtures.

pub mod lossy_disk;
pub mod namespaces;
pub mod year;

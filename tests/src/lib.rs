//! What crosses crates: simulation, end to end, benchmarks, fixtures.

pub mod browser;
pub mod decoders;
pub mod display;
pub mod fixtures;
pub mod laptop;
pub mod lossy_disk;
pub mod namespaces;
pub mod neighbours;
pub mod second_reader;
pub mod simulation;
pub mod story;
pub mod year;

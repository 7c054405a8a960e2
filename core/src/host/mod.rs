//! Effects: keystore, store, network, node. The only floor that reads a clock or draws randomness.

pub mod clock;
pub mod discovery;
pub mod keystore;
pub mod net;
pub mod node;
pub mod random;
pub mod spoken;
pub mod store;

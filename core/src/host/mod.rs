//! Effects: keystore, store, network, node.

pub mod keystore;

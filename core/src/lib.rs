//! The engine of Kiez. Floors, each built only on the ones before it:
//!
//! - [`domain`]: what the words mean and the rules. Pure.
//! - [`replica`]: signed entries, journals, the change gate, documents, sync as a state machine, bundles. Pure.
//! - `host`: the effects, behind the feature `host`: keystore, store, network, and the node as the one facade.
//!
//! Time and randomness are arguments below `host`.

pub mod domain;
#[cfg(feature = "host")]
pub mod host;
pub mod planted;
pub mod replica;

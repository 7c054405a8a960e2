//! Keystore.

//! The change gate.

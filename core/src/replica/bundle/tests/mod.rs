//! Tests of the bundle: [`world`] makes entries, [`whole`] what must come back, [`hostile`] what must be refused.

mod format;
mod hostile;
mod whole;
mod world;

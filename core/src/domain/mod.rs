//! What the words mean and the rules: no Automerge, no runtime, no clock, no randomness, no I/O.
//!
//! Read in this order: [`id`] names things, [`control`] says what may be done about membership, [`roster`] judges it,
//! [`admission`] says who may write where, then what the group works on: [`proposal`] and its number, [`plate`], [`comment`],
//! [`task`], [`poll`] and how a poll is counted, [`tally`].

pub mod admission;
pub mod charter;
pub mod comment;
pub mod control;
pub mod cost;
pub mod deed;
pub mod document;
pub mod erasure;
pub mod id;
pub mod pabulib;
pub mod place;
pub mod plate;
pub mod poll;
pub mod proposal;
pub mod roster;
pub mod splice;
pub mod stage;
pub mod tally;
pub mod task;
pub mod version;

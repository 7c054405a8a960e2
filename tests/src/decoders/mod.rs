//! Everything that reads foreign bytes, each as a function from bytes to nothing: what must not happen is a panic.
//!
//! Two use it: the fuzzer of `tests/fuzz`, which compiles these files by themselves, so they name nothing of this package
//! but each other; and `tests/decoders.rs`, which replays what lies in `tests/fixtures/fuzz/`, once and on any toolchain.
//!
//! A target reads as a decoder's caller does, and checks what must hold of what was read. Where a seal, a checksum or a
//! signature stands before a decoder, the target makes it around the bytes, with keys of its own.

#![allow(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "what fails here is what the fuzzer looks for"
)]

mod bundle;
mod change;
mod control;
mod document;
mod gated;
mod input;
mod member;
mod seal;
mod text;
mod wire;
mod world;

pub use self::member::honest;
pub use self::seal::plain_of;
pub use self::world::{Base, GROUP_KEY, Held, held, journal_of_place};

/// A decoder, and how it is reached.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name; its fixtures lie in a folder of that name.
    pub name: &'static str,
    /// Reads the bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("frame", wire::frame),
    target("entry", wire::entry),
    target("kept-entry", wire::kept_entry),
    target("content", wire::content),
    target("control", control::run),
    target("member", member::run),
    target("invitation", text::invitation),
    target("bundle-file", bundle::file),
    target("bundle", bundle::plain),
    target("bundle-written", bundle::written),
    target("change", change::sealed),
    target("change-columns", change::columns),
    target("document-group", document::group),
    target("document-own", document::own),
    target("document-vote", document::vote),
    target("document-proposal", document::proposal),
    target("document-board", document::board),
    target("pabulib", text::pabulib),
    target("words", text::words),
];

/// The target of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

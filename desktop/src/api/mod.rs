//! One API for every page: the window and the local web server both answer with it.
//!
//! `ask` reads, `act` changes something, `copies` carries a group in a file, `own` is about the person and their computers.
//! `council` is how the group governs itself, `charter` its rules. `house` holds the profile, open or not (`idle` when it
//! locks by itself), and `example` one to look around in. `view` is what is answered, `names` writes it down. The page's own types are made
//! from these (ts-rs).

pub(crate) mod act;
pub(crate) mod ask;
mod charter;
pub(crate) mod copies;
mod council;
mod erase;
mod example;
pub(crate) mod house;
mod idle;
mod names;
pub(crate) mod own;
mod typed;
#[cfg(test)]
mod types;
pub(crate) mod view;

use serde::Serialize;

use crate::failure::Failure;

/// Why a page's question was not answered: a code that the page has words for, never a text to match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
#[ts(rename = "ApiError")]
pub(crate) struct Fault {
    pub(crate) code: String,
}

impl<E: Into<Failure>> From<E> for Fault {
    fn from(error: E) -> Self {
        let failure: Failure = error.into();
        tracing::debug!("a page is told {}: {}", failure.code, failure.message);
        Self { code: failure.code }
    }
}

impl Fault {
    pub(crate) fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
        }
    }
}

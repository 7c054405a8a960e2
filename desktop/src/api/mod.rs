//! One API for every page: the local web server answers it, and the window will. `ask` reads, `act` changes something, `view`
//! is what is answered. `house` holds the profile, open or not.

pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod house;
pub(crate) mod view;

use serde::Serialize;

use crate::failure::Failure;

/// Why a page's question was not answered: a code that the page has words for, never a text to match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
#[ts(export)]
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

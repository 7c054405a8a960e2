//! What people do in a group, each as one function on the replica: what the node's commands and the simulation call.

mod council;
mod decide;
mod edit;
mod history;
mod number;
mod people;
mod versions;
mod work;

pub use decide::{PollOutcome, PollView};
pub use edit::TextNow;
pub use versions::Version;

use crate::domain::poll::{BallotError, PollError};
use crate::domain::splice::SpliceError;

use super::author::AuthorError;
use super::document::{DocumentError, WriteError};
use super::hold::ReplicaError;

/// Why an action was not done. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// It could not be written.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// There is no such thing here.
    #[error("there is no {what} {id} here: look at the list, or sync first")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The poll cannot be opened like that.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// The answer is none.
    #[error(transparent)]
    Ballot(#[from] BallotError),
    /// What was typed cannot be put into the text.
    #[error(transparent)]
    Splice(#[from] SpliceError),
    /// A text is too long.
    #[error("that is too long: at most {most} bytes")]
    TooLong {
        /// How long it may be.
        most: usize,
    },
    /// What is left by an erasure does not fit into one entry.
    #[error(
        "too much would be left to be written down again at once ({0}): nothing was erased; take more out of it first, or erase everything"
    )]
    TooMuchLeft(String),
    /// More was written there than one act can name.
    #[error(
        "this was written in more than {most} pieces, too many to be erased by one act: nothing was erased; what is to stay can be written down anew elsewhere, and the council can hide this"
    )]
    TooManyToErase {
        /// How many pieces one act erases.
        most: usize,
    },
    /// It is closed.
    #[error("this vote is closed: its result is final")]
    PollClosed,
    /// They came after it was opened, or may not vote.
    #[error("you cannot vote here: you were not among the people who could vote when it was opened")]
    NotAnElector,
    /// Somebody else counts it.
    #[error("only who counts this vote can close it: {}", counters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NotACounter {
        /// Who does.
        counters: Vec<crate::domain::id::PersonId>,
    },
}

impl From<ReplicaError> for ActionError {
    fn from(error: ReplicaError) -> Self {
        Self::Author(error.into())
    }
}

impl From<DocumentError> for ActionError {
    fn from(error: DocumentError) -> Self {
        Self::Author(ReplicaError::from(error).into())
    }
}

impl From<WriteError> for ActionError {
    fn from(error: WriteError) -> Self {
        Self::Author(error.into())
    }
}

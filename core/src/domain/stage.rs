//! How far an idea is, in one word.

use serde::Serialize;

use super::poll::PollState;
use super::task::TaskState;

/// How far an idea is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is talked about.
    #[default]
    Idea,
    /// A vote about it is open, or disputed.
    Vote,
    /// A vote about it is closed, and nobody has taken anything on yet.
    Decided,
    /// There is something to do.
    Doing,
    /// All that was to be done is done.
    Done,
}

impl Stage {
    /// From the votes about an idea and the tasks on its board. An open vote comes first: it is what needs people now.
    #[must_use]
    pub fn of(
        polls: impl IntoIterator<Item = PollState>,
        tasks: impl IntoIterator<Item = TaskState>,
    ) -> Self {
        let mut stage = Self::Idea;
        for state in polls {
            match state {
                PollState::Open | PollState::Disputed => return Self::Vote,
                PollState::Waiting | PollState::Closed => stage = Self::Decided,
            }
        }
        match tasks.into_iter().min() {
            None => stage,
            Some(TaskState::Open | TaskState::Doing) => Self::Doing,
            Some(TaskState::Done) => Self::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_vote_comes_first_then_what_is_to_do_then_what_was_decided() {
        use PollState::{Closed, Disputed, Waiting};
        use TaskState::{Doing, Done, Open};
        let all: [(&[PollState], &[TaskState], Stage); 11] = [
            (&[], &[], Stage::Idea),
            (&[PollState::Open], &[], Stage::Vote),
            (&[Closed, PollState::Open], &[Done], Stage::Vote),
            (&[Closed, Disputed], &[], Stage::Vote),
            (&[Closed], &[], Stage::Decided),
            (&[Waiting], &[], Stage::Decided),
            (&[Closed], &[Done, Open], Stage::Doing),
            (&[Closed], &[Done, Done], Stage::Done),
            (&[], &[Open], Stage::Doing),
            (&[], &[Done, Doing], Stage::Doing),
            (&[], &[Done], Stage::Done),
        ];
        for (polls, tasks, stage) in all {
            assert_eq!(Stage::of(polls.iter().copied(), tasks.iter().copied()), stage);
        }
    }
}

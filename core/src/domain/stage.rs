//! How far an idea is, in one word.

use serde::Serialize;

use super::poll::Closing;
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
    pub fn of<'a>(
        polls: impl IntoIterator<Item = &'a Closing>,
        tasks: impl IntoIterator<Item = TaskState>,
    ) -> Self {
        let mut stage = Self::Idea;
        for closing in polls {
            match closing {
                Closing::Open | Closing::Disputed => return Self::Vote,
                Closing::Closed(_) => stage = Self::Decided,
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::id::{PollId, Timestamp};
    use crate::domain::poll::Close;

    #[test]
    fn an_open_vote_comes_first_then_what_is_to_do_then_what_was_decided() {
        use TaskState::{Doing, Done, Open};
        let closed = Closing::Closed(Close {
            poll: PollId([1; 32]),
            cut: BTreeMap::new(),
            roster: vec![],
            at: Timestamp(0),
        });
        let all: [(&[&Closing], &[TaskState], Stage); 10] = [
            (&[], &[], Stage::Idea),
            (&[&Closing::Open], &[], Stage::Vote),
            (&[&closed, &Closing::Open], &[Done], Stage::Vote),
            (&[&closed, &Closing::Disputed], &[], Stage::Vote),
            (&[&closed], &[], Stage::Decided),
            (&[&closed], &[Done, Open], Stage::Doing),
            (&[&closed], &[Done, Done], Stage::Done),
            (&[], &[Open], Stage::Doing),
            (&[], &[Done, Doing], Stage::Doing),
            (&[], &[Done], Stage::Done),
        ];
        for (polls, tasks, stage) in all {
            let tasks = tasks.iter().copied();
            assert_eq!(Stage::of(polls.iter().copied(), tasks), stage);
        }
    }
}

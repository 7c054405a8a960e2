//! Who did what and when, for people to read. The time is the doer's word.

use std::collections::BTreeMap;

use serde::Serialize;

use super::id::{CommentId, PersonId, PollId, ProposalId, TaskId, Timestamp};

/// Within this time of each other, changes of one person to one text are one thing that they did.
const RUN_MILLISECONDS: u64 = 60 * 60 * 1000;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Somebody said their name in the group for the first time.
    Joined,
    /// An idea was written down.
    Written,
    /// An idea's title was changed.
    Title,
    /// An idea's text was changed.
    Text,
    /// What an idea would cost was said, or taken away.
    Cost,
    /// Where an idea is was said, or taken away.
    Place,
    /// Somebody commented.
    Comment(CommentId),
    /// A poll was opened.
    VoteOpened(PollId),
    /// A poll was closed.
    VoteClosed(PollId),
    /// A task was put on a board.
    Task(TaskId),
    /// A task was done.
    TaskDone(TaskId),
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What.
    pub deed: Deed,
    /// By whom; none where it was somebody whose membership does not count any more.
    pub by: Option<PersonId>,
    /// When, by their clock.
    pub at: Timestamp,
    /// The idea it belongs to.
    pub idea: Option<ProposalId>,
    /// What it says: the title, the comment, the question, the name, the cost or place; nothing for a text.
    pub text: String,
}

/// Puts them in order, newest first, each run of changes of one person to one text as one: the newest of it. A poll that
/// several counters closed was closed once, by the last.
#[must_use]
pub fn newest_first(mut all: Vec<Done>) -> Vec<Done> {
    all.sort_by(|a, b| {
        let order = |done: &Done| (done.at, done.deed, done.idea, done.by);
        order(b).cmp(&order(a))
    });
    // The oldest change of the run that is being gone through, by text and person.
    let mut runs: BTreeMap<(Deed, Option<ProposalId>, Option<PersonId>), Timestamp> = BTreeMap::new();
    all.retain(|done| match done.deed {
        Deed::Title | Deed::Text => {
            let run = runs.insert((done.deed, done.idea, done.by), done.at);
            run.is_none_or(|newer| newer.0.saturating_sub(done.at.0) > RUN_MILLISECONDS)
        }
        Deed::VoteClosed(_) => runs.insert((done.deed, None, None), done.at).is_none(),
        Deed::Joined
        | Deed::Written
        | Deed::Cost
        | Deed::Place
        | Deed::Comment(_)
        | Deed::VoteOpened(_)
        | Deed::Task(_)
        | Deed::TaskDone(_) => true,
    });
    all
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the numbers of tests are small")]
mod tests {
    use super::*;

    const MINUTE: u64 = 60 * 1000;

    fn done(deed: Deed, by: u8, minute: u64) -> Done {
        Done {
            deed,
            by: Some(PersonId([by; 32])),
            at: Timestamp(minute * MINUTE),
            idea: Some(ProposalId([1; 16])),
            text: String::new(),
        }
    }

    #[test]
    fn a_run_of_one_person_on_one_text_is_one_deed_the_newest() {
        let all = vec![
            done(Deed::Written, 1, 0),
            done(Deed::Text, 1, 1),
            done(Deed::Text, 1, 50),
            done(Deed::Text, 2, 60),
            done(Deed::Title, 1, 70),
            done(Deed::Text, 1, 100),
            done(Deed::Text, 1, 161),
        ];
        let seen: Vec<_> = newest_first(all)
            .into_iter()
            .map(|done| (done.deed, done.by.unwrap().0[0], done.at.0 / MINUTE))
            .collect();
        assert_eq!(
            seen,
            [
                (Deed::Text, 1, 161),
                (Deed::Text, 1, 100),
                (Deed::Title, 1, 70),
                (Deed::Text, 2, 60),
                (Deed::Written, 1, 0)
            ]
        );
    }

    #[test]
    fn a_poll_is_closed_once_and_every_task_is_its_own() {
        let poll = PollId([1; 32]);
        let all = vec![
            done(Deed::VoteClosed(poll), 1, 1),
            done(Deed::VoteClosed(poll), 2, 2),
            done(Deed::TaskDone(TaskId([1; 16])), 1, 3),
            done(Deed::TaskDone(TaskId([1; 16])), 1, 4),
        ];
        let seen = newest_first(all);
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[2], done(Deed::VoteClosed(poll), 2, 2));
    }
}

//! Counting: a pure function of a poll's record and the ballots at its cut.
//!
//! Yes and no: adopted where more say yes than no; abstentions count towards the quorum only; a tie has no winner.
//! Approval (Brams and Fishburn, 1978): the option that most approve of wins; a tie stays a tie, all of them are named.

use std::collections::BTreeMap;

use serde::Serialize;

use super::id::PersonId;
use super::poll::{Ballot, Method, PollRecord};

/// How many said what, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many could vote.
    pub eligible: u64,
    /// How many did.
    pub cast: u64,
    /// Per option, in the poll's order.
    pub counts: Vec<u64>,
    /// The numbers of the winning options. None: a tie of yes and no, nobody voted, or the quorum was missed.
    pub winners: Vec<u16>,
    /// Whether enough took part.
    pub quorum_reached: bool,
}

/// Counts. Ballots that do not fit the poll are not counted as cast.
#[must_use]
pub fn tally(poll: &PollRecord, eligible: u64, ballots: &BTreeMap<PersonId, Ballot>) -> Tally {
    let mut counts = vec![0_u64; poll.options.len()];
    let mut cast = 0_u64;
    for ballot in ballots.values().filter(|ballot| ballot.fits(poll)) {
        cast = cast.saturating_add(1);
        for choice in &ballot.choices {
            if let Some(count) = counts.get_mut(usize::from(*choice)) {
                *count = count.saturating_add(1);
            }
        }
    }
    let quorum_reached = poll.quorum.is_reached_by(cast, eligible);
    let winners = if quorum_reached {
        winners(poll.method, &counts)
    } else {
        Vec::new()
    };
    Tally {
        eligible,
        cast,
        counts,
        winners,
        quorum_reached,
    }
}

fn winners(method: Method, counts: &[u64]) -> Vec<u16> {
    let candidates = match method {
        Method::YesNo => counts.get(..2).unwrap_or(counts),
        Method::Approval => counts,
    };
    let most = candidates.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return Vec::new();
    }
    let tied: Vec<u16> = (0_u16..)
        .zip(candidates)
        .filter(|(_, count)| **count == most)
        .map(|(n, _)| n)
        .collect();
    if method == Method::YesNo && tied.len() > 1 {
        Vec::new()
    } else {
        tied
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Timestamp;
    use crate::domain::poll::tests::record;
    use crate::domain::poll::{Share, YES_NO_OPTIONS};

    fn ballots(choices: &[&[u16]]) -> BTreeMap<PersonId, Ballot> {
        let ballot = |choices: &[u16]| Ballot {
            choices: choices.to_vec(),
            at: Timestamp(0),
        };
        (1_u8..)
            .zip(choices)
            .map(|(n, choices)| (PersonId([n; 32]), ballot(choices)))
            .collect()
    }

    #[test]
    fn yes_and_no() {
        let poll = record(Method::YesNo, &YES_NO_OPTIONS);
        let rows: [(&[&[u16]], &[u16]); 5] = [
            (&[&[0], &[0], &[1], &[2], &[2], &[2]], &[0]),
            (&[&[0], &[1], &[1]], &[1]),
            (&[&[0], &[1], &[2]], &[]),
            (&[&[2], &[2]], &[]),
            (&[], &[]),
        ];
        for (cast, expected) in rows {
            let tally = tally(&poll, 10, &ballots(cast));
            assert_eq!(tally.winners, expected, "{cast:?}");
            assert_eq!(tally.cast, cast.len() as u64);
        }
    }

    #[test]
    fn approval_names_every_option_of_a_tie() {
        let poll = record(Method::Approval, &["a", "b", "c"]);
        let tally = tally(&poll, 5, &ballots(&[&[0, 1], &[1, 2], &[2], &[], &[1, 0, 7]]));
        assert_eq!(tally.counts, [1, 2, 2]);
        assert_eq!((tally.cast, tally.winners), (4, vec![1, 2]));
    }

    #[test]
    fn without_the_quorum_nobody_wins() {
        let mut poll = record(Method::YesNo, &YES_NO_OPTIONS);
        poll.quorum = Share {
            numerator: 1,
            denominator: 2,
        };
        assert_eq!(tally(&poll, 4, &ballots(&[&[0], &[2]])).winners, [0]);
        let missed = tally(&poll, 5, &ballots(&[&[0], &[2]]));
        assert!(missed.winners.is_empty() && !missed.quorum_reached);
    }
}

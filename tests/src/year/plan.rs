//! What people do in the year, and when: made from the seed before anybody does anything.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use super::{FIRST_PEOPLE, QUIET};

pub(super) const PEOPLE: usize = 200;
pub(super) const IDEAS: usize = 300;
pub(super) const TASKS: usize = 2_000;

/// How many times the blocks sync in the year: every week.
pub(super) const ROUNDS: usize = 52;

/// In which rounds the same person is online: every other week, and does then what they meant to.
pub(super) const PERSON_ROUNDS: usize = 2;

const EDITS: usize = 21;
const COMMENTS: usize = 20;
const BALLOTS: usize = 60;
const MOVES: usize = 2;

/// Ideas that have a board of their own; what is to be done for others stands on the general board.
const BOARDS: usize = 40;

/// Something to be done. Ideas and tasks have numbers until they have ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Propose(usize),
    Edit(usize),
    Comment(usize),
    OpenPoll(usize),
    Ballot(usize),
    /// The task, and the idea on whose board it is put.
    Task(usize, usize),
    /// The task, and whether it is done then.
    Move(usize, bool),
}

/// An act, who is to do it, and in which round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scheduled {
    pub(super) round: usize,
    pub(super) person: usize,
    pub(super) act: Act,
}

/// Everything that is still to be done.
pub(super) struct Plan {
    rounds: BTreeMap<usize, Vec<Scheduled>>,
    actions: usize,
}

/// The round in which somebody comes in who was not there from the beginning.
pub(super) const fn joins_in(person: usize) -> usize {
    if person < FIRST_PEOPLE {
        0
    } else {
        (person - FIRST_PEOPLE) * ROUNDS * 9 / 10 / (PEOPLE - FIRST_PEOPLE)
    }
}

impl Plan {
    pub(super) fn new(rng: &mut ChaCha20Rng) -> Self {
        let mut plan = Self {
            rounds: BTreeMap::new(),
            actions: 0,
        };
        let mut begins = Vec::new();
        for idea in 0..IDEAS {
            begins.push(plan.idea(idea, rng));
        }
        for task in 0..TASKS {
            let begin = rng.random_range(0..ROUNDS - 15);
            let idea = task % BOARDS;
            let known = begins[idea] + PERSON_ROUNDS < begin;
            plan.add(
                begin,
                somebody(begin, rng),
                Act::Task(task, if known { idea } else { IDEAS }),
            );
            for time in 0..MOVES {
                // Done, then open again, each some weeks after the one before.
                let when = begin + PERSON_ROUNDS + 1 + time * (PERSON_ROUNDS + 1) + rng.random_range(0..8);
                plan.add(when, somebody(when, rng), Act::Move(task, time % 2 == 0));
            }
        }
        plan
    }

    /// Everything about one idea; gives the round in which it is written down.
    fn idea(&mut self, idea: usize, rng: &mut ChaCha20Rng) -> usize {
        let begin = rng.random_range(0..ROUNDS * 7 / 10);
        let author = somebody(begin, rng);
        self.add(begin, author, Act::Propose(idea));
        // Two months of talking, then voting.
        let talk = begin + PERSON_ROUNDS + 1;
        for _ in 0..EDITS {
            let when = talk + rng.random_range(0..8);
            let person = if rng.random_range(0..3) == 0 {
                somebody(when, rng)
            } else {
                author
            };
            self.add(when, person, Act::Edit(idea));
        }
        for _ in 0..COMMENTS {
            let when = talk + rng.random_range(0..8);
            self.add(when, somebody(when, rng), Act::Comment(idea));
        }
        let poll = talk + 4;
        self.add(poll, author, Act::OpenPoll(idea));
        let mut voters = Vec::new();
        while voters.len() < BALLOTS {
            let voter = somebody(poll, rng);
            if !voters.contains(&voter) {
                voters.push(voter);
                let when = poll + PERSON_ROUNDS + 1 + rng.random_range(0..4);
                self.add(when, voter, Act::Ballot(idea));
            }
        }
        begin
    }

    /// In the first round from this one on in which the person is online.
    fn add(&mut self, round: usize, person: usize, act: Act) {
        let wait = (person + PERSON_ROUNDS - round % PERSON_ROUNDS) % PERSON_ROUNDS;
        let round = round + wait;
        self.rounds
            .entry(round)
            .or_default()
            .push(Scheduled { round, person, act });
        self.actions += 1;
    }

    pub(super) const fn actions(&self) -> usize {
        self.actions
    }

    pub(super) fn has_more(&self, round: usize) -> bool {
        self.rounds.range(round..).next().is_some()
    }

    /// What is to be done in a round, person by person.
    pub(super) fn take(&mut self, round: usize) -> Vec<Scheduled> {
        let mut acts = self.rounds.remove(&round).unwrap_or_default();
        acts.sort_by_key(|scheduled| scheduled.person);
        acts
    }

    /// For what somebody did not know of yet.
    pub(super) fn postpone(&mut self, round: usize, acts: Vec<Scheduled>) {
        for mut scheduled in acts {
            scheduled.round = round + PERSON_ROUNDS;
            self.rounds.entry(scheduled.round).or_default().push(scheduled);
        }
    }
}

/// Somebody who has been in for a while by then, but for the quiet one.
fn somebody(round: usize, rng: &mut ChaCha20Rng) -> usize {
    loop {
        let person = rng.random_range(0..PEOPLE);
        if person != QUIET && joins_in(person) <= round.saturating_sub(1) {
            return person;
        }
    }
}

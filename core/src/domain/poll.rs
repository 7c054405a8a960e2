//! A question with a frozen text, and what people answer. DESIGN section 10: open, cast, close, result.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::{ChangeId, EntryId, EntryNumber, JournalId, PersonId, PollId, ProposalId, Timestamp};

/// How many options a poll can have.
pub const OPTIONS_MAX: usize = 200;

/// How long an option's text can be, in bytes.
pub const OPTION_BYTES_MAX: usize = 1_000;

/// How long a question can be, in bytes.
pub const QUESTION_BYTES_MAX: usize = 4_000;

/// A share of people: an exact fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// So many
    pub numerator: u32,
    /// of so many. Never zero where it is valid.
    pub denominator: u32,
}

impl Share {
    /// No share is asked for.
    pub const NONE: Self = Self {
        numerator: 0,
        denominator: 1,
    };

    /// A fraction between nothing and all.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.denominator > 0 && self.numerator <= self.denominator
    }

    /// Are `part` of `whole` at least this share?
    #[must_use]
    pub fn is_reached_by(self, part: u64, whole: u64) -> bool {
        let part = u128::from(part).saturating_mul(u128::from(self.denominator));
        part >= u128::from(whole).saturating_mul(u128::from(self.numerator))
    }
}

/// How a question is answered and counted. The order is the wire format's; only append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Yes, no, or abstain.
    YesNo,
    /// Any number of the options.
    Approval,
}

/// What is done about a tie. The order is the wire format's; only append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieBreak {
    /// Nothing: a tie is shown as a tie.
    Stands,
}

/// Whether a ballot can be read before the close. The order is the wire format's; only append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Every member's software can read every ballot.
    OpenBallots,
}

/// Everything that opening a poll freezes. The poll's id is the hash of this record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollRecord {
    /// Who opened it: the owner of the vote document it stands in.
    pub opener: PersonId,
    /// The idea it is about.
    pub proposal: ProposalId,
    /// The idea's text as it stood: the heads of its document.
    pub proposal_heads: Vec<ChangeId>,
    /// The question.
    pub question: String,
    /// How it is answered and counted.
    pub method: Method,
    /// What can be answered, in order. For yes and no: `yes`, `no`, `abstain`.
    pub options: Vec<String>,
    /// The electors are the members and stewards of the roster at these control entries.
    pub roster: Vec<EntryId>,
    /// Who counts.
    pub counters: Vec<PersonId>,
    /// How many of them must sign the same cut: more than half.
    pub counters_needed: u16,
    /// How many of the electors must have cast for the result to bind.
    pub quorum: Share,
    /// What is done about a tie.
    pub tie_break: TieBreak,
    /// Whether ballots are open.
    pub scheme: Scheme,
    /// When, by the opener's clock.
    pub at: Timestamp,
}

/// The answers of a yes-no poll.
pub const YES_NO_OPTIONS: [&str; 3] = ["yes", "no", "abstain"];

/// Why a record is not a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PollError {
    /// The question is empty or too long.
    #[error("the question is empty or longer than {QUESTION_BYTES_MAX} bytes")]
    Question,
    /// The options do not fit the method.
    #[error(
        "a yes-no poll has just yes, no and abstain; an approval poll has 2 to {OPTIONS_MAX} different options of at most {OPTION_BYTES_MAX} bytes each: give each with --option"
    )]
    Options,
    /// Counters missing, named twice, or too few asked for.
    #[error("more than half of the counters must sign, and each is named once")]
    Counters,
    /// The quorum is no share.
    #[error("the quorum is not a share of the electors")]
    Quorum,
    /// Roster heads or text heads missing, repeated or out of order.
    #[error("the frozen roster or text is not named properly")]
    Heads,
}

impl PollRecord {
    /// Checks what the record says of itself.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PollError> {
        if self.question.trim().is_empty() || self.question.len() > QUESTION_BYTES_MAX {
            return Err(PollError::Question);
        }
        let distinct: BTreeSet<&String> = self.options.iter().collect();
        let sound = match self.method {
            Method::YesNo => self.options == YES_NO_OPTIONS,
            Method::Approval => {
                (2..=OPTIONS_MAX).contains(&self.options.len())
                    && distinct.len() == self.options.len()
                    && self
                        .options
                        .iter()
                        .all(|o| !o.trim().is_empty() && o.len() <= OPTION_BYTES_MAX)
            }
        };
        if !sound {
            return Err(PollError::Options);
        }
        let counters: BTreeSet<&PersonId> = self.counters.iter().collect();
        let needed = usize::from(self.counters_needed);
        if counters.len() != self.counters.len()
            || needed > counters.len()
            || needed.saturating_mul(2) <= counters.len()
        {
            return Err(PollError::Counters);
        }
        if !self.quorum.is_valid() {
            return Err(PollError::Quorum);
        }
        if self.roster.is_empty()
            || !self.roster.is_sorted_by(|a, b| a < b)
            || !self.proposal_heads.is_sorted_by(|a, b| a < b)
        {
            return Err(PollError::Heads);
        }
        Ok(())
    }
}

/// One person's answer: the numbers of the options, ascending, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// What was chosen. Empty in an approval poll: none of them.
    pub choices: Vec<u16>,
    /// When, by the voter's clock.
    pub at: Timestamp,
}

/// Why answers are not a ballot of a poll.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BallotError {
    /// Not exactly one of yes, no and abstain.
    #[error("answer with exactly one of: yes, no, abstain")]
    OneOfThree,
    /// An option the poll does not have.
    #[error("{answer:?} is not an option of this poll; its options are: {}", options.join(", "))]
    NoSuchOption {
        /// What was given.
        answer: String,
        /// What can be given.
        options: Vec<String>,
    },
}

impl Ballot {
    /// Reads answers as people give them: the option's text (for yes and no in any case) or its number from 1.
    ///
    /// # Errors
    /// Where an answer is no option, or a yes-no poll is not answered with exactly one.
    pub fn parse(poll: &PollRecord, answers: &[String], at: Timestamp) -> Result<Self, BallotError> {
        let mut choices = BTreeSet::new();
        for answer in answers {
            choices.insert(option_number(poll, answer)?);
        }
        let ballot = Self {
            choices: choices.into_iter().collect(),
            at,
        };
        if ballot.fits(poll) {
            Ok(ballot)
        } else {
            Err(BallotError::OneOfThree)
        }
    }

    /// Is it a valid answer to this poll?
    #[must_use]
    pub fn fits(&self, poll: &PollRecord) -> bool {
        let known = self
            .choices
            .iter()
            .all(|choice| usize::from(*choice) < poll.options.len());
        let ascending = self.choices.is_sorted_by(|a, b| a < b);
        known && ascending && (poll.method == Method::Approval || self.choices.len() == 1)
    }
}

fn option_number(poll: &PollRecord, answer: &str) -> Result<u16, BallotError> {
    let wanted = answer.trim();
    let exact = poll.options.iter().position(|option| option == wanted);
    let loose = || {
        poll.options
            .iter()
            .position(|option| option.to_lowercase() == wanted.to_lowercase())
    };
    let by_number = || {
        wanted
            .parse::<usize>()
            .ok()?
            .checked_sub(1)
            .filter(|n| *n < poll.options.len())
    };
    exact
        .or_else(loose)
        .or_else(by_number)
        .and_then(|n| u16::try_from(n).ok())
        .ok_or_else(|| BallotError::NoSuchOption {
            answer: answer.to_owned(),
            options: poll.options.clone(),
        })
}

/// How far journals count: a journal not named counts for nothing.
pub type Cut = BTreeMap<JournalId, (EntryNumber, EntryId)>;

/// A counter's signed word on which ballots count. It is signed by the entry it stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// The poll.
    pub poll: PollId,
    /// How far the electors' journals count.
    pub cut: Cut,
    /// The control entries the counter had applied: admission and journals are judged by them, for ever.
    pub roster: Vec<EntryId>,
    /// When, by the counter's clock.
    pub at: Timestamp,
}

/// How far a poll is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PollState {
    /// Ballots can be cast.
    Open,
    /// Closed by enough counters, but something that the cut names has not arrived here yet.
    Waiting,
    /// Closed; the result is final.
    Closed,
    /// A counter signed two different cuts: both are shown, neither counts.
    Disputed,
}

/// What the counters' closes say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// Not enough of them signed the same cut.
    Open,
    /// Enough of them did: this one.
    Closed(Close),
    /// One of them signed two different ones.
    Disputed,
}

/// Judges the closes of a poll, by counter. What is by nobody who counts this poll is passed over.
#[must_use]
pub fn closing(poll: &PollRecord, closes: &BTreeMap<PersonId, Vec<Close>>) -> Closing {
    let mut signers: BTreeMap<&Cut, (u16, &Close)> = BTreeMap::new();
    for counter in &poll.counters {
        let mut theirs = closes.get(counter).into_iter().flatten();
        let Some(close) = theirs.next() else { continue };
        // The control entries say which journals count, so another list of them is another word, too.
        if theirs.any(|other| (&other.cut, &other.roster) != (&close.cut, &close.roster)) {
            return Closing::Disputed;
        }
        let entry = signers.entry(&close.cut).or_insert((0, close));
        entry.0 = entry.0.saturating_add(1);
        if close.roster < entry.1.roster {
            entry.1 = close;
        }
    }
    let enough = signers
        .into_values()
        .find(|(count, _)| *count >= poll.counters_needed);
    enough.map_or(Closing::Open, |(_, close)| Closing::Closed(close.clone()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn record(method: Method, options: &[&str]) -> PollRecord {
        PollRecord {
            opener: PersonId([1; 32]),
            proposal: ProposalId([2; 16]),
            proposal_heads: vec![],
            question: "Benches?".to_owned(),
            method,
            options: options.iter().map(|o| (*o).to_owned()).collect(),
            roster: vec![EntryId([3; 32])],
            counters: vec![PersonId([1; 32])],
            counters_needed: 1,
            quorum: Share::NONE,
            tie_break: TieBreak::Stands,
            scheme: Scheme::OpenBallots,
            at: Timestamp(0),
        }
    }

    fn close(cut: u8, roster: u8) -> Close {
        let cut = BTreeMap::from([(JournalId([cut; 32]), (EntryNumber(1), EntryId([cut; 32])))]);
        Close {
            poll: PollId([0; 32]),
            cut,
            roster: vec![EntryId([roster; 32])],
            at: Timestamp(0),
        }
    }

    #[test]
    fn a_record_is_checked() {
        let good = record(Method::Approval, &["a", "b"]);
        assert_eq!(good.check(), Ok(()));
        assert_eq!(record(Method::YesNo, &YES_NO_OPTIONS).check(), Ok(()));
        assert_eq!(
            record(Method::YesNo, &["yes", "no"]).check(),
            Err(PollError::Options)
        );
        assert_eq!(
            record(Method::Approval, &["a", "a"]).check(),
            Err(PollError::Options)
        );
        assert_eq!(record(Method::Approval, &["a"]).check(), Err(PollError::Options));
        assert_eq!(
            PollRecord {
                question: " ".to_owned(),
                ..good.clone()
            }
            .check(),
            Err(PollError::Question)
        );
        assert_eq!(
            PollRecord {
                counters_needed: 0,
                ..good.clone()
            }
            .check(),
            Err(PollError::Counters)
        );
        assert_eq!(
            PollRecord {
                counters_needed: 2,
                ..good.clone()
            }
            .check(),
            Err(PollError::Counters)
        );
        let quorum = Share {
            numerator: 2,
            denominator: 1,
        };
        assert_eq!(
            PollRecord {
                quorum,
                ..good.clone()
            }
            .check(),
            Err(PollError::Quorum)
        );
        assert_eq!(
            PollRecord {
                roster: vec![],
                ..good
            }
            .check(),
            Err(PollError::Heads)
        );
    }

    #[test]
    fn answers_are_read_by_text_or_number() {
        let poll = record(Method::Approval, &["Bench", "Tree", "3"]);
        let parse = |answers: &[&str]| {
            let answers: Vec<String> = answers.iter().map(|a| (*a).to_owned()).collect();
            Ballot::parse(&poll, &answers, Timestamp(0)).map(|ballot| ballot.choices)
        };
        assert_eq!(parse(&["tree", "1"]), Ok(vec![0, 1]));
        assert_eq!(parse(&["3"]), Ok(vec![2]));
        assert_eq!(parse(&[]), Ok(vec![]));
        assert!(parse(&["4"]).is_err());
        let poll = record(Method::YesNo, &YES_NO_OPTIONS);
        let parse = |answers: &[&str]| {
            let answers: Vec<String> = answers.iter().map(|a| (*a).to_owned()).collect();
            Ballot::parse(&poll, &answers, Timestamp(0)).map(|ballot| ballot.choices)
        };
        assert_eq!(parse(&["YES"]), Ok(vec![0]));
        assert_eq!(parse(&["yes", "no"]), Err(BallotError::OneOfThree));
        assert_eq!(parse(&[]), Err(BallotError::OneOfThree));
    }

    #[test]
    fn two_cuts_by_one_counter_are_a_dispute_and_half_is_not_enough() {
        let one = PersonId([1; 32]);
        let two = PersonId([2; 32]);
        let mut poll = record(Method::YesNo, &YES_NO_OPTIONS);
        let closes = BTreeMap::from([(one, vec![close(1, 1), close(2, 1)])]);
        assert_eq!(closing(&poll, &closes), Closing::Disputed);
        // The same cut, but judged by another roster: journals that had begun would count no more.
        let closes = BTreeMap::from([(one, vec![close(1, 2), close(1, 1)])]);
        assert_eq!(closing(&poll, &closes), Closing::Disputed);
        let closes = BTreeMap::from([(one, vec![close(1, 1), close(1, 1)]), (two, vec![close(9, 1)])]);
        assert_eq!(closing(&poll, &closes), Closing::Closed(close(1, 1)));
        poll.counters = vec![one, two];
        poll.counters_needed = 2;
        assert_eq!(closing(&poll, &closes), Closing::Open);
        let closes = BTreeMap::from([(one, vec![close(1, 7)]), (two, vec![close(1, 5)])]);
        assert_eq!(closing(&poll, &closes), Closing::Closed(close(1, 5)));
    }
}

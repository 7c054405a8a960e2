//! Something somebody has taken on.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{PersonId, ProposalId, TaskId};

/// A task as it stands on its board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The idea whose board it stands on.
    pub idea: Option<ProposalId>,
    /// One line.
    pub title: String,
    /// What there is to know about it: a text written together.
    pub notes: String,
    /// Who does it.
    pub assignees: BTreeSet<PersonId>,
    /// Until when.
    pub due: Option<Date>,
    /// How far it is.
    pub state: TaskState,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// To be done.
    Open,
    /// Somebody is at it.
    Doing,
    /// Done.
    Done,
}

impl TaskState {
    /// All of them, from the first to the last.
    pub const ALL: [Self; 3] = [Self::Open, Self::Doing, Self::Done];

    /// How far a task is when people wrote different states without knowing of each other: as far as one of them wrote. Who
    /// says "done" has seen it done; who wrote "open" did not know that. Whoever knows of it and opens the task again
    /// is not concurrent, and is followed.
    #[must_use]
    pub fn of_concurrent(states: impl IntoIterator<Item = Self>) -> Option<Self> {
        states.into_iter().max()
    }
}

/// What a new task starts with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskDraft {
    /// One line.
    pub title: String,
    /// Who does it.
    pub assignees: BTreeSet<PersonId>,
    /// Until when.
    pub due: Option<Date>,
}

/// A day of the Gregorian calendar, written `2026-11-22` (RFC 3339, full-date).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day: write it as year-month-day, for example 2026-11-22")]
pub struct DateError;

impl Date {
    /// A day that exists, from year 1 to 9999.
    ///
    /// # Errors
    /// Where the calendar has no such day.
    pub const fn new(year: u16, month: u8, day: u8) -> Result<Self, DateError> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return Err(DateError),
        };
        if year == 0 || year > 9999 || day == 0 || day > days {
            return Err(DateError);
        }
        Ok(Self { year, month, day })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else {
            return Err(DateError);
        };
        let digits =
            |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
            return Err(DateError);
        }
        Self::new(
            year.parse().map_err(|_| DateError)?,
            month.parse().map_err(|_| DateError)?,
            day.parse().map_err(|_| DateError)?,
        )
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_further_wins_where_neither_knew_of_the_other() {
        use TaskState::{Doing, Done, Open};
        assert_eq!(TaskState::of_concurrent([Open, Doing]), Some(Doing));
        assert_eq!(TaskState::of_concurrent([Done, Doing]), Some(Done));
        assert_eq!(TaskState::of_concurrent([Open, Done]), Some(Done));
        assert_eq!(TaskState::of_concurrent([Done, Open, Open]), Some(Done));
        assert_eq!(TaskState::of_concurrent([Open, Open]), Some(Open));
        assert_eq!(TaskState::of_concurrent([]), None);
    }

    #[test]
    fn a_day_reads_back() {
        for day in [
            "2026-11-22",
            "2024-02-29",
            "2000-02-29",
            "0001-01-01",
            "9999-12-31",
        ] {
            assert_eq!(day.parse::<Date>().unwrap().to_string(), day);
        }
    }

    #[test]
    fn what_is_not_a_day_is_refused() {
        for day in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "26-4-1",
            "tomorrow",
            "2026-1-01",
            "+026-01-01",
        ] {
            assert_eq!(day.parse::<Date>(), Err(DateError), "{day}");
        }
    }
}

//! What can be wrong with a .pb file, and where.

use std::fmt;

use super::{MAX_BYTES, MAX_COLUMNS, MAX_FIELD_BYTES, MAX_LIST, MAX_META, MAX_PROJECTS, MAX_VOTES};
use crate::domain::cost::CostError;
use crate::domain::place::PlaceError;

/// A section of a .pb file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Facts about the whole budget.
    Meta,
    /// The projects.
    Projects,
    /// The ballots.
    Votes,
}

/// What a file can hold too many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`MAX_META`].
    Meta,
    /// [`MAX_PROJECTS`].
    Projects,
    /// [`MAX_VOTES`].
    Votes,
    /// [`MAX_COLUMNS`].
    Columns,
    /// [`MAX_LIST`].
    List,
}

/// Where in a file: the line and the value on it, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The line; of a row over several lines, the first.
    pub line: usize,
    /// Which of the values on that line.
    pub column: usize,
}

/// Why a text is not a participatory budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PabulibError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes; {MAX_BYTES} is the most")]
    FileTooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// More rows, columns or names than the limit.
    #[error("line {line}: too many {what}")]
    TooMany {
        /// Where the first one too many stands.
        line: usize,
        /// Of what, and how many are allowed.
        what: Limit,
    },
    /// A value beyond [`MAX_FIELD_BYTES`].
    #[error("{at}: the value is too long; {MAX_FIELD_BYTES} bytes is the most")]
    TooLong {
        /// Where it begins.
        at: At,
    },
    /// A quote that is not closed, or text after the closing one.
    #[error("{at}: a value that begins with a quote must end with one")]
    Quote {
        /// Where the value begins.
        at: At,
    },
    /// A section that should stand here or earlier.
    #[error("line {line}: the section {section} is missing")]
    Missing {
        /// Where it was missed.
        line: usize,
        /// Which.
        section: Section,
    },
    /// A section twice or out of order.
    #[error(
        "line {line}: the section {section} does not belong here; the order is META, PROJECTS, VOTES, each once"
    )]
    Unexpected {
        /// Where its title stands.
        line: usize,
        /// Which.
        section: Section,
    },
    /// A column that a section needs.
    #[error("line {line}: the section {section} needs a column {column:?}")]
    MissingColumn {
        /// Where the columns are named.
        line: usize,
        /// Which section.
        section: Section,
        /// The column's name.
        column: &'static str,
    },
    /// Two columns of one name.
    #[error("{at}: the column {column:?} is there twice")]
    RepeatedColumn {
        /// The second one.
        at: At,
        /// Its name.
        column: String,
    },
    /// A row with more or fewer values than the section has columns.
    #[error("line {line}: {expected} values expected, {found} found")]
    Width {
        /// Which row.
        line: usize,
        /// How many columns the section has.
        expected: usize,
        /// How many values the row has.
        found: usize,
    },
    /// A value that must not be empty.
    #[error("{at}: {column} must not be empty")]
    Empty {
        /// Where.
        at: At,
        /// The column's name.
        column: &'static str,
    },
    /// Something other than a whole number.
    #[error("{at}: {column} must be a whole number, not {found:?}")]
    NotANumber {
        /// Where.
        at: At,
        /// The column's name.
        column: &'static str,
        /// What stands there (its beginning).
        found: String,
    },
    /// Something other than 0, 1, 2 or 3.
    #[error("{at}: selected must be a whole number from 0 to 3, not {found:?}")]
    Selected {
        /// Where.
        at: At,
        /// What stands there (its beginning).
        found: String,
    },
    /// Something other than a cost.
    #[error("{at}: {why}, not {found:?}")]
    Cost {
        /// Where.
        at: At,
        /// What is wrong with it.
        why: CostError,
        /// What stands there (its beginning).
        found: String,
    },
    /// Something other than coordinates.
    #[error("{at}: {why}")]
    Place {
        /// The latitude; the longitude stands on the same line.
        at: At,
        /// What is wrong with it.
        why: PlaceError,
    },
    /// The same key, project or voter a second time.
    #[error("{at}: {id:?} is there twice")]
    Repeated {
        /// The second one.
        at: At,
        /// Its key or id (its beginning).
        id: String,
    },
    /// A ballot for a project that the file does not have.
    #[error("{at}: there is no project {id:?}")]
    UnknownProject {
        /// Where it is voted for.
        at: At,
        /// The id on the ballot (its beginning).
        id: String,
    },
    /// A ballot whose points do not fit its choices.
    #[error("{at}: {choices} projects on the ballot, but points for {points}")]
    Points {
        /// Where the points stand.
        at: At,
        /// How many projects the ballot names.
        choices: usize,
        /// How many numbers of points it has.
        points: usize,
    },
    /// META claims another number than the file holds: it was cut off, or changed by hand.
    #[error("{at}: META says {said} {section}, the file holds {held}")]
    Count {
        /// The claim.
        at: At,
        /// Of what.
        section: Section,
        /// How many META claims.
        said: u64,
        /// How many there are.
        held: usize,
    },
}

impl Section {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "META",
            Self::Projects => "PROJECTS",
            Self::Votes => "VOTES",
        }
    }

    pub(super) const fn max_rows(self) -> usize {
        match self {
            Self::Meta => MAX_META,
            Self::Projects => MAX_PROJECTS,
            Self::Votes => MAX_VOTES,
        }
    }

    pub(super) const fn rows_limit(self) -> Limit {
        match self {
            Self::Meta => Limit::Meta,
            Self::Projects => Limit::Projects,
            Self::Votes => Limit::Votes,
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta => write!(f, "lines in META; {MAX_META} is the most"),
            Self::Projects => write!(f, "projects; {MAX_PROJECTS} is the most"),
            Self::Votes => write!(f, "votes; {MAX_VOTES} is the most"),
            Self::Columns => write!(f, "values; {MAX_COLUMNS} is the most on a line"),
            Self::List => write!(f, "names in one list; {MAX_LIST} is the most"),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, value {}", self.line, self.column)
    }
}

//! Reads a participatory budget in the format of Pabulib, the library of participatory budgeting data: a .pb file.
//!
//! Source: D. Stolicki, S. Szufa, N. Talmon, "Pabulib: A Participatory Budgeting Library", arXiv 2012.06539, and the
//! description of the format on pabulib.org. A file is UTF-8 text of three sections in this order, each a line with its
//! title, a line with the names of its columns, and rows of values between semicolons. A value in double quotes may hold
//! semicolons, line ends and, doubled, quotes. The columns of a section stand in any order.
//!
//! Only what an idea needs is read, and the ballots. What a file says about its voters (age, sex, part of town) is left
//! where it is. Whatever is read is exact or refused: nothing is rounded but coordinates, nothing is guessed.

mod error;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::cost::Cost;
use super::place::Place;
pub use error::{At, Limit, PabulibError, Section};
use table::{Row, Table, Value};

/// The largest file that is read, in bytes. The largest city budgets in the library stay below 10 MB.
pub const MAX_BYTES: usize = 16 << 20;
/// The longest value that is read, in bytes.
pub const MAX_FIELD_BYTES: usize = 16 << 10;
/// The most columns in a section.
pub const MAX_COLUMNS: usize = 64;
/// The most lines in the section META.
pub const MAX_META: usize = 256;
/// The most projects in a file.
pub const MAX_PROJECTS: usize = 5_000;
/// The most ballots in a file.
pub const MAX_VOTES: usize = 500_000;
/// The most names in one list: categories, target groups, projects on a ballot.
pub const MAX_LIST: usize = 1_000;

/// A participatory budget: what a .pb file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The lines of META as they stand, by key in lower case: `country`, `unit`, `budget`, `vote_type`, `rule` and others.
    pub meta: BTreeMap<String, String>,
    /// The projects in the order of the file; ids are unique.
    pub projects: Vec<Project>,
    /// The ballots in the order of the file; voters are unique.
    pub votes: Vec<Vote>,
}

/// One project that people could vote for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id within the file, such as "L3/01/VIII".
    pub id: String,
    /// What it is called; its id where the file gives no name.
    pub name: String,
    /// What it costs, in the budget's currency.
    pub cost: Cost,
    /// What it is about, in the order of the file, each once.
    pub categories: Vec<String>,
    /// Whom it is for, in the order of the file, each once.
    pub targets: Vec<String>,
    /// Where it is, where the file says so.
    pub place: Option<Place>,
    /// How many people voted for it, as the file claims.
    pub votes: Option<u64>,
    /// How many points it got, as the file claims.
    pub score: Option<u64>,
    /// What became of it: 0 not funded, 1 funded by the rule, 2 or 3 by the city's own exceptions.
    pub selected: Option<u8>,
}

/// One person's ballot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The voter's number within the file.
    pub voter: String,
    /// Project ids in the order of the ballot, each once.
    pub choices: Vec<String>,
    /// The points for each choice, in the same order; empty where the file has no points.
    pub points: Vec<u64>,
}

/// Reads a .pb file.
///
/// # Errors
/// [`PabulibError`] with the line and the value on it, for the first fault that is found.
pub fn parse(text: &str) -> Result<Budget, PabulibError> {
    if text.len() > MAX_BYTES {
        return Err(PabulibError::FileTooLarge { bytes: text.len() });
    }
    let [meta, projects, votes] = Table::split(text)?;
    let read_projects = read_projects(&projects)?;
    let ids = read_projects.iter().map(|project| project.id.as_str()).collect();
    let read_votes = read_votes(&votes, &ids)?;
    let read_meta = read_meta(&meta, read_projects.len(), read_votes.len())?;
    Ok(Budget {
        meta: read_meta,
        projects: read_projects,
        votes: read_votes,
    })
}

fn read_meta(
    table: &Table<'_>,
    projects: usize,
    votes: usize,
) -> Result<BTreeMap<String, String>, PabulibError> {
    let (key_column, value_column) = (table.column("key")?, table.column("value")?);
    let mut meta = BTreeMap::new();
    for row in table.rows() {
        let key = needed(row.value(key_column), "key")?;
        let value = row.value(value_column);
        let (section, held) = match key.text {
            "num_projects" => (Section::Projects, Some(projects)),
            "num_votes" => (Section::Votes, Some(votes)),
            _ => (Section::Meta, None),
        };
        if let Some(held) = held {
            let said = whole(value, "value")?;
            if u64::try_from(held) != Ok(said) {
                return Err(PabulibError::Count {
                    at: value.at,
                    section,
                    said,
                    held,
                });
            }
        }
        if meta
            .insert(key.text.to_ascii_lowercase(), value.text.to_owned())
            .is_some()
        {
            return Err(PabulibError::Repeated {
                at: key.at,
                id: beginning(key.text),
            });
        }
    }
    Ok(meta)
}

fn read_projects(table: &Table<'_>) -> Result<Vec<Project>, PabulibError> {
    let (id, cost) = (table.column("project_id")?, table.column("cost")?);
    let name = table.any_column(&["name"]);
    let categories = table.any_column(&["category", "categories"]);
    // Newer files call the target groups beneficiaries.
    let targets = table.any_column(&["target", "targets", "beneficiaries"]);
    let place = table
        .any_column(&["latitude"])
        .zip(table.any_column(&["longitude"]));
    let votes = table.any_column(&["votes"]);
    let score = table.any_column(&["score"]);
    let selected = table.any_column(&["selected"]);

    let mut ids = BTreeSet::new();
    let mut projects = Vec::new();
    for row in table.rows() {
        let id = needed(row.value(id), "project_id")?;
        if !ids.insert(id.text) {
            return Err(PabulibError::Repeated {
                at: id.at,
                id: beginning(id.text),
            });
        }
        let number =
            |column: Option<usize>, name| present(row, column).map(|value| whole(value, name)).transpose();
        projects.push(Project {
            id: id.text.to_owned(),
            name: present(row, name).unwrap_or(id).text.to_owned(),
            cost: read_cost(row.value(cost))?,
            categories: names(present(row, categories))?,
            targets: names(present(row, targets))?,
            place: read_place(row, place)?,
            votes: number(votes, "votes")?,
            score: number(score, "score")?,
            selected: present(row, selected).map(read_selected).transpose()?,
        });
    }
    Ok(projects)
}

fn read_votes(table: &Table<'_>, ids: &BTreeSet<&str>) -> Result<Vec<Vote>, PabulibError> {
    let (voter, vote) = (table.column("voter_id")?, table.column("vote")?);
    let points = table.any_column(&["points"]);
    let mut voters = BTreeSet::new();
    let mut votes = Vec::new();
    for row in table.rows() {
        let voter = needed(row.value(voter), "voter_id")?;
        if !voters.insert(voter.text) {
            return Err(PabulibError::Repeated {
                at: voter.at,
                id: beginning(voter.text),
            });
        }
        let on_ballot = row.value(vote);
        let choices = list(on_ballot.present())?;
        let mut seen = BTreeSet::new();
        for choice in &choices {
            let (at, id) = (on_ballot.at, beginning(choice));
            if !ids.contains(choice) {
                return Err(PabulibError::UnknownProject { at, id });
            }
            if !seen.insert(choice) {
                return Err(PabulibError::Repeated { at, id });
            }
        }
        votes.push(Vote {
            voter: voter.text.to_owned(),
            points: read_points(present(row, points), choices.len())?,
            choices: choices.into_iter().map(str::to_owned).collect(),
        });
    }
    Ok(votes)
}

fn read_points(value: Option<Value<'_>>, choices: usize) -> Result<Vec<u64>, PabulibError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let points = list(Some(value))?;
    if points.len() != choices {
        return Err(PabulibError::Points {
            at: value.at,
            choices,
            points: points.len(),
        });
    }
    points
        .into_iter()
        .map(|text| whole(Value { text, at: value.at }, "points"))
        .collect()
}

fn read_cost(value: Value<'_>) -> Result<Cost, PabulibError> {
    let wrong = |why| PabulibError::Cost {
        at: value.at,
        why,
        found: beginning(value.text),
    };
    value.text.parse().map_err(wrong)
}

fn read_place(row: &Row<'_>, columns: Option<(usize, usize)>) -> Result<Option<Place>, PabulibError> {
    let Some((latitude, longitude)) = columns else {
        return Ok(None);
    };
    let Some((latitude, longitude)) = row.value(latitude).present().zip(row.value(longitude).present())
    else {
        return Ok(None);
    };
    let wrong = |why| PabulibError::Place { at: latitude.at, why };
    Place::from_degrees(latitude.text, longitude.text)
        .map(Some)
        .map_err(wrong)
}

fn read_selected(value: Value<'_>) -> Result<u8, PabulibError> {
    match value.text {
        "0" => Ok(0),
        "1" => Ok(1),
        "2" => Ok(2),
        "3" => Ok(3),
        found => Err(PabulibError::Selected {
            at: value.at,
            found: beginning(found),
        }),
    }
}

fn present<'r>(row: &'r Row<'_>, column: Option<usize>) -> Option<Value<'r>> {
    column.and_then(|column| row.value(column).present())
}

fn needed<'r>(value: Value<'r>, column: &'static str) -> Result<Value<'r>, PabulibError> {
    if value.text.is_empty() {
        Err(PabulibError::Empty { at: value.at, column })
    } else {
        Ok(value)
    }
}

fn whole(value: Value<'_>, column: &'static str) -> Result<u64, PabulibError> {
    let digits = !value.text.is_empty() && value.text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.text.parse().ok()).flatten();
    number.ok_or_else(|| PabulibError::NotANumber {
        at: value.at,
        column,
        found: beginning(value.text),
    })
}

/// The names between commas, trimmed, without empty ones.
fn list(value: Option<Value<'_>>) -> Result<Vec<&str>, PabulibError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let names: Vec<&str> = value
        .text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if names.len() > MAX_LIST {
        return Err(PabulibError::TooMany {
            line: value.at.line,
            what: Limit::List,
        });
    }
    Ok(names)
}

/// The same, each name once.
fn names(value: Option<Value<'_>>) -> Result<Vec<String>, PabulibError> {
    let mut seen = BTreeSet::new();
    let names = list(value)?;
    Ok(names
        .into_iter()
        .filter(|name| seen.insert(*name))
        .map(str::to_owned)
        .collect())
}

/// As much of a text as an error message should repeat.
fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

//! Views: rows for lists and search, derived from the documents. A commit marks the documents it changed; a view is
//! brought up to date (`refresh`) before it is read. Everything here can be dropped and made anew.

use rusqlite::Row;

use crate::domain::id::{CommentId, PersonId, PollId, ProposalId, TaskId, Timestamp};
use crate::domain::plate::Shown;
use crate::domain::task::TaskState;
use crate::replica::codec::decode;
use crate::replica::storage::StorageError;

use super::entries::{GroupStore, sql};
use super::{failed, unreadable};

/// An idea in the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct IdeaRow {
    /// Its id.
    pub id: ProposalId,
    /// Its number, and the one it had before.
    pub plate: Shown,
    /// One line.
    pub title: String,
    /// In whole units.
    pub cost: Option<u64>,
    /// `latitude,longitude`.
    pub place: Option<String>,
    /// What it is about.
    pub categories: Vec<String>,
    /// For whom.
    pub targets: Vec<String>,
    /// Who wrote it down.
    pub author: Option<PersonId>,
    /// When, by their clock.
    pub at: Timestamp,
    /// When something was last done about it (its text, a comment, a vote, a task), by the clock of whoever did.
    pub changed_at: Timestamp,
    /// How many comments it has.
    pub comments: u64,
    /// How its text begins, in one line.
    pub first_words: String,
    /// Has somebody else done something about it that came here since this person's last visit?
    pub unread: bool,
}

/// A comment under an idea.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CommentRow {
    /// Its id.
    pub id: CommentId,
    /// Whose.
    pub author: PersonId,
    /// What it says.
    pub text: String,
    /// When, by their clock.
    pub at: Timestamp,
}

/// A poll in the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PollRow {
    /// Its id.
    pub id: PollId,
    /// Who opened it.
    pub opener: PersonId,
    /// About which idea.
    pub idea: ProposalId,
    /// What is asked.
    pub question: String,
    /// When, by the opener's clock.
    pub at: Timestamp,
}

/// A task in the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// The idea whose board it stands on.
    pub idea: Option<ProposalId>,
    /// One line.
    pub title: String,
    /// Who does it.
    pub assignees: Vec<PersonId>,
    /// Until when.
    pub due: Option<String>,
    /// How far it is.
    pub state: TaskState,
}

/// Something that a search found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SearchHit {
    /// `idea`, `comment` or `task`.
    pub kind: String,
    /// Its id; for a comment that of the idea it is about.
    pub id: String,
    /// Its first line.
    pub title: String,
}

const IDEAS: &str = "\
    SELECT i.id, title, cost, place, categories, targets, author, i.at, p.number, p.was, first_words,
        coalesce(a.at, i.at), coalesce(a.comments, 0), coalesce(a.others, 0) > ?2
    FROM idea_view i
    LEFT JOIN plate_view p ON p.group_row = i.group_row AND p.idea = i.id
    LEFT JOIN idea_activity_view a ON a.group_row = i.group_row AND a.idea = i.id
    WHERE i.group_row = ?1 ORDER BY p.number IS NULL, p.number, i.at, i.id";

impl GroupStore {
    /// The group's name and purpose, as last seen: known without opening the group.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn described(&self) -> Result<(String, String), StorageError> {
        let rows = self.rows(
            "SELECT name, purpose FROM group_view WHERE group_row = ?1",
            &[],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// The name a person wants to be known under.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn person_name(&self, person: PersonId) -> Result<Option<String>, StorageError> {
        let rows = self.rows(
            "SELECT name FROM person_view WHERE group_row = ?1 AND person = ?2",
            &[&person.0],
            |row| row.get(0),
        )?;
        Ok(rows.into_iter().next())
    }

    /// All ideas: those with a number in its order, then the others, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn ideas(&self) -> Result<Vec<IdeaRow>, StorageError> {
        let visited = sql(self.visit()?.map_or(0, |visit| visit.applied));
        self.rows(IDEAS, &[&visited], |row| {
            let cost: Option<i64> = row.get(2)?;
            let author: Option<[u8; 32]> = row.get(6)?;
            Ok(IdeaRow {
                id: ProposalId(row.get(0)?),
                plate: Shown {
                    number: row.get(8)?,
                    was: row.get(9)?,
                },
                title: row.get(1)?,
                cost: cost.and_then(|cost| u64::try_from(cost).ok()),
                place: row.get(3)?,
                categories: from_words(&row.get::<_, String>(4)?),
                targets: from_words(&row.get::<_, String>(5)?),
                author: author.map(PersonId),
                at: from_time(row.get(7)?),
                first_words: row.get(10)?,
                changed_at: from_time(row.get(11)?),
                comments: u64::try_from(row.get::<_, i64>(12)?).unwrap_or(0),
                unread: row.get(13)?,
            })
        })
    }

    /// The comments under an idea, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn comments(&self, about: ProposalId) -> Result<Vec<CommentRow>, StorageError> {
        self.rows(
            "SELECT id, author, text, at FROM comment_view WHERE group_row = ?1 AND about = ?2 ORDER BY at, id",
            &[&about.0],
            |row| {
                Ok(CommentRow {
                    id: CommentId(row.get(0)?),
                    author: PersonId(row.get(1)?),
                    text: row.get(2)?,
                    at: from_time(row.get(3)?),
                })
            },
        )
    }

    /// A comment, and the idea in which it stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn comment_of(
        &self,
        author: PersonId,
        id: CommentId,
    ) -> Result<Option<(ProposalId, String)>, StorageError> {
        let found = self.rows(
            "SELECT about, text FROM comment_view WHERE group_row = ?1 AND author = ?2 AND id = ?3",
            &[&author.0, &id.0],
            |row| Ok((ProposalId(row.get(0)?), row.get(1)?)),
        );
        Ok(found?.pop())
    }

    /// All polls, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn poll_rows(&self) -> Result<Vec<PollRow>, StorageError> {
        self.rows(
            "SELECT id, opener, idea, question, at FROM poll_view WHERE group_row = ?1 ORDER BY at, id",
            &[],
            |row| {
                Ok(PollRow {
                    id: PollId(row.get(0)?),
                    opener: PersonId(row.get(1)?),
                    idea: ProposalId(row.get(2)?),
                    question: row.get(3)?,
                    at: from_time(row.get(4)?),
                })
            },
        )
    }

    /// All tasks: what is to be done first, by due date, then what is done.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn task_rows(&self) -> Result<Vec<TaskRow>, StorageError> {
        let rows = self.rows(
            "SELECT id, idea, title, assignees, due, state FROM task_view WHERE group_row = ?1 \
             ORDER BY state = 2, due IS NULL, due, id",
            &[],
            |row| {
                let idea: Option<[u8; 16]> = row.get(1)?;
                let assignees: Vec<u8> = row.get(3)?;
                let state: u16 = row.get(5)?;
                Ok((
                    assignees,
                    TaskRow {
                        id: TaskId(row.get(0)?),
                        idea: idea.map(ProposalId),
                        title: row.get(2)?,
                        assignees: Vec::new(),
                        due: row.get(4)?,
                        state: state_at(state),
                    },
                ))
            },
        )?;
        rows.into_iter()
            .map(|(assignees, task)| {
                Ok(TaskRow {
                    assignees: decode(&assignees).map_err(|_| unreadable("a task"))?,
                    ..task
                })
            })
            .collect()
    }

    /// The idea on whose board a task stands (none: the general one), where the task is in the view.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn board_of(&self, task: TaskId) -> Result<Option<Option<ProposalId>>, StorageError> {
        let rows = self.rows(
            "SELECT idea FROM task_view WHERE group_row = ?1 AND id = ?2",
            &[&task.0],
            |row| row.get::<_, Option<[u8; 16]>>(0),
        )?;
        Ok(rows.into_iter().next().map(|idea| idea.map(ProposalId)))
    }

    /// Ideas, comments and tasks with these letters in them, in any case; best first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn search(&self, text: &str) -> Result<Vec<SearchHit>, StorageError> {
        let wanted = text.trim();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let hit = |row: &Row<'_>| {
            Ok(SearchHit {
                kind: row.get(0)?,
                id: row.get(1)?,
                title: row.get(2)?,
            })
        };
        // The index knows letters by threes; fewer are looked for one by one.
        if wanted.split_whitespace().all(|word| word.chars().count() >= 3) {
            let words: Vec<String> = wanted
                .split_whitespace()
                .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
                .collect();
            return self.rows(
                "SELECT kind, id, CASE title WHEN '' THEN substr(body, 1, 80) ELSE title END FROM search \
                 WHERE search MATCH ?2 AND group_row = ?1 ORDER BY rank, id LIMIT 200",
                &[&words.join(" ")],
                hit,
            );
        }
        let pattern = format!(
            "%{}%",
            wanted
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_")
        );
        self.rows(
            "SELECT kind, id, CASE title WHEN '' THEN substr(body, 1, 80) ELSE title END FROM search \
             WHERE (title LIKE ?2 ESCAPE '\\' OR body LIKE ?2 ESCAPE '\\') AND group_row = ?1 ORDER BY id LIMIT 200",
            &[&pattern],
            hit,
        )
    }

    pub(super) fn rows<T>(
        &self,
        query: &str,
        values: &[&dyn rusqlite::ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StorageError> {
        let group = self.begun()?;
        let connection = self.views().lock();
        let mut statement = connection.prepare_cached(query).map_err(failed)?;
        let mut all: Vec<&dyn rusqlite::ToSql> = vec![&group];
        all.extend(values);
        let rows = statement.query_map(all.as_slice(), read).map_err(failed)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(failed)
    }
}

/// Words in one column: none of them holds a line break.
pub(super) fn words(words: &[String]) -> String {
    words.join("\n")
}

fn from_words(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

pub(super) fn time(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(super) fn from_time(at: i64) -> Timestamp {
    Timestamp(u64::try_from(at).unwrap_or(0))
}

/// How far a task is, by its place among all states.
fn state_at(place: u16) -> TaskState {
    let state = TaskState::ALL.get(usize::from(place));
    state.copied().unwrap_or(TaskState::Open)
}

//! A board: who has taken on what, until when, and how far it is.

use automerge::transaction::{Transactable, Transaction};
use automerge::{ObjId, ObjType, ReadDoc, ScalarValue, Value};

use crate::domain::document::DocumentKind;
use crate::domain::id::{PersonId, ProposalId, TaskId};
use crate::domain::task::{Date, Task, TaskDraft, TaskState};
use crate::replica::limits::{ASSIGNEES_MAX, LINE_BYTES_MAX, NOTES_BYTES_MAX, TASKS_MAX};

use super::genesis::object;
use super::reading::{OddityReason, Reader, id_key, scalar};
use super::text::{set_text, splice};
use super::{Document, Reading, WriteError, check_line, check_text};

const KIND: DocumentKind = DocumentKind::Board;
const TASKS: &str = "tasks";
const TITLE: &str = "title";
const NOTES: &str = "notes";
const ASSIGNEES: &str = "assignees";
const DUE: &str = "due";
const STATE: &str = "state";
const LINKS: &str = "links";

/// Reads the tasks of a board in order of their ids. The idea is the one whose board it is.
#[must_use]
pub fn read(document: &Document, idea: Option<ProposalId>) -> Reading<Vec<Task>> {
    let mut reader = Reader::new(document, &[]);
    let map = reader.field(TASKS);
    let mut tasks = Vec::new();
    for key in reader.keys(&map) {
        if !reader.room(&[TASKS], tasks.len(), TASKS_MAX) {
            break;
        }
        match id_key(&key) {
            Ok(id) => tasks.extend(read_task(&mut reader, idea, id, &key)),
            Err(reason) => {
                reader.note(&[TASKS, &key], reason);
            }
        }
    }
    reader.done(tasks)
}

fn read_task(reader: &mut Reader<'_>, idea: Option<ProposalId>, id: TaskId, key: &str) -> Option<Task> {
    let map = reader.map(&reader.field(TASKS), &[TASKS, key])?;
    reader.known(&map, &[TASKS, key], &[TITLE, NOTES, ASSIGNEES, DUE, STATE, LINKS]);
    let Some(title) = reader.line(&map, &[TASKS, key, TITLE], LINE_BYTES_MAX) else {
        reader.note(&[TASKS, key, TITLE], OddityReason::Missing);
        return None;
    };
    let notes_path = [TASKS, key, NOTES];
    let notes = reader.one(&map, &notes_path, |value, id| match value {
        Value::Object(ObjType::Text) => Ok(id.clone()),
        Value::Object(ObjType::Map | ObjType::Table | ObjType::List) | Value::Scalar(_) => {
            Err(OddityReason::WrongType)
        }
    });
    let notes = notes.map(|notes| reader.text(&notes, &notes_path, NOTES_BYTES_MAX));
    let assignees_path = [TASKS, key, ASSIGNEES];
    let assignees = reader
        .map(&map, &assignees_path)
        .map(|assignees| reader.set(&assignees, &assignees_path, ASSIGNEES_MAX, id_key::<PersonId>));
    Some(Task {
        id,
        idea,
        title,
        notes: notes.unwrap_or_default(),
        assignees: assignees.into_iter().flatten().collect(),
        due: reader.parsed::<Date>(&map, &[TASKS, key, DUE]),
        state: read_state(reader, &map, key),
    })
}

/// How far a task is: [`TaskState::of_concurrent`] of what people wrote without knowing of each other. A state that this
/// version does not know is passed over; where there is no other, the task is open.
fn read_state(reader: &mut Reader<'_>, task: &ObjId, key: &str) -> TaskState {
    let mut states = Vec::new();
    for (value, _) in reader.held(task, STATE) {
        match state_of(&value) {
            Some(state) => states.push(state),
            None => {
                reader.note(&[TASKS, key, STATE], OddityReason::Invalid);
            }
        }
    }
    TaskState::of_concurrent(states).unwrap_or_else(|| {
        reader.note(&[TASKS, key, STATE], OddityReason::Missing);
        TaskState::Open
    })
}

const fn state_name(state: TaskState) -> &'static str {
    match state {
        TaskState::Open => "open",
        TaskState::Doing => "doing",
        TaskState::Done => "done",
    }
}

fn state_of(value: &Value<'_>) -> Option<TaskState> {
    let Some(ScalarValue::Str(name)) = scalar(value) else {
        return None;
    };
    TaskState::ALL
        .into_iter()
        .find(|state| state_name(*state) == name.as_str())
}

/// Puts a new task on the board.
///
/// # Errors
/// Where the title is empty or too long, or there is a task of this id.
pub fn add_task(tx: &mut Transaction<'_>, id: TaskId, draft: &TaskDraft) -> Result<(), WriteError> {
    check_line("the title", &draft.title)?;
    let tasks = object(KIND, TASKS);
    let key = id.to_string();
    if tx.get(&tasks, &key)?.is_some() {
        return Err(WriteError::Taken {
            what: "task",
            id: key,
        });
    }
    let task = tx.put_object(&tasks, &key, ObjType::Map)?;
    tx.put(&task, TITLE, draft.title.as_str())?;
    tx.put(&task, STATE, state_name(TaskState::Open))?;
    // Whatever people write into together is made now, by one, so that no two make it twice.
    tx.put_object(&task, NOTES, ObjType::Text)?;
    let assignees = tx.put_object(&task, ASSIGNEES, ObjType::Map)?;
    tx.put_object(&task, LINKS, ObjType::Map)?;
    for person in &draft.assignees {
        tx.put(&assignees, person.to_string(), true)?;
    }
    if let Some(due) = draft.due {
        tx.put(&task, DUE, due.to_string())?;
    }
    Ok(())
}

/// Gives a task another title.
///
/// # Errors
/// Where it is empty or too long, or there is no such task.
pub fn set_title(tx: &mut Transaction<'_>, id: TaskId, title: &str) -> Result<(), WriteError> {
    check_line("the title", title)?;
    let task = task(tx, id)?;
    Ok(tx.put(task, TITLE, title)?)
}

/// Changes the notes of a task to these, by splices against the notes as they are now.
///
/// # Errors
/// Where they are too long, or there is no such task.
pub fn set_notes(tx: &mut Transaction<'_>, id: TaskId, notes: &str) -> Result<(), WriteError> {
    check_text("the notes", notes, NOTES_BYTES_MAX)?;
    let text = part(tx, id, NOTES, ObjType::Text)?;
    set_text(tx, &text, notes)
}

/// Replaces so many UTF-16 code units of the notes from a position.
///
/// # Errors
/// Where they would become too long, or there is no such task.
pub fn splice_notes(
    tx: &mut Transaction<'_>,
    id: TaskId,
    at: usize,
    delete: usize,
    insert: &str,
) -> Result<(), WriteError> {
    let text = part(tx, id, NOTES, ObjType::Text)?;
    splice(tx, &text, at, delete, insert)?;
    if insert.is_empty() {
        return Ok(());
    }
    check_text("the notes", &tx.text(&text)?, NOTES_BYTES_MAX)
}

/// Says that a person does a task, or does not.
///
/// # Errors
/// Where there is no such task.
pub fn set_assignee(
    tx: &mut Transaction<'_>,
    id: TaskId,
    person: PersonId,
    does_it: bool,
) -> Result<(), WriteError> {
    let assignees = part(tx, id, ASSIGNEES, ObjType::Map)?;
    let key = person.to_string();
    if does_it {
        tx.put(assignees, key, true)?;
    } else {
        tx.delete(assignees, key)?;
    }
    Ok(())
}

/// Says until when a task is to be done; nothing takes the day away.
///
/// # Errors
/// Where there is no such task.
pub fn set_due(tx: &mut Transaction<'_>, id: TaskId, due: Option<Date>) -> Result<(), WriteError> {
    let task = task(tx, id)?;
    match due {
        Some(due) => tx.put(task, DUE, due.to_string())?,
        None => tx.delete(task, DUE)?,
    }
    Ok(())
}

/// Says how far a task is.
///
/// # Errors
/// Where there is no such task.
pub fn set_state(tx: &mut Transaction<'_>, id: TaskId, state: TaskState) -> Result<(), WriteError> {
    let task = task(tx, id)?;
    if tx.get_all(&task, STATE)?.len() > 1 {
        // Where one of several says this already, Automerge would only take out the others, and whoever replaces that
        // one without knowing of this word would replace this word too.
        tx.delete(&task, STATE)?;
    }
    Ok(tx.put(task, STATE, state_name(state))?)
}

/// The map that a task is.
fn task(tx: &Transaction<'_>, id: TaskId) -> Result<ObjId, WriteError> {
    find(tx, &object(KIND, TASKS), &id.to_string(), ObjType::Map).ok_or_else(|| not_found(id))
}

/// A map or text within a task.
fn part(
    tx: &Transaction<'_>,
    id: TaskId,
    field: &'static str,
    object_type: ObjType,
) -> Result<ObjId, WriteError> {
    find(tx, &task(tx, id)?, field, object_type).ok_or_else(|| not_found(id))
}

/// The object of a type that readers read at a key: of several the one that wins.
fn find(tx: &Transaction<'_>, map: &ObjId, key: &str, object_type: ObjType) -> Option<ObjId> {
    let held = tx.get_all(map, key).unwrap_or_default();
    held.into_iter()
        .rev()
        .find(|(value, _)| value.to_objtype() == Some(object_type))
        .map(|(_, id)| id)
}

fn not_found(id: TaskId) -> WriteError {
    WriteError::NotFound {
        what: "task",
        id: id.to_string(),
    }
}

//! A person's own document: what they say about themselves and about ideas. Only their own devices write it.

use std::collections::BTreeMap;

use automerge::transaction::{Transactable, Transaction};
use automerge::{ObjType, ReadDoc, ScalarValue};

use crate::domain::comment::Comment;
use crate::domain::document::DocumentKind;
use crate::domain::id::{CommentId, PersonId, ProposalId, Timestamp};
use crate::replica::limits::{COMMENT_BYTES_MAX, COMMENTS_MAX, LINE_BYTES_MAX};

use super::genesis::object;
use super::reading::{OddityReason, Reader, id_key};
use super::{Document, Reading, WriteError, check_line, check_text};

/// A person's own page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnPage {
    /// What they call themselves.
    pub name: Option<String>,
    /// What they said, in order of the time they claim, then of the id.
    pub comments: Vec<Comment>,
}

const KIND: DocumentKind = DocumentKind::Own;
const PROFILE: &str = "profile";
const NAME: &str = "name";
const COMMENTS: &str = "comments";
const ABOUT: &str = "about";
const TEXT: &str = "text";
const AT: &str = "at";

/// Reads the page of this person.
#[must_use]
pub fn read(document: &Document, owner: PersonId) -> Reading<OwnPage> {
    let mut reader = Reader::new(document, &[]);
    let profile = reader.field(PROFILE);
    reader.known(&profile, &[PROFILE], &[NAME]);
    let name = reader.line(&profile, &[PROFILE, NAME], LINE_BYTES_MAX);
    let name = name.filter(|name| !name.trim().is_empty());
    let map = reader.field(COMMENTS);
    let mut comments = BTreeMap::new();
    for key in reader.keys(&map) {
        if !reader.room(&[COMMENTS], comments.len(), COMMENTS_MAX) {
            break;
        }
        if let Some(comment) = read_comment(&mut reader, owner, &key) {
            comments.insert((comment.at, comment.id), comment);
        }
    }
    let comments = comments.into_values().collect();
    reader.done(OwnPage { name, comments })
}

fn read_comment(reader: &mut Reader<'_>, author: PersonId, key: &str) -> Option<Comment> {
    let path = [COMMENTS, key];
    let id = match id_key::<CommentId>(key) {
        Ok(id) => id,
        Err(reason) => {
            reader.note(&path, reason);
            return None;
        }
    };
    let map = reader.map(&reader.field(COMMENTS), &path)?;
    reader.known(&map, &path, &[ABOUT, TEXT, AT]);
    let about = reader.parsed::<ProposalId>(&map, &[COMMENTS, key, ABOUT]);
    let text = reader.line(&map, &[COMMENTS, key, TEXT], COMMENT_BYTES_MAX);
    let at = reader.time(&map, &[COMMENTS, key, AT]);
    let (Some(about), Some(text)) = (about, text) else {
        reader.note(&path, OddityReason::Missing);
        return None;
    };
    Some(Comment {
        id,
        author,
        about,
        text,
        at,
    })
}

/// Whether a name fits: to be asked before a profile is made with it.
///
/// # Errors
/// Where it is empty or too long.
pub fn check_name(name: &str) -> Result<(), WriteError> {
    check_line("the name", name)
}

/// Says what the person calls themselves.
///
/// # Errors
/// Where the name is empty or too long.
pub fn set_profile_name(tx: &mut Transaction<'_>, name: &str) -> Result<(), WriteError> {
    check_line("the name", name)?;
    Ok(tx.put(object(KIND, PROFILE), NAME, name)?)
}

/// Says something about an idea.
///
/// # Errors
/// Where the text is empty or too long, or there is a comment of this id.
pub fn add_comment(
    tx: &mut Transaction<'_>,
    id: CommentId,
    about: ProposalId,
    text: &str,
    at: Timestamp,
) -> Result<(), WriteError> {
    if text.trim().is_empty() {
        return Err(WriteError::Empty { field: "the comment" });
    }
    check_text("the comment", text, COMMENT_BYTES_MAX)?;
    let comments = object(KIND, COMMENTS);
    let key = id.to_string();
    if tx.get(&comments, &key)?.is_some() {
        return Err(WriteError::Taken {
            what: "comment",
            id: key,
        });
    }
    let comment = tx.put_object(&comments, &key, ObjType::Map)?;
    tx.put(&comment, ABOUT, about.to_string())?;
    tx.put(&comment, TEXT, text)?;
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    Ok(tx.put(&comment, AT, ScalarValue::Timestamp(at))?)
}

//! The group's own document: what the group is called and what it is for.
//!
//! Name and purpose are put as a whole: they are short, and half of one name with half of another is no name. Where two
//! stewards wrote different ones without knowing of each other, one is read and the other named as a conflict.

use automerge::ROOT;
use automerge::transaction::{Transactable, Transaction};
use serde::Serialize;

use crate::replica::limits::{LINE_BYTES_MAX, PURPOSE_BYTES_MAX};

use super::reading::Reader;
use super::{Document, Reading, WriteError, check_line, check_text};

/// What the group says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct GroupInfo {
    /// Its name; empty where none was given.
    pub name: String,
    /// What it is for; empty where nothing was said.
    pub purpose: String,
}

const NAME: &str = "name";
const PURPOSE: &str = "purpose";

/// Reads it.
#[must_use]
pub fn read(document: &Document) -> Reading<GroupInfo> {
    let mut reader = Reader::new(document, &[NAME, PURPOSE]);
    let info = GroupInfo {
        name: reader.line(&ROOT, &[NAME], LINE_BYTES_MAX).unwrap_or_default(),
        purpose: reader
            .line(&ROOT, &[PURPOSE], PURPOSE_BYTES_MAX)
            .unwrap_or_default(),
    };
    reader.done(info)
}

/// Whether a name and a purpose fit: to be asked before a group is founded for them.
///
/// # Errors
/// Where the name is empty, or one of them too long.
pub fn check(name: &str, purpose: &str) -> Result<(), WriteError> {
    check_line("the name", name)?;
    check_text("the purpose", purpose, PURPOSE_BYTES_MAX)
}

/// Names the group.
///
/// # Errors
/// Where the name is empty or too long.
pub fn set_name(tx: &mut Transaction<'_>, name: &str) -> Result<(), WriteError> {
    check_line("the name", name)?;
    Ok(tx.put(ROOT, NAME, name)?)
}

/// Says what the group is for.
///
/// # Errors
/// Where the text is too long.
pub fn set_purpose(tx: &mut Transaction<'_>, purpose: &str) -> Result<(), WriteError> {
    check_text("the purpose", purpose, PURPOSE_BYTES_MAX)?;
    Ok(tx.put(ROOT, PURPOSE, purpose)?)
}

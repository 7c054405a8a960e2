//! The group's own document: what the group is called, what it is for, and which number each idea has.
//!
//! Name and purpose are put as a whole: they are short, and half of one name with half of another is no name. Where two
//! stewards wrote different ones without knowing of each other, one is read and the other named as a conflict.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{Transactable, Transaction};
use automerge::{ROOT, ScalarValue, Value};
use serde::Serialize;

use crate::domain::document::DocumentKind;
use crate::domain::id::ProposalId;
use crate::domain::plate::{Plate, Plates};
use crate::replica::limits::{LINE_BYTES_MAX, PLATES_MAX, PURPOSE_BYTES_MAX};

use super::genesis::object;
use super::reading::{OddityReason, Reader, id_key, scalar};
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
const PLATES: &str = "plates";

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

/// Reads the numbers of ideas: of several that devices gave to one idea without knowing of each other, all.
#[must_use]
pub fn plates(document: &Document) -> Reading<Plates> {
    let mut reader = Reader::new(document, &[NAME, PURPOSE]);
    let map = reader.field(PLATES);
    let mut written: BTreeMap<ProposalId, BTreeSet<Plate>> = BTreeMap::new();
    for key in reader.keys(&map) {
        if !reader.room(&[PLATES], written.len(), PLATES_MAX) {
            break;
        }
        let idea = match id_key::<ProposalId>(&key) {
            Ok(idea) => idea,
            Err(reason) => {
                reader.note(&[PLATES, &key], reason);
                continue;
            }
        };
        for (value, _) in reader.held(&map, &key) {
            match plate_in(&value) {
                Ok(plate) => drop(written.entry(idea).or_default().insert(plate)),
                Err(reason) => {
                    reader.note(&[PLATES, &key], reason);
                }
            }
        }
    }
    reader.done(Plates::new(&written))
}

fn plate_in(value: &Value<'_>) -> Result<Plate, OddityReason> {
    match scalar(value) {
        Some(ScalarValue::Str(text)) => text.parse().map_err(|_| OddityReason::Invalid),
        _ => Err(OddityReason::WrongType),
    }
}

/// Gives ideas their numbers, instead of those that stand there.
///
/// # Errors
/// Where Automerge refuses.
pub fn set_plates(tx: &mut Transaction<'_>, plates: &[(ProposalId, Plate)]) -> Result<(), WriteError> {
    let map = object(DocumentKind::Group, PLATES);
    for (idea, plate) in plates {
        tx.put(&map, idea.to_string(), plate.to_string())?;
    }
    Ok(())
}

//! An idea: a title and a text that everybody writes together, and what it would take.
//!
//! A place is one value, not two numbers: of two places written at once one wins whole, and nobody ends up in the river
//! between them. Categories and target groups are maps used as sets, so that two words added at once are both in.

use automerge::transaction::{Transactable, Transaction};
use automerge::{ROOT, ReadDoc, ScalarValue};

use crate::domain::cost::Cost;
use crate::domain::document::DocumentKind;
use crate::domain::id::{ChangeId, ProposalId};
use crate::domain::place::Place;
use crate::domain::proposal::{Draft, Proposal, TextField};
use crate::domain::splice::{Splice, SpliceError};
use crate::replica::limits::{BODY_BYTES_MAX, LINE_BYTES_MAX, WORD_BYTES_MAX, WORDS_MAX};

use super::edit;
use super::genesis::object;
use super::reading::{OddityReason, Reader, cut};
use super::text::{set_text, splice};
use super::{Document, DocumentError, Reading, WriteError, check_line, check_text, check_word};

const KIND: DocumentKind = DocumentKind::Proposal;
const TITLE: &str = "title";
const BODY: &str = "body";
const CATEGORIES: &str = "categories";
const TARGETS: &str = "targets";
const COST: &str = "cost";
const PLACE: &str = "place";

/// Reads the idea of this id. Where the document has only its genesis, the title is empty.
#[must_use]
pub fn read(document: &Document, id: ProposalId) -> Reading<Proposal> {
    let mut reader = Reader::new(document, &[COST, PLACE]);
    let title = reader.text(&reader.field(TITLE), &[TITLE], LINE_BYTES_MAX);
    let body = reader.text(&reader.field(BODY), &[BODY], BODY_BYTES_MAX);
    let cost = reader.number(&ROOT, &[COST]).and_then(|units| {
        let cost = Cost::new(units).ok();
        if cost.is_none() {
            reader.note(&[COST], OddityReason::Invalid);
        }
        cost
    });
    let proposal = Proposal {
        id,
        title,
        body,
        cost,
        place: reader.parsed::<Place>(&ROOT, &[PLACE]),
        categories: words(&mut reader, CATEGORIES),
        targets: words(&mut reader, TARGETS),
    };
    reader.done(proposal)
}

/// The text as it was at some heads: what a poll froze. Cut where it is too long, as in [`read`].
///
/// # Errors
/// Where the document does not know one of the heads.
pub fn read_body_at(document: &Document, heads: &[ChangeId]) -> Result<String, DocumentError> {
    text_at(document, BODY, heads, BODY_BYTES_MAX)
}

/// The title as it was at some heads.
///
/// # Errors
/// Where the document does not know one of the heads.
pub fn read_title_at(document: &Document, heads: &[ChangeId]) -> Result<String, DocumentError> {
    text_at(document, TITLE, heads, LINE_BYTES_MAX)
}

fn text_at(
    document: &Document,
    field: &str,
    heads: &[ChangeId],
    bytes_max: usize,
) -> Result<String, DocumentError> {
    let hashes = document.hashes(heads)?;
    let text = document
        .doc
        .text_at(object(document.kind, field), &hashes)
        .unwrap_or_default();
    Ok(cut(&text, bytes_max).to_owned())
}

fn words(reader: &mut Reader<'_>, field: &str) -> Vec<String> {
    let map = reader.field(field);
    reader.set(&map, &[field], WORDS_MAX, |word| {
        if word.trim().is_empty() {
            Err(OddityReason::Invalid)
        } else if word.len() > WORD_BYTES_MAX {
            Err(OddityReason::TooLong)
        } else {
            Ok(word.to_owned())
        }
    })
}

/// Writes a new idea into a document that has only its genesis.
///
/// # Errors
/// Where something is empty that must not be, or too long.
pub fn create(tx: &mut Transaction<'_>, draft: &Draft) -> Result<(), WriteError> {
    set_title(tx, &draft.title)?;
    set_body(tx, &draft.body)?;
    if draft.cost.is_some() {
        set_cost(tx, draft.cost)?;
    }
    if draft.place.is_some() {
        set_place(tx, draft.place)?;
    }
    for word in &draft.categories {
        set_category(tx, word, true)?;
    }
    for word in &draft.targets {
        set_target(tx, word, true)?;
    }
    Ok(())
}

/// Changes the title to this one, by splices against the title as it is now.
///
/// # Errors
/// Where it is empty or too long.
pub fn set_title(tx: &mut Transaction<'_>, title: &str) -> Result<(), WriteError> {
    check_line("the title", title)?;
    set_text(tx, &object(KIND, TITLE), title)
}

/// Changes the text to this one, by splices against the text as it is now.
///
/// # Errors
/// Where it is too long.
pub fn set_body(tx: &mut Transaction<'_>, body: &str) -> Result<(), WriteError> {
    check_text("the text", body, BODY_BYTES_MAX)?;
    set_text(tx, &object(KIND, BODY), body)
}

/// Replaces so many UTF-16 code units of the text from a position. A position behind the end is the end; one within a
/// character is behind that character.
///
/// # Errors
/// Where the text would become too long.
pub fn splice_body(
    tx: &mut Transaction<'_>,
    at: usize,
    delete: usize,
    insert: &str,
) -> Result<(), WriteError> {
    let body = object(KIND, BODY);
    splice(tx, &body, at, delete, insert)?;
    // A text that others have made too long can always be shortened.
    if insert.is_empty() {
        return Ok(());
    }
    check_text("the text", &tx.text(&body)?, BODY_BYTES_MAX)
}

/// Splices that are about a text as it was at some heads, as they are to be made now.
///
/// # Errors
/// Where the document does not know the heads, or the splices do not fit the text as it was.
pub fn carry_splices(
    document: &Document,
    field: TextField,
    heads: &[ChangeId],
    splices: &[Splice],
) -> Result<Vec<Splice>, SpliceError> {
    edit::carried(document, &object(KIND, name_of(field)), heads, splices)
}

/// Makes splices that [`carry_splices`] gave for the text as it is now.
///
/// # Errors
/// Where the text would become too long, or the title empty.
pub fn make_splices(
    tx: &mut Transaction<'_>,
    field: TextField,
    splices: &[Splice],
) -> Result<(), WriteError> {
    if splices.is_empty() {
        return Ok(());
    }
    let text = object(KIND, name_of(field));
    edit::make(tx, &text, splices)?;
    let now = tx.text(&text)?;
    // A text that others have made too long can always be shortened.
    let shortened = splices.iter().all(|splice| splice.insert.is_empty());
    match field {
        TextField::Title if shortened && now.trim().is_empty() => check_line("the title", &now),
        TextField::Title | TextField::Body if shortened => Ok(()),
        TextField::Title => check_line("the title", &now),
        TextField::Body => check_text("the text", &now, BODY_BYTES_MAX),
    }
}

/// A text as it stands.
#[must_use]
pub fn read_text(document: &Document, field: TextField) -> String {
    document
        .doc
        .text(object(KIND, name_of(field)))
        .unwrap_or_default()
}

const fn name_of(field: TextField) -> &'static str {
    match field {
        TextField::Title => TITLE,
        TextField::Body => BODY,
    }
}

/// Says what it would cost; nothing takes the cost away.
///
/// # Errors
/// Where Automerge refuses.
pub fn set_cost(tx: &mut Transaction<'_>, cost: Option<Cost>) -> Result<(), WriteError> {
    match cost {
        Some(cost) => tx.put(ROOT, COST, ScalarValue::Uint(cost.units()))?,
        None => tx.delete(ROOT, COST)?,
    }
    Ok(())
}

/// Says where; nothing takes the place away.
///
/// # Errors
/// Where Automerge refuses.
pub fn set_place(tx: &mut Transaction<'_>, place: Option<Place>) -> Result<(), WriteError> {
    match place {
        Some(place) => tx.put(ROOT, PLACE, place.to_string())?,
        None => tx.delete(ROOT, PLACE)?,
    }
    Ok(())
}

/// Puts the idea into a category, or takes it out.
///
/// # Errors
/// Where the word is empty or too long.
pub fn set_category(tx: &mut Transaction<'_>, word: &str, is_in: bool) -> Result<(), WriteError> {
    set_word(tx, CATEGORIES, "the category", word, is_in)
}

/// Says that the idea is for a group of people, or is not.
///
/// # Errors
/// Where the word is empty or too long.
pub fn set_target(tx: &mut Transaction<'_>, word: &str, is_in: bool) -> Result<(), WriteError> {
    set_word(tx, TARGETS, "the target group", word, is_in)
}

fn set_word(
    tx: &mut Transaction<'_>,
    field: &str,
    name: &'static str,
    word: &str,
    is_in: bool,
) -> Result<(), WriteError> {
    let map = object(KIND, field);
    if is_in {
        check_word(name, word)?;
        Ok(tx.put(map, word, true)?)
    } else {
        Ok(tx.delete(map, word)?)
    }
}

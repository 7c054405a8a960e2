//! Typing into a text that others type into, too: splices that are about an earlier state of the text are carried over what
//! has been changed since, and made at the present one. So no writer ever writes on past heads.

use automerge::transaction::Transaction;
use automerge::{ObjId, PatchAction, ReadDoc};

use crate::domain::id::ChangeId;
use crate::domain::splice::{Splice, SpliceError, Step, carry, check};
use crate::planted::{Bug, is_on};
use crate::replica::limits::SPLICES_MAX;

use super::text::splice;
use super::{Document, WriteError};

/// The splices as they are to be made now, from the end of the text to its beginning.
pub(super) fn carried(
    document: &Document,
    text: &ObjId,
    heads: &[ChangeId],
    splices: &[Splice],
) -> Result<Vec<Splice>, SpliceError> {
    if splices.len() > SPLICES_MAX {
        return Err(SpliceError::TooMany(SPLICES_MAX));
    }
    let before = document.hashes(heads).map_err(|_| SpliceError::UnknownHeads)?;
    if before.is_empty() {
        return Err(SpliceError::UnknownHeads);
    }
    let then = document.doc.text_at(text, &before).unwrap_or_default();
    check(&then, splices)?;
    let now = document.doc.text(text).unwrap_or_default();
    let steps = if then == now || is_on(Bug::TextNotCarried) {
        Vec::new()
    } else {
        steps_since(document, text, &before, &then, &now)
    };
    Ok(carry(splices, units(&then), &steps))
}

/// What became of a text since some heads. Where Automerge's account of it does not come to the present text (a hostile text
/// can hold what is no letter), what lies between its common beginning and end is taken for rewritten.
fn steps_since(
    document: &Document,
    text: &ObjId,
    before: &[automerge::ChangeHash],
    then: &str,
    now: &str,
) -> Vec<Step> {
    let patches = document
        .doc
        .diff_obj(text, before, &document.doc.get_heads(), false)
        .unwrap_or_default();
    let mut steps = Vec::new();
    let mut checked: Vec<u16> = then.encode_utf16().collect();
    for patch in patches {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "marks change no letter, and what else changes one does not pass the comparison below"
        )]
        match patch.action {
            PatchAction::SpliceText { index, value, .. } => {
                let new: Vec<u16> = value.make_string().encode_utf16().collect();
                let at = index.min(checked.len());
                steps.push(Step::Came { at, units: new.len() });
                checked.splice(at..at, new);
            }
            PatchAction::DeleteSeq { index, length } => {
                let at = index.min(checked.len());
                let end = at.saturating_add(length).min(checked.len());
                steps.push(Step::Went {
                    at,
                    units: end.saturating_sub(at),
                });
                checked.drain(at..end);
            }
            _ => {}
        }
    }
    if checked.iter().copied().eq(now.encode_utf16()) {
        steps
    } else {
        rewritten(then, now)
    }
}

/// One text became another: all but its common beginning and end went and came.
fn rewritten(then: &str, now: &str) -> Vec<Step> {
    let same = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| -> usize {
        let same = a.zip(b).take_while(|(a, b)| a == b);
        same.map(|(a, _)| a.len_utf16()).sum()
    };
    let (old, new) = (units(then), units(now));
    let at = same(&mut then.chars(), &mut now.chars());
    let end = same(&mut then.chars().rev(), &mut now.chars().rev());
    let end = end.min(old.min(new).saturating_sub(at));
    let middle = |units: usize| units.saturating_sub(at).saturating_sub(end);
    vec![
        Step::Went {
            at,
            units: middle(old),
        },
        Step::Came {
            at,
            units: middle(new),
        },
    ]
}

/// Makes splices in the order in which they are given.
pub(super) fn make(tx: &mut Transaction<'_>, text: &ObjId, splices: &[Splice]) -> Result<(), WriteError> {
    for one in splices {
        splice(tx, text, one.at, one.delete, &one.insert)?;
    }
    Ok(())
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

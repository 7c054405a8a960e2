//! How writers change a text that people write together: by the smallest splices, so that what others write in the same
//! text at the same time stays.

use automerge::transaction::{Transactable, Transaction};
use automerge::{ObjId, ReadDoc};

use super::WriteError;

/// Up to so many single insertions and deletions an edit is told apart from a text that was written anew.
const EDITS_MAX: usize = 1_000;

/// Makes a text say something else.
///
/// An edit becomes splices, found by comparing with the text as it is now. A text that was written anew becomes one splice
/// between what stayed at its beginning and its end: there is nothing to find letter by letter, and looking for it takes
/// time that grows with the product of both lengths.
pub(super) fn set_text(tx: &mut Transaction<'_>, text: &ObjId, new: &str) -> Result<(), WriteError> {
    let old = tx.text(text)?;
    if old == new {
        return Ok(());
    }
    let prefix = common_prefix(&old, new);
    let (_, old_rest) = old.split_at_checked(prefix).unwrap_or(("", &old));
    let (new_prefix, new_rest) = new.split_at_checked(prefix).unwrap_or(("", new));
    let suffix = common_suffix(old_rest, new_rest);
    let middle = |rest: &'_ str| rest.len().saturating_sub(suffix);
    let old_middle = old_rest.get(..middle(old_rest)).unwrap_or_default();
    let new_middle = new_rest.get(..middle(new_rest)).unwrap_or_default();
    if is_edit(old_middle, new_middle) {
        tx.update_text(text, new)?;
    } else {
        splice(tx, text, units(new_prefix), units(old_middle), new_middle)?;
    }
    // A hostile text can hold elements of several characters, which a splice takes only as a whole.
    if tx.text(text)? != new {
        let length = tx.length(text);
        splice(tx, text, 0, length, new)?;
    }
    Ok(())
}

/// Replaces so many UTF-16 code units from a position by a text. What lies behind the end is the end.
pub(super) fn splice(
    tx: &mut Transaction<'_>,
    text: &ObjId,
    at: usize,
    delete: usize,
    insert: &str,
) -> Result<(), WriteError> {
    let length = tx.length(text);
    let at = at.min(length);
    let delete = delete.min(length.saturating_sub(at));
    if delete > 0 || !insert.is_empty() {
        let delete = isize::try_from(delete).unwrap_or(isize::MAX);
        tx.splice_text(text, at, delete, insert)?;
    }
    Ok(())
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// How many bytes two texts have in common at the beginning, in whole characters.
fn common_prefix(a: &str, b: &str) -> usize {
    let mut same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    same.by_ref()
        .fold(0_usize, |bytes, (c, _)| bytes.saturating_add(c.len_utf8()))
}

/// How many bytes two texts have in common at the end, in whole characters.
fn common_suffix(a: &str, b: &str) -> usize {
    let same = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b);
    same.fold(0_usize, |bytes, (c, _)| bytes.saturating_add(c.len_utf8()))
}

/// Can one text become the other by at most [`EDITS_MAX`] insertions and deletions of a character? Myers' greedy search:
/// after so many edits, how far can each diagonal be followed.
fn is_edit(old: &str, new: &str) -> bool {
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    if old.len().abs_diff(new.len()) > EDITS_MAX {
        return false;
    }
    // Diagonal k (old position less new position) stands at `furthest[middle + k]`: how much of `old` is done on it.
    let middle = EDITS_MAX.saturating_add(1);
    let mut furthest = vec![0_usize; middle.saturating_mul(2).saturating_add(1)];
    let read = |furthest: &[usize], slot: usize| furthest.get(slot).copied().unwrap_or(0);
    for edits in 0..=EDITS_MAX {
        let lowest = middle.saturating_sub(edits);
        let highest = middle.saturating_add(edits);
        for slot in (lowest..=highest).step_by(2) {
            let by_insertion = read(&furthest, slot.saturating_add(1));
            let by_deletion = read(&furthest, slot.saturating_sub(1));
            let insert = slot == lowest || (slot != highest && by_deletion < by_insertion);
            let mut done_old = if insert {
                by_insertion
            } else {
                by_deletion.saturating_add(1)
            };
            // A diagonal left of the text's beginning cannot be reached.
            let Some(mut done_new) = done_old.saturating_add(middle).checked_sub(slot) else {
                continue;
            };
            while let (Some(a), Some(b)) = (old.get(done_old), new.get(done_new)) {
                if a != b {
                    break;
                }
                done_old = done_old.saturating_add(1);
                done_new = done_new.saturating_add(1);
            }
            if let Some(place) = furthest.get_mut(slot) {
                *place = done_old;
            }
            if done_old >= old.len() && done_new >= new.len() {
                return true;
            }
        }
    }
    false
}

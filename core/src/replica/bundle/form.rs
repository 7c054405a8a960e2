//! In which form an entry stands in a bundle.

use crate::replica::entry::EntryKind;

/// One number an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Nonce and sealed payload as they are; else the plain payload.
    pub(super) full: bool,
    /// The payload is taken apart into document and changes.
    pub(super) content: bool,
    /// What the entry holds.
    pub(super) kind: EntryKind,
    /// It is the group's founding entry.
    pub(super) founding: bool,
    /// It has seen something.
    pub(super) seen: bool,
    /// In full form, of content: the payload was erased, and its hash stands in its place. From version 2 on.
    pub(super) erased: bool,
}

impl Form {
    /// Its number.
    pub(super) const fn to_number(self) -> u64 {
        (self.full as u64)
            | ((self.content as u64) << 1)
            | (((self.kind as u8) as u64) << 2)
            | ((self.founding as u64) << 3)
            | ((self.seen as u64) << 4)
            | ((self.erased as u64) << 5)
    }

    /// From its number.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        let bit = |place: u32| number.wrapping_shr(place) & 1 == 1;
        let form = Self {
            full: bit(0),
            content: bit(1),
            kind: if bit(2) {
                EntryKind::Content
            } else {
                EntryKind::Control
            },
            founding: bit(3),
            seen: bit(4),
            erased: bit(5),
        };
        let sound = (!form.erased || (form.full && form.kind == EntryKind::Content))
            && (!form.content || (!form.full && form.kind == EntryKind::Content));
        (sound && form.to_number() == number).then_some(form)
    }
}

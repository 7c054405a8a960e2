//! Erasing: a person in what is their own, the council in what is shared.

use crate::domain::comment::Comment;
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryId, GroupId};
use crate::domain::roster::Erased;
use crate::host::keystore::Passphrase;
use crate::host::store::GroupStore;
use crate::replica::document::{Leave, said_in};
use crate::replica::erase_view::TooLate;
use crate::replica::hold::Replica;

use super::{Node, NodeError, now};

/// What this person wrote into a document that was begun anew, before they knew: they may say it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// In which document.
    pub document: DocumentId,
    /// Which entry.
    pub entry: EntryId,
    /// What was typed.
    pub text: String,
}

/// Something that was erased, and what came too late for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedCard {
    /// What, by whom, and why.
    pub erased: Erased,
    /// What was written by who did not know of it yet, and does not count; told with the last erasure of a document.
    pub late: TooLate,
}

impl Node {
    /// Erases parts of what is this person's own in a group, and all that stood there before. It takes the passphrase: who finds
    /// a laptop open cannot.
    ///
    /// # Errors
    /// Where the passphrase is wrong; see [`Replica::erase_own`].
    pub fn erase_own(
        &self,
        group: GroupId,
        passphrase: &Passphrase,
        leave: Leave<'_>,
    ) -> Result<EntryId, NodeError> {
        let person = self.recovery_words(passphrase)?.person_key();
        self.change(group, |replica| replica.erase_own(&person, leave, now()))
    }

    /// Proposes to the council to erase what stood in a shared document before.
    pub(super) fn erase_shared(
        &self,
        group: GroupId,
        document: DocumentId,
        reason: &str,
    ) -> Result<EntryId, NodeError> {
        self.change(group, |replica| replica.propose_erasure(document, reason, now()))
    }

    /// What this person said about ideas in a group.
    ///
    /// # Errors
    /// See [`Node::erased`].
    pub fn own_comments(&self, group: GroupId) -> Result<Vec<Comment>, NodeError> {
        let me = self.me().person;
        self.with_group(group, |replica| Ok(replica.comments_of(me)?))
    }

    /// What was erased in a group, the newest first by their authors' clocks.
    ///
    /// # Errors
    /// Where there is no such group, or the store fails.
    pub fn erased(&self, group: GroupId) -> Result<Vec<ErasedCard>, NodeError> {
        let me = self.me().person;
        self.with_group(group, |replica| {
            let late = replica.too_late(me)?;
            let roster = replica.roster();
            let told = roster.erased().into_iter().map(|erased| {
                let is_last = roster.generation(erased.document) == Some(erased.act);
                let late = late.get(&erased.document).filter(|_| is_last);
                ErasedCard {
                    late: late.copied().unwrap_or_default(),
                    erased,
                }
            });
            let mut cards: Vec<ErasedCard> = told.collect();
            cards.sort_by_key(|card| (std::cmp::Reverse(card.erased.at), card.erased.act));
            Ok(cards)
        })
    }

    /// What this person wrote before they knew of an erasure, and does not count.
    ///
    /// # Errors
    /// See [`Node::erased`].
    pub fn came_too_late(&self, group: GroupId) -> Result<Vec<Late>, NodeError> {
        let me = self.me().person;
        self.with_group(group, |replica| {
            let late = replica.came_too_late(me)?;
            Ok(late
                .into_iter()
                .map(|(document, entry, changes)| Late {
                    document,
                    entry,
                    text: said_in(&changes),
                })
                .collect())
        })
    }
}

/// Where something was erased, it goes from the file. That it fails for now is no reason to fail: it is done the next time.
pub(super) fn wipe(replica: &mut Replica<GroupStore>) {
    if let Err(error) = replica.wipe_erased() {
        tracing::warn!("what was erased is not overwritten yet: {error}");
    }
}

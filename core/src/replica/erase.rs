//! What was erased, on this device: payloads are dropped here and never taken in again, and documents begin anew with what
//! was left of them. Which entries and which generation, the roster says (`domain::roster`, `erase.rs`).

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;

use crate::domain::admission::{Admission, admission};
use crate::domain::control::{ControlAct, CouncilAct, Erase, Erasure};
use crate::domain::document::{DocumentId, Eraser};
use crate::domain::erasure::Part;
use crate::domain::id::{EntryId, EntryNumber, JournalId, PersonId, Timestamp};
use crate::domain::roster::{Moment, Roster};
use crate::planted::{Bug, Guard, is_off, is_on};

use super::actions::ActionError;
use super::codec::Blob;
use super::content::Content;
use super::control::{erase_bytes, sign};
use super::document::{Document, Leave};
use super::entry::{Entry, EntryKind, Header};
use super::erase_view::require_few;
use super::gate::{Checked, DocumentPast};
use super::hold::{Replica, ReplicaError};
use super::receive::{Batch, CarrierFault, ReceiveError};
use super::storage::{Held, Standing, Storage, Write};

type Place = (JournalId, EntryNumber);

/// To which generation of its document an entry belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// To the one that is read.
    Present,
    /// To that, too: it begins with it.
    Begins,
    /// To another one.
    Other,
}

impl<S: Storage> Replica<S> {
    /// Erases, in this person's own document, these parts or everything, and all that stood there before.
    ///
    /// # Errors
    /// Where it is another person's key, there is nothing to erase, or the storage fails.
    pub fn erase_own(
        &mut self,
        person: &SigningKey,
        leave: Leave<'_>,
        at: Timestamp,
    ) -> Result<EntryId, ActionError> {
        let me = self.me().ok_or(ReplicaError::NotWriting)?.person;
        if person.verifying_key().to_bytes() != me.0 {
            return Err(ReplicaError::NotAllowed(crate::domain::roster::NotOk::NotTheirs).into());
        }
        self.require_parts(me, leave)?;
        let (erasure, place, rest) = self.erasure_of(DocumentId::Own(me), leave, at)?;
        let message = erase_bytes(self.group(), place.0, place.1, &erasure, at);
        let erase = Erase {
            erasure,
            at,
            person_signature: sign(person, &message),
        };
        self.erase_with(rest, |replica| Ok(replica.write_act(ControlAct::Erase(erase))?))
    }

    /// Proposes to the council to erase what stood in a shared document before: what stands there now stays.
    ///
    /// # Errors
    /// Where the document is not shared or not theirs to write, there is nothing to erase, the reason is too long, or the storage fails.
    pub fn propose_erasure(
        &mut self,
        document: DocumentId,
        reason: &str,
        at: Timestamp,
    ) -> Result<EntryId, ActionError> {
        if document.erased_by() != Some(Eraser::Council) {
            return Err(not_found("shared document", &document));
        }
        let me = self.me();
        if let Admission::Quarantine(reason) = admission(me.as_ref(), &document) {
            return Err(ReplicaError::MayNotWrite(reason).into());
        }
        let (erasure, _, rest) = self.erasure_of(document, Leave::Parts(&BTreeSet::new()), at)?;
        self.erase_with(rest, |replica| {
            replica.propose(CouncilAct::Erase(erasure), reason, at)
        })
    }

    /// The act and, behind it in one commit, what is left. Where it takes effect at once, what goes is gone afterwards.
    fn erase_with(
        &mut self,
        rest: Content,
        act: impl FnOnce(&mut Self) -> Result<EntryId, ActionError>,
    ) -> Result<EntryId, ActionError> {
        let id = self.at_once(|replica| {
            let id = act(replica)?;
            replica.leave_unsigned(id);
            replica.store_rest(&rest)?;
            Ok::<_, ActionError>(id)
        })?;
        if self.reckons_otherwise() {
            self.rebuild()?;
        }
        Ok(id)
    }

    /// The signature of what is left vouches for the act, too: so nobody can carry the act alone, and leave a document with nothing
    /// where the other entry is lost.
    fn leave_unsigned(&mut self, act: EntryId) {
        for write in self.held_back.iter_mut().flatten() {
            if let Write::Entry(held) = write
                && held.entry.id == act
            {
                held.entry.signature = None;
            }
        }
    }

    /// What this person wrote into a document before they knew that something in it was erased, and may write again.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn came_too_late(
        &self,
        person: PersonId,
    ) -> Result<Vec<(DocumentId, EntryId, Vec<Blob>)>, ReplicaError> {
        let mut late = Vec::new();
        for held in self.written_too_late()? {
            let author = self.roster.author(held.entry.header.journal);
            if author.is_some_and(|author| author.person == person) {
                let content = self.content(&held.entry);
                late.extend(content.map(|content| (content.document, held.entry.id, content.changes)));
            }
        }
        Ok(late)
    }

    /// What was written for an earlier generation of its document, but for what was left by an erasure.
    pub(super) fn written_too_late(&self) -> Result<Vec<Held>, ReplicaError> {
        let mut late = self.storage.superseded()?;
        late.retain(|held| self.roster.erasure(held.entry.header.prev).is_none());
        Ok(late)
    }

    fn require_parts(&mut self, me: PersonId, leave: Leave<'_>) -> Result<(), ActionError> {
        let Leave::Parts(parts) = leave else { return Ok(()) };
        let page = super::document::own::read(self.document(DocumentId::Own(me))?, me).value;
        for part in parts {
            if let Part::Comment(id) = part
                && !page.comments.iter().any(|comment| comment.id == *id)
            {
                return Err(not_found("comment of yours", id));
            }
        }
        Ok(())
    }

    /// What goes, the place at which the act will stand, and what is left.
    fn erasure_of(
        &mut self,
        id: DocumentId,
        leave: Leave<'_>,
        at: Timestamp,
    ) -> Result<(Erasure, Place, Content), ActionError> {
        let journal = self.own_journal().ok_or(ReplicaError::NotWriting)?;
        let head = self.head(journal).ok_or(ReplicaError::NotWriting)?;
        let place = (journal, head.0.next());
        let mut entries = self.storage.entries_about(id).map_err(ReplicaError::from)?;
        entries.extend(self.aside_about(id));
        if entries.is_empty() {
            return Err(not_found("text to erase in", &id));
        }
        require_few(entries.len())?;
        let document = self.document(id)?;
        let origin = document.origin();
        let mut next = Document::of_generation(id.kind(), place, origin);
        let past = DocumentPast::from_changes(&next.changes());
        let rest = document.rest_in(&mut next, journal, at, leave)?;
        let rest =
            rest.ok_or_else(|| ReplicaError::OwnWorkRefused("nothing is said to be left".to_owned()))?;
        // The same gate that others will put it through. What passes it fits into an entry.
        past.check(journal, &rest)
            .map_err(|refusal| ActionError::TooMuchLeft(refusal.to_string()))?;
        let erasure = Erasure {
            document: id,
            entries,
            origin,
        };
        let rest = Content {
            document: id,
            changes: vec![Blob(rest)],
        };
        Ok((erasure, place, rest))
    }

    /// A document as its present generation begins. Where what was left of the one before lies only on a branch that does not
    /// count, with that.
    pub(super) fn fresh(&self, id: DocumentId) -> Result<Document, ReplicaError> {
        let act = self.roster.generation(id);
        let begun = act.and_then(|act| Some((act, self.roster.erasure(act)?, self.roster.place_of(act)?)));
        let Some((act, erasure, place)) = begun else {
            return Ok(Document::new(id.kind()));
        };
        let mut document = Document::of_generation(id.kind(), place, erasure.origin);
        if let Some(raw) = self.rest_aside(id, act, place)? {
            let past = DocumentPast::from_changes(&document.changes());
            if let Ok(Checked::Ready(change)) = past.check(place.0, &raw) {
                document.apply(vec![change.into_change()])?;
            }
        }
        Ok(document)
    }

    /// What was left of a document, where no entry on the branch that counts says it: by the branch that begins with the smaller
    /// id, as where nobody built on any.
    fn rest_aside(
        &self,
        document: DocumentId,
        act: EntryId,
        (journal, number): Place,
    ) -> Result<Option<Vec<u8>>, ReplicaError> {
        let Some(aside) = self.aside.get(&journal) else {
            return Ok(None);
        };
        let rest = |entry: &Entry| {
            let follows = entry.header.prev == act && entry.header.kind == EntryKind::Content;
            let content = follows.then(|| self.content(entry)).flatten()?;
            (content.document == document).then_some(content.changes)
        };
        let counting = self.storage.entry(journal, number.next())?;
        if counting.is_some_and(|held| rest(&held.entry).is_some()) {
            return Ok(None);
        }
        let rest = aside.values().find_map(rest);
        Ok(rest
            .and_then(|changes| changes.into_iter().next())
            .map(|Blob(raw)| raw))
    }

    /// To which generation of a document an entry belongs. What is left of one belongs to the next, although its author could not
    /// know yet that there would be one.
    pub(super) fn generation_of(&self, document: DocumentId, header: &Header, known: &Moment) -> Generation {
        let now = self.roster.generation(document);
        let before = self.roster.erasure(header.prev);
        if before.is_some_and(|erasure| erasure.document == document) && !is_on(Bug::RestTooLate) {
            return if now == Some(header.prev) {
                Generation::Begins
            } else {
                Generation::Other
            };
        }
        if now.is_none() || self.roster.generation_at(document, known) == now {
            Generation::Present
        } else {
            Generation::Other
        }
    }

    /// Is this entry, about this document, erased?
    pub(super) fn is_erased(&self, entry: &Entry, document: DocumentId) -> bool {
        let again = is_off(Guard::EraseAgain) && !self.rebuilding;
        let again = again || is_on(Bug::ErasedKept);
        entry.sealed.is_empty() || (self.roster.is_erased(entry.id, entry.header.journal, document) && !again)
    }

    /// What is left of an entry that is erased: judged as one that counts for nothing and is kept.
    pub(super) fn left_of(&mut self, mut held: Held) -> Held {
        // It has had its place in the order of what came: what comes later does not take it.
        self.last_order = self.last_order.saturating_add(1);
        held.standing = Standing::Erased;
        held.changes = 0;
        let journal = held.entry.header.journal;
        held.document = held
            .document
            .or_else(|| self.roster.erased_in(held.entry.id, journal));
        held.entry = held.entry.without_payload();
        held
    }

    /// Somebody brings what is in an entry of which only the header is here, and it is not about what was said to be erased: it
    /// was kept back.
    pub(super) fn fill(&mut self, batch: &mut Batch, entry: &Entry) -> Result<(), ReplicaError> {
        let header = &entry.header;
        if self.roster.erased_in(entry.id, header.journal).is_none() || entry.sealed.is_empty() {
            return Ok(());
        }
        if self.is_aside(header.journal, entry.id) {
            self.fill_aside(batch, entry);
            return Ok(());
        }
        let held = self.storage.entry(header.journal, header.number)?;
        let bare = held.is_some_and(|held| held.entry.id == entry.id && held.entry.sealed.is_empty());
        // What cannot be read is about nothing, or is judged once it can be.
        let content = self.content(entry);
        let is_erased = |content: &Content| self.roster.is_erased(entry.id, header.journal, content.document);
        if bare && !content.as_ref().is_some_and(is_erased) {
            batch.note_stored(entry);
            batch.writes.push(Write::Payload(Box::new(entry.clone())));
            if let Some(content) = content {
                let changes = u32::try_from(content.changes.len()).unwrap_or(u32::MAX);
                let read = Write::Read(header.journal, header.number, content.document, changes);
                batch.writes.push(read);
            }
            batch.undo = true;
        }
        Ok(())
    }

    /// Without their payload only entries are taken in of which an act that is here says that they are erased. Else whoever
    /// carries them could keep back what they like.
    pub(super) fn check_erased(&mut self, batch: &Batch) -> Result<(), ReceiveError> {
        let bare = &batch.without_payload;
        let unlisted = |roster: &Roster| -> BTreeSet<EntryId> {
            let listed = |(id, journal): &&(EntryId, JournalId)| roster.erased_in(*id, *journal).is_some();
            let unlisted = bare.iter().filter(|entry| !listed(entry));
            unlisted.map(|(id, _)| *id).collect()
        };
        let mut missing = unlisted(&self.roster);
        if !missing.is_empty() && batch.undo {
            // The act may have come before the key that opens it.
            let still = unlisted(&self.roster_once_read(&batch.writes)?);
            missing.retain(|entry| still.contains(entry));
        }
        let first = missing.first().copied();
        match first {
            Some(entry) if !is_off(Guard::EraseListed) => {
                // What is left out may be the act that names something else.
                if self.leaves_out || self.has_unread_act(&batch.writes)? {
                    self.unproven = missing;
                }
                Err(CarrierFault::PayloadMissing { entry }.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The roster as it will be once everything is judged anew with the keys that are held now.
    fn roster_once_read(&self, coming: &[Write]) -> Result<Roster, ReplicaError> {
        let mut left = self.storage.control()?;
        left.extend(coming.iter().filter_map(|write| {
            let Write::Entry(held) = write else { return None };
            (held.entry.header.kind == EntryKind::Control).then(|| Held::clone(held))
        }));
        let mut roster = Roster::default();
        let mut aside = self.control_aside(&roster, coming)?;
        loop {
            let before = left.len().saturating_add(aside.len());
            let mut behind = BTreeSet::new();
            left.retain(|held| {
                let header = &held.entry.header;
                let waits = behind.contains(&header.journal);
                let act = (!waits).then(|| self.signed_act(&held.entry)).flatten();
                let counts =
                    |act: &ControlAct| held.standing != Standing::Void || roster.is_about_erasing(act);
                let act = act.filter(counts).unwrap_or(ControlAct::Void);
                let waits = waits
                    || roster
                        .insert(held.entry.as_control(held.seen.clone(), act))
                        .is_err();
                if waits {
                    behind.insert(header.journal);
                }
                waits
            });
            aside.retain(|(entry, previous)| roster.insert_beside(entry.clone(), *previous).is_err());
            if left.len().saturating_add(aside.len()) == before {
                return Ok(roster);
            }
        }
    }
}

fn not_found(what: &'static str, id: &impl ToString) -> ActionError {
    ActionError::NotFound {
        what,
        id: id.to_string(),
    }
}

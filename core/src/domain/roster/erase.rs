//! What was erased, and with which generation of a document its entries count.
//!
//! An erasure is allowed or not in its own past, like every act (R2). Where it was, it stays so whatever ends its author's
//! place later: text that is gone cannot be brought back by a removal, and copies that heard of the two in another order
//! would differ for ever. So a person's own erasure is signed with their person key, which no thief of a laptop has; and
//! one by the council takes effect with the signature that carries it. For the same reason it counts wherever it stands: behind
//! the end of a journal, and on a branch that does not count (`beside`).
//!
//! Each begins a new generation of its document. An entry counts in the generation that its author knew of, and only the
//! last one is read: that of the act which knew of the others, whenever they were carried; of several apart from each other
//! the one whose act has the smallest id.

use std::collections::{BTreeMap, BTreeSet};

use crate::planted::{Bug, Guard, is_off, is_on};

use super::super::admission::{Admission, admission};
use super::super::control::{ControlAct, ControlEntry, Erasure};
use super::super::document::{DocumentId, Eraser};
use super::super::id::{EntryId, JournalId, PersonId, Timestamp};
use super::moment::Moment;
use super::{Author, Judged, Roster};

/// All that was erased.
#[derive(Debug, Clone, Default)]
pub(super) struct Erasures {
    /// The acts about each document, by the entry with which each took effect.
    acts: BTreeMap<DocumentId, BTreeMap<EntryId, Effect>>,
    /// Of the acts about each document those that no other comes after.
    last: BTreeMap<DocumentId, BTreeSet<EntryId>>,
    /// The entries that are named, each with the documents it is said to be about.
    entries: BTreeMap<EntryId, BTreeSet<DocumentId>>,
}

/// An act that has taken effect.
#[derive(Debug, Clone)]
struct Effect {
    act: EntryId,
    /// Who brought that about.
    by: BTreeSet<PersonId>,
}

/// An erasure as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The act: an `erase` or a motion.
    pub act: EntryId,
    /// In which document.
    pub document: DocumentId,
    /// Who erased, or who proposed it and who signed.
    pub by: BTreeSet<PersonId>,
    /// Why, where the council did.
    pub reason: Option<String>,
    /// When, by its author's clock.
    pub at: Timestamp,
    /// How many entries it names.
    pub entries: usize,
}

impl Erasures {
    /// Notes an act about a document which takes effect with an entry.
    fn note(&mut self, takes_effect: EntryId, effect: Effect, erasure: &Erasure) {
        let acts = self.acts.entry(erasure.document).or_default();
        acts.insert(takes_effect, effect);
        for entry in &erasure.entries {
            self.entries.entry(*entry).or_default().insert(erasure.document);
        }
    }
}

impl Roster {
    /// Is this entry of a journal erased, if it is about this document?
    #[must_use]
    pub fn is_erased(&self, entry: EntryId, journal: JournalId, document: DocumentId) -> bool {
        let named = self.erasures.entries.get(&entry);
        named.is_some_and(|documents| {
            let is_named = documents.contains(&document) && self.can_be_in(journal, document);
            is_named || is_off(Guard::EraseDocument)
        })
    }

    /// The document that an entry of a journal is said to be about by who had it erased; none where nobody had.
    #[must_use]
    pub fn erased_in(&self, entry: EntryId, journal: JournalId) -> Option<DocumentId> {
        let mut documents = self.erasures.entries.get(&entry)?.iter();
        documents
            .find(|document| self.can_be_in(journal, **document))
            .copied()
    }

    /// In their own document each has written alone. Else anybody could name what others wrote, and have it kept back by
    /// whoever knows only its header.
    pub(super) fn can_be_in(&self, journal: JournalId, document: DocumentId) -> bool {
        let Some(Eraser::Owner(owner)) = document.erased_by() else {
            return true;
        };
        self.firsts(journal).any(|first| self.began(first) == Some(owner))
    }

    /// Whose device began a journal, as the grant says that its first entry names: whether that grant holds, or either lies on a
    /// branch that does not count, says nothing about who wrote there.
    fn began(&self, first: &ControlEntry) -> Option<PersonId> {
        if let ControlAct::Found(found) = &first.act {
            return Some(found.founder.person);
        }
        let ControlAct::Open(open) = &first.act else {
            return None;
        };
        let device = self.act_as_written(open.grant)?.device()?;
        (first.seen.contains(&open.grant) && device.device == open.device).then_some(device.person)
    }

    /// How many erasures have taken effect: while that stays the same, so does what is erased.
    #[must_use]
    pub fn erasures(&self) -> usize {
        self.erasures.acts.values().map(BTreeMap::len).sum()
    }

    /// The erasures that have taken effect, by document; for each act once.
    #[must_use]
    pub fn erased(&self) -> Vec<Erased> {
        let all = self.erasures.acts.iter().flat_map(|(document, acts)| {
            let mut by: BTreeMap<EntryId, BTreeSet<PersonId>> = BTreeMap::new();
            for effect in acts.values() {
                by.entry(effect.act).or_default().extend(&effect.by);
            }
            let told = by.into_iter();
            told.filter_map(|(act, by)| self.told(*document, act, by))
        });
        all.collect()
    }

    fn told(&self, document: DocumentId, act: EntryId, by: BTreeSet<PersonId>) -> Option<Erased> {
        let said = self.act(act)?;
        let erasure = said.erasure()?;
        let (at, reason) = if let ControlAct::Motion(motion) = said {
            (motion.at, Some(motion.reason.clone()))
        } else if let ControlAct::Erase(erase) = said {
            (erase.at, None)
        } else {
            return None;
        };
        Some(Erased {
            act,
            document,
            by: by.into_iter().chain(self.signers(act)).collect(),
            reason,
            at,
            entries: erasure.entries.len(),
        })
    }

    /// Who signed a motion, its author with them.
    pub(super) fn signers(&self, motion: EntryId) -> impl Iterator<Item = PersonId> {
        let signed = self.signed.get(&motion).into_iter().flatten();
        signed.filter_map(|sign| Some(self.entries.get(sign)?.basis.chain?.person))
    }

    /// Does an act say what is erased, or sign that? It says so wherever it stands, and nothing else does where nothing counts.
    #[must_use]
    pub fn is_about_erasing(&self, act: &ControlAct) -> bool {
        let erases = |act: &ControlAct| act.erasure().is_some();
        if let ControlAct::Sign(sign) = act {
            self.act(sign.motion).is_some_and(erases)
        } else {
            erases(act)
        }
    }

    /// The act that the present generation of a document begins with; none where nothing in it was ever erased.
    #[must_use]
    pub fn generation(&self, document: DocumentId) -> Option<EntryId> {
        self.erasures.last.get(&document)?.first().copied()
    }

    /// The same as somebody knew it.
    #[must_use]
    pub fn generation_at(&self, document: DocumentId, known: &Moment) -> Option<EntryId> {
        let acts = self.erasures.acts.get(&document)?.iter();
        let in_effect = acts.filter(|(effect, _)| {
            let effect = self.entries.get(effect);
            effect.is_some_and(|effect| self.reaches(&known.reach, effect))
        });
        let acts: BTreeSet<EntryId> = in_effect.map(|(_, effect)| effect.act).collect();
        let mut acts: Vec<&Judged> = acts.iter().filter_map(|act| self.entries.get(act)).collect();
        // Each before its past: what none of the last comes after is one of them.
        acts.sort_by_key(|act| std::cmp::Reverse(act.order));
        acts.truncate(if is_on(Bug::GenerationByArrival) {
            1
        } else {
            usize::MAX
        });
        let mut last: Vec<&Judged> = Vec::new();
        for act in acts {
            if !last.iter().any(|later| self.reaches(&later.moment.reach, act)) {
                last.push(act);
            }
        }
        last.iter().map(|act| act.entry.id).min()
    }

    /// What an act takes away and leaves.
    #[must_use]
    pub fn erasure(&self, act: EntryId) -> Option<&Erasure> {
        self.act(act)?.erasure()
    }

    /// The document of which an act has begun the present generation: what is left of it stands in the entry that follows the act.
    #[must_use]
    pub fn begins(&self, act: EntryId) -> Option<DocumentId> {
        let document = self.erasure(act)?.document;
        (self.generation(document) == Some(act)).then_some(document)
    }

    /// Where an entry puts an act into effect that erases, what that names is erased.
    pub(super) fn note_erased(&mut self, judged: &Judged) {
        let Some((act, by)) = self.erases(judged) else {
            return;
        };
        let id = judged.entry.id;
        let said = if act == id {
            Some(judged)
        } else {
            self.entries.get(&act)
        };
        if let Some(said) = said
            && let Some(erasure) = said.entry.act.erasure()
        {
            let last = self.last_with(said, erasure.document);
            self.erasures.note(id, Effect { act, by }, erasure);
            self.erasures.last.insert(erasure.document, last);
        }
    }

    /// Of the acts about a document, this one with them, those that no other comes after. One comes after another where its author
    /// knew of that one, in effect yet or not: it may name what that one left.
    fn last_with(&self, act: &Judged, document: DocumentId) -> BTreeSet<EntryId> {
        let id = act.entry.id;
        if is_on(Bug::GenerationByArrival) {
            return BTreeSet::from([id]);
        }
        let is_after = |later: &Judged, earlier: &Judged| {
            later.entry.id != earlier.entry.id && self.reaches(&later.moment.reach, earlier)
        };
        let last = self.erasures.last.get(&document).into_iter().flatten();
        let others: Vec<&Judged> = last.filter_map(|other| self.entries.get(other)).collect();
        let is_last = !others.iter().any(|other| is_after(other, act));
        let before = others.iter().filter(|other| !is_after(act, other));
        before
            .map(|other| other.entry.id)
            .chain(is_last.then_some(id))
            .collect()
    }
}

/// May this person by themselves have something in this document erased?
pub(super) fn is_theirs(document: DocumentId, person: PersonId) -> bool {
    match document.erased_by() {
        Some(Eraser::Owner(owner)) => owner == person || is_off(Guard::EraseOwn),
        Some(Eraser::Council) => is_off(Guard::EraseOwn),
        None => false,
    }
}

/// May the council have something in this document erased, as this author proposes? What is left they write themselves: where
/// they may not, it would not count, and nothing were left.
pub(super) fn is_shared(document: DocumentId, author: &Author) -> bool {
    match document.erased_by() {
        Some(Eraser::Council) => admission(Some(author), &document) == Admission::Admit,
        Some(Eraser::Owner(_)) => is_off(Guard::EraseOwn),
        None => false,
    }
}

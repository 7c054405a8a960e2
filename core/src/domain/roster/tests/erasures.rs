//! Over generated histories: what is erased is a matter of the set of entries, nobody erases what is not theirs to erase,
//! and what is gone stays gone.

use proptest::prelude::*;

use super::super::*;
use super::histories::History;
use super::oracle::Oracle;
use super::properties::Checked;
use crate::domain::document::DocumentId;

/// An entry, in a journal, about a document.
type Piece = (EntryId, JournalId, DocumentId);

/// All that these acts could erase: what each of them names, in every journal and every document.
fn pieces(entries: &[ControlEntry]) -> BTreeSet<Piece> {
    let erasures = || entries.iter().filter_map(|entry| entry.act.erasure());
    let documents: BTreeSet<DocumentId> = erasures().map(|erasure| erasure.document).collect();
    let named: BTreeSet<EntryId> = erasures().flat_map(|erasure| &erasure.entries).copied().collect();
    let journals: BTreeSet<JournalId> = entries.iter().map(|entry| entry.journal).collect();
    let mut all = BTreeSet::new();
    for entry in &named {
        for journal in &journals {
            all.extend(documents.iter().map(|document| (*entry, *journal, *document)));
        }
    }
    all
}

/// Of these, what is erased.
fn erased(roster: &Roster, pieces: &BTreeSet<Piece>) -> BTreeSet<Piece> {
    let is_erased = |(entry, journal, document): &&Piece| roster.is_erased(*entry, *journal, *document);
    pieces.iter().filter(is_erased).copied().collect()
}

fn documents(entries: &[ControlEntry]) -> BTreeSet<DocumentId> {
    let erasures = entries.iter().filter_map(|entry| entry.act.erasure());
    erasures.map(|erasure| erasure.document).collect()
}

/// What a roster says of erasures, in lines.
pub(super) fn answers(roster: &Roster, entries: &[ControlEntry]) -> String {
    use std::fmt::Write;
    let mut all = String::new();
    writeln!(all, "{} {:?}", roster.erasures(), roster.erased()).unwrap();
    for document in documents(entries) {
        writeln!(all, "{document} {:?}", roster.generation(document)).unwrap();
    }
    let pieces = pieces(entries);
    writeln!(all, "{:?}", erased(roster, &pieces)).unwrap();
    for (entry, journal, _) in pieces {
        writeln!(all, "{:?}", roster.erased_in(entry, journal)).unwrap();
    }
    all
}

/// The engine says what the definitions say, for all of it and as each author knew it.
pub(super) fn agrees(roster: &Roster, oracle: &Oracle, entries: &[ControlEntry]) -> Checked {
    let all = oracle.everything();
    prop_assert_eq!(roster.erasures(), oracle.erasures(all).len());
    let pieces = pieces(entries);
    let by_definition = pieces
        .iter()
        .filter(|(entry, journal, document)| oracle.is_erased(all, *entry, *journal, *document));
    prop_assert_eq!(erased(roster, &pieces), by_definition.copied().collect());
    for document in documents(entries) {
        prop_assert_eq!(
            roster.generation(document),
            oracle.generation(all, document),
            "generation of {}",
            document
        );
        for (at, entry) in entries.iter().enumerate() {
            let number = EntryNumber(entry.number.0 + 1);
            let seen = BTreeSet::from([entries[at / 2].id]);
            let known = roster.known(entry.journal, number, &seen);
            let by_definition = oracle.generation(oracle.past(at) | oracle.past(at / 2), document);
            prop_assert_eq!(
                roster.generation_at(document, &known),
                by_definition,
                "generation of {} as known after {}",
                document,
                at
            );
        }
    }
    Ok(())
}

/// What is erased by some is erased by all.
pub(super) fn are_within(some: &Roster, all: &Roster, entries: &[ControlEntry]) -> Checked {
    let pieces = pieces(entries);
    prop_assert!(erased(some, &pieces).is_subset(&erased(all, &pieces)));
    Ok(())
}

/// Nobody erases in somebody else's own document, nor anything in which votes stand.
pub(super) fn nobody_erases_what_others_own(history: &History, oracle: &Oracle) -> Checked {
    let roster = &history.roster;
    let person = |journal: JournalId| roster.author(journal).map(|author| author.person);
    for entry in &history.entries {
        let is_ok = roster.verdict(entry.id) == Some(Ok(()));
        if let (ControlAct::Erase(erase), true) = (&entry.act, is_ok) {
            prop_assert_eq!(
                erase.erasure.document.owner(),
                person(entry.journal),
                "{:?}",
                entry
            );
        }
    }
    let theirs_to_erase = |piece: &Piece, owner: PersonId| {
        history.entries.iter().any(|entry| {
            let erasure = entry.act.erasure();
            person(entry.journal) == Some(owner)
                && erasure.is_some_and(|said| said.document == piece.2 && said.entries.contains(&piece.0))
        })
    };
    for piece in erased(roster, &pieces(&history.entries)) {
        prop_assert!(!matches!(piece.2, DocumentId::Vote(_)), "{:?}", piece);
        if let Some(owner) = piece.2.owner() {
            let began = oracle.person_of_journal(oracle.everything(), piece.1);
            prop_assert_eq!(began, Some(owner), "{:?}", piece);
            prop_assert!(theirs_to_erase(&piece, owner), "{:?}", piece);
        }
    }
    Ok(())
}

/// In a shared document nobody erases alone where, as the last to sign knew, others have a say.
pub(super) fn nobody_erases_alone_what_is_shared(history: &History, oracle: &Oracle) -> Checked {
    let roster = &history.roster;
    for (motion, by) in oracle.erasures(oracle.everything()) {
        let document = history.entries[motion].act.erasure().unwrap().document;
        if document.owner().is_some() {
            continue;
        }
        let past: Vec<usize> = super::oracle::places(history.past_of(by)).collect();
        let before: Vec<EntryId> = past
            .iter()
            .filter(|at| **at != by)
            .map(|at| history.entries[*at].id)
            .collect();
        let persons = roster.persons_at(&before).unwrap();
        let stewards = persons.values().filter(|person| person.role == Role::Steward);
        let voices = persons.values().filter(|person| person.has_voice).count();
        let signs = |at: &usize| match &history.entries[*at].act {
            ControlAct::Motion(_) => *at == motion,
            ControlAct::Sign(sign) => sign.motion == history.entries[motion].id,
            _ => false,
        };
        let signers = past.iter().filter(|at| signs(at));
        let signers: BTreeSet<PersonId> = signers
            .filter_map(|at| roster.author(history.entries[*at].journal))
            .map(|author| author.person)
            .collect();
        prop_assert!(
            signers.len() > 1 || stewards.count().min(voices) < 2,
            "{:?} alone has {} erased in {}",
            signers,
            motion,
            document
        );
    }
    Ok(())
}

/// Whatever comes later, removals of those who erased among it.
pub(super) fn what_is_gone_stays_gone(history: &History) -> Checked {
    let pieces = pieces(&history.entries);
    let mut roster = Roster::default();
    let (mut count, mut gone) = (0, BTreeSet::new());
    for entry in &history.entries {
        roster.insert(entry.clone()).unwrap().ok();
        if roster.erasures() == count {
            continue;
        }
        prop_assert!(roster.erasures() > count);
        count = roster.erasures();
        let now = erased(&roster, &pieces);
        prop_assert!(gone.is_subset(&now), "{:?} came back with {:?}", gone, entry);
        gone = now;
    }
    prop_assert!(gone.is_subset(&erased(&history.roster, &pieces)));
    Ok(())
}

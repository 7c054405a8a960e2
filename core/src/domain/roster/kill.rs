//! R3 and R4: what a kill ends, how far what was written before still counts, and which of two goes first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::planted::{Guard, is_off};

use super::super::control::{ControlAct, Cut};
use super::super::id::{EntryId, EntryNumber, JournalId, PersonId};
use super::{Judged, Roster};

/// What can end, by the entry that granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tenure {
    /// A membership: a `found` or `admit`.
    Membership(EntryId),
    /// A device in a membership: a `found`, `admit` or `enrol`.
    Enrolment(EntryId),
    /// A role: a `found`, an `admit` or the motion that promoted.
    Role(EntryId),
    /// An invitation.
    Invitation(EntryId),
}

/// Whose act a kill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The council's.
    Council,
    /// The person leaves, as a device says that so many enrolments lie before.
    Leave { enrolments: usize },
    /// The person retires a device or withdraws an invitation, as such a device says.
    Own { enrolments: usize },
}

/// An act that ends a tenure.
#[derive(Debug, Clone)]
pub(super) struct Kill {
    pub(super) tenure: Tenure,
    /// How far each journal counts by what its signers hold.
    pub(super) cut: BTreeMap<JournalId, EntryNumber>,
    pub(super) weight: Weight,
}

/// The order of R4: the smallest is the heaviest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight {
    kind: Kind,
    /// How many of the signers the killed person knew and did not bring in.
    known: Reverse<usize>,
    /// How many grants lie between the founding and the nearest signer.
    nearest: usize,
    id: EntryId,
}

/// How far journals count by all of several cuts.
pub(super) fn furthest<'a>(cuts: impl Iterator<Item = &'a Cut>) -> BTreeMap<JournalId, EntryNumber> {
    let mut furthest: BTreeMap<JournalId, EntryNumber> = BTreeMap::new();
    for (journal, (number, _)) in cuts.flatten() {
        let to = furthest.entry(*journal).or_insert(*number);
        *to = (*to).max(*number);
    }
    furthest
}

impl Roster {
    /// Builds the kill that an entry is. `signers` are the memberships by which it was signed.
    pub(super) fn kill(
        &self,
        id: EntryId,
        past: &super::past::Reach,
        tenure: Tenure,
        kind: Kind,
        cut: BTreeMap<JournalId, EntryNumber>,
        signers: &[EntryId],
    ) -> Kill {
        let weight = match self.holder(tenure) {
            Some(killed) => Weight {
                kind,
                known: Reverse(self.known_signers(killed, past, signers)),
                nearest: signers
                    .iter()
                    .map(|signer| self.line(*signer).count())
                    .min()
                    .unwrap_or(usize::MAX),
                id,
            },
            None => Weight {
                kind,
                known: Reverse(0),
                nearest: usize::MAX,
                id,
            },
        };
        Kill { tenure, cut, weight }
    }

    /// The signers' memberships that the killed person knew, as their journals show in the kill's past, and into which no
    /// line of grants leads through them.
    fn known_signers(&self, killed: PersonId, past: &super::past::Reach, signers: &[EntryId]) -> usize {
        let journals = self.journals_of_person(killed);
        let last: Vec<&Judged> = journals
            .filter_map(|journal| self.last_reached(journal, past))
            .collect();
        let knew = |signer: &&EntryId| {
            let grant = self.entries.get(signer);
            grant.is_some_and(|grant| last.iter().any(|entry| self.reaches(&entry.moment.reach, grant)))
        };
        let strangers = |signer: &&EntryId| {
            !self
                .line(**signer)
                .skip(1)
                .any(|membership| self.person_of(membership) == Some(killed))
        };
        let counted: BTreeSet<PersonId> = signers
            .iter()
            .filter(knew)
            .filter(strangers)
            .filter_map(|signer| self.person_of(*signer))
            .collect();
        counted.len()
    }

    /// A membership, the one that let it in, and so on back to the founding.
    pub(super) fn line(&self, membership: EntryId) -> impl Iterator<Item = EntryId> + '_ {
        let inviter = |at: &EntryId| {
            let chain = self.entries.get(at)?.basis.chain?;
            // The founding leads to itself.
            (chain.membership != *at).then_some(chain.membership)
        };
        std::iter::successors(Some(membership), inviter)
    }

    /// How many enrolments lie between the admission of a person and one of their devices.
    pub(super) fn enrolments_before(&self, enrolment: EntryId) -> usize {
        let enroller = |at: &EntryId| {
            let judged = self.entries.get(at)?;
            let enrols = matches!(judged.entry.act, ControlAct::Enrol(_));
            enrols.then_some(judged.basis.chain?.enrolment)
        };
        std::iter::successors(Some(enrolment), enroller).skip(1).count()
    }

    /// Does a line of grants lead to a person through another?
    #[must_use]
    pub fn was_brought_in_by(&self, person: PersonId, other: PersonId) -> bool {
        let memberships = self.memberships.get(&person).into_iter().flatten();
        let mut line = memberships.flat_map(|membership| self.line(*membership).skip(1));
        line.any(|membership| self.person_of(membership) == Some(other))
    }

    /// Has a journal begun on this grant?
    #[must_use]
    pub fn has_begun(&self, grant: EntryId) -> bool {
        self.journals_on(grant).next().is_some()
    }

    /// Is a control entry here with which this journal begins?
    #[must_use]
    pub fn has_first(&self, journal: JournalId) -> bool {
        let numbers = self.journals.get(&journal);
        numbers.is_some_and(|numbers| numbers.contains_key(&EntryNumber::FIRST))
    }

    /// The journals of a person, also those that are over.
    pub fn journals_by(&self, person: PersonId) -> impl Iterator<Item = JournalId> + '_ {
        self.journals_of_person(person)
    }

    /// Whom it concerns when a tenure ends.
    pub(super) fn holder(&self, tenure: Tenure) -> Option<PersonId> {
        match tenure {
            Tenure::Membership(grant) | Tenure::Enrolment(grant) => {
                self.person_of(self.membership_of(grant)?)
            }
            Tenure::Role(grant) => self.person_of(self.membership_of_role(grant)?),
            Tenure::Invitation(invite) => self.entries.get(&invite)?.basis.chain.map(|chain| chain.person),
        }
    }

    /// Up to which number a journal counts under a kill: what its signers hold, and never less than what they had seen.
    pub(super) fn through(&self, kill: &Judged, journal: JournalId) -> u64 {
        let named = kill.basis.kill.as_ref().and_then(|kill| kill.cut.get(&journal));
        let seen = self
            .places
            .get(&journal)
            .map_or(0, |place| kill.moment.reach.get(*place));
        let named = named.map_or(0, |number| number.0);
        if is_off(Guard::CutFloor) {
            named
        } else {
            named.max(seen)
        }
    }
}

//! R4 and R5: what lives among the entries of a past. A past in which no kill voids anything, as nearly every one is, is
//! taken over from the one before; only where one does, everything in it is looked at again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::planted::{Guard, is_off};

use super::super::id::{EntryId, PersonId};
use super::kill::{Kill, Tenure};
use super::past::Reach;
use super::{Judged, Roster};

/// A set of entries that holds the past of each, and what in it does not live.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    pub(super) reach: Reach,
    /// The entries that are ok and do not live.
    pub(super) dead: Arc<BTreeSet<EntryId>>,
    /// How many entries are in it.
    pub(super) size: usize,
}

/// The tenures that an entry's author exercises, whatever it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    /// The first entry of the journal.
    pub(super) open: EntryId,
    pub(super) enrolment: EntryId,
    pub(super) membership: EntryId,
    pub(super) person: PersonId,
}

/// A role or a voice that an entry makes use of.
#[derive(Debug, Clone)]
pub(super) struct Exercise {
    /// The role's tenure; none for a voice, which only falls with its membership.
    pub(super) role: Option<EntryId>,
    /// What granted it, in the entry's past: one of them must live.
    pub(super) granted_by: Vec<EntryId>,
}

/// Persons of whom so many are needed: signatures of a council act, vouches for an admission.
#[derive(Debug, Clone, Default)]
pub(super) struct Needed {
    pub(super) count: usize,
    /// Each by an entry, with the role or voice that makes it count.
    pub(super) by: Vec<(PersonId, EntryId, Option<Exercise>)>,
}

/// What an entry that is ok rests on, and what it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Basis {
    pub(super) chain: Option<Chain>,
    /// Entries all of which it needs.
    pub(super) needs: Vec<EntryId>,
    pub(super) exercise: Option<Exercise>,
    pub(super) persons: Needed,
    /// The invitation on which it admits.
    pub(super) invitation: Option<EntryId>,
    pub(super) kill: Option<Kill>,
    /// The motion that it carries.
    pub(super) carries: Option<EntryId>,
    /// As a signature: with which powers.
    pub(super) powers: Powers,
}

/// What makes a signature count.
#[derive(Debug, Clone, Default)]
pub(super) struct Powers {
    pub(super) steward: Option<Exercise>,
    pub(super) voice: Option<Exercise>,
}

/// Under which kills it is asked what lives.
struct Under<'a> {
    reach: &'a Reach,
    dead: &'a BTreeSet<EntryId>,
    /// These and no others; or all that live.
    only: Option<&'a BTreeSet<EntryId>>,
}

impl Roster {
    /// The moment of somebody who has applied these entries and all before them.
    pub(super) fn join<'a>(&'a self, moments: impl Iterator<Item = &'a Moment> + Clone) -> Moment {
        let Some(largest) = moments.clone().max_by_key(|moment| moment.size) else {
            return Moment::default();
        };
        let reach = moments.fold(largest.reach.clone(), |reach, moment| reach.join(&moment.reach));
        let mut missing: Vec<&Judged> = Vec::new();
        reach.beyond(&largest.reach, |place, from, to| {
            missing.extend(self.between(place, from, to));
        });
        // Each after its past.
        missing.sort_by_key(|judged| judged.order);
        let mut moment = largest.clone();
        for judged in missing {
            if self.add(&mut moment, judged) == Added::Voids {
                // Once for all of it: what comes out does not hang on the way.
                let size = self.count(&reach);
                return Moment {
                    dead: Arc::new(self.dead_in(&reach)),
                    reach,
                    size,
                };
            }
        }
        moment
    }

    /// Adds an entry whose past is in the moment.
    pub(super) fn grow(&self, moment: &mut Moment, judged: &Judged) {
        if self.add(moment, judged) == Added::Voids {
            moment.dead = Arc::new(self.dead_in(&moment.reach));
        }
    }

    fn add(&self, moment: &mut Moment, judged: &Judged) -> Added {
        let Some(place) = self.places.get(&judged.entry.journal) else {
            return Added::Quietly;
        };
        moment.reach = moment.reach.with(*place, judged.entry.number.0);
        moment.size = moment.size.saturating_add(1);
        if judged.verdict.is_err() {
            return Added::Quietly;
        }
        let under = Under {
            reach: &moment.reach,
            dead: &moment.dead,
            only: None,
        };
        if !self.stands(judged, &under) {
            Arc::make_mut(&mut moment.dead).insert(judged.entry.id);
        }
        if self.voids_something(judged, &moment.reach) {
            Added::Voids
        } else {
            Added::Quietly
        }
    }

    fn count(&self, reach: &Reach) -> usize {
        self.within(reach).count()
    }

    /// The entries that a reach holds, each after its past.
    pub(super) fn within<'a>(&'a self, reach: &'a Reach) -> impl Iterator<Item = &'a Judged> + 'a {
        let held = self.order.iter().filter_map(|id| self.entries.get(id));
        held.filter(move |judged| self.reaches(reach, judged))
    }

    /// R4 and R5 over a whole past: which kills are taken, and what does not live because of them.
    fn dead_in(&self, reach: &Reach) -> BTreeSet<EntryId> {
        let held: Vec<&Judged> = self
            .within(reach)
            .filter(|judged| judged.verdict.is_ok())
            .collect();
        let mut undecided: BTreeMap<EntryId, &Judged> = held
            .iter()
            .filter(|judged| self.voids_something(judged, reach))
            .map(|judged| (judged.entry.id, *judged))
            .collect();
        let mut voids: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
        for id in undecided.keys() {
            let mut dead = self.dead_under(&held, reach, &BTreeSet::from([*id]));
            dead.retain(|dead| undecided.contains_key(dead));
            voids.insert(*id, dead);
        }
        let mut taken = BTreeSet::new();
        loop {
            let dead = self.dead_under(&held, reach, &taken);
            undecided.retain(|id, _| !dead.contains(id));
            let Some(next) = next_taken(&undecided, &voids) else {
                return dead;
            };
            undecided.remove(&next);
            taken.insert(next);
        }
    }

    /// What does not live if just these kills are taken.
    fn dead_under(&self, held: &[&Judged], reach: &Reach, taken: &BTreeSet<EntryId>) -> BTreeSet<EntryId> {
        let mut dead = BTreeSet::new();
        for judged in held {
            let under = Under {
                reach,
                dead: &dead,
                only: Some(taken),
            };
            if !self.stands(judged, &under) {
                dead.insert(judged.entry.id);
            }
        }
        dead
    }

    /// R5: no kill voids it, and what it needs lives. A taken kill stays taken.
    fn stands(&self, judged: &Judged, under: &Under<'_>) -> bool {
        let basis = &judged.basis;
        let id = judged.entry.id;
        if under.only.is_some_and(|taken| taken.contains(&id)) {
            return true;
        }
        let lives = |needed: &EntryId| self.is_ok(*needed) && !under.dead.contains(needed);
        let ended = !is_off(Guard::InvitationEnded);
        let chain_holds = basis.chain.is_none_or(|chain| {
            (chain.open == id || lives(&chain.open))
                && !self.is_voided(judged, Tenure::Enrolment(chain.enrolment), under)
                && !self.is_voided(judged, Tenure::Membership(chain.membership), under)
        });
        let invited = basis
            .invitation
            .is_none_or(|invite| !(ended && self.is_voided(judged, Tenure::Invitation(invite), under)));
        chain_holds
            && invited
            && basis.needs.iter().all(lives)
            && self.is_exercised(judged, basis.exercise.as_ref(), under)
            && self.are_enough(id, &basis.persons, under)
    }

    fn are_enough(&self, id: EntryId, needed: &Needed, under: &Under<'_>) -> bool {
        if needed.count == 0 {
            return true;
        }
        let living = needed.by.iter().filter(|(_, by, exercise)| {
            let Some(judged) = self.entries.get(by) else {
                return false;
            };
            (*by == id || (judged.verdict.is_ok() && !under.dead.contains(by)))
                && self.is_exercised(judged, exercise.as_ref(), under)
        });
        let persons: BTreeSet<PersonId> = living.map(|(person, _, _)| *person).collect();
        persons.len() >= needed.count
    }

    fn is_exercised(&self, judged: &Judged, exercise: Option<&Exercise>, under: &Under<'_>) -> bool {
        exercise.is_none_or(|exercise| {
            exercise
                .granted_by
                .iter()
                .any(|grant| self.is_ok(*grant) && !under.dead.contains(grant))
                && exercise
                    .role
                    .is_none_or(|role| !self.is_voided(judged, Tenure::Role(role), under))
        })
    }

    /// R3: is it beyond what a kill of this tenure lets count?
    fn is_voided(&self, judged: &Judged, tenure: Tenure, under: &Under<'_>) -> bool {
        let kills = self.kills.get(&tenure).into_iter().flatten();
        kills.filter_map(|id| self.entries.get(id)).any(|kill| {
            let id = kill.entry.id;
            let takes_effect = match under.only {
                Some(only) => only.contains(&id),
                None => self.reaches(under.reach, kill) && !under.dead.contains(&id),
            };
            takes_effect
                && judged.entry.number.0 > self.through(kill, judged.entry.journal)
                && !is_off(Guard::Cut)
        })
    }

    /// Does something in this past lie beyond what a kill lets count? Yes in doubt.
    fn voids_something(&self, judged: &Judged, reach: &Reach) -> bool {
        let Some(kill) = &judged.basis.kill else {
            return false;
        };
        match kill.tenure {
            Tenure::Membership(membership) => self.goes_beyond(judged, membership, reach),
            Tenure::Role(role) => self
                .membership_of_role(role)
                .is_some_and(|membership| self.goes_beyond(judged, membership, reach)),
            Tenure::Enrolment(enrolment) => self
                .journals_on(enrolment)
                .any(|journal| self.last_number(journal, reach) > self.through(judged, journal)),
            Tenure::Invitation(invite) => self
                .used
                .get(&invite)
                .and_then(|admit| self.entries.get(admit))
                .is_some_and(|admit| {
                    self.reaches(reach, admit)
                        && admit.entry.number.0 > self.through(judged, admit.entry.journal)
                }),
        }
    }

    fn goes_beyond(&self, kill: &Judged, membership: EntryId, reach: &Reach) -> bool {
        self.journals_under(membership)
            .any(|journal| self.last_number(journal, reach) > self.through(kill, journal))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Added {
    /// Nothing else changes.
    Quietly,
    /// It is a kill that voids something.
    Voids,
}

/// R4: a kill that no undecided one voids; else, of those that void each other in a circle which nobody outside voids, the
/// heaviest.
fn next_taken(
    undecided: &BTreeMap<EntryId, &Judged>,
    voids: &BTreeMap<EntryId, BTreeSet<EntryId>>,
) -> Option<EntryId> {
    if is_off(Guard::Weight) {
        let came_first = undecided.values().min_by_key(|judged| judged.order);
        return came_first.map(|judged| judged.entry.id);
    }
    let follow = |from: EntryId| {
        let mut reached = BTreeSet::new();
        let mut to_visit = vec![from];
        while let Some(at) = to_visit.pop() {
            for next in voids.get(&at).into_iter().flatten() {
                if undecided.contains_key(next) && reached.insert(*next) {
                    to_visit.push(*next);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<EntryId, BTreeSet<EntryId>> =
        undecided.keys().map(|id| (*id, follow(*id))).collect();
    let first = |id: &&EntryId| {
        reached
            .iter()
            .filter(|(_, theirs)| theirs.contains(id))
            .all(|(other, _)| reached.get(*id).is_some_and(|mine| mine.contains(other)))
    };
    let weight = |id: &&EntryId| {
        undecided
            .get(*id)
            .and_then(|judged| judged.basis.kill.as_ref())
            .map(|kill| kill.weight)
    };
    undecided.keys().filter(first).min_by_key(weight).copied()
}

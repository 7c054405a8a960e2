//! R4 and R5: what lives among the entries of a past. A past in which no kill voids anything, as nearly every one is, is
//! taken over from the one before; only where one does, everything in it is looked at again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::planted::{Guard, is_off};

use super::super::control::ControlEntry;
use super::super::id::{EntryId, PersonId};
use super::kill::{Kill, Tenure};
use super::past::Reach;
use super::{Judged, PastMissing, Roster};

/// How many sets of entries are remembered with what all before them comes to.
const JOINED_MAX: usize = 16;

/// A set of entries that holds the past of each, and what in it does not live.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    pub(super) reach: Reach,
    /// The entries that are ok and do not live.
    pub(super) dead: Arc<BTreeSet<EntryId>>,
    /// About how many entries are in it: which of several is the largest.
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

/// A power that an entry makes use of. What everybody in their place may do needs no part of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Exercise {
    /// The role's tenure, and what granted it in the entry's past: one of them must live.
    pub(super) role: Option<(EntryId, Vec<EntryId>)>,
    /// What gave voice in the entry's past: one of them must live.
    pub(super) voice: Option<Vec<EntryId>>,
}

/// Persons of whom so many are needed: signatures of a council act, vouches for an admission.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub(super) count: usize,
    /// Each by an entry, with the role or voice that makes it count.
    pub(super) by: Vec<(PersonId, EntryId, Exercise)>,
}

/// What an entry that is ok rests on, and what it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Basis {
    pub(super) chain: Option<Chain>,
    /// Entries all of which it needs.
    pub(super) needs: Vec<EntryId>,
    pub(super) exercise: Exercise,
    /// One of these must hold, where there is any: a majority of stewards, one of voices.
    pub(super) persons: Vec<Needed>,
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

impl Basis {
    /// The entries that an entry rests on, however little it needs of them.
    fn rests_on(&self, id: EntryId) -> impl Iterator<Item = EntryId> + '_ {
        let open = self.chain.map(|chain| chain.open).filter(move |open| *open != id);
        let signed = self
            .signatures()
            .map(|(_, by, _)| *by)
            .filter(move |by| *by != id);
        let exercises = self
            .signatures()
            .map(|(_, _, exercise)| exercise)
            .chain([&self.exercise]);
        let grants = exercises.flat_map(|exercise| {
            let role = exercise.role.iter().flat_map(|(_, by)| by);
            role.chain(exercise.voice.iter().flatten()).copied()
        });
        let needs = self.needs.iter().copied();
        open.into_iter().chain(needs).chain(signed).chain(grants)
    }

    /// The tenures that an entry falls with, each with the entry that must not lie beyond its end.
    fn falls_with(&self, id: EntryId) -> impl Iterator<Item = (EntryId, Tenure)> + '_ {
        let chain = self.chain.into_iter();
        let chain = chain.flat_map(|chain| {
            [
                Tenure::Enrolment(chain.enrolment),
                Tenure::Membership(chain.membership),
            ]
        });
        let invitation = self.invitation.map(Tenure::Invitation);
        let role = |exercise: &Exercise| exercise.role.as_ref().map(|(role, _)| Tenure::Role(*role));
        let mine = chain
            .chain(invitation)
            .chain(role(&self.exercise))
            .map(move |tenure| (id, tenure));
        let signed = self.signatures();
        mine.chain(signed.filter_map(move |(_, by, exercise)| Some((*by, role(exercise)?))))
    }

    pub(super) fn signatures(&self) -> impl Iterator<Item = &(PersonId, EntryId, Exercise)> {
        self.persons.iter().flat_map(|needed| &needed.by)
    }

    /// How many persons stand behind it.
    pub(super) fn signers(&self) -> usize {
        let persons: BTreeSet<PersonId> = self.signatures().map(|(person, _, _)| *person).collect();
        persons.len()
    }
}

/// Under which kills it is asked what lives.
struct Under<'a> {
    reach: &'a Reach,
    dead: &'a BTreeSet<EntryId>,
    kills: Kills<'a>,
}

#[derive(Clone, Copy)]
enum Kills<'a> {
    /// All that live.
    Living,
    /// These and no others; of them those that are taken stay.
    Just {
        these: &'a BTreeSet<EntryId>,
        taken: &'a BTreeSet<EntryId>,
    },
}

impl Roster {
    /// What the author of an entry knew.
    pub(super) fn known_by(
        &mut self,
        entry: &ControlEntry,
        previous: Option<EntryId>,
    ) -> Result<Moment, PastMissing> {
        let held = self.joined.iter().find(|(of, _)| *of == entry.seen);
        let seen = if let Some((_, moment)) = held {
            moment.clone()
        } else {
            let seen = entry.seen.iter().map(|seen| self.entries.get(seen));
            let seen: Vec<&Judged> = seen.collect::<Option<_>>().ok_or(PastMissing)?;
            let moment = self.join(seen.iter().map(|judged| &judged.moment));
            if seen.len() > 1 {
                self.joined.truncate(JOINED_MAX);
                self.joined.push_front((entry.seen.clone(), moment.clone()));
            }
            moment
        };
        let before = previous.filter(|id| !entry.seen.contains(id));
        let before = before.and_then(|id| self.entries.get(&id));
        Ok(match before {
            Some(before) if entry.seen.is_empty() => before.moment.clone(),
            Some(before) => self.join([&before.moment, &seen].into_iter()),
            None => seen,
        })
    }

    /// The moment of somebody who has applied these entries and all before them.
    pub(super) fn join<'a>(&'a self, moments: impl Iterator<Item = &'a Moment> + Clone) -> Moment {
        let Some(largest) = moments.clone().max_by_key(|moment| moment.size) else {
            return Moment::default();
        };
        let reach = moments.fold(largest.reach.clone(), |reach, moment| reach.join(&moment.reach));
        let mut spans = Vec::new();
        let mut size = largest.size;
        reach.beyond(&largest.reach, |place, from, to| {
            spans.push((place, from, to));
            size = size.saturating_add(usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX));
        });
        if self.voids_nothing(&reach, spans.len()) {
            let dead = Arc::default();
            return Moment { reach, dead, size };
        }
        let spans = spans.iter();
        let missing = spans.flat_map(|(place, from, to)| self.between(*place, *from, *to));
        let mut missing: Vec<&Judged> = missing.collect();
        // Each after its past.
        missing.sort_by_key(|judged| judged.order);
        // Whatever voids something: once for all of it, so that what comes out does not hang on the way.
        if missing.iter().any(|judged| self.voids_something(judged, &reach)) {
            return Moment {
                dead: Arc::new(self.dead_in(&reach)),
                reach,
                size,
            };
        }
        let mut moment = Moment {
            reach,
            size,
            dead: largest.dead.clone(),
        };
        for judged in missing {
            self.add(&mut moment, judged);
        }
        moment
    }

    /// Adds an entry whose past is in the moment.
    pub(super) fn grow(&self, moment: &mut Moment, judged: &Judged) {
        let Some(place) = self.places.get(&judged.entry.journal) else {
            return;
        };
        moment.reach = moment.reach.with(*place, judged.entry.number.0);
        moment.size = moment.size.saturating_add(1);
        if self.voids_something(judged, &moment.reach) {
            moment.dead = Arc::new(self.dead_in(&moment.reach));
        } else {
            self.add(moment, judged);
        }
    }

    /// Adds an entry, within the reach of the moment already, that changes nothing else: nothing that was here rests on it, and
    /// it voids nothing. So the kills that were decided stay as they are, also those that it lies beyond.
    fn add(&self, moment: &mut Moment, judged: &Judged) {
        if judged.verdict.is_err() {
            return;
        }
        let under = Under {
            reach: &moment.reach,
            dead: &moment.dead,
            kills: Kills::Living,
        };
        if !self.stands(judged, &under) {
            Arc::make_mut(&mut moment.dead).insert(judged.entry.id);
        }
    }

    /// Are there no more kills than this at all, and does none of them void something in this past? Then all of it lives.
    fn voids_nothing(&self, reach: &Reach, most: usize) -> bool {
        let kills = self.kills.values().flatten();
        let mut held = kills.clone().filter_map(|id| self.entries.get(id));
        kills.clone().nth(most).is_none()
            && held.all(|kill| !self.reaches(reach, kill) || !self.voids_something(kill, reach))
    }

    /// The entries that a reach holds, each after its past.
    pub(super) fn within<'a>(&'a self, reach: &'a Reach) -> impl Iterator<Item = &'a Judged> + 'a {
        let held = self.order.iter().filter_map(|id| self.entries.get(id));
        held.filter(move |judged| self.reaches(reach, judged))
    }

    /// R4 and R5 over a whole past: which kills are taken, and what does not live because of them. First come those that
    /// stand whatever becomes of the others; where there are none, the heaviest of a circle.
    fn dead_in(&self, reach: &Reach) -> BTreeSet<EntryId> {
        let held: Vec<&Judged> = self
            .within(reach)
            .filter(|judged| judged.verdict.is_ok())
            .collect();
        let mut open: BTreeMap<EntryId, &Judged> = held
            .iter()
            .filter(|judged| self.voids_something(judged, reach))
            .map(|judged| (judged.entry.id, *judged))
            .collect();
        let mut taken = BTreeSet::new();
        loop {
            let dead = self.dead_under(&held, reach, &taken, &taken);
            open.retain(|id, _| !dead.contains(id));
            if open.is_empty() {
                return dead;
            }
            let all = taken.iter().chain(open.keys()).copied().collect();
            let in_doubt = self.dead_under(&held, reach, &all, &taken);
            let before = taken.len();
            taken.extend(open.keys().filter(|id| !in_doubt.contains(id)));
            if taken.len() == before {
                taken.extend(heaviest_of_a_circle(&open, &self.touched(&held, &open)));
            }
            open.retain(|id, _| !taken.contains(id));
        }
    }

    /// What does not live if just these kills void, and those that are taken stay.
    fn dead_under(
        &self,
        held: &[&Judged],
        reach: &Reach,
        these: &BTreeSet<EntryId>,
        taken: &BTreeSet<EntryId>,
    ) -> BTreeSet<EntryId> {
        let mut dead = BTreeSet::new();
        for judged in held {
            let under = Under {
                reach,
                dead: &dead,
                kills: Kills::Just { these, taken },
            };
            if !self.stands(judged, &under) {
                dead.insert(judged.entry.id);
            }
        }
        dead
    }

    /// For each open kill the open kills that void something it rests on, however little it needs of that.
    fn touched(
        &self,
        held: &[&Judged],
        open: &BTreeMap<EntryId, &Judged>,
    ) -> BTreeMap<EntryId, BTreeSet<EntryId>> {
        let mut touched: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
        for judged in held {
            let id = judged.entry.id;
            let mut by = BTreeSet::new();
            for below in judged.basis.rests_on(id) {
                by.extend(touched.get(&below).into_iter().flatten());
            }
            for (at, tenure) in judged.basis.falls_with(id) {
                let kills = self.kills.get(&tenure).into_iter().flatten();
                let kills = kills.filter_map(|kill| open.get(kill));
                let voiding = kills.filter(|kill| self.lies_beyond(at, kill));
                by.extend(voiding.map(|kill| kill.entry.id));
            }
            if !by.is_empty() {
                touched.insert(id, by);
            }
        }
        touched.retain(|id, _| open.contains_key(id));
        touched
    }

    /// R5: no kill voids it, and what it needs lives. A taken kill stays taken.
    fn stands(&self, judged: &Judged, under: &Under<'_>) -> bool {
        let basis = &judged.basis;
        let id = judged.entry.id;
        if matches!(under.kills, Kills::Just { taken, .. } if taken.contains(&id)) {
            return true;
        }
        // What it needs was ok when it was judged, and that never changes.
        let lives = |needed: &EntryId| !under.dead.contains(needed);
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
            && self.is_exercised(judged, &basis.exercise, under)
            && (basis.persons.is_empty() || basis.persons.iter().any(|all| self.are_enough(id, all, under)))
    }

    fn are_enough(&self, id: EntryId, needed: &Needed, under: &Under<'_>) -> bool {
        let living = needed.by.iter().filter(|(_, by, exercise)| {
            let Some(judged) = self.entries.get(by) else {
                return false;
            };
            (*by == id || !under.dead.contains(by)) && self.is_exercised(judged, exercise, under)
        });
        let persons: BTreeSet<PersonId> = living.map(|(person, _, _)| *person).collect();
        persons.len() >= needed.count
    }

    fn is_exercised(&self, judged: &Judged, exercise: &Exercise, under: &Under<'_>) -> bool {
        let granted = |by: &Vec<EntryId>| by.iter().any(|grant| !under.dead.contains(grant));
        exercise.voice.as_ref().is_none_or(granted)
            && exercise
                .role
                .as_ref()
                .is_none_or(|(role, by)| granted(by) && !self.is_voided(judged, Tenure::Role(*role), under))
    }

    /// R3: is it beyond what a kill of this tenure lets count?
    fn is_voided(&self, judged: &Judged, tenure: Tenure, under: &Under<'_>) -> bool {
        if self.is_beside(judged) {
            return false;
        }
        let kills = self.kills.get(&tenure).into_iter().flatten();
        kills.filter_map(|id| self.entries.get(id)).any(|kill| {
            let id = kill.entry.id;
            let takes_effect = match under.kills {
                Kills::Just { these, .. } => these.contains(&id),
                Kills::Living => self.reaches(under.reach, kill) && !under.dead.contains(&id),
            };
            takes_effect
                && judged.entry.number.0 > self.through(kill, judged.entry.journal)
                && !is_off(Guard::Cut)
        })
    }

    fn lies_beyond(&self, entry: EntryId, kill: &Judged) -> bool {
        let judged = self.entries.get(&entry);
        judged.is_some_and(|judged| {
            !self.is_beside(judged) && judged.entry.number.0 > self.through(kill, judged.entry.journal)
        })
    }

    /// Does something in this past lie beyond what a kill lets count? Yes in doubt.
    fn voids_something(&self, judged: &Judged, reach: &Reach) -> bool {
        let Some(kill) = judged.basis.kill.as_ref().filter(|_| judged.verdict.is_ok()) else {
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

/// R4: of open kills that touch each other in a circle which none outside touches, the heaviest.
fn heaviest_of_a_circle(
    open: &BTreeMap<EntryId, &Judged>,
    touched: &BTreeMap<EntryId, BTreeSet<EntryId>>,
) -> Option<EntryId> {
    if is_off(Guard::Weight) {
        let came_first = open.values().min_by_key(|judged| judged.order);
        return came_first.map(|judged| judged.entry.id);
    }
    let before = |from: EntryId| {
        let mut reached = BTreeSet::new();
        let mut to_visit = vec![from];
        while let Some(at) = to_visit.pop() {
            for next in touched.get(&at).into_iter().flatten() {
                if reached.insert(*next) {
                    to_visit.push(*next);
                }
            }
        }
        reached
    };
    let before: BTreeMap<EntryId, BTreeSet<EntryId>> = open.keys().map(|id| (*id, before(*id))).collect();
    let leads_to = |from: &EntryId, to: &EntryId| before.get(to).is_some_and(|all| all.contains(from));
    let in_first_circle = |id: &&EntryId| {
        let mut all = before.get(*id).into_iter().flatten();
        all.all(|other| leads_to(id, other))
    };
    let weight = |id: &&EntryId| {
        open.get(*id)
            .and_then(|judged| judged.basis.kill.as_ref())
            .map(|kill| kill.weight)
    };
    open.keys().filter(in_first_circle).min_by_key(weight).copied()
}

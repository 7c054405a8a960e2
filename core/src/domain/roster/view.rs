//! R6 and R7: what takes effect in a past. Everything is looked up for just what is asked, so that judging one act among
//! thousands of people costs no more than the few grants and kills it hangs on.

use std::collections::{BTreeMap, BTreeSet};

use crate::planted::{Guard, is_off};

use super::super::charter::{Charter, Role};
use super::super::control::{ControlAct, CouncilAct, Motion, Shown, Target};
use super::super::id::{EntryId, EntryNumber, JournalId, PersonId};
use super::kill::Tenure;
use super::moment::{Exercise, Moment};
use super::{Author, Judged, Person, Roster};

/// The roster as somebody knows it who has applied the entries of a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) roster: &'a Roster,
    pub(super) moment: &'a Moment,
}

impl<'a> View<'a> {
    /// Is it here, ok, and does it live?
    pub(super) fn lives(&self, id: EntryId) -> bool {
        let judged = self.roster.entries.get(&id);
        judged.is_some_and(|judged| self.has(judged))
    }

    fn has(&self, judged: &Judged) -> bool {
        judged.verdict.is_ok()
            && self.roster.reaches(&self.moment.reach, judged)
            && !self.moment.dead.contains(&judged.entry.id)
    }

    /// The kills of a tenure that are taken.
    pub(super) fn kills(self, tenure: Tenure) -> impl Iterator<Item = &'a Judged> {
        let kills = self.roster.kills.get(&tenure).into_iter().flatten();
        kills
            .filter_map(move |id| self.roster.entries.get(id))
            .filter(move |kill| self.has(kill))
    }

    pub(super) fn is_over(&self, tenure: Tenure) -> bool {
        self.kills(tenure).next().is_some()
    }

    pub(super) fn membership_lives(&self, membership: EntryId) -> bool {
        self.roster.granted.contains_key(&membership)
            && self.lives(membership)
            && !self.is_over(Tenure::Membership(membership))
    }

    pub(super) fn enrolment_lives(&self, enrolment: EntryId) -> bool {
        self.lives(enrolment)
            && !self.is_over(Tenure::Enrolment(enrolment))
            && self
                .roster
                .membership_of(enrolment)
                .is_some_and(|membership| self.membership_lives(membership))
    }

    /// What the author of a journal is. None where its tenure does not live.
    pub(super) fn author(&self, journal: JournalId) -> Option<Author> {
        let chain = self.roster.chain(journal)?;
        let lives = self.lives(chain.open) && self.enrolment_lives(chain.enrolment);
        lives.then(|| Author {
            person: chain.person,
            role: self.role(chain.membership),
            grant: chain.enrolment,
            membership: chain.membership,
        })
    }

    /// What somebody is without any role that could end.
    fn least(&self, membership: EntryId) -> Role {
        if self.roster.founding == Some(membership) {
            Role::Member
        } else {
            Role::Observer
        }
    }

    /// The role that a membership has.
    pub(super) fn role(&self, membership: EntryId) -> Role {
        let roles = self.roster.roles.get(&membership).into_iter().flatten();
        roles
            .filter(|(tenure, _)| self.role_granted(*tenure).is_some())
            .map(|(_, role)| *role)
            .fold(self.least(membership), Role::max)
    }

    /// By which entries a role's tenure holds. None where it does not.
    fn role_granted(&self, tenure: EntryId) -> Option<Vec<EntryId>> {
        let granted_by = self.granted_by(tenure);
        let holds = !granted_by.is_empty() && !self.is_over(Tenure::Role(tenure));
        holds.then_some(granted_by)
    }

    /// The living entries that let a grant take effect: itself, or those that carry a motion.
    fn granted_by(&self, grant: EntryId) -> Vec<EntryId> {
        if self.roster.is_motion(grant) {
            self.carried_by(grant)
        } else {
            self.lives(grant).then_some(grant).into_iter().collect()
        }
    }

    /// The living entries that carry a motion.
    pub(super) fn carried_by(&self, motion: EntryId) -> Vec<EntryId> {
        let carrying = self.roster.carried.get(&motion).into_iter().flatten();
        carrying.copied().filter(|id| self.lives(*id)).collect()
    }

    /// The tenure by which somebody may do what needs this role: none of its own, where everybody in their place may; of
    /// several the one with the smallest id.
    pub(super) fn exercise(&self, membership: EntryId, needed: Role) -> Option<Exercise> {
        if self.least(membership) >= needed {
            return Some(Exercise::default());
        }
        let roles = self.roster.roles.get(&membership).into_iter().flatten();
        let mut enough = roles.filter(|(_, role)| *role >= needed);
        enough.find_map(|(tenure, _)| {
            let role = Some((*tenure, self.role_granted(*tenure)?));
            Some(Exercise { role, voice: None })
        })
    }

    /// By which entries a member has voice: what made them one, and what confirmed them. None where they have none.
    pub(super) fn voice(&self, membership: EntryId) -> Option<Exercise> {
        let member = self.exercise(membership, Role::Member)?;
        if is_off(Guard::Voice) {
            return Some(Exercise {
                role: member.role,
                voice: Some(vec![membership]),
            });
        }
        let confirmed = self.roster.voices.get(&membership).into_iter().flatten();
        confirmed
            .map(|grant| self.granted_by(*grant))
            .find(|granted_by| !granted_by.is_empty())
            .map(|granted_by| Exercise {
                voice: Some(granted_by),
                ..member
            })
    }

    pub(super) fn is_steward(&self, membership: EntryId) -> bool {
        self.membership_lives(membership) && self.role(membership) == Role::Steward
    }

    pub(super) fn has_voice(&self, membership: EntryId) -> bool {
        self.membership_lives(membership) && self.voice(membership).is_some()
    }

    /// The stewards; no more than `most`, where nobody needs to know of more.
    pub(super) fn stewards(&self, most: usize) -> BTreeSet<PersonId> {
        self.some_of(self.roster.stewards.iter(), most, Self::is_steward)
    }

    /// The persons with voice; no more than `most`.
    pub(super) fn voices(&self, most: usize) -> BTreeSet<PersonId> {
        self.some_of(self.roster.voices.keys(), most, Self::has_voice)
    }

    /// Members and stewards but for one person; no more than `most`.
    pub(super) fn members_but(&self, person: PersonId, most: usize) -> usize {
        let others = self.roster.granted.iter();
        let others = others.filter(|(_, other)| **other != person).map(|(id, _)| id);
        let is_member = |view: &Self, membership| {
            view.membership_lives(membership) && view.role(membership) > Role::Observer
        };
        self.some_of(others, most, is_member).len()
    }

    fn some_of<'b>(
        &self,
        memberships: impl Iterator<Item = &'b EntryId>,
        most: usize,
        counts: impl Fn(&Self, EntryId) -> bool,
    ) -> BTreeSet<PersonId> {
        let mut persons = BTreeSet::new();
        for membership in memberships {
            if persons.len() >= most {
                break;
            }
            if counts(self, *membership) {
                persons.extend(self.roster.person_of(*membership));
            }
        }
        persons
    }

    /// The rules as they stand.
    pub(super) fn charter(&self) -> Option<Charter> {
        let founding = self.roster.founding.filter(|founding| self.lives(*founding))?;
        let ControlAct::Found(found) = &self.roster.entries.get(&founding)?.entry.act else {
            return None;
        };
        let mut charter = found.charter.clone();
        for motions in self.roster.amendments.values() {
            if let Some((_, motion)) = self.last_carried(motions)
                && let CouncilAct::Amend(amendment) = &motion.act
            {
                charter = charter.amended(amendment);
            }
        }
        Some(charter)
    }

    /// What is hidden, each with the motion that hid it.
    pub(super) fn hidden(&self) -> BTreeMap<Target, EntryId> {
        let mut hidden = BTreeMap::new();
        for (target, motions) in &self.roster.hides {
            if let Some((id, motion)) = self.last_carried(motions)
                && let CouncilAct::Hide { shown, .. } = motion.act
                && shown == Shown::Hidden
            {
                hidden.insert(*target, id);
            }
        }
        hidden
    }

    /// R6: of several motions about one thing the causally last; then the one with more signers; then the smaller id.
    fn last_carried(&self, motions: &BTreeSet<EntryId>) -> Option<(EntryId, &'a Motion)> {
        let carrying: Vec<(EntryId, &Judged)> = motions
            .iter()
            .flat_map(|motion| self.carried_by(*motion).into_iter().map(|by| (*motion, by)))
            .filter_map(|(motion, by)| Some((motion, self.roster.entries.get(&by)?)))
            .collect();
        let is_last = |(motion, by): &&(EntryId, &Judged)| {
            !carrying.iter().any(|(other, later)| {
                other != motion
                    && later.entry.id != by.entry.id
                    && self.roster.reaches(&later.moment.reach, by)
            })
        };
        let best = carrying
            .iter()
            .filter(is_last)
            .min_by_key(|(motion, by)| (std::cmp::Reverse(by.basis.signers()), *motion, by.entry.id))?;
        self.roster.motion(best.0).map(|motion| (best.0, motion))
    }

    /// Everybody in the group.
    pub(super) fn persons(&self) -> BTreeMap<PersonId, Person> {
        let all = self.roster.memberships.keys();
        all.filter_map(|id| Some((*id, self.person(*id)?))).collect()
    }

    /// Somebody in the group.
    pub(super) fn person(&self, id: PersonId) -> Option<Person> {
        let memberships = self.roster.memberships.get(&id)?.iter();
        let memberships = memberships.filter(|membership| self.membership_lives(**membership));
        let memberships: BTreeSet<EntryId> = memberships.copied().collect();
        let role = memberships
            .iter()
            .map(|membership| self.role(*membership))
            .max()?;
        let mut devices = BTreeMap::new();
        for membership in &memberships {
            let enrolments = self.roster.enrolments.get(membership).into_iter().flatten();
            for enrolment in enrolments.filter(|enrolment| self.enrolment_lives(**enrolment)) {
                let device = self.roster.act(*enrolment).and_then(ControlAct::device);
                devices.extend(device.map(|device| (*enrolment, device)));
            }
        }
        Some(Person {
            role,
            has_voice: memberships
                .iter()
                .any(|membership| self.voice(*membership).is_some()),
            devices,
            memberships,
        })
    }

    /// Up to which of its entries a journal counts: none where nothing ended it.
    pub(super) fn ends(&self, journal: JournalId) -> Option<EntryNumber> {
        let chain = self.roster.chain(journal)?;
        if !self.lives(chain.open) || !self.lives(chain.enrolment) || !self.lives(chain.membership) {
            return Some(EntryNumber(0));
        }
        let kills = self.kills(Tenure::Enrolment(chain.enrolment));
        let kills = kills.chain(self.kills(Tenure::Membership(chain.membership)));
        let foreign = is_off(Guard::OwnCut).then(|| self.kills_naming(journal));
        let ends = kills
            .chain(foreign.into_iter().flatten())
            .map(|kill| EntryNumber(self.roster.through(kill, journal)));
        if is_off(Guard::LowestCut) {
            ends.max()
        } else {
            ends.min()
        }
    }

    /// The kills that are taken and name a journal, whatever they are about.
    fn kills_naming(self, journal: JournalId) -> impl Iterator<Item = &'a Judged> {
        let kills = self.roster.kills.values().flatten();
        kills
            .filter_map(move |id| self.roster.entries.get(id))
            .filter(move |kill| {
                let names = kill.basis.kill.as_ref();
                self.has(kill) && names.is_some_and(|kill| kill.cut.contains_key(&journal))
            })
    }

    /// What is left now of a role that somebody had `then`, for one entry of theirs.
    pub(super) fn role_still(
        &self,
        then: &View<'_>,
        membership: EntryId,
        journal: JournalId,
        number: EntryNumber,
    ) -> Role {
        let roles = self.roster.roles.get(&membership).into_iter().flatten();
        roles
            .filter(|(tenure, _)| {
                then.role_granted(*tenure)
                    .is_some_and(|granted_by| granted_by.iter().any(|grant| self.lives(*grant)))
                    && self.role_ends(*tenure, journal).is_none_or(|end| number <= end)
            })
            .map(|(_, role)| *role)
            .fold(self.least(membership), Role::max)
    }

    /// Up to which entry of a journal a role counts; none where nothing ended it.
    pub(super) fn role_ends(&self, tenure: EntryId, journal: JournalId) -> Option<EntryNumber> {
        if self.granted_by(tenure).is_empty() {
            return Some(EntryNumber(0));
        }
        self.kills(Tenure::Role(tenure))
            .map(|kill| EntryNumber(self.roster.through(kill, journal)))
            .min()
    }

    pub(super) fn holds_role(&self, tenure: EntryId) -> bool {
        self.role_granted(tenure).is_some()
    }
}

//! What the roster answers, by the definitions.

use super::*;
use crate::domain::charter::Charter;
use crate::domain::control::Shown;

impl Oracle {
    /// Those in the group: their role, whether they have voice, their devices and memberships.
    pub(in crate::domain::roster::tests) fn persons_of(
        &self,
        world: World,
    ) -> BTreeMap<PersonId, (Role, bool, BTreeSet<EntryId>, BTreeSet<EntryId>)> {
        let mut persons = BTreeMap::new();
        for membership in self.memberships(world) {
            let (role, voice, devices, memberships) = persons.entry(self.person_of(membership)).or_insert((
                Role::Observer,
                false,
                BTreeSet::new(),
                BTreeSet::new(),
            ));
            *role = self.role(world, membership).max(*role);
            *voice |= self.voice(world, membership).is_some();
            memberships.insert(self.entries[membership].id);
            let enrolled = places(world.living)
                .filter(|at| self.membership_of(*at) == Some(membership))
                .map(|at| self.entries[at].id)
                .filter(|id| self.is_enrolment(world, *id).is_some());
            devices.extend(enrolled);
        }
        persons
    }

    /// R6: of what living motions say about one thing, the last word.
    fn last_word(&self, world: World, about: impl Fn(&CouncilAct) -> bool) -> Option<usize> {
        let said: Vec<(usize, usize)> = self
            .oks(world.living)
            .filter_map(|(at, facts)| Some((facts.carries?, at)))
            .filter(|(motion, _)| match &self.entries[*motion].act {
                ControlAct::Motion(motion) => about(&motion.act),
                _ => false,
            })
            .collect();
        let is_last = |(motion, by): &&(usize, usize)| {
            !said
                .iter()
                .any(|(other, later)| other != motion && later != by && has(self.past[*later], *by))
        };
        let signers = |by: usize| {
            let all = self.ok(by).majorities.iter().flat_map(|all| &all.by);
            all.map(|(person, _, _)| *person).collect::<BTreeSet<_>>().len()
        };
        let key = |(motion, by): &&(usize, usize)| {
            (
                Reverse(signers(*by)),
                self.entries[*motion].id,
                self.entries[*by].id,
            )
        };
        said.iter()
            .filter(is_last)
            .min_by_key(key)
            .map(|(motion, _)| *motion)
    }

    pub(in crate::domain::roster::tests) fn charter(&self, world: World) -> Option<Charter> {
        let ControlAct::Found(found) = &self.entries.first().filter(|_| has(world.living, 0))?.act else {
            return None;
        };
        let mut charter = found.charter.clone();
        for rule in [
            Rule::Inviters,
            Rule::Vouchers,
            Rule::Counters,
            Rule::Quorum,
            Rule::Fund,
        ] {
            let last = self.last_word(
                world,
                |act| matches!(act, CouncilAct::Amend(new) if new.rule() == rule),
            );
            if let Some(at) = last
                && let ControlAct::Motion(motion) = &self.entries[at].act
                && let CouncilAct::Amend(amendment) = &motion.act
            {
                charter = charter.amended(amendment);
            }
        }
        Some(charter)
    }

    pub(in crate::domain::roster::tests) fn hidden(&self, world: World) -> BTreeMap<Target, EntryId> {
        let mut hidden = BTreeMap::new();
        for entry in &self.entries {
            let ControlAct::Motion(motion) = &entry.act else {
                continue;
            };
            let CouncilAct::Hide { target, .. } = motion.act else {
                continue;
            };
            let last = self.last_word(
                world,
                |act| matches!(act, CouncilAct::Hide { target: other, .. } if *other == target),
            );
            let Some(last) = last else { continue };
            if let ControlAct::Motion(Motion {
                act: CouncilAct::Hide {
                    shown: Shown::Hidden, ..
                },
                ..
            }) = self.entries[last].act
            {
                hidden.insert(target, self.entries[last].id);
            }
        }
        hidden
    }

    /// Up to where a journal counts.
    pub(in crate::domain::roster::tests) fn ends(
        &self,
        world: World,
        journal: JournalId,
    ) -> Option<Option<EntryNumber>> {
        let mut opens = self
            .oks(self.everything())
            .filter(|(at, facts)| facts.writer.open == *at);
        let (open, facts) = opens.find(|(at, _)| self.entries[*at].journal == journal)?;
        let writer = facts.writer;
        if [open, writer.enrolment, writer.membership]
            .iter()
            .any(|at| !has(world.living, *at))
        {
            return Some(Some(EntryNumber(0)));
        }
        let id = |at: usize| self.entries[at].id;
        let tenures = [
            Tenure::Enrolment(id(writer.enrolment)),
            Tenure::Membership(id(writer.membership)),
        ];
        Some(self.cut_by(world, journal, &tenures))
    }

    fn cut_by(&self, world: World, journal: JournalId, tenures: &[Tenure]) -> Option<EntryNumber> {
        let kills = self.oks(world.living & self.kills).filter(|(_, facts)| {
            facts
                .end
                .as_ref()
                .is_some_and(|end| tenures.contains(&end.tenure))
        });
        kills
            .map(|(kill, _)| EntryNumber(self.through(kill, journal)))
            .min()
    }

    /// How content stands that a journal wrote after these entries: what its author was, and what of it is left.
    pub(in crate::domain::roster::tests) fn standing(
        &self,
        set: Set,
        journal: JournalId,
        number: EntryNumber,
        known: Set,
    ) -> Option<(PersonId, Role, Option<Role>)> {
        let (then, now) = (self.settle(known), self.settle(set));
        let writer = self.writer(then, journal)?;
        let was = self.role(then, writer.membership);
        if self.ends(now, journal).flatten().is_some_and(|end| number > end) {
            return Some((writer.person, was, None));
        }
        let left = self
            .roles(then, writer.membership)
            .into_iter()
            .filter(|(tenure, _, by)| {
                let cut = self.cut_by(now, journal, &[Tenure::Role(self.entries[*tenure].id)]);
                by & now.living != 0 && cut.is_none_or(|end| number <= end)
            });
        let still = left
            .map(|(_, role, _)| role)
            .fold(self.least(writer.membership), Role::max);
        Some((writer.person, was, Some(still)))
    }

    /// The world of these entries.
    pub(in crate::domain::roster::tests) fn at(&self, set: Set) -> World {
        self.settle(set)
    }
}

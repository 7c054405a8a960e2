//! Histories made from genes: honest people and attackers, silent devices, sockpuppets, cuts of every kind, acts from old pasts.
//! A gene that does not fit is passed over, so that every list of genes is a history, and a shorter list a shorter one.

use proptest::prelude::*;

use super::*;
use crate::domain::charter::{Amendment, Counters, Inviters};
use crate::domain::control::Shown;

/// The most entries of a history.
pub(super) const MOST: usize = 90;

/// The kinds of genes from here on erase something.
const ERASES: u8 = 224;

/// What is done, by whom, to whom, how.
pub(in super::super) type Gene = (u8, u8, u8, u8);

pub(in super::super) fn genes() -> impl Strategy<Value = Vec<Gene>> {
    prop::collection::vec(any::<Gene>(), 4..50)
}

impl History {
    pub(in super::super) fn of(genes: &[Gene]) -> Self {
        let salt = genes.first().map_or(0, |gene| gene.3);
        let vouchers = salt % 4 % 3;
        let inviters = if salt % 8 == 7 {
            Inviters::Stewards
        } else {
            Inviters::Members
        };
        let mut history = Self::founded(
            Charter {
                vouchers,
                inviters,
                ..Charter::circle()
            },
            salt,
        );
        // A group to begin with: most have voice, many are stewards, some have a device that they put away.
        for bit in 0..2 + usize::from(salt % 4) {
            if salt >> (bit % 8) & 1 == 1 {
                history.enrols(0, 0);
            }
            let pen = history.joins(0, usize::from(vouchers));
            let membership = history.pens[pen].membership;
            if bit % 3 != 2 {
                history.all_decide(CouncilAct::Promote {
                    membership,
                    role: Role::Steward,
                });
            }
            if (bit + usize::from(salt)) % 4 != 3 {
                history.all_decide(CouncilAct::Confirm { membership });
            }
            if salt >> ((bit + 3) % 8) & 1 == 1 || bit < 2 {
                history.enrols(pen, 0);
            }
        }
        for gene in genes {
            if history.entries.len() + 14 > MOST {
                break;
            }
            history.live(*gene);
        }
        history
    }

    fn council_act(&self, one: u8, other: u8) -> CouncilAct {
        let pick = |n: u8, len: usize| usize::from(n) % len;
        let (membership, _) = self.memberships[pick(one, self.memberships.len())];
        match other % 16 {
            0..=2 => CouncilAct::Confirm { membership },
            3..=5 => CouncilAct::Promote {
                membership,
                role: Role::Steward,
            },
            6..=9 => CouncilAct::Remove { membership },
            10 | 11 => CouncilAct::Demote {
                tenure: self.roles[pick(one, self.roles.len())],
            },
            12 => match self.invites.get(pick(one, self.invites.len().max(1))) {
                Some((invite, _)) => CouncilAct::Revoke { invite: *invite },
                None => CouncilAct::Confirm { membership },
            },
            13 => CouncilAct::Amend(match one % 4 {
                0 => Amendment::Vouchers(one % 5),
                1 => Amendment::Inviters(Inviters::Stewards),
                2 => Amendment::Inviters(Inviters::Members),
                _ => Amendment::Counters(Counters::Stewards),
            }),
            14 => CouncilAct::Hide {
                target: acts::target(one % 2),
                shown: if one.is_multiple_of(3) {
                    Shown::Visible
                } else {
                    Shown::Hidden
                },
            },
            _ => CouncilAct::Promote {
                membership,
                role: Role::Member,
            },
        }
    }

    /// A council act with signatures of several devices: apart, or each seeing the one before; sealed or not.
    pub(super) fn council(&mut self, pen: usize, learns: u128, act: CouncilAct, how: u8) {
        let motion = self.proposes(pen, learns, act, how / 4);
        let base = self.past[self.at(motion)];
        let mut chain = base;
        let mut signed = BTreeSet::from([self.pens[pen].person]);
        for step in 0..self.pens.len() {
            let signer = (step + usize::from(how)) % self.pens.len();
            if self.entries.len() + 3 > MOST
                || signed.len() > 5
                || (self.is_carried(motion) && !how.is_multiple_of(8))
            {
                break;
            }
            let awake = !self.pens[signer].is_silent || how.is_multiple_of(4);
            if awake && signed.insert(self.pens[signer].person) {
                let learns = if how % 4 == 1 { base } else { chain };
                let id = self.signs(signer, learns, motion, how / 8);
                chain |= self.past[self.at(id)];
            }
        }
        if !self.is_carried(motion) && !how.is_multiple_of(3) {
            self.signs(pen, chain, motion, how / 8);
        }
    }

    fn live(&mut self, (kind, who, one, other): Gene) {
        let pick = |n: u8, len: usize| usize::from(n) % len;
        let pen = pick(who, self.pens.len());
        let some = self.past[pick(one.wrapping_add(other), self.past.len())];
        let learns = match other / 16 % 8 {
            _ if self.pens[pen].is_silent && other % 8 != 7 => some & (!0 >> 64),
            0..=2 => 0,
            3 | 4 => some,
            _ => self.everything(),
        };
        match kind % 32 {
            _ if kind >= ERASES => self.erases(pen, learns, (kind, who, one, other)),
            0..=7 => self.brings_in(pen, learns, (kind, who, one, other)),
            8..=25 => self.decides(pen, learns, (kind, who, one, other)),
            _ => self.ends_or_says(pen, learns, (kind, who, one, other)),
        }
    }

    /// Somebody comes in, or is on the way.
    fn brings_in(&mut self, pen: usize, learns: u128, (kind, _, one, other): Gene) {
        let pick = |n: u8, len: usize| usize::from(n) % len;
        match kind % 32 {
            0 => drop(self.joins(pen, usize::from(other % 3))),
            1 => {
                // Several at once, all from one hand.
                for _ in 0..1 + other % 3 {
                    if self.entries.len() + 12 < MOST {
                        self.joins(pen, 0);
                    }
                }
            }
            2 => drop(self.comes_in(pen, 1, 1 + one % self.people)),
            3 => drop(self.enrols(pen, learns)),
            4 => drop(self.invites(
                pen,
                learns,
                if other < 60 { Role::Observer } else { Role::Member },
            )),
            5 if !self.invites.is_empty() => {
                let at = pick(one, self.invites.len());
                if other % 2 == 0 {
                    self.people += 1;
                }
                let person = self.people;
                self.admits(at, learns, person);
                self.opens(self.grants.len() - 1);
            }
            6 if !self.asks.is_empty() => {
                let (ask, ..) = self.asks[pick(one, self.asks.len())];
                let learns = learns | self.past[self.at(ask)];
                self.does(pen, learns, acts::vouch(ask));
            }
            7 if !self.invites.is_empty() => {
                let (invite, by) = self.invites[pick(one, self.invites.len())];
                let ask = self.does(by, 0, acts::ask(invite, self.people));
                self.asks.push((ask, invite, self.people));
            }
            _ => {}
        }
    }

    /// The council.
    fn decides(&mut self, pen: usize, learns: u128, (kind, who, one, other): Gene) {
        let pick = |n: u8, len: usize| usize::from(n) % len;
        match kind % 32 {
            8..=9 => {
                let act = self.council_act(one, other);
                self.proposes(pen, learns, act, who / 8);
            }
            10..=12 if !self.motions.is_empty() => {
                // The newest are the likeliest.
                let back = pick(one, self.motions.len()) * usize::from(other % 3) / 2;
                let motion = self.motions[self.motions.len() - 1 - back];
                self.signs(pen, learns, motion, who / 8);
            }
            13..=20 => {
                let act = self.council_act(one, other);
                self.council(pen, learns, act, who ^ kind);
            }
            21..=25 => self.removes_each_other(pen, pick(one, self.pens.len()), other),
            _ => {}
        }
    }

    /// What a person does alone, and what changes nothing.
    fn ends_or_says(&mut self, pen: usize, learns: u128, (kind, _, one, other): Gene) {
        let pick = |n: u8, len: usize| usize::from(n) % len;
        match kind % 32 {
            26 | 27 => {
                let mine: Vec<EntryId> = self.enrolments_of(self.pens[pen].person);
                let enrolment = mine[pick(one, mine.len())];
                let cut = self.cut(pen, other / 8);
                self.does(pen, learns, acts::retire(enrolment, cut));
            }
            28 => {
                let membership = self.pens[pen].membership;
                let cut = self.cut(pen, other / 8);
                self.does(pen, learns, acts::leave(membership, cut));
            }
            29 if !self.invites.is_empty() => {
                let (invite, by) = self.invites[pick(one, self.invites.len())];
                let cut = self.cut(pen, other / 8);
                let by = if other % 4 == 0 { pen } else { by };
                self.does(by, learns, acts::withdraw(invite, cut));
            }
            30 => {
                let act = match one % 4 {
                    0 => ControlAct::Unknown { kind: 99 },
                    1 => ControlAct::Void,
                    _ => acts::keys(),
                };
                self.does(pen, learns, act);
            }
            31 => self.odd(pen, learns, one, other),
            _ => {}
        }
    }

    /// Two remove each other, neither knowing of it, each with whoever signs with them.
    fn removes_each_other(&mut self, one: usize, other: usize, how: u8) {
        if self.pens[one].person == self.pens[other].person {
            return;
        }
        let base = self.everything();
        let old = |of: &Pen| {
            if of.is_silent || how.is_multiple_of(4) {
                of.knows
            } else {
                base
            }
        };
        let learns = (old(&self.pens[one]), old(&self.pens[other]));
        let grant = |id: EntryId| self.past[self.at(id)];
        let (mine, theirs) = (self.pens[one].membership, self.pens[other].membership);
        let learns = (learns.0 | grant(theirs), learns.1 | grant(mine));
        let act = |membership, at: EntryId| match how % 8 {
            1 => CouncilAct::Demote { tenure: at },
            _ => CouncilAct::Remove { membership },
        };
        let tenure = |of: EntryId| {
            let person = self
                .memberships
                .iter()
                .find(|(id, _)| *id == of)
                .map_or(1, |(_, person)| *person);
            let roles = self.roster.role_tenures(PersonId([person; 32]));
            roles
                .iter()
                .find(|(_, role)| *role == Role::Steward)
                .map_or(of, |(tenure, _)| *tenure)
        };
        let acts = (act(theirs, tenure(theirs)), act(mine, tenure(mine)));
        let first = self.proposes(one, learns.0, acts.0, how);
        let second = self.proposes(other, learns.1, acts.1, how / 2);
        let mut sides = [
            (first, self.past[self.at(first)]),
            (second, self.past[self.at(second)]),
        ];
        for signer in 0..self.pens.len() {
            let person = self.pens[signer].person;
            let taken = [one, other].map(|pen| self.pens[pen].person).contains(&person);
            if taken || self.entries.len() + 3 > MOST {
                continue;
            }
            // One side, the other, or both.
            let chosen = (usize::from(how) >> (signer % 6)) % 4;
            for (side, (motion, chain)) in sides.iter_mut().enumerate() {
                if (chosen < 2 && chosen != side) || self.is_carried(*motion) {
                    continue;
                }
                let learns = if self.pens[signer].is_silent { 0 } else { *chain };
                let id = self.signs(signer, learns, *motion, how / 4);
                *chain |= self.past[self.at(id)];
            }
        }
    }

    /// What no honest software writes: names of things that are something else, or not in the writer's past.
    fn odd(&mut self, pen: usize, learns: u128, one: u8, other: u8) {
        let named = self.entries[usize::from(one) % self.entries.len()].id;
        let act = match other % 12 {
            0 => acts::motion(CouncilAct::Remove { membership: named }, Cut::new()),
            1 => acts::motion(
                CouncilAct::Promote {
                    membership: named,
                    role: Role::Steward,
                },
                Cut::new(),
            ),
            2 => acts::motion(CouncilAct::Demote { tenure: named }, Cut::new()),
            3 => acts::motion(CouncilAct::Revoke { invite: named }, Cut::new()),
            4 => acts::sign(named, Cut::new()),
            5 => acts::leave(named, Cut::new()),
            6 => acts::retire(named, Cut::new()),
            7 => acts::withdraw(named, Cut::new()),
            8 => acts::vouch(named),
            9 => acts::ask(named, 9),
            10 => acts::enrol(named, self.pens[pen].person, 200),
            _ => acts::open(named, 3),
        };
        self.does(pen, learns, act);
    }

    /// One of these devices does something, knowing only what they know together.
    pub(in super::super) fn behind(&mut self, pens: &mut Vec<usize>, (kind, who, one, other): Gene) {
        let pen = pens[usize::from(who) % pens.len()];
        let known = pens.iter().fold(0, |all, pen| all | self.pens[*pen].knows);
        let learns = if other % 2 == 0 { known } else { 0 };
        let inside = |id: &EntryId| known & (1 << self.at(*id)) != 0;
        let memberships: Vec<EntryId> = self
            .memberships
            .iter()
            .map(|(id, _)| *id)
            .filter(inside)
            .collect();
        let membership = memberships[usize::from(one) % memberships.len()];
        match kind % 12 {
            0..=2 => {
                let act = match other % 8 {
                    0 | 1 => CouncilAct::Promote {
                        membership,
                        role: Role::Steward,
                    },
                    2 => CouncilAct::Confirm { membership },
                    3 => self.council_act(one, 13),
                    4 => CouncilAct::Erase(self.erasure(pen, 7, one)),
                    _ => CouncilAct::Remove { membership },
                };
                let motion = self.proposes(pen, known, act, kind / 16);
                for signer in pens.clone() {
                    if self.entries.len() + 3 < 120 && !self.is_carried(motion) {
                        self.signs(signer, known, motion, kind / 16);
                    }
                }
            }
            3 | 4 => {
                let invite = self.invites(pen, learns, Role::Member);
                self.people += 1;
                self.admits_on(invite, self.people);
                pens.push(self.opens_last());
            }
            5 => pens.push(self.enrols(pen, learns)),
            6 => {
                let mine = self.enrolments_of(self.pens[pen].person);
                let cut = self.cut(pen, 4);
                self.does(
                    pen,
                    learns,
                    acts::retire(mine[usize::from(one) % mine.len()], cut),
                );
            }
            7 => {
                let cut = self.cut(pen, 4);
                self.does(pen, learns, acts::leave(self.pens[pen].membership, cut));
            }
            8 if !self.invites.is_empty() => {
                let (invite, _) = self.invites[usize::from(one) % self.invites.len()];
                let cut = self.cut(pen, 4);
                self.does(pen, learns, acts::withdraw(invite, cut));
            }
            9 | 10 if !self.motions.is_empty() => {
                let motion = self.motions[usize::from(one) % self.motions.len()];
                if inside(&motion) {
                    self.signs(pen, 0, motion, 0);
                }
            }
            // For ever, although they are out.
            11 => {
                let erasure = self.erasure(pen, one, other);
                self.does(pen, learns, acts::erase(erasure));
            }
            _ => drop(self.does(pen, learns, acts::keys())),
        }
    }
}

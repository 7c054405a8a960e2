//! The rules once more, slowly: from the definitions in DESIGN section 6 and the numbered clauses, and from nothing else. Every
//! entry is judged by settling its whole past anew; nothing is carried over from one past to the next. At most 128 entries.

mod answers;
mod erased;
mod judge;

use std::cmp::Reverse;

use super::super::*;

/// Entries, by their place in the history.
pub(super) type Set = u128;

pub(super) fn has(set: Set, at: usize) -> bool {
    set & (1 << at) != 0
}

pub(super) fn places(set: Set) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        let at = usize::try_from(left.trailing_zeros()).unwrap();
        left &= left.wrapping_sub(1);
        (at < 128).then_some(at)
    })
}

/// A power that is made use of: every part that is there must hold.
#[derive(Debug, Clone, Default)]
struct Power {
    /// The tenure, and what granted it.
    role: Option<(usize, Set)>,
    /// What gave voice.
    voice: Option<Set>,
}

#[derive(Debug, Clone, Copy)]
struct Writer {
    open: usize,
    enrolment: usize,
    membership: usize,
    person: PersonId,
}

/// A majority, or those who vouch: how many persons, and by which entries.
#[derive(Debug, Clone)]
struct Majority {
    count: usize,
    by: Vec<(PersonId, usize, Power)>,
}

#[derive(Debug, Clone)]
struct End {
    tenure: Tenure,
    cut: BTreeMap<JournalId, u64>,
    weight: ((u8, usize), Reverse<usize>, usize, EntryId),
}

/// What an entry that is ok rests on and does.
#[derive(Debug, Clone)]
struct Facts {
    writer: Writer,
    needs: Set,
    power: Option<Power>,
    /// One of these must hold; none are needed where it is empty.
    majorities: Vec<Majority>,
    invitation: Option<EntryId>,
    end: Option<End>,
    carries: Option<usize>,
    as_steward: Option<Power>,
    as_voice: Option<Power>,
}

impl Facts {
    fn of(writer: Writer) -> Self {
        Self {
            writer,
            needs: 0,
            power: None,
            majorities: Vec::new(),
            invitation: None,
            end: None,
            carries: None,
            as_steward: None,
            as_voice: None,
        }
    }
}

/// A closed set of entries, and those of it that live.
#[derive(Debug, Clone, Copy)]
pub(super) struct World {
    pub(super) living: Set,
}

pub(super) struct Oracle {
    entries: Vec<ControlEntry>,
    at: BTreeMap<EntryId, usize>,
    /// R1: with the entry itself.
    past: Vec<Set>,
    facts: Vec<Option<Facts>>,
    kills: Set,
    /// What was settled before: the same set, the same world.
    settled: std::cell::RefCell<BTreeMap<Set, World>>,
    /// How often the weight had to decide.
    pub(super) circles: std::cell::Cell<usize>,
}

impl Oracle {
    /// Judges a history in which everything stands after its past.
    pub(super) fn new(entries: &[ControlEntry]) -> Self {
        let mut all = Self {
            entries: entries.to_vec(),
            at: entries.iter().enumerate().map(|(at, e)| (e.id, at)).collect(),
            past: Vec::new(),
            facts: Vec::new(),
            kills: 0,
            settled: std::cell::RefCell::default(),
            circles: std::cell::Cell::new(0),
        };
        for at in 0..entries.len() {
            let before: Set = all
                .parents(at)
                .map(|parent| all.past[parent])
                .fold(0, |a, b| a | b);
            let known = all.settle(before);
            all.past.push(before | (1 << at));
            let facts = all.judge(at, before, known);
            let is_kill = facts.as_ref().is_some_and(|facts| facts.end.is_some());
            all.kills |= u128::from(is_kill) << at;
            all.facts.push(facts);
        }
        all
    }

    fn parents(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let entry = &self.entries[at];
        let previous = (0..at)
            .filter(|other| {
                let other = &self.entries[*other];
                other.journal == entry.journal && other.number < entry.number
            })
            .max_by_key(|other| self.entries[*other].number);
        previous
            .into_iter()
            .chain(entry.seen.iter().map(|id| self.at[id]))
    }

    pub(super) fn everything(&self) -> Set {
        self.past.iter().fold(0, |a, b| a | b)
    }

    pub(super) fn past(&self, at: usize) -> Set {
        self.past[at]
    }

    pub(super) fn is_ok(&self, at: usize) -> bool {
        self.facts[at].is_some()
    }

    pub(super) fn is_kill(&self, at: usize) -> bool {
        self.facts[at].as_ref().is_some_and(|facts| facts.end.is_some())
    }

    fn ok(&self, at: usize) -> &Facts {
        self.facts[at].as_ref().unwrap()
    }

    fn oks(&self, set: Set) -> impl Iterator<Item = (usize, &Facts)> {
        places(set).filter_map(|at| Some((at, self.facts.get(at)?.as_ref()?)))
    }

    // ---- R3: how far a journal counts under a kill

    fn through(&self, kill: usize, journal: JournalId) -> u64 {
        let seen = places(self.past[kill]).filter(|at| self.entries[*at].journal == journal);
        let seen = seen.map(|at| self.entries[at].number.0).max().unwrap_or(0);
        let named = self.ok(kill).end.as_ref().and_then(|end| end.cut.get(&journal));
        seen.max(named.copied().unwrap_or(0))
    }

    fn is_voided(&self, at: usize, tenure: Tenure, kills: Set) -> bool {
        let entry = &self.entries[at];
        self.oks(kills).any(|(kill, facts)| {
            facts.end.as_ref().is_some_and(|end| end.tenure == tenure)
                && entry.number.0 > self.through(kill, entry.journal)
        })
    }

    // ---- R5: what stands under kills

    fn holds(&self, at: usize, power: &Power, dead: Set, kills: Set) -> bool {
        power.role.is_none_or(|(tenure, by)| {
            by & !dead != 0 && !self.is_voided(at, Tenure::Role(self.entries[tenure].id), kills)
        }) && power.voice.is_none_or(|by| by & !dead != 0)
    }

    fn stands(&self, at: usize, dead: Set, kills: Set) -> bool {
        let facts = self.ok(at);
        let writer = facts.writer;
        let id = |at: usize| self.entries[at].id;
        let majority = |majority: &Majority| {
            let living = majority.by.iter().filter(|(_, by, power)| {
                (*by == at || !has(dead, *by)) && self.holds(*by, power, dead, kills)
            });
            living
                .map(|(person, _, _)| *person)
                .collect::<BTreeSet<_>>()
                .len()
                >= majority.count
        };
        (writer.open == at || !has(dead, writer.open))
            && facts.needs & dead == 0
            && !self.is_voided(at, Tenure::Enrolment(id(writer.enrolment)), kills)
            && !self.is_voided(at, Tenure::Membership(id(writer.membership)), kills)
            && facts
                .invitation
                .is_none_or(|invite| !self.is_voided(at, Tenure::Invitation(invite), kills))
            && facts
                .power
                .as_ref()
                .is_none_or(|power| self.holds(at, power, dead, kills))
            && (facts.majorities.is_empty() || facts.majorities.iter().any(majority))
    }

    /// What does not live where just these kills take effect, and some of them whatever becomes of what they need.
    fn dead(&self, set: Set, kills: Set, taken: Set) -> Set {
        let mut dead = 0;
        for (at, _) in self.oks(set) {
            if !has(taken, at) && !self.stands(at, dead, kills) {
                dead |= 1 << at;
            }
        }
        dead
    }

    // ---- R4: which kills are taken

    pub(super) fn settle(&self, set: Set) -> World {
        let held = self.settled.borrow().get(&set).copied();
        held.unwrap_or_else(|| {
            let world = self.settle_anew(set);
            self.settled.borrow_mut().insert(set, world);
            world
        })
    }

    fn settle_anew(&self, set: Set) -> World {
        let kills = self.kills & set;
        let mut taken: Set = 0;
        loop {
            let dead = self.dead(set, taken, taken);
            let open = kills & !taken & !dead;
            if open == 0 {
                let ok = self.oks(set).fold(0, |all, (at, _)| all | (1 << at));
                return World { living: ok & !dead };
            }
            // Those that stand whatever becomes of the others.
            let in_doubt = self.dead(set, taken | open, taken);
            let safe = open & !in_doubt;
            taken |= if safe == 0 {
                1 << self.first_of_a_circle(open)
            } else {
                safe
            };
        }
    }

    /// Everything that an entry rests on, however little it needs of it.
    fn rests_on(&self, at: usize) -> Set {
        let facts = self.ok(at);
        let of = |power: &Power| power.role.map_or(0, |(_, by)| by) | power.voice.unwrap_or(0);
        let signed = facts.majorities.iter().flat_map(|majority| &majority.by);
        let signed = signed.fold(0, |all, (_, by, power)| all | (1 << by) | of(power));
        let mine = (1 << facts.writer.open) | facts.needs | signed | facts.power.as_ref().map_or(0, of);
        let below: Set = places(mine & !(1 << at)).fold(0, |all, below| all | self.rests_on(below));
        below | mine | (1 << at)
    }

    /// Does this kill void this very entry, or what makes it count somewhere?
    fn touches(&self, kill: usize, at: usize) -> bool {
        let kills = 1 << kill;
        let facts = self.ok(at);
        let id = |at: usize| self.entries[at].id;
        let role = |by: usize, power: &Power| {
            power
                .role
                .is_some_and(|(tenure, _)| self.is_voided(by, Tenure::Role(id(tenure)), kills))
        };
        self.is_voided(at, Tenure::Enrolment(id(facts.writer.enrolment)), kills)
            || self.is_voided(at, Tenure::Membership(id(facts.writer.membership)), kills)
            || facts
                .invitation
                .is_some_and(|invite| self.is_voided(at, Tenure::Invitation(invite), kills))
            || facts.power.as_ref().is_some_and(|power| role(at, power))
            || facts
                .majorities
                .iter()
                .flat_map(|m| &m.by)
                .any(|(_, by, power)| role(*by, power))
    }

    fn first_of_a_circle(&self, open: Set) -> usize {
        self.circles.set(self.circles.get() + 1);
        let touched_by = |kill: usize| {
            let rests = self.rests_on(kill);
            let by = places(open)
                .filter(|other| *other != kill && places(rests).any(|at| self.touches(*other, at)));
            by.fold(0_u128, |all, by| all | (1 << by))
        };
        let mut before: BTreeMap<usize, Set> = places(open).map(|kill| (kill, touched_by(kill))).collect();
        // All that lead to a kill, by however many steps.
        loop {
            let next: BTreeMap<usize, Set> = before
                .iter()
                .map(|(kill, by)| (*kill, places(*by).fold(*by, |all, other| all | before[&other])))
                .collect();
            if next == before {
                break;
            }
            before = next;
        }
        let in_first_circle = |kill: &usize| places(before[kill]).all(|other| has(before[&other], *kill));
        let weight = |kill: &usize| self.ok(*kill).end.as_ref().unwrap().weight;
        places(open).filter(in_first_circle).min_by_key(weight).unwrap()
    }

    // ---- what holds in a world

    fn lives(&self, world: World, id: EntryId) -> Option<usize> {
        self.at.get(&id).copied().filter(|at| has(world.living, *at))
    }

    fn is_over(&self, world: World, tenure: Tenure) -> bool {
        self.oks(world.living & self.kills)
            .any(|(_, facts)| facts.end.as_ref().is_some_and(|end| end.tenure == tenure))
    }

    /// Whose membership this grant is or belongs to, where it is a grant.
    fn membership_of(&self, grant: usize) -> Option<usize> {
        match &self.entries[grant].act {
            ControlAct::Found(_) | ControlAct::Admit(_) => Some(grant),
            ControlAct::Enrol(enrol) => self.at.get(&enrol.membership).copied(),
            _ => None,
        }
    }

    fn person_of(&self, membership: usize) -> PersonId {
        match &self.entries[membership].act {
            ControlAct::Found(found) => found.founder.person,
            ControlAct::Admit(admit) => admit.joiner.person,
            other => panic!("no membership: {other:?}"),
        }
    }

    pub(super) fn memberships(&self, world: World) -> impl Iterator<Item = usize> + '_ {
        let grants = places(world.living).filter(|at| self.membership_of(*at) == Some(*at));
        grants.filter(move |at| !self.is_over(world, Tenure::Membership(self.entries[*at].id)))
    }

    fn is_membership(&self, world: World, id: EntryId) -> Option<usize> {
        let grant = self
            .lives(world, id)
            .filter(|at| self.membership_of(*at) == Some(*at));
        grant.filter(|_| !self.is_over(world, Tenure::Membership(id)))
    }

    fn is_enrolment(&self, world: World, id: EntryId) -> Option<usize> {
        let grant = self.lives(world, id)?;
        let membership = self.membership_of(grant)?;
        self.is_membership(world, self.entries[membership].id)?;
        (!self.is_over(world, Tenure::Enrolment(id))).then_some(grant)
    }

    /// The living entries that make a grant take effect.
    fn granted_by(&self, world: World, grant: usize) -> Set {
        if matches!(self.entries[grant].act, ControlAct::Motion(_)) {
            let carrying = self
                .oks(world.living)
                .filter(|(_, facts)| facts.carries == Some(grant));
            carrying.fold(0, |all, (at, _)| all | (1 << at))
        } else {
            world.living & (1 << grant)
        }
    }

    /// The roles of a membership that hold, each by its tenure, in the order of their ids.
    fn roles(&self, world: World, membership: usize) -> Vec<(usize, Role, Set)> {
        let mine = self.entries[membership].id;
        let mut roles: Vec<(usize, Role, Set)> = self
            .oks(self.everything())
            .filter_map(|(at, facts)| {
                let role = match &self.entries[at].act {
                    ControlAct::Found(_) if at == membership => Role::Steward,
                    ControlAct::Admit(_) if at == membership => {
                        match &self.entries[self.at[&facts.invitation?]].act {
                            ControlAct::Invite(invite) => invite.role,
                            _ => return None,
                        }
                    }
                    ControlAct::Motion(motion) => match &motion.act {
                        CouncilAct::Promote { membership, role } if *membership == mine => *role,
                        _ => return None,
                    },
                    _ => return None,
                };
                let by = self.granted_by(world, at);
                let over = self.is_over(world, Tenure::Role(self.entries[at].id));
                (by != 0 && !over).then_some((at, role, by))
            })
            .collect();
        roles.sort_by_key(|(tenure, ..)| self.entries[*tenure].id);
        roles
    }

    fn least(&self, membership: usize) -> Role {
        match self.entries[membership].act {
            ControlAct::Found(_) => Role::Member,
            _ => Role::Observer,
        }
    }

    fn role(&self, world: World, membership: usize) -> Role {
        let roles = self.roles(world, membership);
        roles
            .iter()
            .map(|(_, role, _)| *role)
            .fold(self.least(membership), Role::max)
    }

    /// The power to act in a role: by the tenure with the smallest id that will do.
    fn power(&self, world: World, membership: usize, needed: Role) -> Option<Power> {
        if self.least(membership) >= needed {
            return Some(Power::default());
        }
        let roles = self.roles(world, membership);
        let (tenure, _, by) = roles.into_iter().find(|(_, role, _)| *role >= needed)?;
        Some(Power {
            role: Some((tenure, by)),
            voice: None,
        })
    }

    fn voice(&self, world: World, membership: usize) -> Option<Power> {
        let member = self.power(world, membership, Role::Member)?;
        let mine = self.entries[membership].id;
        let mut grants: Vec<usize> = (0..self.facts.len())
            .filter(|at| match &self.entries[*at].act {
                ControlAct::Found(_) => *at == membership,
                ControlAct::Motion(motion) => {
                    let role = Role::Steward;
                    motion.act == CouncilAct::Confirm { membership: mine }
                        || motion.act
                            == (CouncilAct::Promote {
                                membership: mine,
                                role,
                            })
                }
                _ => false,
            })
            .filter(|at| self.granted_by(world, *at) != 0)
            .collect();
        grants.sort_by_key(|at| self.entries[*at].id);
        let by = self.granted_by(world, *grants.first()?);
        Some(Power {
            voice: Some(by),
            ..member
        })
    }

    fn persons_who(&self, world: World, may: impl Fn(usize) -> bool) -> BTreeSet<PersonId> {
        let all = self.memberships(world).filter(|at| may(*at));
        all.map(|at| self.person_of(at)).collect()
    }

    pub(super) fn stewards(&self, world: World) -> BTreeSet<PersonId> {
        self.persons_who(world, |at| self.role(world, at) == Role::Steward)
    }

    pub(super) fn voices(&self, world: World) -> BTreeSet<PersonId> {
        self.persons_who(world, |at| self.voice(world, at).is_some())
    }
}

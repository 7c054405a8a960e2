//! All ways in which a few attackers can act against a few honest people, in small groups. From a group in which everybody has
//! seen everything, every order of every move up to a depth is tried; ways that lead to the same entries are tried once. After
//! each the honest answer, the attackers move once more with what they kept back, and it is looked at what is left.
//!
//! Further: `KIEZ_DEPTH=3 cargo test --release -p kiez-core --lib roster::tests::explorer -- --nocapture`

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::acts;
use super::histories::History;
use super::oracle::{Oracle, has};
use crate::domain::charter::Charter;

/// Who is in the group: each by whether they are honest, a steward, and have voice. The first founds it and is honest.
#[derive(Debug, Clone, Copy)]
struct Member {
    is_honest: bool,
    is_steward: bool,
}

const FOUNDER: Member = Member {
    is_honest: true,
    is_steward: true,
};
const HONEST: Member = Member {
    is_honest: true,
    is_steward: true,
};
const NEIGHBOUR: Member = Member {
    is_honest: true,
    is_steward: false,
};
const ATTACKER: Member = Member {
    is_honest: false,
    is_steward: true,
};
const ATTACKING_NEIGHBOUR: Member = Member {
    is_honest: false,
    is_steward: false,
};

/// The groups: in each the honest are more than half of the stewards and of the voices, by what the honest alone have signed.
/// Where the second steward is the one who attacks, nobody comes to power without their signature, and they can take it back
/// with a device silent since: `limits` shows that.
const GROUPS: [(&str, &[Member]); 5] = [
    ("3: the last steward attacks", &[FOUNDER, HONEST, ATTACKER]),
    ("3: a neighbour attacks", &[FOUNDER, HONEST, ATTACKING_NEIGHBOUR]),
    (
        "4: a neighbour stands by",
        &[FOUNDER, HONEST, ATTACKER, NEIGHBOUR],
    ),
    (
        "5: two stewards of five collude",
        &[FOUNDER, HONEST, HONEST, ATTACKER, ATTACKER],
    ),
    (
        "5: a steward and a neighbour collude",
        &[FOUNDER, HONEST, ATTACKER, ATTACKING_NEIGHBOUR, HONEST],
    ),
];

/// What an attacker's device can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Move {
    /// Ends the membership of the member of this place. `true`: knowing of everything; else of as little as it can.
    Remove(usize, usize, bool),
    /// Makes an attacker or a sockpuppet a steward, or gives it voice.
    Raise(usize, usize, bool),
    /// Signs a motion, honest or not, naming cuts that are far too high, or none.
    Sign(usize, usize, bool),
    /// Brings somebody in.
    Puppet(usize),
    Leave(usize),
    /// Retires another device of the same person, back to nothing.
    Retire(usize, usize),
    /// An honest person sees everything and does the next thing that is to be done.
    Answer(usize),
}

#[derive(Clone)]
struct Board {
    history: History,
    members: Vec<Member>,
    /// The first device of each member.
    mains: Vec<usize>,
    /// The devices of the attackers, also of who they bring in.
    attackers: Vec<usize>,
    puppets: usize,
    /// The motions of honest people, by whose membership they end.
    answers: BTreeMap<EntryId, EntryId>,
    /// How many entries there were when everybody had seen everything.
    seen_by_all: usize,
}

impl Board {
    fn set_up(members: &[Member], salt: u8) -> Self {
        let mut history = History::founded(Charter::circle(), salt);
        let mut mains = vec![0];
        let mut attackers = Vec::new();
        for (place, member) in members.iter().enumerate().skip(1) {
            let pen = history.joins(0, 0);
            mains.push(pen);
            let membership = history.pens[pen].membership;
            // The first days: a device that stays silent from before the person could do anything.
            if !member.is_honest {
                attackers.push(pen);
                attackers.push(history.enrols(pen, 0));
            }
            if member.is_steward {
                history.all_decide(CouncilAct::Promote {
                    membership,
                    role: Role::Steward,
                });
            }
            history.all_decide(CouncilAct::Confirm { membership });
            // And one from when they could.
            if !member.is_honest && place + 1 < members.len() {
                let all = history.everything();
                history.does(pen, all, acts::keys());
                attackers.push(history.enrols(pen, 0));
            }
        }
        for pen in &mains {
            let all = history.everything();
            history.does(*pen, all, acts::keys());
        }
        let seen_by_all = history.entries.len();
        Self {
            history,
            members: members.to_vec(),
            mains,
            attackers,
            puppets: 0,
            answers: BTreeMap::new(),
            seen_by_all,
        }
    }

    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        let honest = || (0..self.members.len()).filter(|place| self.members[*place].is_honest);
        for (nth, pen) in self.attackers.iter().enumerate() {
            for fresh in [false, true] {
                moves.extend(honest().map(|place| Move::Remove(nth, place, fresh)));
                moves.push(Move::Raise(nth, self.attackers.len() - 1, fresh));
                let open = (0..self.history.motions.len()).rev().filter(|motion| {
                    let card = self.history.roster.motion_card(self.history.motions[*motion]);
                    card.is_some_and(|card| !card.carried)
                });
                moves.extend(open.take(2).map(|motion| Move::Sign(nth, motion, fresh)));
            }
            if self.puppets < 2 {
                moves.push(Move::Puppet(nth));
            }
            moves.push(Move::Leave(nth));
            let person = self.history.pens[*pen].person;
            let others = (0..self.attackers.len())
                .filter(|other| *other != nth && self.history.pens[self.attackers[*other]].person == person);
            moves.extend(others.map(|other| Move::Retire(nth, other)));
        }
        moves.extend(honest().map(Move::Answer));
        moves
    }

    /// Does it. None where nothing comes of it.
    fn after(&self, step: Move) -> Option<Self> {
        let mut board = self.clone();
        let history = &mut board.history;
        let all = history.everything();
        let learns = |fresh: bool| if fresh { all } else { 0 };
        let of = |history: &History, id: EntryId| history.past_of(history.at(id));
        match step {
            Move::Remove(nth, place, fresh) => {
                let membership = history.pens[board.mains[place]].membership;
                let learns = learns(fresh) | of(history, membership);
                history.proposes(board.attackers[nth], learns, CouncilAct::Remove { membership }, 4);
            }
            Move::Raise(nth, whom, fresh) => {
                let membership = history.pens[board.attackers[whom]].membership;
                let learns = learns(fresh) | of(history, membership);
                let act = match fresh {
                    true => CouncilAct::Confirm { membership },
                    false => CouncilAct::Promote {
                        membership,
                        role: Role::Steward,
                    },
                };
                history.proposes(board.attackers[nth], learns, act, 4);
            }
            Move::Sign(nth, motion, fresh) => {
                let motion = history.motions[motion];
                history.signs(
                    board.attackers[nth],
                    learns(fresh),
                    motion,
                    if fresh { 6 } else { 4 },
                );
            }
            Move::Puppet(nth) => {
                let invite = history.invites(board.attackers[nth], 0, Role::Member);
                let person = 60 + u8::try_from(board.puppets).unwrap();
                history.admits_on(invite, person);
                let pen = history.opens_last();
                board.attackers.push(pen);
                board.puppets += 1;
            }
            Move::Leave(nth) => {
                let pen = board.attackers[nth];
                let membership = history.pens[pen].membership;
                history.does(pen, 0, acts::leave(membership, BTreeMap::new()));
            }
            Move::Retire(nth, other) => {
                let journal = history.pens[board.attackers[other]].journal;
                let enrolment = history.roster.author(journal)?.grant;
                let learns = of(history, enrolment);
                history.does(
                    board.attackers[nth],
                    learns,
                    acts::retire(enrolment, BTreeMap::new()),
                );
            }
            Move::Answer(place) => return board.answers(place).then_some(board),
        }
        let last = board.history.entries.last()?;
        board.history.roster.verdict(last.id)?.ok()?;
        Some(board)
    }

    /// Signs what another honest person has proposed, or proposes the removal of an attacker whom no honest majority has
    /// removed. Says whether there was something to do.
    fn answers(&mut self, place: usize) -> bool {
        let pen = self.mains[place];
        if !self.members[place].is_steward {
            return false;
        }
        let all = self.history.everything();
        let attacking = self
            .attackers
            .iter()
            .map(|pen| self.history.pens[*pen].membership);
        for membership in attacking.collect::<BTreeSet<_>>() {
            // Who never came in need not be removed.
            if !self.history.roster.lives(membership) {
                continue;
            }
            let motion = self.answers.get(&membership).copied();
            let card = motion.and_then(|motion| self.history.roster.motion_card(motion));
            let me = PersonId([self.history.pens[pen].person; 32]);
            // What an attacker signed, too, may let too much count: then once more without them.
            let helped = |card: &MotionCard| {
                let attackers = self.attackers.iter().map(|pen| self.history.pens[*pen].person);
                attackers
                    .map(|person| PersonId([person; 32]))
                    .any(|person| card.signers.contains(&person))
            };
            match (motion, card) {
                (Some(_), Some(card)) if card.carried && !helped(&card) => {}
                (Some(_), Some(card)) if !card.carried && card.signers.contains(&me) => {}
                (Some(motion), Some(card)) if card.carried => {
                    let again = self
                        .history
                        .proposes(pen, all, CouncilAct::Remove { membership }, 0);
                    assert_ne!(motion, again);
                    self.answers.insert(membership, again);
                    return true;
                }
                (Some(motion), Some(_)) => {
                    self.history.signs(pen, all, motion, 3);
                    return true;
                }
                _ => {
                    let motion = self
                        .history
                        .proposes(pen, all, CouncilAct::Remove { membership }, 0);
                    self.answers.insert(membership, motion);
                    return true;
                }
            }
        }
        false
    }

    /// The honest do what is left to be done, each seeing everything.
    fn settle(&mut self) {
        for _ in 0..3 {
            for place in 0..self.members.len() {
                while self.members[place].is_honest && self.history.entries.len() < 110 && self.answers(place)
                {
                }
            }
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    boards: usize,
    ends: usize,
    kills_void: usize,
    broken: BTreeMap<&'static str, (usize, String)>,
}

impl Found {
    fn broken(&mut self, what: &'static str, how: impl FnOnce() -> String) {
        self.broken.entry(what).or_insert_with(|| (0, how())).0 += 1;
    }
}

/// What must hold of every board, and more where the honest have answered.
fn look(board: &Board, is_answered: bool, path: &[Move], found: &mut Found) {
    let roster = &board.history.roster;
    let persons = roster.persons();
    let person = |pen: usize| PersonId([board.history.pens[pen].person; 32]);
    let honest: Vec<PersonId> = (0..board.members.len())
        .filter(|place| board.members[*place].is_honest)
        .map(|place| person(board.mains[place]))
        .collect();
    let how = || format!("{path:?}\n{:#?}", &board.history.entries[board.seen_by_all..]);
    if honest.iter().any(|person| !persons.contains_key(person)) {
        found.broken("an honest person is out", how);
    }
    let stewards = roster.stewards();
    let stood = |place: &usize| board.members[*place].is_honest && board.members[*place].is_steward;
    if (0..board.members.len())
        .filter(stood)
        .any(|place| !stewards.contains(&person(board.mains[place])))
    {
        found.broken("an honest steward is none any more", how);
    }
    let powers: BTreeSet<PersonId> = stewards.union(&roster.voices()).copied().collect();
    let members = board
        .mains
        .iter()
        .map(|pen| person(*pen))
        .collect::<BTreeSet<_>>();
    if !powers.is_subset(&members) {
        found.broken("a sockpuppet has a power", how);
    }
    if roster.is_stuck() {
        found.broken("nobody can act", how);
    }
    let of_honest = |entry: &ControlEntry| {
        let author = roster.author(entry.journal);
        author.is_some_and(|author| honest.contains(&author.person))
    };
    let mut seen = board.history.entries[..board.seen_by_all].iter();
    if seen
        .any(|entry| of_honest(entry) && roster.verdict(entry.id) == Some(Ok(())) && !roster.lives(entry.id))
    {
        found.broken("an honest act that all had seen is void", how);
    }
    if is_answered {
        let attackers = board.attackers.iter().map(|pen| person(*pen));
        if attackers
            .collect::<BTreeSet<_>>()
            .iter()
            .any(|person| persons.contains_key(person))
        {
            found.broken("an attacker is in, though the honest have answered", how);
        }
    }
}

/// The engine says what the definitions say, of this board too.
fn compare(board: &Board) {
    let oracle = Oracle::new(&board.history.entries);
    let now = oracle.at(oracle.everything());
    for (at, entry) in board.history.entries.iter().enumerate() {
        assert_eq!(
            board.history.roster.lives(entry.id),
            has(now.living, at),
            "{entry:?}"
        );
    }
}

fn explore(members: &[Member], depth: usize, salt: u8) -> Found {
    let mut found = Found::default();
    let start = Board::set_up(members, salt);
    let mut level: Vec<(Board, Vec<Move>)> = vec![(start, Vec::new())];
    let mut known: BTreeSet<[u8; 32]> = BTreeSet::new();
    for _ in 0..depth {
        let mut next = Vec::new();
        for (board, path) in &level {
            for step in board.moves() {
                let Some(after) = board.after(step) else { continue };
                let mut ids: Vec<EntryId> = after.history.entries.iter().map(|entry| entry.id).collect();
                ids.sort_unstable();
                let set = ids.iter().fold(blake3::Hasher::new(), |mut all, id| {
                    all.update(&id.0);
                    all
                });
                if !known.insert(*set.finalize().as_bytes()) {
                    continue;
                }
                let path: Vec<Move> = path.iter().copied().chain([step]).collect();
                found.boards += 1;
                look(&after, false, &path, &mut found);
                end(&after, &path, &mut found);
                next.push((after, path));
            }
        }
        level = next;
    }
    found
}

/// The honest answer; then every device of the attackers acts once more, from what it knew before.
fn end(board: &Board, path: &[Move], found: &mut Found) {
    let mut answered = board.clone();
    answered.settle();
    look(&answered, true, path, found);
    found.ends += 1;
    if found.ends.is_multiple_of(16) {
        compare(&answered);
    }
    let before: BTreeSet<EntryId> = answered.answers.values().copied().collect();
    for step in answered.moves() {
        let is_kept_back = matches!(
            step,
            Move::Remove(_, _, false)
                | Move::Sign(_, _, false)
                | Move::Puppet(_)
                | Move::Leave(_)
                | Move::Retire(..)
        );
        let Some(last) = answered.after(step).filter(|_| is_kept_back) else {
            continue;
        };
        let path: Vec<Move> = path.iter().copied().chain([step]).collect();
        let roster = &last.history.roster;
        if before
            .iter()
            .any(|motion| !roster.motion_card(*motion).is_some_and(|card| card.carried))
        {
            found.kills_void += 1;
        }
        look(&last, true, &path, found);
        found.ends += 1;
    }
}

fn report(depth: usize, most: usize) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, members) in GROUPS.iter().filter(|(_, members)| members.len() <= most) {
        let found = explore(members, depth, 0);
        println!(
            "{name}: depth {depth}, {} boards, {} ends, {} answers undone",
            found.boards, found.ends, found.kills_void
        );
        for (what, (count, how)) in &found.broken {
            println!(
                "  {what}: {count} times, first by {}",
                how.lines().next().unwrap_or("")
            );
            broken.push(format!("{name}: {what}: {how}"));
        }
    }
    broken
}

#[test]
fn no_attack_gets_further_than_it_may() {
    let depth = std::env::var("KIEZ_DEPTH")
        .ok()
        .map_or(1, |depth| depth.parse().unwrap());
    let broken = report(depth, 5);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

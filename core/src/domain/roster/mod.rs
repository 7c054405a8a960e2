//! Who is in the group, in which role, with which devices, under which rules: a pure function of the set of control entries.
//!
//! Acts exercise tenures: every grant is one, named by the entry that granted it; a role or a device falls with its membership.
//! The numbered rules (DESIGN section 6; each has tests of its name; `tests::oracle` says the same slowly, `tests::explorer`
//! hunts for what they do not hold):
//!
//! - **R1 past.** The past of an entry is `prev` and `seen`, closed (`past`). A journal inherits the past of its grant, because
//!   its `open` names the grant in `seen`. Along a journal the past only grows.
//! - **R2 ok.** Whether the author and the signers had the power is judged in the act's own past, and never changes (`judge`).
//!   What it names must be in that past. Of several tenures that give a power, an act exercises the one with the smallest id.
//!   A motion is carried by the entry of its last signature: the one that has so many signatures in its past, itself with them,
//!   that they are more than half of the stewards, or more than half of the persons with voice, as it knows them. Signatures made
//!   apart are sealed by any later one; who signed may sign again for that. A motion carried in an entry's past needs none.
//!   Whom the council makes a steward it has confirmed, too: else the founder, for long the only one with voice, would be a
//!   majority of the persons by themselves, and no second steward could hold them back.
//! - **R3 kill.** Remove, retire, leave, demote, revoke and withdraw name a tenure and, for each of its journals, the last entry
//!   that still counts: the furthest that any of the counted signers holds, but for whom it is about; never below what the kill's
//!   past holds. They void what that tenure wrote or signed beyond (`kill`). A demotion voids what was done by virtue of the role,
//!   a voice that rests on it among that; a revocation the admission on the invitation; neither anything else. A membership that
//!   is over can be removed again, where too much was let count.
//! - **R4 weight.** Of the kills that void each other (or something which another rests on) those are taken first that stand
//!   whatever becomes of the rest; where there is none, the heaviest of a circle which nothing outside touches: own acts last,
//!   of them leaving first, then the device with fewer enrolments between it and the admission; then the number of signers whom
//!   the killed person knew and did not bring in; then the signer nearest to the founding; then entry id. What the taken ones void falls, and so on, until all are decided (`moment`).
//! - **R5 life.** An entry lives if it is ok, no taken kill voids it, and every grant and so many signatures as it needs live: a
//!   majority of stewards or one of voices. A taken kill stays taken.
//! - **R6 fold.** All that lives takes effect (`view`). A tenure that a taken kill ends is over, whatever was granted to it
//!   beside that. Of amendments of one rule, and of hidings of one thing, the causally last counts, then the one with more signers,
//!   then the smaller id. Several kills of one tenure all hold: each voids what is beyond it.
//! - **R7 no lock-out.** Persons with voice act by majority beside the stewards, so also where no steward is left. A charter never
//!   asks for more vouchers than there are. Where nobody can act ([`Roster::is_stuck`]), a new group is founded from a copy.
//! - **R8 unknown.** An unknown kind or version takes no effect, and the roster says that an update is needed.
//!
//! Why they are so, the counterexamples that changed them, and what they do not hold: `docs/rules.md`.

mod beside;
mod erase;
mod judge;
mod kill;
mod moment;
mod past;
mod pending;
mod query;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::charter::{Role, Rule};
use super::control::{ControlAct, ControlEntry, CouncilAct, Device, Motion, Target};
use super::id::{EntryId, EntryNumber, JournalId, PersonId};

pub use erase::Erased;
pub use kill::Tenure;
pub use moment::Moment;
pub use pending::MotionCard;
pub use query::{Former, Standing};

use moment::{Basis, Chain};
use past::Reach;
use view::View;

/// Why a control entry takes no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotOk {
    /// A journal begins with `open` (the founding one with `found`), and has only one.
    OutOfPlace,
    /// The grant it names is not one, is not ok, is over, is not in its past or is for another device.
    NoSuchGrant,
    /// Its author is not in the group, as they knew.
    NotAMember,
    /// The charter does not allow its author to invite into that role.
    MayNotInvite,
    /// The invitation it names is not one of this journal, or its secret is another.
    NoSuchInvitation,
    /// The invitation was used before.
    InvitationUsed,
    /// The invitation was revoked or taken back.
    InvitationEnded,
    /// Too few members have met who comes in.
    VouchersMissing,
    /// They are a member already, as the author knew.
    AlreadyAMember,
    /// The membership it names is not this person's.
    NotTheirMembership,
    /// What it would end is somebody else's.
    NotTheirs,
    /// What it is about is not there, or is over.
    NoSuchTenure,
    /// The motion it names is not there.
    NoSuchMotion,
    /// The motion has all the signatures it needs.
    CarriedAlready,
    /// Its author has neither the role nor the voice it needs.
    NoPower,
    /// A kind this software does not know (R8).
    Unknown,
    /// Its journal ended before it, or it lies on a branch that lost.
    Void,
}

impl std::fmt::Display for NotOk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OutOfPlace => "it is out of place",
            Self::NoSuchGrant => "nothing that holds lets this device begin here",
            Self::NotAMember => "you are not in this group any more, or not with this device",
            Self::MayNotInvite => "you may not invite somebody in that role",
            Self::NoSuchInvitation => "there is no such invitation of yours",
            Self::InvitationUsed => "the invitation was used already",
            Self::InvitationEnded => "the invitation was taken back",
            Self::VouchersMissing => "more members must say that they have met whoever comes in",
            Self::AlreadyAMember => "they are in the group already",
            Self::NotTheirMembership => "that device belongs to somebody else",
            Self::NotTheirs => "that is not yours to end",
            Self::NoSuchTenure => "what it is about is not there, or is over",
            Self::NoSuchMotion => "there is no such motion",
            Self::CarriedAlready => "it has all the signatures it needs, and has taken effect",
            Self::NoPower => "that takes a steward, or somebody with voice",
            Self::Unknown => "it is from a newer Kiez: update this one",
            Self::Void => "it lies where nothing counts any more",
        })
    }
}

/// What the author of a journal is, by the grant that let it begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: Role,
    /// The grant: the tenure it exercises.
    pub grant: EntryId,
    /// The membership which that grant belongs to.
    pub membership: EntryId,
}

/// Why a control entry cannot be judged yet: it does not change the roster and is given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its past is not here yet")]
pub struct PastMissing;

/// A person in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The strongest role of their memberships.
    pub role: Role,
    /// Whether they count in majorities of persons: the founder, and whom the council confirmed.
    pub has_voice: bool,
    /// Their devices, each by the grant that named it.
    pub devices: BTreeMap<EntryId, Device>,
    /// Their memberships; more than one where several let them in who did not know of each other.
    pub memberships: BTreeSet<EntryId>,
}

#[derive(Debug, Clone)]
struct Judged {
    entry: ControlEntry,
    verdict: Result<(), NotOk>,
    basis: Basis,
    /// Its past and itself.
    moment: Moment,
    /// When it came: after everything in its past.
    order: usize,
}

/// The roster: every control entry, each judged in its own past.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    entries: BTreeMap<EntryId, Judged>,
    /// As they came: each after its past.
    order: Vec<EntryId>,
    /// The control entries of a journal in order, by number.
    journals: BTreeMap<JournalId, BTreeMap<EntryNumber, EntryId>>,
    places: BTreeMap<JournalId, usize>,
    by_place: Vec<JournalId>,
    /// The entries on branches that do not count, by the place which each has for itself.
    beside: BTreeMap<JournalId, beside::Beside>,
    /// It is asked what acts say in their own pasts: what was erased is not.
    is_of_one_past: bool,
    /// Such, the last asked first.
    pasts: VecDeque<Self>,
    heads: BTreeSet<EntryId>,
    /// What all before some entries comes to, the last such: those who write at once have seen the same.
    joined: VecDeque<(BTreeSet<EntryId>, Moment)>,
    founding: Option<EntryId>,
    needs_update: bool,
    /// All of it.
    now: Moment,
    /// Of what is ok: the memberships of each person, and whose each is.
    memberships: BTreeMap<PersonId, BTreeSet<EntryId>>,
    granted: BTreeMap<EntryId, PersonId>,
    /// The `admit` on each invitation.
    used: BTreeMap<EntryId, EntryId>,
    /// The devices granted in each membership, and the journals opened on each grant.
    enrolments: BTreeMap<EntryId, BTreeSet<EntryId>>,
    opened: BTreeMap<EntryId, BTreeSet<JournalId>>,
    /// The roles granted to each membership, by tenure; the memberships that were ever a steward's; grants of voice.
    roles: BTreeMap<EntryId, BTreeSet<(EntryId, Role)>>,
    stewards: BTreeSet<EntryId>,
    voices: BTreeMap<EntryId, BTreeSet<EntryId>>,
    /// The kills of each tenure.
    kills: BTreeMap<Tenure, BTreeSet<EntryId>>,
    /// The signatures under each motion (that of its author is its own entry), and the entries that carry it.
    signed: BTreeMap<EntryId, BTreeSet<EntryId>>,
    carried: BTreeMap<EntryId, BTreeSet<EntryId>>,
    amendments: BTreeMap<Rule, BTreeSet<EntryId>>,
    hides: BTreeMap<Target, BTreeSet<EntryId>>,
    erasures: erase::Erasures,
    /// The `rekey` and `keys` entries, also those that are not ok.
    key_acts: BTreeSet<EntryId>,
    /// The vouches for a person who asks on an invitation.
    vouches: BTreeMap<(EntryId, PersonId), BTreeSet<EntryId>>,
}

impl Roster {
    /// Takes in one control entry whose past is here, judges it, and says how. Taking it in again changes nothing.
    ///
    /// # Errors
    /// Where an entry of its `seen` is missing; the roster is unchanged.
    pub fn insert(&mut self, entry: ControlEntry) -> Result<Result<(), NotOk>, PastMissing> {
        if let Some(held) = self.entries.get(&entry.id) {
            return Ok(held.verdict);
        }
        let previous = self.last_in(entry.journal, entry.number);
        let known = self.known_by(&entry, previous)?;
        let place = self.place(entry.journal);
        let reach = known.reach.with(place, entry.number.0);
        let basis = self.judge(&entry, &known, &reach);
        let id = entry.id;
        self.move_heads(&entry, previous);
        self.journals
            .entry(entry.journal)
            .or_default()
            .insert(entry.number, id);
        let verdict = basis.as_ref().map(|_| ()).map_err(|reason| *reason);
        let judged = Judged {
            verdict,
            basis: basis.unwrap_or_default(),
            moment: Moment {
                reach,
                ..known.clone()
            },
            order: self.order.len(),
            entry,
        };
        self.needs_update |= verdict == Err(NotOk::Unknown);
        if matches!(judged.entry.act, ControlAct::Rekey(_) | ControlAct::Keys(_)) {
            self.key_acts.insert(id);
        }
        if verdict.is_ok() {
            self.note(&judged);
        }
        if !self.is_of_one_past {
            self.note_erased(&judged);
        }
        self.order.push(id);
        self.entries.insert(id, judged);
        let mut moment = known;
        let mut now = std::mem::take(&mut self.now);
        if let Some(judged) = self.entries.get(&id) {
            self.grow(&mut moment, judged);
            self.grow(&mut now, judged);
        }
        if let Some(held) = self.entries.get_mut(&id) {
            held.moment = moment;
        }
        self.now = now;
        Ok(verdict)
    }

    /// Whoever names an entry builds on it: nobody names one that does not count.
    fn move_heads(&mut self, entry: &ControlEntry, previous: Option<EntryId>) {
        if matches!(entry.act, ControlAct::Void) {
            return;
        }
        for known in previous.iter().chain(&entry.seen) {
            self.heads.remove(known);
        }
        self.heads.insert(entry.id);
    }

    /// Remembers where to find what an entry that is ok grants, signs and ends.
    fn note(&mut self, judged: &Judged) {
        let id = judged.entry.id;
        if let Some(kill) = &judged.basis.kill {
            self.kills.entry(kill.tenure).or_default().insert(id);
        }
        if let Some(motion) = judged.basis.carries {
            self.carried.entry(motion).or_default().insert(id);
        }
        match &judged.entry.act {
            ControlAct::Found(found) => {
                self.founding = Some(id);
                self.note_membership(id, found.founder.person, Role::Steward);
                self.voices.entry(id).or_default().insert(id);
            }
            ControlAct::Admit(admit) => {
                self.used.insert(admit.invite, id);
                if let Some((_, invite)) = self.invite(admit.invite) {
                    let role = invite.role;
                    self.note_membership(id, admit.joiner.person, role);
                }
            }
            ControlAct::Enrol(enrol) => {
                self.enrolments.entry(enrol.membership).or_default().insert(id);
            }
            ControlAct::Open(open) => {
                self.opened
                    .entry(open.grant)
                    .or_default()
                    .insert(judged.entry.journal);
            }
            ControlAct::Vouch(vouch) => {
                if let Some(ControlAct::Ask(ask)) = self.act(vouch.ask) {
                    let asked = (ask.invite, ask.person);
                    self.vouches.entry(asked).or_default().insert(id);
                }
            }
            ControlAct::Sign(sign) => {
                self.signed.entry(sign.motion).or_default().insert(id);
            }
            ControlAct::Motion(motion) => self.note_motion(id, motion),
            ControlAct::Invite(_)
            | ControlAct::Ask(_)
            | ControlAct::Retire(_)
            | ControlAct::Leave(_)
            | ControlAct::Withdraw(_)
            | ControlAct::Rekey(_)
            | ControlAct::Keys(_)
            | ControlAct::Erase(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => {}
        }
    }

    fn note_membership(&mut self, id: EntryId, person: PersonId, role: Role) {
        self.memberships.entry(person).or_default().insert(id);
        self.granted.insert(id, person);
        self.enrolments.entry(id).or_default().insert(id);
        self.note_role(id, id, role);
    }

    fn note_role(&mut self, membership: EntryId, tenure: EntryId, role: Role) {
        self.roles.entry(membership).or_default().insert((tenure, role));
        if role == Role::Steward {
            self.stewards.insert(membership);
        }
    }

    fn note_motion(&mut self, id: EntryId, motion: &Motion) {
        self.signed.entry(id).or_default().insert(id);
        match &motion.act {
            CouncilAct::Confirm { membership } => {
                self.voices.entry(*membership).or_default().insert(id);
            }
            CouncilAct::Promote { membership, role } => {
                self.note_role(*membership, id, *role);
                if *role == Role::Steward {
                    self.voices.entry(*membership).or_default().insert(id);
                }
            }
            CouncilAct::Amend(amendment) => {
                self.amendments.entry(amendment.rule()).or_default().insert(id);
            }
            CouncilAct::Hide { target, .. } => {
                self.hides.entry(*target).or_default().insert(id);
            }
            CouncilAct::Demote { .. }
            | CouncilAct::Remove { .. }
            | CouncilAct::Revoke { .. }
            | CouncilAct::Erase(_) => {}
        }
    }

    fn view<'a>(&'a self, moment: &'a Moment) -> View<'a> {
        View { roster: self, moment }
    }

    fn present(&self) -> View<'_> {
        self.view(&self.now)
    }

    fn is_ok(&self, id: EntryId) -> bool {
        self.entries.get(&id).is_some_and(|judged| judged.verdict.is_ok())
    }

    fn is_motion(&self, id: EntryId) -> bool {
        self.motion(id).is_some()
    }

    /// A motion that is ok.
    fn motion(&self, id: EntryId) -> Option<&Motion> {
        match self.act(id) {
            Some(ControlAct::Motion(motion)) if self.is_ok(id) => Some(motion),
            _ => None,
        }
    }

    /// The tenures behind a journal, by its first entry, where that one is ok.
    fn chain(&self, journal: JournalId) -> Option<Chain> {
        let journal = self.written_in(journal);
        let first = self.journals.get(&journal)?.get(&EntryNumber::FIRST)?;
        let judged = self.entries.get(first)?;
        judged.verdict.ok()?;
        judged.basis.chain.filter(|chain| chain.open == *first)
    }

    /// The membership which a grant of a device belongs to.
    fn membership_of(&self, grant: EntryId) -> Option<EntryId> {
        if !self.is_ok(grant) {
            return None;
        }
        let act = self.act(grant)?;
        if let ControlAct::Enrol(enrol) = act {
            Some(enrol.membership)
        } else {
            matches!(act, ControlAct::Found(_) | ControlAct::Admit(_)).then_some(grant)
        }
    }

    /// The membership which a role's tenure belongs to.
    fn membership_of_role(&self, tenure: EntryId) -> Option<EntryId> {
        if let Some(motion) = self.motion(tenure) {
            return if let CouncilAct::Promote { membership, .. } = &motion.act {
                Some(*membership)
            } else {
                None
            };
        }
        self.granted.contains_key(&tenure).then_some(tenure)
    }

    fn person_of(&self, membership: EntryId) -> Option<PersonId> {
        self.granted.get(&membership).copied()
    }

    fn place(&mut self, journal: JournalId) -> usize {
        let next = self.by_place.len();
        *self.places.entry(journal).or_insert_with(|| {
            self.by_place.push(journal);
            next
        })
    }

    /// The last control entry of a journal before a number.
    fn last_in(&self, journal: JournalId, number: EntryNumber) -> Option<EntryId> {
        self.journals
            .get(&journal)?
            .range(..number)
            .next_back()
            .map(|(_, id)| *id)
    }

    /// The last control entry of a journal within a reach.
    fn last_reached(&self, journal: JournalId, reach: &Reach) -> Option<&Judged> {
        let number = EntryNumber(self.last_number(journal, reach));
        let id = self.last_in(journal, number.next())?;
        self.entries.get(&id)
    }

    fn last_number(&self, journal: JournalId, reach: &Reach) -> u64 {
        self.places.get(&journal).map_or(0, |place| reach.get(*place))
    }

    /// The control entries of the journal at a place after one number and up to another.
    fn between(&self, place: usize, from: u64, to: u64) -> impl Iterator<Item = &Judged> {
        let numbers = self
            .by_place
            .get(place)
            .and_then(|journal| self.journals.get(journal));
        let range = EntryNumber(from.saturating_add(1))..=EntryNumber(to);
        numbers
            .into_iter()
            .flat_map(move |numbers| numbers.range(range.clone()))
            .filter_map(|(_, id)| self.entries.get(id))
    }

    fn reaches(&self, reach: &Reach, judged: &Judged) -> bool {
        self.last_number(judged.entry.journal, reach) >= judged.entry.number.0
    }
}

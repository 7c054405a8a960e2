//! Who is in the group, in which role, with which devices: a pure function of the control entries.
//!
//! Of DESIGN section 6, what found, open, invite, admit and enrol need is here: R1 (past), R2 (ok) and R8 (unknown).
//! Kills, weight, life and council acts (R3 to R7) take their place when the acts that need them come; until then a
//! grant that is ok lives.
//!
//! - **R1 past.** The past of an entry is `prev` and `seen`, closed. A journal inherits the past of its grant, because its
//!   `open` names the grant in `seen`.
//! - **R2 ok.** Whether an author had the power is judged in the entry's own past, and never changes.
//! - **R8 unknown.** An unknown kind takes no effect, and the roster says that an update is needed.

mod judge;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::charter::{Charter, Role};
use super::control::{Admit, ControlAct, ControlEntry, Device, Invite};
use super::id::{EntryId, EntryNumber, JournalId, PersonId};
use crate::planted::{Bug, is_on};

/// Why a control entry takes no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotOk {
    /// A journal begins with `open` (the founding one with `found`), and has only one.
    OutOfPlace,
    /// The grant it names is not one, is not ok, is not in its past or is for another device.
    NoSuchGrant,
    /// Its author is not in the group.
    NotAMember,
    /// The charter does not allow its author to invite into that role.
    MayNotInvite,
    /// The invitation it names is not one of this journal, or its secret is another.
    NoSuchInvitation,
    /// The invitation was used before.
    InvitationUsed,
    /// They are a member already, as the author knew.
    AlreadyAMember,
    /// The membership it names is not this person's.
    NotTheirMembership,
    /// A kind this software does not know (R8).
    Unknown,
    /// Its journal ended before it, or it lies on a branch that lost.
    Void,
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
    /// Whether they count in majorities of persons: the founder, until council acts come.
    pub has_voice: bool,
    /// Their devices, each by the grant that named it.
    pub devices: BTreeMap<EntryId, Device>,
}

#[derive(Debug, Clone)]
struct Judged {
    entry: ControlEntry,
    verdict: Result<(), NotOk>,
    /// For each journal (by its place in `journals`) how far the entry's past reaches, itself included.
    past: Vec<u64>,
}

/// The roster: every control entry, each judged in its own past.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    entries: BTreeMap<EntryId, Judged>,
    /// The control entries of a journal in order, by number.
    journals: BTreeMap<JournalId, BTreeMap<EntryNumber, EntryId>>,
    places: BTreeMap<JournalId, usize>,
    heads: BTreeSet<EntryId>,
    founding: Option<EntryId>,
    /// The ok grants of membership of each person.
    memberships: BTreeMap<PersonId, BTreeSet<EntryId>>,
    /// The ok `admit` on each invitation.
    used: BTreeMap<EntryId, EntryId>,
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
        if entry.seen.iter().any(|seen| !self.entries.contains_key(seen)) {
            return Err(PastMissing);
        }
        let past = self.past_of(&entry);
        let verdict = self.judge(&entry, &past);
        if verdict.is_ok() {
            self.note_membership(entry.id, &entry.act);
        }
        // Whoever names an entry builds on it: nobody names one that does not count.
        if !matches!(entry.act, ControlAct::Void) {
            if let Some(previous) = self.last_in(entry.journal, entry.number) {
                self.heads.remove(&previous);
            }
            for seen in &entry.seen {
                self.heads.remove(seen);
            }
            self.heads.insert(entry.id);
        }
        self.journals
            .entry(entry.journal)
            .or_default()
            .insert(entry.number, entry.id);
        self.entries.insert(entry.id, Judged { entry, verdict, past });
        Ok(verdict)
    }

    fn note_membership(&mut self, id: EntryId, act: &ControlAct) {
        let person = match act {
            ControlAct::Found(found) => {
                self.founding = Some(id);
                found.founder.person
            }
            ControlAct::Admit(admit) => {
                self.used.insert(admit.invite, id);
                admit.joiner.person
            }
            ControlAct::Open(_)
            | ControlAct::Invite(_)
            | ControlAct::Enrol(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => return,
        };
        self.memberships.entry(person).or_default().insert(id);
    }

    /// The control entries that count and that no other one that counts has in its past, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<EntryId> {
        self.heads.iter().copied().collect()
    }

    /// The heads that are not in the past of a journal whose entries named `seen` since its last control entry: what its
    /// next entry names in its own `seen`. Ascending.
    #[must_use]
    pub fn unseen(&self, journal: JournalId, seen: &BTreeSet<EntryId>) -> Vec<EntryId> {
        let mut reach = Vec::new();
        let last = self.last_in(journal, EntryNumber(u64::MAX));
        for known in last.iter().chain(seen).filter_map(|id| self.entries.get(id)) {
            join(&mut reach, &known.past);
        }
        let new = |id: &&EntryId| {
            self.entries
                .get(id)
                .is_some_and(|judged| !self.reaches(&reach, judged))
        };
        self.heads.iter().filter(new).copied().collect()
    }

    /// Is this control entry here?
    #[must_use]
    pub fn contains(&self, entry: EntryId) -> bool {
        self.entries.contains_key(&entry)
    }

    /// How a control entry was judged, where it is here.
    #[must_use]
    pub fn verdict(&self, entry: EntryId) -> Option<Result<(), NotOk>> {
        self.entries.get(&entry).map(|judged| judged.verdict)
    }

    /// What a control entry says, where it is here.
    #[must_use]
    pub fn act(&self, entry: EntryId) -> Option<&ControlAct> {
        self.entries.get(&entry).map(|judged| &judged.entry.act)
    }

    /// The journal of a control entry, and its number there.
    #[must_use]
    pub fn place_of(&self, entry: EntryId) -> Option<(JournalId, EntryNumber)> {
        let judged = self.entries.get(&entry)?;
        Some((judged.entry.journal, judged.entry.number))
    }

    /// These control entries and all in their past. None where one is not here.
    #[must_use]
    pub fn past(&self, heads: &[EntryId]) -> Option<BTreeSet<EntryId>> {
        let reach = self.reach(heads)?;
        let known = self
            .entries
            .iter()
            .filter(|(_, judged)| self.reaches(&reach, judged));
        Some(known.map(|(id, _)| *id).collect())
    }

    /// How many control entries are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The rules of the group, where its founding is here.
    #[must_use]
    pub fn charter(&self) -> Option<&Charter> {
        let judged = self.entries.get(&self.founding?)?;
        match &judged.entry.act {
            ControlAct::Found(found) => Some(&found.charter),
            ControlAct::Open(_)
            | ControlAct::Invite(_)
            | ControlAct::Admit(_)
            | ControlAct::Enrol(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => None,
        }
    }

    /// Does something here need newer software (R8)?
    #[must_use]
    pub fn needs_update(&self) -> bool {
        self.entries
            .values()
            .any(|judged| judged.verdict == Err(NotOk::Unknown))
    }

    /// What the author of a journal is; none where nothing that holds let it begin.
    #[must_use]
    pub fn author(&self, journal: JournalId) -> Option<Author> {
        let first = self.journals.get(&journal)?.get(&EntryNumber::FIRST)?;
        let judged = self.entries.get(first)?;
        judged.verdict.ok()?;
        match &judged.entry.act {
            ControlAct::Found(_) => self.tenure(*first),
            ControlAct::Open(open) => self.tenure(open.grant),
            ControlAct::Invite(_)
            | ControlAct::Admit(_)
            | ControlAct::Enrol(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => None,
        }
    }

    /// The device that a grant names, where that grant is ok.
    #[must_use]
    pub fn device(&self, grant: EntryId) -> Option<Device> {
        let judged = self.entries.get(&grant)?;
        judged.verdict.ok()?;
        judged.entry.act.device()
    }

    /// The device that writes a journal.
    #[must_use]
    pub fn device_of_journal(&self, journal: JournalId) -> Option<Device> {
        self.author(journal).and_then(|author| self.device(author.grant))
    }

    /// A grant for this very device on which it has not begun a journal.
    #[must_use]
    pub fn unopened_grant(&self, device: &Device) -> Option<EntryId> {
        let used: BTreeSet<EntryId> = self.authors().map(|(_, author)| author.grant).collect();
        let mut grants = self.entries.iter().filter(|(_, judged)| judged.verdict.is_ok());
        grants
            .find(|(id, judged)| judged.entry.act.device() == Some(*device) && !used.contains(id))
            .map(|(id, _)| *id)
    }

    /// All journals that hold, with their authors.
    pub fn authors(&self) -> impl Iterator<Item = (JournalId, Author)> + '_ {
        self.journals
            .keys()
            .filter_map(|journal| Some((*journal, self.author(*journal)?)))
    }

    /// Everybody in the group, by all that is here.
    #[must_use]
    pub fn persons(&self) -> BTreeMap<PersonId, Person> {
        self.persons_where(|_| true)
    }

    /// Everybody in the group as somebody knew who had applied these control entries. None where one is not here.
    #[must_use]
    pub fn persons_at(&self, heads: &[EntryId]) -> Option<BTreeMap<PersonId, Person>> {
        let reach = self.reach(heads)?;
        Some(self.persons_where(|judged| self.reaches(&reach, judged) || is_on(Bug::RosterNow)))
    }

    /// Who could vote, as somebody knew who had applied these control entries; none where one of them is not here.
    #[must_use]
    pub fn electors_at(&self, heads: &[EntryId]) -> Option<BTreeSet<PersonId>> {
        let persons = self.persons_at(heads)?.into_iter();
        let may = persons.filter(|(_, person)| person.role != Role::Observer);
        Some(may.map(|(person, _)| person).collect())
    }

    /// The journals of these persons that had begun, as somebody knew who had applied these control entries.
    #[must_use]
    pub fn journals_at(
        &self,
        heads: &[EntryId],
        persons: &BTreeSet<PersonId>,
    ) -> Option<BTreeSet<JournalId>> {
        let reach = self.reach(heads)?;
        let theirs = self.authors().filter(|(journal, author)| {
            let first = self
                .journals
                .get(journal)
                .and_then(|numbers| numbers.get(&EntryNumber::FIRST));
            let known = first
                .and_then(|id| self.entries.get(id))
                .is_some_and(|j| self.reaches(&reach, j));
            known && persons.contains(&author.person)
        });
        Some(theirs.map(|(journal, _)| journal).collect())
    }

    /// The grant by which a person is a member, the earliest by id where there are several.
    #[must_use]
    pub fn membership(&self, person: PersonId) -> Option<EntryId> {
        self.memberships.get(&person)?.first().copied()
    }

    /// Has this invitation been used, and by whom?
    #[must_use]
    pub fn admitted_by(&self, invite: EntryId) -> Option<(EntryId, &Admit)> {
        let judged = self.entries.get(self.used.get(&invite)?)?;
        match &judged.entry.act {
            ControlAct::Admit(admit) => Some((judged.entry.id, admit)),
            ControlAct::Found(_)
            | ControlAct::Open(_)
            | ControlAct::Invite(_)
            | ControlAct::Enrol(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => None,
        }
    }

    /// The `invite` entry of this id, and the journal that wrote it, where it is ok.
    #[must_use]
    pub fn invite(&self, id: EntryId) -> Option<(JournalId, &Invite)> {
        let judged = self.entries.get(&id)?;
        judged.verdict.ok()?;
        match &judged.entry.act {
            ControlAct::Invite(invite) => Some((judged.entry.journal, invite)),
            ControlAct::Found(_)
            | ControlAct::Open(_)
            | ControlAct::Admit(_)
            | ControlAct::Enrol(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => None,
        }
    }

    fn membership_granted(&self, act: &ControlAct) -> Option<(PersonId, Role)> {
        match act {
            ControlAct::Found(found) => Some((found.founder.person, Role::Steward)),
            ControlAct::Admit(admit) => {
                let (_, invite) = self.invite(admit.invite)?;
                Some((admit.joiner.person, invite.role))
            }
            ControlAct::Open(_)
            | ControlAct::Invite(_)
            | ControlAct::Enrol(_)
            | ControlAct::Void
            | ControlAct::Unknown { .. } => None,
        }
    }

    /// Person and role behind a grant: a membership itself, or the enrolment of a further device in one.
    fn tenure(&self, grant: EntryId) -> Option<Author> {
        let judged = self.entries.get(&grant)?;
        judged.verdict.ok()?;
        if let ControlAct::Enrol(enrol) = &judged.entry.act {
            let membership = self.entries.get(&enrol.membership)?;
            membership.verdict.ok()?;
            let (person, role) = self.membership_granted(&membership.entry.act)?;
            return Some(Author { person, role, grant });
        }
        let (person, role) = self.membership_granted(&judged.entry.act)?;
        Some(Author { person, role, grant })
    }

    fn persons_where(&self, counts: impl Fn(&Judged) -> bool) -> BTreeMap<PersonId, Person> {
        let mut persons: BTreeMap<PersonId, Person> = BTreeMap::new();
        for (id, judged) in &self.entries {
            if judged.verdict.is_err() || !counts(judged) {
                continue;
            }
            let (Some(author), Some(device)) = (self.tenure(*id), judged.entry.act.device()) else {
                continue;
            };
            let person = persons.entry(author.person).or_insert(Person {
                role: author.role,
                has_voice: false,
                devices: BTreeMap::new(),
            });
            person.role = person.role.max(author.role);
            person.has_voice |= self.founding == Some(*id);
            person.devices.insert(*id, device);
        }
        persons
    }

    fn past_of(&mut self, entry: &ControlEntry) -> Vec<u64> {
        let place = self.place(entry.journal);
        let previous = self.last_in(entry.journal, entry.number);
        let mut past: Vec<u64> = Vec::new();
        for known in previous
            .iter()
            .chain(&entry.seen)
            .filter_map(|id| self.entries.get(id))
        {
            join(&mut past, &known.past);
        }
        if past.len() <= place {
            past.resize(place.saturating_add(1), 0);
        }
        if let Some(own) = past.get_mut(place) {
            *own = entry.number.0;
        }
        past
    }

    fn place(&mut self, journal: JournalId) -> usize {
        let next = self.places.len();
        *self.places.entry(journal).or_insert(next)
    }

    /// The last control entry of a journal before a number.
    fn last_in(&self, journal: JournalId, number: EntryNumber) -> Option<EntryId> {
        self.journals
            .get(&journal)?
            .range(..number)
            .next_back()
            .map(|(_, id)| *id)
    }

    fn reach(&self, heads: &[EntryId]) -> Option<Vec<u64>> {
        let mut reach = Vec::new();
        for head in heads {
            join(&mut reach, &self.entries.get(head)?.past);
        }
        Some(reach)
    }

    fn reaches(&self, reach: &[u64], judged: &Judged) -> bool {
        let place = self.places.get(&judged.entry.journal);
        place
            .and_then(|place| reach.get(*place))
            .is_some_and(|known| *known >= judged.entry.number.0)
    }
}

fn join(past: &mut Vec<u64>, other: &[u64]) {
    if past.len() < other.len() {
        past.resize(other.len(), 0);
    }
    for (mine, theirs) in past.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

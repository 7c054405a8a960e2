//! What the roster is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::super::charter::{Charter, Role};
use super::super::control::{ControlAct, ControlEntry, CouncilAct, Device, Target};
use super::super::id::{EntryId, EntryNumber, JournalId, PersonId};
use super::kill::Tenure;
use super::moment::Moment;
use super::past::Reach;
use super::{Author, NotOk, Person, Roster};
use crate::planted::{Bug, Guard, is_off, is_on};

/// How an entry of content stands, by its author's tenures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its author was in the group, as they knew, and nothing has cut it off.
    Counts {
        /// What they were, as they knew.
        then: Role,
        /// What of it still counts.
        still: Role,
        /// Who.
        author: Author,
    },
    /// Its author was in the group, as they knew; it lies beyond what counts of them.
    Beyond(Author),
    /// Its author was not in the group, as they knew.
    Never,
}

/// Somebody who was in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The motion that removed them; none where they left, or who let them in does not count any more.
    pub removed_by: Option<EntryId>,
    /// They left by themselves.
    pub left: bool,
}

impl Roster {
    /// The control entries that count and that no other one that counts has in its past, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<EntryId> {
        self.heads.iter().copied().collect()
    }

    /// The heads that are not in the past of a journal whose entries named `seen` since its last control entry: what its
    /// next entry names in its own `seen`. Ascending.
    #[must_use]
    pub fn unseen(&self, journal: JournalId, seen: &BTreeSet<EntryId>) -> Vec<EntryId> {
        let mut reach = Reach::default();
        let last = self.last_in(journal, EntryNumber(u64::MAX));
        for known in last.iter().chain(seen).filter_map(|id| self.entries.get(id)) {
            reach = reach.join(&known.moment.reach);
        }
        let new = |id: &&EntryId| {
            self.entries
                .get(id)
                .is_some_and(|judged| !self.reaches(&reach, judged))
        };
        self.heads.iter().filter(new).copied().collect()
    }

    /// What a journal's author knew at an entry: by its last control entry before that, and what its entries since
    /// then named in `seen`.
    #[must_use]
    pub fn known(&self, journal: JournalId, number: EntryNumber, seen: &BTreeSet<EntryId>) -> Moment {
        let last = self.last_in(journal, number);
        let known = last.iter().chain(seen).filter_map(|id| self.entries.get(id));
        self.join(known.map(|judged| &judged.moment))
    }

    /// How an entry of content stands whose author knew this.
    #[must_use]
    pub fn standing(&self, journal: JournalId, number: EntryNumber, known: &Moment) -> Standing {
        let (then, now) = (self.view(known), self.present());
        let Some(author) = then.author(journal) else {
            return Standing::Never;
        };
        if now.ends(journal).is_some_and(|end| number > end) && !is_off(Guard::Beyond) {
            return Standing::Beyond(author);
        }
        Standing::Counts {
            then: author.role,
            still: now.role_still(&then, author.membership, journal, number),
            author,
        }
    }

    /// Did an entry of a member's that was allowed still count, as somebody knew who had applied these control entries?
    #[must_use]
    pub fn counted_at(&self, heads: &[EntryId], journal: JournalId, number: EntryNumber) -> bool {
        let (Some(moment), Some(chain)) = (self.moment(heads), self.chain(journal)) else {
            return false;
        };
        let then = self.view(&moment);
        then.ends(journal).is_none_or(|end| number <= end) && then.role(chain.membership) > Role::Observer
    }

    /// Up to which entry a journal counts, by all that is here; none where nothing ended it. Zero: nothing of it does.
    #[must_use]
    pub fn ends(&self, journal: JournalId) -> Option<EntryNumber> {
        self.present().ends(journal)
    }

    /// For each journal what decides how its content stands: where it ends, and the ends of its author's roles. Where that is
    /// the same for a journal as before, its content stands as before.
    #[must_use]
    pub fn reckoning(&self) -> BTreeMap<JournalId, BTreeMap<Tenure, EntryNumber>> {
        let now = self.present();
        let mut all = BTreeMap::new();
        for (membership, roles) in &self.roles {
            for journal in self.journals_under(*membership) {
                let whole = now
                    .ends(journal)
                    .map(|end| (Tenure::Membership(*membership), end));
                let roles = roles.iter().filter_map(|(tenure, _)| {
                    Some((Tenure::Role(*tenure), now.role_ends(*tenure, journal)?))
                });
                all.insert(journal, whole.into_iter().chain(roles).collect());
            }
        }
        all
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

    /// Is it here, was it allowed, and does it still take effect?
    #[must_use]
    pub fn lives(&self, entry: EntryId) -> bool {
        self.present().lives(entry)
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
        Some((self.written_in(judged.entry.journal), judged.entry.number))
    }

    /// These control entries and all in their past. None where one is not here.
    #[must_use]
    pub fn past(&self, heads: &[EntryId]) -> Option<BTreeSet<EntryId>> {
        let moment = self.moment(heads)?;
        Some(self.within(&moment.reach).map(|judged| judged.entry.id).collect())
    }

    /// What somebody knows who has applied these control entries. None where one is not here.
    fn moment(&self, heads: &[EntryId]) -> Option<Moment> {
        let heads: Option<Vec<&Moment>> = heads
            .iter()
            .map(|head| self.entries.get(head).map(|judged| &judged.moment))
            .collect();
        Some(self.join(heads?.into_iter()))
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

    /// The rules of the group as they stand, where its founding is here.
    #[must_use]
    pub fn charter(&self) -> Option<Charter> {
        self.present().charter()
    }

    /// Does something here need newer software (R8)?
    #[must_use]
    pub const fn needs_update(&self) -> bool {
        self.needs_update
    }

    /// Who writes a journal: by the grant that let it begin, whether or not that is over.
    #[must_use]
    pub fn author(&self, journal: JournalId) -> Option<Author> {
        let chain = self.chain(journal)?;
        Some(Author {
            person: chain.person,
            role: self.present().role(chain.membership),
            grant: chain.enrolment,
            membership: chain.membership,
        })
    }

    /// Who writes a journal, where they are still in the group, with that device.
    #[must_use]
    pub fn living_author(&self, journal: JournalId) -> Option<Author> {
        self.present().author(journal)
    }

    /// The device that a grant names, where that grant is ok.
    #[must_use]
    pub fn device(&self, grant: EntryId) -> Option<Device> {
        let device = self.act(grant).and_then(ControlAct::device);
        device.filter(|_| self.is_ok(grant))
    }

    /// The device that writes a journal.
    #[must_use]
    pub fn device_of_journal(&self, journal: JournalId) -> Option<Device> {
        self.device(self.chain(journal)?.enrolment)
    }

    /// Is this a grant of a device that still lives?
    #[must_use]
    pub fn is_enrolled(&self, grant: EntryId) -> bool {
        self.present().enrolment_lives(grant)
    }

    /// A living grant for this very device on which it has not begun a journal.
    #[must_use]
    pub fn unopened_grant(&self, device: &Device) -> Option<EntryId> {
        let now = self.present();
        let memberships = self.memberships.get(&device.person).into_iter().flatten();
        let grants = memberships.flat_map(|membership| self.enrolments.get(membership).into_iter().flatten());
        let mut unopened = grants.filter(|grant| self.journals_on(**grant).next().is_none());
        unopened
            .find(|grant| self.device(**grant) == Some(*device) && now.enrolment_lives(**grant))
            .copied()
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
        self.present().persons()
    }

    /// Somebody in the group, by all that is here.
    #[must_use]
    pub fn person(&self, id: PersonId) -> Option<Person> {
        self.present().person(id)
    }

    /// Everybody who was in the group and is not.
    #[must_use]
    pub fn former(&self) -> BTreeMap<PersonId, Former> {
        let now = self.present();
        let mut former = BTreeMap::new();
        for (person, memberships) in &self.memberships {
            if memberships.iter().any(|id| now.membership_lives(*id)) {
                continue;
            }
            let kills = memberships
                .iter()
                .flat_map(|membership| now.kills(Tenure::Membership(*membership)));
            let mut how = Former {
                removed_by: None,
                left: false,
            };
            for kill in kills {
                how.left |= matches!(kill.entry.act, ControlAct::Leave(_));
                how.removed_by = how.removed_by.or(kill.basis.carries);
            }
            former.insert(*person, how);
        }
        former
    }

    /// Everybody in the group as somebody knew who had applied these control entries. None where one is not here.
    #[must_use]
    pub fn persons_at(&self, heads: &[EntryId]) -> Option<BTreeMap<PersonId, Person>> {
        let moment = self.moment(heads)?;
        let moment = if is_on(Bug::RosterNow) { &self.now } else { &moment };
        Some(self.view(moment).persons())
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
        let moment = self.moment(heads)?;
        let theirs = persons.iter().flat_map(|person| self.journals_of_person(*person));
        Some(
            theirs
                .filter(|journal| self.last_number(*journal, &moment.reach) > 0)
                .collect(),
        )
    }

    /// The grant by which a person is a member, the earliest by id where there are several; of those that live.
    #[must_use]
    pub fn membership(&self, person: PersonId) -> Option<EntryId> {
        let now = self.present();
        let mut memberships = self.memberships.get(&person)?.iter();
        memberships.find(|id| now.membership_lives(**id)).copied()
    }

    /// The stewards.
    #[must_use]
    pub fn stewards(&self) -> BTreeSet<PersonId> {
        self.present().stewards(usize::MAX)
    }

    /// The persons with voice.
    #[must_use]
    pub fn voices(&self) -> BTreeSet<PersonId> {
        self.present().voices(usize::MAX)
    }

    /// R7: can nobody act for the group any more? Then a new one is founded from a copy.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let now = self.present();
        !self.is_empty() && now.stewards(1).is_empty() && now.voices(1).is_empty()
    }

    /// What is hidden, each with the motion that hid it.
    #[must_use]
    pub fn hidden(&self) -> BTreeMap<Target, EntryId> {
        self.present().hidden()
    }

    /// The tenures that make somebody a steward, or a member who came as an observer: what a demotion names.
    #[must_use]
    pub fn role_tenures(&self, person: PersonId) -> BTreeSet<(EntryId, Role)> {
        let now = self.present();
        let memberships = self.memberships.get(&person).into_iter().flatten();
        let roles = memberships
            .filter(|id| now.membership_lives(**id))
            .flat_map(|membership| self.roles.get(membership).into_iter().flatten());
        roles
            .filter(|(tenure, _)| now.holds_role(*tenure))
            .copied()
            .collect()
    }

    /// The journals that a council act would end, or an end of a tenure: what a cut names.
    #[must_use]
    pub fn journals_of(&self, tenure: Tenure) -> BTreeSet<JournalId> {
        match tenure {
            Tenure::Membership(membership) => self.journals_under(membership).collect(),
            Tenure::Enrolment(enrolment) => self.journals_on(enrolment).collect(),
            Tenure::Role(role) => self
                .membership_of_role(role)
                .into_iter()
                .flat_map(|membership| self.journals_under(membership))
                .collect(),
            Tenure::Invitation(invite) => self
                .invite(invite)
                .map(|(journal, _)| journal)
                .into_iter()
                .collect(),
        }
    }

    /// The taken kills that ended a device's place in the group: a removal, a retirement, a leaving. What a key to seal
    /// under must know of.
    #[must_use]
    pub fn ends_of_devices(&self) -> BTreeSet<EntryId> {
        let now = self.present();
        let of_devices = self
            .kills
            .iter()
            .filter(|(tenure, _)| matches!(tenure, Tenure::Membership(_) | Tenure::Enrolment(_)));
        let kills = of_devices.flat_map(|(_, kills)| kills);
        kills.filter(|kill| now.lives(**kill)).copied().collect()
    }

    /// Does an entry have all of these in its past?
    #[must_use]
    pub fn knows(&self, entry: EntryId, all: &BTreeSet<EntryId>) -> bool {
        let Some(judged) = self.entries.get(&entry) else {
            return false;
        };
        let mut known = all.iter().filter_map(|id| self.entries.get(id));
        known.all(|other| self.reaches(&judged.moment.reach, other))
    }

    /// The living `rekey` and `keys` entries.
    pub fn key_acts(&self) -> impl Iterator<Item = (EntryId, &ControlAct)> + '_ {
        let now = self.present();
        let living = self.key_acts.iter().filter(move |id| now.lives(**id));
        living.filter_map(|id| Some((*id, self.act(*id)?)))
    }

    /// All `rekey` and `keys` entries, whatever became of them.
    pub fn all_key_acts(&self) -> impl Iterator<Item = &ControlEntry> + '_ {
        let all = self.key_acts.iter().filter_map(|id| self.entries.get(id));
        all.map(|judged| &judged.entry)
    }

    /// The founding entry.
    #[must_use]
    pub const fn founding(&self) -> Option<EntryId> {
        self.founding
    }

    /// How many acts that end a tenure are here, whether they are taken or not: while that stays the same, so does everybody's
    /// end.
    #[must_use]
    pub fn kills(&self) -> usize {
        self.kills.values().map(BTreeSet::len).sum()
    }

    /// Whom a council act is about.
    #[must_use]
    pub fn about(&self, act: &CouncilAct) -> Option<PersonId> {
        match act {
            CouncilAct::Confirm { membership } | CouncilAct::Promote { membership, .. } => {
                self.person_of(*membership)
            }
            CouncilAct::Demote { .. } | CouncilAct::Remove { .. } | CouncilAct::Revoke { .. } => {
                self.holder(Self::tenure_of(act)?)
            }
            CouncilAct::Hide {
                target: Target::Comment { author, .. },
                ..
            } => Some(*author),
            CouncilAct::Hide { .. } | CouncilAct::Amend(_) | CouncilAct::Erase(_) => None,
        }
    }

    /// What a council act is about, as it is to be named in a cut.
    #[must_use]
    pub const fn tenure_of(act: &CouncilAct) -> Option<Tenure> {
        match act {
            CouncilAct::Demote { tenure } => Some(Tenure::Role(*tenure)),
            CouncilAct::Remove { membership } => Some(Tenure::Membership(*membership)),
            CouncilAct::Revoke { invite } => Some(Tenure::Invitation(*invite)),
            CouncilAct::Confirm { .. }
            | CouncilAct::Promote { .. }
            | CouncilAct::Amend(_)
            | CouncilAct::Hide { .. }
            | CouncilAct::Erase(_) => None,
        }
    }

    pub(super) fn journals_on(&self, enrolment: EntryId) -> impl Iterator<Item = JournalId> + '_ {
        self.opened
            .get(&enrolment)
            .into_iter()
            .flatten()
            .copied()
            .chain(self.founding_journal(enrolment))
    }

    fn founding_journal(&self, grant: EntryId) -> Option<JournalId> {
        let founding = self
            .entries
            .get(&self.founding.filter(|founding| *founding == grant)?)?;
        Some(founding.entry.journal)
    }

    pub(super) fn journals_under(&self, membership: EntryId) -> impl Iterator<Item = JournalId> + '_ {
        let grants = self.enrolments.get(&membership).into_iter().flatten();
        grants.flat_map(|grant| self.journals_on(*grant))
    }

    pub(super) fn journals_of_person(&self, person: PersonId) -> impl Iterator<Item = JournalId> + '_ {
        let memberships = self.memberships.get(&person).into_iter().flatten();
        memberships.flat_map(|membership| self.journals_under(*membership))
    }
}

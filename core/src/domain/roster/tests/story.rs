//! A history told in names: who does what, knowing of all that is there or of nothing new.

use std::collections::BTreeMap;

use super::super::*;
use super::acts;
use super::histories::History;
use crate::domain::charter::Charter;
use crate::domain::control::Cut;

/// What a cut says, by [`History::cut`].
pub(super) const TRUE: u8 = 3;
pub(super) const NOTHING: u8 = 4;

pub(super) struct Story {
    pub(super) history: History,
    pens: BTreeMap<&'static str, usize>,
}

impl Story {
    /// A group of one.
    pub(super) fn founded_by(name: &'static str) -> Self {
        Self::with_charter(name, Charter::circle())
    }

    pub(super) fn with_charter(name: &'static str, charter: Charter) -> Self {
        Self {
            history: History::founded(charter, 7),
            pens: BTreeMap::from([(name, 0)]),
        }
    }

    /// Founded by anna, and all named are stewards with voice. Everybody knows everything.
    pub(super) fn of_stewards(names: &[&'static str]) -> Self {
        let mut story = Self::founded_by("anna");
        for (place, name) in names.iter().enumerate() {
            story.joins(name, "anna");
            let signers: Vec<&'static str> = std::iter::once("anna")
                .chain(names[..place].iter().copied())
                .collect();
            story.decides(&signers, story.promote(name));
            story.decides(&signers, story.confirm(name));
        }
        let everybody: Vec<&'static str> = story.pens.keys().copied().collect();
        for name in everybody {
            story.does(name, acts::keys());
        }
        story
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.history.roster
    }

    fn pen(&self, name: &str) -> usize {
        self.pens[name]
    }

    pub(super) fn person(&self, name: &str) -> PersonId {
        PersonId([self.history.pens[self.pen(name)].person; 32])
    }

    pub(super) fn membership(&self, name: &str) -> EntryId {
        self.history.pens[self.pen(name)].membership
    }

    pub(super) fn journal(&self, name: &str) -> JournalId {
        self.history.pens[self.pen(name)].journal
    }

    /// The grant by which a device is in.
    pub(super) fn enrolment(&self, name: &str) -> EntryId {
        self.roster().author(self.journal(name)).unwrap().grant
    }

    /// Somebody new comes in, knowing of everything.
    pub(super) fn joins(&mut self, name: &'static str, by: &str) -> EntryId {
        let pen = self.history.joins(self.pen(by), 0);
        self.pens.insert(name, pen);
        self.membership(name)
    }

    /// Somebody who was here comes in again.
    pub(super) fn comes_back(&mut self, name: &'static str, again: &'static str, by: &str) -> EntryId {
        let person = self.history.pens[self.pen(name)].person;
        let pen = self.history.comes_in(self.pen(by), 0, person);
        self.pens.insert(again, pen);
        self.membership(again)
    }

    /// A further device, which then keeps silent.
    pub(super) fn enrols(&mut self, name: &str, device: &'static str) {
        let pen = self.history.enrols(self.pen(name), 0);
        self.pens.insert(device, pen);
    }

    /// Knowing of everything.
    pub(super) fn does(&mut self, name: &str, act: ControlAct) -> EntryId {
        let all = self.history.everything();
        self.history.does(self.pen(name), all, act)
    }

    /// Knowing of nothing new but this.
    pub(super) fn does_knowing(&mut self, name: &str, of: &[EntryId], act: ControlAct) -> EntryId {
        let learns = self.learns(of);
        self.history.does(self.pen(name), learns, act)
    }

    fn learns(&self, of: &[EntryId]) -> u128 {
        of.iter()
            .fold(0, |all, id| all | self.history.past_of(self.history.at(*id)))
    }

    pub(super) fn cut(&self, name: &str, how: u8) -> Cut {
        self.history.cut(self.pen(name), how)
    }

    pub(super) fn proposes(&mut self, name: &str, act: CouncilAct) -> EntryId {
        let all = self.history.everything();
        self.history.proposes(self.pen(name), all, act, 0)
    }

    pub(super) fn proposes_knowing(&mut self, name: &str, of: &[EntryId], act: CouncilAct) -> EntryId {
        let learns = self.learns(of);
        self.history.proposes(self.pen(name), learns, act, TRUE)
    }

    pub(super) fn signs(&mut self, name: &str, motion: EntryId) -> EntryId {
        let all = self.history.everything();
        self.history.signs(self.pen(name), all, motion, 0)
    }

    pub(super) fn signs_knowing(&mut self, name: &str, of: &[EntryId], motion: EntryId) -> EntryId {
        let learns = self.learns(of);
        self.history.signs(self.pen(name), learns, motion, TRUE)
    }

    /// The first proposes, the others sign until it is carried. The entry that carries it, or the last one.
    pub(super) fn decides(&mut self, names: &[&str], act: CouncilAct) -> EntryId {
        let motion = self.proposes(names[0], act);
        let mut last = motion;
        for name in &names[1..] {
            if !self.is_carried(motion) {
                last = self.signs(name, motion);
            }
        }
        last
    }

    pub(super) fn is_carried(&self, motion: EntryId) -> bool {
        self.roster().motion_card(motion).is_some_and(|card| card.carried)
    }

    pub(super) fn verdict(&self, entry: EntryId) -> Result<(), NotOk> {
        self.roster().verdict(entry).unwrap()
    }

    pub(super) fn lives(&self, entry: EntryId) -> bool {
        self.roster().lives(entry)
    }

    pub(super) fn is_in(&self, name: &str) -> bool {
        self.roster().persons().contains_key(&self.person(name))
    }

    pub(super) fn is_steward(&self, name: &str) -> bool {
        self.roster().stewards().contains(&self.person(name))
    }

    pub(super) fn has_voice(&self, name: &str) -> bool {
        self.roster().voices().contains(&self.person(name))
    }

    pub(super) fn confirm(&self, name: &str) -> CouncilAct {
        CouncilAct::Confirm {
            membership: self.membership(name),
        }
    }

    pub(super) fn promote(&self, name: &str) -> CouncilAct {
        CouncilAct::Promote {
            membership: self.membership(name),
            role: Role::Steward,
        }
    }

    pub(super) fn remove(&self, name: &str) -> CouncilAct {
        CouncilAct::Remove {
            membership: self.membership(name),
        }
    }

    /// Takes away what makes somebody a steward.
    pub(super) fn demote(&self, name: &str) -> CouncilAct {
        let roles = self.roster().role_tenures(self.person(name));
        let steward = roles.into_iter().find(|(_, role)| *role == Role::Steward);
        CouncilAct::Demote {
            tenure: steward.unwrap().0,
        }
    }

    pub(super) fn invites(&mut self, name: &str) -> EntryId {
        let all = self.history.everything();
        self.history.invites(self.pen(name), all, Role::Member)
    }

    /// Admits somebody new on the last invitation, knowing of nothing new. The admission.
    pub(super) fn admits(&mut self, invite: EntryId, name: &'static str) -> EntryId {
        let person = u8::try_from(100 + self.pens.len()).unwrap();
        self.history.admits_on(invite, person);
        let admit = self.history.entries.last().unwrap().id;
        let pen = self.history.opens_last();
        self.pens.insert(name, pen);
        admit
    }

    /// Invited and admitted, whatever the charter asks for. The admission, allowed or not.
    pub(super) fn joins_unvouched(&mut self, name: &'static str, by: &str) -> EntryId {
        let invite = self.invites(by);
        self.admits(invite, name)
    }

    /// Invited, vouched for, admitted. The `ask` and the `admit`.
    pub(super) fn joins_vouched(
        &mut self,
        name: &'static str,
        by: &str,
        vouchers: &[&str],
    ) -> (EntryId, EntryId) {
        let invite = self.invites(by);
        let person = u8::try_from(100 + self.pens.len()).unwrap();
        let ask = self.does(by, acts::ask(invite, person));
        let vouched: Vec<EntryId> = vouchers
            .iter()
            .map(|who| self.does(who, acts::vouch(ask)))
            .collect();
        // The inviting device learns of the vouches.
        self.does_knowing(by, &vouched, acts::keys());
        (ask, self.admits(invite, name))
    }
}

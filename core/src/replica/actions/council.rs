//! What people do about the group itself: propose and sign, vouch, take an invitation back, retire a device, leave.

use crate::domain::control::{
    Ask, ControlAct, CouncilAct, Cut, Leave, Motion, Retire, Sign, Vouch, Withdraw,
};
use crate::domain::id::{EntryId, PersonId, Timestamp};
use crate::domain::roster::{Roster, Tenure};

use super::super::hold::{Replica, ReplicaError};
use super::super::limits::REASON_BYTES_MAX;
use super::super::storage::Storage;
use super::ActionError;

impl<S: Storage> Replica<S> {
    /// How far the journals of a tenure are held here.
    #[must_use]
    pub fn cut_of(&self, tenure: Tenure) -> Cut {
        let journals = self.roster().journals_of(tenure).into_iter();
        journals
            .filter_map(|journal| Some((journal, self.head(journal)?)))
            .collect()
    }

    fn cut_for(&self, act: &CouncilAct) -> Cut {
        Roster::tenure_of(act).map_or_else(Cut::new, |tenure| self.cut_of(tenure))
    }

    /// Proposes something to the council; this person's signature counts at once. Where it is all that is needed, it
    /// takes effect.
    ///
    /// # Errors
    /// Where the reason is too long, there is not what the act is about, or the storage fails.
    pub fn propose(&mut self, act: CouncilAct, reason: &str, at: Timestamp) -> Result<EntryId, ActionError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(ActionError::TooLong {
                most: REASON_BYTES_MAX,
            });
        }
        let cut = self.cut_for(&act);
        let motion = Motion {
            act,
            reason: reason.to_owned(),
            cut,
            at,
        };
        Ok(self.write_act(ControlAct::Motion(motion))?)
    }

    /// Signs a motion.
    ///
    /// # Errors
    /// Where it is not there or needs no signature any more, this person has no say, or the storage fails.
    pub fn sign(&mut self, motion: EntryId) -> Result<EntryId, ActionError> {
        let act = match self.roster().act(motion) {
            Some(ControlAct::Motion(motion)) => motion.act.clone(),
            _ => {
                return Err(ActionError::NotFound {
                    what: "motion",
                    id: motion.to_string(),
                });
            }
        };
        let cut = self.cut_for(&act);
        Ok(self.write_act(ControlAct::Sign(Sign { motion, cut }))?)
    }

    /// Retires a device of this person: it may not write any more.
    ///
    /// # Errors
    /// Where it is not theirs, or is retired already, or the storage fails.
    pub fn retire(&mut self, enrolment: EntryId) -> Result<EntryId, ReplicaError> {
        let cut = self.cut_of(Tenure::Enrolment(enrolment));
        self.write_act(ControlAct::Retire(Retire { enrolment, cut }))
    }

    /// Leaves the group, by all memberships that are known here: there can be several where several let somebody in who did not
    /// know of each other. What this person has written so far stays.
    ///
    /// # Errors
    /// Where this device may not write, or the storage fails.
    pub fn leave(&mut self) -> Result<EntryId, ReplicaError> {
        let me = self.me().ok_or(ReplicaError::NotWriting)?;
        let person = self.roster().persons().remove(&me.person);
        let all = person.map(|person| person.memberships).unwrap_or_default();
        // The one that lets this device write goes last.
        for membership in all.into_iter().filter(|other| *other != me.membership) {
            self.leave_one(membership)?;
        }
        self.leave_one(me.membership)
    }

    fn leave_one(&mut self, membership: EntryId) -> Result<EntryId, ReplicaError> {
        let cut = self.cut_of(Tenure::Membership(membership));
        // Whoever goes makes no new key first.
        let key = self.keys().current().or_else(|| self.keys().newest());
        let key = key.ok_or(ReplicaError::NotWriting)?.clone();
        self.write_act_under(&key, ControlAct::Leave(Leave { membership, cut }), vec![])
    }

    /// Takes back an invitation of this person.
    ///
    /// # Errors
    /// Where it is not theirs, or is over, or the storage fails.
    pub fn withdraw(&mut self, invite: EntryId) -> Result<EntryId, ReplicaError> {
        let cut = self.cut_of(Tenure::Invitation(invite));
        self.write_act(ControlAct::Withdraw(Withdraw { invite, cut }))
    }

    /// Tells the others that somebody has come with an invitation of this journal and needs members who vouch for them. Once
    /// for each person.
    ///
    /// # Errors
    /// Where it is no invitation of this device, or the storage fails.
    pub fn ask_for_vouchers(&mut self, invite: EntryId, person: PersonId) -> Result<EntryId, ReplicaError> {
        let asked = self.roster().asking().into_iter();
        let mut asked = asked.map(|(id, ask, _)| (id, ask.invite, ask.person));
        match asked.find(|(_, on, who)| (*on, *who) == (invite, person)) {
            Some((ask, ..)) => Ok(ask),
            None => self.write_act(ControlAct::Ask(Ask { invite, person })),
        }
    }

    /// Says that this person has met whoever asks.
    ///
    /// # Errors
    /// Where nobody asks there, this person is an observer, or the storage fails.
    pub fn vouch(&mut self, ask: EntryId) -> Result<EntryId, ReplicaError> {
        self.write_act(ControlAct::Vouch(Vouch { ask }))
    }
}

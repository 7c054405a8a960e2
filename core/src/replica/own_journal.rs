//! When this device's own journal is not written any more: after a restore, where what it stands on does not count, and when it is
//! as long as one may be. It waits to be enrolled again then, and begins a fresh one.

use std::collections::BTreeMap;

use crate::domain::roster::{Author, Roster};

use super::hold::{Replica, ReplicaError};
use super::receive::Batch;
use super::storage::{OwnJournal, OwnState, Storage, Write};

impl<S: Storage> Replica<S> {
    /// A signed entry of the own journal that this device did not know: the profile was restored from an older state.
    pub(super) fn notice_own(&mut self, batch: &mut Batch) {
        let Some(own) = &mut self.own else { return };
        let unknown = batch.received.forked.contains(&own.id)
            || (batch.received.new > 0 && batch.journals.contains(&own.id));
        if unknown && own.state == OwnState::Writing {
            own.state = OwnState::Left;
            let kept = OwnJournal {
                seed: own.key.to_bytes(),
                state: OwnState::Left,
            };
            batch.writes.push(Write::Own(kept));
            batch.received.own_journal_left = true;
        }
    }

    pub(super) fn may_come_back(&self) -> bool {
        let author = self.own.as_ref().and_then(|own| self.roster.author(own.id));
        author.is_some_and(|author| may_come_back(&self.roster, &author))
    }

    /// Own work that was built on what does not count any more waits for ever, and whatever this journal writes on in
    /// those documents would wait behind it everywhere but here. And where the enrolment of this device itself does not count
    /// any more, nothing in its journal does; so, too, where the person is in the group by another membership than the one that is
    /// over, or their device was enrolled by somebody who had gone. So the journal is left, as after a fork of its own.
    pub(super) fn leave_stuck_journal(&mut self) -> Result<bool, ReplicaError> {
        let Some(own) = &self.own else {
            return Ok(false);
        };
        let mut places = self.waiting.values().flat_map(BTreeMap::keys);
        let stuck = match self.roster.author(own.id) {
            None => true,
            Some(author) => {
                places.any(|(journal, _)| *journal == own.id) || may_come_back(&self.roster, &author)
            }
        };
        if own.state == OwnState::Left || !stuck {
            return Ok(false);
        }
        self.leave_journal()?;
        Ok(true)
    }

    /// The own journal is not written any more: this device waits to be enrolled again.
    pub(super) fn leave_journal(&mut self) -> Result<(), ReplicaError> {
        let Some(own) = &mut self.own else { return Ok(()) };
        own.state = OwnState::Left;
        let kept = OwnJournal {
            seed: own.key.to_bytes(),
            state: OwnState::Left,
        };
        self.storage.commit(self.group, vec![Write::Own(kept)])?;
        Ok(())
    }
}

/// Is somebody in the group, though not by the grant of this journal, and did nobody retire the device?
fn may_come_back(roster: &Roster, author: &Author) -> bool {
    if roster.kills() == 0 || roster.is_enrolled(author.grant) || roster.membership(author.person).is_none() {
        return false;
    }
    let person = roster.persons().remove(&author.person);
    let membership_lives = person.is_some_and(|person| person.memberships.contains(&author.membership));
    // The grant lives, and so does what it belongs to: the device was retired.
    !(membership_lives && roster.lives(author.grant))
}

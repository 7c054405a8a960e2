//! How all polls of a group stand, without reading their documents anew each time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use crate::domain::id::{EntryId, GroupId, PersonId, PollId};
use crate::domain::poll::{Ballot, PollRecord, PollState};
use crate::domain::tally::tally;
use crate::host::store::GroupStore;
use crate::replica::frontier::Frontier;
use crate::replica::hold::Replica;

use super::{Node, NodeError};

/// A poll in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollBrief {
    /// Its id.
    pub id: PollId,
    /// What was frozen.
    pub record: PollRecord,
    /// How far it is.
    pub state: PollState,
    /// How many can vote.
    pub eligible: u64,
    /// How many have.
    pub cast: u64,
    /// Can this person?
    pub elector: bool,
    /// What this person answered; none where they did not, or on two devices that did not know of each other.
    pub own: Option<Ballot>,
}

/// What was found out of a group's polls and cannot change while its control entries stay the same.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// How many control entries there were.
    control: usize,
    /// Who could vote, by the control entries that a poll names.
    electors: BTreeMap<Vec<EntryId>, Arc<BTreeSet<PersonId>>>,
    /// How many had voted in the polls whose result is final, by the number of closes that their counters had signed then.
    closed: BTreeMap<PollId, (u64, u64)>,
    /// The forked journals, and which entry each was taken to end with: another choice may undo a close.
    chosen: Frontier,
}

impl Node {
    /// All polls, in the order in which they were opened.
    ///
    /// # Errors
    /// Where there is no such group, or the store fails.
    pub fn poll_list(&self, group: GroupId) -> Result<Vec<PollBrief>, NodeError> {
        let me = self.me().person;
        let mut known = self.inner.polls.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(group).or_default();
        self.fresh(group, |replica| {
            let chosen = replica.chosen();
            if known.control != replica.roster().len() || known.chosen != chosen {
                *known = Known {
                    control: replica.roster().len(),
                    chosen,
                    ..Known::default()
                };
            }
            let closes = replica.storage().close_counts()?;
            let mut ballots = replica.storage().ballot_rows()?;
            let mut all = Vec::new();
            for (id, record) in replica.storage().poll_records()? {
                let mut theirs = ballots.remove(&id).unwrap_or_default();
                let own = theirs.get(&me).cloned();
                let Some(electors) = known.electors(replica, &record.roster) else {
                    // Who opened it named control entries that nobody has: no honest software does.
                    continue;
                };
                theirs.retain(|person, _| electors.contains(person));
                let eligible = electors.len() as u64;
                let open = (PollState::Open, tally(&record, eligible, &theirs).cast);
                let signed = closes.get(&id).map(|by| {
                    let counted = record.counters.iter().filter_map(|counter| by.get(counter));
                    counted.sum()
                });
                let (state, cast) = match signed {
                    None | Some(0) => open,
                    Some(signed) => known.standing(replica, id, &record, signed)?,
                };
                all.push(PollBrief {
                    id,
                    state,
                    eligible,
                    cast,
                    elector: electors.contains(&me),
                    own,
                    record,
                });
            }
            Ok(all)
        })
    }
}

impl Known {
    fn electors(
        &mut self,
        replica: &Replica<GroupStore>,
        heads: &[EntryId],
    ) -> Option<Arc<BTreeSet<PersonId>>> {
        if let Some(electors) = self.electors.get(heads) {
            return Some(Arc::clone(electors));
        }
        let electors = Arc::new(replica.roster().electors_at(heads)?);
        self.electors.insert(heads.to_vec(), Arc::clone(&electors));
        Some(electors)
    }

    /// How a poll stands of which a counter signed a close. Only what is closed and complete stays as it is.
    fn standing(
        &mut self,
        replica: &mut Replica<GroupStore>,
        id: PollId,
        record: &PollRecord,
        closes: u64,
    ) -> Result<(PollState, u64), NodeError> {
        if let Some((_, cast)) = self.closed.get(&id).filter(|(then, _)| *then == closes) {
            return Ok((PollState::Closed, *cast));
        }
        replica.remember_poll(id, record.opener);
        let outcome = replica.poll_outcome(id)?;
        replica.close_unused();
        if outcome.state == PollState::Closed {
            self.closed.insert(id, (closes, outcome.cast));
        }
        Ok((outcome.state, outcome.cast))
    }
}

//! Polls: open, cast, close, result. The result is a pure function of the cut.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::document::DocumentId;
use crate::domain::id::{EntryNumber, JournalId, PersonId, PollId, ProposalId, Timestamp};
use crate::domain::poll::{
    Ballot, Close, Closing, Cut, Method, PollRecord, PollState, Scheme, TieBreak, YES_NO_OPTIONS, closing,
};
use crate::domain::tally::{Tally, tally};
use crate::planted::{Bug, is_on};

use super::super::codec::encode;
use super::super::document::DocumentError;
use super::super::document::vote::{self, BallotReading};
use super::super::hold::{Replica, ReplicaError};
use super::super::storage::Storage;
use super::ActionError;

/// A poll with everything its vote documents say about it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollView {
    /// Its id.
    pub id: PollId,
    /// What was frozen.
    pub record: PollRecord,
    /// Who can vote.
    pub electors: BTreeSet<PersonId>,
    /// Whether enough counters signed one cut.
    pub closing: Closing,
}

/// How a poll stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollOutcome {
    /// How far it is.
    pub state: PollState,
    /// How many can vote.
    pub eligible: u64,
    /// How many have, as far as this device knows; once closed, those within the cut.
    pub cast: u64,
    /// Who has: those whom `cast` counts.
    pub voted: BTreeSet<PersonId>,
    /// Once closed: the count.
    pub tally: Option<Tally>,
    /// Once closed: what others compare. Equal cuts, ballots and counts, equal fingerprints.
    pub fingerprint: Option<[u8; 32]>,
    /// Who answered on two devices that did not know of each other: counts as none until cast again.
    pub several: BTreeSet<PersonId>,
}

impl<S: Storage> Replica<S> {
    /// Opens a poll about an idea: freezes question, options and electors.
    ///
    /// # Errors
    /// Where there is no such idea, the options do not fit, or the storage fails.
    pub fn open_poll(
        &mut self,
        idea: ProposalId,
        method: Method,
        options: Vec<String>,
        at: Timestamp,
    ) -> Result<PollId, ActionError> {
        let opener = self.myself()?;
        let question = self.idea(idea)?.title;
        let proposal_heads = self.document(DocumentId::Proposal(idea))?.heads();
        let charter = self.roster().charter().ok_or(ReplicaError::NotWriting)?;
        let counters = charter.counters_of(opener, self.roster().stewards().into_iter().collect());
        let options = match method {
            Method::YesNo if options.is_empty() => YES_NO_OPTIONS.map(str::to_owned).to_vec(),
            Method::YesNo | Method::Approval => options,
        };
        let needed = counters.len().checked_div(2).unwrap_or(0).saturating_add(1);
        let record = PollRecord {
            opener,
            proposal: idea,
            proposal_heads,
            question,
            method,
            options,
            roster: self.roster().heads(),
            counters,
            counters_needed: u16::try_from(needed).unwrap_or(u16::MAX),
            quorum: charter.quorum,
            tie_break: TieBreak::Stands,
            scheme: Scheme::OpenBallots,
            at,
        };
        record.check()?;
        let (id, _) = self.write_document(DocumentId::Vote(opener), at, |tx| vote::add_poll(tx, &record))?;
        self.remember_poll(id, opener);
        Ok(id)
    }

    /// Casts a ballot, or another one instead of an earlier one.
    ///
    /// # Errors
    /// Where there is no such poll, it is closed, the answer is none, this person cannot vote there, or the storage fails.
    pub fn cast(&mut self, poll: PollId, answers: &[String], at: Timestamp) -> Result<(), ActionError> {
        let person = self.myself()?;
        let view = self.poll(poll)?;
        if view.closing != Closing::Open {
            return Err(ActionError::PollClosed);
        }
        if !view.electors.contains(&person) {
            return Err(ActionError::NotAnElector);
        }
        let ballot = Ballot::parse(&view.record, answers, at)?;
        self.write_document(DocumentId::Vote(person), at, |tx| {
            vote::put_ballot(tx, poll, &ballot)
        })?;
        Ok(())
    }

    /// Signs, as a counter, that what is held here of the electors' journals is what counts.
    ///
    /// # Errors
    /// Where there is no such poll, it is closed, this person does not count it, or the storage fails.
    pub fn close_poll(&mut self, poll: PollId, at: Timestamp) -> Result<(), ActionError> {
        let person = self.myself()?;
        let view = self.poll(poll)?;
        if view.closing != Closing::Open {
            return Err(ActionError::PollClosed);
        }
        if !view.record.counters.contains(&person) {
            return Err(ActionError::NotACounter {
                counters: view.record.counters,
            });
        }
        let roster = self.roster().heads();
        let journals = self
            .roster()
            .journals_at(&roster, &view.electors)
            .unwrap_or_default();
        let mut cut: Cut = self.frontier();
        cut.retain(|journal, _| journals.contains(journal));
        self.close_under_dependencies(&mut cut, &view.electors)?;
        let close = Close {
            poll,
            cut,
            roster,
            at,
        };
        self.write_document(DocumentId::Vote(person), at, |tx| vote::add_close(tx, &close))?;
        Ok(())
    }

    /// A poll as it was opened, and whether it is closed.
    ///
    /// # Errors
    /// Where there is none (yet), or the storage fails.
    pub fn poll(&mut self, id: PollId) -> Result<PollView, ActionError> {
        let not_found = || ActionError::NotFound {
            what: "vote",
            id: id.to_string(),
        };
        let record = self.poll_record(id)?.ok_or_else(not_found)?;
        // The control entries it names travel before it; where they are missing it was written by somebody who lied.
        let electors = self.roster().electors_at(&record.roster).ok_or_else(not_found)?;
        let mut closes: BTreeMap<PersonId, Vec<Close>> = BTreeMap::new();
        for counter in record.counters.clone() {
            let theirs = vote::closes(self.document(DocumentId::Vote(counter))?)
                .value
                .remove(&id);
            closes.insert(counter, theirs.unwrap_or_default());
        }
        let closing = closing(&record, &closes);
        Ok(PollView {
            id,
            record,
            electors,
            closing,
        })
    }

    /// All polls, by whoever opened them.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn polls(&mut self) -> Result<BTreeMap<PollId, PollRecord>, ReplicaError> {
        let mut all = BTreeMap::new();
        for document in self.storage().documents()? {
            if let DocumentId::Vote(person) = document {
                all.extend(vote::polls(self.document(document)?, person).value);
            }
        }
        Ok(all)
    }

    /// How a poll stands; once closed and complete, its result.
    ///
    /// # Errors
    /// Where there is no such poll, or the storage fails.
    pub fn poll_outcome(&mut self, id: PollId) -> Result<PollOutcome, ActionError> {
        let view = self.poll(id)?;
        let (mut state, cut) = match &view.closing {
            Closing::Open => (PollState::Open, None),
            Closing::Disputed => (PollState::Disputed, None),
            Closing::Closed(close) => (PollState::Closed, Some(close.clone())),
        };
        if let Some(close) = &cut {
            state = self.reach_of(&close.cut)?;
        }
        let mut within = cut.as_ref().filter(|_| state == PollState::Closed);
        let (ballots, several) = match self.ballots(&view, within) {
            Err(ReplicaError::Document(
                DocumentError::NotClosed(_) | DocumentError::MissingChanges { .. },
            )) => {
                // The counter signed a cut that leaves out what it needs: no honest software does.
                state = PollState::Disputed;
                within = None;
                self.ballots(&view, None)?
            }
            read => read?,
        };
        let eligible = view.electors.len() as u64;
        let count = tally(&view.record, eligible, &ballots);
        let cast = count.cast;
        let closed = within.map(|close| {
            let said = encode(&(id, &close.cut, &ballots, eligible, &count.counts, &count.winners));
            (blake3::derive_key("kiez 1 result", &said), count)
        });
        let (fingerprint, tally) = closed.unzip();
        Ok(PollOutcome {
            state,
            eligible,
            cast,
            voted: ballots.into_keys().collect(),
            tally,
            fingerprint,
            several,
        })
    }

    /// What this person has answered, as far as this device knows.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn own_ballot(&mut self, poll: PollId) -> Result<BallotReading, ActionError> {
        let person = self.myself()?;
        Ok(vote::ballot_at(
            self.document(DocumentId::Vote(person))?,
            poll,
            None,
        ))
    }

    /// Remembers in whose vote document a poll stands, so that it need not be searched for.
    pub fn remember_poll(&mut self, id: PollId, opener: PersonId) {
        self.poll_openers.insert(id, opener);
    }

    /// Is it known in whose vote document a poll stands?
    #[must_use]
    pub fn remembers_poll(&self, id: PollId) -> bool {
        self.poll_openers.contains_key(&id)
    }

    fn poll_record(&mut self, id: PollId) -> Result<Option<PollRecord>, ReplicaError> {
        if let Some(opener) = self.poll_openers.get(&id).copied() {
            let found = vote::polls(self.document(DocumentId::Vote(opener))?, opener)
                .value
                .remove(&id);
            if found.is_some() {
                return Ok(found);
            }
        }
        let found = self.polls()?.remove(&id);
        if let Some(record) = &found {
            self.remember_poll(id, record.opener);
        }
        Ok(found)
    }

    /// Lowers a cut to before what still waits here in the electors' vote documents: what it needs is not within the cut.
    fn close_under_dependencies(
        &self,
        cut: &mut Cut,
        electors: &BTreeSet<PersonId>,
    ) -> Result<(), ReplicaError> {
        for elector in electors {
            for (journal, number) in self.waiting_in(DocumentId::Vote(*elector)) {
                if cut.get(&journal).is_none_or(|(head, _)| *head < number) {
                    continue;
                }
                let before = EntryNumber(number.0.saturating_sub(1));
                match self.entry_id(journal, before)? {
                    Some(id) => cut.insert(journal, (before, id)),
                    None => cut.remove(&journal),
                };
            }
        }
        Ok(())
    }

    /// Is everything that a cut names here? Another entry in its place proves that somebody signed two.
    fn reach_of(&self, cut: &Cut) -> Result<PollState, ReplicaError> {
        let frontier = self.frontier();
        for (journal, (number, id)) in cut {
            if frontier.get(journal).is_none_or(|(head, _)| head < number) {
                return Ok(PollState::Waiting);
            }
            if self.entry_id(*journal, *number)? != Some(*id) {
                return Ok(PollState::Disputed);
            }
        }
        Ok(PollState::Closed)
    }

    /// The electors' ballots at a cut, or as they stand.
    fn ballots(
        &mut self,
        view: &PollView,
        close: Option<&Close>,
    ) -> Result<(BTreeMap<PersonId, Ballot>, BTreeSet<PersonId>), ReplicaError> {
        let mut ballots = BTreeMap::new();
        let mut several = BTreeSet::new();
        for person in &view.electors {
            let document = DocumentId::Vote(*person);
            let reading = match close.filter(|_| !is_on(Bug::PollAsItStands)) {
                None => vote::ballot_at(self.document(document)?, view.id, None),
                Some(close) => self.ballot_when_closed(*person, view.id, close)?,
            };
            match reading {
                BallotReading::None => {}
                BallotReading::Several => {
                    several.insert(*person);
                }
                BallotReading::One(ballot) => {
                    ballots.insert(*person, ballot);
                }
            }
        }
        Ok((ballots, several))
    }

    /// A person's ballot at the cut: what counted then, whatever has ended since.
    fn ballot_when_closed(
        &mut self,
        person: PersonId,
        poll: PollId,
        close: &Close,
    ) -> Result<BallotReading, ReplicaError> {
        let document = DocumentId::Vote(person);
        let mut counts = self.counts_at(person, document, close)?;
        let with = self.vote_when_closed(person, close)?;
        let document = match &with {
            Some((with, more)) => {
                for (journal, count) in more {
                    let all = counts.entry(*journal).or_default();
                    *all = all.saturating_add(*count);
                }
                with
            }
            None => self.document(document)?,
        };
        let heads = document.heads_at(&counts)?;
        Ok(vote::ballot_at(document, poll, Some(&heads)))
    }

    /// How many changes each of a person's journals had made in their vote document at the cut.
    fn counts_at(
        &self,
        person: PersonId,
        document: DocumentId,
        close: &Close,
    ) -> Result<BTreeMap<JournalId, u64>, ReplicaError> {
        let theirs = self
            .roster()
            .journals_at(&close.roster, &BTreeSet::from([person]))
            .unwrap_or_default();
        let mut counts = BTreeMap::new();
        for journal in theirs {
            if let Some((number, _)) = close.cut.get(&journal) {
                counts.insert(journal, self.storage().change_count(document, journal, *number)?);
            }
        }
        Ok(counts)
    }
}

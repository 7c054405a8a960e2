//! What people's vote documents say, as rows: polls as they were opened, ballots as they stand, closes that were signed.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use crate::domain::document::DocumentId;
use crate::domain::id::{PersonId, PollId};
use crate::domain::poll::{Ballot, Close, PollRecord};
use crate::replica::codec::{DecodeError, decode, encode};
use crate::replica::document::vote::BallotReading;
use crate::replica::document::{Document, vote};
use crate::replica::storage::StorageError;

use super::entries::GroupStore;
use super::unreadable;
use super::views::time;

impl GroupStore {
    /// All polls as they were opened, in the order of [`Self::poll_rows`].
    ///
    /// # Errors
    /// Where the database fails.
    pub fn poll_records(&self) -> Result<Vec<(PollId, PollRecord)>, StorageError> {
        let rows = self.rows(
            "SELECT id, record FROM poll_view WHERE group_row = ?1 ORDER BY at, id",
            &[],
            |row| Ok((PollId(row.get(0)?), row.get::<_, Vec<u8>>(1)?)),
        )?;
        let read = rows.into_iter().map(|(id, record)| Ok((id, decode(&record)?)));
        let read: Result<_, DecodeError> = read.collect();
        read.map_err(|_| unreadable("a poll"))
    }

    /// All ballots as they stand, of whomever; none of who answered on two devices that did not know of each other.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn ballot_rows(&self) -> Result<BTreeMap<PollId, BTreeMap<PersonId, Ballot>>, StorageError> {
        let rows = self.rows(
            "SELECT poll, person, ballot FROM ballot_view WHERE group_row = ?1 ORDER BY poll, person",
            &[],
            |row| {
                Ok((
                    PollId(row.get(0)?),
                    PersonId(row.get(1)?),
                    row.get::<_, Vec<u8>>(2)?,
                ))
            },
        )?;
        let mut all: BTreeMap<PollId, BTreeMap<PersonId, Ballot>> = BTreeMap::new();
        for (poll, person, ballot) in rows {
            let ballot = decode(&ballot).map_err(|_| unreadable("a ballot"))?;
            all.entry(poll).or_default().insert(person, ballot);
        }
        Ok(all)
    }

    /// How many closes were signed of each poll, and by whom: by anybody, whether they count it or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn close_counts(&self) -> Result<BTreeMap<PollId, BTreeMap<PersonId, u64>>, StorageError> {
        let rows = self.rows(
            "SELECT c.poll, d.id, count(*) FROM close_view c JOIN documents d ON d.row = c.document \
             WHERE c.group_row = ?1 GROUP BY c.poll, d.id",
            &[],
            |row| {
                let signed = row.get::<_, i64>(2)?.unsigned_abs();
                Ok((PollId(row.get(0)?), row.get::<_, Vec<u8>>(1)?, signed))
            },
        )?;
        let mut all: BTreeMap<PollId, BTreeMap<PersonId, u64>> = BTreeMap::new();
        for (poll, document, signed) in rows {
            if let Ok(DocumentId::Vote(counter)) = decode(&document) {
                all.entry(poll).or_default().insert(counter, signed);
            }
        }
        Ok(all)
    }
}

/// What a person's vote document says.
pub(super) struct Votes {
    owner: PersonId,
    pub(super) polls: BTreeMap<PollId, PollRecord>,
    ballots: BTreeMap<PollId, BallotReading>,
    pub(super) closes: BTreeMap<PollId, Vec<Close>>,
}

impl Votes {
    pub(super) fn read(document: &Document, owner: PersonId) -> Self {
        Self {
            owner,
            polls: vote::polls(document, owner).value,
            ballots: vote::ballots(document).value,
            closes: vote::closes(document).value,
        }
    }

    pub(super) fn write(self, t: &Transaction<'_>, group: i64, document: i64) -> rusqlite::Result<()> {
        for (id, poll) in self.polls {
            t.prepare_cached("INSERT INTO poll_view VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![
                    document,
                    group,
                    id.0,
                    poll.opener.0,
                    poll.proposal.0,
                    poll.question,
                    time(poll.at),
                    encode(&poll)
                ])?;
        }
        for (poll, ballot) in self.ballots {
            if let BallotReading::One(ballot) = ballot {
                t.prepare_cached("INSERT INTO ballot_view VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![document, group, poll.0, self.owner.0, encode(&ballot)])?;
            }
        }
        for close in self.closes.into_values().flatten() {
            t.prepare_cached("INSERT INTO close_view VALUES (?1, ?2, ?3)")?
                .execute(params![document, group, close.poll.0])?;
        }
        Ok(())
    }
}

//! What was done about each idea, as far as the list of ideas tells it: when last, when something of somebody else's last
//! came here, how many comments. One row a document and idea, so that a comment makes one document be read anew.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use crate::domain::comment::Comment;
use crate::domain::deed::Deed;
use crate::domain::document::DocumentId;
use crate::domain::id::{JournalId, PersonId, ProposalId, Timestamp};
use crate::domain::roster::Roster;
use crate::replica::codec::encode;
use crate::replica::document::{Document, traces};
use crate::replica::limits::TIMESTAMP_MAX;
use crate::replica::storage::StorageError;

use super::entries::{GroupStore, sql};
use super::failed;
use super::views::time;
use super::votes::Votes;

/// What one document says about one idea, or about one poll: of a close it is not known here which idea it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Activity {
    /// The last time, by its author's clock.
    at: Timestamp,
    /// The last entry of somebody else in it, in the order in which they were applied here.
    others: Option<u64>,
    /// How many comments.
    comments: u64,
}

/// The rows of one document, by the id of the idea or poll.
#[derive(Debug, Default)]
pub(super) struct Activities(BTreeMap<Vec<u8>, Activity>);

/// In which order a document's entries were applied here: of each journal how many changes there were after each, and its
/// place in the order.
#[derive(Debug, Default)]
pub(super) struct Arrivals(BTreeMap<JournalId, Vec<(u64, u64)>>);

impl Arrivals {
    /// When a change of a journal was applied.
    fn of(&self, journal: JournalId, sequence: u64) -> Option<u64> {
        let entries = self.0.get(&journal)?;
        let place = entries.partition_point(|(changes, _)| *changes < sequence);
        entries.get(place).map(|(_, applied)| *applied)
    }

    /// When the last entry that is not by this person was.
    pub(super) fn last_of_others(&self, me: Option<PersonId>, roster: &Roster) -> Option<u64> {
        let by = |journal| roster.author(journal).map(|author| author.person);
        let theirs = self
            .0
            .iter()
            .filter(|(journal, _)| me.is_none() || by(**journal) != me);
        theirs
            .filter_map(|(_, entries)| entries.iter().map(|(_, applied)| *applied).max())
            .max()
    }
}

impl GroupStore {
    /// In which order the entries of a document were applied.
    pub(super) fn arrivals(&self, document: DocumentId) -> Result<Arrivals, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare_cached(
                "SELECT j.id, e.changes, e.applied FROM entries e JOIN journals j ON j.row = e.journal WHERE e.document = \
                 (SELECT row FROM documents WHERE group_row = ?1 AND id = ?2) AND e.applied IS NOT NULL \
                 ORDER BY e.journal, e.number",
            )
            .map_err(failed)?;
        let mut rows = statement
            .query(params![group, encode(&document)])
            .map_err(failed)?;
        let mut arrivals = Arrivals::default();
        while let Some(row) = rows.next().map_err(failed)? {
            let journal = JournalId(row.get(0).map_err(failed)?);
            let changes: u64 = row.get::<_, u32>(1).map_err(failed)?.into();
            let applied: i64 = row.get(2).map_err(failed)?;
            let entries = arrivals.0.entry(journal).or_default();
            let before = entries.last().map_or(0, |(changes, _)| *changes);
            let applied = u64::try_from(applied).unwrap_or(0);
            entries.push((before.saturating_add(changes), applied));
        }
        Ok(arrivals)
    }
}

impl Activities {
    /// All of a document is about one idea: its own, or the one whose board it is.
    pub(super) fn of_whole(idea: ProposalId, document: &Document, others: Option<u64>) -> Self {
        let activity = Activity {
            at: document.last_change(),
            others,
            comments: 0,
        };
        Self(BTreeMap::from([(idea.0.to_vec(), activity)]))
    }

    /// A person's comments.
    pub(super) fn of_comments(comments: &[Comment], arrived: &BTreeMap<Deed, u64>) -> Self {
        let mut all = Self::default();
        for comment in comments {
            let others = arrived.get(&Deed::Comment(comment.id)).copied();
            let activity = all.touch(&comment.about.0, comment.at, others);
            activity.comments = activity.comments.saturating_add(1);
        }
        all
    }

    /// The polls that a person opened, and those they closed.
    pub(super) fn of_votes(votes: &Votes, arrived: &BTreeMap<Deed, u64>) -> Self {
        let mut all = Self::default();
        for (id, poll) in &votes.polls {
            let others = arrived.get(&Deed::VoteOpened(*id)).copied();
            all.touch(&id.0, poll.at, others);
        }
        for (poll, close) in votes.closes.values().flatten().map(|close| (close.poll, close)) {
            let others = arrived.get(&Deed::VoteClosed(poll)).copied();
            all.touch(&poll.0, close.at, others);
        }
        all
    }

    fn touch(&mut self, about: &[u8], at: Timestamp, others: Option<u64>) -> &mut Activity {
        let activity = self.0.entry(about.to_vec()).or_default();
        activity.at = activity.at.max(at.min(TIMESTAMP_MAX));
        activity.others = activity.others.max(others);
        activity
    }

    /// Writes them in the place of what stood there of this document, which is deleted before.
    pub(super) fn write(self, t: &Transaction<'_>, group: i64, document: i64) -> rusqlite::Result<()> {
        for (about, activity) in self.0 {
            t.prepare_cached("INSERT INTO activity_view VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    document,
                    group,
                    about,
                    time(activity.at),
                    activity.others.map(sql),
                    sql(activity.comments)
                ])?;
        }
        Ok(())
    }
}

/// When each deed in a person's document arrived here; nothing where the person is this one.
pub(super) fn arrived(
    document: &Document,
    owner: PersonId,
    me: Option<PersonId>,
    arrivals: &Arrivals,
) -> BTreeMap<Deed, u64> {
    if me == Some(owner) {
        return BTreeMap::new();
    }
    let mut arrived: BTreeMap<Deed, u64> = BTreeMap::new();
    for trace in traces(document, &BTreeMap::new()) {
        if let Some(applied) = arrivals.of(trace.journal, trace.sequence) {
            let last = arrived.entry(trace.deed).or_default();
            *last = (*last).max(applied);
        }
    }
    arrived
}

//! What was done about each idea, as far as the list of ideas tells it: when last, when something of somebody else's last
//! came here, how many comments. There is one row a document and idea, so that a comment makes one document be read anew, and
//! one an idea, added up, so that the list is read fast.

use std::collections::{BTreeMap, BTreeSet};

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
use super::views::{from_time, time};
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

    /// About which ideas and polls this document said something else before.
    pub(super) fn changed(&self, t: &Transaction<'_>, document: i64) -> rusqlite::Result<BTreeSet<Vec<u8>>> {
        let mut statement =
            t.prepare_cached("SELECT about, at, others, comments FROM activity_view WHERE document = ?1")?;
        let rows = statement.query_map([document], |row| {
            let number = |number: i64| u64::try_from(number).unwrap_or(0);
            let activity = Activity {
                at: from_time(row.get(1)?),
                others: row.get::<_, Option<i64>>(2)?.map(number),
                comments: number(row.get(3)?),
            };
            Ok((row.get(0)?, activity))
        })?;
        let before: BTreeMap<Vec<u8>, Activity> = rows.collect::<rusqlite::Result<_>>()?;
        let all = before.keys().chain(self.0.keys());
        let changed = all.filter(|about| before.get(*about) != self.0.get(*about));
        Ok(changed.cloned().collect())
    }

    /// Writes what has changed.
    pub(super) fn write(
        &self,
        t: &Transaction<'_>,
        group: i64,
        document: i64,
        changed: &BTreeSet<Vec<u8>>,
    ) -> rusqlite::Result<()> {
        for about in changed {
            t.prepare_cached("DELETE FROM activity_view WHERE document = ?1 AND about = ?2")?
                .execute(params![document, about])?;
            if let Some(activity) = self.0.get(about) {
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
        }
        Ok(())
    }
}

/// The ideas that these are, or, of polls that are known, those they are about.
pub(super) fn ideas_of(
    t: &Transaction<'_>,
    group: i64,
    abouts: &BTreeSet<Vec<u8>>,
) -> rusqlite::Result<Vec<ProposalId>> {
    let mut ideas = Vec::new();
    for about in abouts {
        if let Ok(idea) = about.as_slice().try_into() {
            ideas.push(ProposalId(idea));
            continue;
        }
        let mut statement =
            t.prepare_cached("SELECT idea FROM poll_view WHERE group_row = ?1 AND id = ?2")?;
        let of_poll = statement.query_map(params![group, about], |row| row.get(0).map(ProposalId))?;
        for idea in of_poll {
            ideas.push(idea?);
        }
    }
    Ok(ideas)
}

/// Adds up what all documents say about an idea, and about the polls about it.
pub(super) fn add_up(t: &Transaction<'_>, group: i64, idea: ProposalId) -> rusqlite::Result<()> {
    t.prepare_cached("DELETE FROM idea_activity_view WHERE group_row = ?1 AND idea = ?2")?
        .execute(params![group, idea.0])?;
    t.prepare_cached(
        "INSERT INTO idea_activity_view SELECT ?1, ?2, max(at), max(others), sum(comments) FROM ( \
           SELECT at, others, comments FROM activity_view WHERE group_row = ?1 AND about = ?2 \
           UNION ALL \
           SELECT a.at, a.others, a.comments FROM poll_view p \
           JOIN activity_view a ON a.group_row = ?1 AND a.about = p.id WHERE p.group_row = ?1 AND p.idea = ?2 \
         ) HAVING count(*) > 0",
    )?
    .execute(params![group, idea.0])?;
    Ok(())
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

//! When this person last looked at a group, and what has come since: by the order in which entries were applied here, not by
//! what their authors' clocks say. So what somebody did last week without a network is new when it arrives.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use crate::domain::deed::{Done, newest_first};
use crate::domain::document::DocumentId;
use crate::domain::id::{EntryNumber, JournalId, PersonId, Timestamp};
use crate::replica::codec::{decode, encode};
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::limits::{NEWS_DOCUMENTS_MAX, NEWS_MAX};
use crate::replica::storage::{Storage, StorageError};

use super::entries::{GroupStore, sql};
use super::views::{from_time, time};
use super::{failed, unreadable};

/// The moment in which somebody looked at a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// When, by this device's clock.
    pub at: Timestamp,
    /// The last entry that was applied by then.
    pub(crate) applied: u64,
}

impl GroupStore {
    /// Remembers that this person has looked at the group now.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_visit(&self, at: Timestamp) -> Result<(), StorageError> {
        let applied = sql(self.last_order()?);
        let group = self.begun()?;
        self.store()
            .lock()
            .execute(
                "INSERT OR REPLACE INTO visits VALUES (?1, ?2, ?3)",
                params![group, time(at), applied],
            )
            .map_err(failed)?;
        Ok(())
    }

    /// When they last did.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn visit(&self) -> Result<Option<Visit>, StorageError> {
        let group = self.begun()?;
        self.store()
            .lock()
            .query_row(
                "SELECT at, applied FROM visits WHERE group_row = ?1",
                [group],
                |row| {
                    Ok(Visit {
                        at: from_time(row.get(0)?),
                        applied: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                    })
                },
            )
            .optional()
            .map_err(failed)
    }

    /// How far each journal reaches in a document: who holds as much has all that counts in it here.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn reach_of(&self, document: DocumentId) -> Result<BTreeMap<JournalId, EntryNumber>, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare_cached(
                "SELECT j.id, MAX(e.number) FROM entries e JOIN journals j ON j.row = e.journal WHERE e.document = \
                 (SELECT row FROM documents WHERE group_row = ?1 AND id = ?2) AND e.applied IS NOT NULL GROUP BY j.row",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map(params![group, encode(&document)], |row| {
                let number: i64 = row.get(1)?;
                let number = EntryNumber(u64::try_from(number).unwrap_or(0));
                Ok((JournalId(row.get(0)?), number))
            })
            .map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    /// The documents to which something came after a visit, the last ones first.
    fn changed_since(&self, applied: u64) -> Result<Vec<DocumentId>, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare_cached(
                "SELECT d.id, (SELECT MAX(e.applied) FROM entries e WHERE e.document = d.row) AS last FROM documents d \
                 WHERE d.group_row = ?1 AND last > ?2 ORDER BY last DESC LIMIT ?3",
            )
            .map_err(failed)?;
        let most = i64::try_from(NEWS_DOCUMENTS_MAX).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![group, sql(applied), most], |row| row.get::<_, Vec<u8>>(0))
            .map_err(failed)?;
        rows.map(|row| decode(&row.map_err(failed)?).map_err(|_| unreadable("a document's name")))
            .collect()
    }

    /// How many changes of each journal a document had at a visit.
    fn known_at(&self, document: DocumentId, applied: u64) -> Result<BTreeMap<JournalId, u64>, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare_cached(
                "SELECT j.id, SUM(e.changes) FROM entries e JOIN journals j ON j.row = e.journal WHERE e.document = \
                 (SELECT row FROM documents WHERE group_row = ?1 AND id = ?2) AND e.applied <= ?3 GROUP BY j.row",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map(params![group, encode(&document), sql(applied)], |row| {
                let count: i64 = row.get(1)?;
                Ok((JournalId(row.get(0)?), u64::try_from(count).unwrap_or(0)))
            })
            .map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }
}

impl Replica<GroupStore> {
    /// What was done that came here after a visit, but by somebody; before any visit, all. The newest first, by their doers'
    /// clocks.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn news(
        &mut self,
        since: Option<Visit>,
        but_by: Option<PersonId>,
    ) -> Result<Vec<Done>, ReplicaError> {
        let applied = since.map_or(0, |visit| visit.applied);
        let mut all = Vec::new();
        for document in self.storage().changed_since(applied)? {
            let done = self.done_since(document, applied)?;
            let told = done
                .into_iter()
                .filter(|done| done.by.is_none() || done.by != but_by);
            all.extend(told);
            self.close_unused();
        }
        let mut news = newest_first(all);
        news.truncate(NEWS_MAX);
        Ok(news)
    }

    /// What was done in one document that was applied here after so many entries.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn done_since(&mut self, document: DocumentId, applied: u64) -> Result<Vec<Done>, ReplicaError> {
        let known = self.storage().known_at(document, applied)?;
        self.deeds_in(document, &known)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the numbers of tests are small")]
mod tests {
    use ed25519_dalek::SigningKey;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::domain::charter::Charter;
    use crate::domain::deed::Deed;
    use crate::domain::poll::Method;
    use crate::domain::proposal::Draft;
    use crate::domain::task::{TaskDraft, TaskState};
    use crate::host::store::Store;
    use crate::replica::hold::Me;
    use crate::replica::keys::BoxSecret;

    fn founded(rng: &mut ChaCha20Rng) -> Replica<GroupStore> {
        let person = SigningKey::generate(rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device: SigningKey::generate(rng),
            box_key: BoxSecret::generate(rng).public(),
        };
        let store = Store::in_memory().unwrap();
        Replica::found(store.group(None), &me, &person, Charter::circle(), rng).unwrap()
    }

    /// The deeds, newest first, and what each says.
    fn told(done: &[Done]) -> Vec<(Deed, &str)> {
        done.iter().map(|done| (done.deed, done.text.as_str())).collect()
    }

    fn at(minute: u64) -> Timestamp {
        Timestamp(minute * 60_000)
    }

    #[test]
    fn everything_done_with_an_idea_is_told_with_its_doer() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut replica = founded(&mut rng);
        replica.set_profile_name("Anna", at(1)).unwrap();
        let draft = Draft {
            title: "Benches".into(),
            body: "Two.".into(),
            ..Draft::default()
        };
        let idea = replica.add_idea(&draft, at(2), &mut rng).unwrap();
        replica.edit_idea(idea, "Two benches.", at(3)).unwrap();
        replica.edit_idea(idea, "Two green benches.", at(4)).unwrap();
        replica.set_title(idea, "Green benches", at(5)).unwrap();
        let cost = crate::domain::cost::Cost::new(1_200).unwrap();
        replica.set_cost(idea, Some(cost), at(6)).unwrap();
        replica.set_cost(idea, None, at(7)).unwrap();
        let comment = replica.comment(idea, "Good!", at(8), &mut rng).unwrap();
        let poll = replica.open_poll(idea, Method::YesNo, vec![], at(9)).unwrap();
        replica.close_poll(poll, at(10)).unwrap();
        let draft = TaskDraft {
            title: "Ask the city".into(),
            ..TaskDraft::default()
        };
        let task = replica.add_task(Some(idea), &draft, at(11), &mut rng).unwrap();
        replica
            .set_task_state(Some(idea), task, TaskState::Done, at(12))
            .unwrap();

        let news = replica.news(None, None).unwrap();
        let expected = [
            (Deed::TaskDone(task), "Ask the city"),
            (Deed::Task(task), "Ask the city"),
            (Deed::VoteClosed(poll), "Green benches"),
            (Deed::VoteOpened(poll), "Green benches"),
            (Deed::Comment(comment), "Good!"),
            (Deed::Cost, ""),
            (Deed::Cost, "1200"),
            (Deed::Title, "Green benches"),
            (Deed::Text, ""),
            (Deed::Written, "Benches"),
            (Deed::Joined, "Anna"),
        ];
        assert_eq!(told(&news), expected);
        let me = replica.me().unwrap().person;
        assert!(news.iter().all(|done| done.by == Some(me)));
        assert!(news[..10].iter().all(|done| done.idea == Some(idea)));
        assert_eq!(news[8].at, at(4));
    }

    #[test]
    fn what_came_after_a_visit_is_new_whatever_its_clock_says() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut replica = founded(&mut rng);
        let draft = Draft {
            title: "Benches".into(),
            ..Draft::default()
        };
        let idea = replica.add_idea(&draft, at(100), &mut rng).unwrap();
        assert_eq!(replica.storage().visit().unwrap(), None);
        replica.storage().set_visit(at(101)).unwrap();
        let visit = replica.storage().visit().unwrap();
        assert_eq!(visit.map(|visit| visit.at), Some(at(101)));
        assert_eq!(replica.news(visit, None).unwrap(), []);
        // Written long ago, and here only now.
        replica.edit_idea(idea, "Two.", at(3)).unwrap();
        assert_eq!(told(&replica.news(visit, None).unwrap()), [(Deed::Text, "")]);
        let me = replica.me().unwrap().person;
        assert_eq!(replica.news(visit, Some(me)).unwrap(), [], "their own is no news");
        replica.storage().set_visit(at(102)).unwrap();
        let visit = replica.storage().visit().unwrap();
        assert_eq!(replica.news(visit, None).unwrap(), []);
    }
}

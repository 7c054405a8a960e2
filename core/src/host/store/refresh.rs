//! Bringing the views up to date: what each changed document says now, as rows.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, params};

use crate::domain::document::DocumentId;
use crate::domain::id::{JournalId, PersonId, ProposalId, Timestamp};
use crate::domain::plate::Plates;
use crate::domain::proposal::Proposal;
use crate::domain::roster::Roster;
use crate::replica::codec::{decode, encode};
use crate::replica::document::{Document, board, group, own, proposal};
use crate::replica::hold::{Replica, ReplicaError};
use crate::replica::storage::StorageError;

use super::activity::{self, Activities, Arrivals, arrived};
use super::entries::GroupStore;
use super::views::{TaskRow, time, words};
use super::votes::Votes;
use super::{Store, failed, unreadable};

/// After so many documents what has been done is kept, so that a long refresh that is stopped goes on later.
const REFRESH_STEP: usize = 200;

impl Replica<GroupStore> {
    /// Reads with views that are up to date. Where the disk is full or fails to take them, they are made in memory, for
    /// this once, from all documents: who only reads needs no room.
    ///
    /// # Errors
    /// Where the store cannot be read, or reading fails.
    pub fn with_fresh_views<T, E: From<ReplicaError>>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match self.refresh_views() {
            Ok(_) => read(self),
            // Where it was reading that failed, it fails once more.
            Err(ReplicaError::Storage(why @ (StorageError::Full | StorageError::Failed(_)))) => {
                tracing::warn!("the views are made in memory: {why}");
                let views = self.views_in_memory()?;
                self.storage_mut().set_views(Some(views));
                let answer = read(self);
                self.storage_mut().set_views(None);
                answer
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the views up to date; says how many documents were read for it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn refresh_views(&mut self) -> Result<usize, ReplicaError> {
        let group_row = self.storage().begun()?;
        let store = self.storage().store().clone();
        let mut done = 0_usize;
        loop {
            let dirty = documents(&store.lock(), DIRTY, params![group_row, REFRESH_STEP as i64])?;
            if dirty.is_empty() {
                return Ok(done);
            }
            done = done.saturating_add(dirty.len());
            self.write_views(&store, group_row, &dirty)?;
        }
    }

    fn views_in_memory(&mut self) -> Result<Store, ReplicaError> {
        let group_row = self.storage().begun()?;
        let all = documents(&self.storage().store().lock(), ALL, [group_row])?;
        let memory = Store::in_memory()?;
        for some in all.chunks(REFRESH_STEP) {
            self.write_views(&memory, group_row, some)?;
        }
        Ok(memory)
    }

    /// Writes what these documents say now into a store's views.
    fn write_views(
        &mut self,
        store: &Store,
        group_row: i64,
        documents: &[(i64, DocumentId)],
    ) -> Result<(), ReplicaError> {
        let mut read = Vec::new();
        let me = self.me().map(|me| me.person);
        for (row, id) in documents {
            let arrivals = self.storage().arrivals(*id)?;
            let others = arrivals.last_of_others(me, self.roster());
            let document = self.document(*id)?;
            let rows = Rows::read(*id, document);
            let activities = rows.activities(*id, document, &arrivals, others, me);
            read.push((*row, *id, rows, activities));
            self.close_unused();
        }
        let mut connection = store.lock();
        let transaction = connection.transaction().map_err(failed)?;
        let mut ideas = BTreeSet::new();
        for (row, id, rows, activities) in read {
            let changed = activities.changed(&transaction, row).map_err(failed)?;
            // Before and after: a poll that is on a branch that lost takes its idea's name with it.
            ideas.extend(activity::ideas_of(&transaction, group_row, &changed).map_err(failed)?);
            forget_names(&transaction, group_row, id).map_err(failed)?;
            rows.write(&transaction, group_row, row, self.roster())
                .map_err(failed)?;
            activities
                .write(&transaction, group_row, row, &changed)
                .map_err(failed)?;
            ideas.extend(activity::ideas_of(&transaction, group_row, &changed).map_err(failed)?);
        }
        for idea in ideas {
            activity::add_up(&transaction, group_row, idea).map_err(failed)?;
        }
        Ok(transaction.commit().map_err(failed)?)
    }
}

const DIRTY: &str = "SELECT row, id FROM documents WHERE group_row = ?1 AND dirty LIMIT ?2";
const ALL: &str = "SELECT row, id FROM documents WHERE group_row = ?1";

fn documents(
    connection: &Connection,
    query: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<(i64, DocumentId)>, StorageError> {
    let mut statement = connection.prepare_cached(query).map_err(failed)?;
    let rows = statement
        .query_map(values, |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))
        .map_err(failed)?;
    rows.map(|row| {
        let (row, id) = row.map_err(failed)?;
        Ok((row, decode(&id).map_err(|_| unreadable("a document's name"))?))
    })
    .collect()
}

/// What the views say of one document.
enum Rows {
    Group(group::GroupInfo, Plates),
    Own(PersonId, own::OwnPage),
    Vote(Box<Votes>),
    Proposal(Box<Proposal>, Option<(JournalId, Timestamp)>),
    Board(Vec<TaskRow>),
    Nothing,
}

/// What the group or a person was called, and which numbers ideas had: their documents may say nothing any more.
fn forget_names(t: &Transaction<'_>, group: i64, id: DocumentId) -> rusqlite::Result<()> {
    match id {
        DocumentId::Group => {
            t.execute("DELETE FROM plate_view WHERE group_row = ?1", [group])?;
            t.execute("DELETE FROM group_view WHERE group_row = ?1", [group])?
        }
        DocumentId::Own(person) => t.execute(
            "DELETE FROM person_view WHERE group_row = ?1 AND person = ?2",
            params![group, person.0],
        )?,
        DocumentId::Vote(_)
        | DocumentId::Proposal(_)
        | DocumentId::Board(_)
        | DocumentId::Meeting(_)
        | DocumentId::Help(_)
        | DocumentId::Strategy(_) => 0,
    };
    Ok(())
}

impl Rows {
    fn read(id: DocumentId, document: &Document) -> Self {
        // What was written in it lies on a branch that lost.
        if document.is_untouched() {
            return Self::Nothing;
        }
        match id {
            DocumentId::Group => Self::Group(group::read(document).value, group::plates(document).value),
            DocumentId::Own(person) => Self::Own(person, own::read(document, person).value),
            DocumentId::Vote(person) => Self::Vote(Box::new(Votes::read(document, person))),
            DocumentId::Proposal(id) => {
                Self::Proposal(Box::new(proposal::read(document, id).value), document.origin())
            }
            DocumentId::Board(board) => {
                let idea = (id != DocumentId::GENERAL_BOARD).then_some(ProposalId(board.0));
                let tasks = board::read(document, idea).value.into_iter();
                Self::Board(
                    tasks
                        .map(|task| TaskRow {
                            id: task.id,
                            idea,
                            title: task.title,
                            assignees: task.assignees.into_iter().collect(),
                            due: task.due.map(|due| due.to_string()),
                            state: task.state,
                        })
                        .collect(),
                )
            }
            DocumentId::Meeting(_) | DocumentId::Help(_) | DocumentId::Strategy(_) => Self::Nothing,
        }
    }

    /// What the list of ideas tells of this document. Of others' entries in it `others` was applied last.
    fn activities(
        &self,
        id: DocumentId,
        document: &Document,
        arrivals: &Arrivals,
        others: Option<u64>,
        me: Option<PersonId>,
    ) -> Activities {
        match (self, id) {
            (Self::Proposal(idea, _), _) => Activities::of_whole(idea.id, document, others),
            (Self::Board(_), DocumentId::Board(board)) if id != DocumentId::GENERAL_BOARD => {
                Activities::of_whole(ProposalId(board.0), document, others)
            }
            (Self::Own(owner, page), _) => {
                Activities::of_comments(&page.comments, &arrived(document, *owner, me, arrivals))
            }
            (Self::Vote(votes), DocumentId::Vote(owner)) => {
                Activities::of_votes(votes, &arrived(document, owner, me, arrivals))
            }
            _ => Activities::default(),
        }
    }

    fn write(self, t: &Transaction<'_>, group: i64, document: i64, roster: &Roster) -> rusqlite::Result<()> {
        t.prepare_cached(
            "DELETE FROM search WHERE rowid IN (SELECT search FROM search_rows WHERE document = ?1)",
        )?
        .execute([document])?;
        for table in [
            "search_rows",
            "idea_view",
            "comment_view",
            "poll_view",
            "ballot_view",
            "close_view",
            "task_view",
        ] {
            t.prepare_cached(&format!("DELETE FROM {table} WHERE document = ?1"))?
                .execute([document])?;
        }
        let find = |title: &str, body: &str, kind: &str, id: &str| -> rusqlite::Result<()> {
            t.prepare_cached(
                "INSERT INTO search (title, body, document, group_row, kind, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![title, body, document, group, kind, id])?;
            t.prepare_cached("INSERT INTO search_rows VALUES (?1, ?2)")?
                .execute(params![document, t.last_insert_rowid()])?;
            Ok(())
        };
        match self {
            Self::Group(info, plates) => {
                t.execute(
                    "INSERT INTO group_view VALUES (?1, ?2, ?3)",
                    params![group, info.name, info.purpose],
                )?;
                for (idea, shown) in plates.iter() {
                    t.prepare_cached("INSERT INTO plate_view VALUES (?1, ?2, ?3, ?4)")?
                        .execute(params![group, idea.0, shown.number, shown.was])?;
                }
            }
            Self::Own(person, page) => {
                if let Some(name) = &page.name {
                    t.execute(
                        "INSERT INTO person_view VALUES (?1, ?2, ?3)",
                        params![group, person.0, name],
                    )?;
                }
                for comment in page.comments {
                    t.prepare_cached("INSERT INTO comment_view VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                        .execute(params![
                            document,
                            group,
                            comment.id.0,
                            comment.about.0,
                            person.0,
                            comment.text,
                            time(comment.at)
                        ])?;
                    find("", &comment.text, "comment", &comment.about.to_string())?;
                }
            }
            Self::Vote(votes) => votes.write(t, group, document)?,
            Self::Proposal(idea, origin) => {
                let author = origin
                    .and_then(|(journal, _)| roster.author(journal))
                    .map(|author| author.person.0);
                let at = origin.map_or(Timestamp(0), |(_, at)| at);
                t.prepare_cached(
                    "INSERT INTO idea_view VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    document,
                    group,
                    idea.id.0,
                    idea.title,
                    idea.cost.and_then(|cost| i64::try_from(cost.units()).ok()),
                    idea.place.map(|place| place.to_string()),
                    words(&idea.categories),
                    words(&idea.targets),
                    author,
                    time(at),
                    idea.first_words()
                ])?;
                find(&idea.title, &idea.body, "idea", &idea.id.to_string())?;
            }
            Self::Board(tasks) => {
                for task in tasks {
                    t.prepare_cached("INSERT INTO task_view VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                        .execute(params![
                            document,
                            group,
                            task.id.0,
                            task.idea.map(|idea| idea.0),
                            task.title,
                            encode(&task.assignees),
                            task.due,
                            task.state as i64
                        ])?;
                    find(&task.title, "", "task", &task.id.to_string())?;
                }
            }
            Self::Nothing => {}
        }
        t.prepare_cached("UPDATE documents SET dirty = 0 WHERE row = ?1")?
            .execute([document])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::domain::charter::Charter;
    use crate::domain::proposal::Draft;
    use crate::replica::hold::Me;
    use crate::replica::keys::BoxSecret;

    #[test]
    fn views_that_cannot_be_written_are_made_in_memory() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let person = SigningKey::generate(&mut rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device: SigningKey::generate(&mut rng),
            box_key: BoxSecret::generate(&mut rng).public(),
        };
        let store = Store::in_memory().unwrap();
        let mut replica =
            Replica::found(store.group(None), &me, &person, Charter::circle(), &mut rng).unwrap();
        let mut add = |replica: &mut Replica<GroupStore>, title: &str| {
            let draft = Draft {
                title: title.to_owned(),
                ..Draft::default()
            };
            replica.add_idea(&draft, Timestamp(1), &mut rng).unwrap();
        };
        let titles = |replica: &mut Replica<GroupStore>| -> Vec<String> {
            let ideas = replica.with_fresh_views(|replica| Ok::<_, ReplicaError>(replica.storage().ideas()?));
            ideas.unwrap().into_iter().map(|idea| idea.title).collect()
        };
        let read_only = |on: bool| store.lock().pragma_update(None, "query_only", on).unwrap();

        add(&mut replica, "Benches");
        assert_eq!(titles(&mut replica), ["Benches"]);
        add(&mut replica, "Trees");
        read_only(true);
        assert!(replica.refresh_views().is_err());
        assert_eq!(titles(&mut replica).len(), 2);
        assert_eq!(replica.storage().ideas().unwrap().len(), 1);
        read_only(false);
        assert_eq!(titles(&mut replica).len(), 2);
        assert_eq!(replica.storage().ideas().unwrap().len(), 2);
    }
}

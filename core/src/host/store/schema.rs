//! The database's tables, as numbered migrations. A migration that has been released is never changed; a new one follows.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

const FIRST: &str = "
CREATE TABLE profile (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE groups (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  own_seed BLOB,
  own_state INTEGER,
  stale INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE keys (
  group_row INTEGER NOT NULL REFERENCES groups(row),
  key BLOB NOT NULL,
  PRIMARY KEY (group_row, key)
) WITHOUT ROWID;
CREATE TABLE journals (
  row INTEGER PRIMARY KEY,
  group_row INTEGER NOT NULL REFERENCES groups(row),
  id BLOB NOT NULL,
  head_number INTEGER NOT NULL,
  head_id BLOB NOT NULL,
  ended INTEGER,
  seen BLOB NOT NULL,
  UNIQUE (group_row, id)
);
CREATE TABLE key_ids (row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE documents (
  row INTEGER PRIMARY KEY,
  group_row INTEGER NOT NULL REFERENCES groups(row),
  id BLOB NOT NULL,
  save BLOB,
  through INTEGER NOT NULL DEFAULT 0,
  dirty INTEGER NOT NULL DEFAULT 0,
  UNIQUE (group_row, id)
);
CREATE INDEX dirty_documents ON documents(group_row) WHERE dirty;

-- An entry's prev is the id of the one before it in its journal; its group is its journal's.
CREATE TABLE entries (
  row INTEGER PRIMARY KEY,
  journal INTEGER NOT NULL REFERENCES journals(row),
  number INTEGER NOT NULL,
  id BLOB NOT NULL,
  prev BLOB,
  kind INTEGER NOT NULL,
  key INTEGER NOT NULL REFERENCES key_ids(row),
  seen BLOB,
  nonce BLOB NOT NULL,
  sealed BLOB NOT NULL,
  signature BLOB,
  standing INTEGER NOT NULL,
  applied INTEGER,
  document INTEGER REFERENCES documents(row),
  changes INTEGER NOT NULL,
  seen_since BLOB
);
CREATE UNIQUE INDEX entries_place ON entries(journal, number);
CREATE INDEX entries_document ON entries(document, applied) WHERE document IS NOT NULL;
CREATE INDEX entries_control ON entries(journal) WHERE kind = 0;
CREATE INDEX entries_waiting ON entries(journal) WHERE standing = 1;

-- Entries of branches that do not count, whole: journal, prev and all.
CREATE TABLE aside (
  group_row INTEGER NOT NULL REFERENCES groups(row),
  journal BLOB NOT NULL,
  id BLOB NOT NULL,
  entry BLOB NOT NULL,
  PRIMARY KEY (group_row, journal, id)
) WITHOUT ROWID;

-- Where members' devices were reachable, and what they said they have.
CREATE TABLE contacts (
  group_row INTEGER NOT NULL REFERENCES groups(row),
  device BLOB NOT NULL,
  addresses BLOB NOT NULL,
  PRIMARY KEY (group_row, device)
) WITHOUT ROWID;
CREATE TABLE peers (
  group_row INTEGER NOT NULL REFERENCES groups(row),
  device BLOB NOT NULL,
  has BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (group_row, device)
) WITHOUT ROWID;

-- Views: derived from the documents, can be dropped and made anew. Each row names the document it comes from.
CREATE TABLE group_view (group_row INTEGER PRIMARY KEY, name TEXT NOT NULL, purpose TEXT NOT NULL);
CREATE TABLE person_view (
  group_row INTEGER NOT NULL, person BLOB NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (group_row, person)
) WITHOUT ROWID;
CREATE TABLE idea_view (
  document INTEGER PRIMARY KEY, group_row INTEGER NOT NULL, id BLOB NOT NULL, title TEXT NOT NULL,
  cost INTEGER, place TEXT, categories TEXT NOT NULL, targets TEXT NOT NULL,
  author BLOB, at INTEGER NOT NULL
);
CREATE INDEX idea_order ON idea_view(group_row, at, id);
CREATE TABLE comment_view (
  document INTEGER NOT NULL, group_row INTEGER NOT NULL, id BLOB NOT NULL, about BLOB NOT NULL,
  author BLOB NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX comment_document ON comment_view(document);
CREATE INDEX comment_order ON comment_view(group_row, about, at, id);
CREATE TABLE poll_view (
  document INTEGER NOT NULL, group_row INTEGER NOT NULL, id BLOB NOT NULL, opener BLOB NOT NULL,
  idea BLOB NOT NULL, question TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX poll_document ON poll_view(document);
CREATE INDEX poll_order ON poll_view(group_row, at, id);
CREATE TABLE task_view (
  document INTEGER NOT NULL, group_row INTEGER NOT NULL, id BLOB NOT NULL, idea BLOB, title TEXT NOT NULL,
  assignees BLOB NOT NULL, due TEXT, done INTEGER NOT NULL
);
CREATE INDEX task_document ON task_view(document);
CREATE INDEX task_id ON task_view(group_row, id);
CREATE INDEX task_order ON task_view(group_row, done, due, id);
CREATE VIRTUAL TABLE search USING fts5(
  title, body, document UNINDEXED, group_row UNINDEXED, kind UNINDEXED, id UNINDEXED, tokenize = 'trigram'
);
CREATE TABLE search_rows (document INTEGER NOT NULL, search INTEGER NOT NULL);
CREATE INDEX search_document ON search_rows(document);
";

/// The numbers of ideas. All views are made anew, since the group document is to be read for them.
const PLATES: &str = "
CREATE TABLE plate_view (
  group_row INTEGER NOT NULL, idea BLOB NOT NULL, number INTEGER, was INTEGER,
  PRIMARY KEY (group_row, idea)
) WITHOUT ROWID;
UPDATE documents SET dirty = 1;
";

/// When this person last looked at a group, and the last entry that had been applied by then.
const VISITS: &str = "
CREATE TABLE visits (
  group_row INTEGER PRIMARY KEY REFERENCES groups(row), at INTEGER NOT NULL, applied INTEGER NOT NULL
);
";

/// What the list of ideas tells beside the ideas themselves: how each text begins, and what was done about it. All views are
/// made anew for it.
const ACTIVITY: &str = "
ALTER TABLE idea_view ADD COLUMN first_words TEXT NOT NULL DEFAULT '';
CREATE TABLE activity_view (
  document INTEGER NOT NULL, group_row INTEGER NOT NULL, about BLOB NOT NULL,
  at INTEGER NOT NULL, others INTEGER, comments INTEGER NOT NULL
);
CREATE INDEX activity_document ON activity_view(document);
CREATE INDEX activity_about ON activity_view(group_row, about, at, others, comments);
UPDATE documents SET dirty = 1;
";

/// How far a task is, not only whether it is done: its place among all states. What there was is made anew.
const TASK_STATES: &str = "
DROP TABLE task_view;
CREATE TABLE task_view (
  document INTEGER NOT NULL, group_row INTEGER NOT NULL, id BLOB NOT NULL, idea BLOB, title TEXT NOT NULL,
  assignees BLOB NOT NULL, due TEXT, state INTEGER NOT NULL
);
CREATE INDEX task_document ON task_view(document);
CREATE INDEX task_id ON task_view(group_row, id);
UPDATE documents SET dirty = 1;
";

/// The activity added up for each idea, so that the list reads one row an idea; whatever is added up is made anew.
const IDEA_ACTIVITY: &str = "
CREATE TABLE idea_activity_view (
  group_row INTEGER NOT NULL, idea BLOB NOT NULL, at INTEGER NOT NULL, others INTEGER, comments INTEGER NOT NULL,
  PRIMARY KEY (group_row, idea)
) WITHOUT ROWID;
CREATE INDEX poll_id ON poll_view(group_row, id);
CREATE INDEX poll_idea ON poll_view(group_row, idea);
DELETE FROM activity_view;
UPDATE documents SET dirty = 1;
";

/// How polls stand: what was frozen, who answered, who closed. All views are made anew for it.
const POLLS: &str = "
ALTER TABLE poll_view ADD COLUMN record BLOB NOT NULL DEFAULT x'';
CREATE TABLE ballot_view (
  document INTEGER NOT NULL, group_row INTEGER NOT NULL, poll BLOB NOT NULL, person BLOB NOT NULL, ballot BLOB NOT NULL
);
CREATE INDEX ballot_document ON ballot_view(document);
CREATE INDEX ballot_poll ON ballot_view(group_row, poll, person, ballot);
CREATE TABLE close_view (document INTEGER NOT NULL, group_row INTEGER NOT NULL, poll BLOB NOT NULL);
CREATE INDEX close_document ON close_view(document);
CREATE INDEX close_poll ON close_view(group_row, poll);
UPDATE documents SET dirty = 1;
";

/// The order in which keys came, and what lies beyond an author's end.
const KEYS: &str = "
ALTER TABLE keys ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_beyond ON entries(journal) WHERE standing = 7;
";

/// What journals offered that was more than a device may write.
const PUT_OFF: &str = "
CREATE TABLE put_off (
  group_row INTEGER NOT NULL REFERENCES groups(row),
  journal BLOB NOT NULL,
  through INTEGER NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (group_row, journal)
) WITHOUT ROWID;
";

/// Entries of which only the header is left have the kind 2; those written for an earlier generation of their document the
/// standing 8. Where something was erased, what the views and the log still say of it is to be wiped. All is judged anew: what
/// came before this was kept as acts that are not known, without a look at the signatures in them.
const ERASED: &str = "
UPDATE groups SET stale = 1;
ALTER TABLE groups ADD COLUMN to_wipe INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_superseded ON entries(journal) WHERE standing = 8;
";

/// Brings a database to the present schema.
///
/// # Errors
/// Where a migration fails; the database stays as it was.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    migrations().to_latest(connection)
}

/// Which schema a database has; 0 where it cannot be told.
pub(super) fn version(connection: &Connection) -> u16 {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    version.unwrap_or(0)
}

fn migrations() -> Migrations<'static> {
    let all = [
        FIRST,
        PLATES,
        VISITS,
        ACTIVITY,
        TASK_STATES,
        IDEA_ACTIVITY,
        POLLS,
        KEYS,
        PUT_OFF,
        ERASED,
    ];
    Migrations::new(all.into_iter().map(M::up).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_run_on_an_empty_database() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused_and_named() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(migrate(&mut connection).is_err());
        assert_eq!(version(&connection), 99);
    }

    /// What a software before erasures kept as an act it does not know, or as content that waits, says more now.
    #[test]
    fn a_profile_from_before_erasures_is_judged_anew() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations().to_version(&mut connection, 9).unwrap();
        connection
            .execute_batch("INSERT INTO groups (row, id) VALUES (1, x'01');")
            .unwrap();
        migrate(&mut connection).unwrap();
        let stale: bool = connection
            .query_row("SELECT stale FROM groups", [], |row| row.get(0))
            .unwrap();
        assert!(stale);
    }

    #[test]
    fn the_views_of_a_profile_of_the_first_schema_are_made_anew() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations().to_version(&mut connection, 1).unwrap();
        connection
            .execute_batch(
                "INSERT INTO groups (row, id) VALUES (1, x'01');
                 INSERT INTO documents (row, group_row, id) VALUES (1, 1, x'02');
                 INSERT INTO idea_view VALUES (1, 1, x'03', 'Benches', NULL, NULL, '', '', NULL, 5);",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let dirty: i64 = connection
            .query_row("SELECT dirty FROM documents", [], |row| row.get(0))
            .unwrap();
        assert_eq!(dirty, 1);
    }
}

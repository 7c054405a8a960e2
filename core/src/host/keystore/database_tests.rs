//! Tests of the module beside it.

use std::fs;

use super::*;
use crate::host::keystore::{Cost, Home, Passphrase};

const PLAIN: &str = "Benches for the square by the linden tree";

/// A profile with `rows` rows of about 1 KB.
fn filled(rows: u32) -> (tempfile::TempDir, Unlocked) {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path());
    let unlocked = home.create_at(&Passphrase::new("quartier"), Cost::LEAST).unwrap();
    let database = open_database(&unlocked).unwrap();
    database
        .execute_batch("CREATE TABLE ideas (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        .unwrap();
    for number in 0..rows {
        add(&database, number).unwrap();
    }
    database.close().unwrap();
    (directory, unlocked)
}

fn add(database: &Connection, number: u32) -> rusqlite::Result<usize> {
    database.execute("INSERT INTO ideas VALUES (?1, ?2)", (number, PLAIN.repeat(25)))
}

fn count(database: &Connection) -> rusqlite::Result<u32> {
    database.query_row(
        "SELECT count(*) FROM ideas WHERE text LIKE '%linden%'",
        [],
        |row| row.get(0),
    )
}

#[test]
fn the_settings_are_what_they_should_be() {
    let (_directory, unlocked) = filled(1);
    let database = open_database(&unlocked).unwrap();
    let value = |pragma: &str| -> String {
        // A number or a text, as SQL reads it.
        let value = database
            .pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))
            .unwrap();
        database
            .query_row("SELECT CAST(?1 AS TEXT)", [value], |row| row.get(0))
            .unwrap()
    };
    let pragmas = [
        "journal_mode",
        "synchronous",
        "foreign_keys",
        "trusted_schema",
        "cell_size_check",
        "secure_delete",
        "temp_store",
        "cache_size",
        "busy_timeout",
        "page_size",
        "application_id",
        "cipher_hmac_algorithm",
    ];
    let settings: Vec<String> = pragmas
        .iter()
        .map(|pragma| format!("{pragma} {}", value(pragma)))
        .collect();
    insta::assert_snapshot!(settings.join("\n"));
}

#[test]
fn the_files_hold_no_plain_text() {
    let (directory, unlocked) = filled(50);
    let database = open_database(&unlocked).unwrap();
    add(&database, 1000).unwrap();
    for name in ["store.db", "store.db-wal"] {
        let bytes = fs::read(directory.path().join(name)).unwrap();
        assert!(bytes.len() > 4096, "{name}");
        for plain in ["linden tree", "SQLite format 3", "CREATE TABLE", "ideas"] {
            let found = bytes
                .windows(plain.len())
                .any(|window| window == plain.as_bytes());
            assert!(!found, "{name} holds {plain:?}");
        }
    }
}

#[test]
fn a_reader_reads_beside_a_writer_and_cannot_write() {
    let (_directory, unlocked) = filled(3);
    let writer = open_database(&unlocked).unwrap();
    let reader = open_reader(&unlocked).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    add(&writer, 1000).unwrap();
    assert_eq!(count(&reader).unwrap(), 3);
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&reader).unwrap(), 4);
    assert_eq!(
        classify(&add(&reader, 1001).unwrap_err()),
        DatabaseFault::ReadOnly
    );
}

#[test]
fn a_damaged_page_is_noticed_wherever_it_is() {
    let (directory, unlocked) = filled(200);
    let path = directory.path().join("store.db");
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 20);
    check(&unlocked).unwrap();
    // In the salt, in the first page, at the start, in the middle and in the code of others, and in the last.
    let places = [
        0,
        20,
        2000,
        4095,
        4096,
        5 * 4096 + 77,
        10 * 4096 + 4090,
        (pages - 1) * 4096 + 1,
    ];
    for at in places {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        fs::write(&path, &bytes).unwrap();
        let error = check(&unlocked).unwrap_err();
        assert!(
            matches!(error, KeystoreError::DatabaseDamaged { .. }),
            "byte {at}: {error}"
        );
        assert!(error.to_string().contains("Your passphrase was right"), "{error}");
        // Without the check, the statement that meets the page says so, too.
        let met = open_database(&unlocked).map(|database| count(&database));
        match met {
            Ok(Ok(_)) => panic!("byte {at} was not noticed"),
            Ok(Err(error)) => assert_eq!(classify(&error), DatabaseFault::Damaged, "byte {at}: {error}"),
            Err(error) => assert!(
                matches!(error, KeystoreError::DatabaseDamaged { .. }),
                "byte {at}: {error}"
            ),
        }
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = check(&unlocked).unwrap_err();
    assert!(
        matches!(error, KeystoreError::DatabaseDamaged { .. }),
        "cut in half: {error}"
    );
    fs::write(&path, &whole).unwrap();
    assert_eq!(count(&open_database(&unlocked).unwrap()).unwrap(), 200);
}

#[test]
fn a_full_disk_loses_nothing_and_is_over_when_there_is_room() {
    let (_directory, unlocked) = filled(10);
    let database = open_database(&unlocked).unwrap();
    let pages: u32 = database
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = |pages: u32| database.pragma_update(None, "max_page_count", pages);
    limit(pages + 2).unwrap();
    let error = (10..100)
        .find_map(|number| add(&database, number).err())
        .expect("the disk is full");
    assert_eq!(classify(&error), DatabaseFault::DiskFull, "{error}");
    let before = count(&database).unwrap();
    assert!(before >= 10);
    limit(1_000_000).unwrap();
    add(&database, 1000).unwrap();
    assert_eq!(count(&database).unwrap(), before + 1);
    check(&unlocked).unwrap();
}

#[test]
fn an_error_of_ours_is_not_taken_for_damage() {
    let (_directory, unlocked) = filled(1);
    let database = open_database(&unlocked).unwrap();
    for statement in [
        "SELECT nonsense",
        "INSERT INTO ideas VALUES (0, 'again')",
        "INSERT INTO nowhere VALUES (1)",
    ] {
        let error = database.execute_batch(statement).unwrap_err();
        assert_eq!(classify(&error), DatabaseFault::Other, "{error}");
    }
}

#[test]
fn after_damage_the_connection_is_done_and_a_new_one_tells() {
    let (directory, unlocked) = filled(200);
    let path = directory.path().join("store.db");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 100;
    bytes[last] ^= 0x01;
    fs::write(&path, &bytes).unwrap();
    // The writer meets the page, too, and writes nothing on top of it.
    let database = open_database(&unlocked).unwrap();
    let error = add(&database, 1000).unwrap_err();
    assert_eq!(classify(&error), DatabaseFault::Damaged, "{error:?}");
    // What SQLCipher says from then on; see DatabaseFault::OutOfMemory.
    assert_eq!(
        classify(&count(&database).unwrap_err()),
        DatabaseFault::OutOfMemory
    );
    assert!(matches!(
        check(&unlocked),
        Err(KeystoreError::DatabaseDamaged { .. })
    ));
    drop(database);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

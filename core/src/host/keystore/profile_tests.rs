//! Tests of the module beside it.

use super::*;

fn passphrase() -> Passphrase {
    Passphrase::new("an der Ecke")
}

/// A profile at the least cost, closed again.
fn made() -> (tempfile::TempDir, Home) {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("profile"));
    drop(home.create_at(&passphrase(), Cost::LEAST).unwrap());
    (directory, home)
}

#[test]
fn a_profile_opens_with_its_passphrase_and_no_other() {
    let (_directory, home) = made();
    let first = *home.unlock(&passphrase()).unwrap().database_key;
    assert_eq!(*home.unlock(&passphrase()).unwrap().database_key, first);
    let wrong = home.unlock(&Passphrase::new("an der ecke"));
    assert!(matches!(wrong, Err(KeystoreError::WrongPassphrase)));
    assert!(matches!(
        home.unlock(&Passphrase::new("")),
        Err(KeystoreError::WrongPassphrase)
    ));
}

#[test]
fn a_new_profile_is_made_at_the_standard_cost() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path());
    drop(home.create(&passphrase()).unwrap());
    assert_eq!(home.read_header().unwrap().cost, Cost::STANDARD);
}

#[test]
fn no_profile_an_old_one_and_half_of_one_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let nothing = Home::at(directory.path().join("nothing"));
    assert!(matches!(
        nothing.unlock(&passphrase()),
        Err(KeystoreError::NoProfile(_))
    ));
    assert!(!nothing.directory().exists());
    assert!(matches!(
        nothing.create(&Passphrase::new("")),
        Err(KeystoreError::EmptyPassphrase)
    ));

    let (_directory, home) = made();
    assert!(home.holds_profile());
    assert!(matches!(
        home.create(&passphrase()),
        Err(KeystoreError::ProfileExists(_))
    ));

    fs::remove_file(home.header_file()).unwrap();
    assert!(matches!(
        home.unlock(&passphrase()),
        Err(KeystoreError::HeaderMissing(_))
    ));
    assert!(matches!(
        home.create(&passphrase()),
        Err(KeystoreError::HeaderMissing(_))
    ));
    assert!(home.database_file().exists());
}

#[test]
fn a_missing_or_empty_database_is_not_taken_for_a_new_one() {
    let (_directory, home) = made();
    fs::write(home.database_file(), []).unwrap();
    let unlocked = home.unlock(&passphrase()).unwrap();
    assert!(matches!(
        database::open_database(&unlocked),
        Err(KeystoreError::DatabaseDamaged { .. })
    ));
    fs::remove_file(home.database_file()).unwrap();
    assert!(matches!(
        database::open_database(&unlocked),
        Err(KeystoreError::DatabaseMissing(_))
    ));
}

#[test]
fn an_attempt_that_broke_off_is_swept_away() {
    let (_directory, home) = made();
    fs::rename(home.header_file(), home.directory.join(UNFINISHED)).unwrap();
    fs::write(home.directory.join("store.db-wal"), b"half of it").unwrap();
    assert!(matches!(
        home.unlock(&passphrase()),
        Err(KeystoreError::NoProfile(_))
    ));
    let unlocked = home.create_at(&passphrase(), Cost::LEAST).unwrap();
    database::check(&unlocked).unwrap();
}

#[test]
fn any_damaged_byte_of_the_header_is_noticed() {
    let (_directory, home) = made();
    let whole = fs::read(home.header_file()).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] = !bytes[at];
        fs::write(home.header_file(), &bytes).unwrap();
        assert!(
            matches!(
                home.unlock(&passphrase()),
                Err(KeystoreError::HeaderDamaged { .. })
            ),
            "byte {at}"
        );
    }
    fs::write(home.header_file(), &whole[..whole.len() / 2]).unwrap();
    let error = home.unlock(&passphrase()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is damaged (its checksum does not fit)"),
        "{error}"
    );
    fs::write(home.header_file(), &whole).unwrap();
    drop(home.unlock(&passphrase()).unwrap());
}

#[test]
fn a_newer_profile_asks_for_an_update() {
    let (_directory, home) = made();
    let mut bytes = fs::read(home.header_file()).unwrap();
    bytes.truncate(bytes.len() - 32);
    bytes[8..10].copy_from_slice(&7_u16.to_be_bytes());
    let checksum = blake3::hash(&bytes);
    bytes.extend(checksum.as_bytes());
    fs::write(home.header_file(), &bytes).unwrap();
    let error = home.unlock(&passphrase()).unwrap_err();
    assert!(matches!(error, KeystoreError::Newer { version: 7, .. }));
    assert!(
        error.to_string().ends_with("Update Kiez, then open it again."),
        "{error}"
    );
}

#[test]
fn one_process_at_a_time() {
    let (_directory, home) = made();
    let held = home.unlock(&passphrase()).unwrap();
    // The lock belongs to the open file, so a second one in this process stands for a second process.
    let error = home.unlock(&passphrase()).unwrap_err();
    assert!(
        matches!(error, KeystoreError::InUse(Some(pid)) if pid == std::process::id()),
        "{error}"
    );
    assert!(matches!(home.lock(), Err(KeystoreError::InUse(_))));
    drop(held);
    drop(home.unlock(&passphrase()).unwrap());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, home) = made();
    let unlocked = home.unlock(&passphrase()).unwrap();
    let database = database::open_database(&unlocked).unwrap();
    database.execute_batch("CREATE TABLE t (x)").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.directory()), 0o700);
    let names: Vec<_> = fs::read_dir(home.directory())
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for entry in names {
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
    }
}

#[test]
fn a_changed_passphrase_opens_the_same_data_and_the_old_one_nothing() {
    let (_directory, home) = made();
    let new = Passphrase::new("am Markt");
    let unlocked = home.unlock(&passphrase()).unwrap();
    let key = *unlocked.database_key;
    let connection = database::open_database(&unlocked).unwrap();
    connection.execute_batch("CREATE TABLE kept (x)").unwrap();
    assert!(matches!(
        unlocked.change_passphrase(&new, &new),
        Err(KeystoreError::WrongPassphrase)
    ));
    assert!(matches!(
        unlocked.change_passphrase(&passphrase(), &Passphrase::new("")),
        Err(KeystoreError::EmptyPassphrase)
    ));
    unlocked.change_passphrase(&passphrase(), &new).unwrap();
    // Once more, from a header that holds the key already; what is open stays open.
    unlocked.change_passphrase(&new, &passphrase()).unwrap();
    unlocked.change_passphrase(&passphrase(), &new).unwrap();
    connection.execute_batch("INSERT INTO kept VALUES (1)").unwrap();
    drop((connection, unlocked));

    assert!(matches!(
        home.unlock(&passphrase()),
        Err(KeystoreError::WrongPassphrase)
    ));
    let again = home.unlock(&new).unwrap();
    assert_eq!(*again.database_key, key);
    let connection = database::open_database(&again).unwrap();
    let kept: i64 = connection
        .query_row("SELECT x FROM kept", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn a_change_that_crashed_leaves_one_valid_passphrase() {
    let (_directory, home) = made();
    let new = Passphrase::new("am Markt");
    let before = fs::read(home.header_file()).unwrap();
    home.unlock(&passphrase())
        .unwrap()
        .change_passphrase(&passphrase(), &new)
        .unwrap();
    let after = fs::read(home.header_file()).unwrap();
    // Before the file took the old one's place: none of it, a part, or all of it was written beside it.
    for length in [0, 60, after.len()] {
        fs::write(home.header_file(), &before).unwrap();
        fs::write(home.directory().join(CHANGED), &after[..length]).unwrap();
        let unlocked = home.unlock(&passphrase()).unwrap();
        database::open_database(&unlocked).unwrap();
        assert!(matches!(
            unlocked.change_passphrase(&new, &new),
            Err(KeystoreError::WrongPassphrase)
        ));
    }
    // After it.
    fs::rename(home.directory().join(CHANGED), home.header_file()).unwrap();
    database::open_database(&home.unlock(&new).unwrap()).unwrap();
}

#[test]
fn a_sealed_key_that_was_exchanged_is_damage_and_no_key() {
    let (_directory, home) = made();
    let unlocked = home.unlock(&passphrase()).unwrap();
    unlocked.change_passphrase(&passphrase(), &passphrase()).unwrap();
    drop(unlocked);
    let mut header = home.read_header().unwrap();
    header.sealed_key.as_mut().unwrap().1[0] ^= 1;
    fs::write(home.header_file(), header.to_bytes()).unwrap();
    assert!(matches!(
        home.unlock(&passphrase()),
        Err(KeystoreError::HeaderDamaged { .. })
    ));
}

#[test]
fn a_profile_that_could_not_be_filled_is_not_there_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("profile"));
    let filled = home.create_filled(&passphrase(), Cost::LEAST, |unlocked| {
        database::open_database(unlocked)?
            .execute_batch("CREATE TABLE t (v)")
            .unwrap();
        assert!(!home.holds_profile(), "it is there before it is whole");
        Err(KeystoreError::SeedDamaged)
    });
    assert!(matches!(filled, Err(KeystoreError::SeedDamaged)));
    assert!(!home.holds_profile() && !home.database_file().exists());
    drop(home.create_at(&passphrase(), Cost::LEAST).unwrap());
    drop(home.unlock(&passphrase()).unwrap());
}

#[test]
fn what_is_erased_is_gone_and_not_while_somebody_has_it_open() {
    let (_directory, home) = made();
    let copy = home.directory().join("header.copy");
    fs::hard_link(home.header_file(), &copy).unwrap();
    let open = home.unlock(&passphrase()).unwrap();
    assert!(matches!(home.erase(), Err(KeystoreError::InUse(_))));
    assert!(home.holds_profile());
    drop(open);
    fs::create_dir(home.directory().join("page")).unwrap();
    home.erase().unwrap();
    // The same blocks by another name: overwritten, not only removed.
    assert!(fs::read(&copy).unwrap().iter().all(|byte| *byte == 0));
    let left: Vec<_> = fs::read_dir(home.directory())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["header.copy"]);
    assert!(matches!(home.erase(), Err(KeystoreError::NoProfile(_))));
    // And a new one can be made there.
    drop(home.create_at(&passphrase(), Cost::LEAST).unwrap());
}

#[test]
fn an_erasure_that_was_cut_off_is_done_again() {
    let (_directory, home) = made();
    overwrite(&home.header_file()).unwrap();
    assert!(matches!(
        home.unlock(&passphrase()),
        Err(KeystoreError::HeaderDamaged { .. })
    ));
    home.erase().unwrap();
    assert!(!home.directory().exists());
}

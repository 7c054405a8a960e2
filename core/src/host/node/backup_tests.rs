//! Tests of the module beside it.

use super::*;
use crate::domain::id::to_hex;
use crate::domain::proposal::Draft;
use crate::host::keystore::KeystoreError;

fn passphrase() -> Passphrase {
    Passphrase::new("an der Ecke")
}

struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn home(&self, name: &str) -> Home {
        Home::at(self.directory.path().join(name))
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("backup.kiez")
    }

    fn open(&self) -> File {
        File::open(self.file()).unwrap()
    }

    /// Anna with two groups and an idea.
    fn anna(&self) -> (Node, Vec<GroupId>) {
        let node = Node::create_at(&self.home("anna"), "Anna", &passphrase(), Cost::LEAST).unwrap();
        let groups = ["Garten", "Haus"].map(|name| node.found(name, "", &passphrase()).unwrap());
        let draft = Draft {
            title: "Eine Bank".to_owned(),
            body: String::new(),
            cost: None,
            place: None,
            categories: vec![],
            targets: vec![],
        };
        node.add_idea(groups[0], &draft).unwrap();
        (node, groups.to_vec())
    }

    fn recover(&self, name: &str) -> Result<(Node, BackedUp), NodeError> {
        let home = self.home(name);
        Node::recover_at(&home, &passphrase(), self.open(), Cost::LEAST, &mut always)
    }
}

fn always(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn digests(node: &Node, groups: &[GroupId]) -> Vec<[u8; 32]> {
    let digest = |group: &GroupId| node.status(*group).unwrap().digest;
    groups.iter().map(digest).collect()
}

#[test]
fn a_restored_profile_is_the_same_person_on_another_device_reads_everything_and_waits_to_be_enrolled() {
    let desk = Desk::new();
    let (anna, groups) = desk.anna();
    assert_eq!(anna.backed_up().unwrap(), None);
    let mut told = Vec::new();
    let mut on = |progress: Progress| {
        told.push((progress.done, progress.of));
        ControlFlow::Continue(())
    };
    let written = anna.back_up(&passphrase(), &desk.file(), &mut on).unwrap();
    assert_eq!(told, [(0, 2), (1, 2), (2, 2)]);
    assert_eq!(written.groups, groups);
    assert_eq!(written.bytes, fs::metadata(desk.file()).unwrap().len());
    assert_eq!(anna.backed_up().unwrap(), Some(written.made));

    let (again, read) = desk.recover("again").unwrap();
    assert_eq!(read, written);
    assert_eq!(again.me().person, anna.me().person);
    assert_ne!(again.me().device_id(), anna.me().device_id());
    assert_ne!(again.me().box_key, anna.me().box_key);
    assert_eq!(again.profile_name().unwrap(), "Anna");
    assert_eq!(again.backed_up().unwrap(), Some(written.made));
    assert_eq!(again.groups().unwrap(), groups);
    assert_eq!(digests(&again, &groups), digests(&anna, &groups));
    assert!(again.news(groups[0]).unwrap().done.is_empty());
    let words = |node: &Node| node.recovery_words(&passphrase()).unwrap().phrase();
    assert_eq!(words(&again), words(&anna));
    for group in groups {
        let mine = again.with_group(group, |replica| {
            assert!(replica.signing_journal().is_some(), "it can say who speaks");
            Ok::<_, NodeError>(replica.own_journal())
        });
        assert_eq!(mine.unwrap(), None);
        let refused = again.set_profile_name(group, "Anne");
        assert!(refused.unwrap_err().to_string().contains("enrolled again"));
    }
}

/// The secrets that only the device has are nowhere in what the passphrase opens.
#[test]
fn no_secret_of_a_journal_or_of_the_device_is_in_it() {
    let desk = Desk::new();
    let (anna, groups) = desk.anna();
    anna.back_up(&passphrase(), &desk.file(), &mut always).unwrap();
    let mut reader = BackupReader::begin(File::open(desk.file()).unwrap(), &passphrase()).unwrap();
    let mut plain = Vec::new();
    while let Ok(byte) = reader.read(1) {
        plain.extend_from_slice(&byte);
    }
    reader.end().unwrap();
    let holds = |secret: &[u8]| plain.windows(secret.len()).any(|bytes| bytes == secret);
    let entropy = anna.recovery_words(&passphrase()).unwrap();
    assert!(holds(entropy.entropy()), "what is looked for is found");
    assert!(!holds(&anna.me().device.to_bytes()));
    assert!(!holds(anna.box_secret().as_bytes()));
    for group in groups {
        let seed = anna.with_group(group, |replica| {
            Ok::<_, NodeError>(replica.storage().own()?.unwrap().seed)
        });
        assert!(!holds(&seed.unwrap()));
    }
}

#[test]
fn no_profile_comes_of_a_backup_that_is_not_sound_and_none_is_overwritten() {
    let desk = Desk::new();
    let (anna, _) = desk.anna();
    anna.back_up(&passphrase(), &desk.file(), &mut always).unwrap();
    let taken = desk.recover("anna");
    assert!(matches!(
        taken,
        Err(NodeError::Keystore(KeystoreError::ProfileExists(_)))
    ));
    let home = desk.home("again");
    let wrong = Node::recover_at(
        &home,
        &Passphrase::new("x"),
        desk.open(),
        Cost::LEAST,
        &mut always,
    );
    assert!(matches!(
        wrong,
        Err(NodeError::Backup(BackupError::Keystore(
            KeystoreError::WrongPassphrase
        )))
    ));
    let whole = fs::read(desk.file()).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for bytes in [
        damaged.as_slice(),
        &whole[..whole.len() - 1],
        &whole[..118],
        b"no backup",
    ] {
        fs::write(desk.file(), bytes).unwrap();
        assert!(matches!(desk.recover("again"), Err(NodeError::Backup(_))));
        assert!(!home.holds_profile() && !home.database_file().exists());
    }
    fs::write(desk.file(), &whole).unwrap();
    // Stopped in the middle.
    let mut stop = |progress: Progress| match progress.done {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let stopped = Node::recover_at(&home, &passphrase(), desk.open(), Cost::LEAST, &mut stop);
    assert!(matches!(stopped, Err(NodeError::Backup(BackupError::Stopped))));
    assert!(!home.holds_profile() && !home.database_file().exists());
    assert!(desk.recover("again").is_ok());
}

#[test]
fn a_backup_takes_its_place_whole_or_leaves_the_one_before() {
    let desk = Desk::new();
    let (anna, _) = desk.anna();
    fs::write(desk.file(), "the one before").unwrap();
    let mut stop = |_| ControlFlow::Break(());
    let stopped = anna.back_up(&passphrase(), &desk.file(), &mut stop);
    assert!(matches!(stopped, Err(NodeError::Backup(BackupError::Stopped))));
    let wrong = anna.back_up(&Passphrase::new("x"), &desk.file(), &mut always);
    assert!(matches!(
        wrong,
        Err(NodeError::Keystore(KeystoreError::WrongPassphrase))
    ));
    assert_eq!(fs::read(desk.file()).unwrap(), b"the one before");
    assert_eq!(anna.backed_up().unwrap(), None);
    let inside = anna.home().directory().join("backup.kiez");
    let inside = anna.back_up(&passphrase(), &inside, &mut always);
    assert!(matches!(inside, Err(NodeError::Backup(BackupError::InProfile))));
    anna.back_up(&passphrase(), &desk.file(), &mut always).unwrap();
    let names = fs::read_dir(desk.directory.path()).unwrap();
    assert_eq!(names.count(), 2, "nothing is left beside it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(desk.file()).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn the_records_stay() {
    let beginning = Beginning {
        entropy: [1; 32],
        name: "Anna".to_owned(),
        made: Timestamp(1_795_375_484_302),
        groups: 1,
    };
    let part = Part {
        group: GroupId([2; 32]),
        keys: vec![[3; 32]],
        contacts: vec![(DeviceId([4; 32]), vec!["10.77.0.1:50301".parse().unwrap()])],
        bundle: 1551,
    };
    let lines = format!(
        "beginning {}\npart {}",
        to_hex(&encode(&beginning)),
        to_hex(&encode(&part))
    );
    insta::assert_snapshot!(lines);
}

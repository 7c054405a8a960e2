//! Profiles with the year in them, on the disk that holds `target`.

use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use kiez_core::domain::id::GroupId;
use kiez_core::host::keystore::{Home, RecoveryWords, Unlocked};
use kiez_core::replica::keys::BoxSecret;
use kiez_tests::year::profile::passphrase;
use kiez_tests::year::{Member, Year};
use tempfile::TempDir;

/// Where everything lies. Goes away at the end, but for the fixtures.
pub struct Place {
    target: PathBuf,
    directory: TempDir,
}

/// The founder's profile and the quiet one's. Both have everything.
pub struct Profiles {
    pub group: GroupId,
    pub founder: Home,
    pub quiet: Home,
}

impl Place {
    pub fn new() -> Self {
        let exe = std::env::current_exe().unwrap();
        // target/release/deps/speed-…
        let target = exe.ancestors().nth(3).unwrap().to_path_buf();
        let directory = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&target)
            .unwrap();
        Self { target, directory }
    }

    pub fn fixtures(&self) -> PathBuf {
        self.target.join("fixtures")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn profiles(&self, year: &Year) -> Profiles {
        let make = |name: &str, member: &Member| {
            let home = Home::at(self.path(name));
            year.profile_of(member, &home);
            home
        };
        Profiles {
            group: year.group,
            founder: make("founder", &year.founder),
            quiet: make("quiet", &year.quiet),
        }
    }
}

pub fn me(member: &Member) -> kiez_core::replica::hold::Me {
    let person = RecoveryWords::from_entropy(member.entropy).person_key();
    kiez_core::replica::hold::Me {
        person: kiez_core::domain::id::PersonId(person.verifying_key().to_bytes()),
        device: SigningKey::from_bytes(&member.device),
        box_key: BoxSecret::from_bytes(member.box_secret).public(),
    }
}

pub fn unlock(home: &Home) -> Unlocked {
    home.unlock(&passphrase()).unwrap()
}

pub fn size_of(home: &Path) -> u64 {
    std::fs::metadata(home.join("store.db")).unwrap().len()
}

//! What a person says of themselves, and what only this device remembers of them.

use serde::Serialize;

use crate::domain::id::Timestamp;
use crate::host::store::ProfileValue;
use crate::replica::author::AuthorError;
use crate::replica::document::own;

use super::{Node, NodeError};

/// After how many minutes without the person a profile is locked, where they said nothing else.
const LOCK_AFTER: u16 = 15;

/// What would bring this person and their groups back, were this computer lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WayBack {
    /// The recovery words are written down, as the person said.
    pub words_noted: bool,
    /// When a backup was last written.
    pub backed_up: Option<Timestamp>,
    /// On how many devices they are; this one counts.
    pub devices: usize,
}

impl WayBack {
    /// Is there none? Then they are to be reminded.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        !self.words_noted && self.backed_up.is_none() && self.devices < 2
    }
}

impl Node {
    /// Is called otherwise from now on, in all groups in which this device can write.
    ///
    /// # Errors
    /// Where the name does not fit, or the store fails.
    pub fn rename(&self, name: &str) -> Result<(), NodeError> {
        own::check_name(name).map_err(AuthorError::from)?;
        self.store()
            .set_profile_values(&[(ProfileValue::Name, name.as_bytes())])?;
        for group in self.groups()? {
            let writes = self.with_group(group, |replica| {
                Ok::<_, NodeError>(replica.own_journal().is_some())
            })?;
            if writes {
                self.set_profile_name(group, name)?;
            }
        }
        Ok(())
    }

    /// Has the person said that the recovery words are written down?
    ///
    /// # Errors
    /// Where the store fails.
    pub fn words_noted(&self) -> Result<bool, NodeError> {
        let noted = self.store().profile_value(ProfileValue::WordsNoted)?;
        Ok(noted.is_some_and(|noted| !noted.is_empty()))
    }

    /// Remembers that the recovery words are written down.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn note_words(&self) -> Result<(), NodeError> {
        Ok(self
            .store()
            .set_profile_values(&[(ProfileValue::WordsNoted, &[1])])?)
    }

    /// What would bring this person back, were this computer lost.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn way_back(&self) -> Result<WayBack, NodeError> {
        Ok(WayBack {
            words_noted: self.words_noted()?,
            backed_up: self.backed_up()?,
            devices: self.own_devices()?,
        })
    }

    /// After how many minutes without the person window and server lock the profile. None: never.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn lock_after(&self) -> Result<Option<u16>, NodeError> {
        let kept = self.store().profile_value(ProfileValue::LockAfter)?;
        let minutes = kept.and_then(|bytes| bytes.try_into().ok());
        let minutes = minutes.map_or(LOCK_AFTER, u16::from_le_bytes);
        Ok((minutes > 0).then_some(minutes))
    }

    /// Sets it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn set_lock_after(&self, minutes: Option<u16>) -> Result<(), NodeError> {
        let minutes = minutes.unwrap_or_default().to_le_bytes();
        Ok(self
            .store()
            .set_profile_values(&[(ProfileValue::LockAfter, &minutes)])?)
    }
}

#[cfg(test)]
mod tests {
    use crate::host::keystore::{Cost, Home, Passphrase};

    use super::*;

    #[test]
    fn a_new_name_holds_in_every_group_and_words_stay_noted() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("profile"));
        let passphrase = Passphrase::new("an der Ecke");
        let node = Node::create_at(&home, "Anna", &passphrase, Cost::LEAST).unwrap();
        let groups = ["Garten", "Haus"].map(|name| node.found(name, "", &passphrase).unwrap());
        assert!(!node.words_noted().unwrap());
        assert!(node.way_back().unwrap().is_missing());
        assert_eq!(node.lock_after().unwrap(), Some(LOCK_AFTER));
        assert!(node.rename("").is_err());
        node.rename("Anne").unwrap();
        node.note_words().unwrap();
        node.set_lock_after(None).unwrap();
        drop(node);
        let node = Node::open(&home, &passphrase).unwrap();
        assert!(node.words_noted().unwrap() && !node.way_back().unwrap().is_missing());
        assert_eq!(node.lock_after().unwrap(), None);
        node.set_lock_after(Some(3)).unwrap();
        assert_eq!(node.lock_after().unwrap(), Some(3));
        assert_eq!(node.profile_name().unwrap(), "Anne");
        for group in groups {
            let names: Vec<_> = node.people(group).unwrap().into_iter().map(|p| p.name).collect();
            assert_eq!(names, [Some("Anne".to_owned())]);
        }
    }

    #[test]
    fn any_one_way_back_is_enough() {
        let none = WayBack {
            words_noted: false,
            backed_up: None,
            devices: 1,
        };
        assert!(none.is_missing());
        let words_noted = WayBack {
            words_noted: true,
            ..none
        };
        let backed_up = WayBack {
            backed_up: Some(Timestamp(1)),
            ..none
        };
        let two = WayBack { devices: 2, ..none };
        for way in [words_noted, backed_up, two] {
            assert!(!way.is_missing(), "{way:?}");
        }
    }
}

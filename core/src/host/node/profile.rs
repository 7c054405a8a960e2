//! What a person says of themselves, and what only this device remembers of them.

use crate::host::store::ProfileValue;
use crate::replica::author::AuthorError;
use crate::replica::document::own;

use super::{Node, NodeError};

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
        assert!(node.rename("").is_err());
        node.rename("Anne").unwrap();
        node.note_words().unwrap();
        drop(node);
        let node = Node::open(&home, &passphrase).unwrap();
        assert!(node.words_noted().unwrap());
        assert_eq!(node.profile_name().unwrap(), "Anne");
        for group in groups {
            let names: Vec<_> = node.people(group).unwrap().into_iter().map(|p| p.name).collect();
            assert_eq!(names, [Some("Anne".to_owned())]);
        }
    }
}

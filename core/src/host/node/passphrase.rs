//! What asks for the passphrase again: the recovery words, and changing it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::host::keystore::{Cost, KeystoreError, Passphrase, RecoveryWords, SealedSeed};
use crate::host::random;
use crate::host::store::ProfileValue;

use super::{Node, NodeError};

/// The passphrase in the hands of something that goes on for long, as the network does: the one that is valid, also after it
/// was changed. Whoever drops it forgets it.
#[derive(Debug)]
pub struct HeldPassphrase(Mutex<Passphrase>);

impl HeldPassphrase {
    /// The one that is valid now.
    #[must_use]
    pub fn now(&self) -> Passphrase {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, new: &Passphrase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = new.clone();
    }
}

impl Node {
    /// Holds the profile's passphrase for something that needs it later: a change of it reaches whoever holds it.
    #[must_use]
    pub fn hold_passphrase(&self, passphrase: Passphrase) -> Arc<HeldPassphrase> {
        let held = Arc::new(HeldPassphrase(Mutex::new(passphrase)));
        let mut all = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|held| held.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        held
    }

    /// The recovery words. Asks for the passphrase again: an unlocked laptop alone does not give them.
    ///
    /// # Errors
    /// A wrong passphrase.
    pub fn recovery_words(&self, passphrase: &Passphrase) -> Result<RecoveryWords, NodeError> {
        Ok(self.open_seed(passphrase)?.1)
    }

    /// Has the profile, and the recovery words in it, open with another passphrase from now on. A crash in the middle leaves
    /// one of the two valid, for both. A network that runs goes on with the new one. Takes four times as long as unlocking.
    ///
    /// # Errors
    /// Where the old passphrase is wrong, the new one is empty, or the disk fails: the old one is valid then.
    pub fn change_passphrase(&self, old: &Passphrase, new: &Passphrase) -> Result<(), NodeError> {
        let _one = self.inner.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (standing, words) = self.open_seed(old)?;
        let cost = standing.cost();
        let next = SealedSeed::seal(&words, new, cost, random::bytes(), random::bytes())?;
        // The words are there under both, until the profile opens with the new one.
        let store = &self.inner.store;
        store.set_profile_values(&[
            (ProfileValue::SealedSeed, &standing.to_bytes()),
            (ProfileValue::NextSealedSeed, &next.to_bytes()),
        ])?;
        self.inner.unlocked.change_passphrase(old, new)?;
        // Before the old one opens nothing any more.
        let all = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        for held in all.iter().filter_map(Weak::upgrade) {
            held.replace(new);
        }
        drop(all);
        let only_next = [
            (ProfileValue::SealedSeed, next.to_bytes()),
            (ProfileValue::NextSealedSeed, Vec::new()),
        ];
        let only_next = only_next
            .each_ref()
            .map(|(value, bytes)| (*value, bytes.as_slice()));
        if let Err(error) = store.set_profile_values(&only_next) {
            // It is changed: that the words are there under the old one, too, is no reason to say that it is not.
            tracing::warn!("the words stay sealed under the old passphrase, too: {error}");
        }
        Ok(())
    }

    /// What opening the profile costs: what is sealed under its passphrase elsewhere costs the same.
    pub(super) fn cost(&self) -> Result<Cost, NodeError> {
        let bytes = self.inner.store.profile_value(ProfileValue::SealedSeed)?;
        let bytes = bytes.ok_or(NodeError::ProfileIncomplete)?;
        Ok(SealedSeed::from_bytes(&bytes)?.cost())
    }

    /// The sealed seed that this passphrase opens, and the words in it.
    fn open_seed(&self, passphrase: &Passphrase) -> Result<(SealedSeed, RecoveryWords), NodeError> {
        let mut wrong = NodeError::ProfileIncomplete;
        for value in [ProfileValue::SealedSeed, ProfileValue::NextSealedSeed] {
            let bytes = self.inner.store.profile_value(value)?.unwrap_or_default();
            if bytes.is_empty() {
                continue;
            }
            let sealed = SealedSeed::from_bytes(&bytes)?;
            match sealed.open(passphrase) {
                Ok(words) => return Ok((sealed, words)),
                Err(KeystoreError::WrongPassphrase) => wrong = KeystoreError::WrongPassphrase.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::keystore::Home;

    #[test]
    fn the_words_and_the_profile_open_with_the_new_passphrase_and_after_a_crash_with_one_of_the_two() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("profile"));
        let (old, new) = (Passphrase::new("an der Ecke"), Passphrase::new("am Markt"));
        let node = Node::create_at(&home, "Anna", &old, Cost::LEAST).unwrap();
        let words = node.recovery_words(&old).unwrap().person_key();
        let wrong = |result: Result<RecoveryWords, NodeError>| {
            matches!(result, Err(NodeError::Keystore(KeystoreError::WrongPassphrase)))
        };
        assert!(matches!(
            node.change_passphrase(&new, &old),
            Err(NodeError::Keystore(KeystoreError::WrongPassphrase))
        ));
        assert!(wrong(node.recovery_words(&new)));

        // A crash just before the profile changes, and one just after: the words are there under both.
        let before = node
            .store()
            .profile_value(ProfileValue::SealedSeed)
            .unwrap()
            .unwrap();
        node.change_passphrase(&old, &new).unwrap();
        let after = node
            .store()
            .profile_value(ProfileValue::SealedSeed)
            .unwrap()
            .unwrap();
        assert!(wrong(node.recovery_words(&old)));
        let crashed = [
            (ProfileValue::SealedSeed, before.as_slice()),
            (ProfileValue::NextSealedSeed, &after),
        ];
        node.store().set_profile_values(&crashed).unwrap();
        for passphrase in [&old, &new] {
            assert_eq!(node.recovery_words(passphrase).unwrap().person_key(), words);
        }
        // Changing it from there works as ever.
        node.change_passphrase(&new, &old).unwrap();
        assert!(wrong(node.recovery_words(&new)));
        drop(node);
        assert!(Node::open(&home, &new).is_err());
        let node = Node::open(&home, &old).unwrap();
        assert_eq!(node.recovery_words(&old).unwrap().person_key(), words);
    }
}

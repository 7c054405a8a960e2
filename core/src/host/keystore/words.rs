//! The recovery words: 24 words on paper that give a person their key back.

use std::fmt;

use bip39::{Language, Mnemonic};
use ed25519_dalek::SigningKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KeystoreError;

/// How many words there are.
const COUNT: usize = 24;

/// The context of the derivation; never to be changed, or no paper fits any more.
const PERSON_KEY: &str = "kiez 2026-11 recovery words to person key";

/// 32 bytes of entropy, written as 24 English BIP39 words. Wiped when dropped, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryWords([u8; 32]);

impl RecoveryWords {
    /// The words for this entropy, which should come from [`crate::host::random`].
    #[must_use]
    pub const fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }

    /// Reads words as a person types or pastes them: in any case, on any number of lines, with numbers or commas in
    /// between.
    ///
    /// # Errors
    /// [`KeystoreError::WordUnknown`], [`KeystoreError::WordCount`] or [`KeystoreError::WordsChecksum`], in this order.
    pub fn parse(typed: &str) -> Result<Self, KeystoreError> {
        let lower = Zeroizing::new(typed.to_lowercase());
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .collect();
        let unknown = (1..)
            .zip(&words)
            .find(|(_, word)| Language::English.find_word(word).is_none());
        if let Some((place, word)) = unknown {
            return Err(KeystoreError::WordUnknown {
                place,
                word: (*word).to_owned(),
            });
        }
        if words.len() != COUNT {
            return Err(KeystoreError::WordCount(words.len()));
        }
        let phrase = Zeroizing::new(words.join(" "));
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &phrase)
            .map_err(|_| KeystoreError::WordsChecksum)?;
        let entropy = Zeroizing::new(mnemonic.to_entropy());
        let entropy = entropy
            .as_slice()
            .try_into()
            .map_err(|_| KeystoreError::WordsChecksum)?;
        Ok(Self(entropy))
    }

    /// The 24 words, separated by single spaces.
    #[must_use]
    pub fn phrase(&self) -> Zeroizing<String> {
        // 32 bytes always make 24 words.
        let phrase = Mnemonic::from_entropy_in(Language::English, &self.0).map(|words| words.to_string());
        Zeroizing::new(phrase.unwrap_or_default())
    }

    /// The person's signing key: the same words give the same key for ever.
    #[must_use]
    pub fn person_key(&self) -> SigningKey {
        let seed = Zeroizing::new(blake3::derive_key(PERSON_KEY, &self.0));
        SigningKey::from_bytes(&seed)
    }

    pub(crate) const fn entropy(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecoveryWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryWords(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::to_hex;

    // From the BIP39 reference vectors (trezor/python-mnemonic, vectors.json).
    const ENTROPY: [u8; 32] = [0x7f; 32];
    const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank year wave sausage \
        worth useful legal winner thank year wave sausage worth title";

    #[test]
    fn the_reference_vector_fits_both_ways() {
        assert_eq!(*RecoveryWords::from_entropy(ENTROPY).phrase(), PHRASE);
        assert_eq!(RecoveryWords::parse(PHRASE).unwrap(), RecoveryWords(ENTROPY));
        let zeros = format!("{}art", "abandon ".repeat(23));
        assert_eq!(RecoveryWords::parse(&zeros).unwrap(), RecoveryWords([0; 32]));
    }

    #[test]
    fn words_are_read_as_people_type_them() {
        let numbered: String = (1..)
            .zip(PHRASE.split(' '))
            .map(|(place, word)| format!("{place}. {},\r\n\t", word.to_uppercase()))
            .collect();
        assert_eq!(RecoveryWords::parse(&numbered).unwrap(), RecoveryWords(ENTROPY));
    }

    #[test]
    fn a_wrong_word_is_named_and_a_wrong_order_noticed() {
        let typo = PHRASE.replacen("sausage", "sausgae", 1);
        let error = RecoveryWords::parse(&typo).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Word 6, \"sausgae\", is not one of the recovery words. Check its spelling."
        );
        let swapped = PHRASE.replacen("legal winner", "winner legal", 1);
        assert!(matches!(
            RecoveryWords::parse(&swapped),
            Err(KeystoreError::WordsChecksum)
        ));
        assert!(matches!(
            RecoveryWords::parse("legal winner"),
            Err(KeystoreError::WordCount(2))
        ));
        assert!(matches!(
            RecoveryWords::parse(""),
            Err(KeystoreError::WordCount(0))
        ));
        let twelve = format!("{}about", "abandon ".repeat(11));
        assert!(matches!(
            RecoveryWords::parse(&twelve),
            Err(KeystoreError::WordCount(12))
        ));
    }

    #[test]
    fn the_words_on_paper_give_the_same_key_for_ever() {
        let key = RecoveryWords::from_entropy(ENTROPY).person_key();
        insta::assert_snapshot!(to_hex(key.verifying_key().as_bytes()));
    }

    #[test]
    fn words_never_show() {
        assert_eq!(format!("{:?}", RecoveryWords(ENTROPY)), "RecoveryWords(..)");
    }
}

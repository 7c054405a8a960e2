//! A fingerprint as people read it to each other: six words, or digits.

use bip39::Language;

/// Where each of the six words of 11 bits stands in the first 128 bits.
const WORDS_AT: [u32; 6] = [117, 106, 95, 84, 73, 62];

/// The first 66 bits as six words of the BIP39 list in English: the same for all, whatever language they speak.
#[must_use]
pub fn six_words(fingerprint: &[u8; 32]) -> [&'static str; 6] {
    let list = Language::English.word_list();
    let first = fingerprint
        .iter()
        .take(16)
        .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    WORDS_AT.map(|at| {
        let word = first.wrapping_shr(at) & 0x7ff;
        let place = usize::try_from(word).unwrap_or_default();
        list.get(place).copied().unwrap_or_default()
    })
}

/// The first 8 bytes, as the last 15 digits of their number, for who rather compares those.
#[must_use]
pub fn digits(fingerprint: &[u8; 32]) -> String {
    let number = fingerprint
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let (first, second, third) = (
        number / 10_000_000_000 % 100_000,
        number / 100_000 % 100_000,
        number % 100_000,
    );
    format!("{first:05} {second:05} {third:05}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_digits_say_the_first_bits() {
        let mut fingerprint = [0; 32];
        assert_eq!(six_words(&fingerprint), ["abandon"; 6]);
        assert_eq!(digits(&fingerprint), "00000 00000 00000");
        // 00000000001 00000000010 0...
        fingerprint[1] = 0b0010_0000;
        fingerprint[2] = 0b0000_1000;
        assert_eq!(six_words(&fingerprint)[..3], ["ability", "able", "abandon"]);
        fingerprint = [0xff; 32];
        assert_eq!(six_words(&fingerprint), ["zoo"; 6]);
        assert_eq!(digits(&fingerprint), "74407 37095 51615");
    }
}

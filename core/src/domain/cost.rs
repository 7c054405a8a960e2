//! Money, as a neighbourhood counts it: whole units of the group's currency.
//!
//! Whole units, because every cost in the participatory budgets at hand is whole (458 projects, 31 files), because an
//! estimate for a bench is never exact to the cent, and because sums and ratios of whole numbers are the same on every
//! device. The currency's name is the group's, not the idea's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What something costs, in whole units of the group's currency, at most [`Cost::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Cost(u64);

/// Why a text or a number is not a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// Something other than digits.
    #[error("a cost is a whole number, such as 1200")]
    NotANumber,
    /// Cents: they are refused, never rounded away.
    #[error("a cost is counted in whole units, without cents")]
    Fraction,
    /// More than [`Cost::MAX`].
    #[error("a cost is at most {}", Cost::MAX)]
    TooLarge,
}

impl Cost {
    /// A million million: ten million such costs still add up within a `u64`, and JavaScript holds each exactly.
    pub const MAX: Self = Self(1_000_000_000_000);

    /// A cost of so many whole units.
    ///
    /// # Errors
    /// [`CostError::TooLarge`] beyond [`Cost::MAX`].
    pub const fn new(units: u64) -> Result<Self, CostError> {
        if units > Self::MAX.0 {
            Err(CostError::TooLarge)
        } else {
            Ok(Self(units))
        }
    }

    /// The cost in whole units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Cost {
    type Err = CostError;

    /// Reads "1200", and "1200.00" or "1200,0" as the same. "1,000" is refused: it may mean one or a thousand.
    fn from_str(text: &str) -> Result<Self, CostError> {
        let (whole, cents) = match text.split_once(['.', ',']) {
            Some((whole, cents)) => (whole, Some(cents)),
            None => (text, None),
        };
        if !all_digits(whole) || !cents.is_none_or(all_digits) {
            return Err(CostError::NotANumber);
        }
        if cents.is_some_and(|digits| !matches!(digits, "0" | "00")) {
            return Err(CostError::Fraction);
        }
        // Only digits are left: what does not parse is too large.
        whole.parse().map_err(|_| CostError::TooLarge).and_then(Self::new)
    }
}

impl TryFrom<u64> for Cost {
    type Error = CostError;

    fn try_from(units: u64) -> Result<Self, CostError> {
        Self::new(units)
    }
}

impl From<Cost> for u64 {
    fn from(cost: Cost) -> Self {
        cost.0
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_reads_back_from_text_json_and_bytes() {
        for (text, units) in [
            ("0", 0),
            ("132250", 132_250),
            ("7.0", 7),
            ("7,00", 7),
            ("1000000000000", 1_000_000_000_000),
        ] {
            let cost: Cost = text.parse().unwrap();
            assert_eq!(cost.units(), units);
            assert_eq!(cost.to_string().parse(), Ok(cost));
            assert_eq!(
                serde_json::from_str::<Cost>(&serde_json::to_string(&cost).unwrap()).unwrap(),
                cost
            );
            assert_eq!(
                postcard::from_bytes::<Cost>(&postcard::to_stdvec(&cost).unwrap()).unwrap(),
                cost
            );
        }
    }

    #[test]
    fn what_is_not_a_cost_is_refused_by_name() {
        use CostError::{Fraction, NotANumber, TooLarge};
        for (text, why) in [
            ("", NotANumber),
            ("-1", NotANumber),
            ("+1", NotANumber),
            (" 1", NotANumber),
            ("1e3", NotANumber),
            ("12a", NotANumber),
            ("1.", NotANumber),
            (".5", NotANumber),
            ("1.5", Fraction),
            ("1,000", Fraction),
            ("1.000", Fraction),
            ("1.0.0", NotANumber),
            ("\u{0661}", NotANumber), // an Arabic digit one
            ("1000000000001", TooLarge),
            ("99999999999999999999999", TooLarge),
        ] {
            assert_eq!(text.parse::<Cost>(), Err(why), "{text:?}");
        }
        assert!(serde_json::from_str::<Cost>("1000000000001").is_err());
        assert!(serde_json::from_str::<Cost>("-1").is_err());
    }
}

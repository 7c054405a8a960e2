//! A point on the map, as whole microdegrees: equal on every device, and no finer than a step of a foot.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A point on the Earth: WGS 84 latitude and longitude in microdegrees (0.11 m of latitude each).
///
/// In text "50.2599,19.0389": degrees with a point, latitude first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Place {
    latitude_microdegrees: i32,
    longitude_microdegrees: i32,
}

/// Why a text or a pair of numbers is not a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Not two numbers with a comma between them.
    #[error("a place is a latitude and a longitude, such as 50.2599,19.0389")]
    NotAPair,
    /// Not a number of degrees.
    #[error("degrees are written with digits and a point, such as 50.2599")]
    NotANumber,
    /// Beyond a pole.
    #[error("a latitude lies between -90 and 90")]
    Latitude,
    /// Beyond half a turn.
    #[error("a longitude lies between -180 and 180")]
    Longitude,
}

impl Place {
    /// A place from microdegrees.
    ///
    /// # Errors
    /// [`PlaceError::Latitude`] beyond 90 degrees, [`PlaceError::Longitude`] beyond 180.
    pub const fn new(latitude_microdegrees: i32, longitude_microdegrees: i32) -> Result<Self, PlaceError> {
        if latitude_microdegrees.unsigned_abs() > 90_000_000 {
            Err(PlaceError::Latitude)
        } else if longitude_microdegrees.unsigned_abs() > 180_000_000 {
            Err(PlaceError::Longitude)
        } else {
            Ok(Self {
                latitude_microdegrees,
                longitude_microdegrees,
            })
        }
    }

    /// A place from two texts of degrees, such as "50.26135273149003" and "19.059074950637296". Digits beyond the sixth
    /// after the point are rounded, half away from zero.
    ///
    /// # Errors
    /// [`PlaceError::NotANumber`] for other texts, and those of [`Place::new`].
    pub fn from_degrees(latitude: &str, longitude: &str) -> Result<Self, PlaceError> {
        Self::new(
            microdegrees(latitude, PlaceError::Latitude)?,
            microdegrees(longitude, PlaceError::Longitude)?,
        )
    }

    /// Millionths of a degree north of the equator.
    #[must_use]
    pub const fn latitude_microdegrees(self) -> i32 {
        self.latitude_microdegrees
    }

    /// Millionths of a degree east of Greenwich.
    #[must_use]
    pub const fn longitude_microdegrees(self) -> i32 {
        self.longitude_microdegrees
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{},{}",
            degrees(self.latitude_microdegrees),
            degrees(self.longitude_microdegrees)
        )
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    /// Reads "50.2599,19.0389"; a space after the comma is fine.
    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (latitude, longitude) = text.split_once(',').ok_or(PlaceError::NotAPair)?;
        if longitude.contains(',') {
            return Err(PlaceError::NotAPair);
        }
        Self::from_degrees(latitude.trim(), longitude.trim())
    }
}

/// What a place looks like before its ranges are checked.
#[derive(Deserialize)]
struct Unchecked {
    latitude_microdegrees: i32,
    longitude_microdegrees: i32,
}

impl TryFrom<Unchecked> for Place {
    type Error = PlaceError;

    fn try_from(numbers: Unchecked) -> Result<Self, PlaceError> {
        Self::new(numbers.latitude_microdegrees, numbers.longitude_microdegrees)
    }
}

/// Reads decimal degrees without floating point, so that every device reads the same number.
fn microdegrees(text: &str, beyond: PlaceError) -> Result<i32, PlaceError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(PlaceError::NotANumber);
    }
    let whole: i64 = whole.parse().map_err(|_| beyond)?;
    let digit = |index: usize| {
        let byte = fraction.as_bytes().get(index).copied().unwrap_or(b'0');
        i64::from(byte.saturating_sub(b'0'))
    };
    let micro = (0..6).fold(0_i64, |sum, index| {
        sum.saturating_mul(10).saturating_add(digit(index))
    });
    let micro = if digit(6) >= 5 {
        micro.saturating_add(1)
    } else {
        micro
    };
    let total = whole.saturating_mul(1_000_000).saturating_add(micro);
    i32::try_from(if negative { total.saturating_neg() } else { total }).map_err(|_| beyond)
}

/// The shortest decimal degrees that read back as the same microdegrees.
fn degrees(microdegrees: i32) -> String {
    let sign = if microdegrees < 0 { "-" } else { "" };
    let size = microdegrees.unsigned_abs();
    let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_reads_as_people_write_it() {
        for (text, latitude, longitude, shown) in [
            ("50.2599,19.0389", 50_259_900, 19_038_900, "50.2599,19.0389"),
            (
                "50.26135273149003,19.059074950637296",
                50_261_353,
                19_059_075,
                "50.261353,19.059075",
            ),
            ("-33.9, 151", -33_900_000, 151_000_000, "-33.9,151"),
            ("-0.0000015,0.0000014", -2, 1, "-0.000002,0.000001"),
            ("90,-180", 90_000_000, -180_000_000, "90,-180"),
            ("-0,0", 0, 0, "0,0"),
            ("0.9999995,0", 1_000_000, 0, "1,0"),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!(
                (place.latitude_microdegrees(), place.longitude_microdegrees()),
                (latitude, longitude)
            );
            assert_eq!(place.to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_place_is_refused_by_name() {
        use PlaceError::{Latitude, Longitude, NotANumber, NotAPair};
        for (text, why) in [
            ("", NotAPair),
            ("50.2599", NotAPair),
            ("50,2599,19,0389", NotAPair),
            (",", NotANumber),
            ("50.,19", NotANumber),
            (".5,19", NotANumber),
            ("+5,19", NotANumber),
            ("5e1,19", NotANumber),
            ("NaN,19", NotANumber),
            ("5 0,19", NotANumber),
            ("--5,19", NotANumber),
            ("90.000001,19", Latitude),
            ("90.0000005,19", Latitude),
            ("-91,19", Latitude),
            ("99999999999999999999999,19", Latitude),
            ("50,180.000001", Longitude),
            ("50,-999999999999", Longitude),
        ] {
            assert_eq!(text.parse::<Place>(), Err(why), "{text:?}");
        }
        let beyond = r#"{"latitude_microdegrees":90000001,"longitude_microdegrees":0}"#;
        assert!(serde_json::from_str::<Place>(beyond).is_err());
    }

    proptest! {
        #[test]
        fn every_place_reads_back(latitude in -90_000_000..=90_000_000, longitude in -180_000_000..=180_000_000) {
            let place = Place::new(latitude, longitude).unwrap();
            prop_assert_eq!(place.to_string().parse(), Ok(place));
            let json = serde_json::to_string(&place).unwrap();
            prop_assert_eq!(serde_json::from_str::<Place>(&json).unwrap(), place);
            let bytes = postcard::to_stdvec(&place).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Place>(&bytes).unwrap(), place);
        }

        #[test]
        fn any_text_is_refused_or_reads_back(text in "[-0-9., e]{0,24}|.{0,40}") {
            if let Ok(place) = text.parse::<Place>() {
                prop_assert_eq!(place.to_string().parse(), Ok(place));
            }
        }
    }
}

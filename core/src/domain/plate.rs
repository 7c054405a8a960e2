//! The number of an idea, as on a house: short enough to be said aloud in a room.
//!
//! A steward's device writes it into the group document. Where two devices that did not know of each other gave one number
//! to two ideas, every device comes to the same answer from what stands there: [`Plates::new`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::id::ProposalId;
use crate::planted::{Bug, is_on};

/// The highest number there is.
pub const PLATE_NUMBER_MAX: u32 = 999_999;

/// A number as it stands in the group document: `12`, or `12,9` where the idea had number 9 before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plate {
    number: u32,
    was: Option<u32>,
}

/// Why something is no plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number of an idea lies between 1 and {PLATE_NUMBER_MAX}")]
pub struct PlateError;

impl Plate {
    /// A number, and the one that the idea had before.
    ///
    /// # Errors
    /// Where one of them is 0 or above [`PLATE_NUMBER_MAX`], or both are the same.
    pub fn new(number: u32, was: Option<u32>) -> Result<Self, PlateError> {
        let fits = |number: u32| (1..=PLATE_NUMBER_MAX).contains(&number);
        if fits(number) && was.is_none_or(|was| fits(was) && was != number) {
            Ok(Self { number, was })
        } else {
            Err(PlateError)
        }
    }
}

impl fmt::Display for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.was {
            None => write!(f, "{}", self.number),
            Some(was) => write!(f, "{},{was}", self.number),
        }
    }
}

impl FromStr for Plate {
    type Err = PlateError;

    fn from_str(text: &str) -> Result<Self, PlateError> {
        let (number, was) = match text.split_once(',') {
            None => (text, None),
            Some((number, was)) => (number, Some(was.parse().map_err(|_| PlateError)?)),
        };
        let plate = Self::new(number.parse().map_err(|_| PlateError)?, was)?;
        // Only in the one way in which it is written: no sign, no leading zero.
        Some(plate)
            .filter(|plate| plate.to_string() == text)
            .ok_or(PlateError)
    }
}

/// What people see of an idea's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Shown {
    /// The number; none where it has none yet, or lost it to another idea and has no new one yet.
    pub number: Option<u32>,
    /// A number under which it was known before.
    pub was: Option<u32>,
}

/// The numbers of all ideas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plates {
    shown: BTreeMap<ProposalId, Shown>,
    /// Every number that stands there, also one that its idea lost: none is given again while others are left.
    used: BTreeSet<u32>,
}

impl Plates {
    /// Judges what was written. An idea has several plates where devices numbered it without knowing of each other.
    ///
    /// The ideas choose in the order of their ids, each the lowest of its numbers that nobody before it has. So the smaller
    /// id keeps a number that two have, and whoever has another one to fall back on needs no new one.
    #[must_use]
    pub fn new(written: &BTreeMap<ProposalId, BTreeSet<Plate>>) -> Self {
        let mut taken = BTreeSet::new();
        let mut plates = Self::default();
        for (idea, theirs) in written {
            plates.used.extend(theirs.iter().map(|plate| plate.number));
            let kept = theirs
                .iter()
                .find(|plate| !taken.contains(&plate.number) || is_on(Bug::PlateTwice));
            let number = kept.map(|plate| plate.number);
            taken.extend(number);
            // What it was called on the device that numbered it: a number that it could not keep counts as well.
            let lost = theirs.iter().map(|plate| plate.number);
            let lost = lost.take_while(|lost| Some(*lost) != number).next();
            let was = kept.and_then(|plate| plate.was).or(lost);
            plates.shown.insert(*idea, Shown { number, was });
        }
        plates
    }

    /// The number of an idea.
    #[must_use]
    pub fn of(&self, idea: ProposalId) -> Shown {
        self.shown.get(&idea).copied().unwrap_or_default()
    }

    /// All ideas of which a number was ever written and stands there.
    pub fn iter(&self) -> impl Iterator<Item = (ProposalId, Shown)> + '_ {
        self.shown.iter().map(|(idea, shown)| (*idea, *shown))
    }

    /// Numbers for those of these ideas that have none, in the order in which they are named.
    #[must_use]
    pub fn number(&self, ideas: impl IntoIterator<Item = ProposalId>) -> Vec<(ProposalId, Plate)> {
        let (mut used, mut asked) = (self.used.clone(), BTreeSet::new());
        let mut new = Vec::new();
        for idea in ideas {
            let Shown { number: None, was } = self.of(idea) else {
                continue;
            };
            if let Some(number) = next(&used).filter(|_| asked.insert(idea)) {
                used.insert(number);
                new.push((idea, Plate { number, was }));
            }
        }
        new
    }
}

/// The number after the highest; where that is the last one there is, the lowest that is free.
fn next(used: &BTreeSet<u32>) -> Option<u32> {
    let highest = used.last().copied().unwrap_or(0);
    if highest < PLATE_NUMBER_MAX {
        return Some(highest.saturating_add(1));
    }
    (1..PLATE_NUMBER_MAX).find(|number| !used.contains(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Written = BTreeMap<ProposalId, BTreeSet<Plate>>;

    fn idea(n: u8) -> ProposalId {
        ProposalId([n; 16])
    }

    fn plate(text: &str) -> Plate {
        text.parse().unwrap()
    }

    fn written(plates: &[(u8, &[&str])]) -> Written {
        let texts = plates.iter();
        texts
            .map(|(n, theirs)| (idea(*n), theirs.iter().map(|text| plate(text)).collect()))
            .collect()
    }

    fn shown(number: impl Into<Option<u32>>, was: impl Into<Option<u32>>) -> Shown {
        Shown {
            number: number.into(),
            was: was.into(),
        }
    }

    #[test]
    fn a_plate_reads_back_and_in_no_other_form() {
        for text in ["1", "12", "999999", "12,9", "9,12"] {
            assert_eq!(plate(text).to_string(), text);
        }
        for text in [
            "",
            "0",
            "01",
            "+1",
            "-1",
            "1.0",
            "1000000",
            "9,9",
            "9,0",
            "9,",
            ",9",
            "9,8,7",
            " 9",
            "9, 8",
            "٩",
            "4294967297",
        ] {
            assert_eq!(text.parse::<Plate>(), Err(PlateError), "{text:?}");
        }
    }

    #[test]
    fn ideas_are_numbered_in_the_order_they_are_named_and_only_where_a_number_is_missing() {
        let plates = Plates::new(&written(&[(2, &["7"])]));
        let new = plates.number([idea(3), idea(2), idea(1), idea(3)]);
        assert_eq!(new, [(idea(3), plate("8")), (idea(1), plate("9"))]);
        assert_eq!(Plates::default().number([idea(5)]), [(idea(5), plate("1"))]);
    }

    #[test]
    fn of_two_ideas_with_one_number_the_smaller_id_keeps_it_and_the_other_gets_a_new_one() {
        let mut apart = written(&[(1, &["9"]), (2, &["9"]), (3, &["10"])]);
        let plates = Plates::new(&apart);
        assert_eq!(plates.of(idea(1)), shown(9, None));
        assert_eq!(plates.of(idea(2)), shown(None, 9));
        let new = plates.number([idea(1), idea(2), idea(3)]);
        assert_eq!(new, [(idea(2), plate("11,9"))]);
        apart.insert(idea(2), BTreeSet::from([plate("11,9")]));
        let plates = Plates::new(&apart);
        assert_eq!(plates.of(idea(2)), shown(11, 9));
        assert_eq!(plates.number([idea(1), idea(2), idea(3)]), []);
    }

    #[test]
    fn an_idea_with_two_numbers_falls_back_on_the_one_that_is_free() {
        // Two devices numbered the same two ideas the other way round.
        let plates = Plates::new(&written(&[(1, &["9", "10"]), (2, &["9", "10"])]));
        assert_eq!(plates.of(idea(1)), shown(9, None));
        assert_eq!(plates.of(idea(2)), shown(10, 9));
        assert_eq!(plates.number([idea(1), idea(2)]), []);
    }

    #[test]
    fn after_the_highest_number_the_free_ones_are_given() {
        let plates = Plates::new(&written(&[(1, &["1"]), (2, &["999999"])]));
        let new = plates.number([idea(3), idea(4)]);
        assert_eq!(new, [(idea(3), plate("2")), (idea(4), plate("3"))]);
    }

    fn any_written() -> impl Strategy<Value = Written> {
        let plate = (1..12_u32, proptest::option::of(1..12_u32))
            .prop_map(|(number, was)| Plate::new(number, was.filter(|was| *was != number)).unwrap());
        let theirs = proptest::collection::btree_set(plate, 1..4);
        proptest::collection::btree_map((0..9_u8).prop_map(idea), theirs, 0..8)
    }

    proptest! {
        /// No number is shown twice, and numbering once leaves nothing to be numbered.
        #[test]
        fn one_round_of_numbering_is_enough(before in any_written(), ideas in proptest::collection::vec(0..9_u8, 0..9)) {
            let plates = Plates::new(&before);
            let ideas: Vec<ProposalId> = ideas.into_iter().map(idea).collect();
            let mut after = before.clone();
            for (idea, plate) in plates.number(ideas.clone()) {
                after.insert(idea, BTreeSet::from([plate]));
            }
            let numbered = Plates::new(&after);
            let numbers: Vec<u32> = numbered.iter().filter_map(|(_, shown)| shown.number).collect();
            prop_assert_eq!(numbers.len(), numbers.iter().collect::<BTreeSet<_>>().len());
            prop_assert_eq!(numbered.number(ideas.clone()), []);
            // Who had a number keeps it.
            for (idea, shown) in plates.iter().filter(|(_, shown)| shown.number.is_some()) {
                prop_assert_eq!(numbered.of(idea), shown);
            }
        }

        /// Two stewards number apart, in any order: after they met and numbered once more, all is numbered.
        #[test]
        fn two_stewards_come_to_rest(before in any_written(), a in proptest::collection::vec(0..20_u8, 0..9), b in proptest::collection::vec(0..20_u8, 0..9)) {
            let plates = Plates::new(&before);
            let mut met = before.clone();
            let replaced: Vec<(ProposalId, Plate)> = [a.clone(), b.clone()]
                .into_iter()
                .flat_map(|ideas| plates.number(ideas.into_iter().map(idea)))
                .collect();
            for (idea, _) in &replaced {
                met.remove(idea);
            }
            for (idea, plate) in replaced {
                met.entry(idea).or_default().insert(plate);
            }
            let all = || a.iter().chain(&b).copied().map(idea).chain(before.keys().copied());
            for (idea, plate) in Plates::new(&met).number(all()) {
                met.insert(idea, BTreeSet::from([plate]));
            }
            let rest = Plates::new(&met);
            prop_assert_eq!(rest.number(all()), []);
            prop_assert!(all().all(|idea| rest.of(idea).number.is_some()));
        }
    }
}

//! Splices: what somebody typed into a text, as an editor says it, and how that is carried over what others have typed into
//! the same text since.
//!
//! Positions count UTF-16 code units, as a web page does.

use serde::{Deserialize, Serialize};

/// Replaces so many units from a position by a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// Where.
    pub at: usize,
    /// How many units go.
    pub delete: usize,
    /// What comes.
    pub insert: String,
}

/// What became of a text, in one step: the position is the one in the text after the steps before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many units came.
    Came {
        /// Where.
        at: usize,
        /// How many.
        units: usize,
    },
    /// So many units went.
    Went {
        /// Where.
        at: usize,
        /// How many.
        units: usize,
    },
}

/// Why splices are none of a text. Nothing of them was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// Behind the end of the text, or within a character.
    #[error("a splice lies outside of the text that it is about")]
    OutOfRange,
    /// All splices are about one text: each begins where the one before ends, or behind it.
    #[error("the splices are not in order, or overlap")]
    Order,
    /// More than are taken at once.
    #[error("too many splices at once: at most {0}")]
    TooMany(usize),
    /// The text they are about is not known here.
    #[error("the text has another past than these splices are about: read it again")]
    UnknownHeads,
}

/// Do these splices fit a text: in order, within it, and between its characters?
///
/// # Errors
/// Where they do not.
pub fn check(text: &str, splices: &[Splice]) -> Result<(), SpliceError> {
    let mut bounds = text
        .chars()
        .scan(0_usize, |units, letter| {
            let before = *units;
            *units = units.saturating_add(letter.len_utf16());
            Some(before)
        })
        .chain([text.encode_utf16().count()])
        .peekable();
    let mut reaches = |position: usize| {
        while bounds.peek().is_some_and(|bound| *bound < position) {
            bounds.next();
        }
        bounds.peek() == Some(&position)
    };
    let mut end = 0_usize;
    for splice in splices {
        if splice.at < end {
            return Err(SpliceError::Order);
        }
        end = splice
            .at
            .checked_add(splice.delete)
            .ok_or(SpliceError::OutOfRange)?;
        if !reaches(splice.at) || !reaches(end) {
            return Err(SpliceError::OutOfRange);
        }
    }
    Ok(())
}

/// A stretch of a text that has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    /// Of the text before, still there.
    Kept(usize),
    /// Of the text before, and no more there.
    Gone(usize),
    /// New.
    New(usize),
}

impl Stretch {
    const fn before(self) -> usize {
        match self {
            Self::Kept(units) | Self::Gone(units) => units,
            Self::New(_) => 0,
        }
    }

    const fn now(self) -> usize {
        match self {
            Self::Kept(units) | Self::New(units) => units,
            Self::Gone(_) => 0,
        }
    }

    const fn with(self, units: usize) -> Self {
        match self {
            Self::Kept(_) => Self::Kept(units),
            Self::Gone(_) => Self::Gone(units),
            Self::New(_) => Self::New(units),
        }
    }
}

/// Splices that were made on a text of so many units, as splices of the text after these steps. They are to be made in the
/// order in which they are given: from the end of the text to its beginning, so that none moves the next.
///
/// What somebody inserted stands where it was meant to: before the unit it stood before, behind what others have inserted in
/// the same place. What somebody deleted goes, as far as it is still there, and nothing that others put between.
#[must_use]
pub fn carry(splices: &[Splice], units: usize, steps: &[Step]) -> Vec<Splice> {
    let stretches = after(units, steps);
    let mut carried = Vec::new();
    let (mut before, mut now) = (0_usize, 0_usize);
    let mut left = stretches.into_iter();
    let mut stretch = left.next();
    for splice in splices {
        // To the place in the text before; what is new there lies on the way, also where nothing is left of the text.
        let end = splice.at.saturating_add(splice.delete);
        let mut inserted = false;
        loop {
            let here = before >= splice.at && !matches!(stretch, Some(Stretch::New(_)));
            if here && !inserted {
                carried.push(Splice {
                    at: now,
                    delete: 0,
                    insert: splice.insert.clone(),
                });
                inserted = true;
            }
            let bound = if inserted { end } else { splice.at };
            let Some(next) = stretch.filter(|_| !(inserted && before >= end)) else {
                break;
            };
            let step = match next {
                Stretch::New(units) => units,
                Stretch::Kept(units) | Stretch::Gone(units) => units.min(bound.saturating_sub(before)),
            };
            let part = next.with(step);
            if inserted && matches!(part, Stretch::Kept(_)) {
                carried.push(Splice {
                    at: now,
                    delete: step,
                    insert: String::new(),
                });
            }
            before = before.saturating_add(part.before());
            now = now.saturating_add(part.now());
            let rest = (part.before().max(part.now()), next.before().max(next.now()));
            stretch = if rest.0 == rest.1 {
                left.next()
            } else {
                Some(next.with(rest.1.saturating_sub(rest.0)))
            };
        }
    }
    carried.retain(|splice| splice.delete > 0 || !splice.insert.is_empty());
    carried.reverse();
    carried
}

/// What became of a text of so many units.
fn after(units: usize, steps: &[Step]) -> Vec<Stretch> {
    let mut stretches = vec![Stretch::Kept(units)];
    for step in steps {
        match *step {
            Step::Came { at, units } => {
                let place = split(&mut stretches, at);
                stretches.insert(place, Stretch::New(units));
            }
            Step::Went { at, units } => {
                let first = split(&mut stretches, at);
                let end = split(&mut stretches, at.saturating_add(units));
                let gone = stretches
                    .splice(first..end.max(first), std::iter::empty())
                    .filter(|stretch| stretch.before() > 0)
                    .map(|stretch| Stretch::Gone(stretch.before()))
                    .collect::<Vec<_>>();
                stretches.splice(first..first, gone);
            }
        }
    }
    stretches
}

/// Cuts the stretches at a position of the text as it is now; gives the first one behind it. Of what is gone there, all lies
/// behind.
fn split(stretches: &mut Vec<Stretch>, at: usize) -> usize {
    let mut now = 0_usize;
    for place in 0..stretches.len() {
        let Some(stretch) = stretches.get(place).copied() else {
            break;
        };
        if now >= at {
            return place;
        }
        let within = at.saturating_sub(now);
        if within < stretch.now() {
            let rest = stretch.with(stretch.now().saturating_sub(within));
            stretches.splice(place..=place, [stretch.with(within), rest]);
            return place.saturating_add(1);
        }
        now = now.saturating_add(stretch.now());
    }
    stretches.len()
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the numbers of tests are small")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn splice(at: usize, delete: usize, insert: &str) -> Splice {
        Splice {
            at,
            delete,
            insert: insert.to_owned(),
        }
    }

    /// Makes splices in the order given, each in the text as it is then. Positions are units; the text has one a letter.
    fn make(text: &str, splices: &[Splice]) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for splice in splices {
            letters.splice(splice.at..splice.at + splice.delete, splice.insert.chars());
        }
        letters.into_iter().collect()
    }

    #[test]
    fn splices_outside_of_the_text_or_within_a_letter_are_refused() {
        let text = "a\u{1f333}b";
        for (fits, one) in [
            (Ok(()), splice(0, 4, "")),
            (Ok(()), splice(1, 2, "")),
            (Ok(()), splice(4, 0, "x")),
            (Err(SpliceError::OutOfRange), splice(5, 0, "x")),
            (Err(SpliceError::OutOfRange), splice(2, 1, "x")),
            (Err(SpliceError::OutOfRange), splice(1, 1, "x")),
            (Err(SpliceError::OutOfRange), splice(4, 1, "x")),
            (Err(SpliceError::OutOfRange), splice(1, usize::MAX, "x")),
        ] {
            assert_eq!(check(text, std::slice::from_ref(&one)), fits, "{one:?}");
        }
        assert_eq!(
            check(text, &[splice(0, 1, ""), splice(1, 0, "x"), splice(1, 2, "")]),
            Ok(())
        );
        let back = [splice(1, 2, ""), splice(1, 0, "x")];
        assert_eq!(check(text, &back), Err(SpliceError::Order));
    }

    #[test]
    fn what_others_have_typed_since_moves_a_splice_and_is_not_deleted_by_it() {
        // "A bench." became "A green bench, or two."
        let steps = [Step::Came { at: 2, units: 6 }, Step::Came { at: 13, units: 8 }];
        let carried = carry(&[splice(2, 5, "table")], 8, &steps);
        assert_eq!(make("A green bench, or two.", &carried), "A green table, or two.");
        // Somebody typed in the middle of what goes: it stays.
        let steps = [Step::Came { at: 4, units: 2 }];
        let carried = carry(&[splice(2, 5, "")], 8, &steps);
        assert_eq!(make("A be__nch.", &carried), "A __.");
    }

    #[test]
    fn what_is_gone_already_is_not_deleted_again() {
        // "A green bench." became "A bench."
        let steps = [Step::Went { at: 2, units: 6 }];
        let carried = carry(&[splice(0, 9, "The b")], 14, &steps);
        assert_eq!(make("A bench.", &carried), "The bench.");
        let carried = carry(&[splice(4, 0, "x"), splice(14, 0, "!")], 14, &steps);
        assert_eq!(make("A bench.", &carried), "A xbench.!");
    }

    #[test]
    fn two_who_type_in_one_place_stand_behind_each_other() {
        let steps = [Step::Came { at: 0, units: 3 }];
        assert_eq!(make("one", &carry(&[splice(0, 0, "two")], 0, &steps)), "onetwo");
        let steps = [Step::Went { at: 0, units: 3 }, Step::Came { at: 0, units: 3 }];
        assert_eq!(make("new", &carry(&[splice(3, 0, "!")], 3, &steps)), "new!");
    }

    /// Splices in order on a text of small letters, inserting only the mark.
    fn splices(units: usize, mark: &'static str) -> impl Strategy<Value = Vec<Splice>> {
        proptest::collection::vec((0..=units, 0..4_usize, 0..3_usize), 0..4).prop_map(move |mut raw| {
            raw.sort_unstable();
            let mut end = 0;
            let mut all = Vec::new();
            for (at, delete, insert) in raw {
                let at = at.max(end);
                let delete = delete.min(units - at);
                end = at + delete;
                all.push(splice(at, delete, &mark.repeat(insert)));
            }
            all
        })
    }

    fn as_steps(splices: &[Splice]) -> Vec<Step> {
        let mut steps = Vec::new();
        for splice in splices.iter().rev() {
            steps.push(Step::Went {
                at: splice.at,
                units: splice.delete,
            });
            steps.push(Step::Came {
                at: splice.at,
                units: splice.insert.chars().count(),
            });
        }
        steps
    }

    fn count(text: &str, letter: char) -> usize {
        text.chars().filter(|c| *c == letter).count()
    }

    proptest! {
        /// With nothing in between, carried splices do what they say.
        #[test]
        fn without_steps_nothing_is_moved(mine in splices(12, "X")) {
            let text = "abcdefghijkl";
            prop_assert_eq!(check(text, &mine), Ok(()));
            let straight: Vec<Splice> = mine.iter().rev().cloned().collect();
            prop_assert_eq!(make(text, &carry(&mine, 12, &[])), make(text, &straight));
        }

        /// What both inserted is all there, what either deleted is gone, and the rest stands in its order.
        #[test]
        fn nothing_of_either_is_lost(mine in splices(12, "X"), theirs in splices(12, "Y")) {
            let text = "abcdefghijkl";
            let straight: Vec<Splice> = theirs.iter().rev().cloned().collect();
            let now = make(text, &straight);
            let both = make(&now, &carry(&mine, 12, &as_steps(&theirs)));
            let inserted = |splices: &[Splice], letter| -> usize {
                splices.iter().map(|splice| count(&splice.insert, letter)).sum()
            };
            prop_assert_eq!(count(&both, 'X'), inserted(&mine, 'X'));
            prop_assert_eq!(count(&both, 'Y'), inserted(&theirs, 'Y'));
            let gone = |at: usize| mine.iter().chain(&theirs).any(|s| (s.at..s.at + s.delete).contains(&at));
            let rest: String = text.chars().enumerate().filter(|(at, _)| !gone(*at)).map(|(_, c)| c).collect();
            let kept: String = both.chars().filter(char::is_ascii_lowercase).collect();
            prop_assert_eq!(kept, rest);
        }
    }
}

//! The states a text went through, each beside the one before.

use super::id::{PersonId, Timestamp};

/// Within this time of each other, changes of one person make one version.
const RUN_MILLISECONDS: u64 = 60 * 60 * 1000;

/// Two texts with more words than this between what they begin and end with alike are not compared word by word.
const COMPARED_WORDS_MAX: usize = 2_000;

/// How a part of a text came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Was {
    /// It stood there before.
    Same,
    /// It is new.
    Added,
    /// It stood there before, and is not there any more.
    Removed,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Part {
    /// What it says.
    pub text: String,
    /// How it came there.
    pub was: Was,
}

/// One change by somebody, or several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// Who; none where it was somebody whose membership does not count any more.
    pub by: Option<PersonId>,
    /// When, by their clock.
    pub at: Timestamp,
}

/// The places in a list of edits after which a version ends: where another person goes on, or the same one an hour later.
/// The list is in the order in which one came from the other; a clock that ran back ends nothing.
#[must_use]
pub fn ends(edits: &[Edit]) -> Vec<usize> {
    let mut ends = Vec::new();
    for (place, edit) in edits.iter().enumerate() {
        let goes_on = edits.get(place.saturating_add(1)).is_some_and(|next| {
            next.by == edit.by && next.at.0.saturating_sub(edit.at.0) <= RUN_MILLISECONDS
        });
        if !goes_on {
            ends.push(place);
        }
    }
    ends
}

/// What is the same in two texts, what was removed and what was added, word by word. What is same and added, put together, is
/// the later text; what is same and removed the earlier one.
#[must_use]
pub fn parts(before: &str, after: &str) -> Vec<Part> {
    let (old, new) = (words(before), words(after));
    let alike = |a: &mut dyn Iterator<Item = &&str>, b: &mut dyn Iterator<Item = &&str>| {
        a.zip(b).take_while(|(a, b)| a == b).count()
    };
    let first = alike(&mut old.iter(), &mut new.iter());
    let (_, old_rest) = old.split_at_checked(first).unwrap_or_default();
    let (head, new_rest) = new.split_at_checked(first).unwrap_or_default();
    let last = alike(&mut old_rest.iter().rev(), &mut new_rest.iter().rev());
    let (old_rest, _) = old_rest
        .split_at_checked(old_rest.len().saturating_sub(last))
        .unwrap_or_default();
    let (new_rest, tail) = new_rest
        .split_at_checked(new_rest.len().saturating_sub(last))
        .unwrap_or_default();
    let mut parts = Parts::default();
    parts.put(head, Was::Same);
    if old_rest.len().max(new_rest.len()) > COMPARED_WORDS_MAX {
        parts.put(old_rest, Was::Removed);
        parts.put(new_rest, Was::Added);
    } else {
        compare(&mut parts, old_rest, new_rest);
    }
    parts.put(tail, Was::Same);
    parts.0
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn put(&mut self, words: &[&str], was: Was) {
        for word in words {
            match self.0.last_mut().filter(|part| part.was == was) {
                Some(part) => part.text.push_str(word),
                None => self.0.push(Part {
                    text: (*word).to_owned(),
                    was,
                }),
            }
        }
    }
}

/// By the longest list of words that both have in common, found from the end so that it can be read off from the beginning.
fn compare(parts: &mut Parts, old: &[&str], new: &[&str]) {
    let width = new.len().saturating_add(1);
    let cell = |o: usize, n: usize| o.saturating_mul(width).saturating_add(n);
    let mut common = vec![0_u16; old.len().saturating_add(1).saturating_mul(width)];
    let read = |common: &[u16], o: usize, n: usize| common.get(cell(o, n)).copied().unwrap_or(0);
    for (o, before) in old.iter().enumerate().rev() {
        for (n, after) in new.iter().enumerate().rev() {
            let (below, right) = (o.saturating_add(1), n.saturating_add(1));
            let most = if before == after {
                read(&common, below, right).saturating_add(1)
            } else {
                read(&common, below, n).max(read(&common, o, right))
            };
            if let Some(place) = common.get_mut(cell(o, n)) {
                *place = most;
            }
        }
    }
    let (mut o, mut n) = (0_usize, 0_usize);
    loop {
        match (old.get(o), new.get(n)) {
            (Some(before), Some(after)) if before == after => {
                parts.put(&[before], Was::Same);
                (o, n) = (o.saturating_add(1), n.saturating_add(1));
            }
            (Some(before), after) => {
                let removes = after.is_none()
                    || read(&common, o.saturating_add(1), n) >= read(&common, o, n.saturating_add(1));
                if let (false, Some(after)) = (removes, after) {
                    parts.put(&[after], Was::Added);
                    n = n.saturating_add(1);
                } else {
                    parts.put(&[before], Was::Removed);
                    o = o.saturating_add(1);
                }
            }
            (None, Some(after)) => {
                parts.put(&[after], Was::Added);
                n = n.saturating_add(1);
            }
            (None, None) => return,
        }
    }
}

/// A text cut into words, white space between them, and single other characters; together they are the text.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| {
        if c.is_alphanumeric() {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    let mut words = Vec::new();
    let mut start = 0_usize;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at.saturating_add(letter.len_utf8());
        let goes_on = letters
            .peek()
            .is_some_and(|(_, next)| kind(*next) == kind(letter) && kind(letter) != 2);
        if !goes_on {
            words.extend(text.get(start..end));
            start = end;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(before: &str, after: &str) -> String {
        let part = |part: Part| match part.was {
            Was::Same => part.text,
            Was::Added => format!("[+{}]", part.text),
            Was::Removed => format!("[-{}]", part.text),
        };
        parts(before, after).into_iter().map(part).collect()
    }

    #[test]
    fn words_that_came_and_went_are_told() {
        for (before, after, expected) in [
            ("", "", ""),
            ("", "Two benches.", "[+Two benches.]"),
            ("Two benches.", "", "[-Two benches.]"),
            ("Two benches.", "Two green benches.", "Two [+green ]benches."),
            (
                "Two benches by the tree.",
                "Three benches by the old tree!",
                "[-Two][+Three] benches by the [+old ]tree[-.][+!]",
            ),
            ("für uns", "für uns\n\nHier", "für uns[+\n\nHier]"),
        ] {
            assert_eq!(told(before, after), expected);
        }
    }

    #[test]
    fn a_text_written_anew_is_not_searched_word_by_word() {
        let old = "a b ".repeat(COMPARED_WORDS_MAX);
        let new = "c d ".repeat(COMPARED_WORDS_MAX);
        assert_eq!(
            parts(&old, &new).len(),
            3,
            "removed, added, and the white space at the end"
        );
    }

    #[test]
    fn a_version_ends_with_another_person_or_an_hour_later() {
        let edit = |by: u8, minute: u64| Edit {
            by: Some(PersonId([by; 32])),
            at: Timestamp(minute * 60_000),
        };
        let edits = [
            edit(1, 0),
            edit(1, 30),
            edit(1, 90),
            edit(2, 91),
            edit(1, 92),
            edit(1, 20),
            edit(1, 153),
        ];
        assert_eq!(ends(&edits), [2, 3, 5, 6]);
        assert_eq!(ends(&[]), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn the_parts_are_both_texts(before in "[ab .ä]{0,30}", after in "[ab .ä]{0,30}") {
            let all = parts(&before, &after);
            let without = |was| -> String {
                let kept = all.iter().filter(|part| part.was != was);
                kept.map(|part| part.text.as_str()).collect()
            };
            prop_assert_eq!(without(Was::Removed), after);
            prop_assert_eq!(without(Was::Added), before);
            prop_assert!(all.windows(2).all(|two| two[0].was != two[1].was));
        }
    }
}

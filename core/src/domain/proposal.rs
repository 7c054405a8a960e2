//! An idea of a neighbour (in code: a proposal).

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::id::ProposalId;
use super::place::Place;

/// An idea as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// One line.
    pub title: String,
    /// The text written together.
    pub body: String,
    /// What it would cost, in whole units of the group's currency.
    pub cost: Option<Cost>,
    /// Where.
    pub place: Option<Place>,
    /// What it is about.
    pub categories: Vec<String>,
    /// For whom.
    pub targets: Vec<String>,
}

impl Proposal {
    /// How its text begins, for a list: at most 200 characters, in one line. Whole words, where the last one is not long.
    #[must_use]
    pub fn first_words(&self) -> String {
        const CHARACTERS: usize = 200;
        const LAST_WORD: usize = 40;
        let mut line = String::new();
        for word in self.body.split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            // So many bytes hold more characters than are wanted, whichever they are.
            if line.len() > CHARACTERS.saturating_mul(4) {
                break;
            }
        }
        let mut rest = line.char_indices().skip(CHARACTERS);
        let Some((end, next)) = rest.next() else {
            return line;
        };
        let head = line.get(..end).unwrap_or_default();
        let words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
        let missing = head.chars().count().saturating_sub(words.chars().count());
        let cut = if next == ' ' || missing > LAST_WORD {
            head
        } else {
            words
        };
        cut.to_owned()
    }
}

/// What a new idea starts with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
    /// What it would cost.
    pub cost: Option<Cost>,
    /// Where.
    pub place: Option<Place>,
    /// What it is about.
    pub categories: Vec<String>,
    /// For whom.
    pub targets: Vec<String>,
}

/// A text of an idea that people write together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextField {
    /// One line.
    Title,
    /// The text.
    Body,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_words(body: &str) -> String {
        let idea = Proposal {
            id: ProposalId([0; 16]),
            title: String::new(),
            body: body.to_owned(),
            cost: None,
            place: None,
            categories: vec![],
            targets: vec![],
        };
        idea.first_words()
    }

    #[test]
    fn a_short_text_is_given_whole_in_one_line() {
        assert_eq!(first_words(""), "");
        assert_eq!(
            first_words("Two benches,\n\n  one\ttree.\n"),
            "Two benches, one tree."
        );
        let fits = "ü".repeat(200);
        assert_eq!(first_words(&fits), fits);
    }

    #[test]
    fn a_long_text_ends_after_a_word_where_there_are_words() {
        let words = "vier ".repeat(100);
        assert_eq!(first_words(&words), "vier ".repeat(40).trim_end());
        let words = "sieben ".repeat(100);
        assert_eq!(first_words(&words), "sieben ".repeat(28).trim_end());
        // No blanks between words.
        let signs = "椅".repeat(300);
        assert_eq!(first_words(&signs), "椅".repeat(200));
        let signs = format!("Kiez: {}", "椅".repeat(300));
        assert_eq!(first_words(&signs).chars().count(), 200);
    }
}

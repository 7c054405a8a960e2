//! What a window does beside single commands: a text stays open on somebody's page while others change it, and a steward's
//! device gives ideas their numbers.

use std::collections::BTreeSet;

use kiez_core::domain::charter::Role;
use kiez_core::domain::id::ProposalId;
use kiez_core::domain::proposal::{Proposal, TextField};
use kiez_core::domain::splice::{Splice, SpliceError};
use kiez_core::replica::actions::{ActionError, TextNow};

use super::erase::letters;
use super::model::Act;
use super::world::{Outcome, World, wrong};

/// An idea's text as it was when the page read it last.
#[derive(Debug, Clone)]
pub(super) struct Page {
    idea: ProposalId,
    shown: TextNow,
}

impl World {
    /// Somebody types into the text on their page, or opens another one.
    pub(super) fn somebody_writes_on_a_page(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.role().is_some()) else {
            return Ok(());
        };
        let page = self.nodes[node].page.clone();
        match page.filter(|_| self.dice.chance(85)) {
            Some(page) => self.types(node, &page),
            None => self.opens_page(node),
        }
    }

    fn opens_page(&mut self, node: usize) -> Outcome {
        let Some(idea) = self.some_idea(node)? else {
            return Ok(());
        };
        let Ok(shown) = self.replica(node).idea_text(idea, TextField::Body) else {
            wrong!("a text cannot be read")
        };
        self.nodes[node].page = Some(Page { idea, shown });
        Ok(())
    }

    /// Plain words go and a letter comes, by positions in the text on the page, which others have changed since.
    fn types(&mut self, node: usize, page: &Page) -> Outcome {
        // A branch that lost, the end of somebody's place, or an erasure, took what the page shows with it.
        let may_be_gone = self.options.forks || !self.model.touched.is_empty() || self.model.has_erased();
        if may_be_gone && self.replica(node).idea(page.idea).is_err() {
            return self.opens_page(node);
        }
        let may = self.nodes[node].role() != Some(Role::Observer);
        let letter = self.model.letter();
        let splices = self.splices(&page.shown.text, letter);
        let before = letters(&self.text_of(node, page.idea)?);
        let attempt = self.attempt(node, |replica, _, now| {
            replica.splice_idea(page.idea, TextField::Body, &page.shown.heads, &splices, now)
        })?;
        if may_be_gone
            && matches!(
                attempt.result,
                Err(ActionError::Splice(SpliceError::UnknownHeads))
            )
        {
            return self.opens_page(node);
        }
        let idea = page.idea;
        self.keep(node, may, &attempt, Act::Edit { idea, letter })?;
        let Ok(shown) = attempt.result else { return Ok(()) };
        let mut expected = before;
        expected.insert(letter);
        if letters(&shown.text) != expected {
            wrong!("{splices:?} took or lost a letter: {:?}", shown.text);
        }
        // A page that is slow goes on with what it had.
        if self.dice.chance(70) {
            self.nodes[node].page = Some(Page { idea, shown });
        }
        Ok(())
    }

    /// Two splices of a text: one that may take plain words out, and behind or before it one that puts the letter in.
    fn splices(&mut self, text: &str, letter: char) -> Vec<Splice> {
        let all: Vec<char> = text.chars().collect();
        let units = |end: usize| all[..end].iter().map(|letter| letter.len_utf16()).sum::<usize>();
        let from = self.dice.below(all.len() + 1);
        let most = self.dice.below(20);
        let plain = all[from..].iter().take(most).take_while(|c| c.is_ascii()).count();
        let insert = self.dice.pick(&["", "pear tree ", "?"]).unwrap().to_owned();
        let words = Splice {
            at: units(from),
            delete: plain,
            insert,
        };
        let before = self.dice.chance(50);
        let at = if before {
            self.dice.below(from + 1)
        } else {
            from + plain + self.dice.below(all.len() - from - plain + 1)
        };
        let typed = Splice {
            at: units(at),
            delete: 0,
            insert: letter.to_string(),
        };
        if before {
            vec![typed, words]
        } else {
            vec![words, typed]
        }
    }

    fn text_of(&mut self, node: usize, idea: ProposalId) -> Outcome<String> {
        match self.replica(node).idea(idea) {
            Ok(idea) => Ok(idea.body),
            Err(error) => wrong!("an idea cannot be read: {error}"),
        }
    }

    /// A device numbers what has no number: a steward's all of it, any other nothing.
    pub(super) fn numbers_ideas(&mut self, node: usize) -> Outcome {
        let attempt = self.attempt(node, |replica, _, now| {
            Ok::<_, ActionError>((replica.number_ideas(now)?, replica.number_ideas(now)?))
        })?;
        let name = self.nodes[node].name.clone();
        self.trace
            .event(format_args!("{name} numbers ideas: {:?}", attempt.result));
        let is_steward = self.nodes[node].role() == Some(Role::Steward);
        match &attempt.result {
            Err(error) if !attempt.fault => wrong!("{name} could not number ideas: {error}"),
            Ok((given, _)) if *given > 0 && !is_steward => wrong!("{name} numbers, and is no steward"),
            Ok((_, again)) if *again > 0 => wrong!("{name} leaves ideas without a number"),
            _ => self.note(node, Act::Control, &attempt.wrote),
        }
    }

    pub(super) fn somebody_numbers_ideas(&mut self) -> Outcome {
        // Two of three times one who may.
        let wanted = self.dice.chance(66);
        match self.some_node(|node| node.role().is_some_and(|role| !wanted || role == Role::Steward)) {
            Some(node) => self.numbers_ideas(node),
            None => Ok(()),
        }
    }

    /// All devices show the same ideas under the same numbers, no two under one; where a steward is left, each has one.
    pub(super) fn check_shown(&mut self, honest: &[usize]) -> Outcome {
        // Who has gone and cannot know may still believe to be one.
        let is_steward = |node: &usize| self.nodes[*node].role() == Some(Role::Steward);
        let somebody_numbers = honest.iter().any(is_steward);
        let mut first = None;
        for node in honest {
            let name = self.nodes[*node].name.clone();
            let replica = self.replica(*node);
            let (Ok(ideas), Ok(plates)) = (replica.ideas(), replica.plates()) else {
                wrong!("{name} cannot show the ideas")
            };
            let numbers: Vec<u32> = ideas
                .iter()
                .filter_map(|idea| plates.of(idea.id).number)
                .collect();
            if numbers.iter().collect::<BTreeSet<_>>().len() != numbers.len() {
                wrong!("{name} shows two ideas under one number: {numbers:?}");
            }
            if somebody_numbers && numbers.len() != ideas.len() {
                wrong!("{name} shows {} ideas and {} numbers", ideas.len(), numbers.len());
            }
            let shown = (ideas, plates);
            match &first {
                None => first = Some(shown),
                Some(first) if *first != shown => {
                    wrong!("{name} shows other ideas or numbers than the first")
                }
                Some(_) => {}
            }
        }
        let ideas = first.map(|(ideas, _)| ideas).unwrap_or_default();
        self.check_versions(honest, &ideas)
    }

    /// Of an idea all devices tell the same versions in the same order, the text as it stands last.
    fn check_versions(&mut self, honest: &[usize], ideas: &[Proposal]) -> Outcome {
        let Some(idea) = self.dice.pick(ideas) else {
            return Ok(());
        };
        let mut first = None;
        for node in honest {
            let Ok(versions) = self.replica(*node).versions(idea.id) else {
                wrong!("versions cannot be read")
            };
            if versions.first().is_none_or(|last| last.body != idea.body) {
                wrong!("the last version of {} is not the text", idea.title);
            }
            if first.as_ref().is_some_and(|first| *first != versions) {
                wrong!("{} tells other versions than the first", self.nodes[*node].name);
            }
            first = Some(versions);
        }
        Ok(())
    }
}

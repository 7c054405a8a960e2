//! Anna and Ben, and what there is to erase.

use std::collections::BTreeSet;

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{CommentId, ProposalId};
use kiez_core::replica::document::Leave;

use super::common::{NOW, Neighbour, idea, sync};
use super::{Held, SECRET};

/// Anna is the steward, Ben a member; an idea of Ben's with a telephone number in it, and a comment with one.
pub(crate) struct Two {
    pub(crate) anna: Neighbour,
    pub(crate) ben: Neighbour,
    pub(crate) a: Held,
    pub(crate) b: Held,
    pub(crate) idea: ProposalId,
    pub(crate) secret: CommentId,
}

impl Two {
    pub(crate) fn new(seed: u64) -> Self {
        let mut anna = Neighbour::new(seed * 10 + 1);
        let mut ben = Neighbour::new(seed * 10 + 2);
        let mut a = anna.found();
        a.set_profile_name("Anna", NOW).unwrap();
        let mut b = ben.join(&mut a, &mut anna);
        b.set_profile_name("Ben", NOW).unwrap();
        let idea = b.add_idea(&idea("Benches"), NOW, &mut ben.rng).unwrap();
        b.edit_idea(idea, &format!("Call Frieda: {SECRET}"), NOW).unwrap();
        let secret = format!("My number is {SECRET}");
        let secret = b.comment(idea, &secret, NOW, &mut ben.rng).unwrap();
        b.comment(idea, "I like them", NOW, &mut ben.rng).unwrap();
        sync(&mut a, &mut anna, &mut b, &mut ben);
        Self {
            anna,
            ben,
            a,
            b,
            idea,
            secret,
        }
    }

    pub(crate) fn sync(&mut self) {
        sync(&mut self.a, &mut self.anna, &mut self.b, &mut self.ben);
    }

    /// Ben takes one comment out of what he has said.
    pub(crate) fn erase_comment(&mut self) {
        let parts = BTreeSet::from([Part::Comment(self.secret)]);
        self.b
            .erase_own(&self.ben.person, Leave::Parts(&parts), NOW)
            .unwrap();
    }

    /// The number is taken out of the idea, and then out of its past.
    pub(crate) fn erase_idea(&mut self) {
        self.a.edit_idea(self.idea, "Call Frieda", NOW).unwrap();
        self.a
            .propose_erasure(DocumentId::Proposal(self.idea), "a telephone number", NOW)
            .unwrap();
    }
}

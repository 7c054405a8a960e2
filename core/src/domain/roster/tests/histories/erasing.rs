//! Erasures in histories: of what is one's own and of what is not, by the council and past it, apart from each other, by
//! those who have not heard that they are out.

use super::genes::MOST;
use super::*;
use crate::domain::control::Erasure;
use crate::domain::document::DocumentId;
use crate::domain::id::ProposalId;

/// So many different entries of content are named. Whose they are, who names them does not say.
const NAMED: u8 = 6;

impl History {
    /// A document, of which there are few, so that people meet in one.
    fn some_document(&self, pen: usize, which: u8) -> DocumentId {
        let mine = PersonId([self.pens[pen].person; 32]);
        match which % 10 {
            0 | 1 => DocumentId::Own(mine),
            2 => DocumentId::Own(PersonId([1 + which / 10 % self.people; 32])),
            3 => DocumentId::Vote(mine),
            4 => DocumentId::Group,
            5 => DocumentId::GENERAL_BOARD,
            6 => DocumentId::Proposal(ProposalId([8; 16])),
            _ => DocumentId::Proposal(ProposalId([7; 16])),
        }
    }

    /// Some entries go, in a document chosen by a number.
    pub(super) fn erasure(&self, pen: usize, which: u8, bits: u8) -> Erasure {
        Self::named(self.some_document(pen, which), bits)
    }

    fn named(document: DocumentId, bits: u8) -> Erasure {
        let named = (0..NAMED).filter(|bit| bits >> bit & 1 == 1);
        let named = named.map(|bit| EntryId([200 + bit; 32]));
        acts::erasure(document, named.collect())
    }

    /// Something is to be erased.
    pub(super) fn erases(&mut self, pen: usize, learns: u128, (kind, who, one, other): Gene) {
        let document = self.some_document(pen, one);
        let own = DocumentId::Own(PersonId([self.pens[pen].person; 32]));
        match kind % 8 {
            0..=2 => drop(self.does(pen, learns, acts::erase(Self::named(own, other)))),
            3 => drop(self.does(pen, learns, acts::erase(Self::named(document, other)))),
            4 => {
                let act = CouncilAct::Erase(Self::named(document, other));
                self.proposes(pen, learns, act, who / 8);
            }
            5 | 6 => {
                let act = CouncilAct::Erase(Self::named(document, other));
                self.council(pen, learns, act, who ^ kind);
            }
            _ => self.erase_apart(pen, usize::from(who / 8) % self.pens.len(), (one, other)),
        }
    }

    /// Two propose to erase in one document, neither knowing of the other, or one of the other's, carried or not; others
    /// sign, each knowing only what they sign.
    fn erase_apart(&mut self, first: usize, second: usize, (one, other): (u8, u8)) {
        let document = self.some_document(first, 7 + one % 3);
        let base = self.everything();
        let mine = CouncilAct::Erase(Self::named(document, other));
        let theirs = CouncilAct::Erase(Self::named(document, other.rotate_left(3)));
        let mine = self.proposes(first, base, mine, 0);
        let knows = if one.is_multiple_of(3) {
            self.past[self.at(mine)]
        } else {
            base
        };
        let theirs = self.proposes(second, knows, theirs, 0);
        let motions = if other.is_multiple_of(2) {
            [mine, theirs]
        } else {
            [theirs, mine]
        };
        for motion in motions {
            let mut chain = self.past[self.at(motion)];
            for signer in 0..self.pens.len() {
                let is_full = self.entries.len() + 3 > MOST;
                if !is_full && !self.is_carried(motion) && !self.pens[signer].is_silent {
                    let id = self.signs(signer, chain, motion, 0);
                    chain |= self.past[self.at(id)];
                }
            }
        }
    }
}

//! What is erased by acts with a branch in their past that does not count: judged in that past alone, in which it does.

use super::super::super::control::CouncilAct;
use super::super::super::document::DocumentId;
use super::super::super::id::ProposalId;
use super::super::*;
use super::acts::{erase, erasure, motion};
use super::{admit, entry, found, invite, open, roster, three};
use crate::domain::control::Cut;

const IDEA: DocumentId = DocumentId::Proposal(ProposalId([7; 16]));
const NAMED: EntryId = EntryId([99; 32]);

fn council(act: CouncilAct) -> ControlAct {
    motion(act, Cut::new())
}

fn erases_idea() -> ControlAct {
    council(CouncilAct::Erase(erasure(IDEA, BTreeSet::from([NAMED]))))
}

fn is_erased(roster: &Roster, journal: u8, document: DocumentId) -> bool {
    roster.is_erased(NAMED, JournalId([journal; 32]), document)
}

/// Anna alone is a steward: what she proposes takes effect, on whatever branch of her journal it stands.
#[test]
fn r2_a_council_erases_on_a_branch_that_does_not_count() {
    let mut all = roster(three());
    all.insert_beside(entry(20, 1, 4, &[11], erases_idea()))
        .unwrap()
        .unwrap();
    assert!(is_erased(&all, 2, IDEA));
}

/// On that branch she had made Ben a steward before. That says nothing to anybody else, but here it needs both of them.
#[test]
fn r2_what_a_branch_says_before_an_erasure_counts_for_it() {
    let promotes = council(CouncilAct::Promote {
        membership: EntryId([11; 32]),
        role: Role::Steward,
    });
    let counting = {
        let mut all = three();
        all.push(entry(20, 1, 4, &[], promotes.clone()));
        all.push(entry(21, 1, 5, &[], erases_idea()));
        roster(all)
    };
    assert!(!is_erased(&counting, 2, IDEA), "where the branch counts");
    let mut all = roster(three());
    all.insert_beside(entry(20, 1, 4, &[11], promotes)).unwrap().ok();
    all.insert_beside(entry(21, 1, 5, &[20], erases_idea()))
        .unwrap()
        .ok();
    assert!(!is_erased(&all, 2, IDEA), "where it does not");
    assert!(all.stewards().len() == 1 && all.erased().is_empty());
    // With Ben, who knows of that branch, it is carried: on a branch and in his own journal, which counts.
    let signs = ControlAct::Sign(crate::domain::control::Sign {
        motion: EntryId([21; 32]),
        cut: Cut::new(),
    });
    all.insert(entry(22, 2, 4, &[21], signs)).unwrap().ok();
    assert!(is_erased(&all, 2, IDEA));
}

/// Whoever came in on a branch that does not count now has written in their own document all the same, and erases there.
#[test]
fn r2_who_was_admitted_on_a_branch_erases_what_is_theirs_and_nothing_else() {
    let mut all = roster(vec![found(), invite(10, 1, 2, Role::Member)]);
    let mut admitted = admit(11, 1, 3, 10, 2);
    admitted.seen.insert(EntryId([10; 32]));
    all.insert_beside(admitted).unwrap().ok();
    assert!(all.insert(open(12, 2, 11, 2, &[11])).unwrap().is_err());
    let [theirs, annas] = [2, 1].map(|person| DocumentId::Own(PersonId([person; 32])));
    for (number, document) in [(2, theirs), (3, annas)] {
        let id = u8::try_from(number).unwrap() + 20;
        let act = erase(erasure(document, BTreeSet::from([NAMED])));
        all.insert(entry(id, 2, number, &[], act)).unwrap().ok();
    }
    assert!(is_erased(&all, 2, theirs));
    assert!(!is_erased(&all, 1, theirs) && !is_erased(&all, 1, annas) && !is_erased(&all, 2, annas));
}

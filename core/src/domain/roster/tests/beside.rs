//! What is erased by acts with a branch in their past that does not count: judged in that past alone, in which it does.

use super::super::super::control::CouncilAct;
use super::super::super::document::DocumentId;
use super::super::super::id::ProposalId;
use super::super::*;
use super::acts::{erase, erasure, leave, motion, sign};
use super::{admit, entry, found, invite, open, roster, three};
use crate::domain::charter::Amendment;
use crate::domain::control::Cut;

const IDEA: DocumentId = DocumentId::Proposal(ProposalId([7; 16]));
const NAMED: EntryId = EntryId([99; 32]);

fn council(act: CouncilAct) -> ControlAct {
    motion(act, Cut::new())
}

fn promotes_ben() -> ControlAct {
    council(CouncilAct::Promote {
        membership: EntryId([11; 32]),
        role: Role::Steward,
    })
}

fn erases_idea() -> ControlAct {
    council(CouncilAct::Erase(erasure(IDEA, BTreeSet::from([NAMED]))))
}

const fn id(of: u8) -> Option<EntryId> {
    Some(EntryId([of; 32]))
}

fn is_erased(roster: &Roster, journal: u8, document: DocumentId) -> bool {
    roster.is_erased(NAMED, JournalId([journal; 32]), document)
}

/// Anna alone is a steward: what she proposes takes effect, on whatever branch of her journal it stands.
#[test]
fn r2_a_council_erases_on_a_branch_that_does_not_count() {
    let mut all = roster(three());
    all.insert_beside(entry(20, 1, 4, &[11], erases_idea()), id(11))
        .unwrap()
        .unwrap();
    assert!(is_erased(&all, 2, IDEA));
}

/// On that branch she had made Ben a steward before. That says nothing to anybody else, but here it needs both of them.
#[test]
fn r2_what_a_branch_says_before_an_erasure_counts_for_it() {
    let promotes = promotes_ben();
    let counting = {
        let mut all = three();
        all.push(entry(20, 1, 4, &[], promotes.clone()));
        all.push(entry(21, 1, 5, &[], erases_idea()));
        roster(all)
    };
    assert!(!is_erased(&counting, 2, IDEA), "where the branch counts");
    let mut all = roster(three());
    all.insert_beside(entry(20, 1, 4, &[11], promotes), id(11))
        .unwrap()
        .ok();
    all.insert_beside(entry(21, 1, 5, &[20], erases_idea()), id(20))
        .unwrap()
        .ok();
    assert!(!is_erased(&all, 2, IDEA), "where it does not");
    assert!(all.stewards().len() == 1 && all.erased().is_empty());
    // With Ben, who knows of that branch, it is carried: on a branch and in his own journal, which counts.
    let signs = sign(EntryId([21; 32]), Cut::new());
    all.insert(entry(22, 2, 4, &[21], signs)).unwrap().ok();
    assert!(is_erased(&all, 2, IDEA));
}

/// Whoever came in on a branch that does not count now has written in their own document all the same, and erases there.
#[test]
fn r2_who_was_admitted_on_a_branch_erases_what_is_theirs_and_nothing_else() {
    let mut all = roster(vec![found(), invite(10, 1, 2, Role::Member)]);
    let mut admitted = admit(11, 1, 3, 10, 2);
    admitted.seen.insert(EntryId([10; 32]));
    all.insert_beside(admitted, id(10)).unwrap().ok();
    assert!(all.insert(open(12, 2, 11, 2, &[11])).unwrap().is_err());
    let [theirs, annas] = [2, 1].map(|person| DocumentId::Own(PersonId([person; 32])));
    for (number, document) in [(2, theirs), (3, annas)] {
        let id = u8::try_from(number).unwrap() + 20;
        let act = erase(erasure(document, BTreeSet::from([NAMED])));
        all.insert(entry(id, 2, number, &[], act)).unwrap().ok();
    }
    assert!(is_erased(&all, 2, theirs));
    let told = all.erased();
    assert_eq!(told.len(), 1, "also what erases in its own past alone is told");
    assert_eq!(told[0].by, BTreeSet::from([PersonId([2; 32])]));
    assert!(!is_erased(&all, 1, theirs) && !is_erased(&all, 1, annas) && !is_erased(&all, 2, annas));
}

/// What lies on the two branches of Anna's journal, and what others wrote: what is erased is the same whichever of them counts.
fn whichever_counts(
    before: &[ControlEntry],
    branches: [ControlEntry; 2],
    after: &[ControlEntry],
    journal: u8,
    document: DocumentId,
) -> bool {
    let results = [[0, 1], [1, 0]].map(|[counts, aside]| {
        let mut all = roster(before.to_vec());
        // What has seen the other branch comes after it.
        let mut left = vec![(true, branches[counts].clone()), (false, branches[aside].clone())];
        left.extend(after.iter().map(|entry| (true, entry.clone())));
        while !left.is_empty() {
            let here = |seen: &EntryId| all.contains(*seen);
            let next = left
                .iter()
                .position(|(_, entry)| entry.seen.iter().all(here))
                .unwrap();
            let (counts, entry) = left.remove(next);
            if counts {
                all.insert(entry).unwrap().ok();
            } else {
                let previous = all.last_in(entry.journal, entry.number);
                all.insert_beside(entry, previous).unwrap().ok();
            }
        }
        let told = all.erased();
        let told = told
            .into_iter()
            .map(|erased| (erased.act, erased.by))
            .collect::<Vec<_>>();
        (is_erased(&all, journal, document), told)
    });
    let [one, other] = results;
    assert_eq!(one, other);
    assert_eq!(one.0, !one.1.is_empty());
    one.0
}

/// A branch that names its sibling has it in its past, where it says nothing.
#[test]
fn r2_a_branch_that_has_seen_its_sibling_counts_alone_in_its_own_past() {
    let promotes = promotes_ben();
    let branches = [
        entry(20, 1, 4, &[11], promotes),
        entry(21, 1, 4, &[20], erases_idea()),
    ];
    assert!(whichever_counts(&three(), branches, &[], 2, IDEA));
}

/// Anna and Ben are stewards; on one branch Anna leaves, and Ben, who knows both branches, decides alone. Of both the one with the
/// smaller id counts.
#[test]
fn r2_of_two_branches_that_an_author_knew_the_one_with_the_smaller_id_counts() {
    let mut before = three();
    let promotes = promotes_ben();
    before.push(entry(19, 1, 4, &[11], promotes));
    for (leaves, stays, erased) in [(20, 21, true), (21, 20, false)] {
        let leave = leave(EntryId([1; 32]), Cut::new());
        let branches = [
            entry(leaves, 1, 5, &[19], leave),
            entry(
                stays,
                1,
                5,
                &[19],
                council(CouncilAct::Amend(Amendment::Vouchers(0))),
            ),
        ];
        let ben = entry(22, 2, 4, &[20, 21], erases_idea());
        assert_eq!(whichever_counts(&before, branches, &[ben], 2, IDEA), erased);
    }
}

/// Where a journal forks at its first entry, it is whose it is on each branch.
#[test]
fn r2_a_journal_that_forks_at_its_beginning_is_whose_its_first_entries_say() {
    let before: Vec<ControlEntry> = three().into_iter().take(3).collect();
    let theirs = DocumentId::Own(PersonId([2; 32]));
    let branches = [open(12, 2, 11, 2, &[11]), open(24, 2, 10, 2, &[10])];
    let erases = entry(22, 2, 2, &[12], erase(erasure(theirs, BTreeSet::from([NAMED]))));
    // Whichever counts, it is Ben's journal; that his act erases says the branch on which it is.
    for [counts, aside] in [[0, 1], [1, 0]] {
        let mut all = roster(before.clone());
        all.insert(branches[counts].clone()).unwrap().ok();
        all.insert_beside(branches[aside].clone(), None).unwrap().ok();
        if counts == 0 {
            all.insert(erases.clone()).unwrap().unwrap();
        } else {
            all.insert_beside(erases.clone(), id(12)).unwrap().ok();
        }
        assert!(is_erased(&all, 2, theirs), "{counts}");
    }
}

//! Applying, loading, and the document as it was at a cut.

use proptest::prelude::*;

use super::*;
use crate::domain::id::PollId;
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT};

#[test]
fn what_depends_on_something_missing_is_refused_whole() {
    let mut author = Document::new(DocumentKind::Group);
    let first = write(&mut author, 1, |tx| group::set_name(tx, "A")).unwrap();
    let second = write(&mut author, 1, |tx| group::set_name(tx, "B")).unwrap();
    let mut document = Document::new(DocumentKind::Group);
    assert_eq!(
        document.apply(vec![second.clone()]),
        Err(DocumentError::MissingDependency(ChangeId(first.hash().0)))
    );
    assert_eq!(document.heads(), Document::new(DocumentKind::Group).heads());
    document.apply(vec![first.clone(), second.clone()]).unwrap();
    document.apply(vec![first, second]).unwrap();
    assert_eq!(document.sequence_of(journal(1)), 2);
    assert_eq!(document.sequence_of(journal(2)), 0);
    assert_eq!(document.heads(), author.heads());
    assert_eq!(
        document.changes().first().map(Change::hash),
        Some(genesis(DocumentKind::Group).hash())
    );
}

#[test]
fn a_save_that_does_not_begin_with_the_genesis_is_refused() {
    let save = Document::new(DocumentKind::Help).save();
    assert!(Document::load(DocumentKind::Help, &save).is_ok());
    assert_eq!(
        Document::load(DocumentKind::Board, &save).unwrap_err(),
        DocumentError::NoGenesis
    );
    assert_eq!(
        Document::load(DocumentKind::Board, &[]).unwrap_err(),
        DocumentError::NoGenesis
    );
    assert!(Document::load(DocumentKind::Help, &save[1..]).is_err());
    assert!(Document::load(DocumentKind::Help, b"no document").is_err());
}

#[test]
fn a_change_that_depends_on_nothing_does_no_harm() {
    let mut stray = AutoCommit::new().with_actor(ActorId::from(&journal(9).0[..]));
    stray.put(ROOT, "name", "stray").unwrap();
    let mut document = Document::new(DocumentKind::Group);
    let named = write(&mut document, 1, |tx| group::set_name(tx, "Honest")).unwrap();
    document.apply(stray.get_changes(&[])).unwrap();
    let loaded = Document::load(DocumentKind::Group, &document.save()).unwrap();
    for document in [&document, &loaded] {
        assert_eq!(document.heads().len(), 2);
        let first = document.changes().first().map(Change::hash);
        assert_eq!(first, Some(genesis(DocumentKind::Group).hash()));
        let mut again = Document::new(DocumentKind::Group);
        again.apply(document.changes()).unwrap();
        assert_eq!(group::read(&again), group::read(document));
        let counts = BTreeMap::from([(journal(1), 1)]);
        assert_eq!(document.heads_at(&counts), Ok(vec![ChangeId(named.hash().0)]));
    }
}

#[test]
fn a_cut_that_does_not_hold_together_is_refused() {
    let mut a = Document::new(DocumentKind::Group);
    let first = write(&mut a, 1, |tx| group::set_name(tx, "A")).unwrap();
    write(&mut a, 2, |tx| group::set_name(tx, "B")).unwrap();
    let at = |counts: &[(u8, u64)]| a.heads_at(&counts.iter().map(|(by, n)| (journal(*by), *n)).collect());
    assert_eq!(at(&[]), Ok(Document::new(DocumentKind::Group).heads()));
    assert_eq!(at(&[(1, 1)]), Ok(vec![ChangeId(first.hash().0)]));
    assert_eq!(at(&[(1, 1), (2, 1)]), Ok(a.heads()));
    assert_eq!(at(&[(2, 0), (9, 0), (1, 1)]), at(&[(1, 1)]));
    assert_eq!(
        at(&[(2, 1)]),
        Err(DocumentError::NotClosed(ChangeId(first.hash().0)))
    );
    assert_eq!(
        at(&[(1, 2)]),
        Err(DocumentError::MissingChanges {
            journal: journal(1),
            wanted: 2,
            held: 1
        })
    );
}

/// One step of a random history of a vote document with up to four devices.
#[derive(Debug, Clone)]
enum Step {
    Cast { device: usize, poll: u8, choice: u16 },
    Meet { a: usize, b: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize, 0..2_u8, 0..3_u16).prop_map(|(device, poll, choice)| Step::Cast { device, poll, choice }),
        2 => (0..4_usize, 0..4_usize).prop_map(|(a, b)| Step::Meet { a, b }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// At any closed cut the document reads as Automerge's own fork at those heads.
    #[test]
    fn a_cut_reads_as_a_fork_there(
        steps in proptest::collection::vec(step(), 1..40),
        cuts in proptest::collection::vec(proptest::array::uniform4(0..6_u64), 1..8),
    ) {
        let mut devices: Vec<Document> = (0..4).map(|_| Document::new(DocumentKind::Vote)).collect();
        let mut at = 0;
        let mut closed: Vec<BTreeMap<JournalId, u64>> = vec![];
        for step in steps {
            at += 1;
            match step {
                Step::Cast { device, poll, choice } => {
                    let by = u8::try_from(device).unwrap() + 1;
                    let ballot = round_trips::ballot(choice, at);
                    write(&mut devices[device], by, |tx| {
                        vote::put_ballot(tx, PollId([poll; 32]), &ballot)
                    });
                    closed.push(devices[device].sequences.clone());
                }
                Step::Meet { a, b } => {
                    let changes = devices[b].changes();
                    devices[a].apply(changes).unwrap();
                    closed.push(devices[a].sequences.clone());
                }
            }
        }
        let mut all = Document::new(DocumentKind::Vote);
        for device in &devices {
            all.apply(device.changes()).unwrap();
        }
        // Every state a device was ever in is closed under dependencies.
        for counts in &closed {
            prop_assert!(all.heads_at(counts).is_ok());
        }
        let random = cuts.iter().map(|cut| (1..=4).map(journal).zip(cut.iter().copied()).collect());
        for counts in closed.into_iter().chain(random) {
            let Ok(heads) = all.heads_at(&counts) else {
                continue;
            };
            let hashes: Vec<ChangeHash> = heads.iter().map(|head| ChangeHash(head.0)).collect();
            let fork = all.doc.fork_at(&hashes).unwrap();
            let fork = Document::load(DocumentKind::Vote, &fork.save()).unwrap();
            prop_assert_eq!(fork.heads(), heads.clone());
            let made: BTreeMap<JournalId, u64> =
                counts.into_iter().filter(|(_, count)| *count > 0).collect();
            prop_assert_eq!(&fork.sequences, &made);
            for poll in [PollId([0; 32]), PollId([1; 32])] {
                prop_assert_eq!(
                    vote::ballot_at(&all, poll, Some(&heads)),
                    vote::ballot_at(&fork, poll, None)
                );
            }
        }
    }
}

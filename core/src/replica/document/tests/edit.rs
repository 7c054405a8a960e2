//! Typing by splices that are about an earlier state of the text.

use proptest::prelude::*;

use super::*;
use crate::domain::proposal::TextField;
use crate::domain::splice::{Splice, SpliceError};
use crate::replica::limits::{BODY_BYTES_MAX, SPLICES_MAX};
use automerge::ROOT;
use automerge::transaction::Transactable;

fn splice(at: usize, delete: usize, insert: &str) -> Splice {
    Splice {
        at,
        delete,
        insert: insert.to_owned(),
    }
}

fn typed(document: &mut Document, by: u8, heads: &[ChangeId], splices: &[Splice]) -> Result<(), SpliceError> {
    let now = proposal::carry_splices(document, TextField::Body, heads, splices)?;
    write(document, by, |tx| {
        proposal::make_splices(tx, TextField::Body, &now)
    });
    Ok(())
}

fn with_body(body: &str) -> Document {
    let mut document = Document::new(DocumentKind::Proposal);
    write(&mut document, 1, |tx| {
        proposal::set_title(tx, "Benches")?;
        proposal::set_body(tx, body)
    });
    document
}

fn body(document: &Document) -> String {
    proposal::read_text(document, TextField::Body)
}

#[test]
fn splices_at_old_heads_are_made_at_the_present_ones() {
    let mut document = with_body("A bench under \u{1f333} for all.");
    let then = document.heads();
    typed(
        &mut document,
        2,
        &then,
        &[splice(2, 0, "green "), splice(14, 2, "\u{1f332}\u{1f332}")],
    )
    .unwrap();
    assert_eq!(body(&document), "A green bench under \u{1f332}\u{1f332} for all.");
    // This one still sees the text before.
    typed(
        &mut document,
        1,
        &then,
        &[splice(2, 5, "table"), splice(24, 1, " of us.")],
    )
    .unwrap();
    assert_eq!(
        body(&document),
        "A green table under \u{1f332}\u{1f332} for all of us."
    );
    assert_eq!(document.heads().len(), 1, "nobody wrote on past heads");
}

#[test]
fn splices_that_do_not_fit_are_refused_and_nothing_is_written() {
    let document = with_body("A \u{1f333}.");
    let heads = document.heads();
    let carry = |heads: &[ChangeId], splices: &[Splice]| {
        proposal::carry_splices(&document, TextField::Body, heads, splices).map(|_| ())
    };
    assert_eq!(carry(&heads, &[splice(5, 0, "x")]), Ok(()));
    assert_eq!(carry(&heads, &[splice(6, 0, "x")]), Err(SpliceError::OutOfRange));
    assert_eq!(carry(&heads, &[splice(3, 0, "x")]), Err(SpliceError::OutOfRange));
    let stranger = ChangeId([7; 32]);
    for unknown in [&[stranger][..], &[heads[0], stranger], &[]] {
        assert_eq!(carry(unknown, &[]), Err(SpliceError::UnknownHeads));
    }
    let many = vec![splice(0, 0, "x"); SPLICES_MAX + 1];
    assert_eq!(carry(&heads, &many), Err(SpliceError::TooMany(SPLICES_MAX)));
}

#[test]
fn a_text_must_not_grow_too_long_and_a_title_not_be_empty() {
    let mut document = with_body("");
    let heads = document.heads();
    let mut attempt = |field, one: Splice| {
        let now = proposal::carry_splices(&document, field, &heads, &[one]).unwrap();
        let written = document.write(journal(1), AT, |tx| proposal::make_splices(tx, field, &now));
        written.map(|_| ())
    };
    let long = "x".repeat(BODY_BYTES_MAX + 1);
    assert!(matches!(
        attempt(TextField::Body, splice(0, 0, &long)),
        Err(WriteError::TooLong { .. })
    ));
    let empty = attempt(TextField::Title, splice(0, 7, ""));
    assert_eq!(empty, Err(WriteError::Empty { field: "the title" }));
    assert_eq!(attempt(TextField::Title, splice(1, 6, "")), Ok(()));
    assert_eq!(proposal::read_text(&document, TextField::Title), "B");
}

#[test]
fn a_text_that_holds_no_letters_is_typed_into_all_the_same() {
    let mut document = with_body("one two");
    let then = document.heads();
    let text = genesis::object(DocumentKind::Proposal, "body");
    write(&mut document, 9, |tx| {
        tx.insert(&text, 3, "several letters")?;
        tx.insert_object(&text, 0, automerge::ObjType::Map)?;
        tx.put(&text, 2, 7_u64)?;
        Ok(tx.put(ROOT, "body", "displaced")?)
    });
    typed(&mut document, 1, &then, &[splice(7, 0, " three")]).unwrap();
    assert!(body(&document).contains(" three"), "{}", body(&document));
    let now = document.heads();
    let all = body(&document).encode_utf16().count();
    typed(&mut document, 1, &now, &[splice(0, all, "anew")]).unwrap();
    assert!(body(&document).contains("anew"));
}

/// Letters of one and of two units; what each inserts is a letter of their own.
const TEXT: &str = "ab\u{1f333}cd\u{1f333}efgh";

#[derive(Debug, Clone)]
struct Typing {
    first: bool,
    /// How many of the document's states back.
    back: usize,
    raw: Vec<(usize, usize, usize)>,
}

fn typing() -> impl Strategy<Value = Typing> {
    let raw = proptest::collection::vec((0..40_usize, 0..4_usize, 0..3_usize), 0..4);
    (any::<bool>(), 0..6_usize, raw).prop_map(|(first, back, raw)| Typing { first, back, raw })
}

/// Splices of a text in order, between its letters. Only letters of the text that nobody inserted go.
fn splices_of(text: &str, raw: &[(usize, usize, usize)], insert: &str) -> Vec<Splice> {
    let letters: Vec<char> = text.chars().collect();
    let place = |letter: usize| letters.iter().take(letter).map(|c| c.len_utf16()).sum::<usize>();
    let mut raw = raw.to_vec();
    raw.sort_unstable();
    let mut end = 0;
    let mut splices = Vec::new();
    for (at, delete, times) in raw {
        let at = at.min(letters.len()).max(end);
        let goes = |c: &&char| !c.is_ascii_uppercase();
        let delete = letters[at..].iter().take(delete).take_while(goes).count();
        end = at + delete;
        splices.push(splice(place(at), place(end) - place(at), &insert.repeat(times)));
    }
    splices
}

proptest! {
    /// Two people type on two devices that meet now and then, each about a text as it was some states ago: every letter that
    /// was inserted is there in the end, and what nobody deleted stands in its order.
    #[test]
    fn two_who_type_at_stale_heads_lose_nothing(all in proptest::collection::vec(typing(), 1..8), meetings in any::<u8>()) {
        let start = with_body(TEXT);
        let mut devices = [start.clone(), start.clone()];
        let mut states = [vec![start.heads()], vec![start.heads()]];
        let mut inserted = [0, 0];
        for (n, typing) in all.iter().enumerate() {
            let who = usize::from(!typing.first);
            let (letter, by) = [("X", 1), ("Y", 2)][who];
            let document = &mut devices[who];
            let past = states[who].len() - 1 - typing.back.min(states[who].len() - 1);
            let heads = states[who][past].clone();
            let then = proposal::read_body_at(document, &heads).unwrap();
            let splices = splices_of(&then, &typing.raw, letter);
            inserted[who] += splices.iter().map(|one| one.insert.len()).sum::<usize>();
            typed(document, by, &heads, &splices).unwrap();
            states[who].push(document.heads());
            if meetings & (1 << n) != 0 {
                let [a, b] = &mut devices;
                meet(a, b);
                states.iter_mut().for_each(|states| states.push(a.heads()));
            }
        }
        let [a, b] = &mut devices;
        meet(a, b);
        let body = body(a);
        prop_assert_eq!(&body, &self::body(b));
        let count = |letter| body.chars().filter(|c| *c == letter).count();
        prop_assert_eq!([count('X'), count('Y')], inserted);
        let mut rest = TEXT.chars();
        prop_assert!(body.chars().filter(|c| !c.is_ascii_uppercase()).all(|c| rest.any(|r| r == c)), "{}", body);
    }

    /// Only the letters named go: a splice that deletes nothing leaves every letter of others where it was.
    #[test]
    fn who_only_inserts_takes_nothing_away(raw in proptest::collection::vec((0..40_usize, 0..3_usize), 1..5), theirs in typing()) {
        let mut document = with_body(TEXT);
        let then = document.heads();
        let splices = splices_of(TEXT, &theirs.raw, "Y");
        typed(&mut document, 2, &then, &splices).unwrap();
        let before = body(&document);
        let raw: Vec<_> = raw.into_iter().map(|(at, times)| (at, 0, times)).collect();
        typed(&mut document, 1, &then, &splices_of(TEXT, &raw, "X")).unwrap();
        prop_assert_eq!(body(&document).replace('X', ""), before);
    }
}

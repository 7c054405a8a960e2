//! The numbers of ideas in the group document.

use automerge::ROOT;
use automerge::transaction::Transactable;

use super::*;
use crate::domain::plate::Shown;
use crate::replica::limits::ODDITIES_MAX;

fn number(by: u8, document: &mut Document, plates: &[(u8, &str)]) {
    let plates: Vec<_> = plates
        .iter()
        .map(|(n, plate)| (idea(*n), plate.parse().unwrap()))
        .collect();
    write(document, by, |tx| group::set_plates(tx, &plates));
}

fn shown(document: &Document, n: u8) -> Shown {
    group::plates(document).value.of(idea(n))
}

#[test]
fn numbers_read_back_and_stand_beside_the_name() {
    let mut document = Document::new(DocumentKind::Group);
    write(&mut document, 1, |tx| group::set_name(tx, "Zawodzie"));
    number(1, &mut document, &[(1, "1"), (2, "3,2")]);
    let reading = group::plates(&document);
    assert_eq!(reading.oddities, []);
    assert_eq!(reading.value.of(idea(1)).number, Some(1));
    let moved = Shown {
        number: Some(3),
        was: Some(2),
    };
    assert_eq!(reading.value.of(idea(2)), moved);
    assert_eq!(reading.value.of(idea(9)), Shown::default());
    assert_eq!(group::read(&document).oddities, []);
}

#[test]
fn numbers_given_apart_are_judged_the_same_on_both_devices() {
    let mut a = Document::new(DocumentKind::Group);
    let mut b = a.clone();
    number(1, &mut a, &[(1, "1"), (2, "2")]);
    number(2, &mut b, &[(2, "1"), (3, "2")]);
    meet(&mut a, &mut b);
    assert_eq!(group::plates(&a), group::plates(&b));
    assert_eq!(group::plates(&a).oddities, []);
    assert_eq!([1, 2, 3].map(|n| shown(&a, n).number), [Some(1), Some(2), None]);
    assert_eq!(shown(&a, 3).was, Some(2));
    let new = group::plates(&a).value.number([1, 2, 3].map(idea));
    write(&mut a, 1, |tx| group::set_plates(tx, &new)).unwrap();
    assert_eq!(
        [1, 2, 3].map(|n| shown(&a, n).number),
        [Some(1), Some(2), Some(3)]
    );
    assert_eq!(shown(&a, 3).was, Some(2));
}

#[test]
fn what_is_no_number_is_named_and_passed_over() {
    let mut document = Document::new(DocumentKind::Group);
    number(1, &mut document, &[(1, "4")]);
    let good = document.clone();
    write(&mut document, 1, |tx| {
        let plates = genesis::object(DocumentKind::Group, "plates");
        tx.put(&plates, "not an idea", "5")?;
        tx.put(&plates, idea(2).to_string(), 5_u64)?;
        tx.put(&plates, idea(3).to_string(), "05")?;
        tx.put(&plates, idea(0xab).to_string().to_uppercase(), "5")?;
        tx.put_object(&plates, idea(4).to_string(), automerge::ObjType::Map)?;
        Ok(tx.put(ROOT, "plates", "gone")?)
    });
    let reading = group::plates(&document);
    assert_eq!(reading.value, group::plates(&good).value);
    assert_eq!(reading.oddities.len(), 6);
    write(&mut document, 1, |tx| {
        let plates = genesis::object(DocumentKind::Group, "plates");
        for n in 0..2 * ODDITIES_MAX {
            tx.put(&plates, format!("junk {n}"), "5")?;
        }
        Ok(())
    });
    assert_eq!(group::plates(&document).oddities.len(), ODDITIES_MAX);
    assert_eq!(shown(&document, 1).number, Some(4));
}

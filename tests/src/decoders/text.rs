//! Texts that people paste, type or open: invitations, budgets, single words.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use kiez_core::domain::cost::Cost;
use kiez_core::domain::id::{EntryId, PersonId, Signature, TaskId};
use kiez_core::domain::pabulib;
use kiez_core::domain::place::Place;
use kiez_core::domain::plate::Plate;
use kiez_core::domain::task::Date;
use kiez_core::replica::join::Invitation;

use super::input::Input;

/// An invitation: the text; or, where the first byte says so, what is in it, under a right checksum.
pub(super) fn invitation(bytes: &[u8]) {
    let mut input = Input(bytes);
    let text = if input.byte() & 1 == 0 {
        String::from_utf8_lossy(input.0).into_owned()
    } else {
        let sum = blake3::derive_key("kiez 1 invitation", input.0);
        let whole: Vec<u8> = input.0.iter().chain(sum.iter().take(4)).copied().collect();
        format!("kiez1{}", BASE32_NOPAD.encode(&whole).to_lowercase())
    };
    if let Ok(read) = Invitation::parse(&text) {
        let again = Invitation::parse(&read.to_text());
        assert!(again.is_ok_and(|again| again == read), "an invitation reads back");
    }
}

/// A participatory budget from anywhere.
pub(super) fn pabulib(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match pabulib::parse(&text) {
        Ok(budget) => {
            let ids: BTreeSet<&str> = budget
                .projects
                .iter()
                .map(|project| project.id.as_str())
                .collect();
            assert_eq!(ids.len(), budget.projects.len(), "each project has its own id");
            for vote in &budget.votes {
                assert!(vote.choices.iter().all(|choice| ids.contains(choice.as_str())));
                assert!(vote.points.is_empty() || vote.points.len() == vote.choices.len());
            }
        }
        // What people see of it is told, too, whatever stood there.
        Err(error) => assert!(error.to_string().len() < 1_000, "an error is short"),
    }
}

/// A word that stands for something: by the first byte, what for.
pub(super) fn words(bytes: &[u8]) {
    let mut input = Input(bytes);
    let choice = input.byte();
    let text = String::from_utf8_lossy(input.0);
    match choice % 8 {
        0 => reads_back::<Cost>(&text),
        1 => reads_back::<Place>(&text),
        2 => reads_back::<Date>(&text),
        3 => reads_back::<Plate>(&text),
        4 => reads_back::<TaskId>(&text),
        5 => reads_back::<PersonId>(&text),
        6 => reads_back::<EntryId>(&text),
        _ => reads_back::<Signature>(&text),
    }
}

fn reads_back<T: FromStr + Display + Debug + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let again = value.to_string().parse::<T>().ok();
        assert_eq!(again, Some(value), "what is shown can be read");
    }
}

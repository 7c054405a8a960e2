//! Tests of the module beside it.

use super::*;
use crate::domain::proposal::Draft;
use crate::host::keystore::{Cost, Home, Passphrase};

/// Anna alone with a group, an idea and a comment on it.
fn anna(directory: &tempfile::TempDir) -> (Node, GroupId, ProposalId, CommentId) {
    let passphrase = Passphrase::new("an der Ecke");
    let home = Home::at(directory.path().join("anna"));
    let node = Node::create_at(&home, "Anna", &passphrase, Cost::LEAST).unwrap();
    let group = node.found("Garten", "", &passphrase).unwrap();
    let draft = Draft {
        title: "Eine Bank".to_owned(),
        body: String::new(),
        cost: None,
        place: None,
        categories: vec![],
        targets: vec![],
    };
    let idea = node.add_idea(group, &draft).unwrap();
    let comment = node.comment(group, idea, "Nie im Leben!").unwrap();
    (node, group, idea, comment)
}

#[test]
fn whoever_signs_a_hiding_reads_what_is_to_be_hidden() {
    let directory = tempfile::tempdir().unwrap();
    let (node, group, idea, comment) = anna(&directory);
    let me = node.me().person;
    let found = node.comment_of(group, me, comment).unwrap();
    assert_eq!(found, Some((idea, "Nie im Leben!".to_owned())));
    assert_eq!(node.comment_of(group, me, CommentId([7; 16])).unwrap(), None);

    let target = Target::Comment { author: me, comment };
    node.wish(group, &Wish::Hide(target), "Zu laut.").unwrap();
    let council = node.council(group).unwrap();
    assert_eq!(council.hidden.len(), 1);
    assert_eq!(council.hidden[0].reason, "Zu laut.");
    assert!(council.motions[0].carried, "the only steward is more than half");
    assert!(!council.motions[0].can_sign);
    node.wish(group, &Wish::Show(target), "").unwrap();
    assert_eq!(node.council(group).unwrap().hidden, vec![]);
}

#[test]
fn whoever_leaves_is_told_so_and_a_group_without_anybody_is_stuck() {
    let directory = tempfile::tempdir().unwrap();
    let (node, group, ..) = anna(&directory);
    node.leave(group).unwrap();
    let council = node.council(group).unwrap();
    assert_eq!(council.place, Place::Left);
    assert!(council.stuck);
    assert_eq!((council.stewards.len(), council.voices.len()), (0, 0));
}

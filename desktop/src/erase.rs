//! Erasing from the command line: what is one's own, what stood in an idea before, and what was erased so far.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{CommentId, GroupId, ProposalId};
use kiez_core::host::node::{ErasedCard, Late, Node, Wish};
use kiez_core::replica::document::Leave;
use kiez_core::replica::erase_view::{Left, Outlook};
use serde_json::{Value, json};

use crate::args::EraseCommand;
use crate::execute::{Answer, Context};
use crate::failure::Failure;
use crate::{council, find, text};

/// What nobody can promise, before it is done.
const LIMITS: &str = "What you erase goes from this computer at once, and from every other one as it hears of it; nobody who comes \
                      later gets it. What others have read or copied, old backups and sticks, and computers that never come back \
                      keep it. That something was erased, when and by whom, stays to be seen. Votes stand. It cannot be undone.";

/// `kiez erase`.
pub(crate) fn erase(context: &Context<'_>, group: GroupId, command: EraseCommand) -> Result<Answer, Failure> {
    let node = &context.node;
    match command {
        EraseCommand::Mine {
            all,
            name,
            comments,
            yes,
        } => {
            let mine = node.own_comments(group)?;
            let mut parts = BTreeSet::new();
            for wanted in &comments {
                let id: CommentId = find::unique("comment of yours", wanted, mine.iter().map(|own| own.id))?;
                parts.insert(Part::Comment(id));
            }
            if name {
                parts.insert(Part::Name);
            }
            confirmed(yes)?;
            let leave = if all {
                Leave::Everything
            } else {
                Leave::Parts(&parts)
            };
            let id = node.erase_own(group, &context.passphrase, leave)?;
            let erased = node.erased(group)?.into_iter().find(|card| card.erased.act == id);
            let json = erased.as_ref().map_or(Value::Null, told);
            Ok(Answer::new(json, format!("{id}\nIt is erased here.\n")))
        }
        EraseCommand::Idea { id, reason, yes } => {
            let idea = find::idea(node, group, &id)?;
            confirmed(yes)?;
            let wish = Wish::Erase(DocumentId::Proposal(idea));
            let motion = node.wish(group, &wish, &reason)?;
            council::standing(node, group, motion)
        }
        EraseCommand::List => {
            let erased = node.erased(group)?;
            let names = council::names(node, group)?;
            let lines: String = erased
                .iter()
                .map(|erased| text::erased(erased, &|person| names.get(&person).cloned().flatten()))
                .collect();
            Ok(Answer::new(
                json!(erased.iter().map(told).collect::<Vec<_>>()),
                lines,
            ))
        }
        EraseCommand::Late => {
            let late = node.came_too_late(group)?;
            let lines: String = late.iter().map(text::late).collect();
            Ok(Answer::new(
                json!(late.iter().map(late_json).collect::<Vec<_>>()),
                lines,
            ))
        }
    }
}

fn confirmed(yes: bool) -> Result<(), Failure> {
    if yes {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "{LIMITS} Say --yes if that is what you want."
        )))
    }
}

fn told(card: &ErasedCard) -> Value {
    let erased = &card.erased;
    let mut json = place(erased.document);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("id".to_owned(), json!(erased.act));
        fields.insert("by".to_owned(), json!(erased.by));
        fields.insert("reason".to_owned(), json!(erased.reason));
        fields.insert("at".to_owned(), json!(erased.at));
        fields.insert("entries".to_owned(), json!(erased.entries));
        fields.insert("late".to_owned(), json!(card.late.all));
        fields.insert("late_mine".to_owned(), json!(card.late.mine));
    }
    json
}

fn late_json(late: &Late) -> Value {
    let mut json = place(late.document);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("id".to_owned(), json!(late.entry));
        fields.insert("text".to_owned(), json!(late.text));
    }
    json
}

/// What the ideas of a group are called now.
pub(crate) type Titles = BTreeMap<ProposalId, String>;

pub(crate) fn titles(node: &Node, group: GroupId) -> Result<Titles, Failure> {
    let ideas = node.ideas(group)?.into_iter();
    Ok(ideas.map(|row| (row.id, row.title)).collect())
}

/// What the idea is called in whose document something is erased.
pub(crate) fn title_in(document: DocumentId, titles: &Titles) -> Option<&String> {
    if let DocumentId::Proposal(idea) = document {
        titles.get(&idea)
    } else {
        None
    }
}

/// What a motion would do, for who is to sign it.
pub(crate) fn outlook(outlook: &Outlook, titles: &Titles) -> Value {
    let mut json = place(outlook.document);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("title".to_owned(), json!(title_in(outlook.document, titles)));
        fields.insert("entries".to_owned(), json!(outlook.entries));
        fields.insert("later".to_owned(), json!(outlook.later));
        let (left, differs, reads) = match &outlook.left {
            Left::Unknown => ("unknown", None, None),
            Left::Nothing => ("nothing", None, None),
            Left::Reads { idea, differs } if differs.is_empty() => ("same", Some(differs), idea.as_ref()),
            Left::Reads { idea, differs } => ("other", Some(differs), idea.as_ref()),
        };
        fields.insert("left".to_owned(), json!(left));
        fields.insert("differs".to_owned(), json!(differs));
        fields.insert("reads".to_owned(), json!(reads));
    }
    json
}

/// Where something was erased: what it was, and whose or which.
pub(crate) fn place(document: DocumentId) -> Value {
    match document {
        DocumentId::Own(person) => json!({"what": "own", "person": person}),
        DocumentId::Proposal(idea) => json!({"what": "idea", "idea": idea}),
        DocumentId::Group
        | DocumentId::Vote(_)
        | DocumentId::Board(_)
        | DocumentId::Meeting(_)
        | DocumentId::Help(_)
        | DocumentId::Strategy(_) => json!({"what": document.kind().name()}),
    }
}

//! Finds what people mean: an id, the beginning of one, or a name.

use kiez_core::domain::id::{EntryId, GroupId, PersonId, PollId, ProposalId, TaskId};
use kiez_core::host::node::Node;

use crate::failure::{Exit, Failure};

/// How much of an id is enough, where it fits only one.
const PREFIX_MIN: usize = 4;

pub(crate) fn unique<T: std::fmt::Display + Copy + Ord>(
    what: &str,
    wanted: &str,
    all: impl IntoIterator<Item = T>,
) -> Result<T, Failure> {
    let wanted = wanted.trim().to_lowercase();
    let fits = |id: &T| {
        let text = id.to_string();
        text == wanted || (wanted.len() >= PREFIX_MIN && text.starts_with(&wanted))
    };
    let found: std::collections::BTreeSet<T> = all.into_iter().filter(fits).collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(Failure::new(
            Exit::Failed,
            "not-found",
            format!("There is no {what} {wanted} here. Look at the list, or sync first."),
        )),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "More than one {what} begins with {wanted}: give more of the id."
        ))),
    }
}

/// The group that is meant: the only one, or the one asked for.
pub(crate) fn group(node: &Node, wanted: Option<&str>) -> Result<GroupId, Failure> {
    let groups = node.groups()?;
    match (wanted, groups.as_slice()) {
        (Some(wanted), _) => unique("group", wanted, groups),
        (None, [group]) => Ok(*group),
        (None, []) => Err(Failure::new(
            Exit::Failed,
            "no-group",
            "This profile has no group yet: found one with `kiez group found NAME`, or join with `kiez join INVITATION`.",
        )),
        (None, _) => Err(Failure::usage(
            "This profile has more than one group: say which with --group ID (`kiez group list` shows them).",
        )),
    }
}

/// An entry among these: a motion, an invitation.
pub(crate) fn entry(
    what: &str,
    wanted: &str,
    all: impl IntoIterator<Item = EntryId>,
) -> Result<EntryId, Failure> {
    unique(what, wanted, all)
}

pub(crate) fn idea(node: &Node, group: GroupId, wanted: &str) -> Result<ProposalId, Failure> {
    unique("idea", wanted, node.ideas(group)?.into_iter().map(|row| row.id))
}

pub(crate) fn poll(node: &Node, group: GroupId, wanted: &str) -> Result<PollId, Failure> {
    unique("vote", wanted, node.polls(group)?.into_iter().map(|row| row.id))
}

pub(crate) fn task(node: &Node, group: GroupId, wanted: &str) -> Result<TaskId, Failure> {
    unique("task", wanted, node.tasks(group)?.into_iter().map(|row| row.id))
}

pub(crate) fn person(node: &Node, group: GroupId, wanted: &str) -> Result<PersonId, Failure> {
    let people = node.people(group)?;
    let named: Vec<PersonId> = people
        .iter()
        .filter(|card| {
            card.name
                .as_deref()
                .is_some_and(|name| name.to_lowercase() == wanted.to_lowercase())
        })
        .map(|card| card.id)
        .collect();
    match named.as_slice() {
        [person] => Ok(*person),
        [] => unique("person", wanted, people.into_iter().map(|card| card.id)),
        _ => Err(Failure::usage(format!(
            "More than one person is called {wanted}: give the id (`kiez people`)."
        ))),
    }
}

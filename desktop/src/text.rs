//! Answers as people read them in a terminal. What others wrote is shown without control characters: a title cannot move
//! the cursor or hide what follows.

use std::fmt::Write;
use std::path::Path;

use kiez_core::domain::charter::Role;
use kiez_core::domain::id::{PersonId, Timestamp};
use kiez_core::domain::poll::PollState;
use kiez_core::domain::task::TaskState;
use kiez_core::host::node::{BackedUp, GroupCard, IdeaPage, Node, PersonCard, Status};
use kiez_core::host::store::{IdeaRow, PollRow, SearchHit, TaskRow};
use kiez_core::replica::actions::{PollOutcome, PollView};

use crate::failure::Failure;

mod council;

pub(crate) use council::{
    act_name, asking, charter, device, erased, former, late, left, motion, open_invitation, outlook, put_off,
};

/// A foreign text in one line.
fn line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// A foreign text without control characters and without characters that turn the direction of writing round.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| {
            *c == '\n' || !(c.is_control() || matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        })
        .collect()
}

fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

pub(crate) fn profile_created(name: &str) -> String {
    format!(
        "Hello {}. Your profile is ready.\nWrite down your recovery words soon: `kiez profile words` shows them.\n\
         Then found a group (`kiez group found NAME`) or join one (`kiez join INVITATION`).\n",
        line(name)
    )
}

pub(crate) fn profile(node: &Node) -> Result<String, Failure> {
    Ok(format!(
        "{}\nperson {}\ndevice {}\ngroups {}\n",
        line(&node.profile_name()?),
        node.me().person,
        node.me().device_id(),
        node.groups()?.len()
    ))
}

pub(crate) fn backed_up(written: &BackedUp, file: &Path) -> String {
    format!(
        "{} groups of {} are in {} ({} bytes). Your passphrase of today opens it. What is written from now on is not in it.\n",
        written.groups.len(),
        line(&written.name),
        file.display(),
        written.bytes
    )
}

/// From a backup, or from the words.
pub(crate) fn recovered(name: &str, from: Option<&BackedUp>) -> String {
    let name = line(name);
    match from {
        Some(from) => format!(
            "You are {name} again, with {} groups as they were {}. You can read them now. To write again this computer has to \
             meet another one of yours, or of any member: `kiez sync`.\n",
            from.groups.len(),
            moment(from.made)
        ),
        None => format!(
            "You are {name} again. To come back into a group, ask any member for an invitation: `kiez join INVITATION`.\n"
        ),
    }
}

pub(crate) fn words(phrase: &str) -> String {
    let mut out = String::new();
    for (number, word) in (1..).zip(phrase.split(' ')) {
        let end = if number % 4 == 0 { "\n" } else { "" };
        write!(out, "{number:>3} {word:<10}{end}").ok();
    }
    out
}

pub(crate) fn groups(groups: &[GroupCard]) -> String {
    if groups.is_empty() {
        return "No group yet. Found one with `kiez group found NAME`, or join with `kiez join INVITATION`.\n".to_owned();
    }
    groups
        .iter()
        .map(|card| {
            format!(
                "{}  {}  {} people\n",
                short(&card.id),
                line(&card.name),
                card.people
            )
        })
        .collect()
}

pub(crate) fn group(card: &GroupCard, role: Option<Role>) -> String {
    let role = role.map_or("not in it yet", role_name);
    format!(
        "{}\n{}\n{} people; you: {role}\n{}\n",
        line(&card.name),
        clean(&card.purpose),
        card.people,
        card.id
    )
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Observer => "observer",
        Role::Member => "member",
        Role::Steward => "steward",
    }
}

pub(crate) fn people(people: &[PersonCard]) -> String {
    people
        .iter()
        .map(|card| {
            let me = if card.me { " (you)" } else { "" };
            let name = card.name.as_deref().map_or_else(|| "somebody".to_owned(), line);
            format!(
                "{}  {name}{me}  {}  {} devices\n",
                short(&card.id),
                role_name(card.role),
                card.devices
            )
        })
        .collect()
}

pub(crate) fn invitation(letters: &str) -> String {
    format!(
        "Give this to one neighbour, whole:\n\n{letters}\n\n\
         It is good for two weeks, once. Keep `kiez sync --listen` running while they join.\n"
    )
}

pub(crate) fn ideas(ideas: &[IdeaRow]) -> String {
    if ideas.is_empty() {
        return "No idea yet. Write the first one: `kiez idea add TITLE`.\n".to_owned();
    }
    ideas
        .iter()
        .map(|idea| {
            let cost = idea.cost.map(|cost| format!("  {cost}")).unwrap_or_default();
            let place = idea
                .place
                .as_ref()
                .map(|place| format!("  ({place})"))
                .unwrap_or_default();
            format!("{}  {}{cost}{place}\n", short(&idea.id), line(&idea.title))
        })
        .collect()
}

pub(crate) fn idea(page: &IdeaPage, people: &[PersonCard]) -> String {
    let idea = &page.idea;
    let mut out = format!("{}\n{}\n", line(&idea.title), idea.id);
    if let Some(cost) = idea.cost {
        writeln!(out, "cost {cost}").ok();
    }
    if let Some(place) = idea.place {
        writeln!(out, "place {place}").ok();
    }
    if !idea.categories.is_empty() {
        writeln!(out, "about {}", line(&idea.categories.join(", "))).ok();
    }
    if !idea.targets.is_empty() {
        writeln!(out, "for {}", line(&idea.targets.join(", "))).ok();
    }
    if !idea.body.is_empty() {
        writeln!(out, "\n{}", clean(&idea.body)).ok();
    }
    for comment in &page.comments {
        writeln!(
            out,
            "\n{} said:\n{}",
            name_in(people, comment.author),
            clean(&comment.text)
        )
        .ok();
    }
    if !page.polls.is_empty() {
        write!(out, "\nVotes\n{}", polls(&page.polls)).ok();
    }
    if !page.tasks.is_empty() {
        write!(out, "\nTasks\n{}", tasks(&page.tasks, people)).ok();
    }
    out
}

fn name_in(people: &[PersonCard], person: PersonId) -> String {
    let card = people.iter().find(|card| card.id == person);
    card.and_then(|card| card.name.as_deref())
        .map_or_else(|| short(&person), line)
}

pub(crate) fn polls(polls: &[PollRow]) -> String {
    if polls.is_empty() {
        return "No vote yet. Open one about an idea: `kiez poll open IDEA`.\n".to_owned();
    }
    polls
        .iter()
        .map(|poll| format!("{}  {}\n", short(&poll.id), line(&poll.question)))
        .collect()
}

pub(crate) fn result(view: &PollView, outcome: &PollOutcome, winners: &[String]) -> String {
    let mut out = format!("{}\n", line(&view.record.question));
    let so_far = format!("{} of {} have voted", outcome.cast, outcome.eligible);
    match outcome.state {
        PollState::Open => writeln!(out, "Open: {so_far}. The result is shown when it is closed."),
        PollState::Waiting => {
            writeln!(
                out,
                "Closed, but not everything that counts has arrived here yet. Sync with the others."
            )
        }
        PollState::Disputed => {
            writeln!(
                out,
                "Disputed: who counts has signed two different counts. Neither is the result."
            )
        }
        PollState::Closed => writeln!(out, "Closed: {so_far}."),
    }
    .ok();
    let Some(tally) = &outcome.tally else { return out };
    for (option, count) in view.record.options.iter().zip(&tally.counts) {
        let bar = "█".repeat(usize::try_from(*count).unwrap_or(usize::MAX).min(60));
        writeln!(out, "{count:>6}  {}  {bar}", line(option)).ok();
    }
    match (winners, tally.quorum_reached) {
        (_, false) => writeln!(out, "Too few took part: nothing is decided."),
        ([], true) => writeln!(out, "A tie, or nobody voted: nothing is decided."),
        ([winner], true) => writeln!(out, "Decided: {}", line(winner)),
        (tied, true) => writeln!(out, "A tie between: {}", line(&tied.join(", "))),
    }
    .ok();
    if let Some(fingerprint) = outcome.fingerprint {
        writeln!(
            out,
            "Fingerprint, the same on every device: {}",
            crate::execute::hex(&fingerprint)
        )
        .ok();
    }
    out
}

pub(crate) fn tasks(tasks: &[TaskRow], people: &[PersonCard]) -> String {
    if tasks.is_empty() {
        return "No task yet. Add one: `kiez task add TITLE`.\n".to_owned();
    }
    tasks
        .iter()
        .map(|task| {
            let mark = match task.state {
                TaskState::Open => " ",
                TaskState::Doing => "/",
                TaskState::Done => "x",
            };
            let due = task
                .due
                .as_ref()
                .map(|due| format!("  until {due}"))
                .unwrap_or_default();
            let who: Vec<String> = task
                .assignees
                .iter()
                .map(|person| name_in(people, *person))
                .collect();
            let who = if who.is_empty() {
                String::new()
            } else {
                format!("  {}", who.join(", "))
            };
            format!("[{mark}] {}  {}{who}{due}\n", short(&task.id), line(&task.title))
        })
        .collect()
}

pub(crate) fn hits(hits: &[SearchHit]) -> String {
    if hits.is_empty() {
        return "Nothing found.\n".to_owned();
    }
    hits.iter()
        .map(|hit| format!("{:<8} {}  {}\n", hit.kind, short(&hit.id), line(&hit.title)))
        .collect()
}

pub(crate) fn status(status: &Status, needs_way_back: bool) -> String {
    let mut out = format!("{} entries here", status.entries);
    if status.waiting > 0 {
        write!(
            out,
            "; {} wait for something that has not arrived",
            status.waiting
        )
        .ok();
    }
    if status.quarantined > 0 {
        write!(out, "; {} do not count", status.quarantined).ok();
    }
    out.push('\n');
    if status.set_aside > 0 {
        let count = status.set_aside;
        writeln!(out, "{count} of your entries do not count: this profile was copied, and both copies were written. They are kept.").ok();
    }
    if status.needs_update {
        out.push_str("Somebody uses a newer Kiez: update this one to see everything.\n");
    }
    if status.peers.is_empty() {
        out.push_str("Nobody else is in the group yet: only this device has it.\n");
    }
    for peer in &status.peers {
        let name = peer.name.as_deref().map_or_else(|| short(&peer.person), line);
        let has = match (peer.has_all_of_mine, peer.as_of) {
            (true, Some(at)) => format!("has everything of yours ({})", moment(at)),
            (false, Some(at)) => format!("has not seen your latest yet (last met {})", moment(at)),
            (_, None) => "was never met by this device".to_owned(),
        };
        writeln!(out, "{name} {has}").ok();
    }
    if needs_way_back {
        out.push_str(
            "Were this computer lost, so were you: note your words (`kiez profile words`), or make a backup (`kiez backup FILE`).\n",
        );
    }
    writeln!(out, "fingerprint {}", crate::execute::hex(&status.digest)).ok();
    out
}

/// A moment as a date and a time of day in UTC.
fn moment(at: Timestamp) -> String {
    let seconds = at.seconds();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        rest / 3600,
        rest % 3600 / 60
    )
}

/// The day of the Gregorian calendar, so many days after 1970-01-01. From H. Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "divisors are constants, and no time of 64 bits in milliseconds overflows"
)]
const fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_a_date() {
        assert_eq!(moment(Timestamp(0)), "1970-01-01 00:00 UTC");
        assert_eq!(moment(Timestamp(1_709_210_096_000)), "2024-02-29 12:34 UTC");
        assert_eq!(moment(Timestamp(1_795_000_000_000)), "2026-11-18 11:06 UTC");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(line("a\u{1b}[2Jb\nc\u{202e}d\u{2066}e\r"), "a[2Jb cde");
        assert_eq!(clean("one\ntwo\u{7}"), "one\ntwo");
    }
}

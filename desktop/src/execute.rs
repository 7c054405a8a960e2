//! Does what was typed, on a node, and answers.

use std::path::{Path, PathBuf};

use kiez_core::domain::charter::Role;
use kiez_core::domain::id::GroupId;
use kiez_core::domain::poll::Method;
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::host::keystore::Passphrase;
use kiez_core::host::net::{self, Network};
use kiez_core::host::node::Node;
use kiez_core::replica::document::vote::BallotReading;
use kiez_core::replica::join::Invitation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::args::{
    Cli, Command, DeviceCommand, GroupCommand, IdeaCommand, InvitedRole, PollCommand, PollMethod,
    ProfileCommand, TaskCommand,
};
use crate::failure::{Exit, Failure};
use crate::files::{read_file, write_whole};
use crate::{council, device, erase, exchange, find, own, text};

/// What a command is done with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) node: Node,
    pub(crate) passphrase: Passphrase,
    /// What relative paths are relative to.
    pub(crate) here: PathBuf,
    /// The running network, where the command came to a process that has one.
    pub(crate) network: Option<&'a Network>,
}

/// What is said when it is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn new(json: Value, text: impl Into<String>) -> Self {
        Self {
            json,
            text: text.into(),
        }
    }

    pub(crate) fn id(id: impl std::fmt::Display) -> Self {
        Self::new(json!({"id": id.to_string()}), format!("{id}\n"))
    }
}

/// The answer to a new profile.
pub(crate) fn created(node: &Node) -> Result<Answer, Failure> {
    let json = json!({
        "id": node.me().person, "person": node.me().person, "device": node.me().device_id(), "name": node.profile_name()?,
    });
    Ok(Answer::new(json, text::profile_created(&node.profile_name()?)))
}

/// Does it.
pub(crate) async fn execute(context: &Context<'_>, cli: Cli) -> Result<Answer, Failure> {
    let node = &context.node;
    let group = || find::group(node, cli.group.as_deref());
    let Some(command) = cli.command else {
        return Err(Failure::new(
            Exit::Failed,
            "in-use",
            "Kiez is open with this profile already.",
        ));
    };
    match command {
        Command::Profile(command) => profile(context, &command),
        Command::Group(command) => group_command(context, cli.group.as_deref(), command),
        Command::Invite { role } => invite(context, group()?, role).await,
        Command::Join { invitation, timeout } => {
            let invitation = Invitation::parse(&invitation)?;
            exchange::join(context, &invitation, timeout).await
        }
        Command::People { command } => council::people(node, group()?, command),
        Command::Charter { command } => council::charter(node, group, command),
        Command::Motion(command) => council::motion(node, group()?, command),
        Command::Erase(command) => erase::erase(context, group()?, command),
        Command::Invitation(command) => council::invitation(node, group()?, &command),
        Command::Device(DeviceCommand::List) => council::devices(node),
        Command::Device(DeviceCommand::Retire { device }) => council::retire(node, &device),
        Command::Idea(command) => idea(context, group()?, command),
        Command::Poll(command) => poll(node, group()?, command),
        Command::Task(command) => task(node, group()?, command),
        Command::Sync(sync) if sync.listen => Err(Failure::new(
            Exit::Failed,
            "in-use",
            "Kiez is listening with this profile already.",
        )),
        Command::Sync(_) => exchange::until_idle(context, cli.group.as_deref()).await,
        Command::Serve(_) => Err(Failure::new(
            Exit::Failed,
            "in-use",
            "Kiez is open with this profile already.",
        )),
        Command::Backup { file } => own::back_up(context, &file),
        Command::Device(command) => device::step(context, &command).await,
        Command::Recover(_) => Err(profile_exists()),
        Command::Status => {
            let status = node.status(group()?)?;
            let way_back = node.way_back()?;
            let json = json!({
                "group": status.group,
                "digest": hex(&status.digest),
                "entries": status.entries,
                "waiting": status.waiting,
                "quarantined": status.quarantined,
                "set_aside": status.set_aside,
                "needs_update": status.needs_update,
                "peers": status.peers,
                "way_back": way_back,
                "needs_way_back": way_back.is_missing(),
            });
            Ok(Answer::new(json, text::status(&status, way_back.is_missing())))
        }
        Command::Search { text: wanted } => {
            let hits = node.search(group()?, &wanted)?;
            Ok(Answer::new(json!(hits), text::hits(&hits)))
        }
        Command::Export { file } => {
            let group = group()?;
            let bytes = node.export(group)?;
            let path = context.here.join(file);
            write_whole(&path, &bytes)?;
            Ok(Answer::new(
                json!({"group": group, "file": path.display().to_string(), "bytes": bytes.len()}),
                format!("{} bytes in {}\n", bytes.len(), path.display()),
            ))
        }
        Command::Import { file } => {
            let bytes = read_file(
                &context.here.join(file),
                kiez_core::replica::limits::BUNDLE_BYTES_MAX,
            )?;
            let imported = node.import(&bytes)?;
            Ok(Answer::new(
                json!({"group": imported.group, "entries": imported.entries, "new": imported.new}),
                format!("{} of {} entries were new\n", imported.new, imported.entries),
            ))
        }
        Command::ImportPabulib { file } => {
            let group = group()?;
            let path = context.here.join(file);
            let bytes = read_file(&path, kiez_core::replica::limits::BUNDLE_BYTES_MAX)?;
            let text = String::from_utf8(bytes).map_err(|_| {
                Failure::new(
                    Exit::Failed,
                    "pabulib",
                    format!("{} is not a text file in UTF-8.", path.display()),
                )
            })?;
            let ids = node.import_pabulib(group, &text)?;
            Ok(Answer::new(json!({"ids": ids}), format!("{} ideas\n", ids.len())))
        }
    }
}

fn profile(context: &Context<'_>, command: &ProfileCommand) -> Result<Answer, Failure> {
    let node = &context.node;
    match command {
        ProfileCommand::New { .. } => Err(profile_exists()),
        ProfileCommand::Passphrase => own::change_passphrase(context),
        ProfileCommand::LockAfter { minutes } => own::lock_after(context, minutes),
        ProfileCommand::Erase { .. } => Err(Failure::new(
            Exit::Failed,
            "in-use",
            "Another Kiez has this profile open: close it first.",
        )),
        ProfileCommand::Show => {
            let json = json!({
                "person": node.me().person,
                "device": node.me().device_id(),
                "name": node.profile_name()?,
                "groups": node.groups()?,
            });
            Ok(Answer::new(json, text::profile(node)?))
        }
        ProfileCommand::Words => {
            let words = node.recovery_words(&context.passphrase)?;
            let phrase = words.phrase();
            Ok(Answer::new(
                json!({"words": phrase.as_str()}),
                text::words(&phrase),
            ))
        }
    }
}

fn profile_exists() -> Failure {
    Failure::new(
        Exit::Failed,
        "profile-exists",
        "There is a profile here already. Choose another folder with --home DIR for a new one.",
    )
}

fn group_command(
    context: &Context<'_>,
    wanted: Option<&str>,
    command: GroupCommand,
) -> Result<Answer, Failure> {
    let node = &context.node;
    match command {
        GroupCommand::Found {
            name,
            purpose,
            template,
        } => {
            let charter = council::template(template);
            let group = node.found_with(&name, &purpose, charter, &context.passphrase)?;
            Ok(Answer::id(group))
        }
        GroupCommand::List => {
            let groups: Result<Vec<_>, _> = node
                .groups()?
                .into_iter()
                .map(|group| node.group_card(group))
                .collect();
            let groups = groups?;
            Ok(Answer::new(json!(groups), text::groups(&groups)))
        }
        GroupCommand::Show => {
            let group = find::group(node, wanted)?;
            let card = node.group_card(group)?;
            let role = node
                .people(group)?
                .into_iter()
                .find(|person| person.me)
                .map(|person| person.role);
            let mut json = json!(card);
            if let Some(fields) = json.as_object_mut() {
                fields.insert("my_role".to_owned(), json!(role));
                fields.insert("my_place".to_owned(), json!(node.council(group)?.place));
            }
            Ok(Answer::new(json, text::group(&card, role)))
        }
    }
}

async fn invite(context: &Context<'_>, group: GroupId, role: InvitedRole) -> Result<Answer, Failure> {
    let role = match role {
        InvitedRole::Member => Role::Member,
        InvitedRole::Observer => Role::Observer,
    };
    let addresses = match context.network {
        Some(network) => network.own_addresses().await,
        None => net::addresses_of(&context.node).await?,
    };
    let invitation = context.node.invite(group, role, addresses)?;
    let letters = invitation.to_text();
    let json = json!({"invitation": letters, "expires": invitation.expires});
    Ok(Answer::new(json, text::invitation(&letters)))
}

fn idea(context: &Context<'_>, group: GroupId, command: IdeaCommand) -> Result<Answer, Failure> {
    let node = &context.node;
    match command {
        IdeaCommand::Add {
            title,
            body,
            cost,
            place,
        } => {
            let body = body
                .map(|file| body_of(context, &file))
                .transpose()?
                .unwrap_or_default();
            let cost = cost
                .map(|cost| cost.parse().map_err(Failure::usage))
                .transpose()?;
            let place = place
                .map(|place| place.parse().map_err(Failure::usage))
                .transpose()?;
            let draft = Draft {
                title,
                body,
                cost,
                place,
                categories: vec![],
                targets: vec![],
            };
            Ok(Answer::id(node.add_idea(group, &draft)?))
        }
        IdeaCommand::List => {
            let ideas = node.ideas(group)?;
            Ok(Answer::new(json!(ideas), text::ideas(&ideas)))
        }
        IdeaCommand::Show { id } => {
            let page = node.idea(group, find::idea(node, group, &id)?)?;
            let people = node.people(group)?;
            let mut json = json!(page.idea);
            if let Some(fields) = json.as_object_mut() {
                // As in the list, and as it is typed.
                let place = page.idea.place.map(|place| place.to_string());
                fields.insert("place".to_owned(), json!(place));
                fields.insert(
                    "author".to_owned(),
                    json!(page.row.as_ref().map(|row| row.author)),
                );
                fields.insert("at".to_owned(), json!(page.row.as_ref().map(|row| row.at)));
                let plate = page.row.as_ref().map(|row| row.plate).unwrap_or_default();
                fields.insert("plate".to_owned(), json!(plate));
                fields.insert("comments".to_owned(), json!(page.comments));
                fields.insert("polls".to_owned(), json!(page.polls));
                fields.insert("tasks".to_owned(), json!(page.tasks));
            }
            Ok(Answer::new(json, text::idea(&page, &people)))
        }
        IdeaCommand::Edit { id, body } => {
            let id = find::idea(node, group, &id)?;
            node.edit_idea(group, id, &body_of(context, &body)?)?;
            Ok(Answer::id(id))
        }
        IdeaCommand::Comment { id, text } => Ok(Answer::id(node.comment(
            group,
            find::idea(node, group, &id)?,
            &text,
        )?)),
    }
}

fn poll(node: &Node, group: GroupId, command: PollCommand) -> Result<Answer, Failure> {
    match command {
        PollCommand::Open {
            idea,
            method,
            options,
        } => {
            let method = match method {
                PollMethod::YesNo => Method::YesNo,
                PollMethod::Approval => Method::Approval,
            };
            let idea = find::idea(node, group, &idea)?;
            Ok(Answer::id(node.open_poll(group, idea, method, options)?))
        }
        PollCommand::List => {
            let polls = node.polls(group)?;
            Ok(Answer::new(json!(polls), text::polls(&polls)))
        }
        PollCommand::Cast { poll, answers } => {
            let poll = find::poll(node, group, &poll)?;
            node.cast(group, poll, &answers)?;
            Ok(Answer::new(
                json!({"id": poll}),
                "Your answer is in. Until the vote is closed you can change it; every member's Kiez can read it.\n",
            ))
        }
        PollCommand::Close { poll } => {
            let poll = find::poll(node, group, &poll)?;
            node.close_poll(group, poll)?;
            result(node, group, poll)
        }
        PollCommand::Result { poll } => result(node, group, find::poll(node, group, &poll)?),
    }
}

fn result(node: &Node, group: GroupId, id: kiez_core::domain::id::PollId) -> Result<Answer, Failure> {
    let (view, outcome, own) = node.poll(group, id)?;
    let name = |number: &u16| {
        view.record
            .options
            .get(usize::from(*number))
            .cloned()
            .unwrap_or_default()
    };
    let (mut counts, mut winners) = (serde_json::Map::new(), Vec::new());
    if let Some(tally) = &outcome.tally {
        for (option, count) in view.record.options.iter().zip(&tally.counts) {
            counts.insert(option.clone(), json!(count));
        }
        winners = tally.winners.iter().map(name).collect();
    }
    let my_answer: Option<Vec<String>> = match &own {
        BallotReading::One(ballot) => Some(ballot.choices.iter().map(name).collect()),
        BallotReading::None | BallotReading::Several => None,
    };
    let json = json!({
        "poll": id,
        "idea": view.record.proposal,
        "question": view.record.question,
        "method": view.record.method,
        "options": view.record.options,
        "state": outcome.state,
        "eligible": outcome.eligible,
        "cast": outcome.cast,
        "counts": counts,
        "winners": winners,
        "quorum_reached": outcome.tally.as_ref().map(|tally| tally.quorum_reached),
        "my_answer": my_answer,
        "answered_twice": outcome.several,
        "fingerprint": outcome.fingerprint.map(|fingerprint| hex(&fingerprint)),
    });
    Ok(Answer::new(json, text::result(&view, &outcome, &winners)))
}

fn task(node: &Node, group: GroupId, command: TaskCommand) -> Result<Answer, Failure> {
    match command {
        TaskCommand::Add {
            title,
            idea,
            assignee,
            due,
        } => {
            let idea = idea.map(|idea| find::idea(node, group, &idea)).transpose()?;
            let assignees = assignee
                .map(|person| find::person(node, group, &person))
                .transpose()?;
            let due = due.map(|due| due.parse().map_err(Failure::usage)).transpose()?;
            let draft = TaskDraft {
                title,
                assignees: assignees.into_iter().collect(),
                due,
            };
            Ok(Answer::id(node.add_task(group, idea, &draft)?))
        }
        TaskCommand::List => {
            let tasks = node.tasks(group)?;
            let people = node.people(group)?;
            Ok(Answer::new(json!(tasks), text::tasks(&tasks, &people)))
        }
        TaskCommand::Open { id } => task_is(node, group, &id, TaskState::Open),
        TaskCommand::Doing { id } => task_is(node, group, &id, TaskState::Doing),
        TaskCommand::Done { id } => task_is(node, group, &id, TaskState::Done),
    }
}

fn task_is(node: &Node, group: GroupId, id: &str, state: TaskState) -> Result<Answer, Failure> {
    let id = find::task(node, group, id)?;
    node.set_task_state(group, id, state)?;
    Ok(Answer::id(id))
}

/// A text from a file, or from standard input.
fn body_of(context: &Context<'_>, file: &Path) -> Result<String, Failure> {
    let most = kiez_core::replica::limits::BODY_BYTES_MAX;
    let bytes = if file == Path::new("-") {
        if context.network.is_some() {
            return Err(Failure::usage(
                "Another Kiez has this profile open: give a file, not standard input.",
            ));
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        std::io::Read::read_to_end(&mut std::io::Read::take(std::io::stdin(), limit), &mut bytes)
            .map_err(|error| Failure::io(file, &error))?;
        bytes
    } else {
        read_file(&context.here.join(file), most)?
    };
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(
            Exit::Failed,
            "file",
            format!("{} is not a text file in UTF-8.", file.display()),
        )
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

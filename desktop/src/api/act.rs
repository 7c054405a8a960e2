//! What a page may do.

use std::time::Duration;

use kiez_core::domain::charter::Role;
use kiez_core::domain::id::{GroupId, PersonId, PollId, ProposalId, TaskId};
use kiez_core::domain::poll::Method;
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::host::net;
use kiez_core::replica::join::Invitation;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use ts_rs::TS;

use super::Fault;
use super::house::{House, Open};

/// How long joining waits for the inviting device.
const JOIN: Duration = Duration::from_secs(60);

/// Something to do. Whatever makes something answers its `id`.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
#[ts(export)]
pub(crate) enum Action {
    ProfileNew {
        name: String,
        passphrase: String,
    },
    Unlock {
        passphrase: String,
    },
    Lock {},
    Found {
        name: String,
        purpose: String,
    },
    /// Answers `id`, `name` and `code`.
    Join {
        invitation: String,
    },
    /// Answers `invitation` and `expires`.
    Invite {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "\"observer\" | \"member\"")]
        role: Role,
    },
    IdeaAdd {
        #[ts(type = "string")]
        group: GroupId,
        title: String,
        body: String,
        cost: Option<String>,
        place: Option<String>,
    },
    IdeaBody {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
        body: String,
    },
    Comment {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
        text: String,
    },
    PollOpen {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        idea: ProposalId,
        #[ts(type = "\"yes-no\" | \"approval\"")]
        method: Method,
        options: Vec<String>,
    },
    Cast {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        poll: PollId,
        answers: Vec<String>,
    },
    PollClose {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        poll: PollId,
    },
    TaskAdd {
        #[ts(type = "string")]
        group: GroupId,
        title: String,
        #[ts(type = "string | null")]
        idea: Option<ProposalId>,
        #[ts(type = "string[]")]
        assignees: Vec<PersonId>,
        due: Option<String>,
    },
    TaskState {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: TaskId,
        #[ts(type = "\"open\" | \"done\"")]
        state: TaskState,
    },
}

/// Does it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest is done by the next function, which names it"
)]
pub(crate) async fn act(house: &House, action: Action) -> Result<Value, Fault> {
    match action {
        Action::ProfileNew { name, passphrase } => house.create(&name, &passphrase).await?,
        Action::Unlock { passphrase } => house.unlock(&passphrase).await?,
        Action::Lock {} => house.lock().await,
        other => {
            let open = house.open().await;
            let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
            return act_open(open, other).await;
        }
    }
    Ok(Value::Null)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest is done by the next function, which names it"
)]
async fn act_open(open: &Open, action: Action) -> Result<Value, Fault> {
    match action {
        Action::Join { invitation } => {
            let invitation = Invitation::parse(&invitation)?;
            let joined = net::join(&open.node, &invitation, &open.passphrase, JOIN).await?;
            let name = open.node.group_card(joined.group)?.name;
            Ok(json!({"id": joined.group, "name": name, "code": joined.code}))
        }
        Action::Invite { group, role } => {
            let addresses = open.network.own_addresses().await;
            let invitation = block_in_place(|| open.node.invite(group, role, addresses))?;
            Ok(json!({"invitation": invitation.to_text(), "expires": invitation.expires}))
        }
        other => block_in_place(|| write(open, other)),
    }
}

fn write(open: &Open, action: Action) -> Result<Value, Fault> {
    let node = &open.node;
    let id = |id: &dyn std::fmt::Display| json!({"id": id.to_string()});
    Ok(match action {
        Action::Found { name, purpose } => id(&node.found(&name, &purpose, &open.passphrase)?),
        Action::IdeaAdd {
            group,
            title,
            body,
            cost,
            place,
        } => {
            let draft = Draft {
                title,
                body,
                cost: parsed(cost.as_deref())?,
                place: parsed(place.as_deref())?,
                categories: vec![],
                targets: vec![],
            };
            id(&node.add_idea(group, &draft)?)
        }
        Action::IdeaBody {
            group,
            id: idea,
            body,
        } => {
            node.edit_idea(group, idea, &body)?;
            id(&idea)
        }
        Action::Comment {
            group,
            id: idea,
            text,
        } => id(&node.comment(group, idea, &text)?),
        Action::PollOpen {
            group,
            idea,
            method,
            options,
        } => id(&node.open_poll(group, idea, method, options)?),
        Action::Cast { group, poll, answers } => {
            node.cast(group, poll, &answers)?;
            id(&poll)
        }
        Action::PollClose { group, poll } => {
            node.close_poll(group, poll)?;
            id(&poll)
        }
        Action::TaskAdd {
            group,
            title,
            idea,
            assignees,
            due,
        } => {
            let draft = TaskDraft {
                title,
                assignees: assignees.into_iter().collect(),
                due: parsed(due.as_deref())?,
            };
            id(&node.add_task(group, idea, &draft)?)
        }
        Action::TaskState {
            group,
            id: task,
            state,
        } => {
            node.set_task_state(group, task, state)?;
            id(&task)
        }
        // Done before.
        Action::ProfileNew { .. }
        | Action::Unlock { .. }
        | Action::Lock {}
        | Action::Join { .. }
        | Action::Invite { .. } => Value::Null,
    })
}

/// What was typed, where something was.
fn parsed<T: std::str::FromStr>(typed: Option<&str>) -> Result<Option<T>, Fault> {
    typed
        .map(|typed| typed.parse().map_err(|_| Fault::new("does-not-fit")))
        .transpose()
}

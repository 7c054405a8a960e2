//! What a page may do.

use std::pin::pin;
use std::time::Duration;

use kiez_core::domain::id::{DeviceId, EntryId, GroupId, PersonId, PollId, ProposalId, TaskId};
use kiez_core::domain::proposal::Draft;
use kiez_core::domain::task::TaskDraft;
use kiez_core::host::net;
use kiez_core::host::node::Node;
use kiez_core::replica::join;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use ts_rs::TS;

use super::Fault;
use super::charter::{self, Template};
use super::council::{self, Wish};
use super::erase::{self, Own};
use super::example::Language;
use super::house::{House, Open};
use super::names::text;
use super::own;
use super::typed::{cost, microdegrees, typed};
use super::view::{Added, Invitation, Joined, Place, PollMethod, Role, TaskState, TextField};

/// How long joining waits for the inviting device. It can be stopped.
const JOIN: Duration = Duration::from_secs(120);

/// Something typed: at a place some letters taken out, others put in. Places count UTF-16 units, as pages do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct Splice {
    pub(super) at: usize,
    pub(super) delete: usize,
    pub(super) insert: String,
}

/// Something to do.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Action {
    ProfileNew {
        name: String,
        passphrase: String,
    },
    Unlock {
        passphrase: String,
    },
    Lock {},
    /// A profile of somebody who has their recovery words. Their groups come back on an invitation.
    Restore {
        words: String,
        name: String,
        passphrase: String,
    },
    /// Opens an example neighbourhood, which is gone when it is left. Answers [`Added`].
    Example {
        language: Language,
    },
    ExampleEnd {},
    /// Answers [`Added`]. Without a template: a circle of friends.
    Found {
        name: String,
        purpose: String,
        template: Option<Template>,
    },
    /// Proposes something to the council. Answers [`Added`]: the motion.
    Propose {
        #[ts(type = "string")]
        group: GroupId,
        wish: Wish,
        reason: String,
    },
    Sign {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        motion: EntryId,
    },
    /// This person has met whoever asks.
    Vouch {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        ask: EntryId,
    },
    /// Takes back an invitation of this person.
    Withdraw {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        invitation: EntryId,
    },
    Leave {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// Erases what is this person's own. Answers [`Added`]: the erasure.
    EraseOwn {
        #[ts(type = "string")]
        group: GroupId,
        own: Own,
        passphrase: String,
    },
    /// A device of this person is lost: it may not write in any group any more.
    DeviceRetire {
        #[ts(type = "string")]
        device: DeviceId,
    },
    /// Waits for the inviting device. Answers [`Joined`].
    Join {
        invitation: String,
    },
    /// A text for a further computer of this person. Answers [`super::own::DeviceText`].
    DeviceOffer {
        passphrase: String,
    },
    /// Do both screens show the code? Only a yes lets anything be sent.
    DeviceDecide {
        agrees: bool,
    },
    /// The text is shown no longer.
    DeviceWithdraw {},
    /// Makes this computer, which has no profile, a further one of the person who shows a text. Waits for the first one; tells
    /// [`super::house::Event::DeviceCode`] meanwhile. Answers [`super::own::MovedIn`].
    DeviceJoin {
        text: String,
        passphrase: String,
    },
    /// Has every joining that waits fail with `stopped`.
    JoinStop {},
    /// Answers [`Invitation`].
    Invite {
        #[ts(type = "string")]
        group: GroupId,
        role: Role,
    },
    /// Answers [`Added`].
    IdeaAdd {
        #[ts(type = "string")]
        group: GroupId,
        title: String,
        body: String,
        #[ts(type = "number | null")]
        cost: Option<u64>,
        place: Option<Place>,
    },
    /// Answers the [`super::view::Text`] as it stands after. `heads`: the point in its past that the splices are about.
    /// `once`: drawn by the page for this very sending. Sent again after an answer was lost, it is done once.
    IdeaText {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
        field: TextField,
        heads: String,
        splices: Vec<Splice>,
        once: String,
    },
    IdeaCost {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
        #[ts(type = "number | null")]
        cost: Option<u64>,
    },
    IdeaPlace {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
        place: Option<Place>,
    },
    /// Answers [`Added`].
    Comment {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
        text: String,
    },
    /// Answers [`Added`].
    PollOpen {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        idea: ProposalId,
        method: PollMethod,
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
    /// Answers [`Added`].
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
        state: TaskState,
    },
    /// This person does it, and is at it.
    TaskTake {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: TaskId,
    },
    /// This person was here: only what comes from now on is new.
    Seen {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// The recovery words are written down.
    WordsNoted {},
    Passphrase {
        old: String,
        new: String,
    },
    /// Is called otherwise from now on.
    Name {
        name: String,
    },
    /// Looks for the others' devices now.
    Look {},
    /// The person is here: they typed or pointed.
    Active {},
    /// Locks after so many minutes without the person; none: never.
    LockAfter {
        minutes: Option<u16>,
    },
    /// Makes away with the profile on this computer.
    Erase {},
}

async fn join(house: &House, invitation: &str) -> Result<Value, Fault> {
    let mut stops = house.joining_stops();
    let open = house.unlocked().await?;
    let invitation = join::Invitation::parse(invitation)?;
    let passphrase = open.passphrase();
    let mut joining = pin!(net::join(&open.node, &invitation, &passphrase, JOIN));
    let joined = tokio::select! {
        joined = &mut joining => joined?,
        () = stops.stopped() => {
            // Who is in already only has to hang up.
            if !block_in_place(|| open.node.groups())?.contains(&invitation.group) {
                return Err(Fault::new("stopped"));
            }
            joining.await?
        }
    };
    let card = block_in_place(|| open.node.group_card(joined.group))?;
    // The inviting device is told that this one writes now.
    open.network.look();
    Ok(json!(Joined {
        id: joined.group,
        name: card.name,
        code: joined.code,
    }))
}

/// Does it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest is done by the next function, which names it"
)]
pub(crate) async fn act(house: &House, action: Action) -> Result<Value, Fault> {
    match action {
        Action::ProfileNew { name, passphrase } => house.create(&name, &passphrase).await?,
        Action::Restore {
            words,
            name,
            passphrase,
        } => house.restore(&words, &name, &passphrase).await?,
        Action::Unlock { passphrase } => house.unlock(&passphrase).await?,
        Action::Lock {} | Action::ExampleEnd {} => house.lock().await,
        Action::Example { language } => return Ok(added(&house.begin_example(language).await?)),
        Action::Passphrase { old, new } => house.change_passphrase(&old, &new).await?,
        Action::JoinStop {} => house.stop_joining(),
        Action::DeviceJoin { text, passphrase } => return own::join_device(house, &text, &passphrase).await,
        Action::Active {} => house.active(),
        Action::Erase {} => house.erase().await?,
        Action::Join { invitation } => return join(house, &invitation).await,
        other => {
            let open = house.unlocked().await?;
            return act_open(house, &open, other).await;
        }
    }
    Ok(Value::Null)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest is done by the next function, which names it"
)]
async fn act_open(house: &House, open: &Open, action: Action) -> Result<Value, Fault> {
    match action {
        Action::IdeaText {
            group,
            id,
            field,
            heads,
            splices,
            once,
        } => block_in_place(|| {
            let typed = || typed(&open.node, group, id, field, &heads, splices);
            let again = || {
                let (title, body) = open.node.idea_texts(group, id)?;
                Ok(json!(text(match field {
                    TextField::Title => &title,
                    TextField::Body => &body,
                })))
            };
            house.once(&once, typed, again)
        }),
        Action::Invite { group, role } => {
            let addresses = open.network.own_addresses().await;
            let shown = addresses.iter().map(ToString::to_string).collect();
            let invitation = block_in_place(|| open.node.invite(group, role.into(), addresses))?;
            Ok(json!(Invitation {
                invitation: invitation.to_text(),
                expires: invitation.expires,
                addresses: shown,
            }))
        }
        Action::Look {} => {
            open.network.look();
            Ok(Value::Null)
        }
        Action::DeviceOffer { passphrase } => own::offer_device(open, &passphrase).await,
        Action::DeviceDecide { agrees } => match open.network.decide_device(agrees) {
            true => Ok(Value::Null),
            // Nobody is there any more.
            false => Err(Fault::new("unfinished")),
        },
        Action::DeviceWithdraw {} => {
            open.network.withdraw_device();
            Ok(Value::Null)
        }
        Action::LockAfter { minutes } => {
            block_in_place(|| open.node.set_lock_after(minutes))?;
            house.tell_door();
            Ok(Value::Null)
        }
        Action::Name { name } => {
            block_in_place(|| open.node.rename(&name))?;
            house.tell_door();
            Ok(Value::Null)
        }
        Action::WordsNoted {} => {
            block_in_place(|| open.node.note_words())?;
            house.tell_door();
            Ok(Value::Null)
        }
        Action::Found {
            name,
            purpose,
            template,
        } => {
            let charter = charter::template(template);
            let found = || open.node.found_with(&name, &purpose, charter, &open.passphrase());
            let group = block_in_place(found)?;
            house.tell_door();
            Ok(added(&group))
        }
        other => block_in_place(|| write(&open.node, other)),
    }
}

fn added(id: &dyn std::fmt::Display) -> Value {
    json!(Added { id: id.to_string() })
}

fn write(node: &Node, action: Action) -> Result<Value, Fault> {
    match action {
        Action::IdeaAdd {
            group,
            title,
            body,
            cost: units,
            place,
        } => {
            let draft = Draft {
                title,
                body,
                cost: cost(units)?,
                place: microdegrees(place)?,
                categories: vec![],
                targets: vec![],
            };
            return Ok(added(&node.add_idea(group, &draft)?));
        }
        Action::IdeaCost {
            group,
            id,
            cost: units,
        } => node.set_cost(group, id, cost(units)?)?,
        Action::IdeaPlace { group, id, place } => node.set_place(group, id, microdegrees(place)?)?,
        Action::Comment { group, id, text } => return Ok(added(&node.comment(group, id, &text)?)),
        Action::PollOpen {
            group,
            idea,
            method,
            options,
        } => return Ok(added(&node.open_poll(group, idea, method.into(), options)?)),
        Action::Cast { group, poll, answers } => node.cast(group, poll, &answers)?,
        Action::PollClose { group, poll } => node.close_poll(group, poll)?,
        Action::TaskAdd {
            group,
            title,
            idea,
            assignees,
            due,
        } => {
            let due = due.map(|due| due.parse().map_err(|_| Fault::new("does-not-fit")));
            let draft = TaskDraft {
                title,
                assignees: assignees.into_iter().collect(),
                due: due.transpose()?,
            };
            return Ok(added(&node.add_task(group, idea, &draft)?));
        }
        Action::TaskState { group, id, state } => node.set_task_state(group, id, state.into())?,
        Action::TaskTake { group, id } => node.take_task(group, id)?,
        Action::Seen { group } => node.seen(group)?,
        Action::Propose { group, wish, reason } => {
            return Ok(added(&council::propose(node, group, wish, &reason)?));
        }
        Action::Sign { group, motion } => return Ok(added(&node.sign(group, motion)?)),
        Action::Vouch { group, ask } => return Ok(added(&node.vouch(group, ask)?)),
        Action::Withdraw { group, invitation } => return Ok(added(&node.withdraw(group, invitation)?)),
        Action::Leave { group } => return Ok(added(&node.leave(group)?)),
        Action::EraseOwn {
            group,
            own,
            passphrase,
        } => return Ok(added(&erase::erase_own(node, group, own, &passphrase)?)),
        Action::DeviceRetire { device } => {
            node.retire_device(device)?;
        }
        // Done before.
        Action::ProfileNew { .. }
        | Action::Unlock { .. }
        | Action::Lock {}
        | Action::Restore { .. }
        | Action::Example { .. }
        | Action::ExampleEnd {}
        | Action::Found { .. }
        | Action::Join { .. }
        | Action::IdeaText { .. }
        | Action::JoinStop {}
        | Action::Invite { .. }
        | Action::WordsNoted {}
        | Action::Passphrase { .. }
        | Action::Name { .. }
        | Action::DeviceOffer { .. }
        | Action::DeviceDecide { .. }
        | Action::DeviceWithdraw {}
        | Action::DeviceJoin { .. }
        | Action::Active {}
        | Action::LockAfter { .. }
        | Action::Erase {}
        | Action::Look {} => {}
    }
    Ok(Value::Null)
}

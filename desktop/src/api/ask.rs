//! What a page may ask, and the answers. Nothing here changes anything.

use std::collections::BTreeMap;

use kiez_core::domain::id::{DeviceId, GroupId, PersonId, PollId, ProposalId};
use kiez_core::domain::poll::PollState;
use kiez_core::domain::task::TaskState;
use kiez_core::host::clock;
use kiez_core::host::keystore::Passphrase;
use kiez_core::host::net;
use kiez_core::host::node::{GroupCard as Group, Node};
use kiez_core::replica::join;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use ts_rs::TS;

use super::Fault;
use super::charter;
use super::council;
use super::house::{House, Open};
use super::names::{Names, first_of_each};
use super::own::{self, Door, DoorState};
use super::view::{
    Connections, Contact, FirstStep, GroupCard, IdeaCard, InvitationInfo, Mine, PersonCard, PersonReach,
    Today,
};

/// A question.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Query {
    /// [`Door`]
    Door {},
    /// [`Today`]
    Today {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`IdeaCard`]s
    Ideas {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`super::view::IdeaPage`]
    Idea {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
    },
    /// [`super::view::Version`]s
    History {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
    },
    /// [`super::view::PollCard`]s
    Decisions {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`super::view::PollPage`]
    Poll {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: PollId,
    },
    /// [`super::view::TaskCard`]s
    Tasks {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`PersonCard`]s
    People {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`super::council::Council`]
    Council {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// The [`super::charter::CharterCard`]s to begin a group with.
    Templates {},
    /// [`super::council::DeviceCard`]s
    Devices {},
    /// [`Connections`]
    Connections {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`super::view::Hit`]s
    Search {
        #[ts(type = "string")]
        group: GroupId,
        text: String,
    },
    /// The recovery words, in order.
    Words { passphrase: String },
    /// [`InvitationInfo`]
    Invitation { text: String },
    /// [`super::own::DeviceOffer`]
    DeviceOffer {},
}

/// Answers it.
pub(crate) async fn answer(house: &House, query: Query) -> Result<Value, Fault> {
    if matches!(query, Query::Door {}) {
        let open = house.open().await;
        return block_in_place(|| Ok(json!(door(house, open.as_ref())?)));
    }
    let open = house.unlocked().await?;
    block_in_place(|| answer_open(&open, query))
}

fn door(house: &House, open: Option<&Open>) -> Result<Door, Fault> {
    let Some(open) = open else {
        let state = if house.home().holds_profile() {
            DoorState::Locked
        } else {
            DoorState::New
        };
        return Ok(Door {
            state,
            name: None,
            groups: vec![],
            person: None,
            device: None,
            words_noted: false,
            backed_up: None,
            needs_way_back: false,
            lock_after: None,
            example: false,
        });
    };
    let node = &open.node;
    let groups = node.groups()?.into_iter().map(|id| {
        let card = node.group_card(id).map(group_card);
        // One that cannot be read is in nobody's way to the others; its places say what is wrong.
        card.unwrap_or_else(|error| {
            tracing::warn!("{id} cannot be read: {error}");
            GroupCard {
                id,
                name: String::new(),
                purpose: String::new(),
                people: 0,
            }
        })
    });
    let way_back = node.way_back()?;
    Ok(Door {
        state: DoorState::Open,
        name: Some(node.profile_name()?),
        groups: groups.collect(),
        person: Some(node.me().person),
        device: Some(node.me().device_id()),
        words_noted: way_back.words_noted,
        backed_up: way_back.backed_up,
        needs_way_back: way_back.is_missing() && open.example.is_none(),
        lock_after: node.lock_after()?,
        example: open.example.is_some(),
    })
}

fn group_card(card: Group) -> GroupCard {
    GroupCard {
        id: card.id,
        name: card.name,
        purpose: card.purpose,
        people: card.people,
    }
}

fn answer_open(open: &Open, query: Query) -> Result<Value, Fault> {
    let node = &open.node;
    let names = |group| Names::of(node, group);
    Ok(match query {
        Query::Door {} => Value::Null,
        Query::Today { group } => json!(today(open, group)?),
        Query::Ideas { group } => json!(ideas(node, group)?),
        Query::Idea { group, id } => json!(names(group)?.idea_page(id)?),
        Query::History { group, id } => json!(names(group)?.versions(id)?),
        Query::Decisions { group } => json!(names(group)?.poll_cards(node.poll_list(group)?)),
        Query::Poll { group, id } => json!(names(group)?.poll_page(id)?),
        Query::Tasks { group } => {
            let names = names(group)?;
            let tasks = first_of_each(node.tasks(group)?, |task| task.id);
            let tasks = tasks.into_iter().map(|row| names.task(row));
            json!(tasks.collect::<Vec<_>>())
        }
        Query::People { group } => json!(people(open, group)?),
        Query::Council { group } => council::council(node, group)?,
        Query::Templates {} => charter::templates(),
        Query::Devices {} => council::devices(node)?,
        Query::Connections { group } => json!(connections(open, group)?),
        Query::Search { group, text } => {
            let names = names(group)?;
            let hits = first_of_each(node.search(group, &text)?, |hit| {
                (hit.kind.clone(), hit.id.clone(), hit.title.clone())
            });
            json!(
                hits.into_iter()
                    .filter_map(|hit| names.hit(hit))
                    .collect::<Vec<_>>()
            )
        }
        Query::Words { passphrase } => {
            let words = node.recovery_words(&Passphrase::new(&passphrase))?;
            json!(words.phrase().split(' ').collect::<Vec<_>>())
        }
        Query::Invitation { text } => json!(invitation(&text, node.me().person)),
        Query::DeviceOffer {} => json!(own::offer(open)),
    })
}

fn ideas(node: &Node, group: GroupId) -> Result<Vec<IdeaCard>, Fault> {
    let ideas = node.ideas(group)?;
    let names = Names::with(node, group, &ideas)?;
    let stages = node.stages(group)?;
    let cards = ideas.into_iter().map(|row| {
        let stage = stages.get(&row.id).copied().unwrap_or_default();
        names.idea_card(row, stage)
    });
    Ok(cards.collect())
}

fn today(open: &Open, group: GroupId) -> Result<Today, Fault> {
    let node = &open.node;
    let ideas = node.ideas(group)?;
    let names = Names::with(node, group, &ideas)?;
    let card = group_card(node.group_card(group)?);
    let mut open_votes = node.poll_list(group)?;
    open_votes.retain(|poll| poll.state == PollState::Open);
    let mut open_votes = names.poll_cards(open_votes);
    // Those that wait for this person first; within, the newest first.
    open_votes.reverse();
    open_votes.sort_by_key(|poll| !poll.may_vote || poll.mine.is_some());
    let mine = first_of_each(node.tasks(group)?, |task| task.id).into_iter();
    let mine =
        mine.filter(|task| task.state != TaskState::Done && task.assignees.contains(&node.me().person));
    let news = node.news(group)?;
    let mut arrived = reach(open, group, &names)?;
    arrived.retain(|reach| reach.has_all);
    let mut first_steps = Vec::new();
    if card.people < 2 {
        first_steps.push(FirstStep::Invite);
    }
    if ideas.is_empty() {
        first_steps.push(FirstStep::Idea);
    }
    if node.way_back()?.is_missing() {
        first_steps.push(FirstStep::Words);
    }
    Ok(Today {
        group: card,
        me: names.me(),
        open_votes,
        my_tasks: mine.map(|task| names.task(task)).collect(),
        since: news.since,
        news: news.done.into_iter().map(|done| names.news_item(done)).collect(),
        arrived,
        first_steps,
    })
}

fn people(open: &Open, group: GroupId) -> Result<Vec<PersonCard>, Fault> {
    let node = &open.node;
    let names = Names::of(node, group)?;
    let reach: BTreeMap<PersonId, PersonReach> = reach(open, group, &names)?
        .into_iter()
        .map(|reach| (reach.person.id, reach))
        .collect();
    let cards = node.people(group)?.into_iter().map(|card| {
        let person = names.person(card.id);
        // This person has everything of theirs.
        let mine = || PersonReach {
            person: person.clone(),
            has_all: true,
            as_of: None,
            contact: None,
        };
        PersonCard {
            reach: reach.get(&card.id).cloned().unwrap_or_else(mine),
            role: card.role.into(),
            voice: card.voice,
            devices: card.devices,
            person,
        }
    });
    Ok(cards.collect())
}

/// What everybody else has of this device's writing, and how the line to them is.
fn reach(open: &Open, group: GroupId, names: &Names<'_>) -> Result<Vec<PersonReach>, Fault> {
    let lines = open.network.contacts().borrow().clone();
    let line_to = |device: DeviceId| {
        lines.get(&(group, device)).map(|line| match line {
            net::Contact::Even => Contact::Even,
            net::Contact::Busy => Contact::Busy,
            net::Contact::EndedEven | net::Contact::Lost => Contact::Lost,
        })
    };
    let all = open.node.reach(group)?;
    Ok(all
        .iter()
        .map(|reach| names.reach(reach, reach.devices.iter().copied().filter_map(line_to).max()))
        .collect())
}

fn connections(open: &Open, group: GroupId) -> Result<Connections, Fault> {
    let names = Names::of(&open.node, group)?;
    let people = reach(open, group, &names)?;
    let status = open.node.status(group)?;
    let near = people
        .iter()
        .filter(|reach| matches!(reach.contact, Some(Contact::Even | Contact::Busy)));
    Ok(Connections {
        discovering: open.network.is_discovering(),
        near: near.map(|reach| reach.person.clone()).collect(),
        people,
        mine: Mine {
            entries: status.entries,
            waiting: status.waiting,
            quarantined: status.quarantined,
            set_aside: status.set_aside,
        },
        needs_update: status.needs_update,
    })
}

fn invitation(text: &str, me: PersonId) -> InvitationInfo {
    match join::Invitation::parse(text) {
        Ok(invitation) => {
            let ok = clock::now() <= invitation.expires;
            InvitationInfo {
                expires: Some(invitation.expires),
                digits: Some(join::asking_code(invitation.group, invitation.invite, me)),
                ok,
                code: (!ok).then(|| "invitation-expired".to_owned()),
            }
        }
        Err(error) => InvitationInfo {
            expires: None,
            digits: None,
            ok: false,
            code: Some(Fault::from(error).code),
        },
    }
}

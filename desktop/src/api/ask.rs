//! What a page may ask, and the answers. Nothing here changes anything.

use std::collections::BTreeMap;

use kiez_core::domain::id::{GroupId, PersonId, PollId, ProposalId};
use kiez_core::domain::poll::PollState;
use kiez_core::host::keystore::Passphrase;
use kiez_core::host::net::Contact;
use kiez_core::host::node::Node;
use kiez_core::host::store::{IdeaRow, PollRow, TaskRow};
use kiez_core::replica::document::vote::BallotReading;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use ts_rs::TS;

use super::Fault;
use super::house::{House, Open};
use super::view::{
    CommentCard, Connections, Count, Door, DoorState, GroupCard, Hit, IdeaCard, IdeaPage, IdeaRef, Person,
    PersonCard, PersonReach, PollCard, PollPage, TaskCard,
};

/// A question.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
#[ts(export)]
pub(crate) enum Question {
    /// [`Door`]
    Door {},
    /// [`IdeaCard`]s
    Ideas {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`IdeaPage`]
    Idea {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: ProposalId,
    },
    /// [`PollCard`]s
    Decisions {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`PollPage`]
    Poll {
        #[ts(type = "string")]
        group: GroupId,
        #[ts(type = "string")]
        id: PollId,
    },
    /// [`TaskCard`]s
    Tasks {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`PersonCard`]s
    People {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`Connections`]
    Connections {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// [`Hit`]s
    Search {
        #[ts(type = "string")]
        group: GroupId,
        text: String,
    },
    /// The recovery words, in order.
    Words { passphrase: String },
}

/// Answers it.
pub(crate) async fn answer(house: &House, question: Question) -> Result<Value, Fault> {
    let open = house.open().await;
    if matches!(question, Question::Door {}) {
        return Ok(json!(door(house, open.as_ref())?));
    }
    let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
    block_in_place(|| answer_open(open, question))
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
        });
    };
    let mut groups = Vec::new();
    for group in open.node.groups()? {
        let card = open.node.group_card(group)?;
        groups.push(GroupCard {
            id: card.id,
            name: card.name,
            purpose: card.purpose,
            people: card.people,
        });
    }
    Ok(Door {
        state: DoorState::Open,
        name: Some(open.node.profile_name()?),
        groups,
    })
}

fn answer_open(open: &Open, question: Question) -> Result<Value, Fault> {
    let node = &open.node;
    let names = |group| Names::of(node, group);
    Ok(match question {
        Question::Door {} => Value::Null,
        Question::Ideas { group } => {
            let names = names(group)?;
            let ideas = node.ideas(group)?;
            json!(
                ideas
                    .into_iter()
                    .map(|row| names.idea_card(row))
                    .collect::<Vec<_>>()
            )
        }
        Question::Idea { group, id } => json!(names(group)?.idea_page(node, id)?),
        Question::Decisions { group } => json!(names(group)?.polls(node, node.polls(group)?)?),
        Question::Poll { group, id } => json!(names(group)?.poll_page(node, id)?),
        Question::Tasks { group } => {
            let names = names(group)?;
            let tasks = node.tasks(group)?;
            json!(tasks.into_iter().map(|row| names.task(row)).collect::<Vec<_>>())
        }
        Question::People { group } => {
            let names = names(group)?;
            let cards = node.people(group)?.into_iter().map(|card| PersonCard {
                person: names.person(card.id),
                role: card.role,
                devices: card.devices,
            });
            json!(cards.collect::<Vec<_>>())
        }
        Question::Connections { group } => json!(connections(open, group)?),
        Question::Search { group, text } => {
            let hits = node.search(group, &text)?.into_iter().map(|hit| Hit {
                kind: hit.kind,
                id: hit.id,
                title: hit.title,
            });
            json!(hits.collect::<Vec<_>>())
        }
        Question::Words { passphrase } => {
            let words = node.recovery_words(&Passphrase::new(&passphrase))?;
            json!(words.phrase().split(' ').collect::<Vec<_>>())
        }
    })
}

fn connections(open: &Open, group: GroupId) -> Result<Connections, Fault> {
    let status = open.node.status(group)?;
    let contacts = open.network.contacts().borrow().clone();
    let mut people: BTreeMap<PersonId, PersonReach> = BTreeMap::new();
    for peer in status.peers {
        let contact = contacts.get(&(group, peer.device));
        let near = matches!(contact, Some(Contact::Even | Contact::Busy));
        let reach = people.entry(peer.person).or_insert_with(|| PersonReach {
            person: Person {
                id: peer.person,
                name: peer.name.clone(),
                me: peer.person == open.node.me().person,
            },
            has_all: false,
            as_of: None,
            near: false,
        });
        reach.has_all |= peer.has_all_of_mine;
        reach.as_of = reach.as_of.max(peer.as_of);
        reach.near |= near;
    }
    Ok(Connections {
        discovering: open.network.is_discovering(),
        people: people.into_values().collect(),
        entries: status.entries,
        waiting: status.waiting,
        quarantined: status.quarantined,
        set_aside: status.set_aside,
        needs_update: status.needs_update,
    })
}

/// The names of people and ideas of a group, as they are now.
struct Names {
    group: GroupId,
    me: PersonId,
    people: BTreeMap<PersonId, Option<String>>,
    ideas: BTreeMap<ProposalId, String>,
}

impl Names {
    fn of(node: &Node, group: GroupId) -> Result<Self, Fault> {
        let people = node.people(group)?;
        let ideas = node.ideas(group)?;
        Ok(Self {
            group,
            me: node.me().person,
            people: people.into_iter().map(|card| (card.id, card.name)).collect(),
            ideas: ideas.into_iter().map(|row| (row.id, row.title)).collect(),
        })
    }

    fn person(&self, id: PersonId) -> Person {
        Person {
            id,
            name: self.people.get(&id).cloned().flatten(),
            me: id == self.me,
        }
    }

    fn idea(&self, id: ProposalId) -> Option<IdeaRef> {
        let title = self.ideas.get(&id)?.clone();
        Some(IdeaRef { id, title })
    }

    fn idea_card(&self, row: IdeaRow) -> IdeaCard {
        IdeaCard {
            id: row.id,
            title: row.title,
            author: row.author.map(|author| self.person(author)),
            at: row.at,
            cost: row.cost,
            place: row.place,
            categories: row.categories,
            targets: row.targets,
        }
    }

    fn idea_page(&self, node: &Node, id: ProposalId) -> Result<IdeaPage, Fault> {
        let page = node.idea(self.group, id)?;
        let row = page.row.ok_or_else(|| Fault::new("not-found"))?;
        let comments = page.comments.into_iter().map(|comment| CommentCard {
            id: comment.id,
            author: self.person(comment.author),
            text: comment.text,
            at: comment.at,
        });
        Ok(IdeaPage {
            card: self.idea_card(row),
            body: page.idea.body,
            comments: comments.collect(),
            polls: self.polls(node, page.polls)?,
            tasks: page.tasks.into_iter().map(|row| self.task(row)).collect(),
        })
    }

    fn task(&self, row: TaskRow) -> TaskCard {
        TaskCard {
            id: row.id,
            title: row.title,
            idea: row.idea.and_then(|idea| self.idea(idea)),
            mine: row.assignees.contains(&self.me),
            assignees: row.assignees.into_iter().map(|id| self.person(id)).collect(),
            due: row.due,
            state: row.state,
        }
    }

    fn polls(&self, node: &Node, rows: Vec<PollRow>) -> Result<Vec<PollCard>, Fault> {
        rows.into_iter()
            .map(|row| Ok(self.poll_page(node, row.id)?.card))
            .collect()
    }

    fn poll_page(&self, node: &Node, id: PollId) -> Result<PollPage, Fault> {
        let (view, outcome, own) = node.poll(self.group, id)?;
        let options = &view.record.options;
        let mine = match &own {
            BallotReading::One(ballot) => {
                let chosen = ballot.choices.iter().map(|choice| usize::from(*choice));
                Some(chosen.filter_map(|choice| options.get(choice).cloned()).collect())
            }
            BallotReading::None | BallotReading::Several => None,
        };
        let counts = outcome.tally.as_ref().map(|tally| {
            let lines = options.iter().zip(&tally.counts).zip(0_u16..);
            lines
                .map(|((option, count), number)| Count {
                    option: option.clone(),
                    count: *count,
                    won: tally.winners.contains(&number),
                })
                .collect()
        });
        let is_open = outcome.state == PollState::Open;
        Ok(PollPage {
            card: PollCard {
                id,
                idea: self.idea(view.record.proposal),
                question: view.record.question.clone(),
                method: view.record.method,
                options: options.clone(),
                state: outcome.state,
                opened_by: self.person(view.record.opener),
                at: view.record.at,
                eligible: outcome.eligible,
                cast: outcome.cast,
                mine,
                may_vote: is_open && view.electors.contains(&self.me),
                may_close: is_open && view.record.counters.contains(&self.me),
            },
            quorum_reached: outcome.tally.as_ref().map(|tally| tally.quorum_reached),
            counts,
            fingerprint: outcome.fingerprint.map(|bytes| crate::execute::hex(&bytes)),
            twice: outcome.several.into_iter().map(|id| self.person(id)).collect(),
        })
    }
}

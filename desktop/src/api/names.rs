//! What the engine says, written down for a page: ids with the names of people and ideas beside them.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::charter;
use kiez_core::domain::control::Target;
use kiez_core::domain::deed::{Deed, Done};
use kiez_core::domain::id::{GroupId, PersonId, PollId, ProposalId};
use kiez_core::domain::place;
use kiez_core::domain::poll;
use kiez_core::domain::stage::Stage;
use kiez_core::host::node::{Node, PersonReach as Reach, PollBrief};
use kiez_core::host::spoken;
use kiez_core::host::store::{IdeaRow, SearchHit, TaskRow};
use kiez_core::replica::actions::TextNow;
use kiez_core::replica::document::vote::BallotReading;

use super::Fault;
use super::view::{
    CommentCard, Contact, Count, Fingerprint, HistoryItem, HistoryWhat, Hit, HitKind, IdeaCard, IdeaPage,
    IdeaRef, NewsItem, NewsKind, Part, Person, PersonReach, Place, PollCard, PollPage, SeenBy, TaskCard,
    Text, Version,
};

/// The names of people and ideas of a group, as they are now.
pub(super) struct Names<'a> {
    node: &'a Node,
    group: GroupId,
    me: PersonId,
    /// May this person write?
    writes: bool,
    people: BTreeMap<PersonId, Option<String>>,
    ideas: BTreeMap<ProposalId, IdeaRef>,
    /// What the council has hidden.
    hidden: BTreeSet<Target>,
}

impl<'a> Names<'a> {
    pub(super) fn of(node: &'a Node, group: GroupId) -> Result<Self, Fault> {
        Self::with(node, group, &node.ideas(group)?)
    }

    /// Where the ideas are known already.
    pub(super) fn with(node: &'a Node, group: GroupId, ideas: &[IdeaRow]) -> Result<Self, Fault> {
        let people = node.people(group)?;
        let me = node.me().person;
        let writes = people
            .iter()
            .any(|card| card.id == me && card.role != charter::Role::Observer);
        let ideas = ideas.iter().map(|row| {
            let idea = IdeaRef {
                id: row.id,
                plate: row.plate.number,
                title: row.title.clone(),
            };
            (row.id, idea)
        });
        Ok(Self {
            node,
            group,
            me,
            writes,
            people: people
                .into_iter()
                .map(|card| (card.id, card.name))
                .chain(node.former_names(group)?)
                .collect(),
            ideas: ideas.collect(),
            hidden: node.hidden(group)?,
        })
    }

    pub(super) fn person(&self, id: PersonId) -> Person {
        let name = self.people.get(&id).cloned().flatten();
        Person {
            id,
            initials: initials(name.as_deref().unwrap_or_default()),
            name,
            me: id == self.me,
        }
    }

    pub(super) fn me(&self) -> Person {
        self.person(self.me)
    }

    pub(super) fn persons(&self, ids: impl IntoIterator<Item = PersonId>) -> Vec<Person> {
        ids.into_iter().map(|id| self.person(id)).collect()
    }

    pub(super) fn idea(&self, id: ProposalId) -> Option<IdeaRef> {
        self.ideas.get(&id).cloned()
    }

    /// An idea that something is about. What it is about may not have come yet: then it has no title.
    fn idea_or_nameless(&self, id: ProposalId) -> IdeaRef {
        self.idea(id).unwrap_or(IdeaRef {
            id,
            plate: None,
            title: String::new(),
        })
    }

    pub(super) fn reach(&self, reach: &Reach, contact: Option<Contact>) -> PersonReach {
        PersonReach {
            person: self.person(reach.person),
            has_all: reach.has_all_of_mine,
            as_of: reach.as_of,
            contact,
        }
    }

    pub(super) fn idea_card(&self, row: IdeaRow, stage: Stage) -> IdeaCard {
        IdeaCard {
            id: row.id,
            plate: row.plate.number,
            plate_was: row.plate.was,
            title: row.title,
            author: row.author.map(|author| self.person(author)),
            at: row.at,
            changed_at: row.changed_at,
            cost: row.cost,
            place: row.place.and_then(|place| place.parse().ok()).map(degrees),
            categories: row.categories,
            targets: row.targets,
            state: stage.into(),
            comments: row.comments,
            unread: row.unread,
            first_words: row.first_words,
        }
    }

    pub(super) fn idea_page(&self, id: ProposalId) -> Result<IdeaPage, Fault> {
        let (node, group) = (self.node, self.group);
        let page = node.idea(group, id)?;
        let row = page.row.ok_or_else(|| Fault::new("not-found"))?;
        let mut polls = node.poll_list(group)?;
        polls.retain(|poll| poll.record.proposal == id);
        let states = page.tasks.iter().map(|task| task.state);
        let stage = Stage::of(polls.iter().map(|poll| poll.state), states);
        let (title, body) = node.idea_texts(group, id)?;
        let done = node.history(group, id)?;
        let new = node.new_comments(group, id)?;
        let comments = first_of_each(page.comments, |comment| comment.id);
        let tasks = first_of_each(page.tasks, |task| task.id);
        let comments = comments.into_iter().map(|comment| CommentCard {
            id: comment.id,
            author: self.person(comment.author),
            text: comment.text,
            at: comment.at,
            mine: comment.author == self.me,
            new: new.contains(&comment.id),
        });
        let have = node.who_has(group, id)?;
        let missing = have.iter().filter(|(_, has)| !**has).map(|(person, _)| *person);
        Ok(IdeaPage {
            comments: comments.collect(),
            polls: self.poll_cards(polls),
            tasks: tasks.into_iter().map(|row| self.task(row)).collect(),
            writers: self.persons(writers(&done)),
            history: done
                .into_iter()
                .filter_map(|done| self.history_item(done))
                .collect(),
            seen_by: SeenBy {
                have: have.values().filter(|has| **has).count(),
                of: have.len(),
                missing: self.persons(missing),
            },
            card: self.idea_card(row, stage),
            title: text(&title),
            body: text(&body),
            may_write: self.writes,
        })
    }

    fn history_item(&self, done: Done) -> Option<HistoryItem> {
        let what = match done.deed {
            Deed::Joined => return None,
            Deed::Written => HistoryWhat::Written,
            Deed::Title => HistoryWhat::Title,
            Deed::Text => HistoryWhat::Text,
            Deed::Cost => HistoryWhat::Cost,
            Deed::Place => HistoryWhat::Place,
            Deed::Comment(_) => HistoryWhat::Comment,
            Deed::VoteOpened(_) => HistoryWhat::VoteOpened,
            Deed::VoteClosed(_) => HistoryWhat::VoteClosed,
            Deed::Task(_) => HistoryWhat::Task,
            Deed::TaskDone(_) => HistoryWhat::TaskDone,
        };
        Some(HistoryItem {
            text: self.words(&done),
            at: done.at,
            by: done.by.map(|by| self.person(by)),
            what,
        })
    }

    /// What was done says nothing where the council has hidden the comment that it was.
    fn words(&self, done: &Done) -> String {
        let hidden = match (done.deed, done.by) {
            (Deed::Comment(comment), Some(author)) => {
                self.hidden.contains(&Target::Comment { author, comment })
            }
            (_, _) => false,
        };
        if hidden { String::new() } else { done.text.clone() }
    }

    pub(super) fn news_item(&self, done: Done) -> NewsItem {
        let kind = match done.deed {
            Deed::Joined => NewsKind::Joined,
            Deed::Written => NewsKind::Idea,
            Deed::Title | Deed::Text | Deed::Cost | Deed::Place => NewsKind::Text,
            Deed::Comment(_) => NewsKind::Comment,
            Deed::VoteOpened(_) => NewsKind::VoteOpened,
            Deed::VoteClosed(_) => NewsKind::VoteClosed,
            Deed::Task(_) => NewsKind::Task,
            Deed::TaskDone(_) => NewsKind::TaskDone,
        };
        NewsItem {
            text: self.words(&done),
            kind,
            new: done.by != Some(self.me),
            by: done.by.map(|by| self.person(by)),
            at: done.at,
            idea: done.idea.map(|idea| self.idea_or_nameless(idea)),
        }
    }

    pub(super) fn versions(&self, id: ProposalId) -> Result<Vec<Version>, Fault> {
        let parts = |parts: Vec<kiez_core::domain::version::Part>| {
            let shown = parts.into_iter().map(|part| Part {
                text: part.text,
                was: part.was.into(),
            });
            shown.collect()
        };
        let versions = self.node.versions(self.group, id)?.into_iter();
        Ok(versions
            .map(|version| Version {
                at: version.at,
                by: version.by.map(|by| self.person(by)),
                title: version.title,
                body: version.body,
                title_parts: parts(version.title_parts),
                parts: parts(version.parts),
            })
            .collect())
    }

    pub(super) fn task(&self, row: TaskRow) -> TaskCard {
        TaskCard {
            id: row.id,
            title: row.title,
            idea: row.idea.map(|idea| self.idea_or_nameless(idea)),
            mine: row.assignees.contains(&self.me),
            assignees: self.persons(row.assignees),
            due: row.due,
            state: row.state.into(),
        }
    }

    pub(super) fn hit(&self, hit: SearchHit) -> Option<Hit> {
        let kind = match hit.kind.as_str() {
            "idea" => HitKind::Idea,
            "comment" => HitKind::Comment,
            "task" => HitKind::Task,
            _ => return None,
        };
        // A comment is found as the idea that it is about.
        let idea = hit.id.parse().ok().and_then(|id| self.idea(id));
        Some(Hit {
            kind,
            id: hit.id,
            title: hit.title,
            idea,
        })
    }

    pub(super) fn poll_cards(&self, polls: Vec<PollBrief>) -> Vec<PollCard> {
        polls.into_iter().map(|poll| self.poll_card(poll)).collect()
    }

    fn poll_card(&self, poll: PollBrief) -> PollCard {
        let record = poll.record;
        let is_open = poll.state == poll::PollState::Open;
        PollCard {
            id: poll.id,
            idea: self.idea_or_nameless(record.proposal),
            question: record.question,
            method: record.method.into(),
            mine: poll.own.map(|ballot| chosen(&record.options, &ballot)),
            options: record.options,
            state: poll.state.into(),
            opened_by: self.person(record.opener),
            at: record.at,
            eligible: poll.eligible,
            cast: poll.cast,
            may_vote: is_open && poll.elector,
            may_close: is_open && record.counters.contains(&self.me),
        }
    }

    pub(super) fn poll_page(&self, id: PollId) -> Result<PollPage, Fault> {
        let (view, outcome, own) = self.node.poll(self.group, id)?;
        let options = &view.record.options;
        let own = match own {
            BallotReading::One(ballot) => Some(ballot),
            BallotReading::None | BallotReading::Several => None,
        };
        let counts: Option<Vec<Count>> = outcome.tally.as_ref().map(|tally| {
            let lines = options.iter().zip(&tally.counts).zip(0_u16..);
            lines
                .map(|((option, count), number)| Count {
                    option: option.clone(),
                    count: *count,
                    won: tally.winners.contains(&number),
                })
                .collect()
        });
        let winners = counts.iter().flatten().filter(|count| count.won);
        let not_yet = view.electors.difference(&outcome.voted).copied();
        Ok(PollPage {
            winners: winners.map(|count| count.option.clone()).collect(),
            quorum_reached: outcome.tally.as_ref().map(|tally| tally.quorum_reached),
            counts,
            fingerprint: outcome.fingerprint.map(|bytes| Fingerprint {
                digits: spoken::digits(&bytes),
                words: spoken::six_words(&bytes).map(str::to_owned).to_vec(),
            }),
            twice: self.persons(outcome.several),
            not_yet: self.persons(not_yet),
            card: self.poll_card(PollBrief {
                id,
                state: outcome.state,
                eligible: outcome.eligible,
                cast: outcome.cast,
                elector: view.electors.contains(&self.me),
                own,
                record: view.record,
            }),
        })
    }
}

/// Who has written in an idea's texts.
fn writers(done: &[Done]) -> BTreeSet<PersonId> {
    let texts = done
        .iter()
        .filter(|done| matches!(done.deed, Deed::Written | Deed::Title | Deed::Text));
    texts.filter_map(|done| done.by).collect()
}

/// Ids come from others: where two say the same one, the first stands.
pub(super) fn first_of_each<T, Id: Ord>(mut all: Vec<T>, id: impl Fn(&T) -> Id) -> Vec<T> {
    let mut met = BTreeSet::new();
    all.retain(|item| met.insert(id(item)));
    all
}

fn chosen(options: &[String], ballot: &poll::Ballot) -> Vec<String> {
    let chosen = ballot.choices.iter().map(|choice| usize::from(*choice));
    chosen.filter_map(|choice| options.get(choice).cloned()).collect()
}

pub(super) fn text(now: &TextNow) -> Text {
    let heads: Vec<String> = now.heads.iter().map(ToString::to_string).collect();
    Text {
        text: now.text.clone(),
        heads: heads.join(","),
    }
}

pub(super) fn degrees(place: place::Place) -> Place {
    let degrees = |microdegrees: i32| f64::from(microdegrees) / 1e6;
    Place {
        lat: degrees(place.latitude_microdegrees()),
        lon: degrees(place.longitude_microdegrees()),
    }
}

/// The first letters of the first and the last word.
fn initials(name: &str) -> String {
    let first = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let mut letters = name.split_whitespace().filter_map(first);
    let (begin, end) = (letters.next(), letters.next_back());
    begin
        .into_iter()
        .chain(end)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_one_or_two_letters() {
        let cases = [
            ("Anna", "A"),
            ("anna maria beck", "AB"),
            ("  ", ""),
            ("\u{202e}Ö-Ger", "Ö"),
            ("ß", "SS"),
        ];
        for (name, letters) in cases {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}

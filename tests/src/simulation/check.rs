//! What must hold at rest: all devices equal, nothing waits, everything that was done is there, results stay.

use std::collections::{BTreeMap, BTreeSet};

use kiez_core::domain::id::{PersonId, PollId};
use kiez_core::domain::poll::{Closing, Cut, PollState};
use kiez_core::domain::task::TaskState;
use kiez_core::replica::actions::PollOutcome;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::storage::Storage;

use super::erase::letters;
use super::model::{Act, Deed};
use super::node::Node;
use super::state::State;
use super::world::{Outcome, World, wrong};

impl World {
    /// Everything that must hold at rest.
    pub(super) fn check_all(&mut self) -> Outcome {
        let honest = self.insiders();
        if honest.is_empty() {
            return Ok(());
        }
        self.check_equal(&honest)?;
        self.check_rosters(&honest)?;
        self.check_keys(&honest)?;
        self.check_vain(&honest)?;
        self.check_erased(&honest)?;
        let held = super::disk::ids(&self.nodes[honest[0]].disk.memory());
        self.model.find_again(&held);
        let gone = self.gone_with_their_key(honest[0]);
        self.model.lose(&gone);
        self.check_census(&honest)?;
        self.check_shown(&honest)?;
        if self.has_forked() {
            self.check_same_polls(&honest)?;
        } else {
            self.check_ideas(honest[0])?;
            self.check_words(honest[0])?;
            self.check_tasks(honest[0])?;
            self.check_polls(&honest)?;
        }
        self.check_rebuilt(&honest)?;
        self.check_bundles(&honest)?;
        self.check_gone_stay_out(&honest)?;
        let deeds = self.model.deeds.len();
        let lost = self.model.deeds.iter().filter(|deed| deed.is_lost).count();
        self.report.forks = self.replica(honest[0]).forked().count() as u64;
        self.report.nodes = honest.len() as u64;
        self.report.actions = (deeds - lost) as u64;
        self.report.lost = lost as u64;
        Ok(())
    }

    /// Did any journal fork, as far as anybody knows?
    pub(super) fn has_forked(&self) -> bool {
        let has_branches = |node: &Node| !node.disk.aside().unwrap_or_default().is_empty();
        self.options.forks && self.nodes.iter().any(has_branches)
    }

    fn check_equal(&mut self, honest: &[usize]) -> Outcome {
        let mut first: Option<(State, Frontier)> = None;
        for node in honest {
            let name = self.nodes[*node].name.clone();
            let replica = self.replica(*node);
            let frontier = replica.frontier();
            let state = (State::of(replica)?, frontier);
            self.check_disk(*node)?;
            match &first {
                None => {
                    self.trace
                        .event(format_args!("at rest: {}", blake3::Hash::from(state.0.digest)));
                    first = Some(state);
                }
                Some(first) if first.1 != state.1 => wrong!("{name} has another frontier than the first"),
                Some(first) if first.0 != state.0 => {
                    let differs = state.0.differs_from(&first.0);
                    self.tell_difference(honest[0], *node);
                    wrong!("{name} has the same entries and not the same: {differs}")
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Nothing waits; what was done counts; what does not count was a crime.
    fn check_census(&mut self, honest: &[usize]) -> Outcome {
        if self.has_forked() {
            return self.check_census_of_forks(honest);
        }
        let counted = self.what_counts(honest[0])?;
        let gone = self.gone_with_their_key(honest[0]);
        self.mark_beyond(&counted)?;
        self.check_late(honest[0], &counted.late)?;
        self.report.lifted = counted.lifted as u64;
        for node in honest {
            let place = &self.nodes[*node];
            let Ok(census) = place.disk.census() else {
                wrong!("no census")
            };
            if self.waiting(*node) > 0 {
                wrong!("{} entries wait on the device of {}", census.waiting, place.name);
            }
            for (number, deed) in self.model.standing() {
                if !census.applied.contains(&deed.entry) {
                    let held = place.disk.entry(deed.place.0, deed.place.1).ok().flatten();
                    let standing = held.map(|held| (held.entry.id == deed.entry, held.standing));
                    let nodes = self.nodes.iter();
                    let holders = nodes.filter(|node| node.holds(deed.place, deed.entry));
                    let holders: Vec<&String> = holders.map(|node| &node.name).collect();
                    wrong!(
                        "deed {number} is {standing:?} on the device of {}, held by {holders:?}: {deed:?}",
                        place.name
                    );
                }
            }
            if let Some(crime) = self.crime_that_counts(*node, &census.applied) {
                wrong!("{} lets {crime:?} count, which breaks the rules", place.name);
            }
            if let Some(beyond) = counted.beyond.iter().find(|id| census.applied.contains(*id)) {
                wrong!("{} lets {beyond:?} count, which is beyond", place.name);
            }
            let held = super::disk::ids(&place.disk.memory());
            let crimes = self
                .crimes
                .intersection(&held)
                .filter(|id| !counted.beyond.contains(id) && !gone.contains(id));
            let gone = counted.erased.len() + counted.late.len();
            let expected = (crimes.count() + counted.beyond.len() + gone) as u64;
            if census.quarantined != expected && !self.is_crime_erased(*node) {
                wrong!(
                    "{} has {} in quarantine, and {expected} belong there",
                    place.name,
                    census.quarantined
                );
            }
            self.report.admitted = census.applied.len() as u64;
            self.report.waiting = census.waiting;
            self.report.quarantined = census.quarantined;
        }
        Ok(())
    }

    /// Where a journal forked: everything that was done counts, or is kept aside, or builds on what is.
    fn check_census_of_forks(&mut self, honest: &[usize]) -> Outcome {
        let mut first = None;
        for node in honest {
            let place = &self.nodes[*node];
            let Ok(census) = place.disk.census() else {
                wrong!("no census")
            };
            for (number, deed) in self.model.standing() {
                if !place.holds(deed.place, deed.entry) {
                    wrong!("deed {number} is not on the device of {}: {deed:?}", place.name);
                }
            }
            if let Some(crime) = self.crime_that_counts(*node, &census.applied) {
                wrong!("{} lets {crime:?} count, which breaks the rules", place.name);
            }
            self.report.admitted = census.applied.len() as u64;
            self.report.waiting = census.waiting;
            self.report.quarantined = census.quarantined;
            if *first.get_or_insert_with(|| census.clone()) != census {
                wrong!("{} counts other entries than the first", place.name);
            }
        }
        Ok(())
    }

    /// Where a journal forked: every poll is the same everywhere.
    fn check_same_polls(&mut self, honest: &[usize]) -> Outcome {
        let Ok(polls) = self.replica(honest[0]).polls() else {
            wrong!("polls cannot be read")
        };
        for poll in polls.into_keys() {
            let mut first: Option<PollOutcome> = None;
            for node in honest {
                let outcome = match self.replica(*node).poll_outcome(poll) {
                    Ok(outcome) => outcome,
                    Err(error) => wrong!("{} cannot show a poll: {error}", self.nodes[*node].name),
                };
                if first.as_ref().is_some_and(|first| *first != outcome) {
                    wrong!("{poll:?} is {outcome:?} here and {first:?} there");
                }
                first = Some(outcome);
            }
        }
        Ok(())
    }

    fn check_ideas(&mut self, node: usize) -> Outcome {
        let Ok(ideas) = self.replica(node).ideas() else {
            wrong!("ideas cannot be read")
        };
        let mut titles = BTreeSet::new();
        for (_, deed) in self.model.standing() {
            let (found, letter) = match &deed.act {
                Act::Idea { title, letter } => {
                    titles.insert(title.clone());
                    (ideas.iter().find(|idea| idea.title == *title), letter)
                }
                Act::Edit { idea: id, letter } => (ideas.iter().find(|idea| idea.id == *id), letter),
                _ => continue,
            };
            if !found.is_some_and(|idea| idea.body.contains(*letter)) {
                wrong!("missing in the ideas: {:?}", deed.act);
            }
        }
        for (id, left) in self.left_of_ideas() {
            titles.insert(left.title.clone());
            let since = self.model.standing().filter_map(|(_, deed)| match &deed.act {
                Act::Edit { idea, letter } if *idea == id => Some(*letter),
                _ => None,
            });
            let expected: BTreeSet<char> = since.chain(left.letters.iter().copied()).collect();
            let shown = ideas.iter().find(|idea| idea.id == id);
            let shown = shown.map(|idea| letters(&idea.body));
            if shown.as_ref() != Some(&expected) {
                wrong!(
                    "of {id} was left {left:?}; with what came since {expected:?}, and it shows {shown:?}"
                );
            }
        }
        if titles.len() != ideas.len() {
            wrong!("{} ideas, and people had {}", ideas.len(), titles.len());
        }
        Ok(())
    }

    /// Names and comments.
    fn check_words(&mut self, node: usize) -> Outcome {
        let mut said: BTreeMap<PersonId, BTreeSet<String>> = BTreeMap::new();
        for (_, deed) in self.model.standing() {
            let said = said.entry(deed.person).or_default();
            match &deed.act {
                Act::Comment { text, .. } => drop(said.insert(text.clone())),
                Act::Left(left) => said.extend(left.comments.iter().cloned()),
                _ => {}
            }
        }
        let persons: Vec<PersonId> = self.persons.iter().map(|person| person.id).collect();
        for person in persons {
            let replica = self.nodes[node].replica.as_mut().unwrap();
            let Ok(comments) = replica.comments_of(person) else {
                wrong!("comments cannot be read")
            };
            let comments: BTreeSet<String> = comments.into_iter().map(|comment| comment.text).collect();
            if comments != said.remove(&person).unwrap_or_default() {
                wrong!("not the comments that {person:?} wrote: {comments:?}");
            }
            let names = self.model.last_of(|deed| match &deed.act {
                Act::ProfileName(name) if deed.person == person => Some(name.clone()),
                Act::Left(left) if deed.person == person => left.name.clone(),
                _ => None,
            });
            let Ok(name) = replica.name_of(person) else {
                wrong!("a name cannot be read")
            };
            if !name
                .as_ref()
                .map_or(names.is_empty(), |name| names.contains(name))
            {
                wrong!("{person:?} is called {name:?}, and said last {names:?}");
            }
        }
        let names = self.model.last_of(|deed| match &deed.act {
            Act::GroupName(name) => Some(name.clone()),
            _ => None,
        });
        let Ok(info) = self.replica(node).info() else {
            wrong!("the group's page cannot be read")
        };
        if !(names.contains(&info.name) || names.is_empty() && info.name.is_empty()) {
            wrong!(
                "the group is called {:?}, and was named last {names:?}",
                info.name
            );
        }
        Ok(())
    }

    fn check_tasks(&mut self, node: usize) -> Outcome {
        let mut count = 0;
        let mut boards = BTreeSet::new();
        for (_, deed) in self.model.standing() {
            let Act::Task { idea, title } = &deed.act else {
                continue;
            };
            count += 1;
            boards.insert(*idea);
            let replica = self.nodes[node].replica.as_mut().unwrap();
            let Ok(tasks) = replica.tasks(*idea) else {
                wrong!("tasks cannot be read")
            };
            let Some(task) = tasks.iter().find(|task| task.title == *title) else {
                wrong!("missing on a board: {title}");
            };
            let states = self.model.last_of(|deed| match &deed.act {
                Act::TaskIs { task: id, state, .. } if *id == task.id => Some(*state),
                _ => None,
            });
            let state = TaskState::of_concurrent(states).unwrap_or(TaskState::Open);
            if task.state != state {
                let said: Vec<(usize, &Deed)> = self
                    .model
                    .standing()
                    .filter(|(_, deed)| matches!(&deed.act, Act::TaskIs { task: id, .. } if *id == task.id))
                    .collect();
                wrong!("{title} is {:?}, and people said {state:?}: {said:?}", task.state);
            }
        }
        let mut shown = 0;
        for board in boards {
            shown += self.replica(node).tasks(board).map_or(0, |tasks| tasks.len());
        }
        if shown != count {
            wrong!("{shown} tasks, and people made {count}");
        }
        Ok(())
    }

    /// Somebody looks at a poll: a result that was shown once must stay.
    pub(super) fn somebody_looks(&mut self) -> Outcome {
        let Some(node) = self.some_node(|node| node.replica.is_some() && !node.is_outlaw) else {
            return Ok(());
        };
        let Ok(polls) = self.replica(node).polls() else {
            wrong!("polls cannot be read")
        };
        let ids: Vec<PollId> = polls.into_keys().collect();
        match self.dice.pick(&ids) {
            Some(poll) => self.look(node, poll).map(|_| ()),
            None => Ok(()),
        }
    }

    fn look(&mut self, node: usize, poll: PollId) -> Outcome<PollOutcome> {
        let outcome = match self.replica(node).poll_outcome(poll) {
            Ok(outcome) => outcome,
            Err(error) => wrong!("{} cannot show a poll: {error}", self.nodes[node].name),
        };
        self.trace.event(format_args!(
            "{} looks at {poll:?}: {:?}, {} of {}",
            self.nodes[node].name, outcome.state, outcome.cast, outcome.eligible
        ));
        if outcome.state == PollState::Closed {
            let Some(fingerprint) = outcome.fingerprint else {
                wrong!("a result without a fingerprint")
            };
            let closing = self.replica(node).poll(poll).map(|view| view.closing);
            let Ok(Closing::Closed(close)) = closing else {
                wrong!("a result without a cut")
            };
            // One who closed it on two devices that did not know of each other has signed two cuts.
            let first = *self.model.results.entry((poll, close.cut)).or_insert(fingerprint);
            if first != fingerprint && !self.has_forked() {
                wrong!(
                    "{} sees another result of {poll:?} than others did",
                    self.nodes[node].name
                );
            }
        }
        Ok(outcome)
    }

    fn check_polls(&mut self, honest: &[usize]) -> Outcome {
        let deeds: Vec<Deed> = self.model.standing().map(|(_, deed)| deed.clone()).collect();
        let mut known = BTreeSet::new();
        for deed in deeds {
            let Act::Poll { poll, electors } = deed.act else {
                continue;
            };
            known.insert(poll);
            let mut first: Option<PollOutcome> = None;
            for node in honest {
                let outcome = self.look(*node, poll)?;
                self.check_outcome(poll, &electors, &outcome)?;
                if first.as_ref().is_some_and(|first| *first != outcome) {
                    wrong!("{poll:?} is {outcome:?} here and {first:?} there");
                }
                first = Some(outcome);
            }
        }
        let shown: BTreeSet<PollId> = self
            .replica(honest[0])
            .polls()
            .unwrap_or_default()
            .into_keys()
            .collect();
        if shown != known {
            wrong!("not the polls that people opened");
        }
        Ok(())
    }

    /// The outcome, computed from what people did.
    fn check_outcome(&self, poll: PollId, electors: &BTreeSet<PersonId>, outcome: &PollOutcome) -> Outcome {
        let mut closes: BTreeMap<&Cut, &BTreeSet<usize>> = BTreeMap::new();
        for (_, deed) in self.model.standing() {
            if let Act::Close {
                poll: of,
                cut,
                counted,
            } = &deed.act
                && *of == poll
                && closes
                    .insert(cut, counted)
                    .is_some_and(|before| before != counted)
            {
                wrong!("one cut of {poll:?} stands for different ballots");
            }
        }
        let mut counted = closes.into_values();
        let as_they_stand = || {
            self.model
                .ballots(poll, |deed| !deed.is_lost && !deed.is_beyond && !deed.is_gone)
        };
        let (state, among) = match (counted.next(), counted.next()) {
            (None, _) => (PollState::Open, as_they_stand()),
            (Some(counted), None) => (PollState::Closed, counted.clone()),
            // The counter closed it on two devices that did not know of each other.
            (Some(_), Some(_)) => (PollState::Disputed, as_they_stand()),
        };
        if outcome.state != state || outcome.eligible != electors.len() as u64 {
            wrong!(
                "{poll:?} is {outcome:?}, not {state:?} with {} electors",
                electors.len()
            );
        }
        let votes = self.model.votes(&among);
        let several: BTreeSet<PersonId> = votes
            .iter()
            .filter(|(_, votes)| votes.len() > 1)
            .map(|(person, _)| *person)
            .collect();
        let cast = votes.values().filter(|votes| votes.len() == 1).count() as u64;
        if outcome.several != several || outcome.cast != cast {
            wrong!("{poll:?} is {outcome:?}; {cast} voted, twice {several:?}");
        }
        if let Some(tally) = &outcome.tally {
            let mut counts = vec![0; tally.counts.len()];
            for choice in votes
                .values()
                .filter(|votes| votes.len() == 1)
                .flatten()
                .flatten()
            {
                counts[usize::from(*choice)] += 1;
            }
            if tally.counts != counts {
                wrong!(
                    "{poll:?} was counted {:?}, and people voted {counts:?}",
                    tally.counts
                );
            }
        }
        Ok(())
    }
}

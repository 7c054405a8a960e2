//! The story of two neighbours: found, invite, join, write and vote while apart, meet again, close. Step by step, so that
//! something can go wrong between any two, and carried by a cable or by files.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code: a failure is a panic"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kiez_core::domain::id::JournalId;
use kiez_core::host::node::NodeError;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::Replica;
use kiez_core::replica::memory::MemoryStorage;
use serde_json::Value;

use crate::laptop::{Laptop, Running};
use crate::namespaces::{Cable, Side};

/// How what was written while apart comes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Over the cable.
    Cable,
    /// In exported files; after joining the cable stays pulled.
    Files,
}

/// What happens to both laptops between any two steps, and in the middle of long ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Every process is killed (SIGKILL).
    Kill,
    /// The power fails, with this seed.
    PowerCut(u64),
}

/// After how long a long command is struck.
const MOMENTS: [Duration; 4] = [
    Duration::from_millis(8),
    Duration::from_millis(30),
    Duration::from_millis(90),
    Duration::from_millis(250),
];

const BEFORE: &str = "There are no benches at the Rawa.\n\nWe build two benches by the river.\n";
const EDIT_LEFT: &str = "There are no benches at the Rawa.\n\nWe build two green benches by the river.\n";
const EDIT_RIGHT: &str =
    "There are no benches at the Rawa.\n\nWe build two benches by the river, with backs.\n";
const MERGED: &str =
    "There are no benches at the Rawa.\n\nWe build two green benches by the river, with backs.\n";

/// One step of the story.
pub type Step = (&'static str, fn(&mut Story));

/// All steps, in their order.
pub const STEPS: [Step; 17] = [
    ("found", |s| {
        let group = s.id(
            Side::Left,
            &["group", "found", "Zawodzie", "--purpose", "Our quarter"],
        );
        s.group = group;
    }),
    ("write", |s| {
        let body = s.left.file("before", BEFORE);
        s.idea = s.add(Side::Left, &["idea", "add", "Benches", "--body", &body]);
    }),
    ("invite", |s| {
        let answer = s.ask(Side::Left, &["invite"]);
        s.invitation = answer["invitation"].as_str().unwrap().to_owned();
    }),
    ("join", Story::join),
    ("open", |s| {
        let idea = s.idea.clone();
        s.poll = s.id(Side::Left, &["poll", "open", &idea]);
    }),
    ("hear", |s| {
        s.long(Side::Right, &["sync", "--until-idle"]);
    }),
    ("pull", |s| {
        if let Some(cable) = &s.cable {
            cable.pull().unwrap();
        }
    }),
    ("edit on the left", |s| s.edit(Side::Left, EDIT_LEFT)),
    ("edit on the right", |s| s.edit(Side::Right, EDIT_RIGHT)),
    ("tasks", |s| {
        let idea = s.idea.clone();
        s.add(Side::Left, &["task", "add", "Measure the bank", "--idea", &idea]);
        s.add(
            Side::Right,
            &["task", "add", "Ask the gardeners", "--due", "2027-04-01"],
        );
    }),
    ("comments", |s| {
        let idea = s.idea.clone();
        s.ask(Side::Left, &["idea", "comment", &idea, "Green, like the bridge"]);
        s.ask(Side::Right, &["idea", "comment", &idea, "My back says thank you"]);
    }),
    ("vote on the left", |s| s.cast(Side::Left)),
    ("vote on the right", |s| s.cast(Side::Right)),
    ("meet", Story::meet),
    ("compare", |s| s.both_have_everything("open")),
    ("close", |s| {
        let poll = s.poll.clone();
        s.ask(Side::Left, &["poll", "close", &poll]);
    }),
    ("meet again", |s| {
        s.meet();
        s.both_have_everything("closed");
    }),
];

/// Two laptops in the middle of the story.
#[derive(Debug)]
pub struct Story {
    /// Anna's.
    pub left: Laptop,
    /// Ben's.
    pub right: Laptop,
    /// What lies between; none: they are on the host's network.
    pub cable: Option<Arc<Cable>>,
    /// How they meet again.
    pub carrier: Carrier,
    /// What happens between the steps.
    pub trouble: Trouble,
    /// The group's id.
    pub group: String,
    /// The idea's id.
    pub idea: String,
    invitation: String,
    poll: String,
    /// What was acknowledged: on which side, and what must be found there ever after.
    added: Vec<(Side, String)>,
    edited: Vec<(Side, &'static str)>,
    listening: Vec<Running>,
    strikes: u64,
}

impl Story {
    /// Before it begins: each has a profile. Both listen all the time where there is trouble; else only who must.
    #[must_use]
    pub fn new(
        left: Laptop,
        right: Laptop,
        cable: Option<Arc<Cable>>,
        carrier: Carrier,
        trouble: Trouble,
    ) -> Self {
        let mut story = Self {
            left: left.of("Anna"),
            right: right.of("Ben"),
            cable,
            carrier,
            trouble,
            group: String::new(),
            idea: String::new(),
            invitation: String::new(),
            poll: String::new(),
            added: Vec::new(),
            edited: Vec::new(),
            listening: Vec::new(),
            strikes: 0,
        };
        story.listen();
        story
    }

    /// Tells it to its end.
    pub fn tell(&mut self) {
        for (name, step) in STEPS {
            let before = self.bytes();
            step(self);
            let bytes = self.bytes().saturating_sub(before);
            eprintln!("{name}: {bytes} bytes on the cable");
            self.strike();
        }
        self.listening.clear();
    }

    fn bytes(&self) -> u64 {
        self.cable.as_ref().map_or(0, |cable| cable.bytes().unwrap())
    }

    /// The laptop on that side.
    #[must_use]
    pub const fn at(&self, side: Side) -> &Laptop {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    fn ask(&self, side: Side, arguments: &[&str]) -> Value {
        self.at(side).ask(arguments)
    }

    fn id(&self, side: Side, arguments: &[&str]) -> String {
        self.at(side).id(arguments)
    }

    /// Adds something that must never be lost from here on.
    fn add(&mut self, side: Side, arguments: &[&str]) -> String {
        let id = self.id(side, arguments);
        self.added.push((side, id.clone()));
        id
    }

    fn edit(&mut self, side: Side, body: &'static str) {
        let file = self.at(side).file("body", body);
        self.ask(side, &["idea", "edit", &self.idea, "--body", &file]);
        self.edited
            .push((side, if side == Side::Left { "green" } else { "with backs" }));
    }

    fn cast(&self, side: Side) {
        self.ask(side, &["poll", "cast", &self.poll, "yes"]);
    }

    fn join(&mut self) {
        let invitation = self.invitation.clone();
        // Struck in the middle of joining, the joiner may have joined already.
        if self.trouble != Trouble::None {
            self.struck(Side::Right, &["join", &invitation]);
            if self.ask(Side::Right, &["group", "list"]) != serde_json::json!([]) {
                return;
            }
        }
        let joined = self.ask(Side::Right, &["join", &invitation]);
        assert_eq!(joined["id"], self.group.as_str());
    }

    /// Does something that takes its time, where there is trouble after some that were struck in the middle.
    fn long(&mut self, side: Side, arguments: &[&str]) -> Value {
        self.struck(side, arguments);
        self.ask(side, arguments)
    }

    fn struck(&mut self, side: Side, arguments: &[&str]) {
        if self.trouble != Trouble::None {
            for moment in MOMENTS {
                drop(self.at(side).start(arguments).finish_or_kill(moment));
                self.strike();
            }
        }
    }

    fn meet(&mut self) {
        match self.carrier {
            Carrier::Cable => {
                if let Some(cable) = &self.cable {
                    cable.plug().unwrap();
                }
                let even = self.long(Side::Right, &["sync", "--until-idle"]);
                assert_eq!(even["even"], 1, "{even}");
            }
            Carrier::Files => {
                for (from, to) in [(Side::Left, Side::Right), (Side::Right, Side::Left)] {
                    let file = self.at(from).path("copy.kiez");
                    let exported = self.ask(from, &["export", &file]);
                    let imported = self.long(to, &["import", &file]);
                    eprintln!(
                        "{} bytes in the file, {} new entries",
                        exported["bytes"], imported["new"]
                    );
                }
            }
        }
    }

    /// Both have the same, and all of it.
    fn both_have_everything(&self, state: &str) {
        let on_both = |arguments: &[&str]| {
            let answers = Side::BOTH.map(|side| self.ask(side, arguments));
            let [left, right] = answers;
            assert_eq!(left, right, "{arguments:?}");
            left
        };
        assert_eq!(self.left.digest(), self.right.digest());
        let idea = on_both(&["idea", "show", &self.idea]);
        assert_eq!(idea["body"], MERGED);
        let texts = |list: &Value, field: &str| -> BTreeSet<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|one| one[field].as_str().unwrap().to_owned()).collect()
        };
        let expected = ["Green, like the bridge", "My back says thank you"].map(str::to_owned);
        assert_eq!(texts(&idea["comments"], "text"), expected.into());
        let tasks = on_both(&["task", "list"]);
        let expected = ["Ask the gardeners", "Measure the bank"].map(str::to_owned);
        assert_eq!(texts(&tasks, "title"), expected.into());
        let result = on_both(&["poll", "result", &self.poll]);
        assert_eq!(
            (&result["state"], &result["cast"]),
            (&state.into(), &2.into()),
            "{result}"
        );
        assert_eq!(result["fingerprint"].is_string(), state == "closed", "{result}");
        if state == "closed" {
            assert_eq!(result["winners"], serde_json::json!(["yes"]), "{result}");
            assert_eq!(result["counts"]["yes"], 2, "{result}");
        }
        for side in Side::BOTH {
            let status = self.ask(side, &["status"]);
            assert_eq!(
                (&status["waiting"], &status["quarantined"]),
                (&0.into(), &0.into()),
                "{status}"
            );
        }
    }

    fn listen(&mut self) {
        let both = self.trouble != Trouble::None;
        self.listening = Side::BOTH
            .into_iter()
            .filter(|side| both || *side == Side::Left)
            .map(|side| self.at(side).start(&["sync", "--listen"]))
            .collect();
        for running in &mut self.listening {
            running.wait_for("Listening");
        }
    }

    /// The trouble happens: now.
    fn strike(&mut self) {
        if self.trouble == Trouble::None {
            return;
        }
        for running in &mut self.listening {
            running.kill();
        }
        self.listening.clear();
        if let Trouble::PowerCut(seed) = self.trouble {
            // Each strike its own seed; the first loses all that was not synced.
            for (laptop, n) in [(&mut self.left, 0), (&mut self.right, 1)] {
                let own = seed
                    .wrapping_mul(1_000)
                    .wrapping_add(self.strikes.wrapping_mul(2))
                    .wrapping_add(n);
                laptop.lose_unsynced(if seed == 0 { 0 } else { own });
            }
        }
        self.strikes = self.strikes.wrapping_add(1);
        self.nothing_is_lost();
        self.listen();
    }

    /// What was acknowledged is there, and nobody has more of somebody's own entries than they themselves.
    fn nothing_is_lost(&mut self) {
        let (left, right) = (self.holds(Side::Left), self.holds(Side::Right));
        for (mine, theirs) in [(&left, &right), (&right, &left)] {
            let (Some((Some(own), mine)), Some((_, theirs))) = (mine, theirs) else {
                continue;
            };
            let (here, there) = (mine.get(own), theirs.get(own));
            assert!(here >= there, "the author has {here:?}, the other side {there:?}");
        }
        self.left.settle();
        self.right.settle();
    }

    /// The own journal and the frontier; none where there is no group yet.
    fn holds(&self, side: Side) -> Option<(Option<JournalId>, Frontier)> {
        let node = self.at(side).node();
        let group = *node.groups().unwrap().first()?;
        let ids: BTreeSet<String> = node
            .ideas(group)
            .unwrap()
            .into_iter()
            .map(|idea| idea.id.to_string())
            .chain(
                node.tasks(group)
                    .unwrap()
                    .into_iter()
                    .map(|task| task.id.to_string()),
            )
            .collect();
        for (_, id) in self.added.iter().filter(|(on, _)| *on == side) {
            assert!(
                ids.contains(id),
                "{id} was acknowledged on the {side:?} side and is lost"
            );
        }
        for (_, text) in self.edited.iter().filter(|(on, _)| *on == side) {
            let page = node.idea(group, self.idea.parse().unwrap()).unwrap();
            assert!(
                page.idea.body.contains(text),
                "{text:?} was acknowledged and is lost"
            );
        }
        let held = node.with_group(group, |replica| {
            Ok::<_, NodeError>((replica.own_journal(), replica.frontier()))
        });
        Some(held.unwrap())
    }

    /// Rebuilt from the raw entries alone, here and in a fresh store fed from a copy, it is the same. Call it at the end.
    pub fn rebuilt_is_equal(&self) {
        for side in Side::BOTH {
            let node = self.at(side).node();
            let group = *node.groups().unwrap().first().unwrap();
            node.with_group(group, |replica| {
                let before = replica.digest().unwrap();
                replica.rebuild().unwrap();
                assert_eq!(replica.digest().unwrap(), before);
                let copy = replica.bundle(&Frontier::new(), Compression::Small).unwrap();
                let keys = replica.keys().iter().cloned().collect();
                let mut fresh = Replica::from_bundle(MemoryStorage::default(), group, keys, &copy).unwrap();
                assert_eq!(fresh.digest().unwrap(), before);
                Ok::<_, NodeError>(())
            })
            .unwrap();
        }
    }
}

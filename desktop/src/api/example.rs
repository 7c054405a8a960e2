//! An example neighbourhood to look around in: the eight ideas of Zawodzie, a part of Katowice (its participatory budget,
//! from Pabulib), in a profile that is gone when it is left.

use kiez_core::domain::id::GroupId;
use kiez_core::domain::poll::Method;
use kiez_core::domain::task::TaskDraft;
use kiez_core::host::keystore::{Home, Passphrase};
use kiez_core::host::node::Node;
use serde::Deserialize;
use ts_rs::TS;

use super::Fault;
use crate::failure::Failure;

const ZAWODZIE: &str = include_str!("../../../tests/fixtures/zawodzie.pb");

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Language {
    /// German.
    De,
    /// English.
    En,
}

/// What Ada writes there; the ideas stand as their authors wrote them.
struct Words {
    purpose: &'static str,
    comment: &'static str,
    task: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::De => Words {
            purpose: "Was aus unserem Stadtteil werden soll",
            comment: "Wer weiß, wen wir dazu im Rathaus fragen müssen?",
            task: "In der Schule fragen, ob wir uns dort treffen dürfen",
        },
        Language::En => Words {
            purpose: "What our part of town should become",
            comment: "Who knows whom to ask at the town hall about this?",
            task: "Ask the school whether we may meet there",
        },
    }
}

/// The folder of an example; dropping it removes it.
#[derive(Debug)]
pub(super) struct Example {
    _folder: tempfile::TempDir,
}

impl Example {
    /// Makes one.
    pub(super) fn make(language: Language) -> Result<(Self, Node, Passphrase, GroupId), Fault> {
        let words = words(language);
        let folder = tempfile::Builder::new()
            .prefix("kiez-example")
            .tempdir()
            .map_err(|error| Failure::io(&std::env::temp_dir(), &error))?;
        let home = Home::at(folder.path().join("profile"));
        let passphrase = Passphrase::new("an example");
        let node = Node::create(&home, "Ada", &passphrase)?;
        let group = node.found("Zawodzie", words.purpose, &passphrase)?;
        let ideas = node.import_pabulib(group, ZAWODZIE)?;
        if let [first, second, ..] = ideas.as_slice() {
            node.comment(group, *first, words.comment)?;
            node.open_poll(group, *first, Method::YesNo, vec![])?;
            let task = TaskDraft {
                title: words.task.to_owned(),
                assignees: [node.me().person].into(),
                due: None,
            };
            node.add_task(group, Some(*second), &task)?;
        }
        Ok((Self { _folder: folder }, node, passphrase, group))
    }
}

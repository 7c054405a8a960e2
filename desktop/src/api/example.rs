//! An example neighbourhood to look around in: the eight ideas of Zawodzie, a part of Katowice (its participatory budget,
//! from Pabulib), in a profile that is gone when it is left.

use kiez_core::domain::id::GroupId;
use kiez_core::domain::poll::Method;
use kiez_core::domain::task::TaskDraft;
use kiez_core::host::keystore::{Home, Passphrase};
use kiez_core::host::node::Node;

use super::Fault;
use crate::failure::Failure;

const ZAWODZIE: &str = include_str!("../../../tests/fixtures/zawodzie.pb");

/// The folder of an example; dropping it removes it.
#[derive(Debug)]
pub(super) struct Example {
    _folder: tempfile::TempDir,
}

impl Example {
    /// Makes one.
    pub(super) fn make() -> Result<(Self, Node, Passphrase, GroupId), Fault> {
        let folder = tempfile::Builder::new()
            .prefix("kiez-example")
            .tempdir()
            .map_err(|error| Failure::io(&std::env::temp_dir(), &error))?;
        let home = Home::at(folder.path().join("profile"));
        let passphrase = Passphrase::new("an example");
        let node = Node::create(&home, "Ada", &passphrase)?;
        let group = node.found("Zawodzie", "What our part of town should become", &passphrase)?;
        let ideas = node.import_pabulib(group, ZAWODZIE)?;
        if let [first, second, ..] = ideas.as_slice() {
            node.comment(
                group,
                *first,
                "Who knows whom to ask at the town hall about this?",
            )?;
            node.open_poll(group, *first, Method::YesNo, vec![])?;
            let task = TaskDraft {
                title: "Ask the school whether we may meet there".to_owned(),
                assignees: [node.me().person].into(),
                due: None,
            };
            node.add_task(group, Some(*second), &task)?;
        }
        Ok((Self { _folder: folder }, node, passphrase, group))
    }
}

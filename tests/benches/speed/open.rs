//! After the key is derived: opening a profile and answering the first list of ideas, over loading all its documents.

use automerge::Automerge;
use kiez_core::host::node::Node;

use super::profiles::{Profiles, size_of, unlock};
use super::table::Table;
use super::{RUNS, median, milliseconds, timed};

/// The floor: Automerge loads every document of the group from its save, which lies in memory.
fn load_every_document(saves: &[Vec<u8>]) -> usize {
    saves
        .iter()
        .map(|save| Automerge::load(save).unwrap().get_heads().len())
        .sum()
}

/// The saves of all documents.
fn all_saves(profiles: &Profiles) -> Vec<Vec<u8>> {
    let node = Node::open_unlocked(unlock(&profiles.founder)).unwrap();
    node.with_group(profiles.group, |replica| {
        let documents = kiez_core::replica::storage::Storage::documents(replica.storage())?;
        let mut saves = Vec::new();
        for document in documents {
            saves.push(replica.document(document)?.save());
        }
        Ok::<_, kiez_core::host::node::NodeError>(saves)
    })
    .unwrap()
}

pub fn measure(profiles: &Profiles, table: &mut Table) {
    let saves = all_saves(profiles);
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let unlocked = unlock(&profiles.founder);
        let (opened, node) = timed(|| Node::open_unlocked(unlocked).unwrap());
        let (listed, ideas) = timed(|| node.ideas(profiles.group).unwrap());
        assert_eq!(ideas.len(), 300);
        drop(node);
        let (floor, _) = timed(|| load_every_document(&saves));
        runs.push((
            (opened + listed).as_secs_f64() / floor.as_secs_f64(),
            milliseconds(opened),
            milliseconds(listed),
            milliseconds(floor),
        ));
    }
    let (_, opened, listed, floor) = median(runs.clone());
    let ratio = median(runs.iter().map(|run| run.0).collect());
    table.ratio(
        "open a profile and list its ideas / load all documents",
        ratio,
        1.0 / 30.0,
        vec![
            format!("opened {opened:.1} ms, listed {listed:.1} ms; floor {floor:.0} ms"),
            format!(
                "{} documents; database {} KiB",
                saves.len(),
                size_of(profiles.founder.directory()) / 1024
            ),
        ],
    );
}

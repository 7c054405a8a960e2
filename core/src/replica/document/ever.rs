//! What was ever put into the maps of a document of which nothing can be taken back. Looking through all changes for it
//! takes longer than a commit, so it is made once and kept up to date.

use std::collections::BTreeMap;

use automerge::legacy::{Key, ObjectId, OpType};
use automerge::{Change, ObjId, ScalarValue};

/// The values of bytes that were put at each key, in the order of the changes; also those deleted or overwritten since.
pub(super) type Puts = BTreeMap<String, Vec<Vec<u8>>>;

/// The puts into some maps that the genesis created, each by the number of the operation that did.
#[derive(Debug, Clone, Default)]
pub(super) struct EverPut {
    maps: BTreeMap<u64, Puts>,
}

impl EverPut {
    /// Of these maps, up to now.
    pub(super) fn new(maps: impl Iterator<Item = ObjId>, changes: &[Change]) -> Self {
        let counters = maps.filter_map(|map| counter(&map));
        let mut ever = Self {
            maps: counters.map(|counter| (counter, Puts::new())).collect(),
        };
        for change in changes {
            ever.add(change);
        }
        ever
    }

    /// What a further change puts. One that was added before changes nothing.
    pub(super) fn add(&mut self, change: &Change) {
        for op in change.decode().operations {
            let ObjectId::Id(map) = &op.obj else { continue };
            if map.actor().to_bytes() != super::genesis::GENESIS_ACTOR {
                continue;
            }
            let puts = self.maps.get_mut(&map.counter());
            if let (Some(puts), Key::Map(key), OpType::Put(ScalarValue::Bytes(bytes))) =
                (puts, op.key, op.action)
            {
                let values = puts.entry(key.to_string()).or_default();
                if !values.contains(&bytes) {
                    values.push(bytes);
                }
            }
        }
    }

    /// The puts into a map. None where it is not one of those.
    pub(super) fn at(&self, map: &ObjId) -> Option<&Puts> {
        self.maps.get(&counter(map)?)
    }
}

/// The number of the operation that created an object; the root has none.
const fn counter(map: &ObjId) -> Option<u64> {
    match map {
        ObjId::Root => None,
        ObjId::Id(counter, ..) => Some(*counter),
    }
}

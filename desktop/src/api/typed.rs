//! What a page has typed, made what the engine takes.

use kiez_core::domain::cost::Cost;
use kiez_core::domain::id::{ChangeId, GroupId, ProposalId};
use kiez_core::domain::place;
use kiez_core::domain::splice;
use kiez_core::host::node::Node;
use serde_json::{Value, json};

use super::Fault;
use super::act::Splice;
use super::names::text;
use super::view::{Place, TextField};

pub(super) fn typed(
    node: &Node,
    group: GroupId,
    id: ProposalId,
    field: TextField,
    heads: &str,
    splices: Vec<Splice>,
) -> Result<Value, Fault> {
    let heads: Result<Vec<ChangeId>, _> = heads
        .split(',')
        .filter(|head| !head.is_empty())
        .map(str::parse)
        .collect();
    let heads = heads.map_err(|_| Fault::new("unknown-heads"))?;
    let splices: Vec<splice::Splice> = splices
        .into_iter()
        .map(|splice| splice::Splice {
            at: splice.at,
            delete: splice.delete,
            insert: splice.insert,
        })
        .collect();
    let now = node.splice_idea(group, id, field.into(), &heads, &splices)?;
    Ok(json!(text(&now)))
}

pub(super) fn cost(units: Option<u64>) -> Result<Option<Cost>, Fault> {
    let cost = units.map(|units| Cost::new(units).map_err(|_| Fault::new("does-not-fit")));
    cost.transpose()
}

/// A place on the map, to the millionth of a degree. What is none (too far north, not a number) does not fit.
pub(super) fn microdegrees(place: Option<Place>) -> Result<Option<place::Place>, Fault> {
    let Some(Place { lat, lon }) = place else {
        return Ok(None);
    };
    let place = place::Place::from_degrees(&format!("{lat:.6}"), &format!("{lon:.6}"));
    place.map(Some).map_err(|_| Fault::new("does-not-fit"))
}

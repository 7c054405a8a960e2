//! Which of two elements of a text comes first.
//!
//! Elements form a tree: each hangs on the one it was inserted after. The text is that tree read from the top, children
//! with the greater id first. The order of two elements is told by the branches in which their ways up part; nothing
//! inserted elsewhere changes it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::past::Place;
use super::rows::OpId;

/// The tree, as far as it can be asked.
pub(super) trait Elements {
    /// The number of the first element of the run that `element` is in, and what that first one hangs on. In a run each
    /// further element hangs on the one before it.
    fn run_start(&self, element: OpId) -> Option<(u32, Place)>;

    /// The order of two ids: by number, then by actor.
    fn compare_ids(&self, one: OpId, other: OpId) -> Ordering;
}

/// Where a way up passes a run.
#[derive(Debug, Clone, Copy)]
struct Pass {
    /// The element at which it comes into the run.
    at: u32,
    /// The first element of the branch it comes from; none where it begins.
    from: Option<OpId>,
}

/// A way from an element to the top, by runs.
struct Way {
    next: Option<(OpId, Option<OpId>)>,
    passed: BTreeMap<OpId, Pass>,
    /// The branch it came from when it reached the top.
    top: Option<OpId>,
}

impl Way {
    fn new(element: OpId) -> Self {
        Self {
            next: Some((element, None)),
            passed: BTreeMap::new(),
            top: None,
        }
    }

    /// Goes one run up; gives the run.
    fn step(&mut self, elements: &impl Elements) -> Option<OpId> {
        let (element, from) = self.next?;
        let (first, place) = elements.run_start(element)?;
        let run = OpId {
            actor: element.actor,
            number: first,
        };
        self.passed.insert(
            run,
            Pass {
                at: element.number,
                from,
            },
        );
        self.next = match place {
            Place::Head => {
                self.top = Some(run);
                None
            }
            Place::Element(parent) => Some((parent, Some(run))),
        };
        Some(run)
    }
}

/// Whether element `one` comes before element `other` of the same text. One is not before itself. `None` if `steps` ran
/// out.
pub(super) fn precedes(elements: &impl Elements, one: OpId, other: OpId, steps: &mut usize) -> Option<bool> {
    let (mut left, mut right) = (Way::new(one), Way::new(other));
    // Both ways in turn, so that neighbours in a long text meet soon.
    while left.next.is_some() || right.next.is_some() {
        *steps = steps.checked_sub(1)?;
        for run in [left.step(elements), right.step(elements)].into_iter().flatten() {
            if let (Some(l), Some(r)) = (left.passed.get(&run), right.passed.get(&run)) {
                return Some(part_in_run(elements, run, *l, *r));
            }
        }
    }
    // They part at the head.
    match (left.top, right.top) {
        (Some(l), Some(r)) => Some(elements.compare_ids(l, r) == Ordering::Greater),
        _ => Some(false),
    }
}

fn part_in_run(elements: &impl Elements, run: OpId, left: Pass, right: Pass) -> bool {
    // The branch that stays in the run goes on with the next element of it.
    let next = |at: u32| OpId {
        actor: run.actor,
        number: at.saturating_add(1),
    };
    let (left_branch, right_branch) = match left.at.cmp(&right.at) {
        Ordering::Equal => (left.from, right.from),
        Ordering::Less => (left.from, Some(next(left.at))),
        Ordering::Greater => (Some(next(right.at)), right.from),
    };
    match (left_branch, right_branch) {
        // One stands above the other: it comes first.
        (None, Some(_)) => true,
        (_, None) => false,
        (Some(l), Some(r)) => elements.compare_ids(l, r) == Ordering::Greater,
    }
}

//! R1: the past of an entry. For each journal, by its place, how far the past reaches; in a tree whose unchanged parts are
//! shared, so that the pasts of a thousand journals' entries cost what they differ by, and not a thousand numbers each.

use std::sync::Arc;

/// Branches of a node.
const FAN: usize = 16;
/// Levels of the tree: room for 16 to the sixth, 16 million places.
const LEVELS: u32 = 6;

/// How far something reaches in each journal: up to which number. Nothing in a journal that is not in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    root: Option<Arc<Node>>,
}

#[derive(Debug, Clone)]
enum Node {
    Inner([Option<Arc<Self>>; FAN]),
    Leaf([u64; FAN]),
}

impl Reach {
    /// Up to which number it reaches in the journal at a place.
    pub(super) fn get(&self, place: usize) -> u64 {
        let mut at = self.root.as_deref();
        for level in (0..LEVELS).rev() {
            match at {
                Some(Node::Inner(children)) => {
                    at = children.get(branch(place, level)).and_then(Option::as_deref);
                }
                Some(Node::Leaf(numbers)) => return numbers.get(branch(place, 0)).copied().unwrap_or(0),
                None => return 0,
            }
        }
        0
    }

    /// The same, and in one journal up to this number.
    #[must_use]
    pub(super) fn with(&self, place: usize, number: u64) -> Self {
        Self {
            root: Some(set(self.root.as_deref(), place, number, LEVELS.saturating_sub(1))),
        }
    }

    /// As far as one of both reaches.
    #[must_use]
    pub(super) fn join(mut self, other: &Self) -> Self {
        match (&mut self.root, &other.root) {
            (Some(mine), Some(theirs)) => absorb(mine, theirs),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(_), None) => {}
        }
        self
    }

    /// Where `self` reaches further: the place, from after which number, up to which.
    pub(super) fn beyond(&self, other: &Self, mut found: impl FnMut(usize, u64, u64)) {
        beyond(self.root.as_ref(), other.root.as_ref(), 0, &mut found);
    }
}

const fn branch(place: usize, level: u32) -> usize {
    (place >> level.saturating_mul(4)) & FAN.saturating_sub(1)
}

fn set(node: Option<&Node>, place: usize, number: u64, level: u32) -> Arc<Node> {
    if level == 0 {
        let mut numbers = match node {
            Some(Node::Leaf(numbers)) => *numbers,
            Some(Node::Inner(_)) | None => [0; FAN],
        };
        if let Some(here) = numbers.get_mut(branch(place, 0)) {
            *here = number.max(*here);
        }
        return Arc::new(Node::Leaf(numbers));
    }
    let mut children = match node {
        Some(Node::Inner(children)) => children.clone(),
        Some(Node::Leaf(_)) | None => Default::default(),
    };
    if let Some(child) = children.get_mut(branch(place, level)) {
        *child = Some(set(child.as_deref(), place, number, level.saturating_sub(1)));
    }
    Arc::new(Node::Inner(children))
}

/// Raises a tree to another, in place where nobody else holds it. What is not raised stays shared.
fn absorb(mine: &mut Arc<Node>, theirs: &Arc<Node>) {
    if !exceeds(theirs, mine) {
        return;
    }
    match (Arc::make_mut(mine), theirs.as_ref()) {
        (Node::Leaf(mine), Node::Leaf(theirs)) => {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = (*mine).max(*theirs);
            }
        }
        (Node::Inner(mine), Node::Inner(theirs)) => {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                match (mine, theirs) {
                    (Some(mine), Some(theirs)) => absorb(mine, theirs),
                    (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
                    (_, None) => {}
                }
            }
        }
        // All trees are of one height.
        (Node::Leaf(_), Node::Inner(_)) | (Node::Inner(_), Node::Leaf(_)) => {}
    }
}

/// Does a tree reach further than another somewhere?
fn exceeds(one: &Arc<Node>, other: &Arc<Node>) -> bool {
    if Arc::ptr_eq(one, other) {
        return false;
    }
    match (one.as_ref(), other.as_ref()) {
        (Node::Leaf(one), Node::Leaf(other)) => one.iter().zip(other).any(|(one, other)| one > other),
        (Node::Inner(one), Node::Inner(other)) => one.iter().zip(other).any(|pair| match pair {
            (Some(one), Some(other)) => exceeds(one, other),
            (Some(_), None) => true,
            (None, _) => false,
        }),
        (Node::Leaf(_), Node::Inner(_)) | (Node::Inner(_), Node::Leaf(_)) => false,
    }
}

fn same(one: Option<&Arc<Node>>, other: Option<&Arc<Node>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn beyond(
    mine: Option<&Arc<Node>>,
    theirs: Option<&Arc<Node>>,
    place: usize,
    found: &mut impl FnMut(usize, u64, u64),
) {
    let Some(node) = mine else { return };
    if same(mine, theirs) {
        return;
    }
    match node.as_ref() {
        Node::Leaf(numbers) => {
            let known = match theirs.map(Arc::as_ref) {
                Some(Node::Leaf(known)) => *known,
                Some(Node::Inner(_)) | None => [0; FAN],
            };
            for (index, (to, from)) in numbers.iter().zip(known).enumerate() {
                if *to > from {
                    found((place << 4) | index, from, *to);
                }
            }
        }
        Node::Inner(children) => {
            for (index, child) in children.iter().enumerate() {
                let known = match theirs.map(Arc::as_ref) {
                    Some(Node::Inner(known)) => known.get(index).and_then(Option::as_ref),
                    Some(Node::Leaf(_)) | None => None,
                };
                beyond(child.as_ref(), known, (place << 4) | index, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn reach(of: &BTreeMap<usize, u64>) -> Reach {
        let start = Reach::default();
        of.iter()
            .fold(start, |reach, (place, number)| reach.with(*place, *number))
    }

    fn maps() -> impl Strategy<Value = BTreeMap<usize, u64>> {
        prop::collection::btree_map(0_usize..400, 1_u64..9, 0..40)
    }

    proptest! {
        #[test]
        fn a_past_is_a_map_that_grows(one in maps(), other in maps()) {
            let joined = reach(&one).join(&reach(&other));
            for place in 0..400 {
                let number = |map: &BTreeMap<usize, u64>| map.get(&place).copied().unwrap_or(0);
                prop_assert_eq!(joined.get(place), number(&one).max(number(&other)));
            }
            let mut new = BTreeMap::new();
            joined.beyond(&reach(&one), |place, from, to| { new.insert(place, (from, to)); });
            for (place, number) in &other {
                let before = one.get(place).copied().unwrap_or(0);
                prop_assert_eq!(new.remove(place), (*number > before).then_some((before, *number)));
            }
            prop_assert!(new.is_empty());
        }
    }

    #[test]
    fn what_adds_nothing_shares_everything() {
        let one = reach(&BTreeMap::from([(1, 5), (70_000, 2)]));
        let less = reach(&BTreeMap::from([(70_000, 1)]));
        let joined = one.clone().join(&less);
        assert!(same(one.root.as_ref(), joined.root.as_ref()));
    }
}

//! An idea of a neighbour (in code: a proposal).

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::id::ProposalId;
use super::place::Place;

/// An idea as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// One line.
    pub title: String,
    /// The text written together.
    pub body: String,
    /// What it would cost, in whole units of the group's currency.
    pub cost: Option<Cost>,
    /// Where.
    pub place: Option<Place>,
    /// What it is about.
    pub categories: Vec<String>,
    /// For whom.
    pub targets: Vec<String>,
}

/// What a new idea starts with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
    /// What it would cost.
    pub cost: Option<Cost>,
    /// Where.
    pub place: Option<Place>,
    /// What it is about.
    pub categories: Vec<String>,
    /// For whom.
    pub targets: Vec<String>,
}

/// A text of an idea that people write together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextField {
    /// One line.
    Title,
    /// The text.
    Body,
}

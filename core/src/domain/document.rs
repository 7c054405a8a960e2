//! Which documents a group has, and how each is named.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{BoardId, HelpId, MeetingId, PersonId, ProposalId, StrategyId};

/// A document: its kind and which one of that kind. The order of the variants is the wire format's; only append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DocumentId {
    /// The group's name, purpose, areas, labels and relays.
    Group,
    /// A person's profile, comments, endorsements, attendance.
    Own(PersonId),
    /// A person's ballots, polls opened and closes signed; no text about a person, so it is never erased.
    Vote(PersonId),
    /// An idea.
    Proposal(ProposalId),
    /// A board of tasks.
    Board(BoardId),
    /// A meeting.
    Meeting(MeetingId),
    /// Needs and offers.
    Help(HelpId),
    /// Goals and measures.
    Strategy(StrategyId),
}

/// Who can have something erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eraser {
    /// Whose document it is.
    Owner(PersonId),
    /// The council.
    Council,
}

/// The kind of a document: what its genesis depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// See [`DocumentId::Group`].
    Group,
    /// See [`DocumentId::Own`].
    Own,
    /// See [`DocumentId::Vote`].
    Vote,
    /// See [`DocumentId::Proposal`].
    Proposal,
    /// See [`DocumentId::Board`].
    Board,
    /// See [`DocumentId::Meeting`].
    Meeting,
    /// See [`DocumentId::Help`].
    Help,
    /// See [`DocumentId::Strategy`].
    Strategy,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Group,
        Self::Own,
        Self::Vote,
        Self::Proposal,
        Self::Board,
        Self::Meeting,
        Self::Help,
        Self::Strategy,
    ];

    /// Its name in formats and on the screen of a developer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Own => "own",
            Self::Vote => "vote",
            Self::Proposal => "proposal",
            Self::Board => "board",
            Self::Meeting => "meeting",
            Self::Help => "help",
            Self::Strategy => "strategy",
        }
    }
}

impl DocumentId {
    /// Whose own document it is.
    #[must_use]
    pub const fn owner(&self) -> Option<PersonId> {
        if let Self::Own(person) = self {
            Some(*person)
        } else {
            None
        }
    }

    /// Whose consent it takes to erase what is in it; none where nothing of it is ever erased: votes stand.
    #[must_use]
    pub const fn erased_by(&self) -> Option<Eraser> {
        match self {
            Self::Own(person) => Some(Eraser::Owner(*person)),
            Self::Vote(_) => None,
            Self::Group
            | Self::Proposal(_)
            | Self::Board(_)
            | Self::Meeting(_)
            | Self::Help(_)
            | Self::Strategy(_) => Some(Eraser::Council),
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        match self {
            Self::Group => DocumentKind::Group,
            Self::Own(_) => DocumentKind::Own,
            Self::Vote(_) => DocumentKind::Vote,
            Self::Proposal(_) => DocumentKind::Proposal,
            Self::Board(_) => DocumentKind::Board,
            Self::Meeting(_) => DocumentKind::Meeting,
            Self::Help(_) => DocumentKind::Help,
            Self::Strategy(_) => DocumentKind::Strategy,
        }
    }

    /// The board that holds the tasks of an idea: it has the idea's id, so that everybody finds the same one.
    #[must_use]
    pub const fn board_of(proposal: ProposalId) -> Self {
        Self::Board(BoardId(proposal.0))
    }

    /// The board for tasks that belong to no idea.
    pub const GENERAL_BOARD: Self = Self::Board(BoardId([0; 16]));
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().name();
        match self {
            Self::Group => f.write_str(kind),
            Self::Own(person) | Self::Vote(person) => write!(f, "{kind}/{person}"),
            Self::Proposal(id) => write!(f, "{kind}/{id}"),
            Self::Board(id) => write!(f, "{kind}/{id}"),
            Self::Meeting(id) => write!(f, "{kind}/{id}"),
            Self::Help(id) => write!(f, "{kind}/{id}"),
            Self::Strategy(id) => write!(f, "{kind}/{id}"),
        }
    }
}

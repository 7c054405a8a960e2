//! The group's own rules.

use serde::{Deserialize, Serialize};

use super::id::PersonId;
use super::poll::Share;

/// What a member may do. The order is by what it allows, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Administration, experts, guests: may read and comment, not vote.
    Observer,
    /// A neighbour with every right but the stewards'.
    Member,
    /// A member who also keeps the group's own page and acts in council.
    Steward,
}

/// Who may invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inviters {
    /// Any member or steward.
    Members,
    /// Stewards only.
    Stewards,
}

/// Who counts a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counters {
    /// The person who opened it, alone. Right for a circle of friends; everybody can recount.
    Opener,
}

/// The rules a group was founded with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// Who may invite.
    pub inviters: Inviters,
    /// Who counts polls.
    pub counters: Counters,
    /// The share of the electors who must have cast a ballot for a result to bind.
    pub quorum: Share,
}

impl Charter {
    /// A circle of friends: any member invites, the opener counts, no quorum.
    #[must_use]
    pub const fn circle() -> Self {
        Self {
            inviters: Inviters::Members,
            counters: Counters::Opener,
            quorum: Share::NONE,
        }
    }

    /// May somebody of this role invite somebody into that role? Nobody is invited as a steward.
    #[must_use]
    pub const fn may_invite(&self, inviter: Role, invited: Role) -> bool {
        let allowed = match self.inviters {
            Inviters::Members => matches!(inviter, Role::Member | Role::Steward),
            Inviters::Stewards => matches!(inviter, Role::Steward),
        };
        allowed && !matches!(invited, Role::Steward)
    }

    /// Who counts a poll that this person opens.
    #[must_use]
    pub fn counters_of(&self, opener: PersonId) -> Vec<PersonId> {
        match self.counters {
            Counters::Opener => vec![opener],
        }
    }
}

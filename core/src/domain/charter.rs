//! The group's own rules: what stands in the founding, what the council may change, and the templates to begin with.

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::id::PersonId;
use super::poll::Share;

/// How many people an invitation can ask to have met whoever comes in.
pub const VOUCHERS_MAX: u8 = 20;

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

/// Who counts a poll. The order is the wire format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counters {
    /// The person who opened it, alone. Right for a circle of friends; everybody can recount.
    Opener,
    /// The stewards, of whom more than half must agree.
    Stewards,
}

/// How a jury that has money to give comes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jurors {
    /// Drawn by lot from all who may vote.
    Drawn,
    /// Named by the council.
    Named,
}

/// A fund that a citizens' jury gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fund {
    /// How its jurors are found.
    pub jurors: Jurors,
    /// The share of them who must live in the neighbourhood.
    pub residents: Share,
    /// What one project can get at most.
    pub cap: Option<Cost>,
}

/// The rules of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// Who may invite.
    pub inviters: Inviters,
    /// How many members besides the inviter must have met whoever comes in; never more than there are.
    pub vouchers: u8,
    /// Who counts polls.
    pub counters: Counters,
    /// The share of the electors who must have cast a ballot for a result to bind.
    pub quorum: Share,
    /// The fund, where the group has one.
    pub fund: Option<Fund>,
}

/// A charter to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// Friends and neighbours: any member invites, the opener counts.
    Circle,
    /// An association: stewards admit, the council removes, a quorum binds.
    Association,
    /// A citizens' jury with a fund.
    Jury,
}

/// One rule of the charter in its new wording. The order is the wire format's, and complete, as that of
/// [`CouncilAct`](super::control::CouncilAct).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amendment {
    /// Who may invite.
    Inviters(Inviters),
    /// How many must vouch.
    Vouchers(u8),
    /// Who counts.
    Counters(Counters),
    /// How many must take part.
    Quorum(Share),
    /// The fund.
    Fund(Option<Fund>),
}

/// Which rule an amendment is about. Amendments of different rules never touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// See [`Charter::inviters`].
    Inviters,
    /// See [`Charter::vouchers`].
    Vouchers,
    /// See [`Charter::counters`].
    Counters,
    /// See [`Charter::quorum`].
    Quorum,
    /// See [`Charter::fund`].
    Fund,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Circle, Self::Association, Self::Jury];

    /// The charter it stands for.
    #[must_use]
    pub fn charter(self) -> Charter {
        let circle = Charter {
            inviters: Inviters::Members,
            vouchers: 0,
            counters: Counters::Opener,
            quorum: Share::NONE,
            fund: None,
        };
        match self {
            Self::Circle => circle,
            Self::Association => Charter {
                inviters: Inviters::Stewards,
                counters: Counters::Stewards,
                quorum: share(1, 4),
                ..circle
            },
            Self::Jury => Charter {
                inviters: Inviters::Stewards,
                vouchers: 1,
                counters: Counters::Stewards,
                quorum: share(1, 2),
                fund: Some(Fund {
                    jurors: Jurors::Drawn,
                    residents: share(51, 100),
                    cap: Cost::new(5_000).ok(),
                }),
            },
        }
    }
}

const fn share(numerator: u32, denominator: u32) -> Share {
    Share {
        numerator,
        denominator,
    }
}

impl Charter {
    /// A circle of friends: any member invites, the opener counts, no quorum.
    #[must_use]
    pub fn circle() -> Self {
        Template::Circle.charter()
    }

    /// Can these be rules at all?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let fund = self.fund.is_none_or(|fund| fund.residents.is_valid());
        self.quorum.is_valid() && self.vouchers <= VOUCHERS_MAX && fund
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

    /// Who counts a poll that this person opens, given who the stewards are. Without a steward the opener does.
    #[must_use]
    pub fn counters_of(&self, opener: PersonId, stewards: Vec<PersonId>) -> Vec<PersonId> {
        match self.counters {
            Counters::Stewards if !stewards.is_empty() => stewards,
            Counters::Opener | Counters::Stewards => vec![opener],
        }
    }

    /// With one rule in its new wording.
    #[must_use]
    pub fn amended(mut self, amendment: &Amendment) -> Self {
        match amendment {
            Amendment::Inviters(inviters) => self.inviters = *inviters,
            Amendment::Vouchers(vouchers) => self.vouchers = *vouchers,
            Amendment::Counters(counters) => self.counters = *counters,
            Amendment::Quorum(quorum) => self.quorum = *quorum,
            Amendment::Fund(fund) => self.fund = *fund,
        }
        self
    }
}

impl Amendment {
    /// The rule it is about.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self {
            Self::Inviters(_) => Rule::Inviters,
            Self::Vouchers(_) => Rule::Vouchers,
            Self::Counters(_) => Rule::Counters,
            Self::Quorum(_) => Rule::Quorum,
            Self::Fund(_) => Rule::Fund,
        }
    }

    /// Can this be a rule at all?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        Charter::circle().amended(self).is_valid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid_and_differs_from_the_others() {
        let charters = Template::ALL.map(Template::charter);
        assert!(charters.iter().all(Charter::is_valid));
        assert_ne!(charters[0], charters[1]);
        assert_ne!(charters[1], charters[2]);
        assert_eq!(charters[0], Charter::circle());
    }

    #[test]
    fn an_amendment_changes_its_rule_and_no_other() {
        let amended = Charter::circle().amended(&Amendment::Vouchers(3));
        assert_eq!(amended.vouchers, 3);
        assert_eq!(amended.amended(&Amendment::Vouchers(0)), Charter::circle());
        assert!(!Amendment::Vouchers(VOUCHERS_MAX + 1).is_valid());
        let nonsense = Share {
            numerator: 2,
            denominator: 1,
        };
        assert!(!Amendment::Quorum(nonsense).is_valid());
    }
}

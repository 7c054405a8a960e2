//! The group's rules for a page: the charters to begin with, what they say, and how a rule is amended.

use kiez_core::domain::charter::{self, Charter};
use kiez_core::domain::cost::Cost;
use kiez_core::domain::poll;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;

use super::Fault;
use super::view::shown;

/// A fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    numerator: u32,
    denominator: u32,
}

shown!(
    /// Who may invite.
    Inviters(charter::Inviters), "kebab-case", Members, Stewards
);

shown!(
    /// Who counts votes.
    Counters(charter::Counters), "kebab-case", Opener, Stewards
);

shown!(
    /// How jurors are found.
    Jurors(charter::Jurors), "kebab-case", Drawn, Named
);

/// The fund that a jury gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fund {
    jurors: Jurors,
    residents: Share,
    #[ts(type = "number | null")]
    cap: Option<u64>,
}

shown!(
    /// A charter to begin with.
    Template(charter::Template), "kebab-case", Circle, Association, Jury
);

/// The rules. The page puts them into words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct CharterCard {
    /// The template it is, where nothing was changed.
    template: Option<Template>,
    inviters: Inviters,
    vouchers: u8,
    counters: Counters,
    quorum: Share,
    fund: Option<Fund>,
}

/// A rule in its new wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "rule", content = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Amendment {
    Inviters(Inviters),
    Vouchers(u8),
    Counters(Counters),
    Quorum(Share),
    Fund(Option<Fund>),
}

/// Answers the charters to begin with.
pub(super) fn templates() -> Value {
    json!(charter::Template::ALL.map(|named| charter_card(&named.charter())))
}

/// The charter of a template.
pub(super) fn template(template: Option<Template>) -> Charter {
    charter::Template::from(template.unwrap_or(Template::Circle)).charter()
}

/// The rules as they are shown.
pub(super) fn charter_card(charter: &Charter) -> CharterCard {
    let mut named = charter::Template::ALL.into_iter();
    CharterCard {
        template: named.find(|named| named.charter() == *charter).map(Into::into),
        inviters: charter.inviters.into(),
        vouchers: charter.vouchers,
        counters: charter.counters.into(),
        quorum: share(charter.quorum),
        fund: charter.fund.map(fund),
    }
}

const fn share(of: poll::Share) -> Share {
    Share {
        numerator: of.numerator,
        denominator: of.denominator,
    }
}

const fn share_of(of: Share) -> poll::Share {
    poll::Share {
        numerator: of.numerator,
        denominator: of.denominator,
    }
}

fn fund(of: charter::Fund) -> Fund {
    Fund {
        jurors: of.jurors.into(),
        residents: share(of.residents),
        cap: of.cap.map(u64::from),
    }
}

/// A rule as it is shown.
pub(super) fn amendment_shown(of: &charter::Amendment) -> Amendment {
    match of {
        charter::Amendment::Inviters(of) => Amendment::Inviters((*of).into()),
        charter::Amendment::Vouchers(of) => Amendment::Vouchers(*of),
        charter::Amendment::Counters(of) => Amendment::Counters((*of).into()),
        charter::Amendment::Quorum(of) => Amendment::Quorum(share(*of)),
        charter::Amendment::Fund(of) => Amendment::Fund(of.map(fund)),
    }
}

/// A rule as it was chosen.
///
/// # Errors
/// Where the most that a project gets is no amount.
pub(super) fn amendment_of(of: Amendment) -> Result<charter::Amendment, Fault> {
    let amendment = match of {
        Amendment::Inviters(of) => charter::Amendment::Inviters(of.into()),
        Amendment::Vouchers(of) => charter::Amendment::Vouchers(of),
        Amendment::Counters(of) => charter::Amendment::Counters(of.into()),
        Amendment::Quorum(of) => charter::Amendment::Quorum(share_of(of)),
        Amendment::Fund(of) => charter::Amendment::Fund(of.map(fund_of).transpose()?),
    };
    if amendment.is_valid() {
        Ok(amendment)
    } else {
        Err(Fault::new("does-not-fit"))
    }
}

fn fund_of(of: Fund) -> Result<charter::Fund, Fault> {
    let cap = of
        .cap
        .map(|cap| Cost::new(cap).map_err(|_| Fault::new("does-not-fit")));
    Ok(charter::Fund {
        jurors: of.jurors.into(),
        residents: share_of(of.residents),
        cap: cap.transpose()?,
    })
}

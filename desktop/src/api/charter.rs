//! The group's rules for a page: the charters to begin with, what they say, and how a rule is amended.

use kiez_core::domain::charter::{self, Charter};
use kiez_core::domain::cost::Cost;
use kiez_core::domain::poll;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;

use super::Fault;

/// A fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    numerator: u32,
    denominator: u32,
}

/// Who may invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Inviters {
    Members,
    Stewards,
}

/// Who counts votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Counters {
    Opener,
    Stewards,
}

/// How jurors are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Jurors {
    Drawn,
    Named,
}

/// The fund that a jury gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fund {
    jurors: Jurors,
    residents: Share,
    #[ts(type = "number | null")]
    cap: Option<u64>,
}

/// A charter to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Template {
    Circle,
    Association,
    Jury,
}

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
    let all = [Template::Circle, Template::Association, Template::Jury];
    let cards = all.map(|named| charter_card(&template(Some(named))));
    json!(cards)
}

/// The charter of a template.
pub(super) fn template(template: Option<Template>) -> Charter {
    let template = match template {
        None | Some(Template::Circle) => charter::Template::Circle,
        Some(Template::Association) => charter::Template::Association,
        Some(Template::Jury) => charter::Template::Jury,
    };
    template.charter()
}

/// The rules as they are shown.
pub(super) fn charter_card(charter: &Charter) -> CharterCard {
    let named = [Template::Circle, Template::Association, Template::Jury];
    CharterCard {
        template: named.into_iter().find(|named| template(Some(*named)) == *charter),
        inviters: inviters(charter.inviters),
        vouchers: charter.vouchers,
        counters: counters(charter.counters),
        quorum: share(charter.quorum),
        fund: charter.fund.map(fund),
    }
}

const fn inviters(of: charter::Inviters) -> Inviters {
    match of {
        charter::Inviters::Members => Inviters::Members,
        charter::Inviters::Stewards => Inviters::Stewards,
    }
}

const fn counters(of: charter::Counters) -> Counters {
    match of {
        charter::Counters::Opener => Counters::Opener,
        charter::Counters::Stewards => Counters::Stewards,
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
        jurors: match of.jurors {
            charter::Jurors::Drawn => Jurors::Drawn,
            charter::Jurors::Named => Jurors::Named,
        },
        residents: share(of.residents),
        cap: of.cap.map(u64::from),
    }
}

/// A rule as it is shown.
pub(super) fn amendment_shown(of: &charter::Amendment) -> Amendment {
    match of {
        charter::Amendment::Inviters(of) => Amendment::Inviters(inviters(*of)),
        charter::Amendment::Vouchers(of) => Amendment::Vouchers(*of),
        charter::Amendment::Counters(of) => Amendment::Counters(counters(*of)),
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
        Amendment::Inviters(Inviters::Members) => charter::Amendment::Inviters(charter::Inviters::Members),
        Amendment::Inviters(Inviters::Stewards) => charter::Amendment::Inviters(charter::Inviters::Stewards),
        Amendment::Vouchers(of) => charter::Amendment::Vouchers(of),
        Amendment::Counters(Counters::Opener) => charter::Amendment::Counters(charter::Counters::Opener),
        Amendment::Counters(Counters::Stewards) => charter::Amendment::Counters(charter::Counters::Stewards),
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
        jurors: match of.jurors {
            Jurors::Drawn => charter::Jurors::Drawn,
            Jurors::Named => charter::Jurors::Named,
        },
        residents: share_of(of.residents),
        cap: cap.transpose()?,
    })
}

//! What is said in a terminal about the group itself.

use kiez_core::domain::charter::{Charter, Counters, Inviters, Jurors};
use kiez_core::domain::control::{CouncilAct, Shown};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::PersonId;
use kiez_core::host::node::{
    Asking, DeviceCard, ErasedCard, FormerCard, Late, MotionCard, OpenInvitation, PlaceInGroup, PutOffCard,
};
use kiez_core::replica::erase_view::{Aspect, Left};

use super::{clean, line, role_name, short};
use crate::erase::{Titles, title_in};

/// The rules in plain words, a sentence a line.
pub(crate) fn charter(charter: &Charter) -> String {
    let mut sentences = vec![
        match charter.inviters {
            Inviters::Members => "Every member may invite neighbours.".to_owned(),
            Inviters::Stewards => "Only stewards may invite neighbours.".to_owned(),
        },
        match charter.vouchers {
            0 => "Whoever comes with an invitation is in.".to_owned(),
            1 => "One more member must have met whoever comes in.".to_owned(),
            number => format!("{number} more members must have met whoever comes in."),
        },
        match charter.counters {
            Counters::Opener => "Who opens a vote counts it; everybody can recount.".to_owned(),
            Counters::Stewards => {
                "The stewards count votes, and more than half of them must agree; everybody can recount."
                    .to_owned()
            }
        },
        if charter.quorum.numerator == 0 {
            "A result binds however many took part.".to_owned()
        } else {
            format!(
                "A result binds if at least {} of {} of those who could vote took part.",
                charter.quorum.numerator, charter.quorum.denominator
            )
        },
        "Removing somebody, naming stewards and changing these rules takes more than half of the stewards, or more than half of \
         those with voice."
            .to_owned(),
    ];
    if let Some(fund) = charter.fund {
        let jurors = match fund.jurors {
            Jurors::Drawn => "drawn by lot",
            Jurors::Named => "named by the council",
        };
        let cap = fund
            .cap
            .map_or_else(String::new, |cap| format!(" One project gets at most {cap}."));
        sentences.push(format!(
            "A fund is given away by a jury {jurors}, of whom at least {} of {} live here.{cap}",
            fund.residents.numerator, fund.residents.denominator
        ));
    }
    sentences.join("\n") + "\n"
}

/// What kind of act it is, in one word: also in JSON.
pub(crate) const fn act_name(act: &CouncilAct) -> &'static str {
    match act {
        CouncilAct::Confirm { .. } => "confirm",
        CouncilAct::Promote { .. } => "promote",
        CouncilAct::Demote { .. } => "demote",
        CouncilAct::Remove { .. } => "remove",
        CouncilAct::Revoke { .. } => "revoke",
        CouncilAct::Amend(_) => "amend",
        CouncilAct::Hide {
            shown: Shown::Hidden, ..
        } => "hide",
        CouncilAct::Hide {
            shown: Shown::Visible,
            ..
        } => "show",
        CouncilAct::Erase(_) => "erase",
    }
}

pub(crate) fn motion(
    card: &MotionCard,
    stewards: usize,
    voices: usize,
    name: &dyn Fn(PersonId) -> Option<String>,
) -> String {
    let about = card.about.map_or_else(String::new, |person| {
        format!(" {}", line(&name(person).unwrap_or_else(|| short(&person))))
    });
    let state = if card.carried {
        "has taken effect".to_owned()
    } else {
        format!(
            "signed by {} of {stewards} stewards, {} of {voices} with voice",
            card.stewards_signed, card.voices_signed
        )
    };
    format!(
        "{}  {}{about}  {state}  {}\n",
        short(&card.id),
        act_name(&card.motion.act),
        line(&card.motion.reason)
    )
}

/// What a motion would erase and leave, in lines below it.
pub(crate) fn outlook(card: &MotionCard, titles: &Titles) -> String {
    let Some(outlook) = &card.erases else {
        return String::new();
    };
    let of = title_in(outlook.document, titles).map_or_else(
        || outlook.document.kind().name().to_owned(),
        |title| format!("the idea \u{201c}{}\u{201d}", line(title)),
    );
    let entries = outlook.entries;
    let left = match &outlook.left {
        Left::Unknown => {
            "What would be left has not come here yet: it cannot be told. Better wait and meet others first."
                .to_owned()
        }
        Left::Nothing => "BEWARE: nothing would be left. It would be empty.".to_owned(),
        Left::Reads { differs, .. } if differs.is_empty() => {
            "What stands there now would be left.".to_owned()
        }
        Left::Reads { differs, .. } => {
            let all: Vec<&str> = differs.iter().copied().map(aspect).collect();
            format!(
                "BEWARE: what would be left is not what stands there now. Other: {}. `kiez motion show {}` shows it.",
                all.join(", "),
                short(&card.id)
            )
        }
    };
    let later = match outlook.later {
        0 => String::new(),
        number => format!("    {number} later changes are not in it: they would not count any more.\n"),
    };
    format!("    Of {of}, {entries} pieces would go. {left}\n{later}")
}

/// What would be left, as it would read.
pub(crate) fn left(card: &MotionCard) -> String {
    let Some(Left::Reads { idea: Some(idea), .. }) = card.erases.as_ref().map(|outlook| &outlook.left) else {
        return String::new();
    };
    let cost = idea.cost.map_or_else(|| "-".to_owned(), |cost| cost.to_string());
    let place = idea
        .place
        .map_or_else(|| "-".to_owned(), |place| place.to_string());
    format!(
        "\nIt would read:\n{}\ncost {cost}  place {place}\n\n{}\n",
        line(&idea.title),
        clean(&idea.body)
    )
}

const fn aspect(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Title => "the title",
        Aspect::Text => "the text",
        Aspect::Cost => "the cost",
        Aspect::Place => "the place",
        Aspect::Categories => "the categories",
        Aspect::Targets => "for whom it is",
        Aspect::Other => "something else in it",
    }
}

pub(crate) fn put_off(card: &PutOffCard, name: Option<&str>) -> String {
    let who = short(&card.person);
    format!(
        "{who}  {} has written more than one may at once: {} entries wait and are taken in little by little. If that is no mistake, the council can remove them.\n",
        name.map_or_else(|| "somebody".to_owned(), line),
        card.entries
    )
}

pub(crate) fn former(card: &FormerCard, name: Option<&str>) -> String {
    let how = match card.place {
        PlaceInGroup::Removed => "was removed",
        PlaceInGroup::Left => "has left",
        PlaceInGroup::Void | PlaceInGroup::Member | PlaceInGroup::DeviceOut => {
            "is not in the group: who let them in does not count any more"
        }
    };
    let beyond = match card.beyond {
        0 => String::new(),
        number => format!("; {number} things came after that, so they do not count"),
    };
    format!(
        "{}  {} {how}{beyond}\n",
        short(&card.person),
        name.map_or_else(|| "somebody".to_owned(), line)
    )
}

pub(crate) fn asking(asking: &Asking) -> String {
    format!(
        "{}  somebody whose screen shows {} asks to come in; {} have met them\n",
        short(&asking.id),
        asking.code,
        asking.vouched.len()
    )
}

pub(crate) fn open_invitation(card: &OpenInvitation) -> String {
    format!(
        "{}  {} by {}\n",
        short(&card.id),
        role_name(card.role),
        short(&card.by)
    )
}

pub(crate) fn device(card: &DeviceCard) -> String {
    let here = if card.here { " (this one)" } else { "" };
    format!("{}{here}  in {} groups\n", short(&card.device), card.groups)
}

pub(crate) fn erased(card: &ErasedCard, name: &dyn Fn(PersonId) -> Option<String>) -> String {
    let erased = &card.erased;
    let called = |person: &PersonId| line(&name(*person).unwrap_or_else(|| short(person)));
    let by: Vec<String> = erased.by.iter().map(called).collect();
    let of = if let DocumentId::Proposal(idea) = erased.document {
        format!("idea {}", short(&idea))
    } else if erased.document.owner().is_some() {
        "what is their own".to_owned()
    } else {
        erased.document.kind().name().to_owned()
    };
    let late = match (card.late.all, card.late.mine) {
        (0, _) => String::new(),
        (all, 0) => format!(
            "    {all} changes came too late: who wrote them did not know of it. They do not count.\n"
        ),
        (all, mine) => format!(
            "    {all} changes came too late, {mine} of them yours: `kiez erase late` shows them. They do not count.\n"
        ),
    };
    format!(
        "{}  {of}: erased by {}  {}\n{late}",
        short(&erased.act),
        by.join(", "),
        line(erased.reason.as_deref().unwrap_or_default())
    )
}

pub(crate) fn late(late: &Late) -> String {
    format!("{}  {}\n", late.document.kind().name(), line(&late.text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kiez_core::domain::control::{Erasure, Motion};
    use kiez_core::domain::id::{EntryId, ProposalId, Timestamp};
    use kiez_core::domain::proposal::Proposal;
    use kiez_core::replica::erase_view::Outlook;

    use super::*;

    const IDEA: ProposalId = ProposalId([1; 16]);

    fn to_sign(left: Left, later: usize) -> MotionCard {
        let document = DocumentId::Proposal(IDEA);
        let erasure = Erasure {
            document,
            entries: BTreeSet::new(),
            origin: None,
        };
        MotionCard {
            id: EntryId([2; 32]),
            by: PersonId([3; 32]),
            motion: Motion {
                act: CouncilAct::Erase(erasure),
                reason: String::new(),
                cut: std::collections::BTreeMap::new(),
                at: Timestamp(0),
            },
            about: None,
            signers: BTreeSet::new(),
            stewards_signed: 0,
            voices_signed: 0,
            carried: false,
            can_sign: true,
            erases: Some(Outlook {
                document,
                entries: 12,
                left,
                later,
            }),
        }
    }

    #[test]
    fn who_is_to_sign_an_erasure_is_told_what_would_be_left() {
        let titles = Titles::from([(IDEA, "Benches\u{202e}".to_owned())]);
        let idea = Proposal {
            id: IDEA,
            title: "Nothing\nat all".to_owned(),
            body: "Go home\u{1b}[2J".to_owned(),
            cost: None,
            place: None,
            categories: vec![],
            targets: vec![],
        };
        let reads = |differs| Left::Reads {
            idea: Some(idea.clone()),
            differs,
        };
        let told = |card: &MotionCard| outlook(card, &titles);
        let same = told(&to_sign(reads(BTreeSet::new()), 0));
        assert!(same.contains(
            "the idea \u{201c}Benches\u{201d}, 12 pieces would go. What stands there now would be left."
        ));
        let card = to_sign(reads(BTreeSet::from([Aspect::Title, Aspect::Text])), 2);
        let other = told(&card);
        for words in ["BEWARE", "Other: the title, the text.", "2 later changes"] {
            assert!(other.contains(words), "{other}");
        }
        assert!(left(&card).contains("It would read:\nNothing at all\n") && !left(&card).contains('\u{1b}'));
        assert!(told(&to_sign(Left::Nothing, 0)).contains("BEWARE: nothing would be left"));
        assert!(told(&to_sign(Left::Unknown, 0)).contains("it cannot be told"));
    }
}

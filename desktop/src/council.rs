//! The commands about the group itself: who is in it, its rules, what the council has before it.

use std::collections::BTreeMap;

use kiez_core::domain::charter::{Amendment, Charter, Counters, Fund, Inviters, Jurors, Role, Template};
use kiez_core::domain::control::{CouncilAct, Shown, Target};
use kiez_core::domain::cost::Cost;
use kiez_core::domain::id::{CommentId, DeviceId, EntryId, GroupId, PersonId};
use kiez_core::domain::poll::Share;
use kiez_core::host::node::{MotionCard, Node, PutOffCard, Wish};
use serde_json::{Value, json};

use crate::args::{
    CharterCommand, InvitationCommand, MotionCommand, PeopleCommand, ProposeArgs, ProposeCommand,
    TemplateName,
};
use crate::erase::{self, Titles};
use crate::execute::Answer;
use crate::failure::Failure;
use crate::{find, text};

/// `kiez people`.
pub(crate) fn people(node: &Node, group: GroupId, command: Option<PeopleCommand>) -> Result<Answer, Failure> {
    match command {
        None => {
            let people = node.people(group)?;
            Ok(Answer::new(json!(people), text::people(&people)))
        }
        Some(PeopleCommand::Former) => former(node, group),
        Some(PeopleCommand::PutOff) => put_off(node, group),
        Some(PeopleCommand::Asking) => asking(node, group),
        Some(PeopleCommand::Vouch { ask }) => {
            let all = node.council(group)?.asking;
            let ask = find::entry("request", &ask, all.into_iter().map(|asking| asking.id))?;
            Ok(Answer::id(node.vouch(group, ask)?))
        }
        Some(PeopleCommand::Leave { yes }) => {
            if !yes {
                return Err(Failure::usage(
                    "You are about to leave the group for everybody. What you have written stays; you write there no more. \
                     Say --yes if that is what you want.",
                ));
            }
            node.leave(group)?;
            Ok(Answer::new(
                json!({"group": group}),
                "You have left. What you have written stays with the others, and what was there until now stays here.\n",
            ))
        }
    }
}

fn former(node: &Node, group: GroupId) -> Result<Answer, Failure> {
    let names = node.former_names(group)?;
    let former = node.council(group)?.former;
    let name = |person: &PersonId| names.get(person).cloned().flatten();
    let json: Vec<Value> = former
        .iter()
        .map(|card| {
            json!({
                "id": card.person, "name": name(&card.person), "how": card.place, "motion": card.motion, "beyond": card.beyond,
            })
        })
        .collect();
    let lines = former
        .iter()
        .map(|card| text::former(card, name(&card.person).as_deref()))
        .collect::<String>();
    Ok(Answer::new(json!(json), lines))
}

fn put_off(node: &Node, group: GroupId) -> Result<Answer, Failure> {
    let mut names = node.former_names(group)?;
    names.extend(node.people(group)?.into_iter().map(|card| (card.id, card.name)));
    let cards = node.council(group)?.put_off;
    let name = |card: &PutOffCard| names.get(&card.person).cloned().flatten();
    let json: Vec<Value> = cards
        .iter()
        .map(|card| {
            json!({
                "id": card.person, "name": name(card), "entries": card.entries, "since": card.since, "until": card.until,
            })
        })
        .collect();
    let lines: String = cards
        .iter()
        .map(|card| text::put_off(card, name(card).as_deref()))
        .collect();
    Ok(Answer::new(json!(json), lines))
}

fn asking(node: &Node, group: GroupId) -> Result<Answer, Failure> {
    let asking = node.council(group)?.asking;
    let json: Vec<Value> = asking
        .iter()
        .map(|ask| json!({"id": ask.id, "person": ask.person, "code": ask.code, "vouched": ask.vouched}))
        .collect();
    let lines: String = asking.iter().map(text::asking).collect();
    Ok(Answer::new(json!(json), lines))
}

/// `kiez charter`.
pub(crate) fn charter(
    node: &Node,
    group: impl FnOnce() -> Result<GroupId, Failure>,
    command: Option<CharterCommand>,
) -> Result<Answer, Failure> {
    match command {
        None | Some(CharterCommand::Show) => {
            let charter = node.council(group()?)?.charter;
            Ok(Answer::new(charter_json(&charter), text::charter(&charter)))
        }
        Some(CharterCommand::Templates) => {
            let all = Template::ALL.map(Template::charter);
            let json: Vec<Value> = all.iter().map(charter_json).collect();
            let lines: Vec<String> = Template::ALL
                .iter()
                .zip(&all)
                .map(|(template, charter)| {
                    format!("{}\n{}", template_name(*template), text::charter(charter))
                })
                .collect();
            Ok(Answer::new(json!(json), lines.join("\n")))
        }
    }
}

/// The charter that is meant.
pub(crate) fn template(name: TemplateName) -> Charter {
    match name {
        TemplateName::Circle => Template::Circle,
        TemplateName::Association => Template::Association,
        TemplateName::Jury => Template::Jury,
    }
    .charter()
}

const fn template_name(template: Template) -> &'static str {
    match template {
        Template::Circle => "circle",
        Template::Association => "association",
        Template::Jury => "jury",
    }
}

fn charter_json(charter: &Charter) -> Value {
    let template = Template::ALL.into_iter().find(|of| of.charter() == *charter);
    let sentences: Vec<String> = text::charter(charter).lines().map(str::to_owned).collect();
    json!({
        "template": template.map(template_name),
        "inviters": charter.inviters,
        "vouchers": charter.vouchers,
        "counters": charter.counters,
        "quorum": share(charter.quorum),
        "fund": charter.fund.map(|fund| json!({
            "jurors": fund.jurors, "residents": share(fund.residents), "cap": fund.cap,
        })),
        "text": sentences,
    })
}

fn share(share: Share) -> String {
    format!("{}/{}", share.numerator, share.denominator)
}

/// `kiez invitation`.
pub(crate) fn invitation(
    node: &Node,
    group: GroupId,
    command: &InvitationCommand,
) -> Result<Answer, Failure> {
    let open = node.council(group)?.invitations;
    match command {
        InvitationCommand::List => {
            let json: Vec<Value> = open
                .iter()
                .map(|card| json!({"id": card.id, "by": card.by, "role": card.role, "expires": card.expires}))
                .collect();
            let lines: String = open.iter().map(text::open_invitation).collect();
            Ok(Answer::new(json!(json), lines))
        }
        InvitationCommand::Withdraw { id } => {
            let id = find::entry("invitation", id, open.into_iter().map(|card| card.id))?;
            node.withdraw(group, id)?;
            Ok(Answer::id(id))
        }
    }
}

/// `kiez device list`.
pub(crate) fn devices(node: &Node) -> Result<Answer, Failure> {
    let devices = node.devices()?;
    let json: Vec<Value> = devices
        .iter()
        .map(|card| json!({"device": card.device, "here": card.here, "groups": card.groups}))
        .collect();
    let lines: String = devices.iter().map(text::device).collect();
    Ok(Answer::new(json!(json), lines))
}

/// `kiez device retire`.
pub(crate) fn retire(node: &Node, device: &str) -> Result<Answer, Failure> {
    let all = node.devices()?.into_iter().map(|card| card.device);
    let device: DeviceId = find::unique("computer", device, all)?;
    let groups = node.retire_device(device)?;
    Ok(Answer::new(
        json!({"device": device, "groups": groups}),
        format!(
            "It may not write any more, in {groups} groups. What is written from now on it cannot read.\n"
        ),
    ))
}

/// `kiez motion`.
pub(crate) fn motion(node: &Node, group: GroupId, command: MotionCommand) -> Result<Answer, Failure> {
    match command {
        MotionCommand::List => {
            let council = node.council(group)?;
            let (stewards, voices) = (council.stewards.len(), council.voices.len());
            let titles = erase::titles(node, group)?;
            let json: Vec<Value> = council
                .motions
                .iter()
                .map(|card| motion_json(card, stewards, voices, &titles))
                .collect();
            let names = names(node, group)?;
            let name = |person: PersonId| names.get(&person).cloned().flatten();
            let lines: String = council
                .motions
                .iter()
                .map(|card| text::motion(card, stewards, voices, &name) + &text::outlook(card, &titles))
                .collect();
            Ok(Answer::new(json!(json), lines))
        }
        MotionCommand::Show { id } => {
            let council = node.council(group)?;
            let id = find::entry("motion", &id, council.motions.iter().map(|card| card.id))?;
            let (stewards, voices) = (council.stewards.len(), council.voices.len());
            let titles = erase::titles(node, group)?;
            let names = names(node, group)?;
            let name = |person: PersonId| names.get(&person).cloned().flatten();
            let card = council.motions.iter().find(|card| card.id == id);
            let json = card.map_or(Value::Null, |card| motion_json(card, stewards, voices, &titles));
            let lines = card.map_or_else(String::new, |card| {
                text::motion(card, stewards, voices, &name)
                    + &text::outlook(card, &titles)
                    + &text::left(card)
            });
            Ok(Answer::new(json, lines))
        }
        MotionCommand::Sign { id } => {
            let all = node.council(group)?.motions.into_iter().map(|card| card.id);
            let id = find::entry("motion", &id, all)?;
            node.sign(group, id)?;
            standing(node, group, id)
        }
        MotionCommand::Propose(ProposeArgs { what, reason }) => {
            let wish = wish(node, group, what)?;
            let id = node.wish(group, &wish, &reason)?;
            standing(node, group, id)
        }
    }
}

/// What everybody is called who is or was in the group.
pub(crate) fn names(node: &Node, group: GroupId) -> Result<BTreeMap<PersonId, Option<String>>, Failure> {
    let mut names = node.former_names(group)?;
    names.extend(node.people(group)?.into_iter().map(|card| (card.id, card.name)));
    Ok(names)
}

/// How a motion stands after something was done about it.
pub(crate) fn standing(node: &Node, group: GroupId, id: EntryId) -> Result<Answer, Failure> {
    let council = node.council(group)?;
    let card = council.motions.iter().find(|card| card.id == id);
    let carried = card.is_some_and(|card| card.carried);
    let text = if carried {
        format!("{id}\nIt has taken effect.\n")
    } else {
        format!(
            "{id}\nIt waits for more signatures: more than half of the stewards, or of those with voice.\n"
        )
    };
    let titles = erase::titles(node, group)?;
    let json = card.map_or(Value::Null, |card| {
        motion_json(card, council.stewards.len(), council.voices.len(), &titles)
    });
    Ok(Answer::new(json, text))
}

fn motion_json(card: &MotionCard, stewards: usize, voices: usize, titles: &Titles) -> Value {
    json!({
        "id": card.id,
        "kind": text::act_name(&card.motion.act),
        "person": card.about,
        "act": act_json(&card.motion.act),
        "reason": card.motion.reason,
        "by": card.by,
        "at": card.motion.at,
        "signers": card.signers,
        "stewards_signed": card.stewards_signed,
        "stewards": stewards,
        "voices_signed": card.voices_signed,
        "voices": voices,
        "state": if card.carried { "carried" } else { "open" },
        "can_sign": card.can_sign,
        "erases": card.erases.as_ref().map(|outlook| erase::outlook(outlook, titles)),
    })
}

fn act_json(act: &CouncilAct) -> Value {
    match act {
        CouncilAct::Confirm { membership } | CouncilAct::Remove { membership } => {
            json!({"membership": membership})
        }
        CouncilAct::Promote { membership, role } => json!({"membership": membership, "role": role}),
        CouncilAct::Demote { tenure } => json!({"tenure": tenure}),
        CouncilAct::Revoke { invite } => json!({"invitation": invite}),
        CouncilAct::Amend(amendment) => amendment_json(amendment),
        CouncilAct::Erase(erasure) => erase::place(erasure.document),
        CouncilAct::Hide { target, shown } => {
            let visible = matches!(shown, Shown::Visible);
            match target {
                Target::Idea(id) => json!({"idea": id, "visible": visible}),
                Target::Comment { author, comment } => {
                    json!({"comment": comment, "author": author, "visible": visible})
                }
            }
        }
    }
}

fn amendment_json(amendment: &Amendment) -> Value {
    let amended = charter_json(&Charter::circle().amended(amendment));
    let (rule, to) = match amendment {
        Amendment::Inviters(_) => ("inviters", amended.get("inviters")),
        Amendment::Vouchers(_) => ("vouchers", amended.get("vouchers")),
        Amendment::Counters(_) => ("counters", amended.get("counters")),
        Amendment::Quorum(_) => ("quorum", amended.get("quorum")),
        Amendment::Fund(_) => ("fund", amended.get("fund")),
    };
    json!({"rule": rule, "to": to})
}

fn wish(node: &Node, group: GroupId, what: ProposeCommand) -> Result<Wish, Failure> {
    let person = |wanted: &str| find::person(node, group, wanted);
    Ok(match what {
        ProposeCommand::Confirm { person: wanted } => Wish::Confirm(person(&wanted)?),
        ProposeCommand::Steward { person: wanted } => Wish::Promote(person(&wanted)?, Role::Steward),
        ProposeCommand::Member { person: wanted } => {
            let id = person(&wanted)?;
            let people = node.people(group)?;
            let is_steward = people
                .iter()
                .any(|card| card.id == id && card.role == Role::Steward);
            if is_steward {
                Wish::Demote(id, Role::Member)
            } else {
                Wish::Promote(id, Role::Member)
            }
        }
        ProposeCommand::Observer { person: wanted } => Wish::Demote(person(&wanted)?, Role::Observer),
        ProposeCommand::Remove { person: wanted } => Wish::Remove(person(&wanted)?),
        ProposeCommand::Revoke { invitation } => {
            let open = node.council(group)?.invitations.into_iter().map(|card| card.id);
            Wish::Revoke(find::entry("invitation", &invitation, open)?)
        }
        ProposeCommand::Charter { rule } => Wish::Amend(amendment(&rule)?),
        ProposeCommand::Hide { idea, comment } => Wish::Hide(target(node, group, &idea, comment.as_deref())?),
        ProposeCommand::Show { idea, comment } => Wish::Show(target(node, group, &idea, comment.as_deref())?),
    })
}

fn target(node: &Node, group: GroupId, idea: &str, comment: Option<&str>) -> Result<Target, Failure> {
    let idea = find::idea(node, group, idea)?;
    let Some(comment) = comment else {
        return Ok(Target::Idea(idea));
    };
    let comments = node.idea(group, idea)?.comments;
    let id: CommentId = find::unique("comment", comment, comments.iter().map(|row| row.id))?;
    let author = comments.iter().find(|row| row.id == id).map(|row| row.author);
    author
        .map(|author| Target::Comment { author, comment: id })
        .ok_or_else(|| Failure::usage("There is no such comment here."))
}

/// A rule in its new wording, as it is typed.
fn amendment(words: &[String]) -> Result<Amendment, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let amendment = match words.as_slice() {
        ["inviters", "members"] => Some(Amendment::Inviters(Inviters::Members)),
        ["inviters", "stewards"] => Some(Amendment::Inviters(Inviters::Stewards)),
        ["vouchers", number] => number.parse().ok().map(Amendment::Vouchers),
        ["counters", "opener"] => Some(Amendment::Counters(Counters::Opener)),
        ["counters", "stewards"] => Some(Amendment::Counters(Counters::Stewards)),
        ["quorum", fraction] => fraction_of(fraction).map(Amendment::Quorum),
        ["fund", "none"] => Some(Amendment::Fund(None)),
        ["fund", jurors, residents, rest @ ..] => {
            fund(jurors, residents, rest).map(|fund| Amendment::Fund(Some(fund)))
        }
        _ => None,
    };
    amendment.filter(Amendment::is_valid).ok_or_else(|| {
        Failure::usage(
            "A rule is one of: inviters members|stewards, vouchers N (at most 20), counters opener|stewards, quorum N/M, fund none, \
             fund drawn|named N/M [CAP].",
        )
    })
}

fn fraction_of(text: &str) -> Option<Share> {
    let (numerator, denominator) = text.split_once('/')?;
    Some(Share {
        numerator: numerator.parse().ok()?,
        denominator: denominator.parse().ok()?,
    })
}

fn fund(jurors: &str, residents: &str, rest: &[&str]) -> Option<Fund> {
    let jurors = match jurors {
        "drawn" => Jurors::Drawn,
        "named" => Jurors::Named,
        _ => return None,
    };
    let cap: Option<Cost> = match rest {
        [] => None,
        [cap] => Some(cap.parse().ok()?),
        _ => return None,
    };
    Some(Fund {
        jurors,
        residents: fraction_of(residents)?,
        cap,
    })
}

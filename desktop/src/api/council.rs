//! How the group governs itself, for a page: what it is told, and what it may do about that.

use kiez_core::domain::control;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{CommentId, DeviceId, EntryId, GroupId, PersonId, ProposalId, Timestamp};
use kiez_core::host::node::{self, Node, PlaceInGroup};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;

use super::Fault;
use super::charter::{Amendment, CharterCard, amendment_of, amendment_shown, charter_card};
use super::erase::{self, ErasedCard, ErasesCard, LateCard};
use super::names::Names;
use super::view::{IdeaRef, Person, Role, shown};

/// What can be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Hideable {
    Idea {
        #[ts(type = "string")]
        id: ProposalId,
    },
    Comment {
        #[ts(type = "string")]
        author: PersonId,
        #[ts(type = "string")]
        id: CommentId,
    },
}

/// What somebody wants the council to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Wish {
    /// Give somebody voice.
    Confirm {
        #[ts(type = "string")]
        person: PersonId,
    },
    /// Give somebody a role: steward, or member who was an observer.
    Promote {
        #[ts(type = "string")]
        person: PersonId,
        role: Role,
    },
    /// Leave somebody with this role and no stronger one.
    Demote {
        #[ts(type = "string")]
        person: PersonId,
        role: Role,
    },
    Remove {
        #[ts(type = "string")]
        person: PersonId,
    },
    Revoke {
        #[ts(type = "string")]
        invitation: EntryId,
    },
    Amend {
        amendment: Amendment,
    },
    Hide {
        target: Hideable,
    },
    Show {
        target: Hideable,
    },
    /// What stood in an idea before is erased; what stands there now stays.
    Erase {
        #[ts(type = "string")]
        idea: ProposalId,
    },
}

/// How far a motion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MotionState {
    Open,
    Carried,
}

/// A motion.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MotionCard {
    #[ts(type = "string")]
    id: EntryId,
    /// What it is about; null where that is a role or an invitation that is not here any more.
    wish: Option<Wish>,
    about: Option<Person>,
    /// The idea that it is about, or in which the comment stands.
    idea: Option<IdeaRef>,
    /// The comment that it is about.
    words: Option<String>,
    by: Person,
    reason: String,
    #[ts(type = "number")]
    at: Timestamp,
    signers: Vec<Person>,
    state: MotionState,
    /// How many stewards and how many with voice have signed; more than half of either is enough.
    stewards_signed: usize,
    voices_signed: usize,
    can_sign: bool,
    /// What it would erase and leave, while it is open.
    erases: Option<ErasesCard>,
}

shown!(
    /// Where somebody stands. `device-out`: in the group, but not with this device. `void`: whoever let them in does not count
    /// any more.
    Standing(PlaceInGroup), "kebab-case", Member, Removed, Left, DeviceOut, Void
);

/// Somebody who has gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct FormerCard {
    person: Person,
    how: Standing,
    #[ts(type = "string | null")]
    motion: Option<EntryId>,
    /// How much came from them after that and does not count.
    beyond: usize,
}

/// Somebody of whom more is offered than one may write: it is not taken in yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct PutOffCard {
    person: Person,
    #[ts(type = "number")]
    entries: u64,
    #[ts(type = "number")]
    since: Timestamp,
    /// When more is taken in.
    #[ts(type = "number")]
    until: Timestamp,
}

/// Somebody who asks to come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct AskingCard {
    #[ts(type = "string")]
    id: EntryId,
    /// The digits on their screen.
    code: String,
    vouched: Vec<Person>,
    /// Have I?
    mine: bool,
}

/// An invitation that nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct InvitationCard {
    #[ts(type = "string")]
    id: EntryId,
    by: Person,
    role: Role,
    #[ts(type = "number")]
    expires: Timestamp,
}

/// Something hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct HiddenCard {
    target: Hideable,
    #[ts(type = "string")]
    motion: EntryId,
    reason: String,
}

/// How the group governs itself.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Council {
    charter: CharterCard,
    /// Where this person stands.
    me: Standing,
    steward: bool,
    voice: bool,
    stewards: Vec<Person>,
    voices: Vec<Person>,
    /// The newest first.
    motions: Vec<MotionCard>,
    former: Vec<FormerCard>,
    put_off: Vec<PutOffCard>,
    asking: Vec<AskingCard>,
    invitations: Vec<InvitationCard>,
    hidden: Vec<HiddenCard>,
    /// The newest first.
    erased: Vec<ErasedCard>,
    /// What I wrote before I knew of it, and does not count.
    late: Vec<LateCard>,
    /// Whose profile was copied and written on twice.
    copied: Vec<Person>,
    /// Nobody can act for the group any more.
    stuck: bool,
    needs_update: bool,
}

/// A device of this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct DeviceCard {
    #[ts(type = "string")]
    device: DeviceId,
    here: bool,
    /// In how many groups it is.
    groups: usize,
}

/// Answers how a group governs itself.
pub(super) fn council(node: &Node, group: GroupId) -> Result<Value, Fault> {
    let names = Names::of(node, group)?;
    let council = node.council(group)?;
    let motions = council.motions.into_iter();
    let motions: Result<Vec<_>, Fault> = motions
        .map(|card| motion_card(card, node, group, &names))
        .collect();
    let shown = Council {
        charter: charter_card(&council.charter),
        me: council.place.into(),
        steward: council.steward,
        voice: council.voice,
        stewards: names.persons(council.stewards),
        voices: names.persons(council.voices),
        motions: motions?,
        former: council
            .former
            .into_iter()
            .map(|card| FormerCard {
                person: names.person(card.person),
                how: card.place.into(),
                motion: card.motion,
                beyond: card.beyond,
            })
            .collect(),
        put_off: council
            .put_off
            .into_iter()
            .map(|card| PutOffCard {
                person: names.person(card.person),
                entries: card.entries,
                since: card.since,
                until: card.until,
            })
            .collect(),
        asking: council
            .asking
            .into_iter()
            .map(|asking| AskingCard {
                id: asking.id,
                code: asking.code,
                mine: asking.vouched.contains(&node.me().person),
                vouched: names.persons(asking.vouched),
            })
            .collect(),
        invitations: council
            .invitations
            .into_iter()
            .map(|card| InvitationCard {
                id: card.id,
                by: names.person(card.by),
                role: card.role.into(),
                expires: card.expires,
            })
            .collect(),
        hidden: council
            .hidden
            .into_iter()
            .map(|card| HiddenCard {
                target: hideable(card.target),
                motion: card.motion,
                reason: card.reason,
            })
            .collect(),
        erased: erase::erased(node, group, &names)?,
        late: erase::late(node, group, &names)?,
        copied: names.persons(council.copied),
        stuck: council.stuck,
        needs_update: council.needs_update,
    };
    Ok(json!(shown))
}

/// Answers which devices this person has.
pub(super) fn devices(node: &Node) -> Result<Value, Fault> {
    let cards = node.devices()?.into_iter().map(|card| DeviceCard {
        device: card.device,
        here: card.here,
        groups: card.groups,
    });
    Ok(json!(cards.collect::<Vec<_>>()))
}

/// Proposes a wish; answers the motion's id.
pub(super) fn propose(node: &Node, group: GroupId, wish: Wish, reason: &str) -> Result<EntryId, Fault> {
    Ok(node.wish(group, &wish_of(wish)?, reason)?)
}

fn wish_of(wish: Wish) -> Result<node::Wish, Fault> {
    Ok(match wish {
        Wish::Confirm { person } => node::Wish::Confirm(person),
        Wish::Promote { person, role } => node::Wish::Promote(person, role.into()),
        Wish::Demote { person, role } => node::Wish::Demote(person, role.into()),
        Wish::Remove { person } => node::Wish::Remove(person),
        Wish::Revoke { invitation } => node::Wish::Revoke(invitation),
        Wish::Amend { amendment } => node::Wish::Amend(amendment_of(amendment)?),
        Wish::Hide { target } => node::Wish::Hide(target_of(target)),
        Wish::Show { target } => node::Wish::Show(target_of(target)),
        Wish::Erase { idea } => node::Wish::Erase(DocumentId::Proposal(idea)),
    })
}

fn motion_card(
    card: node::MotionCard,
    node: &Node,
    group: GroupId,
    names: &Names<'_>,
) -> Result<MotionCard, Fault> {
    let mut idea = None;
    let mut words = None;
    if let control::CouncilAct::Erase(erasure) = &card.motion.act
        && let DocumentId::Proposal(id) = erasure.document
    {
        idea = names.idea(id);
    }
    if let control::CouncilAct::Hide { target, .. } = &card.motion.act {
        match target {
            control::Target::Idea(id) => idea = names.idea(*id),
            control::Target::Comment { author, comment } => {
                if let Some((about, text)) = node.comment_of(group, *author, *comment)? {
                    idea = names.idea(about);
                    words = Some(text);
                }
            }
        }
    }
    Ok(MotionCard {
        id: card.id,
        wish: wish_shown(&card.motion.act, card.about),
        idea,
        words,
        about: card.about.map(|person| names.person(person)),
        by: names.person(card.by),
        reason: card.motion.reason,
        at: card.motion.at,
        signers: names.persons(card.signers),
        state: if card.carried {
            MotionState::Carried
        } else {
            MotionState::Open
        },
        stewards_signed: card.stewards_signed,
        voices_signed: card.voices_signed,
        can_sign: card.can_sign,
        erases: card.erases.map(erase::erases),
    })
}

fn wish_shown(act: &control::CouncilAct, about: Option<PersonId>) -> Option<Wish> {
    use control::CouncilAct as Act;
    Some(match act {
        Act::Confirm { .. } => Wish::Confirm { person: about? },
        Act::Promote { role, .. } => Wish::Promote {
            person: about?,
            role: (*role).into(),
        },
        Act::Demote { .. } => Wish::Demote {
            person: about?,
            role: Role::Member,
        },
        Act::Remove { .. } => Wish::Remove { person: about? },
        Act::Revoke { invite } => Wish::Revoke { invitation: *invite },
        Act::Amend(amendment) => Wish::Amend {
            amendment: amendment_shown(amendment),
        },
        Act::Erase(erasure) => match erasure.document {
            DocumentId::Proposal(idea) => Wish::Erase { idea },
            // The page has no word for the others, which no page proposes.
            DocumentId::Group
            | DocumentId::Own(_)
            | DocumentId::Vote(_)
            | DocumentId::Board(_)
            | DocumentId::Meeting(_)
            | DocumentId::Help(_)
            | DocumentId::Strategy(_) => return None,
        },
        Act::Hide { target, shown } => {
            let target = hideable(*target);
            match shown {
                control::Shown::Hidden => Wish::Hide { target },
                control::Shown::Visible => Wish::Show { target },
            }
        }
    })
}

const fn hideable(target: control::Target) -> Hideable {
    match target {
        control::Target::Idea(id) => Hideable::Idea { id },
        control::Target::Comment { author, comment } => Hideable::Comment { author, id: comment },
    }
}

const fn target_of(target: Hideable) -> control::Target {
    match target {
        Hideable::Idea { id } => control::Target::Idea(id),
        Hideable::Comment { author, id } => control::Target::Comment { author, comment: id },
    }
}

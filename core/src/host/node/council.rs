//! How the group governs itself: what the council has before it, who has gone, what is hidden, which devices are mine.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::charter::{Amendment, Charter, Role};
use crate::domain::control::{ControlAct, CouncilAct, Motion, Shown, Target};
use crate::domain::document::DocumentId;
use crate::domain::id::{CommentId, DeviceId, EntryId, GroupId, PersonId, ProposalId, Timestamp};
use crate::domain::roster::Roster;
use crate::host::store::GroupStore;
use crate::replica::actions::ActionError;
use crate::replica::erase_view::Outlook;
use crate::replica::hold::Replica;
use crate::replica::join::asking_code;
use crate::replica::storage::StorageError;

use super::outside::{FormerCard, PutOffCard, former, gone, put_off};
use super::{Node, NodeError, now};

/// Where somebody stands in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In it.
    Member,
    /// The council removed them.
    Removed,
    /// They left.
    Left,
    /// They are in it, and this device is not: it was retired, or waits to be enrolled again.
    DeviceOut,
    /// Whoever let them in does not count any more.
    Void,
}

/// A motion as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MotionCard {
    /// Its entry.
    pub id: EntryId,
    /// Who proposed it.
    pub by: PersonId,
    /// What it says.
    pub motion: Motion,
    /// Whom it is about.
    pub about: Option<PersonId>,
    /// Who has signed.
    pub signers: BTreeSet<PersonId>,
    /// How many of the stewards, and of those with voice, have signed.
    pub stewards_signed: usize,
    /// See `stewards_signed`.
    pub voices_signed: usize,
    /// Has it taken effect?
    pub carried: bool,
    /// Can this person sign it now?
    pub can_sign: bool,
    /// What it would do, where it is open and would erase something.
    pub erases: Option<Outlook>,
}

/// An invitation that nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// Its entry.
    pub id: EntryId,
    /// Who made it.
    pub by: PersonId,
    /// For which role.
    pub role: Role,
    /// When it expires.
    pub expires: Timestamp,
}

/// Somebody who asks to come in and needs members who have met them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The entry to vouch for.
    pub id: EntryId,
    /// Who.
    pub person: PersonId,
    /// The digits on their screen.
    pub code: String,
    /// Who has vouched.
    pub vouched: BTreeSet<PersonId>,
}

/// Something hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenCard {
    /// What.
    pub target: Target,
    /// By which motion.
    pub motion: EntryId,
    /// Why.
    pub reason: String,
}

/// A device of this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCard {
    /// Which.
    pub device: DeviceId,
    /// Is it this one?
    pub here: bool,
    /// In how many groups it is.
    pub groups: usize,
}

/// How a group governs itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Council {
    /// The rules.
    pub charter: Charter,
    /// Where this person stands.
    pub place: Place,
    /// Are they a steward?
    pub steward: bool,
    /// Do they count in majorities of persons?
    pub voice: bool,
    /// The stewards.
    pub stewards: BTreeSet<PersonId>,
    /// Those with voice.
    pub voices: BTreeSet<PersonId>,
    /// All motions, the newest first by their authors' clocks.
    pub motions: Vec<MotionCard>,
    /// Who has gone.
    pub former: Vec<FormerCard>,
    /// Of whom more is offered than is taken in.
    pub put_off: Vec<PutOffCard>,
    /// Who asks to come in.
    pub asking: Vec<Asking>,
    /// Invitations that nobody has used.
    pub invitations: Vec<OpenInvitation>,
    /// What is hidden.
    pub hidden: Vec<HiddenCard>,
    /// Whose profile was copied and written on twice.
    pub copied: BTreeSet<PersonId>,
    /// Nobody can act for the group any more.
    pub stuck: bool,
    /// Somebody uses a newer Kiez.
    pub needs_update: bool,
}

/// What somebody wants the council to do, as people say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Somebody gets voice.
    Confirm(PersonId),
    /// Somebody becomes a steward, or a member who was an observer.
    Promote(PersonId, Role),
    /// Somebody is no steward any more, or no member but an observer.
    Demote(PersonId, Role),
    /// Somebody is removed.
    Remove(PersonId),
    /// An invitation ends.
    Revoke(EntryId),
    /// A rule changes.
    Amend(Amendment),
    /// Something is hidden.
    Hide(Target),
    /// Something that was hidden is shown again.
    Show(Target),
    /// What stood in a shared document before is erased.
    Erase(DocumentId),
}

impl Node {
    /// How a group governs itself.
    ///
    /// # Errors
    /// Where there is no such group, or the store fails.
    pub fn council(&self, group: GroupId) -> Result<Council, NodeError> {
        let me = self.me().person;
        self.with_group(group, |replica| {
            let mut council = council(replica, me)?;
            for card in &mut council.motions {
                card.erases = replica.outlook(card.id)?;
            }
            replica.close_unused();
            Ok(council)
        })
    }

    /// What the council has hidden.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn hidden(&self, group: GroupId) -> Result<BTreeSet<Target>, NodeError> {
        self.with_group(group, |replica| {
            Ok(replica.roster().hidden().into_keys().collect())
        })
    }

    /// A comment, and the idea in which it stands; none where it has not come here.
    ///
    /// # Errors
    /// See [`Node::group_card`].
    pub fn comment_of(
        &self,
        group: GroupId,
        author: PersonId,
        comment: CommentId,
    ) -> Result<Option<(ProposalId, String)>, NodeError> {
        self.fresh(group, |replica| {
            Ok(replica.storage().comment_of(author, comment)?)
        })
    }

    /// Proposes something to the council.
    ///
    /// # Errors
    /// See [`Replica::propose`].
    pub fn propose(&self, group: GroupId, act: CouncilAct, reason: &str) -> Result<EntryId, NodeError> {
        self.change(group, |replica| replica.propose(act, reason, now()))
    }

    /// Proposes what somebody wishes; the motion, or the first of several: one for each membership or role of the person.
    ///
    /// # Errors
    /// Where the person is not in the group or has no such role; see [`Replica::propose`].
    pub fn wish(&self, group: GroupId, wish: &Wish, reason: &str) -> Result<EntryId, NodeError> {
        if let Wish::Erase(document) = wish {
            return self.erase_shared(group, *document, reason);
        }
        let acts = self.with_group(group, |replica| Ok::<_, NodeError>(acts(replica.roster(), wish)))?;
        let mut first = None;
        for act in acts {
            let motion = self.propose(group, act, reason)?;
            first.get_or_insert(motion);
        }
        let not_found = ActionError::NotFound {
            what: "person",
            id: whom(wish).map_or_else(String::new, |person| person.to_string()),
        };
        first.ok_or_else(|| not_found.into())
    }

    /// Signs a motion.
    ///
    /// # Errors
    /// See [`Replica::sign`].
    pub fn sign(&self, group: GroupId, motion: EntryId) -> Result<EntryId, NodeError> {
        self.change(group, |replica| replica.sign(motion))
    }

    /// Vouches for somebody who asks to come in.
    ///
    /// # Errors
    /// See [`Replica::vouch`].
    pub fn vouch(&self, group: GroupId, ask: EntryId) -> Result<EntryId, NodeError> {
        self.change(group, |replica| Ok(replica.vouch(ask)?))
    }

    /// Takes back an invitation.
    ///
    /// # Errors
    /// See [`Replica::withdraw`].
    pub fn withdraw(&self, group: GroupId, invite: EntryId) -> Result<EntryId, NodeError> {
        self.change(group, |replica| Ok(replica.withdraw(invite)?))
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// See [`Replica::leave`].
    pub fn leave(&self, group: GroupId) -> Result<EntryId, NodeError> {
        self.change(group, |replica| Ok(replica.leave()?))
    }

    /// The devices of this person, in all groups.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn devices(&self) -> Result<Vec<DeviceCard>, NodeError> {
        let mut groups_of: BTreeMap<DeviceId, usize> = BTreeMap::new();
        for group in self.groups()? {
            let mine: BTreeSet<DeviceId> = self.my_devices(group)?.into_values().collect();
            for device in mine {
                let groups = groups_of.entry(device).or_insert(0);
                *groups = groups.saturating_add(1);
            }
        }
        let here = self.me().device_id();
        groups_of.entry(here).or_insert(0);
        let card = |(device, groups)| DeviceCard {
            device,
            here: device == here,
            groups,
        };
        Ok(groups_of.into_iter().map(card).collect())
    }

    /// The devices of this person in a group, by what enrolled them.
    pub(super) fn my_devices(&self, group: GroupId) -> Result<BTreeMap<EntryId, DeviceId>, NodeError> {
        self.with_group(group, |replica| {
            let person = replica.roster().person(self.me().person).into_iter();
            let devices = person.flat_map(|person| person.devices);
            Ok(devices.map(|(grant, named)| (grant, named.device)).collect())
        })
    }

    /// Retires a device of this person in all groups; returns in how many it was.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn retire_device(&self, device: DeviceId) -> Result<usize, NodeError> {
        let mut retired: usize = 0;
        for group in self.groups()? {
            let mut grants = self.my_devices(group)?;
            grants.retain(|_, named| *named == device);
            retired = retired.saturating_add(usize::from(!grants.is_empty()));
            for grant in grants.into_keys() {
                self.change(group, |replica| Ok(replica.retire(grant)?))?;
            }
        }
        Ok(retired)
    }
}

const fn whom(wish: &Wish) -> Option<PersonId> {
    match wish {
        Wish::Confirm(person) | Wish::Promote(person, _) | Wish::Demote(person, _) | Wish::Remove(person) => {
            Some(*person)
        }
        Wish::Revoke(_) | Wish::Amend(_) | Wish::Hide(_) | Wish::Show(_) | Wish::Erase(_) => None,
    }
}

/// The acts that a wish comes to.
fn acts(roster: &Roster, wish: &Wish) -> Vec<CouncilAct> {
    let memberships = |person: &PersonId| {
        let person = roster.person(*person).into_iter();
        person.flat_map(|person| person.memberships)
    };
    match wish {
        Wish::Confirm(person) => memberships(person)
            .map(|membership| CouncilAct::Confirm { membership })
            .collect(),
        Wish::Promote(person, role) => memberships(person)
            .map(|membership| CouncilAct::Promote {
                membership,
                role: *role,
            })
            .collect(),
        Wish::Demote(person, role) => roster
            .role_tenures(*person)
            .into_iter()
            .filter(|(_, held)| held > role)
            .map(|(tenure, _)| CouncilAct::Demote { tenure })
            .collect(),
        Wish::Remove(person) => memberships(person)
            .map(|membership| CouncilAct::Remove { membership })
            .collect(),
        Wish::Revoke(invite) => vec![CouncilAct::Revoke { invite: *invite }],
        Wish::Amend(amendment) => vec![CouncilAct::Amend(amendment.clone())],
        Wish::Hide(target) => vec![CouncilAct::Hide {
            target: *target,
            shown: Shown::Hidden,
        }],
        Wish::Show(target) => vec![CouncilAct::Hide {
            target: *target,
            shown: Shown::Visible,
        }],
        // What goes is for the replica to say.
        Wish::Erase(_) => Vec::new(),
    }
}

fn council(replica: &Replica<GroupStore>, me: PersonId) -> Result<Council, StorageError> {
    let roster = replica.roster();
    let stewards = roster.stewards();
    let voices = roster.voices();
    let copied = replica
        .forked()
        .filter_map(|journal| roster.author(journal))
        .map(|author| author.person);
    let asking = roster.asking().into_iter().map(|(id, ask, vouched)| Asking {
        id,
        person: ask.person,
        code: asking_code(replica.group(), ask.invite, ask.person),
        vouched,
    });
    let invitations = roster.open_invitations().into_iter();
    let invitations = invitations.map(|(id, (by, invite))| OpenInvitation {
        id,
        by,
        role: invite.role,
        expires: invite.expires,
    });
    let hidden = roster.hidden().into_iter().map(|(target, motion)| HiddenCard {
        target,
        motion,
        reason: reason_of(roster, motion),
    });
    Ok(Council {
        charter: roster.charter().unwrap_or_else(Charter::circle),
        place: place_of(replica, me),
        steward: stewards.contains(&me),
        voice: voices.contains(&me),
        motions: motions(
            roster,
            replica.me().map(|author| author.person),
            &stewards,
            &voices,
        ),
        former: former(replica),
        put_off: put_off(replica)?,
        asking: asking.collect(),
        invitations: invitations.collect(),
        hidden: hidden.collect(),
        copied: copied.collect(),
        stuck: roster.is_stuck(),
        needs_update: roster.needs_update(),
        stewards,
        voices,
    })
}

fn reason_of(roster: &Roster, motion: EntryId) -> String {
    match roster.act(motion) {
        Some(ControlAct::Motion(motion)) => motion.reason.clone(),
        _ => String::new(),
    }
}

fn place_of(replica: &Replica<GroupStore>, me: PersonId) -> Place {
    let roster = replica.roster();
    if replica.me().is_some() {
        return Place::Member;
    }
    roster.former().get(&me).map_or(Place::DeviceOut, gone)
}

fn motions(
    roster: &Roster,
    writer: Option<PersonId>,
    stewards: &BTreeSet<PersonId>,
    voices: &BTreeSet<PersonId>,
) -> Vec<MotionCard> {
    let mut cards: Vec<MotionCard> = roster
        .motions()
        .into_iter()
        .map(|card| {
            let stewards_signed = card.signers.intersection(stewards).count();
            let voices_signed = card.signers.intersection(voices).count();
            // Signed apart by enough: whoever signs again, having all of them, seals it.
            let apart = stewards_signed > stewards.len() / 2 || voices_signed > voices.len() / 2;
            MotionCard {
                id: card.id,
                by: card.by,
                about: roster.about(&card.motion.act),
                stewards_signed,
                voices_signed,
                can_sign: writer.is_some_and(|me| {
                    !card.carried
                        && (apart || !card.signers.contains(&me))
                        && (stewards.contains(&me) || voices.contains(&me))
                }),
                motion: card.motion,
                signers: card.signers,
                carried: card.carried,
                erases: None,
            }
        })
        .collect();
    cards.sort_by_key(|card| (std::cmp::Reverse(card.motion.at), card.id));
    cards
}

#[cfg(test)]
#[path = "council_tests.rs"]
mod tests;

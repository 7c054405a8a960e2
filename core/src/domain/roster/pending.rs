//! What waits for somebody: invitations, those who ask to come in, motions.

use std::collections::{BTreeMap, BTreeSet};

use super::super::control::{Admit, Ask, ControlAct, Invite, Motion};
use super::super::id::{EntryId, JournalId, PersonId};
use super::Roster;
use super::kill::Tenure;

/// A motion as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MotionCard {
    /// Its entry.
    pub id: EntryId,
    /// Who proposed it.
    pub by: PersonId,
    /// What it says.
    pub motion: Motion,
    /// Who has signed it.
    pub signers: BTreeSet<PersonId>,
    /// Whether it has taken effect.
    pub carried: bool,
}

impl Roster {
    /// Has this invitation been used, and by whom?
    #[must_use]
    pub fn admitted_by(&self, invite: EntryId) -> Option<(EntryId, &Admit)> {
        let id = self.used.get(&invite)?;
        if let ControlAct::Admit(admit) = self.act(*id)? {
            Some((*id, admit))
        } else {
            None
        }
    }

    /// The `invite` entry of this id, and the journal that wrote it, where it is ok.
    #[must_use]
    pub fn invite(&self, id: EntryId) -> Option<(JournalId, &Invite)> {
        let judged = self.entries.get(&id)?;
        judged.verdict.ok()?;
        if let ControlAct::Invite(invite) = &judged.entry.act {
            Some((judged.entry.journal, invite))
        } else {
            None
        }
    }

    /// The invitations that nobody has used and nobody has ended, with who made them.
    #[must_use]
    pub fn open_invitations(&self) -> BTreeMap<EntryId, (PersonId, &Invite)> {
        let now = self.present();
        let all = self.order.iter().filter_map(|id| {
            let (journal, invite) = self.invite(*id)?;
            let open = !self.used.contains_key(id)
                && now.lives(*id)
                && !now.is_over(Tenure::Invitation(*id))
                && now.author(journal).is_some();
            let by = self.author(journal)?.person;
            open.then_some((*id, (by, invite)))
        });
        all.collect()
    }

    /// Those who ask to come in and are not in yet: the `ask` entry, what it says, who has vouched.
    #[must_use]
    pub fn asking(&self) -> Vec<(EntryId, Ask, BTreeSet<PersonId>)> {
        let now = self.present();
        let open = self.order.iter().filter_map(|id| {
            let Some(ControlAct::Ask(ask)) = self.act(*id) else {
                return None;
            };
            let waits = now.lives(*id)
                && !self.used.contains_key(&ask.invite)
                && !now.is_over(Tenure::Invitation(ask.invite));
            let vouches = self.vouches.get(&(ask.invite, ask.person)).into_iter().flatten();
            let by = vouches.filter(|vouch| now.lives(**vouch)).filter_map(|vouch| {
                let chain = self.entries.get(vouch)?.basis.chain?;
                Some(chain.person)
            });
            waits.then(|| (*id, *ask, by.collect()))
        });
        open.collect()
    }

    /// All motions that were allowed, as they stand. In no order that means something.
    #[must_use]
    pub fn motions(&self) -> Vec<MotionCard> {
        let all = self.signed.keys().filter_map(|id| self.motion_card(*id));
        all.collect()
    }

    /// A motion as it stands.
    #[must_use]
    pub fn motion_card(&self, id: EntryId) -> Option<MotionCard> {
        let now = self.present();
        let motion = self.motion(id).filter(|_| now.lives(id))?;
        let judged = self.entries.get(&id)?;
        let signed = self.signed.get(&id).into_iter().flatten();
        let signers = signed
            .filter(|sign| now.lives(**sign))
            .filter_map(|sign| self.entries.get(sign))
            .filter(|sign| {
                let powers = &sign.basis.powers;
                powers.steward.is_some() || powers.voice.is_some()
            });
        Some(MotionCard {
            id,
            by: judged.basis.chain?.person,
            motion: motion.clone(),
            signers: signers
                .filter_map(|sign| Some(sign.basis.chain?.person))
                .collect(),
            carried: !now.carried_by(id).is_empty(),
        })
    }
}

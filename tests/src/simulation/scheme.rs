//! One who keeps to the forms and wants what is not theirs: power, somebody's removal, keys that divide the others, words that
//! nobody can read, or to go on after they had to go.

use std::collections::BTreeMap;

use kiez_core::domain::charter::Role;
use kiez_core::domain::control::{
    BoxedKey, ControlAct, CouncilAct, Cut, Device, Keys, Motion, Rekey, Shown, Sign, Target,
};
use kiez_core::domain::id::{EntryId, EntryNumber, JournalId, KeyId, PersonId, ProposalId, Timestamp};
use kiez_core::replica::control::act_to_bytes;
use kiez_core::replica::document::proposal;
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::keys::{BoxPlace, GroupKey, seal_boxed};
use kiez_core::replica::storage::Storage;
use rand::Rng;

use super::model::Act;
use super::outlaw::content;
use super::world::{Outcome, World, wrong};

/// What they try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// Signs for themselves what makes them a steward.
    PromotesSelf,
    /// Signs alone that somebody goes, with a cut that is too low, too high, or about other journals.
    Removes,
    /// A key that some get, others get a wrong one for, and others none.
    DividesByKey,
    /// Keys for nobody.
    KeysForNobody,
    /// Seals an idea under a key of their own.
    SealsAway,
    /// Many motions.
    Floods,
    /// An idea that says nothing of what they have seen since.
    BackDates,
}

impl World {
    /// One more of them, as if they had seen nothing since they began, or as anybody would.
    pub(super) fn schemes(&mut self, node: usize) -> Outcome {
        if self.nodes[node].own_head().is_none() {
            return Ok(());
        }
        let scheme = self.dice.pick(&[
            Scheme::PromotesSelf,
            Scheme::Removes,
            Scheme::DividesByKey,
            Scheme::KeysForNobody,
            Scheme::SealsAway,
            Scheme::Floods,
            Scheme::BackDates,
        ]);
        let scheme = scheme.unwrap();
        let name = &self.nodes[node].name;
        self.trace.event(format_args!("{name} schemes: {scheme:?}"));
        match scheme {
            Scheme::PromotesSelf => self.promotes_self(node)?,
            Scheme::Removes => self.removes_alone(node)?,
            Scheme::DividesByKey => self.divides_by_key(node)?,
            Scheme::KeysForNobody => self.gives_keys_to_nobody(node)?,
            Scheme::SealsAway => {
                let key = GroupKey::generate(self.dice.rng());
                let (.., id) = self.idea_under(node, &key)?;
                self.model.sealed.insert(id);
            }
            Scheme::Floods => {
                for _ in 0..20 {
                    let target = Target::Idea(ProposalId([9; 16]));
                    let shown = Shown::Hidden;
                    self.moves(node, CouncilAct::Hide { target, shown }, Cut::new())?;
                }
            }
            Scheme::BackDates => {
                let key = self.a_key(node);
                let (title, letter) = (self.model.word("idea"), self.model.letter());
                let (id, fresh) = self.fresh_idea();
                let (journal, _) = self.nodes[node].own_head().unwrap();
                let mut copy = fresh;
                let written = copy.write(journal, Timestamp(1), |tx| {
                    proposal::set_title(tx, &title)?;
                    proposal::set_body(tx, &letter.to_string())
                });
                let payload = content(id, written.unwrap().1.unwrap());
                let written = self.commit_as(node, EntryKind::Content, vec![], &payload, &key)?;
                self.note(node, Act::Idea { title, letter }, &[written])?;
            }
        }
        self.mark_stale(node);
        Ok(())
    }

    fn a_key(&mut self, node: usize) -> GroupKey {
        let keys: Vec<GroupKey> = self.replica(node).keys().iter().cloned().collect();
        self.dice.pick(&keys).unwrap()
    }

    fn idea_under(&mut self, node: usize, key: &GroupKey) -> Outcome<(JournalId, EntryNumber, EntryId)> {
        let (id, mut fresh) = self.fresh_idea();
        let (journal, _) = self.nodes[node].own_head().unwrap();
        let written = fresh.write(journal, Timestamp(1), |tx| proposal::set_title(tx, "secret"));
        let payload = content(id, written.unwrap().1.unwrap());
        self.commit_as(node, EntryKind::Content, vec![], &payload, key)
    }

    /// Writes an act that the own device might refuse.
    fn acts_by_force(&mut self, node: usize, act: &ControlAct, knows: bool) -> Outcome<EntryId> {
        let (journal, _) = self.nodes[node].own_head().unwrap();
        let seen = if knows {
            let rows = self.nodes[node].disk.journals().unwrap_or_default();
            let row = rows.into_iter().find(|row| row.id == journal).unwrap();
            let roster = self.nodes[node].replica.as_ref().unwrap().roster();
            roster.unseen(journal, &row.seen)
        } else {
            vec![]
        };
        let key = self.a_key(node);
        let (.., id) = self.commit_as(node, EntryKind::Control, seen, &act_to_bytes(act), &key)?;
        Ok(id)
    }

    /// Has this person any say in the council, as their device knows, or had they ever?
    fn has_a_say(&self, node: usize) -> bool {
        let me = self.nodes[node].me.person;
        let roster = self.nodes[node].replica.as_ref().unwrap().roster();
        let person = roster.persons().remove(&me);
        let has = person.is_none_or(|person| person.has_voice || person.role == Role::Steward);
        has || !self.model.is_untouched(me)
            || !roster
                .role_tenures(me)
                .iter()
                .all(|(_, role)| *role < Role::Steward)
    }

    fn moves(&mut self, node: usize, act: CouncilAct, cut: Cut) -> Outcome<EntryId> {
        let powerless = !self.has_a_say(node);
        let knows = self.dice.chance(50);
        let motion = Motion {
            act,
            reason: "because I say so".to_owned(),
            cut,
            at: Timestamp(1),
        };
        let id = self.acts_by_force(node, &ControlAct::Motion(motion), knows)?;
        if powerless {
            self.model.vain.insert(id);
        }
        Ok(id)
    }

    fn promotes_self(&mut self, node: usize) -> Outcome {
        let me = self.nodes[node].me.person;
        let Some(membership) = self.replica(node).roster().membership(me) else {
            return Ok(());
        };
        let role = Role::Steward;
        let motion = self.moves(node, CouncilAct::Promote { membership, role }, Cut::new())?;
        let sign = Sign {
            motion,
            cut: Cut::new(),
        };
        let powerless = self.model.vain.contains(&motion);
        let id = self.acts_by_force(node, &ControlAct::Sign(sign), false)?;
        if powerless {
            self.model.vain.insert(id);
        }
        Ok(())
    }

    fn removes_alone(&mut self, node: usize) -> Outcome {
        let people: Vec<(PersonId, EntryId)> = {
            let persons = self.replica(node).roster().persons().into_iter();
            let first = persons.filter_map(|(id, person)| Some((id, *person.memberships.first()?)));
            first.collect()
        };
        let Some((victim, membership)) = self.dice.pick(&people) else {
            return Ok(());
        };
        let frontier = self.replica(node).frontier();
        let cut: Cut = match self.dice.below(4) {
            0 => Cut::new(),
            1 => frontier
                .keys()
                .map(|journal| (*journal, (EntryNumber(1_000_000), EntryId([7; 32]))))
                .collect(),
            2 => BTreeMap::from([(JournalId([3; 32]), (EntryNumber(3), EntryId([3; 32])))]),
            _ => frontier,
        };
        if self.has_a_say(node) {
            self.model.touched.insert(victim);
        }
        self.moves(node, CouncilAct::Remove { membership }, cut)?;
        Ok(())
    }

    fn place_of_next(&mut self, node: usize) -> BoxPlace {
        let (journal, head) = self.nodes[node].own_head().unwrap();
        BoxPlace {
            group: self.replica(node).group(),
            journal,
            number: head.next(),
        }
    }

    fn divides_by_key(&mut self, node: usize) -> Outcome {
        let place = self.place_of_next(node);
        let key = GroupKey::generate(self.dice.rng());
        let persons = self.replica(node).roster().persons().into_values();
        let devices: Vec<(EntryId, Device)> = persons.flat_map(|person| person.devices).collect();
        let mut boxes = Vec::new();
        for (enrolment, device) in devices {
            let inside = match self.dice.below(3) {
                0 => continue,
                1 => GroupKey::generate(self.dice.rng()),
                _ => key.clone(),
            };
            let boxed = seal_boxed(&place, &inside, enrolment, device.box_key, self.dice.rng());
            let Ok(boxed) = boxed else {
                wrong!("a box cannot be sealed")
            };
            boxes.push(BoxedKey {
                key: key.id(),
                ..boxed
            });
        }
        let rekey = Rekey { key: key.id(), boxes };
        let knows = self.dice.chance(70);
        self.acts_by_force(node, &ControlAct::Rekey(rekey), knows)?;
        Ok(())
    }

    fn gives_keys_to_nobody(&mut self, node: usize) -> Outcome {
        let place = self.place_of_next(node);
        let key = self.a_key(node);
        let recipient = self.nodes[node].me.box_key;
        let boxed = seal_boxed(&place, &key, EntryId([5; 32]), recipient, self.dice.rng());
        let Ok(boxed) = boxed else {
            wrong!("a box cannot be sealed")
        };
        let mut noise = boxed;
        self.dice.rng().fill_bytes(&mut noise.encapsulated);
        noise.key = KeyId([4; 32]);
        let keys = Keys {
            boxes: vec![boxed, noise],
        };
        self.acts_by_force(node, &ControlAct::Keys(keys), true)?;
        Ok(())
    }
}

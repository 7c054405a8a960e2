//! A history as it grows: who writes with which device, what each device has in its past, what they do.

mod erasing;
mod genes;

use super::super::*;
use super::acts;
use crate::domain::charter::Charter;
use crate::domain::control::Cut;
pub(super) use genes::{Gene, genes};

/// A device that writes.
#[derive(Debug, Clone)]
pub(super) struct Pen {
    pub(super) person: u8,
    pub(super) membership: EntryId,
    pub(super) journal: JournalId,
    pub(super) next: u64,
    /// Which entries it has in its past.
    pub(super) knows: u128,
    /// It was enrolled and not used for long: it sees nothing new unless it must.
    pub(super) is_silent: bool,
}

/// A grant on which nothing has been opened.
#[derive(Debug, Clone)]
struct Grant {
    id: EntryId,
    person: u8,
    device: u8,
    membership: EntryId,
}

/// A history as it grows.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub(super) entries: Vec<ControlEntry>,
    past: Vec<u128>,
    pub(super) pens: Vec<Pen>,
    grants: Vec<Grant>,
    invites: Vec<(EntryId, usize)>,
    asks: Vec<(EntryId, EntryId, u8)>,
    pub(super) memberships: Vec<(EntryId, u8)>,
    roles: Vec<EntryId>,
    pub(super) motions: Vec<EntryId>,
    people: u8,
    devices: u8,
    salt: u8,
    /// Steers what is done, so that more of it is allowed.
    pub(super) roster: Roster,
}

impl History {
    /// A founding, by person 1.
    pub(super) fn founded(charter: Charter, salt: u8) -> Self {
        let mut history = Self {
            people: 1,
            devices: 1,
            salt,
            ..Self::default()
        };
        let journal = JournalId([1; 32]);
        let entry = history.entry(journal, 1, BTreeSet::new(), acts::found(1, charter));
        let id = entry.id;
        history.push(entry, 1);
        history.pens.push(Pen {
            person: 1,
            membership: id,
            journal: JournalId([1; 32]),
            next: 2,
            knows: 1,
            is_silent: false,
        });
        history.memberships.push((id, 1));
        history.roles.push(id);
        history
    }

    /// Its id is what it says, so that two ways to the same entries come to the same ids.
    fn entry(
        &self,
        journal: JournalId,
        number: u64,
        seen: BTreeSet<EntryId>,
        act: ControlAct,
    ) -> ControlEntry {
        let number = EntryNumber(number);
        let says = format!("{} {journal:?} {number:?} {seen:?} {act:?}", self.salt);
        ControlEntry {
            id: EntryId(*blake3::hash(says.as_bytes()).as_bytes()),
            journal,
            number,
            seen,
            act,
        }
    }

    fn push(&mut self, entry: ControlEntry, past: u128) {
        self.roster.insert(entry.clone()).unwrap().ok();
        self.entries.push(entry);
        self.past.push(past);
    }

    /// Enough have signed it, or it is not allowed.
    fn is_carried(&self, motion: EntryId) -> bool {
        self.roster.motion_card(motion).is_none_or(|card| card.carried)
    }

    pub(super) fn at(&self, id: EntryId) -> usize {
        self.entries.iter().position(|entry| entry.id == id).unwrap()
    }

    pub(super) fn everything(&self) -> u128 {
        self.past.iter().fold(0, |all, past| all | past)
    }

    /// The heads of a set: what nothing else in it has in its past.
    fn heads(&self, set: u128) -> BTreeSet<EntryId> {
        let inside = |at: &usize| set & (1 << at) != 0;
        let all = (0..self.entries.len()).filter(inside);
        let is_head = |at: &usize| {
            let mut others = (0..self.entries.len()).filter(inside);
            !others.any(|other| other != *at && self.past[other] & (1 << at) != 0)
        };
        all.filter(is_head).map(|at| self.entries[at].id).collect()
    }

    /// A device learns of these entries, and does something.
    pub(super) fn does(&mut self, pen: usize, learns: u128, act: ControlAct) -> EntryId {
        let knows = self.pens[pen].knows | learns;
        let new = knows & !self.pens[pen].knows;
        let place = self.entries.len();
        let entry = self.entry(self.pens[pen].journal, self.pens[pen].next, self.heads(new), act);
        let id = entry.id;
        self.push(entry, knows | (1 << place));
        let pen = &mut self.pens[pen];
        pen.knows = knows | (1 << place);
        // Now and then content lies between two control entries.
        pen.next += 1 + pen.next / 3 % 2;
        id
    }

    fn opens(&mut self, grant: usize) -> usize {
        let grant = self.grants.remove(grant);
        let past = self.past[self.at(grant.id)];
        let place = self.entries.len();
        // Its journal is the device's: the same on every way to it.
        let journal = JournalId([grant.device; 32]);
        let act = acts::open(grant.id, grant.device);
        let entry = self.entry(journal, 1, BTreeSet::from([grant.id]), act);
        self.push(entry, past | (1 << place));
        self.pens.push(Pen {
            person: grant.person,
            membership: grant.membership,
            journal,
            next: 2,
            knows: past | (1 << place),
            is_silent: false,
        });
        self.pens.len() - 1
    }

    pub(super) fn invites(&mut self, pen: usize, learns: u128, role: Role) -> EntryId {
        let key = u8::try_from(self.entries.len()).unwrap();
        let id = self.does(pen, learns, acts::invite(key, role));
        self.invites.push((id, pen));
        id
    }

    pub(super) fn admits_on(&mut self, invite: EntryId, person: u8) {
        let at = self.invites.iter().position(|(id, _)| *id == invite).unwrap();
        self.admits(at, 0, person);
    }

    pub(super) fn opens_last(&mut self) -> usize {
        self.opens(self.grants.len() - 1)
    }

    fn admits(&mut self, invite: usize, learns: u128, person: u8) {
        let (invite, pen) = self.invites[invite];
        let ControlAct::Invite(invitation) = &self.entries[self.at(invite)].act else {
            return;
        };
        let key = invitation.key;
        self.devices += 1;
        let device = self.devices;
        let id = self.does(pen, learns, acts::admit(invite, key, person, device));
        self.memberships.push((id, person));
        self.roles.push(id);
        self.grants.push(Grant {
            id,
            person,
            device,
            membership: id,
        });
    }

    /// Somebody new is invited, vouched for, admitted, and opens their journal.
    pub(super) fn joins(&mut self, pen: usize, vouching: usize) -> usize {
        self.people += 1;
        let person = self.people;
        self.comes_in(pen, vouching, person)
    }

    pub(super) fn comes_in(&mut self, pen: usize, vouching: usize, person: u8) -> usize {
        let all = self.everything();
        let invite = self.invites(pen, all, Role::Member);
        if vouching > 0 && self.entries.len() < 40 {
            let ask = self.does(pen, 0, acts::ask(invite, person));
            self.asks.push((ask, invite, person));
            for voucher in 0..self.pens.len().min(vouching + 1) {
                if voucher != pen {
                    let all = self.everything();
                    self.does(voucher, all, acts::vouch(ask));
                }
            }
        }
        let all = self.everything();
        self.admits(self.invites.len() - 1, all, person);
        let device = self.opens(self.grants.len() - 1);
        if person % 5 == 4 {
            self.enrols(device, 0);
        }
        device
    }

    pub(super) fn enrols(&mut self, pen: usize, learns: u128) -> usize {
        let Pen {
            person, membership, ..
        } = self.pens[pen];
        self.devices += 1;
        let device = self.devices;
        let id = self.does(pen, learns, acts::enrol(membership, person, device));
        self.grants.push(Grant {
            id,
            person,
            device,
            membership,
        });
        let opened = self.opens(self.grants.len() - 1);
        self.pens[opened].is_silent = true;
        opened
    }

    /// What a device names in a cut: the truth, nothing, less, more, or some journals only.
    pub(super) fn cut(&self, pen: usize, how: u8) -> Cut {
        let mut cut = Cut::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let held = self.pens[pen].knows & (1 << at) != 0 || how % 8 < 3;
            if held {
                let number = match how % 8 {
                    5 => EntryNumber(entry.number.0.div_ceil(2)),
                    6 => EntryNumber(entry.number.0 + 7),
                    _ => entry.number,
                };
                cut.insert(entry.journal, (number, entry.id));
            }
        }
        match how % 8 {
            4 => Cut::new(),
            7 => cut.into_iter().skip(1).collect(),
            _ => cut,
        }
    }

    pub(super) fn proposes(&mut self, pen: usize, learns: u128, act: CouncilAct, how: u8) -> EntryId {
        let cut = self.cut(pen, how);
        let is_promotion = matches!(act, CouncilAct::Promote { .. });
        let id = self.does(pen, learns, acts::motion(act, cut));
        self.motions.push(id);
        if is_promotion {
            self.roles.push(id);
        }
        id
    }

    pub(super) fn signs(&mut self, pen: usize, learns: u128, motion: EntryId, how: u8) -> EntryId {
        let learns = learns | self.past[self.at(motion)];
        let cut = self.cut(pen, how);
        self.does(pen, learns, acts::sign(motion, cut))
    }

    /// The first of the devices propose, and all who must sign do.
    pub(super) fn all_decide(&mut self, act: CouncilAct) {
        let all = self.everything();
        let motion = self.proposes(0, all, act, 0);
        let mut signed = BTreeSet::from([1]);
        for signer in 0..self.pens.len() {
            let is_awake = !self.pens[signer].is_silent && !self.is_carried(motion);
            if is_awake && signed.insert(self.pens[signer].person) {
                let all = self.everything();
                self.signs(signer, all, motion, 0);
            }
        }
    }

    pub(super) fn enrolments_of(&self, person: u8) -> Vec<EntryId> {
        let named = self.entries.iter().filter(|entry| {
            let device = entry.act.device();
            device.is_some_and(|device| device.person == PersonId([person; 32]))
        });
        named.map(|entry| entry.id).collect()
    }

    /// The entries before which all of these must come.
    pub(super) fn past_of(&self, at: usize) -> u128 {
        self.past[at]
    }
}

//! Judging the control entries of a large group over those of a small one: 5,000 entries of 1,000 people, 100 of 20.

use std::collections::BTreeSet;
use std::fs;

use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::control::{
    Admit, ControlAct, ControlEntry, CouncilAct, Cut, Device, Found, Invite, Keys, Motion, Open,
};
use kiez_core::domain::id::{
    BoxKey, DeviceId, EntryId, EntryNumber, InviteKey, JournalId, PersonId, Signature, Timestamp,
};
use kiez_core::domain::roster::Roster;

use super::table::Table;
use super::{RUNS, median, milliseconds, timed};

const NONE: Signature = Signature([0; 64]);

/// A group that grows to so many people, by so many who act at once without knowing of each other.
struct Growth {
    entries: Vec<ControlEntry>,
    /// What was written last: the next to act have seen it.
    heads: Vec<EntryId>,
    pens: Vec<Pen>,
    memberships: Vec<EntryId>,
    confirmed: usize,
}

struct Pen {
    journal: JournalId,
    next: u64,
    invited: Option<(EntryId, InviteKey)>,
}

fn bytes(of: &str, number: usize) -> [u8; 32] {
    *blake3::hash(format!("{of} {number}").as_bytes()).as_bytes()
}

fn device(person: usize) -> Device {
    Device {
        person: PersonId(bytes("person", person)),
        device: DeviceId(bytes("device", person)),
        box_key: BoxKey([0; 32]),
    }
}

impl Growth {
    fn founded() -> Self {
        let mut growth = Self {
            entries: Vec::new(),
            heads: Vec::new(),
            pens: vec![Pen {
                journal: JournalId(bytes("journal", 0)),
                next: 1,
                invited: None,
            }],
            memberships: Vec::new(),
            confirmed: 1,
        };
        let found = Found {
            founder: device(0),
            charter: Charter::circle(),
            person_signature: NONE,
        };
        let id = growth.write(0, BTreeSet::new(), ControlAct::Found(found));
        growth.heads = vec![id];
        growth.memberships.push(id);
        growth
    }

    fn write(&mut self, pen: usize, seen: BTreeSet<EntryId>, act: ControlAct) -> EntryId {
        let id = EntryId(bytes("entry", self.entries.len()));
        let pen = &mut self.pens[pen];
        let entry = ControlEntry {
            id,
            journal: pen.journal,
            number: EntryNumber(pen.next),
            seen,
            act,
        };
        pen.next += 1;
        self.entries.push(entry);
        id
    }

    /// What somebody does next: bring somebody in, confirm somebody, propose, or hand on keys.
    fn act(&mut self, pen: usize, people: usize) -> ControlAct {
        if let Some((invite, invite_key)) = self.pens[pen].invited.take() {
            return ControlAct::Admit(Admit {
                invite,
                invite_key,
                joiner: device(self.memberships.len()),
                exporter: [0; 32],
                invite_signature: NONE,
                person_signature: NONE,
            });
        }
        let coming = self.pens.iter().filter(|pen| pen.invited.is_some()).count();
        if self.memberships.len() + coming < people {
            let key = InviteKey(bytes("invite", self.entries.len()));
            return ControlAct::Invite(Invite {
                key,
                role: Role::Member,
                expires: Timestamp(0),
            });
        }
        if pen == 0 && self.confirmed < self.memberships.len() {
            let membership = self.memberships[self.confirmed];
            self.confirmed += 1;
            let act = CouncilAct::Confirm { membership };
            return ControlAct::Motion(Motion {
                act,
                reason: String::new(),
                cut: Cut::new(),
                at: Timestamp(0),
            });
        }
        ControlAct::Keys(Keys { boxes: Vec::new() })
    }

    /// So many act at once.
    fn round(&mut self, width: usize, people: usize) {
        let known: BTreeSet<EntryId> = self.heads.iter().copied().collect();
        let mut heads = Vec::new();
        let mut opening = Vec::new();
        for pen in 0..width.min(self.pens.len()) {
            let act = self.act(pen, people);
            let (is_invite, is_admit) = (
                matches!(act, ControlAct::Invite(_)),
                matches!(act, ControlAct::Admit(_)),
            );
            let key = if let ControlAct::Invite(invite) = &act {
                Some(invite.key)
            } else {
                None
            };
            let id = self.write(pen, known.clone(), act);
            if is_invite {
                self.pens[pen].invited = key.map(|key| (id, key));
            }
            if is_admit {
                self.memberships.push(id);
                opening.push((id, self.memberships.len() - 1));
            }
            heads.push(id);
        }
        for (grant, person) in opening {
            let journal = JournalId(bytes("journal", person));
            self.pens.push(Pen {
                journal,
                next: 1,
                invited: None,
            });
            let open = Open {
                grant,
                device: device(person).device,
                device_signature: NONE,
            };
            let id = self.write(
                self.pens.len() - 1,
                BTreeSet::from([grant]),
                ControlAct::Open(open),
            );
            heads.push(id);
        }
        self.heads = heads;
    }
}

/// So many control entries of so many people, so many of whom act at once.
fn history(people: usize, entries: usize, width: usize) -> Vec<ControlEntry> {
    let mut growth = Growth::founded();
    while growth.entries.len() < entries {
        growth.round(width, people);
    }
    growth.entries.truncate(entries);
    growth.entries
}

/// What is measured: every entry judged, from none.
fn judge(entries: &[ControlEntry]) -> Roster {
    let mut roster = Roster::default();
    for entry in entries {
        roster.insert(entry.clone()).unwrap().unwrap();
    }
    roster
}

fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}

pub fn measure(table: &mut Table) {
    for (what, width) in [
        (
            "judge 5,000 control entries of 1,000 people / 100 of 20, one by one",
            1,
        ),
        (
            "judge 5,000 control entries of 1,000 people / 100 of 20, 20 at once",
            20,
        ),
    ] {
        let (large, small) = (history(1_000, 5_000, width), history(20, 100, width));
        let mut runs = Vec::new();
        let (mut last, mut megabytes) = (0.0, 0.0);
        for run in 0..RUNS {
            let before = resident();
            let (mut roster, rest) = (judge(&large[..4_900]), &large[4_900..]);
            // The last hundred, one after the other, as they would come.
            let (hundred, ()) = timed(|| {
                for entry in rest {
                    roster.insert(entry.clone()).unwrap().unwrap();
                }
            });
            if run == 0 {
                megabytes = resident() - before;
            }
            assert_eq!(roster.persons().len(), 1_000);
            drop(roster);
            let (all, _) = timed(|| judge(&large));
            // So short that it is repeated.
            let (floor, _) = timed(|| (0..50).map(|_| judge(&small).len()).sum::<usize>());
            let floor = milliseconds(floor) / 50.0;
            last = milliseconds(hundred) / 100.0;
            runs.push((
                milliseconds(all) / floor,
                milliseconds(all),
                floor,
                last / milliseconds(all),
            ));
        }
        let (ratio, all, floor, _) = median(runs.clone());
        table.ratio(
            what,
            ratio,
            100.0,
            vec![format!(
                "{all:.1} ms; floor {floor:.3} ms; {megabytes:.0} MiB for the roster of 5,000"
            )],
        );
        table.ratio(
            "one more control entry after 4,900 / judging all 5,000",
            median(runs.iter().map(|run| run.3).collect()),
            1.0 / 1_000.0,
            vec![format!("{last:.4} ms for one more")],
        );
    }
}

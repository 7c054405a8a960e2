//! "To hold", sentence by sentence: DESIGN section 6.

use proptest::prelude::*;

use super::super::*;
use super::histories::{Gene, History};
use super::properties::Checked;
use super::{acts, erasures};

/// Does this rest on living grants, back to the founding?
fn is_grounded(roster: &Roster, id: EntryId, known: &mut BTreeMap<EntryId, bool>) -> bool {
    if let Some(known) = known.get(&id) {
        return *known;
    }
    let judged = &roster.entries[&id];
    let basis = &judged.basis;
    let mut all = |ids: &[EntryId]| ids.iter().all(|id| is_grounded(roster, *id, known));
    let chain = basis.chain.is_none_or(|chain| {
        let below: Vec<EntryId> = [chain.open, chain.enrolment, chain.membership]
            .into_iter()
            .filter(|below| *below != id)
            .collect();
        all(&below)
    });
    let mut grounded = roster.lives(id) && chain && all(&basis.needs);
    let mut any = |ids: &[EntryId]| ids.iter().any(|id| is_grounded(roster, *id, known));
    let mut exercised = |exercise: &moment::Exercise| {
        exercise.role.as_ref().is_none_or(|(_, by)| any(by))
            && exercise.voice.as_ref().is_none_or(|by| any(by))
    };
    grounded &= exercised(&basis.exercise);
    let enough = |needed: &moment::Needed| {
        let mut persons = BTreeSet::new();
        for (person, by, exercise) in &needed.by {
            let living = |by: &Vec<EntryId>| by.iter().any(|grant| roster.lives(*grant));
            let granted = exercise.role.as_ref().is_none_or(|(_, by)| living(by));
            let granted = granted && exercise.voice.as_ref().is_none_or(living);
            if (*by == id || roster.lives(*by)) && granted {
                persons.insert(*person);
            }
        }
        persons.len() >= needed.count
    };
    grounded &= basis.persons.is_empty() || basis.persons.iter().any(enough);
    known.insert(id, grounded);
    grounded
}

pub(super) fn nobody_has_a_power_without_a_living_line_of_grants(history: &History) -> Checked {
    let roster = &history.roster;
    let mut known = BTreeMap::new();
    let founding = history.entries[0].id;
    for (person, card) in roster.persons() {
        for membership in &card.memberships {
            prop_assert!(
                is_grounded(roster, *membership, &mut known),
                "membership of {:?}",
                person
            );
            let line: Vec<EntryId> = roster.line(*membership).collect();
            prop_assert_eq!(line.last(), Some(&founding));
            for at in line {
                prop_assert!(roster.lives(at), "{:?} in the line of {:?}", at, person);
            }
        }
        for (tenure, _) in roster.role_tenures(person) {
            let by = roster.present().carried_by(tenure);
            let granted =
                !roster.is_motion(tenure) || by.iter().any(|by| is_grounded(roster, *by, &mut known));
            prop_assert!(granted, "role {:?} of {:?}", tenure, person);
        }
        if card.has_voice {
            let voice = card
                .memberships
                .iter()
                .find_map(|membership| roster.present().voice(*membership));
            let by = voice.unwrap().voice.unwrap();
            prop_assert!(
                by.iter().any(|by| is_grounded(roster, *by, &mut known)),
                "voice of {:?}",
                person
            );
        }
    }
    Ok(())
}

/// The memberships that a living kill has ended, with the kills.
fn ended(roster: &Roster) -> BTreeMap<EntryId, Vec<EntryId>> {
    let mut ended: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    for (tenure, kills) in &roster.kills {
        if let Tenure::Membership(membership) = tenure {
            let living = kills.iter().copied().filter(|kill| roster.lives(*kill));
            ended.entry(*membership).or_default().extend(living);
        }
    }
    ended.retain(|_, kills| !kills.is_empty());
    ended
}

/// What came of writing behind a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// There is none who could.
    Nobody,
    /// Nothing.
    Nothing,
    /// Something that outweighs the cut holds.
    Outweighed,
}

pub(super) fn what_is_back_dated_behind_a_cut_changes_nothing(
    history: &History,
    genes: &[Gene],
) -> Result<Behind, TestCaseError> {
    let before = &history.roster;
    let ended = ended(before);
    let is_beyond = |pen: &super::histories::Pen| {
        let kills = ended.get(&pen.membership).into_iter().flatten();
        let mut kills = kills.map(|kill| &before.entries[kill]);
        // They do not know of it, and nobody holds what they write next.
        kills.any(|kill| {
            pen.knows & (1 << history.at(kill.entry.id)) == 0 && before.through(kill, pen.journal) < pen.next
        })
    };
    let places = 0..history.pens.len();
    let mut removed: Vec<usize> = places.filter(|pen| is_beyond(&history.pens[*pen])).collect();
    if removed.is_empty() || history.entries.len() > 100 {
        return Ok(Behind::Nobody);
    }
    let cuts = removed
        .iter()
        .flat_map(|pen| &ended[&history.pens[*pen].membership]);
    let cuts = cuts.filter_map(|kill| before.entries[kill].basis.kill.as_ref());
    let lightest = cuts.map(|kill| kill.weight).max();
    let mut after = history.clone();
    for gene in genes.iter().rev().take(6) {
        if after.entries.len() < 110 {
            after.behind(&mut removed, *gene);
        }
    }
    let new = &after.entries[history.entries.len()..];
    let weight = |roster: &Roster, id: EntryId| Some(roster.entries[&id].basis.kill.as_ref()?.weight);
    // What outweighs the cut that it lies behind holds, and what it voids falls; so does what comes to life because of it.
    let risen = after.entries.iter().map(|entry| entry.id);
    let risen = risen.filter(|id| after.roster.lives(*id) && !before.lives(*id));
    let heaviest = risen.filter_map(|id| weight(&after.roster, id)).min();
    let fallen = history.entries.iter().map(|entry| entry.id);
    let fallen = fallen.filter(|id| before.lives(*id) && !after.roster.lives(*id));
    let fallen = fallen.filter_map(|id| weight(before, id)).max();
    let outweighs =
        |held: Option<kill::Weight>| held.is_some_and(|held| heaviest.is_some_and(|it| it < held));
    if outweighs(lightest) || outweighs(fallen) {
        return Ok(Behind::Outweighed);
    }
    for entry in &history.entries {
        prop_assert_eq!(
            before.lives(entry.id),
            after.roster.lives(entry.id),
            "{:?} otherwise than before:\n{}",
            entry,
            told(before, &after)
        );
    }
    for entry in new {
        prop_assert!(
            !after.roster.lives(entry.id),
            "{:?} lives behind a cut:\n{}",
            entry,
            told(before, &after)
        );
    }
    prop_assert_eq!(before.persons(), after.roster.persons());
    prop_assert_eq!(before.charter(), after.roster.charter());
    prop_assert_eq!(before.hidden(), after.roster.hidden());
    erasures::are_within(before, &after.roster, &after.entries)?;
    Ok(Behind::Nothing)
}

/// A history, line by line: what lived before some of it came, and what lives now.
fn told(before: &Roster, after: &History) -> String {
    let line = |entry: &ControlEntry| {
        let judged = &after.roster.entries[&entry.id];
        let kill = judged.basis.kill.as_ref();
        format!(
            "{} {}{} {:?} {:?} seen {:?}: {:?} {:?}",
            after.at(entry.id),
            if before.lives(entry.id) { "+" } else { "-" },
            if after.roster.lives(entry.id) { "+" } else { "-" },
            entry.journal,
            entry.number,
            entry.seen,
            entry.act,
            kill,
        )
    };
    let lines: Vec<String> = after.entries.iter().map(line).collect();
    lines.join("\n")
}

fn carried(roster: &Roster) -> BTreeSet<EntryId> {
    let cards = roster.motions().into_iter();
    cards.filter(|card| card.carried).map(|card| card.id).collect()
}

pub(super) fn who_is_admitted_by_the_dozen_decides_nothing(history: &History, by: u8) -> Checked {
    let pen = usize::from(by) % history.pens.len();
    let mut after = history.clone();
    let before = (
        carried(&after.roster),
        after.roster.stewards(),
        after.roster.voices(),
    );
    for _ in 0..4 {
        let puppet = after.joins(pen, 0);
        for motion in history.motions.iter().rev().take(3) {
            if after.entries.len() < 120 {
                let all = after.everything();
                after.signs(puppet, all, *motion, 6);
            }
        }
    }
    let now = (
        carried(&after.roster),
        after.roster.stewards(),
        after.roster.voices(),
    );
    prop_assert_eq!(before, now);
    Ok(())
}

pub(super) fn those_who_can_act_can(history: &History) -> Checked {
    let mut after = history.clone();
    let roster = &after.roster;
    let may = [roster.stewards(), roster.voices()]
        .into_iter()
        .find(|may| !may.is_empty());
    prop_assert_eq!(may.is_none(), roster.is_stuck());
    let pen_of = |person: &PersonId| {
        let mut pens = (0..after.pens.len()).filter(|pen| {
            let author = roster.living_author(after.pens[*pen].journal);
            author.is_some_and(|author| author.person == *person && author.role > Role::Observer)
        });
        pens.find(|pen| after.pens[*pen].person == person.0[0])
    };
    let persons = may.unwrap_or_default();
    let pens: Vec<usize> = persons.iter().filter_map(pen_of).collect();
    // Who has lost all devices is enrolled again first.
    if pens.is_empty() || pens.len() < persons.len() || after.entries.len() + pens.len() > 118 {
        return Ok(());
    }
    let all = after.everything();
    let motion = after.proposes(
        pens[0],
        all,
        CouncilAct::Hide {
            target: acts::target(9),
            shown: super::super::super::control::Shown::Hidden,
        },
        3,
    );
    for pen in &pens[1..] {
        let all = after.everything();
        after.signs(*pen, all, motion, 3);
    }
    prop_assert!(
        carried(&after.roster).contains(&motion),
        "{} of {}",
        pens.len(),
        persons.len()
    );
    Ok(())
}

//! The council: who takes a power they were not given, removes whom they may not, or goes on after they were removed.

use kiez_core::domain::control::{ControlAct, CouncilAct, Cut, Motion, Sign};
use kiez_core::domain::id::{EntryId, EntryNumber, PersonId};
use kiez_core::domain::roster::Tenure;
use kiez_core::planted::Guard;

use super::common::NOW;
use super::people::{One, founder, three};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "a member", "self-promotion",
        "they stay what they were", Stop::By(Guard::Majority), self_promotion;
    "one of two stewards", "removal by one of two",
        "nobody goes", Stop::By(Guard::Majority), one_of_two;
    "a member with many invitations", "a dozen sockpuppets outvote the founder",
        "they decide nothing", Stop::By(Guard::Voice), sockpuppets;
    "two halves of the council", "mutual removal, told to different people first",
        "everybody comes to the same", Stop::By(Guard::Weight), mutual_removal;
    "removed stewards", "back-dated removal of the founder",
        "it changes nothing", Stop::By(Guard::Cut), back_dated_removal;
    "a removed member", "back-dated content behind a cut",
        "it is kept and does not count", Stop::By(Guard::Beyond), back_dated_content;
    "a removed member", "they write on, and somebody carries it",
        "it is kept and does not count", Stop::By(Guard::Beyond), writes_on;
    "a thief of a laptop", "a retired device writes on",
        "it is kept and does not count", Stop::By(Guard::Beyond), retired_writes_on;
    "a removed member", "they let a friend in, back-dated",
        "the friend is not in", Stop::By(Guard::Cut), admits_back_dated;
    "a steward", "a cut too low: it takes back what the signers had seen",
        "whom the removed let in stays", Stop::By(Guard::CutFloor), cut_too_low;
    "a steward and a removed member", "two cuts: an accomplice signs one that lets more through",
        "the lower one holds", Stop::By(Guard::LowestCut), two_cuts;
    "a steward", "a cut that names another's journal",
        "the other's journal goes on", Stop::By(Guard::OwnCut), foreign_cut;
}

fn remove(one: &One, person: PersonId) -> CouncilAct {
    CouncilAct::Remove {
        membership: one.membership(person),
    }
}

fn self_promotion() -> Outcome {
    let [mut anna, _, mut mallory] = three(10);
    let membership = mallory.membership(mallory.person());
    let role = kiez_core::domain::charter::Role::Steward;
    mallory.proposes(CouncilAct::Promote { membership, role });
    anna.meets(&mut mallory).unwrap();
    held(
        !anna.is_steward(mallory.person()),
        "Mallory is a steward by their own word",
    )
}

fn one_of_two() -> Outcome {
    let [mut anna, carla, mut mallory] = three(20);
    anna.promotes(&mut mallory);
    let act = remove(&mallory, carla.person());
    mallory.proposes(act);
    anna.meets(&mut mallory).unwrap();
    held(anna.has(carla.person()), "one steward of two has removed Carla")
}

fn sockpuppets() -> Outcome {
    let [mut anna, _, mut mallory] = three(30);
    let mut dozen: Vec<One> = (0..12).map(|n| mallory.lets_in(3_000 + n)).collect();
    let act = remove(&mallory, anna.person());
    let motion = mallory.proposes(act);
    for puppet in &mut dozen {
        puppet.meets(&mut mallory).unwrap();
        // Their own software takes it or not: what counts is what Anna's does.
        puppet.at.sign(motion).ok();
        mallory.meets(puppet).unwrap();
    }
    anna.meets(&mut mallory).unwrap();
    held(
        anna.has(anna.person()),
        "Mallory's puppets have removed the founder",
    )
}

/// Anna and Ben are stewards; Dora, Emil and Finn have voice as they have.
fn council(seed: u64) -> Vec<One> {
    let mut anna = founder(seed);
    let mut others: Vec<One> = (1..5).map(|n| anna.lets_in(seed + n)).collect();
    for other in &others[1..] {
        let membership = anna.membership(other.person());
        anna.proposes(CouncilAct::Confirm { membership });
    }
    let mut ben = others.remove(0);
    anna.promotes(&mut ben);
    let mut all = vec![anna, ben];
    all.append(&mut others);
    all_meet(&mut all);
    all
}

fn all_meet(all: &mut [One]) {
    let (anna, others) = all.split_first_mut().unwrap();
    for _ in 0..2 {
        for other in others.iter_mut() {
            anna.meets(other).unwrap();
        }
    }
}

fn two(all: &mut [One], one: usize, other: usize) -> (&mut One, &mut One) {
    let (left, right) = all.split_at_mut(other);
    (&mut left[one], &mut right[0])
}

fn mutual_removal() -> Outcome {
    let mut all = council(40);
    // Anna and Ben, who are the stewards, remove Dora.
    let dora = all[2].person();
    let act = remove(&all[0], dora);
    let motion = all[0].proposes(act);
    let (anna, ben) = two(&mut all, 0, 1);
    anna.meets(ben).unwrap();
    ben.at.sign(motion).unwrap();
    anna.meets(ben).unwrap();
    // Dora, Emil and Finn, who are most of the persons with voice, remove Anna meanwhile.
    let anna = all[0].person();
    let act = remove(&all[2], anna);
    let motion = all[2].proposes(act);
    for other in [3, 4] {
        let (dora, signer) = two(&mut all, 2, other);
        dora.meets(signer).unwrap();
        signer.at.sign(motion).unwrap();
        dora.meets(signer).unwrap();
    }
    // Ben knows of the one first, Emil of the other.
    let (dora, emil) = two(&mut all, 2, 3);
    dora.meets(emil).unwrap();
    let (ben, emil) = two(&mut all, 1, 3);
    ben.meets(emil).unwrap();
    ben.meets(emil).unwrap();
    let same = ben.at.roster().persons() == emil.at.roster().persons();
    held(same, "who is in the group hangs on whom one met first")
}

/// Mallory and Nils, who are two of three stewards, are removed by Anna, Dora and Emil; a copy of both from before.
fn removed_stewards(seed: u64) -> (One, One, One) {
    let mut all = council(seed);
    let (anna, dora) = two(&mut all, 0, 2);
    anna.meets(dora).unwrap();
    // Ben is a steward; so is Dora from now on, signed by both.
    let membership = anna.membership(dora.person());
    let role = kiez_core::domain::charter::Role::Steward;
    let motion = anna.proposes(CouncilAct::Promote { membership, role });
    let (anna, ben) = two(&mut all, 0, 1);
    anna.meets(ben).unwrap();
    ben.at.sign(motion).unwrap();
    all_meet(&mut all);
    let (mallory, nils) = (all[1].copied(seed + 70), all[2].copied(seed + 71));
    // Anna, Emil and Finn are three of the five with voice.
    for removed in [1, 2] {
        let person = all[removed].person();
        let act = remove(&all[0], person);
        let motion = all[0].proposes(act);
        for signer in [3, 4] {
            let (anna, signer) = two(&mut all, 0, signer);
            anna.meets(signer).unwrap();
            signer.at.sign(motion).ok();
            anna.meets(signer).unwrap();
        }
        all[0].rekeys();
    }
    let anna = all.remove(0);
    assert!(!anna.has(mallory.person()) && !anna.has(nils.person()));
    (anna, mallory, nils)
}

fn back_dated_removal() -> Outcome {
    let (mut anna, mut mallory, mut nils) = removed_stewards(50);
    // Neither names what they know by now.
    let act = remove(&mallory, anna.person());
    let motion = mallory.proposes(act);
    mallory.meets(&mut nils).unwrap();
    nils.at.sign(motion).unwrap();
    assert!(!nils.has(anna.person()), "as they knew, two of three were enough");
    anna.meets(&mut nils).unwrap();
    held(anna.has(anna.person()), "the removed have removed the founder")
}

/// Anna, who decides alone, has removed Mallory; Mallory does not know, and Carla has everything.
fn removed(seed: u64) -> [One; 3] {
    let [mut anna, mut carla, mallory] = three(seed);
    let act = remove(&anna, mallory.person());
    anna.proposes(act);
    anna.rekeys();
    anna.meets(&mut carla).unwrap();
    [anna, carla, mallory]
}

fn back_dated_content() -> Outcome {
    let [mut anna, _, mut mallory] = removed(60);
    let entry = mallory.forges_idea("written before I went");
    anna.takes(&mut mallory, &[entry]).unwrap();
    held(
        !anna.shows("written before I went"),
        "what Mallory dates back counts",
    )
}

fn writes_on() -> Outcome {
    let [mut anna, mut carla, mut mallory] = removed(70);
    mallory.adds("still here");
    carla.meets(&mut mallory).unwrap();
    anna.meets(&mut carla).unwrap();
    held(
        !anna.shows("still here"),
        "what Mallory writes after they were removed counts",
    )
}

fn retired_writes_on() -> Outcome {
    let [mut anna, mut stolen, _] = three(80);
    let mut second = stolen.second(89);
    let enrolment = second.membership(second.person());
    second.at.retire(enrolment).unwrap();
    anna.meets(&mut second).unwrap();
    stolen.adds("by the thief");
    anna.meets(&mut stolen).unwrap();
    held(!anna.shows("by the thief"), "a stolen laptop writes on")
}

fn admits_back_dated() -> Outcome {
    let [mut anna, _, mut mallory] = removed(90);
    let friend = mallory.lets_in(99);
    anna.meets(&mut mallory).unwrap();
    held(!anna.has(friend.person()), "a removed member's friend is in")
}

/// A motion of Anna's with a cut of her own making.
fn motion(act: CouncilAct, cut: Cut) -> ControlAct {
    let reason = String::new();
    ControlAct::Motion(Motion {
        act,
        reason,
        cut,
        at: NOW,
    })
}

fn cut_too_low() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(100);
    // Carla has let Dora in; Anna has seen it. Mallory, a steward now, is rid of both with one cut.
    let dora = carla.lets_in(109);
    anna.meets(&mut carla).unwrap();
    anna.promotes(&mut mallory);
    let act = remove(&mallory, carla.person());
    let motion = mallory.at.write_act(motion(act, Cut::new())).unwrap();
    anna.meets(&mut mallory).unwrap();
    let sign = Sign {
        motion,
        cut: Cut::new(),
    };
    anna.at.write_act(ControlAct::Sign(sign)).unwrap();
    assert!(!anna.has(carla.person()));
    held(anna.has(dora.person()), "Dora is out, whom nobody has removed")
}

fn two_cuts() -> Outcome {
    let mut all = council(110);
    let finn = all[4].person();
    let act = remove(&all[0], finn);
    let motion = all[0].proposes(act);
    all_meet(&mut all[..4]);
    let before = all[0].at.cut_of(Tenure::Membership(all[0].membership(finn)));
    // Ben signs by what he holds. Dora and Emil do as well, at the same time, and name more than there is.
    all[1].at.sign(motion).unwrap();
    let more: Cut = before
        .into_iter()
        .map(|(journal, _)| (journal, (EntryNumber(1_000), EntryId([1; 32]))))
        .collect();
    let signed = all[2].at.write_act(ControlAct::Sign(Sign {
        motion,
        cut: Cut::new(),
    }));
    signed.unwrap();
    let (dora, emil) = two(&mut all, 2, 3);
    dora.meets(emil).unwrap();
    emil.at
        .write_act(ControlAct::Sign(Sign { motion, cut: more }))
        .unwrap();
    assert!(!emil.has(finn) && !all[1].has(finn));
    let mut finn = all.pop().unwrap();
    finn.adds("let through");
    let (anna, ben) = two(&mut all, 0, 1);
    anna.meets(ben).unwrap();
    let (anna, emil) = two(&mut all, 0, 3);
    anna.meets(emil).unwrap();
    anna.meets(&mut finn).unwrap();
    held(
        !anna.shows("let through"),
        "an accomplice's cut lets more through than the others'",
    )
}

fn foreign_cut() -> Outcome {
    let [mut anna, mut carla, mut mallory] = three(120);
    let dora = anna.lets_in(129);
    anna.promotes(&mut mallory);
    mallory.meets(&mut anna).unwrap();
    let act = remove(&mallory, dora.person());
    let first = anna.entries_of(carla.journal())[0].id;
    let cut = Cut::from([(carla.journal(), (EntryNumber(1), first))]);
    let motion = mallory.at.write_act(motion(act, cut)).unwrap();
    anna.meets(&mut mallory).unwrap();
    anna.at.sign(motion).unwrap();
    assert!(!anna.has(dora.person()));
    // Carla has done nothing, and goes on.
    carla.adds("of Carla");
    anna.meets(&mut carla).unwrap();
    held(
        anna.shows("of Carla"),
        "Carla's journal counts no further, though she is in the group",
    )
}

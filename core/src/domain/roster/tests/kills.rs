//! R3 and R4: what a kill voids, how far what was written before counts, and which of two goes first.

use super::super::*;
use super::acts;
use super::story::{NOTHING, Story, TRUE};
use crate::domain::control::Cut;

#[test]
fn r3_what_was_written_beyond_a_removal_is_void_and_what_its_signers_saw_stays() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let kept = story.invites("cleo");
    let inside = story.admits(kept, "dora");
    let invite = story.invites("cleo");
    story.decides(&["anna", "ben"], story.remove("cleo"));
    let beyond = story.admits(invite, "emil");
    assert_eq!(
        story.verdict(beyond),
        Ok(()),
        "Cleo did not know that she was removed"
    );
    assert!(story.lives(inside) && story.is_in("dora"));
    assert!(!story.lives(beyond) && !story.is_in("emil"));
}

#[test]
fn r3_nothing_is_cut_below_what_the_signers_had_seen() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let invite = story.invites("cleo");
    let seen = story.admits(invite, "dora");
    let cut = acts::motion(story.remove("cleo"), Cut::new());
    let motion = story.does("anna", cut);
    story.does("ben", acts::sign(motion, Cut::new()));
    assert!(!story.is_in("cleo") && story.lives(seen) && story.is_in("dora"));
}

#[test]
fn r3_the_furthest_of_the_counted_signatures_counts() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let invite = story.invites("cleo");
    let admit = story.admits(invite, "dora");
    // Anna has not seen the admission; Ben holds it, and says so without naming it in `seen`.
    let motion = story.does_knowing("anna", &[], acts::motion(story.remove("cleo"), Cut::new()));
    let held = story.cut("cleo", TRUE);
    story.does_knowing("ben", &[motion], acts::sign(motion, held));
    assert!(!story.is_in("cleo") && story.lives(admit));
}

#[test]
fn r3_a_cut_by_who_has_no_power_counts_for_nothing() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.joins("dora", "anna");
    let mut cut = Cut::new();
    cut.insert(
        story.journal("cleo"),
        (EntryNumber(1_000), story.membership("cleo")),
    );
    // Dora proposes what the stewards sign, with a cut that would let everything count.
    let motion = story.does("dora", acts::motion(story.remove("cleo"), cut));
    let invite = story.invites("cleo");
    let one = story.does_knowing("anna", &[motion], acts::sign(motion, Cut::new()));
    story.does_knowing("ben", &[one], acts::sign(motion, Cut::new()));
    assert!(story.is_carried(motion) && !story.is_in("cleo"));
    assert!(!story.lives(invite));
}

#[test]
fn r3_who_is_removed_does_not_say_how_much_of_them_counts() {
    // Found by the explorer: Cleo signs her own removal, and says that a million of her entries count.
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.enrols("cleo", "silent");
    story.does("silent", acts::keys());
    let mut far = Cut::new();
    far.insert(
        story.journal("silent"),
        (EntryNumber(1_000_000), story.membership("cleo")),
    );
    let motion = story.proposes_knowing("anna", &[], story.remove("cleo"));
    story.does_knowing("cleo", &[motion], acts::sign(motion, far));
    let late = story.does_knowing("silent", &[], acts::invite(90, Role::Member));
    assert!(story.is_carried(motion) && !story.is_in("cleo") && !story.lives(late));
}

#[test]
fn r3_a_demotion_voids_what_the_role_did_beyond_it_and_nothing_else() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    // So many with voice that two of them are no majority: two stewards are.
    for name in ["dora", "emil", "fritz"] {
        story.joins(name, "anna");
        story.decides(&["anna", "ben"], story.confirm(name));
    }
    let demote = story.demote("cleo");
    let base = story.does("anna", acts::keys());
    for name in ["ben", "cleo"] {
        story.does_knowing(name, &[base], acts::keys());
    }
    let again = |story: &Story, name: &str| CouncilAct::Promote {
        membership: story.membership(name),
        role: Role::Member,
    };
    let proposal = story.proposes_knowing("ben", &[], again(&story, "dora"));
    let other = story.proposes_knowing("ben", &[], again(&story, "emil"));
    let before = story.signs_knowing("cleo", &[proposal], proposal);
    assert!(story.is_carried(proposal));
    let motion = story.proposes_knowing("anna", &[before], demote);
    story.signs_knowing("ben", &[motion], motion);
    // Cleo does not know yet: she signs as a steward, and hands on keys as anybody may.
    let beyond = story.signs_knowing("cleo", &[other], other);
    assert_eq!(story.verdict(beyond), Ok(()), "Cleo did not know");
    let keys = story.does_knowing("cleo", &[], acts::keys());
    assert!(!story.is_steward("cleo"));
    assert!(!story.is_carried(other), "one steward is too few");
    assert!(story.is_carried(proposal), "she signed that before");
    assert!(story.lives(keys), "that takes no role");
}

#[test]
fn r3_a_revocation_voids_the_admission_beyond_it_and_nothing_else() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let invite = story.invites("cleo");
    story.decides(&["anna", "ben"], CouncilAct::Revoke { invite });
    let admit = story.admits(invite, "dora");
    let other = story.does_knowing("cleo", &[], acts::keys());
    assert_eq!(story.verdict(admit), Ok(()), "Cleo did not know");
    assert!(!story.lives(admit) && !story.is_in("dora") && story.lives(other));
}

#[test]
fn r3_a_retired_device_counts_up_to_the_cut_and_the_person_stays() {
    let mut story = Story::of_stewards(&["ben"]);
    story.enrols("ben", "laptop");
    let before = story.does("laptop", acts::invite(91, Role::Member));
    let retire = acts::retire(story.enrolment("laptop"), story.cut("laptop", TRUE));
    story.does("ben", retire);
    let thief = story.does_knowing("laptop", &[], acts::invite(92, Role::Member));
    assert_eq!(story.verdict(thief), Ok(()));
    assert!(story.lives(before) && !story.lives(thief) && story.is_in("ben"));
    // Retired, and enrolled again: a new tenure and a new journal.
    story.enrols("ben", "laptop again");
    let again = story.does("laptop again", acts::keys());
    assert!(story.lives(again));
    let known = story.does("laptop", acts::keys());
    assert_eq!(story.verdict(known), Err(NotOk::NotAMember));
}

#[test]
fn r3_only_the_person_retires_and_leaves() {
    let mut story = Story::of_stewards(&["ben"]);
    let retire = acts::retire(story.enrolment("ben"), Cut::new());
    let by_anna = story.does("anna", retire);
    assert_eq!(story.verdict(by_anna), Err(NotOk::NotTheirs));
    let leave = acts::leave(story.membership("ben"), Cut::new());
    let by_anna = story.does("anna", leave);
    assert_eq!(story.verdict(by_anna), Err(NotOk::NotTheirs));
    let no_membership = acts::leave(story.enrolment("anna"), Cut::new());
    let of_something = story.does("ben", no_membership);
    assert_eq!(story.verdict(of_something), Err(NotOk::NotTheirs));
}

#[test]
fn r3_who_leaves_with_one_device_counts_up_to_the_leave() {
    let mut story = Story::of_stewards(&["ben"]);
    let before = story.does("ben", acts::invite(93, Role::Member));
    let leave = acts::leave(story.membership("ben"), story.cut("ben", NOTHING));
    let leave = story.does("ben", leave);
    assert!(story.lives(leave) && story.lives(before) && !story.is_in("ben"));
    let (_, number) = story.roster().place_of(leave).unwrap();
    assert_eq!(story.roster().ends(story.journal("ben")), Some(number));
    let after = story.does_knowing("ben", &[], acts::keys());
    assert_eq!(
        story.verdict(after),
        Err(NotOk::NotAMember),
        "a journal knows what it wrote"
    );
}

#[test]
fn r3_an_invitation_taken_back_admits_nobody_beyond() {
    let mut story = Story::of_stewards(&["ben"]);
    story.enrols("ben", "laptop");
    let invite = story.invites("laptop");
    let base = story.does("ben", acts::keys());
    let admit = story.admits(invite, "cleo");
    let withdraw = acts::withdraw(invite, Cut::new());
    let not_hers = story.does_knowing("anna", &[base], withdraw.clone());
    assert_eq!(story.verdict(not_hers), Err(NotOk::NotTheirs));
    assert!(story.lives(admit));
    let taken_back = story.does_knowing("ben", &[], withdraw);
    assert_eq!(story.verdict(taken_back), Ok(()));
    assert!(!story.lives(admit) && !story.is_in("cleo"));
}

#[test]
fn r4_of_two_who_remove_each_other_the_heavier_removal_holds() {
    // Five stewards; Dora signs on both sides, with a device for each.
    let mut story = Story::of_stewards(&["ben", "cleo", "dora"]);
    story.enrols("dora", "laptop");
    story.does("laptop", acts::keys());
    let of_cleo = story.proposes_knowing("ben", &[], story.remove("cleo"));
    let anna = story.signs_knowing("anna", &[of_cleo], of_cleo);
    let first = story.signs_knowing("dora", &[anna], of_cleo);
    let of_ben = story.proposes_knowing("cleo", &[], story.remove("ben"));
    let laptop = story.signs_knowing("laptop", &[of_ben], of_ben);
    story.joins("emil", "anna");
    assert_eq!(story.verdict(first), Ok(()));
    assert!(
        story.is_carried(of_cleo) && !story.is_carried(of_ben),
        "two of four carry nothing"
    );
    assert_eq!(story.verdict(laptop), Ok(()));
    assert!(story.is_in("ben") && !story.is_in("cleo"));
}

#[test]
fn r4_mutual_removal_has_one_winner_whatever_comes_first() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.enrols("anna", "laptop");
    story.does("laptop", acts::keys());
    // Anna signs both, not knowing with one device what she did with the other.
    let of_cleo = story.proposes_knowing("ben", &[], story.remove("cleo"));
    let one = story.signs_knowing("anna", &[of_cleo], of_cleo);
    let of_ben = story.proposes_knowing("cleo", &[], story.remove("ben"));
    let other = story.signs_knowing("laptop", &[of_ben], of_ben);
    assert_eq!((story.verdict(one), story.verdict(other)), (Ok(()), Ok(())));
    assert_ne!(
        story.lives(one),
        story.lives(other),
        "each voids a signature that the other needs"
    );
    assert_ne!(story.is_in("ben"), story.is_in("cleo"));
    // Both were known to the one they removed, Anna is the nearest of both: the smaller id.
    assert_eq!(story.lives(one), one < other);
}

#[test]
fn r4_a_majority_the_removed_knew_outweighs_what_they_signed_behind_the_cut() {
    // Anna founded; Ben came first, with a device that has been silent since.
    let mut story = Story::founded_by("anna");
    story.joins("ben", "anna");
    story.decides(&["anna"], story.promote("ben"));
    story.decides(&["anna"], story.confirm("ben"));
    story.enrols("ben", "silent");
    for name in ["cleo", "dora", "emil"] {
        story.joins(name, "anna");
        story.decides(&["anna", "ben"], story.promote(name));
        story.decides(&["anna", "ben", "cleo"], story.confirm(name));
    }
    story.does("ben", acts::keys());
    let removal = story.decides(&["cleo", "dora", "emil"], story.remove("ben"));
    assert!(!story.is_in("ben"));
    // Behind the cut: Ben alone, from the days when he and Anna were all.
    let back_dated = story.proposes_knowing("silent", &[], story.remove("anna"));
    assert_eq!(story.verdict(back_dated), Ok(()));
    assert!(!story.is_carried(back_dated) && story.is_in("anna") && story.lives(removal));
}

#[test]
fn r4_of_two_devices_that_retire_each_other_the_one_that_enrolled_the_other_stays() {
    // Whoever has the later one may try as many cuts as they like: none of them outweighs it.
    for tries in 0..20 {
        let mut story = Story::of_stewards(&["ben"]);
        story.enrols("ben", "stolen");
        story.does("stolen", acts::keys());
        let invite = story.invites("ben");
        let retired = acts::retire(story.enrolment("stolen"), story.cut("ben", TRUE));
        let retired = story.does_knowing("ben", &[], retired);
        let mut cut = Cut::new();
        cut.insert(JournalId([200; 32]), (EntryNumber(tries), invite));
        let against = acts::retire(story.enrolment("ben"), cut);
        let against = story.does_knowing("stolen", &[], against);
        assert!(story.lives(retired) && story.lives(invite) && !story.lives(against));
    }
}

#[test]
fn r4_nobody_who_has_left_is_held_back_by_a_device_of_theirs() {
    for tries in 0..20 {
        let mut story = Story::of_stewards(&["ben"]);
        story.enrols("ben", "second");
        story.does("second", acts::keys());
        let left = {
            let act = acts::leave(story.membership("ben"), story.cut("second", TRUE));
            story.does_knowing("second", &[], act)
        };
        let mut cut = Cut::new();
        cut.insert(JournalId([200; 32]), (EntryNumber(tries), left));
        let against = acts::retire(story.enrolment("second"), cut);
        let against = story.does_knowing("ben", &[], against);
        assert!(story.lives(left) && !story.lives(against) && !story.is_in("ben"));
    }
}

#[test]
fn r4_a_founder_who_was_removed_wins_from_the_days_when_nobody_else_could_act() {
    // The limit that DESIGN names: a group's only steward against those they brought in themselves.
    let mut story = Story::founded_by("anna");
    story.enrols("anna", "silent");
    for name in ["ben", "cleo"] {
        story.joins(name, "anna");
        story.decides(&["anna"], story.confirm(name));
    }
    for name in ["ben", "cleo"] {
        story.does(name, acts::keys());
    }
    let removal = story.decides(&["ben", "cleo"], story.remove("anna"));
    assert!(story.lives(removal) && !story.is_in("anna"));
    let ben = story.membership("ben");
    let act = acts::motion(story.remove("ben"), Cut::new());
    let back_dated = story.does_knowing("silent", &[ben], act);
    assert_eq!(
        story.verdict(back_dated),
        Ok(()),
        "she knew of Ben and of nobody's voice"
    );
    assert!(story.lives(back_dated) && !story.lives(removal));
    assert!(story.is_in("anna") && !story.is_in("ben"));
}

#[test]
fn r4_sockpuppets_do_not_weigh_against_who_did_not_know_them() {
    // Ben brings in two, has them made stewards, and all three act on Anna behind the cut.
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.enrols("ben", "silent");
    story.does("silent", acts::keys());
    let removal = story.decides(&["anna", "cleo"], story.remove("ben"));
    let mut puppets = Vec::new();
    for key in [94, 95] {
        let invite = story.does_knowing("silent", &[], acts::invite(key, Role::Member));
        puppets.push(invite);
    }
    assert!(puppets.iter().all(|invite| !story.lives(*invite)));
    assert!(story.lives(removal) && story.is_in("anna") && story.is_in("cleo"));
}

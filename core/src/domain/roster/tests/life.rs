//! R5, R6 and R7: what lives, what comes first, and that nobody is locked out.

use super::super::*;
use super::acts;
use super::story::{NOTHING, Story, TRUE};
use crate::domain::charter::{Amendment, Charter, Template};
use crate::domain::control::Cut;

#[test]
fn r5_whoever_came_in_by_a_void_grant_is_not_in() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.enrols("cleo", "silent");
    let invite = story.invites("silent");
    let removal = story.decides(&["anna", "ben"], story.remove("cleo"));
    story.admits(invite, "dora");
    let dora = story.membership("dora");
    let acts_of_dora = story.does_knowing("dora", &[], acts::invite(90, Role::Member));
    assert_eq!(story.verdict(acts_of_dora), Ok(()));
    assert!(story.lives(removal) && !story.lives(dora) && !story.lives(acts_of_dora));
    assert_eq!(story.roster().ends(story.journal("dora")), Some(EntryNumber(0)));
}

#[test]
fn r5_a_council_act_falls_with_a_signature_it_needs_and_stands_without_one_it_does_not() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.joins("emil", "anna");
    for name in ["anna", "ben", "cleo"] {
        story.does(name, acts::keys());
    }
    // Ben and Cleo change a rule; all three, apart and sealed, make Emil a steward. None knows of Cleo's removal.
    let vouchers = CouncilAct::Amend(Amendment::Vouchers(2));
    let asked = |story: &Story| story.roster().charter().unwrap().vouchers;
    let of_rule = story.proposes_knowing("ben", &[], vouchers);
    let of_emil = story.proposes_knowing("ben", &[], story.promote("emil"));
    let removal = story.proposes_knowing("anna", &[], story.remove("cleo"));
    story.signs_knowing("cleo", &[of_rule], of_rule);
    story.signs_knowing("cleo", &[of_emil], of_emil);
    assert!(asked(&story) == 2 && story.is_steward("emil"));
    let anna = story.signs_knowing("anna", &[of_emil], of_emil);
    assert_eq!(story.verdict(anna), Ok(()));
    let silent = story.signs_knowing("ben", &[removal], removal);
    assert_eq!(story.verdict(silent), Ok(()));
    assert!(!story.is_in("cleo"));
    assert_eq!(asked(&story), 0, "it had Cleo's signature, and only one other");
    assert!(story.is_steward("emil"), "Anna's completes it, too");
}

#[test]
fn r5_of_two_majorities_one_is_enough() {
    // Two stewards, three voices; all sign what stewards alone could have carried.
    let mut story = Story::of_stewards(&["ben"]);
    for name in ["cleo", "dora", "emil"] {
        story.joins(name, "anna");
        story.decides(&["anna", "ben"], story.confirm(name));
    }
    story.enrols("anna", "silent");
    for name in ["anna", "ben", "cleo", "dora", "emil", "silent"] {
        story.does(name, acts::keys());
    }
    let motion = story.proposes_knowing("cleo", &[], story.promote("emil"));
    let dora = story.signs_knowing("dora", &[motion], motion);
    let ben = story.signs_knowing("ben", &[motion], motion);
    let silent = story.signs_knowing("silent", &[motion], motion);
    let sealed = story.signs_knowing("ben", &[dora, ben, silent], motion);
    assert!(story.is_carried(motion) && story.is_steward("emil"));
    // Anna retires the device whose signature made both stewards; three voices are left of five.
    let retire = acts::retire(story.enrolment("silent"), Cut::new());
    story.does_knowing("anna", &[], retire);
    assert!(!story.lives(silent) && story.lives(sealed));
    assert!(story.is_carried(motion) && story.is_steward("emil"));
}

#[test]
fn r5_no_two_kills_together_void_what_none_of_them_does_alone_in_one_order_only() {
    // Found by the oracle: a kill that needs two of three signatures, of which two others void one each.
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.joins("dora", "anna");
    for (name, device) in [("anna", "a"), ("ben", "b"), ("cleo", "c")] {
        story.enrols(name, device);
        story.does(device, acts::keys());
    }
    for name in ["anna", "ben", "cleo"] {
        story.does(name, acts::keys());
    }
    // Signed apart by all three other devices, and sealed.
    let motion = story.proposes_knowing("a", &[], story.remove("dora"));
    story.signs_knowing("b", &[motion], motion);
    story.signs_knowing("c", &[motion], motion);
    assert!(story.is_carried(motion) && !story.is_in("dora"));
    // Ben and Cleo retire the devices they signed with, not having seen it. Then something comes that lies beyond.
    for (name, device) in [("ben", "b"), ("cleo", "c")] {
        let retire = acts::retire(story.enrolment(device), Cut::new());
        let retired = story.does_knowing(name, &[], retire);
        assert!(story.lives(retired));
    }
    assert!(!story.is_carried(motion) && story.is_in("dora"));
    let late = story.does_knowing("dora", &[], acts::keys());
    assert!(story.lives(late));
}

#[test]
fn r5_a_taken_kill_stays_taken() {
    // Three stewards remove one another in a ring, Anna's devices signing each time.
    let mut story = Story::of_stewards(&["ben", "cleo", "dora"]);
    for device in ["a1", "a2"] {
        story.enrols("anna", device);
        story.does(device, acts::keys());
    }
    for name in ["anna", "ben", "cleo", "dora"] {
        story.does(name, acts::keys());
    }
    let before = story.roster().persons().len();
    let of_cleo = story.proposes_knowing("ben", &[], story.remove("cleo"));
    let one = story.signs_knowing("anna", &[of_cleo], of_cleo);
    story.signs_knowing("dora", &[one], of_cleo);
    assert_eq!(story.roster().persons().len(), before - 1);
    let of_dora = story.proposes_knowing("cleo", &[], story.remove("dora"));
    story.signs_knowing("a1", &[of_dora], of_dora);
    assert!(!story.is_in("cleo") && story.is_in("dora"));
}

#[test]
fn r6_removal_before_grant() {
    let mut story = Story::of_stewards(&["ben"]);
    story.joins("cleo", "anna");
    story.enrols("ben", "laptop");
    for name in ["anna", "ben", "laptop"] {
        story.does(name, acts::keys());
    }
    let promoted = story.proposes_knowing("anna", &[], story.promote("cleo"));
    let carried = story.signs_knowing("ben", &[promoted], promoted);
    let removed = story.proposes_knowing("laptop", &[], story.remove("cleo"));
    let other = story.signs_knowing("anna", &[removed], removed);
    assert!(
        story.lives(carried) && story.lives(other),
        "they do not void each other"
    );
    assert!(!story.is_in("cleo") && !story.is_steward("cleo"));
}

#[test]
fn r6_several_removals_of_one_membership_all_hold() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.joins("emil", "anna");
    story.enrols("anna", "laptop");
    for name in ["anna", "ben", "cleo", "laptop"] {
        story.does(name, acts::keys());
    }
    let early = story.proposes_knowing("anna", &[], story.remove("emil"));
    story.signs_knowing("ben", &[early], early);
    let invite = story.does_knowing("emil", &[], acts::invite(90, Role::Member));
    let late = story.proposes_knowing("cleo", &[invite], story.remove("emil"));
    story.signs_knowing("laptop", &[late], late);
    assert!(story.is_carried(late) && story.is_carried(early));
    assert!(
        !story.is_in("emil") && !story.lives(invite),
        "the lowest of the cuts"
    );
}

#[test]
fn r7_without_a_steward_those_with_voice_go_on() {
    let mut story = Story::of_stewards(&["ben"]);
    for name in ["cleo", "dora", "emil"] {
        story.joins(name, "anna");
        story.decides(&["anna", "ben"], story.confirm(name));
    }
    for name in ["anna", "ben"] {
        let leave = acts::leave(story.membership(name), story.cut(name, TRUE));
        story.does(name, leave);
    }
    assert!(story.roster().stewards().is_empty() && !story.roster().is_stuck());
    story.decides(&["cleo", "dora"], story.promote("emil"));
    assert!(story.is_steward("emil"));
}

#[test]
fn r7_a_group_says_so_where_nobody_can_act() {
    let mut story = Story::founded_by("anna");
    story.joins("ben", "anna");
    assert!(!story.roster().is_stuck());
    let leave = acts::leave(story.membership("anna"), story.cut("anna", NOTHING));
    story.does("anna", leave);
    assert!(story.roster().is_stuck() && story.is_in("ben"));
    let motion = story.proposes("ben", story.promote("ben"));
    assert!(!story.is_carried(motion));
    assert!(!Roster::default().is_stuck(), "an empty one is not a group");
}

#[test]
fn r7_vouchers_are_never_more_than_there_are() {
    let charter = Charter {
        vouchers: 3,
        ..Template::Circle.charter()
    };
    let mut story = Story::with_charter("anna", charter);
    story.joins("ben", "anna");
    assert!(story.is_in("ben"), "nobody could vouch");
    let refused = story.joins_unvouched("cleo", "anna");
    assert_eq!(story.verdict(refused), Err(NotOk::VouchersMissing));
    let (ask, admit) = story.joins_vouched("dora", "anna", &["ben"]);
    assert_eq!((story.verdict(ask), story.verdict(admit)), (Ok(()), Ok(())));
}

#[test]
fn r5_an_admission_falls_with_a_vouch_it_needs() {
    let charter = Charter {
        vouchers: 1,
        ..Template::Circle.charter()
    };
    let mut story = Story::with_charter("anna", charter);
    story.joins("ben", "anna");
    story.enrols("ben", "laptop");
    let base = story.does("ben", acts::keys());
    let (_, admit) = story.joins_vouched("cleo", "anna", &["laptop"]);
    assert!(story.lives(base) && story.lives(admit));
    let retire = acts::retire(story.enrolment("laptop"), Cut::new());
    story.does_knowing("ben", &[], retire);
    assert!(!story.lives(admit) && !story.is_in("cleo"));
}

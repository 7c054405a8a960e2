//! R2 of motions, and what the council can do: confirm, promote, demote, remove, revoke, amend, hide.

use super::super::*;
use super::acts;
use super::story::{Story, TRUE};
use crate::domain::charter::{Amendment, Inviters};
use crate::domain::control::{Cut, Shown};

#[test]
fn r2_a_founder_alone_carries_by_proposing() {
    let mut story = Story::founded_by("anna");
    story.joins("ben", "anna");
    let motion = story.proposes("anna", story.promote("ben"));
    assert!(story.is_carried(motion) && story.is_steward("ben"));
    assert!(
        story.has_voice("ben"),
        "whom the council makes a steward it has confirmed"
    );
    story.joins("cleo", "anna");
    let removal = story.proposes("anna", story.remove("cleo"));
    assert!(
        !story.is_carried(removal),
        "the founder is no majority by themselves any more"
    );
}

#[test]
fn r2_two_stewards_both_must_sign() {
    let mut story = Story::of_stewards(&["ben"]);
    story.joins("cleo", "ben");
    let motion = story.proposes("anna", story.remove("cleo"));
    assert!(
        !story.is_carried(motion) && story.is_in("cleo"),
        "one of two is not more than half"
    );
    let sealed = story.signs("ben", motion);
    assert!(story.is_carried(motion) && !story.is_in("cleo"));
    assert!(story.lives(sealed));
}

#[test]
fn r2_one_of_two_stewards_removes_nobody_not_even_the_other() {
    let mut story = Story::of_stewards(&["ben"]);
    let motion = story.proposes("ben", story.remove("anna"));
    assert!(!story.is_carried(motion) && story.is_in("anna"));
    let again = story.signs("ben", motion);
    assert_eq!(story.verdict(again), Ok(()));
    assert!(!story.is_carried(motion), "one person's two signatures are one");
}

#[test]
fn r2_more_than_half_of_the_voices_decide_beside_the_stewards() {
    let mut story = Story::founded_by("anna");
    for name in ["ben", "cleo", "dora", "emil"] {
        story.joins(name, "anna");
        story.decides(&["anna"], story.confirm(name));
    }
    let motion = story.proposes("ben", story.remove("anna"));
    story.signs("cleo", motion);
    assert!(!story.is_carried(motion), "two of five");
    story.signs("dora", motion);
    assert!(story.is_carried(motion) && !story.is_in("anna"));
}

#[test]
fn r2_members_without_voice_decide_nothing() {
    let mut story = Story::founded_by("anna");
    story.joins("ben", "anna");
    story.decides(&["anna"], story.confirm("ben"));
    let motion = story.proposes("ben", story.remove("anna"));
    // A dozen sockpuppets.
    for name in [
        "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "pa", "pb", "pc",
    ] {
        story.joins(name, "ben");
        let sign = story.signs(name, motion);
        assert_eq!(story.verdict(sign), Err(NotOk::NoPower));
    }
    assert!(!story.is_carried(motion) && story.is_in("anna"));
    assert_eq!(story.roster().voices().len(), 2);
}

#[test]
fn r2_signatures_made_apart_are_sealed_by_signing_again() {
    let mut story = Story::of_stewards(&["ben", "cleo", "dora"]);
    story.joins("emil", "anna");
    let motion = story.proposes("anna", story.remove("emil"));
    story.signs_knowing("ben", &[motion], motion);
    story.signs_knowing("cleo", &[motion], motion);
    assert!(
        !story.is_carried(motion),
        "none of them has more than two in its past"
    );
    let sealed = story.signs("anna", motion);
    assert_eq!(story.verdict(sealed), Ok(()));
    assert!(story.is_carried(motion) && !story.is_in("emil"));
}

#[test]
fn r2_a_late_signature_is_not_needed_and_concurrent_completions_both_count() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.joins("emil", "anna");
    let motion = story.proposes("anna", story.promote("emil"));
    let one = story.signs_knowing("ben", &[motion], motion);
    let other = story.signs_knowing("cleo", &[motion], motion);
    assert_eq!((story.verdict(one), story.verdict(other)), (Ok(()), Ok(())));
    assert!(story.is_steward("emil"));
    let late = story.signs("emil", motion);
    assert_eq!(story.verdict(late), Err(NotOk::CarriedAlready));
}

#[test]
fn r2_what_a_motion_is_about_must_be_in_its_past() {
    let mut story = Story::of_stewards(&["ben"]);
    story.joins("cleo", "anna");
    let promoted = story.proposes("anna", story.promote("cleo"));
    story.signs("ben", promoted);
    let invite = story.invites("anna");
    let apart = [
        CouncilAct::Demote { tenure: promoted },
        CouncilAct::Revoke { invite },
        CouncilAct::Remove { membership: invite },
    ];
    // Anna has seen them, Cleo has not: it does not matter what else is here.
    for act in apart.clone() {
        let motion = story.does_knowing("cleo", &[], acts::motion(act, Cut::new()));
        assert_eq!(story.verdict(motion), Err(NotOk::NoSuchTenure));
    }
    for act in &apart[..2] {
        let motion = story.does("cleo", acts::motion(act.clone(), Cut::new()));
        assert_eq!(story.verdict(motion), Ok(()));
    }
    let nothing = story.does(
        "cleo",
        acts::motion(CouncilAct::Confirm { membership: invite }, Cut::new()),
    );
    assert_eq!(
        story.verdict(nothing),
        Err(NotOk::NoSuchTenure),
        "an invitation is no membership"
    );
}

#[test]
fn r2_only_members_who_have_a_power_sign() {
    let mut story = Story::of_stewards(&["ben"]);
    story.joins("cleo", "anna");
    let motion = story.proposes("cleo", story.promote("cleo"));
    assert_eq!(story.verdict(motion), Ok(()), "any member proposes");
    assert!(story.roster().motion_card(motion).unwrap().signers.is_empty());
    let sign = story.signs("cleo", motion);
    assert_eq!(story.verdict(sign), Err(NotOk::NoPower));
    let nothing = story.does("ben", acts::sign(story.membership("cleo"), Cut::new()));
    assert_eq!(story.verdict(nothing), Err(NotOk::NoSuchMotion));
}

#[test]
fn r6_a_demotion_takes_the_role_and_nothing_else() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    story.decides(&["anna", "ben"], story.demote("cleo"));
    assert!(!story.is_steward("cleo") && story.is_in("cleo") && story.has_voice("cleo"));
    let founder = story.demote("anna");
    story.decides(&["ben", "anna"], founder);
    assert!(
        !story.is_steward("anna") && story.has_voice("anna"),
        "a founder stays a member with voice"
    );
}

#[test]
fn r6_amendments_change_one_rule_each_and_the_causally_last_counts() {
    let mut story = Story::of_stewards(&["ben"]);
    let amend = |to| CouncilAct::Amend(Amendment::Inviters(to));
    story.decides(&["anna", "ben"], amend(Inviters::Stewards));
    story.decides(&["ben", "anna"], CouncilAct::Amend(Amendment::Vouchers(1)));
    let charter = story.roster().charter().unwrap();
    assert_eq!((charter.inviters, charter.vouchers), (Inviters::Stewards, 1));
    story.decides(&["anna", "ben"], amend(Inviters::Members));
    assert_eq!(story.roster().charter().unwrap().inviters, Inviters::Members);
}

#[test]
fn r6_of_concurrent_amendments_the_one_with_more_signers_counts() {
    let mut story = Story::of_stewards(&["ben"]);
    for name in ["cleo", "dora", "emil"] {
        story.joins(name, "anna");
        story.decides(&["anna", "ben"], story.confirm(name));
    }
    for name in ["anna", "ben", "cleo", "dora", "emil"] {
        story.does(name, acts::keys());
    }
    let amend = |vouchers| CouncilAct::Amend(Amendment::Vouchers(vouchers));
    let by_stewards = story.proposes_knowing("anna", &[], amend(3));
    story.signs_knowing("ben", &[by_stewards], by_stewards);
    let by_voices = story.proposes_knowing("cleo", &[], amend(4));
    let dora = story.signs_knowing("dora", &[by_voices], by_voices);
    story.signs_knowing("emil", &[dora], by_voices);
    assert!(story.is_carried(by_stewards) && story.is_carried(by_voices));
    assert_eq!(story.roster().charter().unwrap().vouchers, 4, "three against two");
}

#[test]
fn r6_hiding_is_undone_by_showing_again() {
    let mut story = Story::of_stewards(&["ben"]);
    let target = acts::target(1);
    let hide = |shown| CouncilAct::Hide { target, shown };
    story.decides(&["anna", "ben"], hide(Shown::Hidden));
    assert!(story.roster().hidden().contains_key(&target));
    let one = story.proposes("anna", hide(Shown::Visible));
    assert!(
        story.roster().hidden().contains_key(&target),
        "not before it is carried"
    );
    story.signs("ben", one);
    assert!(story.roster().hidden().is_empty());
}

#[test]
fn r6_a_revoked_invitation_admits_nobody() {
    let mut story = Story::of_stewards(&["ben"]);
    let invite = story.invites("ben");
    story.decides(&["anna", "ben"], CouncilAct::Revoke { invite });
    let late = story.admits(invite, "cleo");
    assert_eq!(story.verdict(late), Err(NotOk::InvitationEnded));
    let again = story.does("anna", acts::withdraw(invite, Cut::new()));
    assert_eq!(story.verdict(again), Err(NotOk::NoSuchInvitation));
}

#[test]
fn r6_a_role_falls_with_its_membership_and_coming_back_is_a_new_tenure() {
    let mut story = Story::of_stewards(&["ben", "cleo"]);
    let leave = acts::leave(story.membership("cleo"), story.cut("cleo", TRUE));
    story.does("cleo", leave);
    assert!(!story.is_in("cleo") && !story.is_steward("cleo") && !story.has_voice("cleo"));
    let old = story.membership("cleo");
    let new = story.comes_back("cleo", "cleo again", "anna");
    assert_ne!(old, new);
    assert!(story.is_in("cleo") && !story.is_steward("cleo") && !story.has_voice("cleo"));
    let by_the_old_one = story.does("cleo", acts::keys());
    assert_eq!(story.verdict(by_the_old_one), Err(NotOk::NotAMember));
    let by_the_new_one = story.does("cleo again", acts::keys());
    assert_eq!(story.verdict(by_the_new_one), Ok(()));
}

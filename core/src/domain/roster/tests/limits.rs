//! What the rules do not hold, each shown: docs/rules.md tells them in plain words.

use super::super::*;
use super::acts;
use super::story::Story;
use crate::domain::control::Cut;
use crate::domain::id::EntryNumber;

#[test]
fn limit_who_let_somebody_in_can_take_that_back_with_a_device_silent_since() {
    let mut story = Story::of_stewards(&["xaver"]);
    let invite = story.invites("xaver");
    story.enrols("xaver", "silent");
    story.admits(invite, "cleo");
    story.decides(&["anna", "xaver"], story.confirm("cleo"));
    story.decides(&["anna", "xaver"], story.promote("cleo"));
    for name in ["anna", "xaver", "cleo"] {
        story.does(name, acts::keys());
    }
    assert!(story.is_steward("cleo"));
    // Years later, from the device that has seen nothing since.
    let withdrawn = story.does_knowing("silent", &[], acts::withdraw(invite, Cut::new()));
    assert!(story.lives(withdrawn) && !story.is_in("cleo"));
}

#[test]
fn limit_a_signer_can_let_too_much_count_and_a_second_removal_mends_it() {
    let mut story = Story::of_stewards(&["ben", "cleo", "xaver", "yvonne"]);
    story.enrols("xaver", "silent");
    for name in ["anna", "ben", "cleo", "xaver", "yvonne", "silent"] {
        story.does(name, acts::keys());
    }
    let motion = story.proposes_knowing("anna", &[], story.remove("xaver"));
    let mut far = Cut::new();
    far.insert(
        story.journal("silent"),
        (EntryNumber(1_000_000), story.membership("xaver")),
    );
    let yvonne = story.does_knowing("yvonne", &[motion], acts::sign(motion, far));
    story.signs_knowing("ben", &[yvonne], motion);
    assert!(story.is_carried(motion) && !story.is_in("xaver"));
    let one = story.does_knowing("silent", &[], acts::invite(90, Role::Member));
    assert!(story.lives(one), "Yvonne said it counts");
    // Without her: once more, with the true cut. What nobody had seen is void.
    let again = story.proposes_knowing("anna", &[], story.remove("xaver"));
    let ben = story.signs_knowing("ben", &[again], again);
    story.signs_knowing("cleo", &[ben], again);
    assert!(story.is_carried(again));
    let another = story.does_knowing("silent", &[], acts::invite(91, Role::Member));
    assert!(!story.lives(another) && !story.lives(one));
}

#[test]
fn limit_who_sealed_can_undo_the_seal_and_the_others_seal_again() {
    let mut story = Story::of_stewards(&["ben", "cleo", "xaver", "yvonne"]);
    story.enrols("yvonne", "other");
    for name in ["anna", "ben", "cleo", "xaver", "yvonne", "other"] {
        story.does(name, acts::keys());
    }
    // Three sign apart; Yvonne, who need not, seals it first.
    let motion = story.proposes_knowing("anna", &[], story.remove("xaver"));
    let ben = story.signs_knowing("ben", &[motion], motion);
    let cleo = story.signs_knowing("cleo", &[motion], motion);
    let sealed = story.signs_knowing("yvonne", &[ben, cleo], motion);
    assert!(story.is_carried(motion));
    let retire = acts::retire(story.enrolment("yvonne"), Cut::new());
    story.does_knowing("other", &[], retire);
    assert!(!story.lives(sealed) && !story.is_carried(motion) && story.is_in("xaver"));
    let again = story.signs_knowing("anna", &[ben, cleo], motion);
    assert!(story.lives(again) && !story.is_in("xaver"));
}

//! The fuzzer's end of `tests/src/decoders`: `KIEZ_FUZZ` names the target, all else is told to libFuzzer as arguments.

#![no_main]

// By path: kiez-tests itself would bring the network and the store with it.
#[path = "../../src/decoders/mod.rs"]
pub mod decoders;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    static RUN: OnceLock<fn(&[u8])> = OnceLock::new();
    let run = RUN.get_or_init(|| {
        let name = std::env::var("KIEZ_FUZZ").expect("KIEZ_FUZZ names a target");
        if name == "planted" {
            return planted;
        }
        decoders::named(&name).expect("there is no such target").run
    });
    run(bytes);
});

/// No decoder, but what shows that the fuzzer sees: nobody guesses this word at once, only letter by letter, by the branch
/// that each right one reaches. `.ci/fuzz` begins with it.
fn planted(bytes: &[u8]) {
    if let [b'K', b'i', b'e', b'z', b'!', ..] = bytes {
        panic!("the planted crash was found");
    }
}

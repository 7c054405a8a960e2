//! The bytes of the format stay: a file that was written once is read for ever.

use std::fmt::Write;

use crate::domain::id::to_hex;
use crate::replica::bundle::read;

use super::world::{Plain, World};

const FIXTURE: &[u8] = include_bytes!("../../../../tests/fixtures/bundle-1.kiez");

/// The group in the fixture.
fn world() -> World {
    let mut world = World::new(2026, 2);
    world.control(1, b"an act");
    for act in 0..4 {
        world.change(act % 2);
    }
    world.odd_nonce(1);
    world.strange_content(0);
    world
}

/// Run with `KIEZ_WRITE_FIXTURES=1` to write it anew; do so only together with a new version.
#[test]
fn the_file_of_version_1_is_read() {
    let world = world();
    if std::env::var_os("KIEZ_WRITE_FIXTURES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bundle-1.kiez");
        std::fs::write(path, world.write()).unwrap();
        return;
    }
    let bundle = read(FIXTURE, &world.keys()).unwrap();
    assert_eq!(bundle.group, world.group);
    assert_eq!(bundle.entries, world.expected(&world.entries));
}

/// Without compression: that may differ from one version of zstd to the next.
#[test]
fn the_plain_bytes_stay() {
    let mut plain = Plain::of(&world());
    let mut text = format!(
        "group {}\nkey entries {}, entries {}\n",
        plain.group, plain.key_entries, plain.entries
    );
    for (index, lane) in plain.lanes.each().into_iter().enumerate() {
        writeln!(text, "lane {index}: {}", to_hex(lane)).unwrap();
    }
    insta::assert_snapshot!(text);
}

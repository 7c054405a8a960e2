//! Records what the fuzzer begins with into a folder: real bytes of the fixtures of issue 2, in a folder for each target.
//!
//! `cargo run -p kiez-tests --bin record_seeds -- DIR`, DIR being `tests/fixtures/fuzz`. What is there already stays, so
//! that a crash that was kept is never written over.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use automerge::Change;
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::Timestamp;
use kiez_core::domain::poll::Ballot;
use kiez_core::replica::codec::encode;
use kiez_core::replica::document::{Document, vote};
use kiez_core::replica::entry::EntryKind;
use kiez_core::replica::keys::GroupKey;
use kiez_tests::decoders::{Base, GROUP_KEY, held, honest, journal_of_place, plain_of};
use kiez_tests::fixtures::{Neighbours, bytes, folder};

type Seeds = Vec<Vec<u8>>;
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let top = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("see the head of record_seeds.rs")?;
    let keep = |target: &str, seeds: Vec<Vec<u8>>| keep(&top.join(target), &seeds);
    let recorded: Neighbours = serde_json::from_slice(&fs::read(folder().join("neighbours.json"))?)?;
    let frames = recorded.joining.iter().chain(&recorded.session);
    keep(
        "frame",
        frames
            .map(|frame| bytes(&frame.bytes))
            .collect::<Result<_, _>>()?,
    )?;
    keep("invitation", invitations(&recorded.invitation)?)?;

    let mut kept = Vec::new();
    let (mut content, mut control) = (Vec::new(), Vec::new());
    for item in &held().entries {
        kept.push(encode(&item.entry.to_kept()));
        let payload = item.payload.clone().unwrap_or_default();
        match item.entry.header.kind {
            EntryKind::Content => content.push(payload),
            EntryKind::Control => {
                control.push([vec![u8::from(item.entry.header.number.0 == 1)], payload].concat());
            }
        }
    }
    // An act of newer software.
    control.push(vec![0, 0xff, 0xff, 1, 2, 3]);
    keep(
        "entry",
        vec![
            entry(&control),
            b"\x01\x01\x03\x00\x01\x02\x00\x01\x02\x05\x00hello".to_vec(),
        ],
    )?;
    keep(
        "bundle-written",
        vec![written(&content, 0), written(&control, 4), written(&content, 8)],
    )?;
    keep("kept-entry", kept)?;
    keep("content", content)?;
    keep("control", control)?;
    keep("member", honest())?;

    let file = fs::read(folder().join("after.kiez"))?;
    let plain = plain_of(&file, &GroupKey::from_bytes(GROUP_KEY)).ok_or("the fixture does not open")?;
    let container = zstd::bulk::compress(&plain, 3)?;
    keep(
        "bundle-file",
        vec![[vec![0], file].concat(), [vec![1], container].concat()],
    )?;
    keep("bundle", vec![plain])?;

    let (mut changes, mut columns) = (Vec::new(), Vec::new());
    for (kind, base) in (0_u8..)
        .zip(DocumentKind::ALL)
        .filter_map(|(n, kind)| Some((n, held().documents.get(&kind)?)))
    {
        changes.extend(of_document(kind, base)?);
        columns.extend(columns_of(kind, base)?);
    }
    keep("change", changes)?;
    keep("change-columns", columns)?;
    for (target, programs) in programs()? {
        keep(target, programs)?;
    }
    keep("pabulib", vec![budget()?])?;
    keep("words", words())?;
    Ok(())
}

fn keep(folder: &Path, seeds: &[Vec<u8>]) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    for (number, seed) in (1..).zip(seeds) {
        let path = folder.join(format!("seed-{number:02}"));
        if !path.exists() {
            fs::write(path, seed)?;
        }
    }
    Ok(())
}

fn invitations(text: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let letters = text.strip_prefix("kiez1").ok_or("no invitation")?.to_uppercase();
    let mut body = data_encoding::BASE32_NOPAD.decode(letters.as_bytes())?;
    body.truncate(body.len().saturating_sub(4));
    Ok(vec![
        [&[0], text.as_bytes()].concat(),
        [&[1], body.as_slice()].concat(),
    ])
}

/// A payload behind a header in the form of the target.
fn entry(control: &[Vec<u8>]) -> Vec<u8> {
    let payload = control.first().map(Vec::as_slice).unwrap_or_default();
    [&[1, 0, 0, 0, 0, 5, 2, 0, 1, 2][..], &sized(payload)].concat()
}

fn written(payloads: &[Vec<u8>], flags: u8) -> Vec<u8> {
    let entries = payloads
        .iter()
        .take(8)
        .map(|payload| [&[flags], sized(payload).as_slice()].concat());
    entries.collect::<Vec<_>>().concat()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&length, bytes].concat()
}

/// Which of the three journals made a change.
fn author_of(change: &Change) -> Option<u8> {
    (0..3).find(|place| journal_of_place(*place).0.as_slice() == change.actor_id().to_bytes())
}

/// The first and the last changes of a document, each as a whole and as the contents of its chunk.
fn of_document(kind: u8, base: &Base) -> Result<Vec<Vec<u8>>, Failure> {
    let mut seeds = Vec::new();
    for (before, change) in (0_u8..).zip(&base.changes) {
        let Some(author) = author_of(change) else { continue };
        if before > 2 && usize::from(before) < base.changes.len().saturating_sub(2) {
            continue;
        }
        let raw = change.raw_bytes();
        let body = body_of(raw).ok_or("a change without contents")?;
        if before == 1 {
            seeds.push([&[kind, before, author], raw].concat());
        }
        seeds.push([&[kind, before, author | 0x80], body].concat());
    }
    Ok(seeds)
}

/// The columns of the last changes of a document. They may name what is there already: the gate says so.
fn columns_of(kind: u8, base: &Base) -> Result<Vec<Vec<u8>>, Failure> {
    let mut seeds = Vec::new();
    for change in base.changes.iter().rev().take(3) {
        let Some(author) = author_of(change) else { continue };
        let (mask, columns) = body_of(change.raw_bytes())
            .and_then(columns_in)
            .ok_or("a change without columns")?;
        let others = change.actors().skip(1).fold(0_u8, |named, other| {
            let place = (0..3).find(|place| journal_of_place(*place).0.as_slice() == other.to_bytes());
            named | 1_u8.wrapping_shl(place.map_or(0, |place| u32::from(place).saturating_add(1)))
        });
        let mut seed = vec![kind, author, others];
        seed.extend(mask.to_le_bytes());
        columns.iter().for_each(|column| seed.extend(sized(column)));
        seeds.push(seed);
    }
    Ok(seeds)
}

/// The contents of a chunk.
fn body_of(raw: &[u8]) -> Option<&[u8]> {
    let mut rest = raw.get(9..)?;
    number(&mut rest)?;
    Some(rest)
}

/// Which of the usual columns a change has, and each of them.
fn columns_in(mut body: &[u8]) -> Option<(u16, Vec<Vec<u8>>)> {
    const USUAL: [u64; 14] = [
        1, 2, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73, 0x94, 0xa5,
    ];
    let deps = number(&mut body)?;
    body = body.get(deps.checked_mul(32)?..)?;
    let actor = number(&mut body)?;
    body = body.get(actor..)?;
    // Number, first operation, time.
    for _ in 0..3 {
        number(&mut body)?;
    }
    let message = number(&mut body)?;
    body = body.get(message..)?;
    for _ in 0..number(&mut body)? {
        let other = number(&mut body)?;
        body = body.get(other..)?;
    }
    let mut named = Vec::new();
    for _ in 0..number(&mut body)? {
        named.push((number(&mut body)?, number(&mut body)?));
    }
    let (mut mask, mut columns) = (0_u16, Vec::new());
    for (spec, length) in named {
        let place = USUAL
            .iter()
            .position(|usual| usize::try_from(*usual) == Ok(spec))?;
        mask |= 1_u16.wrapping_shl(u32::try_from(place).ok()?);
        let (column, rest) = body.split_at_checked(length)?;
        columns.push(column.to_vec());
        body = rest;
    }
    Some((mask, columns))
}

/// A number in LEB128.
fn number(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for place in 0..10_u32 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= usize::from(byte & 0x7f).wrapping_shl(place.saturating_mul(7));
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// What members do with documents, in the form of `decoders/document.rs`: step, way to an object, what belongs to the step,
/// and when. The numbers of names are their places in its list.
fn programs() -> Result<Vec<(&'static str, Seeds)>, Failure> {
    let put = |way: &[u8], name: u8, value: Vec<u8>| [&[0], way, &[0, name], value.as_slice(), &[1]].concat();
    let map = |way: &[u8], name: u8| [&[10], way, &[0, 0, name, 1]].concat();
    let by_ben = |mut step: Vec<u8>| {
        step.iter_mut().take(1).for_each(|first| *first |= 0x40);
        step
    };
    let group = [
        put(&[], 21, word("Zawodzie")),
        by_ben(put(&[], 22, word("Our quarter"))),
        put(&[3], 65, word("1,2")),
        by_ben(put(&[3], 65, word("1"))),
    ];
    let own = [
        put(&[4], 21, word("Ben")),
        by_ben(put(&[4], 21, word("Benno"))),
        map(&[2], 70),
        put(&[2, 1], 29, word("Good!")),
        put(&[2, 1], 28, vec![9, 70]),
        put(&[2, 1], 30, vec![3, 1, 2, 3, 4, 5, 0, 0, 0]),
    ];
    let splice = |way: u8, at: u8| [&[13, way, 0, at, 1], typed("lime").as_slice(), &[1]].concat();
    let proposal = [
        splice(2, 3),
        by_ben(splice(2, 4)),
        splice(7, 0),
        put(&[], 31, vec![3, 0xb0, 4, 0, 0, 0, 0, 0, 0]),
        put(&[], 32, word("50.2599,19.0389")),
        put(&[3], 255, [&[5], b"green".as_slice(), &[1, 1]].concat()),
        [&[18, 2, 0, 1, 4], typed("bold").as_slice(), &[1, 1, 1, 1]].concat(),
        vec![0x1f, 1],
    ];
    let board = [
        map(&[1], 70),
        put(&[1, 1], 12, word("Ask the city")),
        put(&[1, 1], 26, vec![9, 34]),
        by_ben(put(&[1, 1], 26, vec![9, 35])),
        put(&[1, 1], 25, word("2027-02-01")),
        map(&[1, 1], 24),
        put(&[1, 1, 1], 81, vec![1, 1]),
    ];
    let all = |steps: &[Vec<u8>]| vec![steps.concat()];
    Ok(vec![
        ("document-group", all(&group)),
        ("document-own", all(&own)),
        ("document-proposal", all(&proposal)),
        ("document-board", all(&board)),
        ("document-vote", vec![votes()?]),
    ])
}

/// Ballots, the polls and closes of the fixture, and a second ballot in the same poll.
fn votes() -> Result<Vec<u8>, Failure> {
    let base = held()
        .documents
        .get(&DocumentKind::Vote)
        .ok_or("no vote document")?;
    let mut document = Document::new(DocumentKind::Vote);
    document.apply(base.changes.iter().skip(1).cloned().collect())?;
    let DocumentId::Vote(owner) = base.id else {
        return Err("no vote document".into());
    };
    let ballot = Ballot {
        choices: vec![0, 1],
        at: Timestamp(1_800_000_000_000),
    };
    let mut program = [&[24, 0], sized(&encode(&ballot)).as_slice(), &[81, 1]].concat();
    program.extend([&[0x58, 0], sized(&encode(&ballot)).as_slice(), &[81, 1]].concat());
    for record in vote::polls(&document, owner).value.values() {
        program.extend([&[20, 0], sized(&encode(record)).as_slice(), &[1]].concat());
    }
    for close in vote::closes(&document).value.values().flatten() {
        program.extend([&[22, 0], sized(&encode(close)).as_slice(), &[1]].concat());
    }
    Ok(program)
}

fn typed(text: &str) -> Vec<u8> {
    [&[255, u8::try_from(text.len()).unwrap_or(0)], text.as_bytes()].concat()
}

fn word(text: &str) -> Vec<u8> {
    [&[9], typed(text).as_slice()].concat()
}

/// The example's budget, with three of its projects and the first ballots that name no other.
fn budget() -> Result<Vec<u8>, Failure> {
    let whole = fs::read_to_string(folder().join("../zawodzie.pb"))?;
    let is_meta =
        |line: &&str| !line.starts_with("num_") && !line.starts_with('L') && !line.starts_with("14");
    let head = whole.lines().take_while(|line| *line != "VOTES").filter(is_meta);
    let projects = whole.lines().filter(|line| line.starts_with("L3")).take(3);
    let named = |line: &&str| line.starts_with("14") && (4..9).all(|n| !line.contains(&format!("L3/0{n}")));
    let votes = whole.lines().skip_while(|line| *line != "VOTES");
    let votes = votes
        .filter(|line| !line.starts_with("14") || named(line))
        .take(12);
    let lines: Vec<&str> = head.chain(projects).chain(votes).collect();
    Ok((lines.join("\n") + "\n").into_bytes())
}

fn words() -> Vec<Vec<u8>> {
    let words = [
        "1200.00",
        "50.2599, 19.0389",
        "2028-02-29",
        "12,3",
        "0f0102030405060708090a0b0c0d0eff",
    ];
    let words = (0_u8..).zip(words);
    words
        .map(|(kind, word)| [&[kind], word.as_bytes()].concat())
        .collect()
}

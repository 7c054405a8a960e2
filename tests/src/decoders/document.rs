//! Documents that hostile members write together: the bytes are what three of them do, with and without knowing of each
//! other, at places that readers look at. What they do goes through the gate, and then every reader reads it.

use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, AutomergeError, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue};
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::JournalId;
use kiez_core::domain::poll::{Close, PollRecord};
use kiez_core::replica::codec::{decode, encode};
use kiez_core::replica::document::vote::poll_id;

use super::gated::{Gated, owner_of};
use super::input::Input;
use super::world::{held, journal_of_place};

/// Names that readers know, and words that stand as values.
const WORDS: [&str; 36] = [
    "areas",
    "labels",
    "relays",
    "plates",
    "profile",
    "comments",
    "endorsements",
    "attendance",
    "ballots",
    "polls",
    "closes",
    "delegations",
    "title",
    "body",
    "options",
    "categories",
    "targets",
    "status",
    "attachments",
    "tasks",
    "kind",
    "name",
    "purpose",
    "notes",
    "assignees",
    "due",
    "state",
    "links",
    "about",
    "text",
    "at",
    "cost",
    "place",
    "open",
    "doing",
    "done",
];

const MOST_STEPS: usize = 32;

/// In a step: the next one by the same person belongs to the same change.
const GOES_ON: u8 = 0x20;

/// The group's own document.
pub(super) fn group(bytes: &[u8]) {
    run(DocumentKind::Group, bytes);
}

/// A person's page.
pub(super) fn own(bytes: &[u8]) {
    run(DocumentKind::Own, bytes);
}

/// A person's votes.
pub(super) fn vote(bytes: &[u8]) {
    run(DocumentKind::Vote, bytes);
}

/// An idea.
pub(super) fn proposal(bytes: &[u8]) {
    run(DocumentKind::Proposal, bytes);
}

/// Tasks.
pub(super) fn board(bytes: &[u8]) {
    run(DocumentKind::Board, bytes);
}

/// What three members do with a document of this kind.
fn run(kind: DocumentKind, bytes: &[u8]) {
    let base = held().documents.get(&kind).expect("there is one of every kind");
    let heads = base.doc.get_heads();
    let mut input = Input(bytes);
    let mut people: Vec<Person> = (0..3).map(|place| Person::new(place, &base.doc)).collect();
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        let step = input.byte();
        let who = usize::from(step >> 6) % people.len();
        if step & 0x1f == 0x1f {
            let other = people.get(usize::from(input.byte()) % 3);
            let mut other = other.map(|other| other.doc.clone());
            if let (Some(person), Some(other)) = (people.get_mut(who), &mut other) {
                person.doc.merge(other).expect("what Automerge wrote it merges");
            }
        } else if let Some(person) = people.get_mut(who) {
            person.act(base.id, step, &mut input);
        }
    }
    let mut people = people.into_iter();
    let mut all = people.next().map(|person| person.doc).expect("there are three");
    for mut person in people.filter(|person| person.doc.get_heads() != heads) {
        all.merge(&mut person.doc)
            .expect("what Automerge wrote it merges");
    }
    let mut gated = Gated::of(kind);
    let mut passed = false;
    for change in all.get_changes(&heads) {
        let author = change.actor_id().to_bytes().try_into().map(JournalId);
        let author = author.expect("members wrote it");
        passed |= gated.offer(author, change.raw_bytes()) == Ok(true);
    }
    if passed {
        gated.assert_sound();
    }
}

/// A member, with the document as they have it.
struct Person {
    doc: Automerge,
}

impl Person {
    fn new(place: u8, doc: &Automerge) -> Self {
        let actor = ActorId::from(&journal_of_place(place).0[..]);
        Self {
            doc: doc.clone().with_actor(actor),
        }
    }

    /// One change: steps until one says that it is the last.
    fn act(&mut self, id: DocumentId, mut step: u8, input: &mut Input<'_>) {
        let mut tx = self.doc.transaction();
        for _ in 0..MOST_STEPS {
            // What Automerge does not let them do, they do not: the change goes on without it.
            drop(act_in(&mut tx, id, step & 0x1f, input));
            if step & GOES_ON == 0 || input.is_empty() {
                break;
            }
            step = input.byte();
        }
        let time = i64::from(input.byte()).saturating_mul(10_000_000);
        drop(tx.commit_with(CommitOptions::default().with_time(time)));
    }
}

/// One step in a change.
fn act_in(
    tx: &mut impl Transactable,
    id: DocumentId,
    step: u8,
    input: &mut Input<'_>,
) -> Result<(), AutomergeError> {
    let object = object_in(tx, input);
    let kind = tx.object_type(&object).unwrap_or(ObjType::Map);
    let length = tx.length(&object);
    match step {
        0..=9 => {
            let prop = prop_in(kind, length, input);
            put_value(tx, &object, prop, input)
        }
        10 | 11 => {
            let made = [ObjType::Map, ObjType::Text, ObjType::List];
            let made = input.pick(&made).unwrap_or(ObjType::Map);
            match prop_in(kind, length, input) {
                Prop::Map(key) => tx.put_object(&object, key, made).map(drop),
                Prop::Seq(place) => tx.insert_object(&object, place, made).map(drop),
            }
        }
        12 => tx.delete(&object, prop_in(kind, length, input)),
        13..=17 => {
            let (place, removed) = (usize::from(input.byte()), isize::from(input.byte() & 7));
            let typed = text_in(input);
            let place = place.checked_rem(length.saturating_add(1)).unwrap_or(0);
            let left = isize::try_from(length.saturating_sub(place)).unwrap_or(0);
            match kind {
                ObjType::Text => tx.splice_text(&object, place, removed.min(left), &typed),
                ObjType::Map | ObjType::Table | ObjType::List => Ok(()),
            }
        }
        18 => mark_in(tx, &object, kind, length, input),
        19 if kind == ObjType::Map => {
            let step = i64::from(input.byte()).saturating_sub(128);
            tx.increment(&object, prop_in(kind, length, input), step)
        }
        20..=24 => record_in(tx, id, step, input),
        _ if kind == ObjType::List => {
            let place = usize::from(input.byte());
            let place = place.checked_rem(length.saturating_add(1)).unwrap_or(0);
            tx.insert(&object, place, scalar_in(input))
        }
        _ => Ok(()),
    }
}

/// One of the objects that can be reached from the root: each byte goes one further down.
fn object_in(doc: &impl ReadDoc, input: &mut Input<'_>) -> ObjId {
    let mut object = ROOT;
    loop {
        let choice = input.byte();
        let mut below: Vec<ObjId> = Vec::new();
        if !matches!(doc.object_type(&object), Ok(ObjType::Text)) {
            for item in doc.values(&object).take(64) {
                below.extend(
                    Some(item)
                        .filter(|(value, _)| value.is_object())
                        .map(|(_, id)| id),
                );
            }
        }
        let place = usize::from(choice)
            .checked_rem(below.len().saturating_add(1))
            .unwrap_or(0);
        match place.checked_sub(1).and_then(|place| below.get(place)) {
            Some(next) => object = next.clone(),
            None => return object,
        }
    }
}

fn prop_in(kind: ObjType, length: usize, input: &mut Input<'_>) -> Prop {
    match kind {
        ObjType::Map | ObjType::Table => Prop::Map(text_in(input)),
        ObjType::List | ObjType::Text => {
            Prop::Seq(usize::from(input.byte()).checked_rem(length.max(1)).unwrap_or(0))
        }
    }
}

fn put_value(
    tx: &mut impl Transactable,
    object: &ObjId,
    prop: Prop,
    input: &mut Input<'_>,
) -> Result<(), AutomergeError> {
    let is_seq = matches!(prop, Prop::Seq(_));
    let value = scalar_in(input);
    // Counted up inside a text it makes Automerge panic; the gate does not let that in, but here it is the writer.
    if is_seq && matches!(value, ScalarValue::Counter(_)) {
        return Ok(());
    }
    tx.put(object, prop, value)
}

/// A word that readers know, an id that is there, or any text.
fn text_in(input: &mut Input<'_>) -> String {
    let choice = input.byte();
    if let Some(word) = WORDS.get(usize::from(choice)) {
        return (*word).to_owned();
    }
    match choice {
        64..=79 => format!("{:032x}", choice & 0xf),
        80..=95 => format!("{:064x}", choice & 0xf),
        96..=99 => journal_of_place(choice & 3).to_string(),
        100..=103 => "x".repeat(1_000_usize.saturating_add(usize::from(choice & 1))),
        _ => {
            let bytes = input.byte();
            String::from_utf8_lossy(input.take(usize::from(bytes))).into_owned()
        }
    }
}

fn scalar_in(input: &mut Input<'_>) -> ScalarValue {
    match input.byte() % 12 {
        0 => ScalarValue::Null,
        1 => ScalarValue::Boolean(input.byte() & 1 == 1),
        2 => ScalarValue::Int(input.number().cast_signed()),
        3 => ScalarValue::Uint(input.number()),
        4 => ScalarValue::Uint(u64::from(input.byte())),
        5 => ScalarValue::F64(f64::from_bits(input.number())),
        6 => ScalarValue::counter(i64::from(input.byte())),
        7 => ScalarValue::Timestamp(input.number().cast_signed()),
        8 => ScalarValue::Bytes(input.sized().to_vec()),
        _ => ScalarValue::Str(text_in(input).into()),
    }
}

fn mark_in(
    tx: &mut impl Transactable,
    object: &ObjId,
    kind: ObjType,
    length: usize,
    input: &mut Input<'_>,
) -> Result<(), AutomergeError> {
    let (from, to) = (usize::from(input.byte()), usize::from(input.byte()));
    let (name, value) = (text_in(input), scalar_in(input));
    let (from, to) = (from.min(length), to.min(length));
    if kind != ObjType::Text || from >= to {
        return Ok(());
    }
    let expand = [
        ExpandMark::None,
        ExpandMark::Both,
        ExpandMark::Before,
        ExpandMark::After,
    ];
    let expand = input.pick(&expand).unwrap_or(ExpandMark::None);
    tx.mark(object, Mark::new(name, value, from, to), expand)
}

/// A ballot, a poll or a close under the name it must have: as long as the bytes are one, and else as they are.
fn record_in(
    tx: &mut impl Transactable,
    id: DocumentId,
    step: u8,
    input: &mut Input<'_>,
) -> Result<(), AutomergeError> {
    let owner = owner_of(id);
    let mut bytes = input.sized().to_vec();
    let field = |tx: &_, name: &str| ReadDoc::get(tx, ROOT, name).ok().flatten().map(|(_, id)| id);
    let (name, key) = match step {
        20 | 21 => {
            let record = decode::<PollRecord>(&bytes).map(|record| PollRecord {
                opener: owner,
                ..record
            });
            let key = record
                .as_ref()
                .map_or_else(|_| text_in(input), |record| poll_id(record).to_string());
            bytes = record.map_or(bytes, |record| encode(&record));
            ("polls", key)
        }
        22 | 23 => {
            let close = decode::<Close>(&bytes)
                .map(|close| close.poll.to_string())
                .unwrap_or_default();
            let hash = blake3::derive_key("kiez 1 close", &bytes);
            let short: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            ("closes", format!("{close}/{short}"))
        }
        _ => ("ballots", text_in(input)),
    };
    match field(tx, name) {
        Some(map) => tx.put(map, key, ScalarValue::Bytes(bytes)),
        None => Ok(()),
    }
}

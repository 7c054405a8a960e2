//! On the network: a middleman who carries, strangers who knock, members who claim to be others. All over iroh.

use kiez_core::domain::id::{EntryNumber, Signature};
use kiez_core::domain::proposal::Draft;
use kiez_core::planted::{Guard, without};
use kiez_core::replica::bundle::{self, BundleEntry, Compression};
use kiez_core::replica::codec::Blob;
use kiez_core::replica::entry::{Entry, EntryKind};
use kiez_core::replica::hold::Replica;
use kiez_core::replica::limits::PROOFS;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Side, bundle_parts, hello};
use kiez_core::replica::storage::Storage;
use kiez_core::replica::wire::{EntriesFrame, Frame, Goodbye, PROTOCOL_VERSION};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::common::Neighbour;
use super::people::three;
use super::street::{JOIN, Laptop, Line, SYNC, Street, at, soon};
use super::{Outcome, Stop, attacks, held};

attacks! {
    "whoever carries entries, as a relay will", "a middleman drops an entry",
        "nothing is stored, the session ends", Stop::By(Guard::Gap), dropped;
    "whoever carries entries, as a relay will", "a middleman duplicates entries",
        "they are passed over", Stop::By(Guard::Replay), duplicated;
    "whoever carries entries, as a relay will", "a middleman delays what others build on",
        "nothing is stored, the session ends", Stop::By(Guard::Seen), delayed;
    "whoever carries entries, as a relay will", "a middleman tampers with an entry",
        "nothing is stored, the session ends; the author is not blamed", Stop::By(Guard::Signature), tampered;
    "a stranger", "probing which groups a device belongs to",
        "the answer is the same for all: no group in common", Stop::By(Guard::Proof), probed;
    "a stranger", "a proof of membership replayed from another session",
        "the answer is: no group in common", Stop::By(Guard::ProofExporter), proof_replayed;
    "a member", "a member passes for another in a session",
        "the session ends", Stop::By(Guard::Identify), passes_for_another;
    "a stranger", "an oversized first frame",
        "it is not read, the connection ends", Stop::By(Guard::FrameLength), oversized;
    "a member", "a bundle that unpacks to very much",
        "it is unpacked no further than its length allows; the session ends", Stop::By(Guard::Budget), bomb;
    "a stranger", "a connection that says nothing",
        "it is ended in time", Stop::By(Guard::Greeting), silent;
    "a member", "a half-open session: greeted, and then silent",
        "it is ended in time", Stop::By(Guard::Naming), half_open;
    "a stranger", "connections by the hundred",
        "so many are answered, the others refused", Stop::By(Guard::AnswersMax), crowd;
}

fn draft(title: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        ..Draft::default()
    }
}

/// Anna with Ben, whose device says what a test wants: it holds two ideas of his that Anna has not been told of.
struct Carrying {
    street: Street,
    ben: Laptop,
    line: Line,
    /// Two ideas.
    entries: Vec<Entry>,
}

impl Carrying {
    fn new() -> Self {
        let street = Street::new();
        let ben = street.member("Ben");
        let (by_hand, line) = street.even(&ben.node);
        // The endpoint lives as long as its connections are wanted.
        std::mem::forget(by_hand);
        ben.node.add_idea(street.group, &draft("one")).unwrap();
        ben.node.add_idea(street.group, &draft("two")).unwrap();
        let entries = at(&ben.node, street.group, last_two);
        Self {
            street,
            ben,
            line,
            entries,
        }
    }

    /// What comes of frames with these entries: true where all were stored, false where the session ended.
    fn carries(&mut self, frames: &[&[Entry]]) -> bool {
        let line = &mut self.line;
        self.street.runtime.block_on(async {
            for entries in frames {
                line.say(&Frame::Entries(EntriesFrame::pack(entries).unwrap()))
                    .await;
                loop {
                    match line.next().await {
                        Some(Frame::Stored(_)) => break,
                        Some(Frame::Goodbye(_)) | None => return false,
                        Some(_) => {}
                    }
                }
            }
            true
        })
    }
}

fn last_two<S: Storage>(replica: &mut Replica<S>) -> Vec<Entry> {
    let own = replica.own_journal().unwrap();
    let head = replica.head(own).unwrap().0;
    let before = EntryNumber(head.0 - 2);
    let held = replica.storage().entries(own, before, usize::MAX).unwrap();
    held.into_iter().map(|held| held.entry).collect()
}

fn dropped() -> Outcome {
    let mut carrying = Carrying::new();
    let second = carrying.entries[1..].to_vec();
    let stored = carrying.carries(&[&second]);
    held(!stored, "Anna has Ben's journal with a hole in it")
}

fn duplicated() -> Outcome {
    let mut carrying = Carrying::new();
    let all = carrying.entries.clone();
    let stored = carrying.carries(&[&all, &all]);
    let journal = all[0].header.journal;
    let forked = carrying.street.anna(|replica| replica.is_forked(journal));
    held(
        stored && !forked,
        "Ben seems to have signed two things in one place",
    )
}

fn delayed() -> Outcome {
    let mut carrying = Carrying::new();
    // Ben lets Carla in; what she writes comes to Anna before that.
    let mut carla = Neighbour::new(77);
    let group = carrying.street.group;
    let me = carrying.ben.node.me().clone();
    let mut random = carrying.ben.random();
    let hers = at(&carrying.ben.node, group, |ben| {
        let expires = kiez_core::domain::id::Timestamp(2_000);
        let role = kiez_core::domain::charter::Role::Member;
        let invitation = ben.invite(&me, role, expires, vec![], &mut random).unwrap();
        let (to_ben, to_her) = super::common::channels(carla.me.device_id(), me.device_id());
        let request = invitation.request(&carla.me, &carla.person, &to_ben);
        let answer = ben
            .admit(&request, &to_her, super::common::NOW, &mut random)
            .unwrap();
        let boxes = answer.admission().unwrap().boxes;
        let file = ben
            .bundle(&kiez_core::replica::frontier::Frontier::new(), Compression::Fast)
            .unwrap();
        let empty = MemoryStorage::default();
        let joined = Replica::join(
            empty,
            &invitation,
            &carla.me,
            &carla.box_secret,
            &boxes,
            &file,
            &mut carla.rng,
        );
        let joined = joined.unwrap();
        let journal = joined.own_journal().unwrap();
        let held = joined
            .storage()
            .entries(journal, EntryNumber(0), usize::MAX)
            .unwrap();
        held.into_iter().map(|held| held.entry).collect::<Vec<_>>()
    });
    let stored = carrying.carries(&[&hers]);
    held(!stored, "Anna judges Carla without knowing who let her in")
}

fn tampered() -> Outcome {
    let mut carrying = Carrying::new();
    let good = carrying.entries[0].clone();
    let mut sealed = good.sealed.held().unwrap().to_vec();
    sealed[3] ^= 1;
    let bad = Entry::assemble(good.header, good.nonce, sealed, good.signature).unwrap();
    let stored = carrying.carries(&[&[bad]]);
    held(!stored, "Ben's journal ends, by a byte that the carrier changed")
}

/// All that is said to these frames.
async fn said(line: &mut Line, frames: &[Frame]) -> Vec<Frame> {
    for frame in frames {
        line.say(frame).await;
    }
    let mut heard = Vec::new();
    while let Some(frame) = line.next().await {
        let last = matches!(frame, Frame::Digest(_) | Frame::Goodbye(_));
        heard.push(frame);
        if last {
            break;
        }
    }
    heard
}

const NOTHING: [Frame; 1] = [Frame::Goodbye(Goodbye::NoCommonGroup)];

fn probed() -> Outcome {
    let street = Street::new();
    let by_hand = street.by_hand(None);
    let heard = street.runtime.block_on(async {
        let mut line = by_hand.open(SYNC).await;
        let proofs = Box::new([[7; 32]; PROOFS]);
        let version = PROTOCOL_VERSION;
        said(&mut line, &[Frame::Hello { version, proofs }]).await
    });
    held(
        heard == NOTHING,
        "a stranger learns that the device is in a group, and its journal",
    )
}

fn proof_replayed() -> Outcome {
    let street = Street::new();
    let by_hand = street.by_hand(None);
    let heard = street.runtime.block_on(async {
        let mut line = by_hand.open(SYNC).await;
        // What Anna's own device said in a session of its own.
        let other = Channel {
            exporter: [5; 32],
            ..line.channel
        };
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let greeting = street.anna(|replica| hello(replica.keys(), &other, Side::Dialler, &mut random));
        said(&mut line, &[greeting]).await
    });
    held(
        heard == NOTHING,
        "a stranger who recorded a greeting is taken for a member",
    )
}

fn passes_for_another() -> Outcome {
    let street = Street::new();
    let ben = street.member("Ben");
    let by_hand = street.by_hand(None);
    let claimed = street.runtime.block_on(async {
        let mut line = by_hand.open(SYNC).await;
        let mut random = ChaCha20Rng::seed_from_u64(1);
        // A member has the keys; but their device is not Ben's.
        let group = street.group;
        let (greeting, journal) = at(&ben.node, group, |replica| {
            let greeting = hello(replica.keys(), &line.channel, Side::Dialler, &mut random);
            (greeting, replica.own_journal().unwrap())
        });
        assert!(!said(&mut line, &[greeting]).await.is_empty());
        let signature = Signature([7; 64]);
        let claim = [Frame::Identify { journal, signature }, Frame::Digest([0; 32])];
        for frame in &claim {
            line.say(frame).await;
        }
        line.next().await
    });
    held(
        claimed == Some(Frame::Goodbye(Goodbye::Unidentified)),
        "a device that is not Ben's says what Ben has",
    )
}

fn oversized() -> Outcome {
    let street = Street::new();
    let by_hand = street.by_hand(None);
    let answer = street.runtime.block_on(async {
        let mut line = by_hand.open(SYNC).await;
        let bytes = Blob(vec![0; 100_000]);
        line.say(&Frame::BundlePart {
            total: 100_000,
            bytes,
        })
        .await;
        line.next().await
    });
    held(answer.is_none(), "a stranger's frame of any length is read")
}

/// A file of few bytes, made by software that does not say how much it unpacks to.
fn bomb() -> Outcome {
    let [mut anna, _, mut mallory] = three(10);
    let key = mallory.key();
    let mut head = mallory.at.head(mallory.journal()).unwrap();
    let zeros = vec![0; 2 * 1024 * 1024];
    let items: Vec<BundleEntry> = (0..8)
        .map(|_| {
            let entry = mallory.forges_under(&key, head, &[], EntryKind::Content, &zeros);
            head = (entry.header.number, entry.id);
            BundleEntry {
                entry,
                payload: Some(zeros.clone()),
            }
        })
        .collect();
    let (group, keys) = (mallory.at.group(), mallory.at.keys().clone());
    let file = without(Guard::Budget, || {
        bundle::write(group, items, &keys, Compression::Fast).unwrap()
    });
    assert!(file.len() < 50_000, "{}", file.len());
    let [part] = &bundle_parts(&file)[..] else {
        panic!("it fits into one frame")
    };
    let heard = anna.hears(&mut mallory, part.clone());
    held(heard.is_err(), "a few bytes fill Anna's memory")
}

/// Waits for whichever ends first; true for the first one.
async fn ends_first(one: &Line, other: &Line) -> bool {
    tokio::select! {
        _ = soon(one.connection.closed()) => true,
        _ = soon(other.connection.closed()) => false,
    }
}

/// A session in which a member's device has greeted and says nothing more.
async fn greeted(street: &Street, ben: &Laptop, by_hand: &super::street::ByHand) -> Line {
    let mut line = by_hand.open(SYNC).await;
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let channel = line.channel;
    let greeting = at(&ben.node, street.group, |replica| {
        hello(replica.keys(), &channel, Side::Dialler, &mut random)
    });
    assert!(!said(&mut line, &[greeting]).await.is_empty());
    line
}

fn silent() -> Outcome {
    let street = Street::new();
    let ben = street.member("Ben");
    let by_hand = street.by_hand(Some(&ben.node));
    let ended = street.runtime.block_on(async {
        let mut silent = by_hand.open(SYNC).await;
        silent.say_bytes(&[0, 1]).await;
        // Who has greeted may take twice as long: that session is the clock.
        let clock = greeted(&street, &ben, &by_hand).await;
        ends_first(&silent, &clock).await
    });
    held(ended, "a stranger holds a connection for good")
}

fn half_open() -> Outcome {
    let street = Street::new();
    let ben = street.member("Ben");
    let by_hand = street.by_hand(Some(&ben.node));
    let ended = street.runtime.block_on(async {
        let half_open = greeted(&street, &ben, &by_hand).await;
        // Three who say nothing, one after the other, each let go in half the time that this one has.
        for _ in 0..3 {
            let mut clock = by_hand.open(SYNC).await;
            clock.say_bytes(&[0, 1]).await;
            if ends_first(&half_open, &clock).await {
                return true;
            }
        }
        false
    });
    held(ended, "a member holds a session without showing who they are")
}

fn crowd() -> Outcome {
    let street = Street::new();
    let by_hand = street.by_hand(None);
    let last = street.runtime.block_on(async {
        let mut held_open = Vec::new();
        // Each is told no at once, and may hang up when it likes.
        for _ in 0..256 {
            let mut line = by_hand.open(JOIN).await;
            let refused = kiez_core::replica::wire::JoinRequest {
                group: street.group,
                admit: nonsense(),
            };
            line.say(&Frame::JoinRequest(Box::new(refused))).await;
            assert!(matches!(line.next().await, Some(Frame::NotAdmitted(_))));
            held_open.push(line);
        }
        by_hand.try_open(JOIN).await.is_some()
    });
    held(!last, "a stranger can hold as many connections as they like")
}

fn nonsense() -> kiez_core::domain::control::Admit {
    let stranger = Neighbour::new(1);
    kiez_core::domain::control::Admit {
        invite: kiez_core::domain::id::EntryId([1; 32]),
        invite_key: kiez_core::domain::id::InviteKey([2; 32]),
        joiner: stranger.me.named(),
        exporter: [0; 32],
        invite_signature: Signature([0; 64]),
        person_signature: Signature([0; 64]),
    }
}

//! The bytes of what is signed, hashed or sent stay: each in a snapshot. What they mean stands in `docs/format.md`.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Amendment, Charter, Counters, Fund, Inviters, Jurors, Role, Template};
use kiez_core::domain::control::{
    Admit, Ask, BoxedKey, ControlAct, CouncilAct, Cut, Device, Enrol, Erase, Erasure, Found, Invite, Keys,
    Leave, Motion, Open, Rekey, Retire, Shown, Sign, Target, Vouch, Withdraw,
};
use kiez_core::domain::cost::Cost;
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::id::{
    BoardId, BoxKey, ChangeId, CommentId, DeviceId, EntryId, EntryNumber, GroupId, HelpId, InviteKey,
    JournalId, KeyId, MeetingId, PersonId, PollId, ProposalId, SealedKey, Signature, StrategyId, Timestamp,
};
use kiez_core::domain::poll::{Ballot, Close, Method, PollRecord, Scheme, Share, TieBreak};
use kiez_core::replica::codec::{Blob, encode};
use kiez_core::replica::content::Content;
use kiez_core::replica::control::{
    act_to_bytes, enrol_bytes, erase_bytes, found_bytes, join_bytes, open_bytes,
};
use kiez_core::replica::document::vote::poll_id;
use kiez_core::replica::frontier::Holdings;
use kiez_core::replica::join::{Invitation, short_code};
use kiez_core::replica::keys::KeyBox;
use kiez_core::replica::session::Channel;
use kiez_core::replica::wire::{
    EntriesFrame, Frame, Goodbye, JoinRefusal, JoinRequest, JournalPart, WireEntry,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One line for each.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn say(&mut self, name: &str, value: impl Display) {
        writeln!(self.0, "{name}: {value}").unwrap();
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.say(name, hex(bytes));
    }
}

const GROUP: GroupId = GroupId([1; 32]);
const JOURNAL: JournalId = JournalId([2; 32]);
const KEY: KeyId = KeyId([3; 32]);

const fn device() -> Device {
    Device {
        person: PersonId([4; 32]),
        device: DeviceId([5; 32]),
        box_key: BoxKey([6; 32]),
    }
}

fn charter() -> Charter {
    Charter {
        inviters: Inviters::Stewards,
        counters: Counters::Opener,
        quorum: Share {
            numerator: 1,
            denominator: 300,
        },
        ..Charter::circle()
    }
}

const fn admit() -> Admit {
    Admit {
        invite: EntryId([7; 32]),
        invite_key: InviteKey([8; 32]),
        joiner: device(),
        exporter: [9; 32],
        invite_signature: Signature([10; 64]),
        person_signature: Signature([11; 64]),
    }
}

const fn enrol() -> Enrol {
    Enrol {
        membership: EntryId([7; 32]),
        enrolled: device(),
        nonce: [12; 16],
        person_signature: Signature([13; 64]),
    }
}

fn erasure(document: DocumentId) -> Erasure {
    Erasure {
        document,
        entries: BTreeSet::from([EntryId([7; 32]), EntryId([8; 32])]),
        origin: Some((JOURNAL, Timestamp(100))),
    }
}

#[test]
fn the_bytes_of_control_acts_stay() {
    let mut lines = Lines::default();
    let acts = [
        (
            "found",
            ControlAct::Found(Found {
                founder: device(),
                charter: charter(),
                person_signature: Signature([14; 64]),
            }),
        ),
        (
            "open",
            ControlAct::Open(Open {
                grant: EntryId([7; 32]),
                device: DeviceId([5; 32]),
                device_signature: Signature([15; 64]),
            }),
        ),
        (
            "invite",
            ControlAct::Invite(Invite {
                key: InviteKey([8; 32]),
                role: Role::Member,
                expires: Timestamp(300),
            }),
        ),
        ("admit", ControlAct::Admit(admit())),
        ("enrol", ControlAct::Enrol(enrol())),
        (
            "erase",
            ControlAct::Erase(Erase {
                erasure: erasure(DocumentId::Own(PersonId([4; 32]))),
                at: Timestamp(300),
                person_signature: Signature([16; 64]),
            }),
        ),
        (
            "motion to erase",
            ControlAct::Motion(Motion {
                act: CouncilAct::Erase(erasure(DocumentId::Proposal(ProposalId([16; 16])))),
                reason: "a number".into(),
                cut: BTreeMap::new(),
                at: Timestamp(300),
            }),
        ),
    ];
    for (name, act) in acts {
        lines.bytes(name, &act_to_bytes(&act));
    }
    for role in [Role::Observer, Role::Member, Role::Steward] {
        lines.bytes(&format!("{role:?}"), &encode(&role));
    }
    for inviters in [Inviters::Members, Inviters::Stewards] {
        lines.bytes(&format!("{inviters:?}"), &encode(&inviters));
    }
    insta::assert_snapshot!(lines.0);
}

/// A cut of two journals.
fn cut() -> Cut {
    BTreeMap::from([
        (JOURNAL, (EntryNumber(300), EntryId([7; 32]))),
        (JournalId([3; 32]), (EntryNumber(1), EntryId([8; 32]))),
    ])
}

/// One of each kind of act of the council, of which each has its number.
fn council_acts() -> Vec<CouncilAct> {
    let (membership, entry) = (EntryId([7; 32]), EntryId([8; 32]));
    let share = Share {
        numerator: 2,
        denominator: 300,
    };
    let fund = Fund {
        jurors: Jurors::Named,
        residents: share,
        cap: Some(Cost::new(300).unwrap()),
    };
    let comment = Target::Comment {
        author: PersonId([4; 32]),
        comment: CommentId([17; 16]),
    };
    vec![
        CouncilAct::Confirm { membership },
        CouncilAct::Promote {
            membership,
            role: Role::Steward,
        },
        CouncilAct::Demote { tenure: entry },
        CouncilAct::Remove { membership },
        CouncilAct::Revoke { invite: entry },
        CouncilAct::Amend(Amendment::Inviters(Inviters::Stewards)),
        CouncilAct::Amend(Amendment::Vouchers(20)),
        CouncilAct::Amend(Amendment::Counters(Counters::Stewards)),
        CouncilAct::Amend(Amendment::Quorum(share)),
        CouncilAct::Amend(Amendment::Fund(Some(fund))),
        CouncilAct::Amend(Amendment::Fund(None)),
        CouncilAct::Hide {
            target: Target::Idea(ProposalId([16; 16])),
            shown: Shown::Hidden,
        },
        CouncilAct::Hide {
            target: comment,
            shown: Shown::Visible,
        },
    ]
}

#[test]
fn the_bytes_of_the_council_s_acts_stay() {
    let mut lines = Lines::default();
    for act in council_acts() {
        lines.bytes(&format!("{act:?}"), &encode(&act));
    }
    let (membership, invite, motion) = (EntryId([7; 32]), EntryId([8; 32]), EntryId([9; 32]));
    let boxed = BoxedKey {
        enrolment: membership,
        key: KEY,
        encapsulated: [21; 32],
        sealed: SealedKey([22; 48]),
    };
    let (cut, boxes) = (cut(), vec![boxed]);
    let acts = [
        ControlAct::Motion(Motion {
            act: CouncilAct::Confirm { membership },
            reason: "Grüße".to_owned(),
            cut: cut.clone(),
            at: Timestamp(300),
        }),
        ControlAct::Sign(Sign {
            motion,
            cut: cut.clone(),
        }),
        ControlAct::Retire(Retire {
            enrolment: membership,
            cut: cut.clone(),
        }),
        ControlAct::Leave(Leave {
            membership,
            cut: cut.clone(),
        }),
        ControlAct::Withdraw(Withdraw { invite, cut }),
        ControlAct::Ask(Ask {
            invite,
            person: PersonId([4; 32]),
        }),
        ControlAct::Vouch(Vouch { ask: motion }),
        ControlAct::Rekey(Rekey {
            key: KEY,
            boxes: boxes.clone(),
        }),
        ControlAct::Keys(Keys { boxes }),
        ControlAct::Found(Found {
            founder: device(),
            charter: Template::Jury.charter(),
            person_signature: Signature([14; 64]),
        }),
    ];
    for act in acts {
        let bytes = act_to_bytes(&act);
        lines.bytes(&format!("kind {}", bytes[0]), &bytes);
    }
    let founding = found_bytes(JOURNAL, KEY, &device(), &Template::Jury.charter());
    lines.bytes("signed in found", &founding);
    insta::assert_snapshot!(lines.0);
}

#[test]
fn what_is_signed_inside_stays() {
    let mut lines = Lines::default();
    let (device, entry) = (device(), EntryId([7; 32]));
    lines.bytes("found", &found_bytes(JOURNAL, KEY, &device, &charter()));
    lines.bytes("open", &open_bytes(GROUP, entry, JOURNAL));
    lines.bytes(
        "join",
        &join_bytes(GROUP, entry, InviteKey([8; 32]), &device, &[9; 32]),
    );
    lines.bytes("enrol", &enrol_bytes(GROUP, entry, &device, &[12; 16]));
    let erasure = erasure(DocumentId::Own(PersonId([4; 32])));
    let bytes = erase_bytes(GROUP, JOURNAL, EntryNumber(9), &erasure, Timestamp(300));
    lines.bytes("erase", &bytes);
    insta::assert_snapshot!(lines.0);
}

#[test]
fn the_bytes_of_content_and_of_document_ids_stay() {
    let mut lines = Lines::default();
    let documents = [
        DocumentId::Group,
        DocumentId::Own(PersonId([4; 32])),
        DocumentId::Vote(PersonId([4; 32])),
        DocumentId::Proposal(ProposalId([16; 16])),
        DocumentId::Board(BoardId([17; 16])),
        DocumentId::Meeting(MeetingId([18; 16])),
        DocumentId::Help(HelpId([19; 16])),
        DocumentId::Strategy(StrategyId([20; 16])),
    ];
    for document in documents {
        lines.bytes(&document.to_string(), &encode(&document));
    }
    let content = Content {
        document: DocumentId::GENERAL_BOARD,
        changes: vec![Blob(vec![1, 2, 3]), Blob(vec![])],
    };
    lines.bytes("content", &content.to_bytes());
    insta::assert_snapshot!(lines.0);
}

fn record(method: Method) -> PollRecord {
    PollRecord {
        opener: PersonId([4; 32]),
        proposal: ProposalId([16; 16]),
        proposal_heads: vec![ChangeId([21; 32]), ChangeId([22; 32])],
        question: "Benches?".to_owned(),
        method,
        options: vec!["wood".to_owned(), "steel".to_owned()],
        roster: vec![EntryId([7; 32])],
        counters: vec![PersonId([4; 32])],
        counters_needed: 1,
        quorum: Share::NONE,
        tie_break: TieBreak::Stands,
        scheme: Scheme::OpenBallots,
        at: Timestamp(300),
    }
}

fn heads() -> BTreeMap<JournalId, (EntryNumber, EntryId)> {
    BTreeMap::from([
        (JournalId([23; 32]), (EntryNumber(300), EntryId([24; 32]))),
        (JOURNAL, (EntryNumber(1), EntryId([7; 32]))),
    ])
}

#[test]
fn the_bytes_of_polls_stay() {
    let mut lines = Lines::default();
    for method in [Method::YesNo, Method::Approval] {
        let record = record(method);
        lines.bytes(&format!("record, {method:?}"), &encode(&record));
        lines.say("its id", poll_id(&record));
    }
    let ballot = Ballot {
        choices: vec![0, 199],
        at: Timestamp(300),
    };
    lines.bytes("ballot", &encode(&ballot));
    let close = Close {
        poll: PollId([25; 32]),
        cut: heads(),
        roster: vec![EntryId([7; 32])],
        at: Timestamp(300),
    };
    lines.bytes("close", &encode(&close));
    insta::assert_snapshot!(lines.0);
}

#[test]
fn the_frontier_digest_stays() {
    let holdings = Holdings {
        heads: heads(),
        branches: BTreeMap::from([(
            JOURNAL,
            BTreeSet::from([
                (EntryNumber(300), EntryId([26; 32])),
                (EntryNumber(2), EntryId([27; 32])),
            ]),
        )]),
    };
    let mut lines = Lines::default();
    lines.bytes("holdings", &encode(&holdings));
    lines.bytes("digest", &holdings.digest());
    lines.bytes("digest of nothing", &Holdings::default().digest());
    insta::assert_snapshot!(lines.0);
}

fn entries() -> EntriesFrame {
    EntriesFrame {
        keys: vec![KEY],
        journals: vec![JournalPart {
            journal: JOURNAL,
            first: EntryNumber(300),
            prev: EntryId([7; 32]),
            signature: Signature([28; 64]),
            founding: false,
        }],
        entries: vec![WireEntry {
            journal: 0,
            kind: 1,
            key: 0,
            seen: vec![EntryId([29; 32])],
            nonce: [30; 24],
            sealed: Blob(vec![31; 17]),
        }],
    }
}

/// Every frame, and every reason in one.
fn frames() -> Vec<Frame> {
    let holdings = Holdings {
        heads: heads(),
        branches: BTreeMap::new(),
    };
    let key_box = KeyBox {
        key: KEY,
        encapsulated: [32; 32],
        sealed: Blob(vec![33; 48]),
    };
    let mut frames = vec![
        Frame::Hello {
            version: 1,
            proofs: Box::new([[34; 32]; 16]),
        },
        Frame::Identify {
            journal: JOURNAL,
            signature: Signature([35; 64]),
        },
        Frame::Digest([36; 32]),
        Frame::Frontier(holdings.clone()),
        Frame::Entries(entries()),
        Frame::BundlePart {
            total: 300,
            bytes: Blob(vec![37, 38]),
        },
        Frame::Stored(holdings),
        Frame::PublishEnrolment(Box::new(enrol())),
        Frame::JoinRequest(Box::new(JoinRequest {
            group: GROUP,
            admit: admit(),
        })),
        Frame::Admitted {
            grant: EntryId([7; 32]),
            boxes: vec![key_box],
        },
    ];
    frames.extend(
        [
            Goodbye::Done,
            Goodbye::NoCommonGroup,
            Goodbye::Version,
            Goodbye::Fault,
            Goodbye::NotStored,
            Goodbye::Unidentified,
        ]
        .map(Frame::Goodbye),
    );
    frames.extend(
        [
            JoinRefusal::Expired,
            JoinRefusal::Used,
            JoinRefusal::Unknown,
            JoinRefusal::Invalid,
            JoinRefusal::AlreadyAMember,
            JoinRefusal::Unable,
            JoinRefusal::Vouchers,
        ]
        .map(Frame::NotAdmitted),
    );
    frames.push(Frame::Member {
        membership: EntryId([7; 32]),
    });
    frames
}

#[test]
fn the_bytes_of_every_frame_stay() {
    let mut lines = Lines::default();
    for frame in frames() {
        let bytes = frame.to_bytes();
        assert_eq!(Frame::from_bytes(&bytes).unwrap(), frame);
        let debug = format!("{frame:?}");
        let name = match &frame {
            Frame::Goodbye(_) | Frame::NotAdmitted(_) => debug,
            Frame::Hello { .. }
            | Frame::Identify { .. }
            | Frame::Digest(_)
            | Frame::Frontier(_)
            | Frame::Entries(_)
            | Frame::BundlePart { .. }
            | Frame::Stored(_)
            | Frame::PublishEnrolment(_)
            | Frame::JoinRequest(_)
            | Frame::Admitted { .. }
            | Frame::Member { .. } => debug.split([' ', '(']).next().unwrap_or_default().to_owned(),
        };
        lines.bytes(&name, &bytes);
    }
    insta::assert_snapshot!(lines.0);
}

/// Postcard's canonical check holds for maps and sets, too: what is not ascending, or stands twice, is refused.
#[test]
fn a_map_or_set_in_another_order_is_refused() {
    let good = Frame::Stored(Holdings {
        heads: heads(),
        branches: BTreeMap::new(),
    });
    let bytes = good.to_bytes();
    // The number of the frame, the count, then two heads: 32 + 1 + 32 and 32 + 2 + 32 bytes; no branches.
    let (start, rest) = bytes.split_at(2);
    let (one, rest) = rest.split_at(65);
    let (two, end) = rest.split_at(66);
    assert_eq!(end, [0]);
    let put = |heads: &[&[u8]]| [start, &heads.concat(), end].concat();
    assert_eq!(Frame::from_bytes(&put(&[one, two])), Ok(good));
    assert!(Frame::from_bytes(&put(&[two, one])).is_err(), "not ascending");
    assert!(Frame::from_bytes(&put(&[one, one])).is_err(), "twice");
    let set = encode(&vec![2_u64, 1]);
    assert!(kiez_core::replica::codec::decode::<BTreeSet<u64>>(&set).is_err());
    let set = encode(&vec![1_u64, 1]);
    assert!(kiez_core::replica::codec::decode::<BTreeSet<u64>>(&set).is_err());
}

#[test]
fn invitation_and_short_code_stay() {
    let invitation = Invitation {
        group: GROUP,
        invite: EntryId([7; 32]),
        secret: SigningKey::from_bytes(&[39; 32]).to_bytes(),
        inviter: DeviceId([5; 32]),
        box_key: BoxKey([6; 32]),
        addresses: vec![
            "192.0.2.7:50000".parse().unwrap(),
            "[2001:db8::7]:50001".parse().unwrap(),
        ],
        relay: Some("https://relay.example".to_owned()),
        expires: Timestamp(1_800_000_000_000),
    };
    let text = invitation.to_text();
    assert_eq!(Invitation::parse(&text).as_ref(), Ok(&invitation));
    let channel = Channel {
        exporter: [9; 32],
        peer: DeviceId([5; 32]),
    };
    let mut lines = Lines::default();
    lines.say("invitation", text);
    lines.say("short code", short_code(GROUP, &channel));
    insta::assert_snapshot!(lines.0);
}

//! Frames, entries and the payload of content entries.

use kiez_core::domain::id::{EntryId, EntryNumber, GroupId, JournalId, KeyId};
use kiez_core::replica::codec::{decode, encode};
use kiez_core::replica::content::Content;
use kiez_core::replica::control::is_signed;
use kiez_core::replica::entry::{Entry, EntryKind, Header, KeptEntry};
use kiez_core::replica::gate;
use kiez_core::replica::keys::BoxSecret;
use kiez_core::replica::wire::{EntriesFrame, Frame};

use super::input::Input;
use super::world::{BOX_SECRET, group_key, held, signing};

/// A frame, and what whoever takes it in does with it first.
pub(super) fn frame(bytes: &[u8]) {
    let Ok(frame) = Frame::from_bytes(bytes) else {
        return;
    };
    assert!(frame.to_bytes() == bytes, "a frame is written as it was read");
    let group = held().group;
    match frame {
        Frame::Entries(packed) => entries(packed, group),
        Frame::Frontier(holdings) | Frame::Stored(holdings) => {
            assert_eq!(holdings.digest(), holdings.digest());
        }
        Frame::JoinRequest(request) => {
            let _ = is_signed(request.group, &request.admit);
        }
        Frame::Admitted { boxes, .. } => {
            let secret = BoxSecret::from_bytes(BOX_SECRET);
            // As many as one device gets; each costs a key agreement.
            for sealed in boxes.iter().take(4) {
                if let Ok(key) = secret.open(group, sealed) {
                    assert_eq!(key.id(), sealed.key);
                }
            }
        }
        Frame::Hello { .. }
        | Frame::Identify { .. }
        | Frame::Digest(_)
        | Frame::BundlePart { .. }
        | Frame::PublishEnrolment(_)
        | Frame::Goodbye(_)
        | Frame::NotAdmitted(_)
        | Frame::Member { .. } => {}
    }
}

fn entries(packed: EntriesFrame, group: GroupId) {
    let Ok(entries) = packed.unpack(group) else {
        return;
    };
    for entry in &entries {
        opened(entry);
    }
    if let Some(again) = EntriesFrame::pack(&entries) {
        let unpacked = again.unpack(group);
        assert_eq!(unpacked.as_ref(), Ok(&entries), "entries travel as they are");
    }
}

fn opened(entry: &Entry) {
    if let Some(signature) = &entry.signature {
        let _ = entry.verify(signature);
    }
    if entry.header.key == group_key().id()
        && let Ok(payload) = entry.open(&group_key())
        && entry.header.kind == EntryKind::Content
    {
        content(&payload);
    }
}

/// An entry as it is kept by itself.
pub(super) fn kept_entry(bytes: &[u8]) {
    let Ok(kept) = decode::<KeptEntry>(bytes) else {
        return;
    };
    if let Ok(entry) = kept.into_entry() {
        assert!(encode(&entry.to_kept()) == bytes, "an entry is kept as it was");
        opened(&entry);
    }
}

/// An entry around a header and a payload, sealed and signed; and then not quite as it was.
pub(super) fn entry(bytes: &[u8]) {
    let mut input = Input(bytes);
    let journal = signing(input.byte());
    let flags = input.byte();
    let (place, flip) = (input.short(), input.byte());
    let number = if flags & 1 == 0 {
        u64::from(input.byte())
    } else {
        input.number()
    };
    let zero_or = |set: bool, byte: u8| if set { [0; 32] } else { [byte; 32] };
    let header = Header {
        group: GroupId(zero_or(flags & 2 != 0, 1)),
        journal: JournalId(journal.verifying_key().to_bytes()),
        number: EntryNumber(number),
        prev: EntryId(zero_or(flags & 4 != 0, 2)),
        seen: input.sized().iter().map(|byte| EntryId([*byte; 32])).collect(),
        kind: EntryKind::from_number(flags >> 3 & 1).unwrap_or(EntryKind::Content),
        key: if flags & 16 == 0 {
            group_key().id()
        } else {
            KeyId([9; 32])
        },
        payload_bytes: u32::from(input.short()),
    };
    let payload = input.take(usize::try_from(header.payload_bytes).unwrap_or(0));
    let Ok(entry) = Entry::seal(header, payload, &group_key()) else {
        return;
    };
    assert_eq!(entry.open(&group_key()).as_deref(), Ok(payload));
    let entry = entry.signed(&journal);
    let signature = entry.signature.expect("it was just signed");
    assert_eq!(entry.verify(&signature), Ok(()));
    assert_eq!(entry.to_kept().into_entry().as_ref(), Ok(&entry));
    let group = entry.group();
    let packed = EntriesFrame::pack(std::slice::from_ref(&entry)).expect("a signed entry is packed");
    let bytes = Frame::Entries(packed).to_bytes();
    let Ok(Frame::Entries(packed)) = Frame::from_bytes(&bytes) else {
        panic!("a frame of one entry is read");
    };
    assert_eq!(packed.unpack(group).as_deref(), Ok(&[entry.clone()][..]));
    // Anything else is another entry, which nobody signed.
    let mut sealed = entry.sealed.held().expect("it came with its payload").to_vec();
    let place = usize::from(place) % sealed.len();
    if let Some(byte) = sealed.get_mut(place).filter(|_| flip != 0) {
        *byte ^= flip;
        let other =
            Entry::assemble(entry.header, entry.nonce, sealed, None).expect("its length is as before");
        assert!(other.open(&group_key()).is_err() && other.verify(&signature).is_err());
    }
}

/// The payload of a content entry; of each change what can be told alone.
pub(super) fn content(bytes: &[u8]) {
    let Ok(content) = Content::from_bytes(bytes) else {
        return;
    };
    assert!(content.to_bytes() == bytes, "content is written as it was read");
    for change in &content.changes {
        if let Ok(id) = gate::change_id(&change.0) {
            let deps = gate::change_deps(&change.0);
            assert!(deps.is_ok_and(|deps| !deps.contains(&id)));
        }
    }
}

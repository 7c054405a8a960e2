//! A person's vote document: ballots, the polls they opened, the closes they signed.
//!
//! A ballot can be cast again, so the one that counts is what stands there. A poll that was opened and a close that was
//! signed cannot be taken back: they are read from all that was ever written, so that nobody hides that they signed
//! twice, or makes a poll vanish under the ballots. Each is a scalar of canonical bytes, since its hash names it.

use std::collections::BTreeMap;

use automerge::transaction::{Transactable, Transaction};
use automerge::{ReadDoc, ScalarValue, Value};

use crate::domain::document::DocumentKind;
use crate::domain::id::{ChangeId, PersonId, PollId, to_hex};
use crate::domain::poll::{Ballot, Close, PollRecord};
use crate::planted::{Bug, is_on};
use crate::replica::codec::{decode, encode};
use crate::replica::limits::{BALLOT_BYTES_MAX, CLOSE_BYTES_MAX, POLL_BYTES_MAX, POLLS_MAX};

use super::genesis::object;
use super::reading::{Held, OddityReason, Reader, held, id_key, scalar};
use super::{Document, Reading, WriteError};

const KIND: DocumentKind = DocumentKind::Vote;
const BALLOTS: &str = "ballots";
const POLLS: &str = "polls";
const CLOSES: &str = "closes";

/// The fields of which nothing can be taken back.
pub(super) const EVER: [&str; 2] = [POLLS, CLOSES];

/// The id of a poll: the hash of everything that opening it froze.
#[must_use]
pub fn poll_id(record: &PollRecord) -> PollId {
    PollId(blake3::derive_key("kiez 1 poll", &encode(record)))
}

/// What a vote document says about one poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BallotReading {
    /// Nothing, or nothing that is a ballot.
    None,
    /// One answer.
    One(Ballot),
    /// Answers from devices that did not know of each other: none counts until the person casts again.
    Several,
}

/// The ballot of a poll: as it stands, or as it stood at some heads that [`Document::heads_at`] gave. At heads that the
/// document does not know there is none.
#[must_use]
pub fn ballot_at(document: &Document, poll: PollId, heads: Option<&[ChangeId]>) -> BallotReading {
    let heads = heads.map(|heads| document.hashes(heads)).transpose();
    let Ok(heads) = heads else {
        return BallotReading::None;
    };
    let map = object(document.kind, BALLOTS);
    let values = held(&document.doc, &map, &poll.to_string(), heads.as_deref());
    ballot_of(&values).unwrap_or(BallotReading::None)
}

/// All ballots as they stand. What is no ballot is named, and not among them.
#[must_use]
pub fn ballots(document: &Document) -> Reading<BTreeMap<PollId, BallotReading>> {
    let mut reader = Reader::new(document, &[]);
    let map = reader.field(BALLOTS);
    let mut ballots = BTreeMap::new();
    for key in reader.keys(&map) {
        if !reader.room(&[BALLOTS], ballots.len(), POLLS_MAX) {
            break;
        }
        let values = reader.held(&map, &key);
        match id_key(&key).and_then(|poll| Ok((poll, ballot_of(&values)?))) {
            Ok((poll, ballot)) => drop(ballots.insert(poll, ballot)),
            Err(reason) => {
                reader.note(&[BALLOTS, &key], reason);
            }
        }
    }
    reader.done(ballots)
}

fn ballot_of(values: &Held<'_>) -> Result<BallotReading, OddityReason> {
    match values.as_slice() {
        [] => Ok(BallotReading::None),
        [(value, _)] => Ok(BallotReading::One(ballot_in(value)?)),
        several if is_on(Bug::PollLastClock) => {
            let ballots = several.iter().filter_map(|(value, _)| ballot_in(value).ok());
            Ok(ballots
                .max_by_key(|ballot| ballot.at)
                .map_or(BallotReading::None, BallotReading::One))
        }
        _ => Ok(BallotReading::Several),
    }
}

fn ballot_in(value: &Value<'_>) -> Result<Ballot, OddityReason> {
    let Some(ScalarValue::Bytes(bytes)) = scalar(value) else {
        return Err(OddityReason::WrongType);
    };
    if bytes.len() > BALLOT_BYTES_MAX {
        return Err(OddityReason::TooLong);
    }
    decode(bytes).map_err(|_| OddityReason::Invalid)
}

/// The polls this person ever opened.
#[must_use]
pub fn polls(document: &Document, owner: PersonId) -> Reading<BTreeMap<PollId, PollRecord>> {
    let mut reader = Reader::new(document, &[]);
    let mut polls = BTreeMap::new();
    for (key, values) in reader.ever_put(&reader.field(POLLS)) {
        for bytes in values {
            match poll_in(key, bytes, owner) {
                Ok((id, record)) if polls.len() < POLLS_MAX => drop(polls.insert(id, record)),
                Ok(_) => {
                    reader.note(&[POLLS], OddityReason::TooMany);
                }
                Err(reason) => {
                    reader.note(&[POLLS, key], reason);
                }
            }
        }
    }
    reader.done(polls)
}

fn poll_in(key: &str, bytes: &[u8], owner: PersonId) -> Result<(PollId, PollRecord), OddityReason> {
    if bytes.len() > POLL_BYTES_MAX {
        return Err(OddityReason::TooLong);
    }
    let record: PollRecord = decode(bytes).map_err(|_| OddityReason::Invalid)?;
    let id: PollId = id_key(key)?;
    if poll_id(&record) == id && record.opener == owner && record.check().is_ok() {
        Ok((id, record))
    } else {
        Err(OddityReason::Invalid)
    }
}

/// The closes this person ever signed, by poll: each once, in the order of their bytes' hashes.
#[must_use]
pub fn closes(document: &Document) -> Reading<BTreeMap<PollId, Vec<Close>>> {
    let mut reader = Reader::new(document, &[]);
    let mut closes: BTreeMap<PollId, Vec<Close>> = BTreeMap::new();
    let mut count = 0_usize;
    for (key, values) in reader.ever_put(&reader.field(CLOSES)) {
        for bytes in values {
            match close_in(key, bytes) {
                Ok(close) if count < POLLS_MAX => {
                    count = count.saturating_add(1);
                    closes.entry(close.poll).or_default().push(close);
                }
                Ok(_) => {
                    reader.note(&[CLOSES], OddityReason::TooMany);
                }
                Err(reason) => {
                    reader.note(&[CLOSES, key], reason);
                }
            }
        }
    }
    reader.done(closes)
}

fn close_in(key: &str, bytes: &[u8]) -> Result<Close, OddityReason> {
    if bytes.len() > CLOSE_BYTES_MAX {
        return Err(OddityReason::TooLong);
    }
    let close: Close = decode(bytes).map_err(|_| OddityReason::Invalid)?;
    if close_key(close.poll, bytes) == key {
        Ok(close)
    } else {
        Err(OddityReason::Invalid)
    }
}

/// Where a close stands: one key for each, so that none overwrites another.
fn close_key(poll: PollId, bytes: &[u8]) -> String {
    let hash = blake3::derive_key("kiez 1 close", bytes);
    let (short, _) = hash.split_at(16);
    format!("{poll}/{}", to_hex(short))
}

/// Casts a ballot. Where the same choices stand already, alone, nothing is written.
///
/// # Errors
/// Where the ballot is longer than one can be.
pub fn put_ballot(tx: &mut Transaction<'_>, poll: PollId, ballot: &Ballot) -> Result<(), WriteError> {
    let bytes = encode(ballot);
    check_bytes("the ballot", &bytes, BALLOT_BYTES_MAX)?;
    let map = object(KIND, BALLOTS);
    let key = poll.to_string();
    if let BallotReading::One(standing) = ballot_of(&tx.get_all(&map, &key)?).unwrap_or(BallotReading::None)
        && standing.choices == ballot.choices
    {
        return Ok(());
    }
    Ok(tx.put(&map, key, ScalarValue::Bytes(bytes))?)
}

/// Opens a poll. Whether the record is sound, [`PollRecord::check`] says: readers pass over one that is not.
///
/// # Errors
/// Where the record is longer than one can be.
pub fn add_poll(tx: &mut Transaction<'_>, record: &PollRecord) -> Result<PollId, WriteError> {
    let bytes = encode(record);
    check_bytes("the poll", &bytes, POLL_BYTES_MAX)?;
    let id = poll_id(record);
    tx.put(object(KIND, POLLS), id.to_string(), ScalarValue::Bytes(bytes))?;
    Ok(id)
}

/// Signs a close.
///
/// # Errors
/// Where it is longer than one can be.
pub fn add_close(tx: &mut Transaction<'_>, close: &Close) -> Result<(), WriteError> {
    let bytes = encode(close);
    check_bytes("the close", &bytes, CLOSE_BYTES_MAX)?;
    let key = close_key(close.poll, &bytes);
    Ok(tx.put(object(KIND, CLOSES), key, ScalarValue::Bytes(bytes))?)
}

fn check_bytes(field: &'static str, bytes: &[u8], bytes_max: usize) -> Result<(), WriteError> {
    if bytes.len() > bytes_max {
        return Err(WriteError::TooLong {
            field,
            bytes: bytes.len(),
            bytes_max,
        });
    }
    Ok(())
}

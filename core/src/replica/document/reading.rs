//! How readers take values out of a document: what fits is given, what does not is named.

use automerge::{Automerge, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};
use serde::Serialize;
use std::borrow::Cow;

use crate::domain::id::Timestamp;
use crate::replica::limits::{ODDITIES_MAX, TIMESTAMP_MAX};

use super::Document;
use super::genesis;

/// What a reader found, and what it could not make sense of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<T> {
    /// What fits.
    pub value: T,
    /// What does not, at most [`ODDITIES_MAX`] of it.
    pub oddities: Vec<Oddity>,
}

/// Something in a document that does not fit its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// Where: the keys from the root, with a slash between them. Cut where it is long.
    pub path: String,
    /// Why it was skipped.
    pub reason: OddityReason,
}

/// Why something in a document was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OddityReason {
    /// Something that must be there is not.
    Missing,
    /// A value of another type than the field has.
    WrongType,
    /// A value of the right type that means nothing here: it does not parse, or fails its own check.
    Invalid,
    /// Longer than it may be: it was cut, or skipped where it cannot be cut.
    TooLong,
    /// More of them than there may be: the first ones were read.
    TooMany,
    /// Several people wrote different values without knowing of each other: one was read, on every device the same.
    Conflict,
    /// A field this version does not know.
    Unknown,
    /// A map or text of the genesis was deleted or replaced in the root. It was read all the same.
    Displaced,
}

/// What a key of a map holds: several values where people wrote without knowing of each other, the last one winning.
pub(super) type Held<'a> = Vec<(Value<'a>, ObjId)>;

impl<T> Reading<T> {
    /// Did nobody write something else without knowing of it? Who says again what is read settles it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let mut reasons = self.oddities.iter().map(|oddity| oddity.reason);
        !reasons.any(|reason| reason == OddityReason::Conflict)
    }
}

/// One reading of one document.
pub(super) struct Reader<'a> {
    document: &'a Document,
    oddities: Vec<Oddity>,
}

impl<'a> Reader<'a> {
    /// Begins a reading; checks that the root is as the genesis made it, with these further fields.
    pub(super) fn new(document: &'a Document, scalars: &[&str]) -> Self {
        let mut reader = Self {
            document,
            oddities: Vec::new(),
        };
        for (name, _) in genesis::fields(document.kind) {
            let object = genesis::object(document.kind, name);
            if !reader.held(&ROOT, name).iter().any(|(_, id)| *id == object) {
                reader.note(&[name], OddityReason::Displaced);
            }
        }
        for key in document.doc.keys(ROOT) {
            let known = key == genesis::KIND_FIELD
                || key == genesis::AGAIN_FIELD
                || scalars.contains(&key.as_str())
                || genesis::fields(document.kind)
                    .iter()
                    .any(|(name, _)| *name == key);
            if !known && !reader.note(&[&key], OddityReason::Unknown) {
                break;
            }
        }
        reader
    }

    /// Ends it.
    pub(super) fn done<T>(self, value: T) -> Reading<T> {
        Reading {
            value,
            oddities: self.oddities,
        }
    }

    /// The object that the genesis made for a field.
    pub(super) fn field(&self, name: &str) -> ObjId {
        genesis::object(self.document.kind, name)
    }

    /// Names something that does not fit. Says whether there is room for more.
    pub(super) fn note(&mut self, path: &[&str], reason: OddityReason) -> bool {
        const KEY_BYTES_MAX: usize = 80;
        if self.oddities.len() < ODDITIES_MAX {
            let keys: Vec<&str> = path.iter().map(|key| cut(key, KEY_BYTES_MAX)).collect();
            self.oddities.push(Oddity {
                path: keys.join("/"),
                reason,
            });
        }
        self.oddities.len() < ODDITIES_MAX
    }

    /// All values at a key of a map, the winning one last.
    pub(super) fn held(&self, map: &ObjId, key: &str) -> Held<'a> {
        held(&self.document.doc, map, key, None)
    }

    /// The keys of a map in order.
    pub(super) fn keys(&self, map: &ObjId) -> Vec<String> {
        self.document.doc.keys(map).collect()
    }

    /// Is there room for one more? Only what fits takes up room, so that junk crowds out nothing honest.
    pub(super) fn room(&mut self, path: &[&str], count: usize, count_max: usize) -> bool {
        if count >= count_max {
            self.note(path, OddityReason::TooMany);
        }
        count < count_max
    }

    /// Names the fields of a map that this version does not know.
    pub(super) fn known(&mut self, map: &ObjId, path: &[&str], known: &[&str]) {
        for key in self.document.doc.keys(map) {
            if !known.contains(&key.as_str()) && !self.note(&[path, &[&key]].concat(), OddityReason::Unknown)
            {
                break;
            }
        }
    }

    /// The one value at a key that `fits` makes sense of: of several the one that wins. Nothing where there is none.
    pub(super) fn one<T>(
        &mut self,
        map: &ObjId,
        path: &[&str],
        fits: impl Fn(&Value<'_>, &ObjId) -> Result<T, OddityReason>,
    ) -> Option<T> {
        let held = self.held(map, path.last().copied().unwrap_or_default());
        if held.len() > 1 {
            self.note(path, OddityReason::Conflict);
        }
        for (value, id) in held.iter().rev() {
            match fits(value, id) {
                Ok(value) => return Some(value),
                Err(reason) => self.note(path, reason),
            };
        }
        None
    }

    /// A map in a map.
    pub(super) fn map(&mut self, map: &ObjId, path: &[&str]) -> Option<ObjId> {
        self.one(map, path, |value, id| match value {
            Value::Object(ObjType::Map) => Ok(id.clone()),
            Value::Object(ObjType::Table | ObjType::List | ObjType::Text) | Value::Scalar(_) => {
                Err(OddityReason::WrongType)
            }
        })
    }

    /// A text that was put as a whole, cut where it is too long.
    pub(super) fn line(&mut self, map: &ObjId, path: &[&str], bytes_max: usize) -> Option<String> {
        let line = self.one(map, path, |value, _| match scalar(value) {
            Some(ScalarValue::Str(text)) => Ok(text.to_string()),
            _ => Err(OddityReason::WrongType),
        })?;
        Some(self.fit(line, path, bytes_max))
    }

    /// A text that was put as a whole and means something.
    pub(super) fn parsed<T: std::str::FromStr>(&mut self, map: &ObjId, path: &[&str]) -> Option<T> {
        self.one(map, path, |value, _| match scalar(value) {
            Some(ScalarValue::Str(text)) => text.parse().map_err(|_| OddityReason::Invalid),
            _ => Err(OddityReason::WrongType),
        })
    }

    /// A whole number that is not negative, in whichever of its types.
    pub(super) fn number(&mut self, map: &ObjId, path: &[&str]) -> Option<u64> {
        self.one(map, path, |value, _| match scalar(value) {
            Some(ScalarValue::Uint(number)) => Ok(*number),
            Some(ScalarValue::Int(number) | ScalarValue::Timestamp(number)) => {
                u64::try_from(*number).map_err(|_| OddityReason::Invalid)
            }
            _ => Err(OddityReason::WrongType),
        })
    }

    /// A point in time. Where there is none, the beginning of time: it is only for people to read.
    pub(super) fn time(&mut self, map: &ObjId, path: &[&str]) -> Timestamp {
        let Some(time) = self.number(map, path) else {
            if self
                .held(map, path.last().copied().unwrap_or_default())
                .is_empty()
            {
                self.note(path, OddityReason::Missing);
            }
            return Timestamp(0);
        };
        if time > TIMESTAMP_MAX.0 {
            self.note(path, OddityReason::Invalid);
        }
        Timestamp(time.min(TIMESTAMP_MAX.0))
    }

    /// A text that people write together, cut where it is too long.
    pub(super) fn text(&mut self, text: &ObjId, path: &[&str], bytes_max: usize) -> String {
        let text = self.document.doc.text(text).unwrap_or_default();
        self.fit(text, path, bytes_max)
    }

    /// The members of a map that is used as a set: its keys that hold `true`. Of several values one `true` is enough, so
    /// a word put in by one and taken out by another without knowing of each other stays in.
    pub(super) fn set<T>(
        &mut self,
        map: &ObjId,
        path: &[&str],
        members_max: usize,
        member: impl Fn(&str) -> Result<T, OddityReason>,
    ) -> Vec<T> {
        let mut members = Vec::new();
        for key in self.keys(map) {
            if !self.room(path, members.len(), members_max) {
                break;
            }
            let path = [path, &[&key]].concat();
            let held = self.held(map, &key);
            let is_in = held
                .iter()
                .any(|(value, _)| matches!(scalar(value), Some(ScalarValue::Boolean(true))));
            match member(&key) {
                Ok(word) if is_in => members.push(word),
                Ok(_) => {
                    self.note(&path, OddityReason::WrongType);
                }
                Err(reason) => {
                    self.note(&path, reason);
                }
            }
        }
        members
    }

    /// Every value of bytes that was ever put at a key of a map, also where it was deleted or overwritten since.
    pub(super) fn ever_put(
        &self,
        map: &ObjId,
    ) -> impl Iterator<Item = (&'a String, &'a Vec<Vec<u8>>)> + use<'a> {
        self.document.ever_put(map).into_iter().flatten()
    }

    fn fit(&mut self, text: String, path: &[&str], bytes_max: usize) -> String {
        if text.len() <= bytes_max {
            return text;
        }
        self.note(path, OddityReason::TooLong);
        cut(&text, bytes_max).to_owned()
    }
}

/// All values at a key of a map, the winning one last; as they were at some heads, where they are given.
pub(super) fn held<'a>(doc: &'a Automerge, map: &ObjId, key: &str, heads: Option<&[ChangeHash]>) -> Held<'a> {
    match heads {
        None => doc.get_all(map, key),
        Some(heads) => doc.get_all_at(map, key, heads),
    }
    .unwrap_or_default()
}

/// The scalar that a value is.
pub(super) fn scalar<'a>(value: &'a Value<'_>) -> Option<&'a ScalarValue> {
    match value {
        Value::Scalar(scalar) => Some(match scalar {
            Cow::Borrowed(scalar) => scalar,
            Cow::Owned(scalar) => scalar,
        }),
        Value::Object(_) => None,
    }
}

/// The longest beginning of a text that has at most so many bytes and cuts no character.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// An id that stands as a key: only in the one way in which it is written, so that no id stands twice.
pub(super) fn id_key<T: std::str::FromStr + std::fmt::Display>(key: &str) -> Result<T, OddityReason> {
    key.parse::<T>()
        .ok()
        .filter(|id| id.to_string() == key)
        .ok_or(OddityReason::Invalid)
}

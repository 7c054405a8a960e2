//! A document behind the gate, and what must hold of it whatever passed: it saves and loads as it is, in this order or
//! in another, and every reader gives an answer.

use std::collections::BTreeMap;
use std::fmt::Write;

use automerge::iter::Span;
use automerge::{Automerge, ChangeHash, LoadOptions, ObjId, ObjType, PatchLog, ROOT, ReadDoc, Value};
use kiez_core::domain::document::{DocumentId, DocumentKind};
use kiez_core::domain::id::{ChangeId, JournalId, PersonId, ProposalId};
use kiez_core::domain::proposal::TextField;
use kiez_core::replica::document::{
    Document, TEXT_ENCODING, board, group, own, proposal, states, traces, vote,
};
use kiez_core::replica::gate::{Checked, DocumentPast, Refusal};

use super::world::{Base, held};

/// One document, three times: as Automerge holds it, as the gate knows its past, and as the readers see it.
pub(super) struct Gated {
    pub(super) id: DocumentId,
    pub(super) doc: Automerge,
    pub(super) past: DocumentPast,
    pub(super) document: Document,
    /// Its heads before anything was offered.
    pub(super) first: Vec<ChangeHash>,
}

impl Gated {
    /// The document of this kind as it lies in the group.
    pub(super) fn of(kind: DocumentKind) -> Self {
        let Base { id, doc, changes } = held().documents.get(&kind).expect("there is one of every kind");
        let mut document = Document::new(kind);
        let admitted = changes.iter().skip(1).cloned().collect();
        document.apply(admitted).expect("the fixture's changes apply");
        Self {
            id: *id,
            doc: doc.clone(),
            past: DocumentPast::from_changes(changes),
            document,
            first: doc.get_heads(),
        }
    }

    /// Offers a change to the gate; applies it where it passes, as it must. Says whether it did.
    pub(super) fn offer(&mut self, author: JournalId, raw: &[u8]) -> Result<bool, Refusal> {
        let Checked::Ready(ready) = self.past.check(author, raw)? else {
            return Ok(false);
        };
        assert_eq!(
            ready.change().raw_bytes(),
            raw,
            "the change is the one that was judged"
        );
        let mut log = PatchLog::active();
        self.doc
            .apply_changes_log_patches([ready.change().clone()], &mut log)
            .expect("what passes the gate applies");
        drop(self.doc.make_patches(&mut log));
        self.past.admit(&ready);
        assert_eq!(self.past.check(author, raw).err(), Some(Refusal::AlreadyHeld));
        self.document
            .apply(vec![ready.into_change()])
            .expect("what passes the gate applies");
        Ok(true)
    }

    /// What must hold now.
    pub(super) fn assert_sound(&self) {
        let content = content_of(&self.doc);
        let options = LoadOptions::new().text_encoding(TEXT_ENCODING);
        let loaded = Automerge::load_with_options(&self.doc.save(), options).expect("its own save loads");
        assert_eq!(
            content,
            content_of(&loaded),
            "the loaded document is the saved one"
        );
        assert_eq!(self.doc.get_heads(), loaded.get_heads());
        let (before, now) = (self.first.clone(), self.doc.get_heads());
        drop(self.doc.diff(&before, &now));
        drop(self.doc.diff(&now, &before));
        let changes = self.document.changes();
        let mut at_once = Automerge::new_with_encoding(TEXT_ENCODING);
        at_once
            .apply_changes(changes.clone())
            .expect("all of it applies at once");
        assert_eq!(content, content_of(&at_once), "in one go it is the same document");
        let past = DocumentPast::from_changes(&changes);
        assert!(
            changes
                .iter()
                .all(|change| past.contains(ChangeId(change.hash().0)))
        );

        let kind = self.document.kind();
        let kept = Document::load(kind, &self.document.save()).expect("the cache loads");
        assert_eq!(kept.heads(), self.document.heads());
        let readings = readings_of(self.id, &self.document);
        assert_eq!(readings, readings_of(self.id, &kept), "the cache reads the same");
    }
}

/// What every reader of this kind says, as text.
fn readings_of(id: DocumentId, document: &Document) -> String {
    let mut said = format!("{:?}{:?}", document.origin(), document.last_change());
    let mut say = |what: &dyn std::fmt::Debug| write!(said, "{what:?}").expect("a text takes anything");
    let owner = owner_of(id);
    match document.kind() {
        DocumentKind::Group => {
            say(&group::read(document));
            say(&group::plates(document));
        }
        DocumentKind::Own => say(&own::read(document, owner)),
        DocumentKind::Vote => {
            let heads = document.heads();
            let ballots = vote::ballots(document);
            for poll in ballots.value.keys() {
                say(&vote::ballot_at(document, *poll, None));
                assert_eq!(
                    vote::ballot_at(document, *poll, None),
                    vote::ballot_at(document, *poll, Some(&heads)),
                    "the present is what the document says at its heads"
                );
            }
            say(&ballots);
            say(&vote::polls(document, owner));
            say(&vote::closes(document));
        }
        DocumentKind::Proposal => {
            let heads = document.heads();
            say(&proposal::read(document, ProposalId([1; 16])));
            say(&proposal::read_title_at(document, &heads));
            say(&proposal::read_body_at(document, &heads));
            say(&proposal::read_text(document, TextField::Title));
            say(&proposal::read_text(document, TextField::Body));
            say(&states(document));
        }
        DocumentKind::Board => {
            say(&board::read(document, Some(ProposalId([1; 16]))));
            say(&board::read(document, None));
        }
        DocumentKind::Meeting | DocumentKind::Help | DocumentKind::Strategy => {}
    }
    let told = traces(document, &BTreeMap::new());
    let counts: BTreeMap<JournalId, u64> = told.iter().map(|trace| (trace.journal, 1)).collect();
    say(&document.heads_at(&counts));
    say(&traces(document, &counts));
    say(&told);
    said
}

/// Everything that can be read of a document, as text.
fn content_of(doc: &Automerge) -> String {
    let mut out = String::new();
    write_object(doc, &ROOT, &mut out);
    out
}

fn write_object(doc: &Automerge, object: &ObjId, out: &mut String) {
    let kind = doc.object_type(object).expect("the object is there");
    let length = doc.length(object);
    let mut write = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("a text takes anything");
    write(format_args!("{kind:?}({length} "));
    if kind == ObjType::Text {
        write(format_args!("{:?}{:?}", doc.text(object), doc.marks(object)));
        for span in doc.spans(object).expect("a text has spans") {
            match span {
                Span::Text { text, marks } => {
                    let marks: BTreeMap<String, String> = marks
                        .iter()
                        .flat_map(|marks| marks.iter())
                        .map(|(name, value)| (name.to_owned(), format!("{value:?}")))
                        .collect();
                    write(format_args!("[{text:?}{marks:?}]"));
                }
                Span::Block(_) => write(format_args!("[block]")),
            }
        }
    }
    if matches!(kind, ObjType::Map | ObjType::Table) {
        for key in doc.keys(object).collect::<Vec<_>>() {
            out.push_str(&key);
            write_values(
                doc,
                doc.get_all(object, key.as_str()).expect("a key has values"),
                out,
            );
        }
    } else {
        for place in 0..length {
            write_values(doc, doc.get_all(object, place).expect("a place has values"), out);
        }
    }
    out.push(')');
}

fn write_values(doc: &Automerge, values: Vec<(Value<'_>, ObjId)>, out: &mut String) {
    for (value, id) in values {
        if value.is_object() {
            write_object(doc, &id, out);
        } else {
            write!(out, "={value:?},").expect("a text takes anything");
        }
    }
}

/// The heads of a document as the gate names them.
pub(super) fn heads_of(doc: &Automerge) -> Vec<ChangeHash> {
    let mut heads = doc.get_heads();
    heads.sort_unstable();
    heads
}

/// Whose document it is; nobody's, where it is everybody's.
pub(super) fn owner_of(id: DocumentId) -> PersonId {
    if let DocumentId::Own(person) | DocumentId::Vote(person) = id {
        person
    } else {
        PersonId([0; 32])
    }
}

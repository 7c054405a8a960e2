//! Searches a folder's raw bytes for texts and keys, in every form in which they could lie there: as they are, as UTF-16, in small
//! letters, base64 and hexadecimal, and inside of what was deflated or compressed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use flate2::{Decompress, FlushDecompress};

/// How an Automerge chunk and a Zstandard frame begin.
const AUTOMERGE: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// As much of what was deflated is looked at from each place on.
const INFLATED: usize = 4096;

/// What nobody may find.
pub(crate) struct Secrets {
    /// Which secret each form is of.
    owners: Vec<&'static str>,
    forms: AhoCorasick,
}

impl Secrets {
    /// By name. Shorter than eight bytes none may be: those stand anywhere by chance.
    pub(crate) fn new(secrets: &[(&'static str, Vec<u8>)]) -> Self {
        let all: Vec<(&str, Vec<u8>)> = secrets
            .iter()
            .flat_map(|(name, bytes)| forms_of(bytes).into_iter().map(|form| (*name, form)))
            .collect();
        assert!(all.iter().all(|(name, form)| form.len() >= 8 || panic!("{name}")));
        Self {
            owners: all.iter().map(|(name, _)| *name).collect(),
            forms: AhoCorasick::new(all.iter().map(|(_, form)| form)).unwrap(),
        }
    }

    /// The names of those that stand in these bytes, or in what can be unpacked from them.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        self.note(bytes, &mut found);
        let mut inflater = Decompress::new(false);
        let mut out = vec![0; INFLATED];
        for at in 0..bytes.len() {
            inflater.reset(false);
            // It goes as far as it is sound: an error is no surprise.
            drop(inflater.decompress(&bytes[at..], &mut out, FlushDecompress::None));
            let length = usize::try_from(inflater.total_out()).unwrap();
            if length >= 8 {
                self.note(&out[..length], &mut found);
            }
            if bytes[at..].starts_with(&ZSTANDARD) {
                let mut plain = Vec::new();
                let decoder = zstd::Decoder::new(&bytes[at..]).unwrap().single_frame();
                decoder.take(1 << 20).read_to_end(&mut plain).ok();
                self.note(&plain, &mut found);
            }
        }
        found
    }

    fn note(&self, bytes: &[u8], found: &mut BTreeSet<&'static str>) {
        for hit in self.forms.find_overlapping_iter(bytes) {
            found.insert(self.owners[hit.pattern().as_usize()]);
        }
    }
}

/// A secret in every form.
fn forms_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        bytes.to_vec(),
        HEXLOWER.encode(bytes).into_bytes(),
        HEXUPPER.encode(bytes).into_bytes(),
    ];
    // In base64 it depends on what stands before; the letters that its neighbours take part in are left out.
    for before in 0..3 {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        for letters in [BASE64_NOPAD.encode(&padded), BASE64URL_NOPAD.encode(&padded)] {
            let whole = bytes.len() + before - (bytes.len() + before) % 3;
            let from = if before == 0 { 0 } else { 4 };
            forms.push(letters.as_bytes()[from..whole / 3 * 4].to_vec());
        }
    }
    if let Ok(text) = str::from_utf8(bytes) {
        forms.push(text.to_lowercase().into_bytes());
        let units: Vec<u16> = text.encode_utf16().collect();
        forms.push(units.iter().flat_map(|unit| unit.to_le_bytes()).collect());
        forms.push(units.iter().flat_map(|unit| unit.to_be_bytes()).collect());
    }
    forms
}

/// All files in a folder and those in it, by their paths.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            all.extend(files(&path));
        } else if kind.is_file() {
            all.push((path.to_str().unwrap().to_owned(), fs::read(&path).unwrap()));
        }
    }
    all
}

/// Does an Automerge chunk begin anywhere here?
pub(crate) fn holds_automerge(bytes: &[u8]) -> bool {
    bytes.windows(AUTOMERGE.len()).any(|window| window == AUTOMERGE)
}

//! What is durable at each point of a record. Pure: bytes in, bytes out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A directory (`None`), or a file's inode and content.
pub(super) type Node = Option<(u64, Vec<u8>)>;

/// One call of a program, as the shim wrote it down.
#[derive(Debug, Clone)]
pub(super) enum Record {
    Begin,
    End,
    Create {
        inode: u64,
        name: String,
    },
    Write {
        inode: u64,
        offset: usize,
        data: Vec<u8>,
    },
    Resize {
        inode: u64,
        size: usize,
    },
    Sync {
        inode: u64,
    },
    SyncDirectory {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
    MakeDirectory {
        name: String,
    },
    Map {
        inode: u64,
    },
    Said(Vec<u8>),
}

fn senseless(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl Record {
    /// Reads the whole record. A last one that is cut off is of a call that never returned.
    pub(super) fn read_all(mut bytes: &[u8]) -> io::Result<Vec<Self>> {
        let mut records = Vec::new();
        while let Some((op, inode, number, one, two, rest)) = fields(bytes) {
            let name = || String::from_utf8(one.to_vec()).map_err(|_| senseless("a name that is not UTF-8"));
            let number = usize::try_from(number).map_err(|_| senseless("an offset"))?;
            records.push(match op {
                b'i' => Self::Begin,
                b'e' => Self::End,
                b'c' => Self::Create { inode, name: name()? },
                b'w' => Self::Write {
                    inode,
                    offset: number,
                    data: one.to_vec(),
                },
                b't' => Self::Resize { inode, size: number },
                b's' => Self::Sync { inode },
                b'd' => Self::SyncDirectory { name: name()? },
                b'r' => Self::Rename {
                    from: name()?,
                    to: String::from_utf8_lossy(two).into_owned(),
                },
                b'u' | b'x' => Self::Remove { name: name()? },
                b'm' => Self::MakeDirectory { name: name()? },
                b'M' => Self::Map { inode },
                b'A' => Self::Said(one.to_vec()),
                other => return Err(senseless(format!("record {other}"))),
            });
            bytes = rest;
        }
        Ok(records)
    }
}

type Fields<'a> = (u8, u64, u64, &'a [u8], &'a [u8], &'a [u8]);

fn fields(bytes: &[u8]) -> Option<Fields<'_>> {
    let (op, bytes) = bytes.split_first()?;
    let (inode, bytes) = bytes.split_first_chunk()?;
    let (number, bytes) = bytes.split_first_chunk()?;
    let (first, bytes) = bytes.split_first_chunk()?;
    let (second, bytes) = bytes.split_first_chunk()?;
    let length = |field: &[u8; 4]| usize::try_from(u32::from_le_bytes(*field)).ok();
    let (one, bytes) = bytes.split_at_checked(length(first)?)?;
    let (two, bytes) = bytes.split_at_checked(length(second)?)?;
    Some((
        *op,
        u64::from_le_bytes(*inode),
        u64::from_le_bytes(*number),
        one,
        two,
        bytes,
    ))
}

/// A file: what is on the disk, what programs see, and all that each page and the size were in between.
#[derive(Debug, Clone, Default)]
struct Content {
    durable: Vec<u8>,
    current: Vec<u8>,
    sizes: Vec<usize>,
    pages: BTreeMap<usize, Vec<Vec<u8>>>,
    mapped: bool,
}

impl Content {
    fn resize(&mut self, size: usize, page: usize) {
        let before = self.current.len();
        if size == before {
            return;
        }
        self.current.resize(size, 0);
        self.sizes.push(size);
        if size < before {
            self.note(size, before, page);
        }
    }

    fn write(&mut self, offset: usize, data: &[u8], page: usize) {
        let end = offset.saturating_add(data.len());
        if end > self.current.len() {
            self.resize(end, page);
        }
        if let Some(place) = self.current.get_mut(offset..end) {
            place.copy_from_slice(data);
        }
        self.note(offset, end, page);
    }

    /// The pages from `start` to `end` changed: keeps what they hold now.
    fn note(&mut self, start: usize, end: usize, page: usize) {
        let first = start.checked_div(page).unwrap_or_default();
        for index in first..end.div_ceil(page) {
            let mut bytes = slice(&self.current, index, page).to_vec();
            bytes.resize(page, 0);
            self.pages.entry(index).or_default().push(bytes);
        }
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.current);
        self.sizes.clear();
        self.pages.clear();
    }

    /// What is on the disk after the cut.
    fn cut(&self, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let size = chance.pick(&self.sizes).copied().unwrap_or(bytes.len());
        for (index, versions) in &self.pages {
            if let Some(version) = chance.pick(versions) {
                let start = index.saturating_mul(chance.page);
                let end = start.saturating_add(chance.page);
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                if let Some(place) = bytes.get_mut(start..end) {
                    place.copy_from_slice(version);
                }
            }
        }
        bytes.resize(size, 0);
        bytes
    }
}

fn slice(bytes: &[u8], index: usize, page: usize) -> &[u8] {
    bytes.chunks(page).nth(index).unwrap_or_default()
}

/// What of the unsynced gets through: nothing with seed 0, else a share that the seed sets.
#[derive(Debug)]
struct Chance {
    random: ChaCha8Rng,
    share: f64,
    page: usize,
}

impl Chance {
    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let share = if seed == 0 {
            0.0
        } else {
            random.random_range(0.05..0.95)
        };
        let page = if random.random_bool(0.5) { 512 } else { 4096 };
        Self { random, share, page }
    }

    /// One of the versions that came after the durable one; none: the durable one stays.
    fn pick<'a, T>(&mut self, versions: &'a [T]) -> Option<&'a T> {
        if versions.is_empty() || !self.random.random_bool(self.share) {
            return None;
        }
        versions.get(self.random.random_range(0..versions.len()))
    }
}

/// A change of names that is not synced yet.
#[derive(Debug, Clone)]
enum Rename {
    Add(String, Option<usize>),
    Remove(String),
    Move(String, String, Option<usize>),
}

impl Rename {
    /// Whether it is in the directory `name`.
    fn is_in(&self, name: &str) -> bool {
        let parent = |path: &str| path.rsplit_once('/').map_or("", |(parent, _)| parent) == name;
        match self {
            Self::Add(path, _) | Self::Remove(path) => parent(path),
            Self::Move(from, to, _) => parent(from) || parent(to),
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Move(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
                let inside = format!("{from}/");
                let moved: Vec<String> = names
                    .keys()
                    .filter(|name| name.starts_with(&inside))
                    .cloned()
                    .collect();
                for name in moved {
                    if let (Some(node), Some(rest)) = (names.remove(&name), name.strip_prefix(&inside)) {
                        names.insert(format!("{to}/{rest}"), node);
                    }
                }
            }
        }
    }
}

/// A directory (`None`) or the number of a file, by path.
type Names = BTreeMap<String, Option<usize>>;

/// The disk at one point of the record.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    files: Vec<Content>,
    inodes: BTreeMap<u64, usize>,
    durable: Names,
    current: Names,
    pending: Vec<Rename>,
    page: usize,
    /// Calls that began and did not return: their files may differ from the record.
    open_calls: i64,
}

impl Model {
    pub(super) fn hold_directory(&mut self, name: &str) {
        self.durable.insert(name.to_owned(), None);
        self.current.insert(name.to_owned(), None);
    }

    pub(super) fn hold_file(&mut self, name: &str, inode: u64, content: Vec<u8>) {
        let number = Some(self.new_file(inode));
        if let Some(file) = self.files.last_mut() {
            file.current = content;
            file.sync();
        }
        self.durable.insert(name.to_owned(), number);
        self.current.insert(name.to_owned(), number);
    }

    /// Takes the size of pages from the seed, before the first record.
    pub(super) fn choose(&mut self, seed: u64) {
        self.page = Chance::new(seed).page;
    }

    pub(super) fn apply(&mut self, record: &Record) -> io::Result<()> {
        let page = self.page.max(512);
        match record {
            Record::Begin => self.open_calls = self.open_calls.saturating_add(1),
            Record::End => self.open_calls = self.open_calls.saturating_sub(1),
            Record::Create { inode, name } => {
                let number = self.new_file(*inode);
                self.rename(Rename::Add(name.clone(), Some(number)));
            }
            Record::Write { inode, offset, data } => self.file(*inode)?.write(*offset, data, page),
            Record::Resize { inode, size } => self.file(*inode)?.resize(*size, page),
            Record::Sync { inode } => self.file(*inode)?.sync(),
            Record::Map { inode } => self.file(*inode)?.mapped = true,
            Record::SyncDirectory { name } => {
                let (synced, rest) = self.pending.drain(..).partition(|change| change.is_in(name));
                self.pending = rest;
                let synced: Vec<Rename> = synced;
                synced.iter().for_each(|change| change.apply(&mut self.durable));
            }
            Record::Rename { from, to } => {
                let node = *self.current.get(from).ok_or_else(|| unknown(from))?;
                self.rename(Rename::Move(from.clone(), to.clone(), node));
            }
            Record::Remove { name } => self.rename(Rename::Remove(name.clone())),
            Record::MakeDirectory { name } => self.rename(Rename::Add(name.clone(), None)),
            Record::Said(_) => {}
        }
        Ok(())
    }

    /// What is on the disk after the cut, by path.
    pub(super) fn cut(&self, seed: u64) -> BTreeMap<String, Option<Vec<u8>>> {
        let mut chance = Chance::new(seed);
        let mut names = self.durable.clone();
        let kept = if seed == 0 {
            0
        } else {
            chance.random.random_range(0..=self.pending.len())
        };
        self.pending
            .iter()
            .take(kept)
            .for_each(|change| change.apply(&mut names));
        let mut contents = BTreeMap::new();
        for number in names.values().flatten().collect::<BTreeSet<_>>() {
            let content = self.files.get(*number).map(|file| file.cut(&mut chance));
            contents.insert(*number, content.unwrap_or_default());
        }
        // What is in a directory that did not last is lost with it.
        let lasting = |name: &str| {
            name.match_indices('/')
                .all(|(at, _)| name.get(..at).is_some_and(|d| names.contains_key(d)))
        };
        names
            .iter()
            .filter(|(name, _)| lasting(name))
            .map(|(name, node)| {
                (
                    name.clone(),
                    node.and_then(|number| contents.get(&number).cloned()),
                )
            })
            .collect()
    }

    /// Whether what programs see is what the record says: else one wrote past the shim.
    pub(super) fn compare(&self, real: &BTreeMap<String, Option<Vec<u8>>>) -> io::Result<()> {
        if self.open_calls != 0 {
            // Killed within a call: the call may have had its effect and not its record.
            return Ok(());
        }
        let differs = |name: &&String| match (self.current.get(*name), real.get(*name)) {
            (Some(None), Some(None)) => false,
            (Some(Some(number)), Some(Some(bytes))) => self
                .files
                .get(*number)
                .is_none_or(|file| !file.mapped && file.current != *bytes),
            _ => true,
        };
        match self.current.keys().chain(real.keys()).find(differs) {
            None => Ok(()),
            Some(name) => Err(senseless(format!(
                "{name}: something wrote past the shim; see LossyDisk::settle"
            ))),
        }
    }

    fn new_file(&mut self, inode: u64) -> usize {
        let number = self.files.len();
        self.files.push(Content::default());
        self.inodes.insert(inode, number);
        number
    }

    fn file(&mut self, inode: u64) -> io::Result<&mut Content> {
        let file = self
            .inodes
            .get(&inode)
            .and_then(|number| self.files.get_mut(*number));
        file.ok_or_else(|| unknown(&format!("inode {inode}")))
    }

    fn rename(&mut self, change: Rename) {
        change.apply(&mut self.current);
        self.pending.push(change);
    }
}

fn unknown(what: &str) -> io::Error {
    senseless(format!(
        "{what} is not in the record: something wrote past the shim; see LossyDisk::settle"
    ))
}

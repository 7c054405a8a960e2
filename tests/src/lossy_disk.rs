//! A disk that loses what was not synced: what a power cut leaves of a program's files.
//!
//! A shim (`shim/lossy_disk.c`, loaded with `LD_PRELOAD`) records what a program does to the files under one directory.
//! [`Power::cut`] replays the record up to any point and writes down what a disk may hold if the power fails there: all
//! that was synced, and of the rest what the seed lets through, page by page and in any order.
//!
//! The model is as unkind as POSIX allows, and a little more than ext4 is:
//! - A page that was not synced holds any of its contents since the last sync, whichever the other pages hold; a file's
//!   size goes its own way. Pages are 4 KiB or, in half of the seeds, 512 bytes, which tears SQLite's pages.
//! - A new, renamed or removed name lasts from the sync of its directory on, not from the sync of the file. Names that
//!   were not synced are lost from the newest backwards, as a journalling file system loses them.

mod model;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use model::{Model, Node, Record};

/// A directory on a disk that loses what was not synced. Linux only.
#[derive(Debug)]
pub struct LossyDisk {
    directory: PathBuf,
    scratch: tempfile::TempDir,
    base: Model,
}

/// Why there is no such disk here: say it, and skip the test.
#[derive(Debug, thiserror::Error)]
pub enum NoLossyDisk {
    /// No C compiler to build the shim with.
    #[error("skipped: the shim needs cc ({0})")]
    NoCompiler(io::Error),
    /// The compiler refuses the shim.
    #[error("the shim does not compile: {0}")]
    Refused(String),
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LossyDisk {
    /// Makes `directory`, which must exist, lossy for programs started by [`Self::command`]. What is in it counts as synced.
    ///
    /// # Errors
    /// [`NoLossyDisk::NoCompiler`] is the one to skip a test for.
    pub fn new(directory: &Path) -> Result<Self, NoLossyDisk> {
        let scratch = tempfile::tempdir()?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/lossy_disk.c");
        let compiled = Command::new("cc")
            .args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(scratch.path().join("shim.so"))
            .arg(source)
            .output()
            .map_err(NoLossyDisk::NoCompiler)?;
        if !compiled.status.success() {
            return Err(NoLossyDisk::Refused(
                String::from_utf8_lossy(&compiled.stderr).into_owned(),
            ));
        }
        let mut disk = Self {
            directory: directory.canonicalize()?,
            scratch,
            base: Model::default(),
        };
        disk.settle()?;
        Ok(disk)
    }

    /// The directory, without symbolic links.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A program whose writes below the directory are recorded. It must be linked dynamically.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("LD_PRELOAD", self.scratch.path().join("shim.so"))
            .env("KIEZ_SHIM_DIR", &self.directory)
            .env("KIEZ_SHIM_LOG", self.log());
        command
    }

    /// Counts all that is in the directory now as synced, and forgets the record: needed after other programs, or the
    /// test itself, wrote there.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn settle(&mut self) -> io::Result<()> {
        let mut base = Model::default();
        each(&self.directory, Path::new(""), &mut |name, node| {
            match node {
                None => base.hold_directory(name),
                Some((inode, content)) => base.hold_file(name, inode, content),
            };
        })?;
        self.base = base;
        File::create(self.log()).map(drop)
    }

    /// What was recorded so far. Call it when the programs are gone.
    ///
    /// # Errors
    /// Where the record cannot be read, or a program wrote past the shim.
    pub fn power(&self) -> io::Result<Power> {
        let mut records = Record::read_all(&fs::read(self.log())?)?;
        let mut end = self.base.clone();
        for record in &records {
            end.apply(record)?;
        }
        let mut real = BTreeMap::new();
        each(&self.directory, Path::new(""), &mut |name, node| {
            real.insert(name.to_owned(), node.map(|(_, content)| content));
        })?;
        end.compare(&real)?;
        // They say nothing of the disk; without them every point is a different one.
        records.retain(|record| !matches!(record, Record::Begin | Record::End));
        Ok(Power {
            base: self.base.clone(),
            records,
        })
    }

    /// The power fails now, the programs being gone: makes the directory what is there afterwards. With seed 0 all that
    /// was not synced is lost, with others a part of it.
    ///
    /// # Errors
    /// As [`Self::power`], or where the directory cannot be written.
    pub fn lose_unsynced(&mut self, seed: u64) -> io::Result<()> {
        let power = self.power()?;
        power.cut(power.points(), seed)?.write_to(&self.directory)?;
        self.settle()
    }

    fn log(&self) -> PathBuf {
        self.scratch.path().join("record")
    }
}

/// A record of what programs did, to be cut anywhere.
#[derive(Debug)]
pub struct Power {
    base: Model,
    records: Vec<Record>,
}

impl Power {
    /// How many points there are at which the power can fail, besides the beginning (0).
    #[must_use]
    pub const fn points(&self) -> usize {
        self.records.len()
    }

    /// What a disk may hold if the power fails after this point; see [`LossyDisk::lose_unsynced`] for the seed.
    ///
    /// # Errors
    /// Where the record makes no sense.
    pub fn cut(&self, point: usize, seed: u64) -> io::Result<Remains> {
        let mut model = self.base.clone();
        model.choose(seed);
        let mut said = Vec::new();
        for record in self.records.iter().take(point) {
            model.apply(record)?;
            if let Record::Said(bytes) = record {
                said.extend(bytes);
            }
        }
        Ok(Remains {
            nodes: model.cut(seed),
            said: String::from_utf8_lossy(&said).into_owned(),
        })
    }
}

/// What is left after a power cut.
#[derive(Debug)]
pub struct Remains {
    nodes: BTreeMap<String, Option<Vec<u8>>>,
    said: String,
}

impl Remains {
    /// What the programs had said on their standard output by then: a promise, if it says "saved".
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The contents of a file, by its path in the directory.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.nodes.get(name)?.as_deref()
    }

    /// Makes a directory hold exactly this. All files get mode 0600.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_to(&self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else {
                fs::remove_file(path)?;
            }
        }
        // In the order of paths a directory comes before what is in it.
        for (name, node) in &self.nodes {
            let path = directory.join(name);
            match node {
                None => fs::DirBuilder::new().mode(0o700).create(path)?,
                Some(content) => {
                    let mut file = File::options()
                        .write(true)
                        .create(true)
                        .truncate(true)
                        .mode(0o600)
                        .open(path)?;
                    io::Write::write_all(&mut file, content)?;
                }
            }
        }
        Ok(())
    }
}

/// Visits all below `root`: a directory as `None`, a file with its inode and content. A socket holds nothing.
fn each(root: &Path, below: &Path, visit: &mut dyn FnMut(&str, Node)) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let path = below.join(entry?.file_name());
        let name = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        let metadata = fs::symlink_metadata(root.join(&path))?;
        if metadata.is_dir() {
            visit(name, None);
            each(root, &path, visit)?;
        } else if metadata.is_file() {
            visit(name, Some((metadata.ino(), fs::read(root.join(&path))?)));
        }
    }
    Ok(())
}

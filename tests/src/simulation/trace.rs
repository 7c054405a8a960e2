//! What happened, as lines: hashed as they come, the last ones kept.

use std::collections::VecDeque;
use std::fmt;

/// So many lines are kept for whoever has to find out why a seed failed.
const LINES_KEPT: usize = 60;

/// The running record of one run.
#[derive(Debug)]
pub(super) struct Trace {
    hasher: blake3::Hasher,
    last: VecDeque<String>,
    count: u64,
    print: bool,
}

impl Trace {
    /// An empty record; `print` writes each line out as it comes.
    pub(super) fn new(print: bool) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            last: VecDeque::new(),
            count: 0,
            print,
        }
    }

    /// One thing happened.
    pub(super) fn event(&mut self, what: fmt::Arguments<'_>) {
        self.count += 1;
        let line = format!("{:>5} {what}", self.count);
        self.hasher.update(line.as_bytes()).update(b"\n");
        if self.print {
            println!("{line}");
        }
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// The hash of all lines so far.
    pub(super) fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// The last lines.
    pub(super) fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

//! The second reader of the format, `tests/second-reader`: a Python program that was written from `docs/` alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Python that has what the reader needs: the one that `make test` sets up, else the system's.
///
/// # Errors
/// The reason why there is none: for people to read.
pub fn python() -> Result<PathBuf, String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
    let candidates = [target.join("tools/bin/python"), PathBuf::from("python3")];
    let has_all = |python: &PathBuf| {
        let asked = Command::new(python)
            .args(["-c", "import argon2, blake3, nacl, zstandard"])
            .output();
        asked.is_ok_and(|output| output.status.success())
    };
    candidates.into_iter().find(has_all).ok_or_else(|| {
        "no python3 with the packages of tests/second-reader/requirements.txt: `make test` installs them, or run .ci/install-tools"
            .to_owned()
    })
}

/// Runs one of its programs.
///
/// # Errors
/// Where it cannot be started.
pub fn run(python: &Path, program: &str, arguments: &[&str]) -> std::io::Result<Output> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("second-reader");
    Command::new(python)
        .arg("-B")
        .arg(folder.join(program))
        .args(arguments)
        .output()
}

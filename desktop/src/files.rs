//! Files that people name: read with a limit, written whole or not at all.

use std::path::Path;

use crate::failure::{Exit, Failure};

pub(crate) fn read_file(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let size = std::fs::metadata(path)
        .map_err(|error| Failure::io(path, &error))?
        .len();
    if usize::try_from(size).map_or(true, |size| size > most) {
        return Err(Failure::new(
            Exit::Failed,
            "too-large",
            format!("{} is too large: at most {most} bytes are read.", path.display()),
        ));
    }
    std::fs::read(path).map_err(|error| Failure::io(path, &error))
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut name = path
        .file_name()
        .ok_or_else(|| Failure::usage("That is no file name."))?
        .to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&part)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|error| {
        std::fs::remove_file(&part).ok();
        Failure::io(path, &error)
    })
}

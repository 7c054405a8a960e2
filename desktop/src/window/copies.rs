//! Copies of groups as files: laid among the person's downloads, and taken in from the page.

use std::path::{Path, PathBuf};

use kiez_core::domain::id::GroupId;
use kiez_core::replica::limits::BUNDLE_BYTES_MAX;
use tauri::{AppHandle, Manager};
use tokio::task::block_in_place;

use crate::api::Fault;
use crate::api::house::House;
use crate::execute;

/// A file's name is at most so long, so that there is room for a number and an ending on every system.
const NAME_CHARS_MAX: usize = 60;

/// Lays a copy where the person looks for it, and says where that is.
pub(super) async fn lay_out(house: &House, app: &AppHandle, group: GroupId) -> Result<String, Fault> {
    let open = house.open().await;
    let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
    block_in_place(|| {
        let name = open.node.group_card(group)?.name;
        let path = free_path(&folder(app)?, &file_name(&name));
        execute::write_whole(&path, &open.node.export(group)?)?;
        Ok(path.display().to_string())
    })
}

pub(super) async fn take_in(house: &House, bytes: &[u8]) -> Result<(), Fault> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(Fault::new("too-large"));
    }
    let open = house.open().await;
    let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
    block_in_place(|| open.node.import(bytes))?;
    Ok(())
}

/// Where downloads are, by the system's word; else the person's own folder.
fn folder(app: &AppHandle) -> Result<PathBuf, Fault> {
    let downloads = app.path().download_dir().ok().filter(|folder| folder.is_dir());
    match downloads {
        Some(downloads) => Ok(downloads),
        None => app.path().home_dir().map_err(|_| Fault::new("file")),
    }
}

/// The group's name as far as it can be a file's: others chose it, so nothing of it may lead elsewhere.
fn file_name(group: &str) -> String {
    let fit = |letter: char| {
        if letter.is_alphanumeric() { letter } else { ' ' }
    };
    let letters: String = group.chars().map(fit).take(NAME_CHARS_MAX).collect();
    let words: Vec<&str> = letters.split_whitespace().collect();
    if words.is_empty() {
        "Kiez".to_owned()
    } else {
        words.join(" ")
    }
}

/// The first of `name`, `name 2`, … that is not taken.
fn free_path(folder: &Path, name: &str) -> PathBuf {
    let named = |number: u32| match number {
        1 => folder.join(format!("{name}.kiez")),
        number => folder.join(format!("{name} {number}.kiez")),
    };
    let mut free = (1..u32::MAX).map(named).filter(|path| !path.exists());
    free.next().unwrap_or_else(|| named(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_s_name_leads_nowhere_else() {
        let rows = [
            ("Zawodzie", "Zawodzie"),
            ("Unsere Straße, 2. Teil", "Unsere Straße 2 Teil"),
            ("../../.ssh/authorized_keys", "ssh authorized keys"),
            ("/etc/passwd", "etc passwd"),
            ("C:\\Windows\\system.ini", "C Windows system ini"),
            ("a\u{202e}gpj.exe", "a gpj exe"),
            ("line\nbreak\0", "line break"),
            ("…", "Kiez"),
            ("", "Kiez"),
            ("حي", "حي"),
        ];
        for (group, name) in rows {
            assert_eq!(file_name(group), name);
        }
        assert_eq!(file_name(&"x".repeat(500)).len(), NAME_CHARS_MAX);
    }
}

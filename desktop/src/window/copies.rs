//! Copies of groups as files among the person's downloads.

use std::path::{Path, PathBuf};

use kiez_core::domain::id::GroupId;
use tauri::{AppHandle, Manager};
use tokio::task::block_in_place;

use crate::api::house::House;
use crate::api::{Fault, copies, own};
use crate::files;

/// Lays a copy where the person looks for it, and says where that is.
pub(super) async fn lay_out(house: &House, app: &AppHandle, group: GroupId) -> Result<String, Fault> {
    let copy = copies::gather(house, group).await?;
    block_in_place(|| {
        let path = free_path(&folder(app)?, &copy.name, "kiez");
        files::write_whole(&path, &copy.bytes)?;
        Ok(path.display().to_string())
    })
}

/// The same with a backup of the whole profile.
pub(super) async fn lay_backup(house: &House, app: &AppHandle, passphrase: &str) -> Result<String, Fault> {
    let backup = own::back_up(house, passphrase).await?;
    block_in_place(|| {
        let path = free_path(&folder(app)?, &backup.name, "kiez-backup");
        files::write_whole(&path, &backup.bytes)?;
        Ok(path.display().to_string())
    })
}

/// Where downloads are, by the system's word; else the person's own folder.
fn folder(app: &AppHandle) -> Result<PathBuf, Fault> {
    let downloads = app.path().download_dir().ok().filter(|folder| folder.is_dir());
    match downloads {
        Some(downloads) => Ok(downloads),
        None => app.path().home_dir().map_err(|_| Fault::new("file")),
    }
}

/// The first of `name`, `name 2`, … that is not taken.
fn free_path(folder: &Path, name: &str, ending: &str) -> PathBuf {
    let named = |number: u32| match number {
        1 => folder.join(format!("{name}.{ending}")),
        number => folder.join(format!("{name} {number}.{ending}")),
    };
    let mut free = (1..u32::MAX).map(named).filter(|path| !path.exists());
    free.next().unwrap_or_else(|| named(1))
}

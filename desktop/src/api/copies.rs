//! A copy of a group in a file: to carry on a stick, and back in.

use std::path::Path;

use kiez_core::domain::id::GroupId;
use tokio::task::block_in_place;

use super::Fault;
use super::house::{Event, House, Step};
use super::view::CopyRead;

/// The name of a copy's file: that of the group, in letters that every stick can hold.
pub(crate) async fn name_of(house: &House, group: GroupId) -> Result<String, Fault> {
    let open = house.open().await;
    let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
    let card = block_in_place(|| open.node.group_card(group))?;
    let plain = card
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let plain: String = plain.take(40).collect();
    Ok(format!("{}.kiez", plain.trim_matches('-').to_lowercase()))
}

/// A copy of everything in a group.
pub(crate) async fn gather(house: &House, group: GroupId) -> Result<Vec<u8>, Fault> {
    let open = house.open().await;
    let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
    house.tell(Event::Copying {
        step: Step::Gathering,
    });
    Ok(block_in_place(|| open.node.export(group))?)
}

/// Writes a copy of everything in a group into a file, whole or not at all.
#[cfg(feature = "window")]
pub(crate) async fn write(house: &House, group: GroupId, path: &Path) -> Result<(), Fault> {
    let bytes = gather(house, group).await?;
    house.tell(Event::Copying { step: Step::Writing });
    Ok(block_in_place(|| crate::execute::write_whole(path, &bytes))?)
}

/// Takes in a copy.
pub(crate) async fn take_in(house: &House, bytes: &[u8]) -> Result<CopyRead, Fault> {
    let open = house.open().await;
    let open = open.as_ref().ok_or_else(|| Fault::new("locked"))?;
    house.tell(Event::Copying { step: Step::TakingIn });
    let imported = block_in_place(|| open.node.import(bytes))?;
    Ok(CopyRead {
        group: imported.group,
        entries: imported.entries,
        new: imported.new,
    })
}

//! A copy of a group in a file: to carry on a stick, and back in.

use kiez_core::domain::id::GroupId;
use kiez_core::replica::limits::BUNDLE_BYTES_MAX;
use tokio::task::block_in_place;

use super::Fault;
use super::house::{Event, House, Step};
use super::view::CopyRead;

/// A file's name is at most so long, so that there is room for a number and an ending on every system.
const NAME_CHARS_MAX: usize = 60;

/// A copy of everything in a group.
pub(crate) struct Copy {
    /// What its file is to be called, without an ending.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Puts one together.
pub(crate) async fn gather(house: &House, group: GroupId) -> Result<Copy, Fault> {
    let open = house.unlocked().await?;
    house.tell(Event::Copying {
        step: Step::Gathering,
    });
    block_in_place(|| {
        Ok(Copy {
            name: file_name(&open.node.group_card(group)?.name),
            bytes: open.node.export(group)?,
        })
    })
}

/// Takes one in.
pub(crate) async fn take_in(house: &House, bytes: &[u8]) -> Result<CopyRead, Fault> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(Fault::new("too-large"));
    }
    let open = house.unlocked().await?;
    house.tell(Event::Copying { step: Step::TakingIn });
    let imported = block_in_place(|| open.node.import(bytes))?;
    Ok(CopyRead {
        group: imported.group,
        entries: imported.entries,
        new: imported.new,
    })
}

/// The group's name as far as it can be a file's: others chose it, so nothing of it may lead elsewhere.
pub(super) fn file_name(group: &str) -> String {
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

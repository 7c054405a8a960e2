//! How the web view draws, where there is no graphics card.
//!
//! WebKit then has the processor do what a card would. For a page of words that only costs: the window is there after twice the
//! time, and takes a third more of memory (`make bench`). So it is told to draw plainly.

use std::path::Path;

/// WebKit reads it when its first view is made.
const PLAIN: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// Set by whoever drives the window, as WebKitWebDriver does: drawn plainly, WebKit does not always answer its wish for a picture.
const DRIVEN: &str = "TAURI_WEBVIEW_AUTOMATION";

/// Where the system lists graphics cards.
const CARDS: &str = "/dev/dri";

/// Says so in this program's environment. To be called while it has one thread only. Where that fails, the window is slower,
/// and opens.
pub(super) fn plainly_without_card() {
    let decided = [PLAIN, DRIVEN]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some());
    if decided || has_card(Path::new(CARDS)) {
        return;
    }
    if let Err(error) = gtk::glib::setenv(PLAIN, "1", true) {
        tracing::warn!("the window draws as if there were a graphics card: {error}");
    }
}

/// Is there one that can draw?
fn has_card(cards: &Path) -> bool {
    let Ok(cards) = cards.read_dir() else {
        return false;
    };
    cards
        .flatten()
        .any(|card| card.file_name().to_string_lossy().starts_with("renderD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_one_that_can_draw() {
        let folder = tempfile::tempdir().unwrap();
        let cards = folder.path().join("dri");
        assert!(!has_card(&cards));
        std::fs::create_dir(&cards).unwrap();
        std::fs::write(cards.join("card0"), "").unwrap();
        assert!(!has_card(&cards), "one that only shows");
        std::fs::write(cards.join("renderD128"), "").unwrap();
        assert!(has_card(&cards));
    }
}

//! Closing the window: it is gone at once for who closes it, and the page says meanwhile what was typed last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tauri::{Manager, Runtime, WebviewWindow, WindowEvent};
use tokio::sync::Notify;

use crate::api::house::{Event, House};

/// How long the page may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Who waits for the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Leaving(Arc<Notify>);

impl Leaving {
    /// The page is done.
    pub(super) fn left(&self) {
        self.0.notify_one();
    }
}

/// Has the page say its last words when the window is closed. Who closes it twice does not wait.
pub(super) fn take_leave<R: Runtime>(window: &WebviewWindow<R>, house: &House) {
    let asked = AtomicBool::new(false);
    let (closing, house) = (window.clone(), house.clone());
    window.on_window_event(move |event| {
        let WindowEvent::CloseRequested { api, .. } = event else {
            return;
        };
        if asked.swap(true, Ordering::Relaxed) {
            return;
        }
        api.prevent_close();
        closing.hide().ok();
        house.tell(Event::Closing {});
        let leaving = closing.state::<Leaving>().inner().clone();
        let window = closing.clone();
        tokio::spawn(async move {
            tokio::time::timeout(LAST_WORDS, leaving.0.notified()).await.ok();
            if let Err(error) = window.destroy() {
                tracing::warn!("the window does not close: {error}");
            }
        });
    });
}

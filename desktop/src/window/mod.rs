//! The window: the page in the system's own web view. `commands` is all that the page may call, `copies` lays a group's copy
//! where the person finds it, `leaving` lets the page finish its sentence when the window is closed, `drawing` is about
//! computers without a graphics card.
//!
//! It opens before the profile does: the page asks who is at the door.

mod commands;
mod copies;
#[cfg(target_os = "linux")]
mod drawing;
mod leaving;

use std::borrow::Cow;
use std::sync::Arc;

use kiez_core::host::keystore::Home;
use serde_json::json;
use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::webview::{DownloadEvent, NewWindowResponse, PageLoadEvent, PermissionKind, PermissionResponse};
use tauri::{App, AppHandle, Assets, Context, Manager, Runtime, Url, WebviewUrl, WebviewWindowBuilder};
use tokio::sync::Notify;

use crate::api::house::House;
use crate::exchange;
use crate::execute::Answer;
use crate::failure::{Exit, Failure};
use crate::handover::{self, Behind};
use crate::pages;

use leaving::Leaving;

/// The one window's name. `capabilities/page.json` says it, too.
const MAIN: &str = "main";

/// Wide enough for two columns; and the narrowest that the page is made for.
const SIZE: (f64, f64) = (1120.0, 800.0);
const SIZE_LEAST: (f64, f64) = (360.0, 480.0);

/// To be called before anything else, while the program has one thread only: it may change the environment.
pub(crate) fn prepare() {
    #[cfg(target_os = "linux")]
    drawing::plainly_without_card();
}

/// Opens the window, or brings forward the one that is open with this profile, and stays until it is closed.
pub(crate) fn open(runtime: &tokio::runtime::Runtime, home: Home) -> Result<Answer, Failure> {
    if let Some(shown) = runtime.block_on(handover::show(&home)) {
        return shown;
    }
    look_for_display()?;
    let inside = runtime.enter();
    let forward = Arc::new(Notify::new());
    let door = handover::open(&home, Behind::Window(forward.clone()))?;
    let stopped = exchange::stop_signal();
    let house = House::new(home);
    tauri::async_runtime::set(runtime.handle().clone());
    let app = build(&house).map_err(failed)?;
    let at_the_door = runtime.spawn(door.serve(house.clone()));
    let forwards = runtime.spawn(come_forward(app.handle().clone(), forward));
    let handle = app.handle().clone();
    let stops = runtime.spawn(async move {
        stopped.await;
        // As a person would: the web view ends in order, and with it this program.
        if let Some(window) = handle.get_webview_window(MAIN) {
            window.close().ok();
        }
    });
    app.run_return(|_, _| {});
    for task in [at_the_door, forwards, stops] {
        task.abort();
    }
    drop(inside);
    runtime.block_on(house.lock());
    Ok(Answer::new(json!({"stopped": true}), ""))
}

/// GTK says so before the web view would give up without a word.
fn look_for_display() -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    gtk::init().map_err(|_| {
        Failure::no_window(
            "There is no display here to open a window on. Show Kiez in a browser instead: `kiez serve`.",
        )
    })?;
    Ok(())
}

fn failed(error: tauri::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        "no-window",
        format!("The window cannot be opened ({error}). Show Kiez in a browser instead: `kiez serve`."),
    )
}

#[expect(
    clippy::disallowed_types,
    reason = "in what Tauri writes for its configuration"
)]
fn build(house: &House) -> tauri::Result<App> {
    let page = house.home().directory().join("page");
    let context: Context = tauri::generate_context!(assets = Pages);
    let app = tauri::Builder::default()
        .manage(house.clone())
        .manage(commands::Listening::default())
        .manage(Leaving::default())
        .invoke_handler(tauri::generate_handler![
            commands::ask,
            commands::act,
            commands::events,
            commands::copy_out,
            commands::copy_in,
            commands::backup,
            commands::recover,
            commands::leave,
        ])
        .build(context)?;
    let window = WebviewWindowBuilder::new(&app, MAIN, WebviewUrl::default())
        .title("Kiez")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SIZE_LEAST.0, SIZE_LEAST.1)
        // Files that are dropped reach the page itself.
        .disable_drag_drop_handler()
        // What the page keeps (language, light or dark) goes with the profile.
        .data_directory(page)
        .on_page_load(|_, load| {
            if load.event() == PageLoadEvent::Finished {
                tracing::info!("the window is open");
            }
        })
        .on_navigation(is_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, event| !matches!(event, DownloadEvent::Requested { .. }))
        // An invitation is pasted by a button. Only scripts of the page itself run here.
        .enable_clipboard_access()
        .on_permission_request(|_, wanted| {
            if wanted == PermissionKind::ClipboardRead {
                PermissionResponse::Allow
            } else {
                PermissionResponse::Deny
            }
        })
        .build()?;
    leaving::take_leave(&window, house);
    Ok(app)
}

/// Is it a place of the page? Nothing else is gone to, whatever a neighbour has written.
fn is_page(url: &Url) -> bool {
    let scheme_and_host = (url.scheme(), url.host_str().unwrap_or_default());
    let own: &[(&str, &str)] = if cfg!(windows) {
        &[("http", "tauri.localhost")]
    } else {
        &[("tauri", "localhost")]
    };
    own.contains(&scheme_and_host) && url.port().is_none()
}

async fn come_forward(app: AppHandle, wanted: Arc<Notify>) {
    loop {
        wanted.notified().await;
        if let Some(window) = app.get_webview_window(MAIN) {
            let forward = window
                .unminimize()
                .and_then(|()| window.show())
                .and_then(|()| window.set_focus());
            if let Err(error) = forward {
                tracing::warn!("the window does not come forward: {error}");
            }
        }
    }
}

/// The files of the page, as the window asks for them.
struct Pages;

impl<R: Runtime> Assets<R> for Pages {
    fn get(&self, key: &AssetKey) -> Option<Cow<'_, [u8]>> {
        pages::find(key.as_ref()).map(|page| page.bytes)
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        Box::new(std::iter::empty())
    }

    /// None: the policy allows no script and no style that is not a file.
    fn csp_hashes(&self, _: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_may_load_what_the_browser_may() {
        let config: serde_json::Value = serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
        let security = &config["app"]["security"];
        let asks_by = "connect-src 'self'";
        // The page asks Kiez by a scheme of the window's own.
        let policy = pages::POLICY.replace(asks_by, &format!("{asks_by} ipc: http://ipc.localhost"));
        assert_eq!(security["csp"], policy);
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(security["capabilities"], json!(["page"]));
        assert_eq!(config["app"]["withGlobalTauri"], false);
        assert_eq!(
            config["build"],
            serde_json::Value::Null,
            "no address of a development server"
        );
    }

    #[test]
    fn the_page_may_call_what_is_there_and_nothing_else() {
        let capability: serde_json::Value =
            serde_json::from_str(include_str!("../../capabilities/page.json")).unwrap();
        assert_eq!(capability["windows"], json!([MAIN]));
        assert_eq!(capability["permissions"], json!(["page"]));
        assert_eq!(capability.get("remote"), None);
        let permission = include_str!("../../permissions/page.toml");
        let called = [
            "ask", "act", "events", "copy_out", "copy_in", "backup", "recover", "leave",
        ];
        let called = called.map(|name| format!("\"{name}\""));
        assert!(permission.contains(&format!("[{}]", called.join(", "))));
    }

    #[test]
    fn nothing_but_the_page_is_gone_to() {
        let rows = [
            ("tauri://localhost/", true),
            ("tauri://localhost/index.html#/ideas", true),
            ("tauri://evil.example/", false),
            ("tauri://localhost:1/", false),
            ("https://tauri.localhost/", false),
            ("https://evil.example/", false),
            ("http://127.0.0.1:1420/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            ("javascript:alert(1)", false),
            ("about:blank", false),
        ];
        for (url, allowed) in rows {
            let url: Url = url.parse().unwrap();
            if cfg!(not(windows)) {
                assert_eq!(is_page(&url), allowed, "{url}");
            }
        }
    }
}

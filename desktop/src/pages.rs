//! The built page, which lies in the program itself, and what it may load. The window and the local web server show the same.

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// What the page may load: its own files, and what its server answers. No other page may frame it. `tauri.conf.json` says
/// the same of the window, which asks Kiez by another way.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is shown in place of the page where the program was built before it. For those who build Kiez.
const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Kiez</title>\
     <p>This Kiez was built without its page. In <code>ui/</code>: <code>npm ci && npm run build</code>, then build again.";

#[derive(RustEmbed)]
#[folder = "../ui/dist"]
#[allow_missing = true]
struct Built;

/// A file of the page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub(crate) kind: String,
}

/// A file of the page; the page itself for `/`.
pub(crate) fn find(path: &str) -> Option<Page> {
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    match Built::get(name) {
        Some(file) => Some(Page {
            kind: file.metadata.mimetype().to_owned(),
            bytes: file.data,
        }),
        None if name == "index.html" => Some(Page {
            kind: "text/html".to_owned(),
            bytes: NOT_BUILT.as_bytes().into(),
        }),
        None => None,
    }
}

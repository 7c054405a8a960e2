//! The table in `README.md` says what the code runs: made from it, and compared.

use std::fmt::Write as _;
use std::path::Path;

use super::{Stop, THEMES};

/// The rows as they stand in the document.
fn table() -> String {
    let mut text = String::new();
    let mut number = 0;
    for (module, title, attacks) in THEMES {
        let columns =
            "| | attack | who can try it | what must hold | stopped by | test |\n|---|---|---|---|---|---|";
        writeln!(text, "### {title}\n\n{columns}").unwrap();
        for attack in *attacks {
            number += 1;
            let stop = match attack.stop {
                Stop::By(guard) => format!("`{guard:?}`"),
                Stop::Made(why) => why.to_owned(),
            };
            writeln!(
                text,
                "| {number} | {} | {} | {} | {stop} | `{module}` |",
                attack.what, attack.who, attack.holds
            )
            .unwrap();
        }
        writeln!(text).unwrap();
    }
    text.trim_end().to_owned()
}

#[test]
fn the_document_shows_the_rows_that_are_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks/README.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once("<!-- rows -->").unwrap();
    let (shown, after) = rest.split_once("<!-- end of rows -->").unwrap();
    let rows = table();
    if shown.trim() != rows {
        // Beside the program: to be looked at and copied.
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("attacks.md");
        let whole = format!("{before}<!-- rows -->\n{rows}\n<!-- end of rows -->{after}");
        std::fs::write(&made, whole).unwrap();
        panic!(
            "{} shows other rows; as it should be: {}",
            path.display(),
            made.display()
        );
    }
    let rows = rows
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| |"))
        .count();
    assert!(rows >= 40, "{rows} rows");
}

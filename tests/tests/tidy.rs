//! What the compiler does not hold: which floor may name which, how long a file may be, what lies where.
//!
//! Every rule is a function from files to findings. The first test runs them over the repository; the others plant one
//! fault for each rule, so that none can go blind unseen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file: its path from the top with `/` between, and its text.
struct File {
    path: String,
    text: String,
}

/// The most lines of a file: longer ones are two things, or one that is told too broadly.
const MAX_LINES: usize = 500;
/// Tests hold tables, which are long and still one thing.
const MAX_TEST_LINES: usize = 700;
/// Files that may be longer, each with the reason. Empty, and meant to stay so.
const LONG_FILES: &[(&str, &str)] = &[];

/// The one manifest outside of the workspace: all else in it is built with other flags.
const FUZZER: &str = "tests/fuzz/Cargo.toml";

/// What the top level may hold, besides dotfiles and what git ignores.
const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "README.md",
    "core",
    "desktop",
    "docs",
    "sync-relay",
    "target",
    "tests",
    "ui",
];

/// A folder, the words that code in it must not use, and the modules of its crate that it must not name.
const FLOORS: &[(&str, &[&str], &[&str])] = &[
    (
        "core/src/domain/",
        &[
            "automerge",
            "getrandom",
            "iroh",
            "rusqlite",
            "tokio",
            "zstd",
            "Instant",
            "SystemTime",
        ],
        &["replica", "host"],
    ),
    (
        "core/src/replica/",
        &["getrandom", "iroh", "rusqlite", "tokio", "Instant", "SystemTime"],
        &["host"],
    ),
    ("core/", &["kiez_relay", "kiez_tests"], &[]),
    ("sync-relay/", &["kiez_tests"], &[]),
    (
        "desktop/",
        &["automerge", "iroh", "rusqlite", "kiez_relay", "kiez_tests"],
        &[],
    ),
];

#[test]
fn the_repository_is_tidy() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let names: Vec<String> = children(&top).iter().map(|path| name(path)).collect();
    let files = read(&top);
    assert!(
        files.len() > 20,
        "only {} files found: the test looks in the wrong place",
        files.len()
    );
    let mut findings = top_level(&names);
    for file in &files {
        findings.extend(findings_in(file));
    }
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn a_floor_must_not_name_a_higher_one() {
    for (path, text) in [
        ("core/src/domain/a.rs", "//! x\nuse crate::replica::gate;"),
        ("core/src/domain/a.rs", "//! x\nuse crate::{domain::id, host};"),
        (
            "core/src/domain/a.rs",
            "//! x\nuse crate::{\n    domain::{id, cost},\n    replica,\n};",
        ),
        ("core/src/domain/deep/a.rs", "//! x\nfn f() { automerge::f() }"),
        ("core/src/domain/a.rs", "//! x\nuse super::super::replica;"),
        ("core/src/replica/a.rs", "//! x\nuse crate::host::node;"),
        (
            "core/src/replica/a.rs",
            "//! x\nuse std::time::{Duration, Instant};",
        ),
        ("core/src/replica/a.rs", "//! x\nlet now = SystemTime::now();"),
        ("desktop/src/a.rs", "//! x\nuse rusqlite::Connection;"),
        ("core/src/host/a.rs", "//! x\nuse kiez_tests::x;"),
    ] {
        assert_eq!(found(path, text), 1, "{path}: {text}");
    }
    for (path, text) in [
        (
            "core/src/domain/a.rs",
            "//! Neither automerge nor crate::replica.\nuse crate::domain::id;",
        ),
        (
            "core/src/domain/a.rs",
            "//! x\nlet an_instant = 1; // not an Instant",
        ),
        (
            "core/src/replica/a.rs",
            "//! x\nuse crate::{domain, replica}; use automerge::Change;",
        ),
        (
            "core/src/host/a.rs",
            "//! x\nuse crate::replica; use iroh::Endpoint; use std::time::Instant;",
        ),
    ] {
        assert_eq!(found(path, text), 0, "{path}: {text}");
    }
}

#[test]
fn the_fuzzer_is_built_from_the_same_versions() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let versions = |path: &str| -> Vec<(String, String)> {
        let text = std::fs::read_to_string(top.join(path)).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.contains(" = ") && line.contains('"'));
        let named = lines.map(|line| {
            let version = line.split('"').nth(1).unwrap_or("");
            (
                line.split(' ').next().unwrap_or("").to_owned(),
                version.to_owned(),
            )
        });
        named
            .filter(|(_, version)| version.starts_with(['=', '0', '1', '2', '3']))
            .collect()
    };
    let root = versions("Cargo.toml");
    let mut same = 0;
    for (name, version) in versions(FUZZER) {
        if let Some((_, expected)) = root.iter().find(|(known, _)| *known == name) {
            assert_eq!(version, *expected, "{name}");
            same += 1;
        }
    }
    assert!(same > 8, "only {same} versions compared");
}

#[test]
fn only_core_may_be_imported() {
    let relay = "[dependencies]\nkiez-core.workspace = true\nkiez.workspace = true\n";
    assert_eq!(found("sync-relay/Cargo.toml", relay), 1);
    assert_eq!(
        found(
            "core/Cargo.toml",
            "[dependencies]\nkiez-relay = { path = \"../sync-relay\" }"
        ),
        1
    );
    assert_eq!(
        found("tests/Cargo.toml", "[dependencies]\nkiez-core.workspace = true\n"),
        0
    );
}

#[test]
fn a_file_says_what_it_is_and_stays_short() {
    assert_eq!(found("core/src/a.rs", "use std::fmt;"), 1);
    assert_eq!(
        found("core/src/a.rs", &format!("//! x\n{}", "\n".repeat(MAX_LINES))),
        1
    );
    assert_eq!(
        found("core/src/a.rs", &format!("//! x\n{}", "\n".repeat(MAX_LINES - 1))),
        0
    );
    assert_eq!(
        found(
            "tests/src/a.rs",
            &format!("//! x\n{}", "\n".repeat(MAX_TEST_LINES))
        ),
        1
    );
    assert_eq!(
        found(
            "core/src/a/tests.rs",
            &format!("//! x\n{}", "\n".repeat(MAX_TEST_LINES - 1))
        ),
        0
    );
}

#[test]
fn nothing_is_left_for_later() {
    for text in [
        concat!("//! x\n// TO", "DO: more"),
        concat!("//! x\n// FIX", "ME"),
        concat!("//! x\nto", "do!()"),
        concat!("//! x\nunimpl", "emented!()"),
        concat!("//! x\n#[", "ignore]"),
        concat!("//! x\n#[", "ignore = \"slow\"]"),
    ] {
        assert_eq!(found("core/src/host/a.rs", text), 1, "{text}");
    }
    assert_eq!(found("docs/a.md", concat!("later: TO", "DO")), 1);
}

#[test]
fn no_test_sleeps() {
    let sleeps = concat!("//! x\ntokio::time::sl", "eep(d).await;");
    assert_eq!(found("tests/tests/a.rs", sleeps), 1);
    assert_eq!(found("core/src/host/a.rs", sleeps), 0);
    let in_unit_test = concat!(
        "//! x\n#[cfg(test)]\nmod tests {\n    std::thread::sl",
        "eep(d);\n}"
    );
    assert_eq!(found("core/src/host/a.rs", in_unit_test), 1);
}

#[test]
fn every_dependency_says_why() {
    let with =
        "[workspace.dependencies]\n# -- the model\nserde = \"1\" # shapes\n\n[profile.dev]\ndebug = 0\n";
    assert_eq!(found("Cargo.toml", with), 0);
    assert_eq!(found("Cargo.toml", &with.replace(" # shapes", "")), 1);
    assert_eq!(found("core/Cargo.toml", "[dependencies]\nserde = \"1\"\n"), 1);
    assert_eq!(found(FUZZER, "[dependencies]\nserde = \"1\"\n"), 1);
    assert_eq!(found(FUZZER, "[dependencies]\nserde = \"1\" # shapes\n"), 0);
    assert_eq!(
        found(
            "core/Cargo.toml",
            "[dependencies]\nserde = { workspace = true, optional = true }\n"
        ),
        0
    );
}

#[test]
fn the_top_level_holds_nothing_else() {
    let names = |names: &[&str]| top_level(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(names(&["core", "Cargo.toml", ".ci", ".git"]).len(), 0);
    assert_eq!(names(&["core", "scripts", "clippy.toml", "notes.md"]).len(), 3);
}

/// How many findings one file has.
fn found(path: &str, text: &str) -> usize {
    findings_in(&File {
        path: path.to_owned(),
        text: text.to_owned(),
    })
    .len()
}

fn findings_in(file: &File) -> Vec<String> {
    let mut findings = left_for_later(file);
    if file.path.ends_with(".rs") {
        findings.extend(floors(file));
        findings.extend(head_and_length(file));
        findings.extend(sleeps(file));
    }
    if file.path.ends_with("Cargo.toml") {
        findings.extend(manifest(file));
    }
    findings
}

fn top_level(names: &[String]) -> Vec<String> {
    let stray = names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()));
    stray
        .map(|name| format!("{name}: does not belong on the top level"))
        .collect()
}

fn floors(file: &File) -> Vec<String> {
    let code = without_comments(&file.text);
    let (words, roots) = (words(&code), crate_roots(&code));
    let mut findings = Vec::new();
    for (folder, forbidden_words, forbidden_modules) in FLOORS {
        if !file.path.starts_with(folder) {
            continue;
        }
        let words = forbidden_words.iter().filter(|word| words.contains(**word));
        let modules = forbidden_modules
            .iter()
            .filter(|module| roots.contains(**module) || code.contains(&format!("super::{module}")));
        let named: BTreeSet<&str> = words.chain(modules).copied().collect();
        findings.extend(
            named
                .iter()
                .map(|name| format!("{}: {folder} must not name {name}", file.path)),
        );
    }
    findings
}

fn head_and_length(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(format!("{}: must begin with //! and what it is", file.path));
    }
    let lines = file.text.lines().count();
    let most = if is_test(&file.path) {
        MAX_TEST_LINES
    } else {
        MAX_LINES
    };
    if lines > most && !LONG_FILES.iter().any(|(path, _)| *path == file.path) {
        findings.push(format!("{}: {lines} lines, {most} is the most", file.path));
    }
    findings
}

fn left_for_later(file: &File) -> Vec<String> {
    const MARKS: &[&str] = &[
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[", "ignore"),
    ];
    lines_with(file, &file.text, MARKS, "is left for later")
}

fn sleeps(file: &File) -> Vec<String> {
    // A benchmark measures a quiet state, and has to let it come.
    let tests = if file.path.starts_with("tests/benches/") {
        ""
    } else if is_test(&file.path) {
        file.text.as_str()
    } else {
        file.text
            .split_once("#[cfg(test)]")
            .map_or("", |(_, tests)| tests)
    };
    lines_with(
        file,
        tests,
        &[concat!("sl", "eep(")],
        "waits for a clock: wait for what happens",
    )
}

fn lines_with(file: &File, text: &str, marks: &[&str], what: &str) -> Vec<String> {
    let marked = text
        .lines()
        .filter(|line| marks.iter().any(|mark| line.contains(mark)));
    marked
        .map(|line| format!("{}: {what}: {}", file.path, line.trim()))
        .collect()
}

/// The root says why each dependency is there; the packages only point to it; and no package but core is depended on.
fn manifest(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    let mut section = "";
    for line in file.text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if section.contains("dependencies]") && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['.', ' ', '=']).next().unwrap_or("");
            let root = section == "[workspace.dependencies]";
            if root && !line.contains('#') {
                findings.push(format!("{}: {name} does not say why it is there", file.path));
            } else if matches!(name, "kiez" | "kiez-relay" | "kiez-tests") {
                findings.push(format!("{}: nothing may depend on {name}", file.path));
            } else if !root && file.path == FUZZER && line.contains('#') {
                // A workspace of its own can inherit no version: see the test that compares them.
            } else if !root && !line.contains("workspace = true") {
                findings.push(format!(
                    "{}: the version of {name} belongs into the root",
                    file.path
                ));
            }
        }
    }
    findings
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// The text without what follows `//` on a line; the `//` of an address is not one.
fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.find("//") {
        Some(at) if !line.get(..at).unwrap_or("").ends_with(':') => line.get(..at).unwrap_or("").to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

fn words(code: &str) -> BTreeSet<&str> {
    code.split(not_in_a_word).collect()
}

fn not_in_a_word(letter: char) -> bool {
    !letter.is_alphanumeric() && letter != '_'
}

/// What is named right below `crate`, singly or in braces.
fn crate_roots(code: &str) -> BTreeSet<String> {
    let dense: String = code.split_whitespace().collect();
    let mut roots = BTreeSet::new();
    for after in dense.split("crate::").skip(1) {
        if after.starts_with('{') {
            roots.extend(first_words(after));
        } else {
            roots.extend(after.split(not_in_a_word).next().map(str::to_owned));
        }
    }
    roots
}

/// The first word of each entry between the braces that a text begins with.
fn first_words(braces: &str) -> Vec<String> {
    let (mut depth, mut entries) = (0_usize, vec![String::new()]);
    for letter in braces.chars() {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' if depth <= 1 => break,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => entries.push(String::new()),
            _ if depth == 1 => {
                if let Some(entry) = entries.last_mut() {
                    entry.push(letter);
                }
            }
            _ => {}
        }
    }
    let first = |entry: &String| entry.split("::").next().unwrap_or("").to_owned();
    entries.iter().map(first).collect()
}

/// All text files below a folder, but for what git ignores.
fn read(top: &Path) -> Vec<File> {
    let (mut files, mut folders) = (Vec::new(), vec![top.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in children(&folder) {
            if matches!(
                name(&path).as_str(),
                "target" | "node_modules" | "dist" | "made" | "gen" | ".git" | "__pycache__"
            ) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let below = path.strip_prefix(top).unwrap_or(&path);
                files.push(File {
                    path: below.to_string_lossy().replace('\\', "/"),
                    text,
                });
            }
        }
    }
    files
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

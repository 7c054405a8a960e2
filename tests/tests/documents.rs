//! The documents that are promises stay true where that can be told from the source: limits, rules, contexts, error codes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure is a panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of tables that begin with a name in code: the name, and the second cell.
fn rows(document: &str) -> BTreeMap<String, String> {
    let cells = |line: &str| -> Option<(String, String)> {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        Some((name.to_owned(), cells.next()?.trim_end_matches(" |").to_owned()))
    };
    document.lines().filter_map(cells).collect()
}

/// `1 << 20`, `(1 << 31) - 1`, `2 * 1024`, `20_000`, another constant, or a time.
fn value(expression: &str, known: &BTreeMap<String, u64>) -> u64 {
    let expression = expression.trim();
    let inner = |open: &str| {
        let (_, rest) = expression.split_once(open)?;
        rest.strip_suffix(')')
    };
    if let Some((left, right)) = expression.rsplit_once(" - ") {
        return value(left, known) - value(right, known);
    }
    if let Some((left, right)) = expression.split_once(" * ") {
        return value(left, known) * value(right, known);
    }
    if let Some(inner) = inner("(").or_else(|| inner("Timestamp(")) {
        return value(inner, known);
    }
    if let Some((left, right)) = expression.split_once(" << ") {
        return value(left, known) << value(right, known);
    }
    known
        .get(expression)
        .copied()
        .unwrap_or_else(|| expression.replace('_', "").parse().unwrap())
}

/// The constants of a file, by name.
fn constants(source: &str) -> BTreeMap<String, u64> {
    let mut known = BTreeMap::new();
    for line in source.lines() {
        let constant = line
            .strip_prefix("pub const ")
            .and_then(|rest| rest.strip_suffix(';'));
        if let Some((head, expression)) = constant.and_then(|c| c.split_once(" = ")) {
            let (name, _) = head.split_once(':').unwrap();
            let value = value(expression, &known);
            known.insert(name.to_owned(), value);
        }
    }
    known
}

fn said_values(document: &str) -> BTreeMap<String, u64> {
    rows(document)
        .into_iter()
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

/// The source of a crate, without its tests, by file.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![top().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                found.push((path.clone(), lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    found
}

#[test]
fn every_limit_stands_in_the_format_with_its_value() {
    for (document, source) in [
        ("docs/format.md", "core/src/replica/limits.rs"),
        ("docs/format-gate.md", "core/src/replica/gate/refusal.rs"),
    ] {
        let real = constants(&text(source));
        assert!(real.len() > 10, "{source}: {real:?}");
        assert_eq!(said_values(&text(document)), real, "{document}");
    }
}

#[test]
fn every_rule_of_the_gate_stands_in_the_format() {
    let source = text("core/src/replica/gate/refusal.rs");
    let (_, rules) = source.split_once("pub enum Refusal {").unwrap();
    let (rules, _) = rules.split_once("\n}").unwrap();
    let names: BTreeSet<String> = rules
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 50, "{names:?}");
    let document = rows(&text("docs/format-gate.md"));
    let said: BTreeSet<String> = document
        .into_keys()
        .filter(|name| name.chars().any(|c| c.is_ascii_lowercase()))
        .collect();
    assert_eq!(said, names);
}

/// No context is used for two purposes, and each is in the documents.
#[test]
fn every_context_is_used_once_and_stands_in_the_format() {
    let documents: String = ["", "-gate", "-documents", "-session", "-bundle", "-profile"]
        .map(|part| text(&format!("docs/format{part}.md")))
        .concat();
    let mut used: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (path, code) in [sources("core/src"), sources("desktop/src")].concat() {
        for (place, _) in code.match_indices("\"kiez ") {
            let literal = code.get(place + 1..).unwrap().split('"').next().unwrap();
            let is_context = literal.chars().any(|c| c.is_ascii_digit()) && !literal.contains('{');
            if is_context {
                used.entry(literal.to_owned()).or_default().push(path.clone());
            }
        }
    }
    assert!(used.len() > 20, "{used:?}");
    for (context, places) in used {
        assert_eq!(places.len(), 1, "{context:?} is used twice: {places:?}");
        // The handover is between two processes of one version.
        assert!(
            context == "kiez 1 handover" || documents.contains(&context),
            "{context:?} is in no document"
        );
    }
}

#[test]
fn every_error_code_stands_in_the_page_of_the_command_line() {
    let page = text("docs/cli.md");
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for (_, code) in sources("desktop/src") {
        for opening in ["Failure::new(", "Self::new("] {
            for (place, _) in code.match_indices(opening) {
                // The second argument.
                let arguments = code.get(place..).unwrap();
                let second = arguments.split_once(',').unwrap().1.trim_start();
                codes.extend(
                    second
                        .strip_prefix('"')
                        .map(|rest| rest.split('"').next().unwrap().to_owned()),
                );
            }
        }
        // Tables of an exit code and an error code.
        for (place, _) in code.match_indices("(Exit::") {
            let pair = code.get(place..).unwrap().split(')').next().unwrap();
            codes.extend(pair.split('"').nth(1).map(str::to_owned));
        }
        for (place, _) in code.match_indices("=> \"") {
            let literal = code.get(place + 4..).unwrap().split('"').next().unwrap();
            if code.contains("impl From<ActionError> for Failure") {
                codes.insert(literal.to_owned());
            }
        }
    }
    assert!(codes.len() > 30, "{codes:?}");
    for code in codes {
        assert!(
            page.contains(&format!("`{code}`")),
            "docs/cli.md does not name the error code {code}"
        );
    }
}

#[test]
fn every_example_in_the_page_of_the_command_line_is_json() {
    let page = text("docs/cli.md");
    let examples: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() > 20);
    for example in examples {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(example);
        assert!(parsed.is_ok(), "{example}");
    }
}

//! The structure of the house: who may depend on whom, how long a file may be, and that every
//! folder stands in its table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Crate, its folder, and the crates it may use. The order is that of the layers.
const ALLOWED: &[(&str, &str, &[&str])] = &[
    ("dyno-core", "harness/core", &[]),
    ("dyno-stats", "harness/stats", &[]),
    ("dyno-load", "harness/load", &["dyno-stats"]),
    ("dyno-image", "harness/image", &["dyno-core"]),
    (
        "dyno-vision",
        "harness/vision",
        &["dyno-core", "dyno-image"],
    ),
    (
        "dyno-metrics",
        "harness/metrics",
        &["dyno-core", "dyno-stats"],
    ),
    ("dyno-machine", "harness/machine", &["dyno-core"]),
    ("dyno-backends", "harness/backends", &["dyno-core"]),
    ("dyno-evidence", "harness/evidence", &["dyno-core"]),
    (
        "dyno-registry",
        "harness/registry",
        &["dyno-core", "dyno-evidence"],
    ),
    (
        "dyno-runner",
        "harness/runner",
        &[
            "dyno-core",
            "dyno-evidence",
            "dyno-image",
            "dyno-load",
            "dyno-machine",
            "dyno-stats",
            "dyno-vision",
        ],
    ),
    ("dyno-datasets", "datasets", &["dyno-core", "dyno-image"]),
    (
        "dyno-reports",
        "reports",
        &["dyno-core", "dyno-evidence", "dyno-stats"],
    ),
];

/// Longest file, in lines.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir)
        .expect("a folder of the repository")
        .map(|e| e.expect("an entry").path())
    {
        let name = entry
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        if entry.is_dir() && !matches!(name, "target" | "generated") && !name.starts_with('.') {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            found.push(entry);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for dir in ["harness", "datasets", "reports", "benches", "tests"] {
        sources(&root().join(dir), &mut found);
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// Names of this workspace's crates in the `[dependencies]` of a manifest.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text =
        fs::read_to_string(manifest).unwrap_or_else(|e| panic!("{}: {e}", manifest.display()));
    let table: toml::Table = text.parse().expect("a manifest is TOML");
    let names = table
        .get("dependencies")
        .and_then(|d| d.as_table())
        .into_iter()
        .flat_map(|d| d.keys().cloned());
    names.filter(|n| n.starts_with("dyno-")).collect()
}

#[test]
fn dependencies_point_down() {
    let members: BTreeSet<PathBuf> = ALLOWED.iter().map(|(_, dir, _)| root().join(dir)).collect();
    for (name, dir, allowed) in ALLOWED {
        for used in dependencies(&root().join(dir).join("Cargo.toml")) {
            assert!(
                allowed.contains(&used.as_str()),
                "{name} may not use {used}: design.md, section 1"
            );
        }
    }
    // A crate that nobody entered here would escape the rule.
    for entry in fs::read_dir(root().join("harness"))
        .expect("harness/")
        .map(|e| e.expect("an entry").path())
    {
        assert!(
            !entry.join("Cargo.toml").is_file() || members.contains(&entry),
            "{} has no row in this test",
            entry.display()
        );
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut problems = Vec::new();
    for path in all_sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        let lines = text.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            problems.push(format!("{}: does not open with //!", path.display()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Every file or folder beside a table's `mod.rs`/`lib.rs` whose module implements the trait stands
/// as a row.
#[test]
fn every_module_with_a_row_type_is_in_its_table() {
    // Trait whose implementations are rows, folder, file with the table.
    let tables = [
        (
            "Backend for",
            "harness/backends/src",
            "harness/backends/src/lib.rs",
        ),
        ("DatasetKind for", "datasets/src", "datasets/src/lib.rs"),
        (
            "DecoderKind for",
            "harness/vision/src/decoders",
            "harness/vision/src/decoders/mod.rs",
        ),
        (
            "MetricKind for",
            "harness/metrics/src",
            "harness/metrics/src/lib.rs",
        ),
        ("Reporter for", "reports/src", "reports/src/lib.rs"),
    ];
    for (implementation, folder, table) in tables {
        let mut files = Vec::new();
        sources(&root().join(folder), &mut files);
        let text =
            fs::read_to_string(root().join(table)).unwrap_or_else(|e| panic!("{table}: {e}"));
        let mut rows = 0;
        for file in files {
            let source = fs::read_to_string(&file).expect("a source file");
            if file.ends_with("tests.rs") {
                continue;
            }
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            for line in source
                .lines()
                .filter(|l| l.starts_with("impl ") && l.contains(implementation))
            {
                let after = line.split(implementation).nth(1).unwrap_or_default();
                let name: String = after
                    .trim()
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                rows += 1;
                assert!(
                    text.contains(&name),
                    "`{name}` of {} has no row in {table}",
                    file.display()
                );
            }
        }
        assert!(
            rows > 0,
            "no implementation of `{implementation}` below {folder}: the test looks in the wrong place"
        );
    }
}

#[test]
fn table_names_are_unique_and_kebab_case() {
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    tables.insert(
        "backends",
        dyno_backends::BACKENDS.iter().map(|b| b.id()).collect(),
    );
    tables.insert(
        "datasets",
        dyno_datasets::DATASETS.iter().map(|d| d.id()).collect(),
    );
    tables.insert(
        "decoders",
        dyno_vision::DECODERS.iter().map(|d| d.id()).collect(),
    );
    tables.insert(
        "metrics",
        dyno_metrics::METRICS.iter().map(|m| m.id()).collect(),
    );
    tables.insert(
        "reporters",
        dyno_reports::REPORTERS.iter().map(|r| r.id()).collect(),
    );
    for (table, names) in tables {
        assert!(!names.is_empty(), "{table} is empty");
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(
            unique.len(),
            names.len(),
            "{table} has a name twice: {names:?}"
        );
        for name in names {
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{table}: `{name}` is not kebab-case"
            );
        }
    }
}

#[test]
fn no_file_names_a_machine_or_leaves_work_undone() {
    for path in all_sources() {
        if path.ends_with("architecture.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for marker in ["todo!(", "unimplemented!(", "FIXME"] {
            assert!(!text.contains(marker), "{}: {marker}", path.display());
        }
    }
}

//! The tables as the program has them, and the ids that the other checks read from the sources.

use super::tables::TABLES;
use std::{collections::BTreeSet, path::Path};

fn ids() -> [(&'static str, Vec<&'static str>); 5] {
    let backends = dyno_backends::BACKENDS.iter().map(|b| b.id());
    let datasets = dyno_datasets::DATASETS.iter().map(|d| d.id());
    let decoders = dyno_vision::DECODERS.iter().map(|d| d.id());
    let metrics = dyno_metrics::METRICS.iter().map(|m| m.id());
    let reporters = dyno_reports::REPORTERS.iter().map(|r| r.id());
    [
        ("BACKENDS", backends.collect()),
        ("DATASETS", datasets.collect()),
        ("DECODERS", decoders.collect()),
        ("METRICS", metrics.collect()),
        ("REPORTERS", reporters.collect()),
    ]
}

#[test]
fn ids_are_unique_and_kebab_case() {
    for (table, ids) in ids() {
        assert!(!ids.is_empty(), "{table} is empty");
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{table} has an id twice: {ids:?}");
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        for id in ids {
            assert!(id.chars().all(good), "{table}: `{id}` is not kebab-case");
        }
    }
}

/// What the checks read from the sources is what the program answers.
#[test]
fn ids_are_found_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, ids) in ids() {
        let table = TABLES.iter().find(|t| t.name == name);
        let table = table.unwrap_or_else(|| panic!("{name} is not checked"));
        let found: BTreeSet<String> = table
            .implementations(root)
            .into_iter()
            .map(|i| i.id)
            .collect();
        for id in ids {
            assert!(found.contains(id), "{name}: `{id}` is not in {found:?}");
        }
    }
}

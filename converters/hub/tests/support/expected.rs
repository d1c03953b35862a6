//! Lists of cases that must pass: `tests/expected/SUITE.txt`, one name a line. A line
//! `name # reason` is an exception: a case that is known not to pass, and why.

use std::{collections::BTreeMap, fs, path::Path};

/// Result of a case.
pub(crate) type Outcome = Result<(), String>;

/// Compares what happened with the list of `suite`. All cases of a suite must have a line.
///
/// # Panics
/// With every line that is not so: a case that fails and is listed, one that passes and is not (or
/// stands there as an exception), a line without a case, an exception without a reason.
pub(crate) fn check_suite(suite: &str, outcomes: &BTreeMap<String, Outcome>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/expected")
        .join(format!("{suite}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let problems = compare(&text, outcomes);
    assert!(
        problems.is_empty(),
        "{}, {} problems:\n{}",
        path.display(),
        problems.len(),
        problems.join("\n")
    );
}

fn compare(text: &str, outcomes: &BTreeMap<String, Outcome>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut listed = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, reason) = match line.split_once('#') {
            Some((name, reason)) => (name.trim(), Some(reason.trim())),
            None => (line, None),
        };
        if reason.is_some_and(str::is_empty) {
            problems.push(format!("{name}: an exception without a reason"));
        }
        if listed.insert(name, reason).is_some() {
            problems.push(format!("{name}: stands twice"));
        }
        if !outcomes.contains_key(name) {
            problems.push(format!("{name}: there is no such case"));
        }
    }
    for (name, outcome) in outcomes {
        match (listed.get(name.as_str()), outcome) {
            (Some(None), Ok(())) | (Some(Some(_)), Err(_)) => {}
            (Some(None), Err(e)) => problems.push(format!("{name}: {e}")),
            (Some(Some(_)), Ok(())) => {
                problems.push(format!("{name}: passes, and is listed as an exception"));
            }
            (None, Ok(())) => problems.push(format!("{name}: passes, and is not listed")),
            (None, Err(e)) => problems.push(format!("{name}: is not listed, and fails: {e}")),
        }
    }
    problems
}

#[test]
fn every_kind_of_lie_is_found() {
    let outcomes: BTreeMap<String, Outcome> = [
        ("good", Ok(())),
        ("bad", Err("wrong".to_owned())),
        ("known", Err("wrong".to_owned())),
        ("mended", Ok(())),
        ("new", Ok(())),
    ]
    .map(|(name, outcome)| (name.to_owned(), outcome))
    .into();
    let fine = "good\nnew\nmended\n# a comment\nbad # why\nknown # why\n";
    assert_eq!(compare(fine, &outcomes), Vec::<String>::new());
    let lies = "good\ngood\nbad\nknown # why\nmended # why\ngone\n";
    assert_eq!(
        compare(lies, &outcomes),
        [
            "good: stands twice",
            "gone: there is no such case",
            "bad: wrong",
            "mended: passes, and is listed as an exception",
            "new: passes, and is not listed",
        ]
    );
    assert!(compare("known #", &outcomes).contains(&"known: an exception without a reason".into()));
}

//! C2: what can be known to be wrong is said before the run, with `--dry-run` too.

use super::kit::{DETECTOR, detector, shapes};
use crate::support::Place;
use std::fs;

/// Refused as a mistake of the command, and nothing was run.
#[track_caller]
fn refused(place: &Place, line: &str, words: &[&str]) {
    for more in ["", " --dry-run"] {
        place.run(&format!("{line}{more}")).exits(2).says(words);
        assert!(!place.join("runs").exists(), "it was run: {line}{more}");
    }
}

#[test]
fn expectations_that_name_nothing_measured() {
    let place = shapes(6);
    for (expectation, word) in [
        ("mAP>=0.1", "mAP"),
        ("AP/Person>=0.1", "AP/Person"),
        // A score of the whole that no class has.
        ("AR@1/circle>=0.1", "AR@1"),
        ("top-1>=0.1", "top-1"),
        ("p90<=12ms", "p90"),
        ("nonsense", "nonsense"),
    ] {
        refused(
            &place,
            &format!("{DETECTOR} --expect {expectation}"),
            &[word],
        );
    }
    let latency = "run dyno/shapes-detector --dataset coco:pictures --only latency --profile quick";
    refused(&place, &format!("{latency} --expect AP>=0.1"), &["AP"]);
    // As the report prints it.
    place
        .run(&format!("{latency} --expect samples/s>=0.001 --dry-run"))
        .succeeds();
    place
        .run(&format!("{DETECTOR} --expect AP/circle>=0 --dry-run"))
        .succeeds();
}

#[test]
fn a_data_set_that_shares_no_class() {
    let place = shapes(6);
    fs::write(detector(&place).join("labels.txt"), "a\nb\nc\nd\ne\nf\n").expect("writable");
    refused(&place, DETECTOR, &["class"]);
}

#[test]
fn labels_that_are_too_few_or_too_many() {
    for labels in ["circle\nsquare\n", "a\nb\nc\nd\ne\nf\ncircle\n"] {
        let place = shapes(6);
        fs::write(detector(&place).join("labels.txt"), labels).expect("writable");
        refused(&place, DETECTOR, &["6"]);
    }
}

#[test]
fn an_input_shape_that_does_not_fit() {
    for (shape, word) in [
        ("images=1x3x64x64", "images"),
        ("nothing=1x3x128x128", "nothing"),
    ] {
        refused(&shapes(6), &format!("{DETECTOR} --shape {shape}"), &[word]);
    }
}

#[test]
fn a_manifest_that_cannot_be_written() {
    let place = shapes(6);
    let manifest = detector(&place).join("alwaysai.model.json");
    let mut permissions = fs::metadata(&manifest).expect("a manifest").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&manifest, permissions).expect("permissions");
    refused(&place, &format!("{DETECTOR} --write"), &["cannot write to"]);
}

#[test]
fn a_dry_run_is_ten_lines_and_says_what_would_be_written() {
    let place = shapes(40);
    let done = place
        .run(&format!("{DETECTOR} --write --dry-run"))
        .succeeds();
    let lines = done.stdout.lines().count();
    assert!((3..=16).contains(&lines), "{lines} lines:\n{}", done.stdout);
    for word in [
        "shapes-detector",
        "synthetic-shapes-40-",
        "tract",
        "accuracy",
    ] {
        assert!(
            done.stdout.contains(word),
            "`{word}` is not in\n{}",
            done.stdout
        );
    }
    let whole = place
        .run(&format!("{DETECTOR} --write --dry-run --format json"))
        .succeeds();
    let plan: serde_json::Value = serde_json::from_str(&whole.stdout).expect("a plan");
    assert_eq!(plan["spec"]["model"]["reference"], "dyno/shapes-detector");
    assert!(!place.join("runs").exists(), "nothing was run");
}

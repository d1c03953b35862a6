//! A12: evidence that is gone is missed, and a model's own last value is called that.

use super::kit::{CLASSIFIER, DETECTOR, manifest, record, shapes};
use std::fs;

#[test]
fn the_check_misses_files_of_the_evidence() {
    let place = shapes(10);
    place.run(&format!("{DETECTOR} --write -q")).succeeds();
    let check = "models check dyno/shapes-detector";
    place.run(check).succeeds();
    let data = super::kit::detector(&place).join("evidence/data");
    let files: Vec<_> = fs::read_dir(&data)
        .expect("data")
        .map(|e| e.expect("an entry").path())
        .collect();
    assert!(!files.is_empty(), "evidence has no data");
    // One that is changed, one that is gone.
    let text = fs::read(&files[0]).expect("data");
    fs::write(&files[0], b"{}").expect("writable");
    let changed = place.run(check).exits(1);
    assert!(
        changed.stdout.contains("data-changed"),
        "{}",
        changed.stdout
    );
    fs::write(&files[0], text).expect("writable");
    place.run(check).succeeds();
    fs::remove_file(&files[0]).expect("data");
    let done = place.run(check);
    let missed = done.stdout.contains("data-missing") || done.stdout.contains("no-data");
    assert!(missed, "nothing is missed:\n{}", done.stdout);
}

#[test]
fn a_reference_that_is_the_models_own_value_is_shown_as_such() {
    let place = shapes(10);
    let done = place
        .run(&format!("{DETECTOR} --write --format json"))
        .succeeds();
    let record = record(&done);
    let set = record["sample_sets"][0]["id"].as_str().expect("an id");
    let value = super::kit::measurement(&record, "accuracy")["scores"][0]["value"].clone();
    place
        .run(&format!(
            "models reference set dyno/shapes-detector AP {value} --sample-set {set} --abs 0.001"
        ))
        .succeeds();
    let check = place.run("models check dyno/shapes-detector");
    assert!(check.stdout.contains("reference-own"), "{}", check.stdout);
    assert!(
        check.stdout.contains("it finds changes, not errors"),
        "{}",
        check.stdout
    );
}

#[test]
fn a_value_that_nobody_measured_is_found() {
    let place = shapes(30);
    place.run(&format!("{CLASSIFIER} --write -q")).succeeds();
    let file = place.join("models/dyno/shapes-classifier/alwaysai.model.json");
    for (field, value) in [
        ("mean_average_precision_top_1", "0.999"),
        ("inference_time", "0.000001"),
    ] {
        let before = super::kit::text(&file);
        let own = manifest(&place, "shapes-classifier")[field].to_string();
        let forged = before.replace(
            &format!("\"{field}\": {own}"),
            &format!("\"{field}\": {value}"),
        );
        assert_ne!(forged, before, "the manifest has another form");
        fs::write(&file, &forged).expect("writable");
        let done = place.run("models check dyno/shapes-classifier").exits(1);
        assert!(done.stdout.contains(field), "{}", done.stdout);
        fs::write(&file, before).expect("writable");
    }
    place.run("models check dyno/shapes-classifier").succeeds();
}

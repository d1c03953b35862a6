//! A9: the interval of AP says what it is for, and there is none where images are few.

use super::kit::{DETECTOR, measurement, record, shapes};
use serde_json::Value;

/// The interval of AP over this many pictures.
fn interval(count: u32) -> Value {
    let record = record(
        &shapes(count)
            .run(&format!("{DETECTOR} --format json"))
            .succeeds(),
    );
    let scores = &measurement(&record, "accuracy")["scores"];
    let ap = scores
        .as_array()
        .expect("scores")
        .iter()
        .find(|s| s["metric"] == "AP");
    let ap = ap.expect("AP");
    assert!(ap["value"].as_f64().is_some_and(|v| v > 0.1), "{ap:#}");
    ap["interval"].clone()
}

#[test]
fn few_images_have_no_interval() {
    assert_eq!(interval(29), Value::Null);
}

#[test]
fn the_interval_names_its_method_and_what_it_covers() {
    let interval = interval(30);
    let method = interval["method"]
        .as_str()
        .unwrap_or_else(|| panic!("no method: {interval}"));
    assert!(
        method.contains("random halves") && method.contains("for sets of as many such images"),
        "{method}"
    );
    assert_eq!(interval["level"], 0.95);
}

#[test]
fn people_read_what_the_interval_is_for() {
    let place = shapes(30);
    let report = place.run(DETECTOR).succeeds().stdout;
    assert!(report.contains("such images"), "{report}");
}

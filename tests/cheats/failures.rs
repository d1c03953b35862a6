//! A4: a sample that cannot be read is a failed sample in every run, timed ones too, and over
//! survivors nothing is met.

use super::kit::{DETECTOR, first_picture, manifest, measurement, pictures, record, shapes};
use serde_json::Value;
use std::fs;

const LATENCY: &str = "run dyno/shapes-detector --dataset coco:pictures --only latency";

fn codes(measurement: &Value) -> Vec<&str> {
    let codes = measurement["validity"]["codes"].as_array().expect("codes");
    codes.iter().filter_map(Value::as_str).collect()
}

#[test]
fn latency_over_one_picture_of_ten_is_not_valid() {
    let place = shapes(10);
    for picture in &pictures(&place)[1..] {
        fs::write(picture, b"").expect("writable");
    }
    let done = place
        .run(&format!("{LATENCY} --profile quick --format json"))
        .exits(5);
    let record = record(&done);
    let timed = measurement(&record, "performance");
    assert!(codes(timed).contains(&"too-many-errors"), "{timed:#}");
    assert_eq!(timed["failed"], 9, "{timed:#}");
    done.says(&["9 of 10 samples failed"]);
    // Nor is anything written, whatever else speaks against it.
    place.run(&format!("{LATENCY} --write")).exits_not(0);
    assert_eq!(
        manifest(&place, "shapes-detector")["inference_time"],
        Value::Null
    );
}

#[test]
fn failures_that_are_allowed_are_told_and_decide_nothing() {
    let place = shapes(10);
    fs::write(first_picture(&place), b"").expect("writable");
    let line = format!("{LATENCY} --profile quick --max-errors 1 --format json");
    let done = place.run(&line);
    let record = record(&done);
    assert_eq!(measurement(&record, "performance")["failed"], 1);
    let warned = record["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .any(|w| w["code"] == "samples-failed");
    assert!(warned, "{:#}", record["warnings"]);
    place.run(&format!("{line} --expect p50<=100s")).exits(4);
    // What is missed is missed.
    place.run(&format!("{line} --expect p50<=1ns")).exits_not(0);
}

#[test]
fn expectations_over_survivors_are_undecided() {
    let place = shapes(20);
    let line = format!("{DETECTOR} --expect AP>=0.01");
    place.run(&line).succeeds();
    fs::write(first_picture(&place), b"").expect("writable");
    place.run(&line).exits(5);
    place
        .run(&format!("{line} --max-errors 1"))
        .exits(4)
        .says(&["AP>=0.01"]);
    place
        .run(&format!("{line} --max-errors 1 --undecided fail"))
        .exits(1);
}

#[test]
fn the_timed_library_is_recorded() {
    let place = shapes(10);
    let library = |line: &str| {
        let record = record(&place.run(line));
        let timed = measurement(&record, "performance");
        (
            timed["library_count"].clone(),
            timed["library_sha256"].clone(),
        )
    };
    let line = format!("{LATENCY} --profile quick --format json");
    let (count, hash) = library(&line);
    assert_eq!(count, 10);
    assert_eq!(hash.as_str().map(str::len), Some(64), "{hash}");
    // A part of the set is another library.
    let (count, part) = library(&format!("{line} -n 5"));
    assert_eq!(count, 5);
    assert_ne!(part, hash);
}

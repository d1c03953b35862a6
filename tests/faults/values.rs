//! B5: an output that is no number fails its sample.

use crate::{
    cheats::kit::{CLASSIFIER, DETECTOR, manifest, measurement, record, shapes, with_nan},
    support::Place,
};
use std::fs;

/// The run fails on every sample, says why, and is not valid.
#[track_caller]
fn fails(place: &Place, line: &str, count: u64) {
    let done = place.run(&format!("{line} --format json"));
    let record = record(&done);
    let accuracy = measurement(&record, "accuracy");
    assert_eq!(accuracy["validity"]["status"], "INVALID", "{accuracy:#}");
    assert_eq!(accuracy["failed"], count, "{accuracy:#}");
    done.exits(5).says(&["finite"]);
}

#[test]
fn boxes_that_are_no_numbers() {
    let place = shapes(6);
    let null =
        "--backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x11";
    for fill in [
        "constant:nan",
        "constant:inf",
        "values:0.5,-inf",
        "values:0.9,0.9,0.9,nan",
    ] {
        fails(&place, &format!("{DETECTOR} {null} --set fill={fill}"), 6);
    }
}

#[test]
fn scores_that_are_no_numbers() {
    let place = shapes(6);
    let null = "--backend null --set inputs=images:f32:1x3x64x64 --set outputs=logits:f32:1x6";
    for fill in ["constant:nan", "values:0.5,inf,0.1", "values:-inf,0.1,nan"] {
        fails(&place, &format!("{CLASSIFIER} {null} --set fill={fill}"), 6);
    }
}

#[test]
fn a_model_of_nothing_divided_by_nothing_is_not_written() {
    let place = shapes(6);
    let file = place.join("models/dyno/shapes-classifier/shapes-classifier.onnx");
    let model = with_nan(&fs::read(&file).expect("a model"));
    fs::write(&file, model).expect("writable");
    let before = manifest(&place, "shapes-classifier");
    for backend in ["tract", "rten"] {
        fails(
            &place,
            &format!("{CLASSIFIER} --write --backend {backend}"),
            6,
        );
        assert_eq!(manifest(&place, "shapes-classifier"), before);
        // Nor is its speed worth anything.
        let timed = format!(
            "run dyno/shapes-classifier --dataset imagenet:classes --only latency --profile quick --backend {backend}"
        );
        place.run(&timed).exits_not(0);
    }
}

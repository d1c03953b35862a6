//! Results in manifests, and what `models check` makes of them.

use super::{DETECTOR, NULL};
use crate::support::{Place, score};
use dyno_core::ValidityCode;
use std::fs;

#[test]
fn a_run_fills_the_manifest_and_the_check_believes_it() {
    let place = Place::new();
    place.with_shapes(40);
    let manifest = place.join("models/dyno/shapes-detector/alwaysai.model.json");
    let before = fs::read_to_string(&manifest).expect("a manifest");
    let done = place.run(&format!("{DETECTOR} --write --threads 1 --format json"));
    let record = done.record();
    // Other tests run beside this one: a latency that was not steady or was disturbed is INVALID,
    // and then not written.
    let validity = &record.measurements[1].validity;
    let steady = validity.is_valid();
    let noise = [ValidityCode::Unsteady, ValidityCode::Disturbed];
    assert!(
        validity.codes.iter().all(|c| noise.contains(c)),
        "{validity:?}"
    );
    let done = done.exits(if steady { 0 } else { 4 });
    assert!(done.stderr.contains("filled accuracy"), "{}", done.stderr);
    assert!(score(&record, "AP") > 0.2, "the detector detects");
    assert!(score(&record, "AP") < 0.99, "and not perfectly");
    let after = fs::read_to_string(&manifest).expect("a manifest");
    assert_ne!(before, after);
    let value: serde_json::Value = serde_json::from_str(&after).expect("JSON");
    let text = value["accuracy"].as_str().expect("a sentence");
    assert!(
        text.contains("AP 0.")
            && text.contains(&record.sample_sets[0].id)
            && text.contains("40 images"),
        "{text}"
    );
    assert_eq!(
        value["inference_time"]
            .as_f64()
            .is_some_and(|t| t > 0.0 && t < 1.0),
        steady
    );
    place.run("models check dyno/shapes-detector").succeeds();
    // Lines that were not filled are the same bytes.
    let same = before
        .lines()
        .zip(after.lines())
        .filter(|(a, b)| a == b)
        .count();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(
        before.lines().count() - same,
        if steady { 2 } else { 1 },
        "one line a field changed:\n{after}"
    );
    // A field without evidence is found.
    fs::write(&manifest, after.replace("AP 0.", "AP 1.")).expect("writable");
    place.run("models check dyno/shapes-detector").exits(1);
}

#[test]
fn a_package_made_by_configure_is_measured_and_filled() {
    let place = Place::new();
    place.with_shapes(20);
    let folder = place.join("models/acme/mine");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["shapes-detector.onnx", "labels.txt"] {
        fs::copy(
            place.join("models/dyno/shapes-detector").join(file),
            folder.join(file),
        )
        .expect("a file");
    }
    // alwaysAI's spelling of flags and ours.
    let line = "models configure models/acme/mine --id acme/mine --framework onnx --purpose ObjectDetection --model_file shapes-detector.onnx --label-file labels.txt";
    place
        .run(&format!("{line} --recipe yolx"))
        .exits(2)
        .shows("configure-with-a-typo", &place);
    place.run(&format!("{line} --recipe yolox")).succeeds();
    let done = place
        .run("run acme/mine --dataset coco:pictures --only accuracy --write --format json")
        .succeeds();
    // The recipe takes its size from the file, so the scores are those of the model's own
    // description.
    let own = place
        .run(&format!("{DETECTOR} --only accuracy --format json"))
        .succeeds();
    assert_eq!(
        score(&done.record(), "AP").to_bits(),
        score(&own.record(), "AP").to_bits()
    );
    let text = fs::read_to_string(folder.join("alwaysai.model.json")).expect("a manifest");
    assert!(text.contains("AP 0."), "{text}");
    place
        .run("models check acme/mine --dataset coco:pictures")
        .succeeds();
    // Evidence that the data set has outlived is found.
    let annotations = place.join("pictures/annotations/instances_val2017.json");
    let mut value: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&annotations).expect("annotations"))
            .expect("JSON");
    value["annotations"].as_array_mut().expect("a list").pop();
    fs::write(&annotations, value.to_string()).expect("writable");
    place
        .run("models check acme/mine --dataset coco:pictures")
        .exits(1)
        .shows("check-finds-a-changed-data-set", &place);
    // So are labels that have changed.
    fs::write(folder.join("labels.txt"), "a\nb\nc\nd\ne\nf\n").expect("writable");
    place
        .run("models check acme/mine")
        .exits(1)
        .shows("check-finds-changed-labels", &place);
}

/// A threshold of the model's own lies over the recipe's decoder: suppression stays.
#[test]
fn a_threshold_without_a_decoder_keeps_the_recipes_suppression() {
    let place = Place::new();
    place.with_shapes(12);
    let folder = place.join("models/acme/mine");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["shapes-detector.onnx", "labels.txt"] {
        fs::copy(
            place.join("models/dyno/shapes-detector").join(file),
            folder.join(file),
        )
        .expect("a file");
    }
    place
        .run("models configure models/acme/mine --id acme/mine --framework onnx --purpose ObjectDetection --model-file shapes-detector.onnx --label-file labels.txt --recipe yolox --evaluate-score 0.02")
        .succeeds();
    let line = "run acme/mine --dataset coco:pictures --only accuracy --format json";
    let own = place.run(line).succeeds();
    let decoder = |done: &crate::support::Done| done.record().plan.spec.model.decoder;
    let evaluate = decoder(&own).evaluate.expect("thresholds");
    assert_eq!((evaluate.score, evaluate.iou), (0.02, Some(0.65)));
    assert!(!own.stderr.contains("no IoU"), "{}", own.stderr);
    // The command line lies over both.
    let flags = place
        .run(&format!("{line} --score 0.1 --iou 0.5"))
        .succeeds();
    let evaluate = decoder(&flags).evaluate.expect("thresholds");
    assert_eq!((evaluate.score, evaluate.iou), (0.1, Some(0.5)));
    assert_ne!(
        score(&own.record(), "AP").to_bits(),
        score(&flags.record(), "AP").to_bits()
    );
}

#[test]
fn null_and_contradictions_never_reach_a_manifest() {
    let place = Place::new();
    place.with_shapes(6);
    for (name, flags) in [
        ("write-with-null", format!("{NULL} --only accuracy --write")),
        (
            "write-with-labels",
            "--only accuracy --write --labels models/dyno/shapes-detector/labels.txt".to_owned(),
        ),
        (
            "write-with-a-threshold",
            "--only accuracy --write --score 0.3".to_owned(),
        ),
        (
            "write-with-a-quick-profile",
            "--write --profile quick".to_owned(),
        ),
        (
            "recipe-with-nothing-to-add",
            "--only accuracy --recipe nanodet".to_owned(),
        ),
    ] {
        place
            .run(&format!("{DETECTOR} {flags}"))
            .exits(2)
            .shows(name, &place);
    }
    assert!(!place.join("runs").exists(), "nothing was run");
    let set = place
        .run(&format!("{DETECTOR} --only accuracy --format json"))
        .succeeds()
        .record()
        .sample_sets[0]
        .id
        .clone();
    place
        .run(&format!(
            "models reference set dyno/shapes-detector AP 0.99 --sample-set {set} --abs 0.001"
        ))
        .succeeds();
    place
        .run(&format!("{DETECTOR} --only accuracy --write"))
        .exits(1)
        .says(&["reference missed", "nothing was written"]);
}

#[test]
fn a_classifier_fills_top_1_and_top_5() {
    let place = Place::new();
    place.with_shapes(40);
    let done = place.run("run dyno/shapes-classifier --dataset imagenet:classes --only accuracy --write --format json").succeeds();
    let top1 = score(&done.record(), "top-1");
    assert!((0.3..=0.99).contains(&top1), "top-1 is {top1}");
    let text = fs::read_to_string(place.join("models/dyno/shapes-classifier/alwaysai.model.json"))
        .expect("a manifest");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["mean_average_precision_top_1"].as_f64(), Some(top1));
}

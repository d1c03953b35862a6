//! A2: what stands side by side belongs together. Shapes, preprocessing and thresholds as they were
//! resolved count, not the name of a recipe.

use super::kit::{edit, free_size, json, measurement, record, shapes};
use crate::support::Place;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const RUN: &str = "run acme/free --dataset coco:pictures";

/// A package whose recipe takes its size from the input, which is of any size.
fn free(count: u32) -> (Place, PathBuf) {
    let place = shapes(count);
    let package = place.join("models/acme/free");
    fs::create_dir_all(&package).expect("a folder");
    let own = super::kit::detector(&place);
    let model = fs::read(own.join("shapes-detector.onnx")).expect("a model");
    fs::write(package.join("free.onnx"), free_size(&model)).expect("writable");
    fs::copy(own.join("labels.txt"), package.join("labels.txt")).expect("writable");
    place
        .run("models configure models/acme/free --id acme/free --framework onnx --purpose ObjectDetection --model-file free.onnx --label-file labels.txt --recipe yolox -q")
        .succeeds();
    (place, package)
}

fn field(package: &std::path::Path, name: &str) -> Value {
    json(&package.join("alwaysai.model.json"))[name].clone()
}

#[test]
fn latency_of_another_input_does_not_stand_beside_accuracy() {
    let (place, package) = free(40);
    place
        .run(&format!(
            "{RUN} --only accuracy --shape images=1x3x160x160 --write -q"
        ))
        .succeeds();
    let accuracy = field(&package, "accuracy");
    assert!(
        accuracy.as_str().is_some_and(|a| a.contains("AP 0.")),
        "{accuracy}"
    );
    for mode in ["--write", "--write=replace"] {
        let done = place.run(&format!(
            "{RUN} --only latency --shape images=1x3x128x128 {mode} --format json"
        ));
        assert_eq!(field(&package, "inference_time"), Value::Null, "{mode}");
        assert_eq!(field(&package, "accuracy"), accuracy, "{mode}");
        // A measurement that the machine disturbed is refused for that.
        let valid = measurement(&record(&done), "performance")["validity"]["status"] == "VALID";
        if valid {
            done.says(&["inference_time", "shape"]);
        }
    }
    place.run("models check acme/free").succeeds();
}

#[test]
fn the_check_sees_thresholds_that_changed_under_the_same_recipe() {
    let (place, package) = free(20);
    place
        .run(&format!(
            "{RUN} --only accuracy --shape images=1x3x128x128 --write -q"
        ))
        .succeeds();
    place.run("models check acme/free").succeeds();
    // The recipe's own thresholds, written out, are no change.
    for (score, code) in [(0.001, 0), (0.3, 1)] {
        edit(&package.join("dyno.json"), |v| {
            v["decoder"] = json!({
                "kind": "yolox",
                "evaluate": {"score": score, "iou": 0.65},
                "deploy": {"score": 0.25, "iou": 0.45},
            });
        });
        let done = place.run("models check acme/free").exits(code);
        assert_eq!(
            done.stdout.contains("stale-preprocessing"),
            code == 1,
            "{}",
            done.stdout
        );
    }
}

#[test]
fn the_check_sees_an_input_that_changed_under_the_same_recipe() {
    let (place, package) = free(20);
    place
        .run(&format!(
            "{RUN} --only accuracy --shape images=1x3x160x160 --write -q"
        ))
        .succeeds();
    edit(&package.join("dyno.json"), |v| {
        v["inputs"] = json!([{
            "name": "images", "dtype": "f32", "layout": "nchw", "shape": [1, 3, 128, 128],
            "preprocess": [
                {"letterbox": {"size": [128, 128], "anchor": "top-left", "pad": 114, "kernel": "opencv-linear"}},
                {"channels": "bgr"},
            ],
        }]);
    });
    let done = place.run("models check acme/free").exits(1);
    assert!(
        done.stdout.contains("stale-preprocessing"),
        "{}",
        done.stdout
    );
}

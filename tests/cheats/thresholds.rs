//! C1: thresholds lie over the recipe's decoder and take nothing of it away; a decoder without
//! suppression, or for other outputs, is named or refused.

use super::kit::{detector, free_size, json, measurement, record, shapes};
use crate::support::Place;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const RUN: &str = "run acme/mine --dataset coco:pictures --only accuracy";

/// A package of the detector with these flags of `configure`.
fn package(more: &str) -> (Place, PathBuf) {
    let place = shapes(20);
    let folder = place.join("models/acme/mine");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["shapes-detector.onnx", "labels.txt"] {
        fs::copy(detector(&place).join(file), folder.join(file)).expect("writable");
    }
    place
        .run(&format!("models configure models/acme/mine --id acme/mine --framework onnx --purpose ObjectDetection --model-file shapes-detector.onnx --label-file labels.txt {more}"))
        .succeeds();
    (place, folder)
}

fn thresholds(place: &Place, line: &str) -> Value {
    let record = record(&place.run(&format!("{line} --format json")).succeeds());
    measurement(&record, "accuracy")["thresholds"].clone()
}

#[test]
fn a_score_of_the_model_leaves_the_recipes_suppression() {
    let (place, folder) = package("--recipe yolox");
    let before = thresholds(&place, RUN);
    place
        .run("models configure models/acme/mine --evaluate-score 0.01")
        .succeeds();
    let after = thresholds(&place, RUN);
    assert_eq!(after["score"], 0.01);
    assert_eq!(after["iou"], before["iou"], "suppression was dropped");
    assert_eq!(json(&folder.join("dyno.json"))["recipe"], "yolox");
}

#[test]
fn a_score_of_the_command_is_recorded_and_never_written() {
    let (place, folder) = package("--recipe yolox");
    let own = thresholds(&place, RUN);
    let line = format!("{RUN} --score 0.3 --iou 0.5");
    let given = thresholds(&place, &line);
    assert_eq!((&given["score"], &given["iou"]), (&json!(0.3), &json!(0.5)));
    assert_eq!(
        thresholds(&place, &format!("{RUN} --score 0.3"))["iou"],
        own["iou"]
    );
    let before = fs::read(folder.join("alwaysai.model.json")).expect("a manifest");
    place
        .run(&format!("{line} --write"))
        .exits(2)
        .says(&["--score"]);
    assert_eq!(
        fs::read(folder.join("alwaysai.model.json")).expect("a manifest"),
        before
    );
}

#[test]
fn a_decoder_without_suppression_is_named() {
    let (place, _) =
        package("--recipe yolox --decoder yolox --evaluate-score 0.01 --deploy-score 0.25");
    let dyno = place.join("models/acme/mine/dyno.json");
    super::kit::edit(&dyno, |v| {
        // Everything in the model's own words, and no IoU among them.
        let own = json(&detector(&place).join("dyno.json"));
        v["inputs"] = own["inputs"].clone();
        v["decoder"] =
            json!({"kind": "yolox", "evaluate": {"score": 0.01}, "deploy": {"score": 0.25}});
        v.as_object_mut().expect("an object").remove("recipe");
    });
    let done = place.run(&format!("{RUN} --format json"));
    let record = record(&done);
    let warned = record["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .any(|w| w["code"] == "not-suppressed");
    assert!(warned, "{:#}", record["warnings"]);
    assert!(place.run("report latest").stdout.contains("IoU"));
}

#[test]
fn a_decoder_that_cannot_mean_anything_for_the_outputs_is_refused() {
    let place = shapes(6);
    // Boxes are no ranking of classes, whatever a recipe says.
    let own = detector(&place);
    fs::copy(own.join("shapes-detector.onnx"), place.join("boxes.onnx")).expect("writable");
    let bytes = fs::read(own.join("shapes-detector.onnx")).expect("a model");
    fs::write(place.join("free.onnx"), free_size(&bytes)).expect("writable");
    for model in ["./boxes.onnx", "./free.onnx --shape images=1x3x64x64"] {
        for recipe in ["tf-slim", "torchvision", "caffe-bgr"] {
            place
                .run(&format!("run {model} --recipe {recipe} --labels models/dyno/shapes-classifier/labels.txt --dataset imagenet:classes --only accuracy"))
                .exits(2)
                .says(&["error:"]);
            assert!(!place.join("runs").exists(), "it was run");
        }
    }
}

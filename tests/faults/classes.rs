//! B8 and B11: many classes, and classes that look alike.

use crate::{
    cheats::kit::{DETECTOR, annotations, edit, json, measurement, record, runs, shapes, text},
    support::Place,
};
use serde_json::{Value, json};
use std::fs;

/// Most bytes of a record.
const MOST: usize = 64 << 10;

#[test]
fn six_hundred_classes_are_measured_and_kept() {
    let place = shapes(4);
    let names: Vec<String> = (0..600)
        .map(|i| format!("a rather long name of class {i}"))
        .collect();
    let package = place.join("models/acme/many");
    fs::create_dir_all(&package).expect("a folder");
    fs::write(package.join("labels.txt"), names.join("\n") + "\n").expect("writable");
    let own = crate::cheats::kit::detector(&place);
    fs::copy(own.join("shapes-detector.onnx"), package.join("many.onnx")).expect("writable");
    place
        .run("models configure models/acme/many --id acme/many --framework onnx --purpose ObjectDetection --model-file many.onnx --label-file labels.txt --recipe yolox -q")
        .succeeds();
    edit(&annotations(&place), |v| {
        v["categories"] = (0..600)
            .map(|i| json!({"id": i + 1, "name": names[i]}))
            .collect();
        // Every class has objects, so that every class has scores.
        let image = v["images"][0]["id"].clone();
        v["annotations"] = (0..600)
            .map(|i| {
                json!({"id": i + 1, "image_id": image, "category_id": i + 1,
                "bbox": [1 + i % 50, 2, 20, 20], "area": 400, "iscrowd": 0})
            })
            .collect();
    });
    let done = place
        .run("run acme/many --dataset coco:pictures --only accuracy --backend null --set inputs=images:f32:1x3x128x128 --set outputs=output:f32:1x336x605 --set fill=pattern:7 --format json")
        .exits_not(5);
    let record = record(&done);
    let run = runs(&place).pop().expect("a run");
    let kept = text(&run.join("record.json"));
    assert!(kept.len() <= MOST, "{} bytes", kept.len());
    // The scores of single classes are in a file that the record names.
    let details = measurement(&record, "accuracy")["details"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let per_class = details
        .iter()
        .find(|d| d["name"].as_str().is_some_and(|n| n.contains("per-class")))
        .unwrap_or_else(|| panic!("no table of classes: {details:#?}"));
    let name = |d: &Value| {
        format!(
            "{}.{}",
            d["sha256"].as_str().expect("a hash"),
            d["format"].as_str().expect("a format")
        )
    };
    let table = text(&run.join("data").join(name(per_class)));
    assert_eq!(table.lines().count(), 601, "a head and a line a class");
    assert!(
        place
            .run("report latest")
            .succeeds()
            .stdout
            .contains("AP50")
    );
}

/// AP with the categories changed.
fn ap(place: &Place, change: impl FnOnce(&mut Vec<Value>)) -> Result<Value, String> {
    let file = annotations(place);
    let before = json(&file);
    edit(&file, |v| {
        change(v["categories"].as_array_mut().expect("categories"));
    });
    let done = place.run(&format!("{DETECTOR} --format json"));
    fs::write(&file, before.to_string()).expect("writable");
    if done.code == Some(0) {
        Ok(measurement(&record(&done), "accuracy")["scores"][0]["value"].clone())
    } else {
        assert!(matches!(done.code, Some(2 | 5)), "{:?}", done.code);
        Err(done.stderr)
    }
}

#[test]
fn an_empty_twin_of_a_class_changes_nothing() {
    let place = shapes(12);
    let alone = ap(&place, |_| ()).expect("it runs");
    for (twin, id) in [("Circle", 99), ("Circle", 0)] {
        let with_twin = ap(&place, |categories| {
            let at = if id == 0 { 0 } else { categories.len() };
            categories.insert(at, json!({"id": id, "name": twin}));
        });
        assert_eq!(
            with_twin,
            Ok(alone.clone()),
            "`{twin}` as {id} beside `circle`"
        );
    }
}

#[test]
fn two_classes_that_fit_equally_are_an_error() {
    let place = shapes(12);
    let error = ap(&place, |categories| {
        let circle = categories
            .iter_mut()
            .find(|c| c["name"] == "circle")
            .expect("a circle");
        circle["name"] = "CIRCLE".into();
        categories.push(json!({"id": 99, "name": "Circle"}));
    })
    .expect_err("`circle` may be `CIRCLE` or `Circle`");
    assert!(
        error.contains("CIRCLE") && error.contains("Circle"),
        "{error}"
    );
}

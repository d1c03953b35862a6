//! Bad input: each is a clear error, and nothing is lost.

use crate::support::{Done, Place};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const DETECTOR: &str = "run dyno/shapes-detector --dataset coco:pictures --only accuracy";

fn shapes(count: u32) -> Place {
    let place = Place::new();
    place.with_shapes(count);
    place
}

fn first_picture(place: &Place) -> PathBuf {
    let mut pictures: Vec<PathBuf> = fs::read_dir(place.join("pictures/images/val2017"))
        .expect("pictures")
        .map(|e| e.expect("an entry").path())
        .collect();
    pictures.sort();
    pictures.swap_remove(0)
}

fn annotations(place: &Place) -> PathBuf {
    place.join("pictures/annotations/instances_val2017.json")
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value =
        serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON");
    change(&mut value);
    fs::write(path, value.to_string()).expect("writable");
}

/// A bad picture fails its sample, is named, and the others are measured.
fn one_bad_picture(bytes: &[u8], reason: &str) {
    let place = shapes(5);
    let path = first_picture(&place);
    fs::write(&path, bytes).expect("writable");
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .expect("a name")
        .to_owned();
    let done = place
        .run(&format!("{DETECTOR} --write --format json"))
        .exits(5)
        .says(&[
            &name,
            reason,
            "1 of 5 samples failed",
            "nothing was written",
        ]);
    assert!(done.stdout.contains("too-many-errors"));
    let manifest =
        fs::read_to_string(place.join("models/dyno/shapes-detector/alwaysai.model.json"))
            .expect("a manifest");
    assert!(
        !manifest.contains("images"),
        "the manifest is as it was:\n{manifest}"
    );
    let done = place
        .run(&format!("{DETECTOR} --max-errors 1 --format json"))
        .succeeds();
    assert!(done.stdout.contains("samples-failed"), "a warning tells");
}

#[test]
fn a_truncated_picture() {
    let place = shapes(5);
    let whole = fs::read(first_picture(&place)).expect("a picture");
    one_bad_picture(&whole[..whole.len() / 2], "sample failed");
}

#[test]
fn an_empty_picture() {
    one_bad_picture(b"", "the image file is empty");
}

#[test]
fn something_that_is_no_picture() {
    one_bad_picture(b"<html>not found</html>", "sample failed");
}

#[test]
fn pictures_of_extreme_shapes_are_pictures() {
    let place = shapes(3);
    let path = first_picture(&place);
    for (width, height) in [(1, 1), (20_000, 1), (1, 20_000)] {
        let image = dyno_image::Image::new(width, height).expect("a small image");
        fs::write(&path, dyno_image::encode_png(&image).expect("PNG")).expect("writable");
        edit(&annotations(&place), |v| {
            v["images"][0]["width"] = json!(width);
            v["images"][0]["height"] = json!(height);
            let id = v["images"][0]["id"].clone();
            let objects = v["annotations"].as_array_mut().expect("annotations");
            objects.retain(|o| o["image_id"] != id);
        });
        place.run(&format!("{DETECTOR} -q")).succeeds();
    }
}

#[test]
fn missing_pictures_are_counted() {
    let place = shapes(5);
    fs::remove_file(first_picture(&place)).expect("a picture");
    place.run(DETECTOR).exits(5).says(&["missing", "(1)"]);
}

#[test]
fn annotations_that_do_not_fit_together() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 5] = [
        (
            |v| v["annotations"][0]["image_id"] = json!(987_654_321),
            "987654321",
        ),
        (|v| v["annotations"][0]["category_id"] = json!(4711), "4711"),
        (
            |v| v["images"][1]["id"] = v["images"][0]["id"].clone(),
            "image",
        ),
        (
            |v| v["annotations"][1]["id"] = v["annotations"][0]["id"].clone(),
            "annotation",
        ),
        (|v| v["annotations"][0]["bbox"][2] = json!(-5), "box"),
    ];
    for (change, word) in cases {
        let place = shapes(5);
        edit(&annotations(&place), change);
        place.run(DETECTOR).exits(5).says(&["error:", word]);
    }
}

#[test]
fn numbers_that_are_none_and_broken_json_have_a_place() {
    for (from, to) in [
        ("\"bbox\":[", "\"bbox\":[NaN,"),
        ("\"images\"", "\"images"),
        ("\"bbox\":[", "\"bbox\":[1e999,"),
    ] {
        let place = shapes(5);
        let path = annotations(&place);
        let text = fs::read_to_string(&path)
            .expect("annotations")
            .replace("\"bbox\": [", "\"bbox\":[");
        assert!(text.contains(from), "the annotations have another form");
        fs::write(&path, text.replacen(from, to, 1)).expect("writable");
        place
            .run(DETECTOR)
            .exits(5)
            .says(&["instances_val2017.json", "line", "column"]);
    }
}

#[test]
fn broken_xml_has_a_place() {
    let place = shapes(2);
    place
        .run("datasets synthesize voc --layout voc --count 4 --seed 3")
        .succeeds();
    let mut files = Vec::new();
    let mut folders = vec![place.join("voc")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)
            .expect("a folder")
            .map(|e| e.expect("an entry").path())
        {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == "xml") {
                files.push(entry);
            }
        }
    }
    files.sort();
    place
        .run("run dyno/shapes-detector --dataset voc:voc --only accuracy")
        .succeeds();
    let text = fs::read_to_string(&files[0]).expect("XML");
    fs::write(&files[0], text.replacen("</bndbox>", "</box>", 1)).expect("writable");
    place
        .run("run dyno/shapes-detector --dataset voc:voc --only accuracy")
        .exits(5)
        .says(&[
            "line",
            "column",
            files[0]
                .file_name()
                .and_then(|n| n.to_str())
                .expect("a name"),
        ]);
}

#[test]
fn a_truncated_model_is_refused_by_every_engine() {
    let place = shapes(2);
    let model = place.join("models/dyno/shapes-detector/shapes-detector.onnx");
    let bytes = fs::read(&model).expect("the model");
    fs::write(&model, &bytes[..bytes.len() / 3]).expect("writable");
    for backend in ["tract", "rten"] {
        place
            .run(&format!("{DETECTOR} --backend {backend}"))
            .exits(5)
            .says(&["cannot load the model"]);
    }
}

#[test]
fn outputs_that_fit_no_recipe() {
    let place = shapes(2);
    let model = "models/dyno/shapes-classifier/shapes-classifier.onnx";
    place
        .run(&format!("run {model} --dataset coco:pictures"))
        .exits(2)
        .says(&["no recipe fits the outputs", "hint:", "--recipe"]);
    // A decoder that was named and cannot read the outputs says what it found.
    place
        .run(&format!(
            "run {model} --dataset coco:pictures --recipe yolox --labels models/dyno/shapes-detector/labels.txt"
        ))
        .exits_not(0)
        .says(&["yolox", "expects"]);
}

#[test]
fn a_description_that_contradicts_the_manifest_names_both_values() {
    let place = shapes(2);
    let folder = place.join("models/dyno/shapes-detector");
    edit(&folder.join("dyno.json"), |v| {
        v["framework"] = json!("caffe");
    });
    place.run(DETECTOR).exits(2).says(&["caffe", "onnx"]);
}

#[test]
fn too_few_labels() {
    let place = shapes(2);
    fs::write(
        place.join("models/dyno/shapes-detector/labels.txt"),
        "circle\nsquare\n",
    )
    .expect("writable");
    place.run(DETECTOR).exits_not(0).says(&["2", "label"]);
}

#[test]
fn a_read_only_manifest_is_an_error_before_the_run() {
    let place = shapes(2);
    let manifest = place.join("models/dyno/shapes-detector/alwaysai.model.json");
    let mut permissions = fs::metadata(&manifest).expect("a manifest").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&manifest, permissions).expect("permissions");
    place
        .run(&format!("{DETECTOR} --write"))
        .exits(2)
        .says(&["cannot write to"]);
    assert!(!place.join("runs").exists(), "nothing was run");
}

#[cfg(unix)]
#[test]
fn a_write_that_fails_half_way_loses_nothing() {
    let place = shapes(40);
    let manifest = place.join("models/dyno/shapes-detector/alwaysai.model.json");
    let before = fs::read(&manifest).expect("a manifest");
    // A limit on the size of files is a full disk for every file beyond it: 1 block is 512 bytes,
    // and the shard is larger.
    let line = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} {DETECTOR} --write",
        env!("CARGO_BIN_EXE_dyno")
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(place.path())
        .env("DYNO_RUNS_DIR", place.join("runs"))
        .env("DYNO_CACHE_DIR", place.join("cache"));
    Done::from(command.output().expect("sh"))
        .exits(5)
        .says(&["error:", "cannot write"]);
    assert_eq!(fs::read(&manifest).expect("a manifest"), before);
    place.run(&format!("{DETECTOR} -q")).succeeds();
}

#[test]
fn a_plan_that_is_none() {
    let place = Place::new();
    let output = place
        .dyno()
        .arg("worker")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the binary starts");
    Done::from(output).exits(2).says(&["no JSON document"]);
}

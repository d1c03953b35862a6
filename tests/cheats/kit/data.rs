//! The quickstart's packages and generated pictures, and records and manifests as JSON: a test of
//! what a user sees reads what a user reads, not the program's own types.

use crate::support::{Done, Place};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Accuracy of the quickstart's detector.
pub(crate) const DETECTOR: &str =
    "run dyno/shapes-detector --dataset coco:pictures --only accuracy";
/// Accuracy of the quickstart's classifier.
pub(crate) const CLASSIFIER: &str =
    "run dyno/shapes-classifier --dataset imagenet:classes --only accuracy";

/// A place with the quickstart's packages and this many pictures of each layout.
pub(crate) fn shapes(count: u32) -> Place {
    let place = Place::new();
    place.with_shapes(count);
    place
}

/// Folder of the detector's package.
pub(crate) fn detector(place: &Place) -> PathBuf {
    place.join("models/dyno/shapes-detector")
}

/// The COCO pictures in the order of their names.
pub(crate) fn pictures(place: &Place) -> Vec<PathBuf> {
    files(&place.join("pictures/images/val2017"))
}

/// The first COCO picture.
pub(crate) fn first_picture(place: &Place) -> PathBuf {
    pictures(place).swap_remove(0)
}

/// The COCO annotations.
pub(crate) fn annotations(place: &Place) -> PathBuf {
    place.join("pictures/annotations/instances_val2017.json")
}

/// Entries of a folder, sorted; none of a folder that is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Folders of runs, oldest first.
pub(crate) fn runs(place: &Place) -> Vec<PathBuf> {
    files(&place.join("runs"))
}

/// Records in the evidence of a package.
pub(crate) fn evidence(package: &Path) -> Vec<PathBuf> {
    let mut records = files(&package.join("evidence"));
    records.retain(|path| {
        path.extension().is_some_and(|e| e == "json")
            && path.file_name().is_some_and(|n| n != "index.json")
    });
    records
}

/// Text of a file.
#[track_caller]
pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// JSON of a file.
#[track_caller]
pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Changes a JSON file.
#[track_caller]
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json(path);
    change(&mut value);
    fs::write(path, value.to_string()).expect("writable");
}

/// The manifest of one of the quickstart's models.
#[track_caller]
pub(crate) fn manifest(place: &Place, model: &str) -> Value {
    json(
        &place
            .join("models/dyno")
            .join(model)
            .join("alwaysai.model.json"),
    )
}

/// The record on standard output.
#[track_caller]
pub(crate) fn record(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|e| {
        panic!(
            "no record: {e}\nstdout:\n{}\nstderr:\n{}",
            done.stdout, done.stderr
        )
    })
}

/// The first measurement of a kind, `accuracy` or `performance`.
#[track_caller]
pub(crate) fn measurement<'r>(record: &'r Value, kind: &str) -> &'r Value {
    let all = record["measurements"].as_array().expect("measurements");
    all.iter()
        .find(|m| m["kind"] == kind)
        .unwrap_or_else(|| panic!("no measurement of {kind}:\n{record:#}"))
}

//! Detectors on the COCO sample: the reference pipeline's values, pycocotools on the exported
//! detections, agreement of the engines.

use super::models::{FASTESTDET, Model, NANODET, YOLOX};
use crate::support::{Place, assets, has_library, python, score};
use dyno_core::Record;
use std::{path::Path, process::Command};

const NAMES: [&str; 12] = [
    "AP",
    "AP50",
    "AP75",
    "AP_small",
    "AP_medium",
    "AP_large",
    "AR@1",
    "AR@10",
    "AR@100",
    "AR_small",
    "AR_medium",
    "AR_large",
];

fn run(place: &Place, assets: &Path, model: &Model, backend: &str) -> Record {
    let dataset = format!("coco:{}", assets.join("samples/coco").display());
    let export = format!("{}-{backend}.json", model.name);
    let args = [
        "run",
        model.name,
        "--models-dir",
        "registry",
        "--dataset",
        &dataset,
        "--backend",
        backend,
        "--only",
        "accuracy",
        "--format",
        "json",
    ];
    place
        .run_args(&[&args[..], &["--export-predictions", &export]].concat())
        .succeeds()
        .record()
}

/// The twelve numbers that pycocotools gives for the exported detections.
fn pycocotools(place: &Place, assets: &Path, export: &str) -> Option<Vec<f64>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/coco_ap.py");
    let annotations = assets.join("samples/coco/annotations/instances_val2017.json");
    let output = Command::new(python()?)
        .arg(script)
        .arg(annotations)
        .arg(place.join(export))
        .output()
        .expect("python starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).expect("twelve numbers"))
}

fn same_as_pycocotools(
    place: &Place,
    assets: &Path,
    model: &Model,
    backend: &str,
    record: &Record,
) {
    let Some(expected) = pycocotools(place, assets, &format!("{}-{backend}.json", model.name))
    else {
        return;
    };
    for (name, expected) in NAMES.iter().zip(expected) {
        let got = score(record, name);
        assert!(
            (got - expected).abs() < 1e-9,
            "{} on {backend}: {name} is {got}, pycocotools says {expected}",
            model.name
        );
    }
}

fn reference(assets: &Path, model: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(assets.join("samples/reference_runs.json"))
        .expect("reference values");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(value["coco_val_128"][model]["ap12"].clone()).expect("twelve numbers")
}

/// Every engine agrees with the first within 0.002 AP.
fn agree(records: &[(&str, Record)], model: &Model) {
    let first = score(&records[0].1, "AP");
    for (backend, record) in records {
        let ap = score(record, "AP");
        assert!(
            (ap - first).abs() <= 0.002,
            "{}: AP {ap} on {backend}, {first} on {}",
            model.name,
            records[0].0
        );
        assert_eq!(
            record.sample_sets[0].tensors_sha256, records[0].1.sample_sets[0].tensors_sha256,
            "the engines got the same pixels"
        );
    }
}

fn on_all_engines(model: &Model, reference_name: Option<&str>) {
    let Some(assets) = assets() else { return };
    let place = Place::new();
    model.register(&place, &assets);
    let mut records = Vec::new();
    // ONNX Runtime first: the others are held against it.
    let engines = ["onnxruntime", "tract", "rten", "openvino"];
    let engines = engines
        .iter()
        .filter(|id| ["tract", "rten"].contains(id) || has_library(id));
    for backend in engines {
        let record = run(&place, &assets, model, backend);
        same_as_pycocotools(&place, &assets, model, backend, &record);
        records.push((*backend, record));
    }
    agree(&records, model);
    // The reference pipeline ran on ONNX Runtime: there, and only there, every digit is the same.
    if let Some(name) = reference_name
        && records[0].0 == "onnxruntime"
    {
        for (metric, expected) in NAMES.iter().zip(reference(&assets, name)) {
            let got = score(&records[0].1, metric);
            // The reference rounded to six digits and then to four.
            let six: f64 = format!("{got:.6}").parse().expect("a number");
            assert_eq!(
                format!("{six:.4}"),
                format!("{expected:.4}"),
                "{name}: {metric} is {got}"
            );
        }
    }
}

#[test]
fn yolox_nano() {
    on_all_engines(&YOLOX, Some("yolox_nano"));
}

#[test]
fn fastestdet() {
    on_all_engines(&FASTESTDET, Some("fastestdet"));
}

#[test]
fn nanodet_m() {
    on_all_engines(&NANODET, None);
}

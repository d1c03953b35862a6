//! Names, manifests, resolution and write-back, on real manifests where they are at hand.

mod assets;
mod configure;
mod hostile;
mod pair;
mod resolve;
mod rules;
mod stale;
mod write;

use crate::DatasetState;
use dyno_core::{
    AccuracyResult, FileRole, MeasurementResult, PerformanceResult, Record, RecordFile,
    RecordParts, SampleSetRecord, Series,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of real manifests; `None` where the assets are not at hand, which CI does not allow.
pub(crate) fn registry_assets() -> Option<PathBuf> {
    let root = std::env::var_os("DYNO_ASSETS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/assets"),
        PathBuf::from,
    );
    let folder = root.join("registry");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "no assets in `{}`",
        root.display()
    );
    // Not `eprintln`: the test runner would swallow it.
    std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no assets\n")
        .expect("standard error");
    None
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// The sample set of [`record`].
pub(crate) const SET: &str = "coco-val-3-0123456789abcdef";

/// A record of a model whose one file has this content: AP on three of five images and a
/// single-stream latency, both VALID. No number in it was measured. Its series follow from what
/// `change` leaves.
pub(crate) fn record(model: &[u8], change: impl FnOnce(&mut RecordParts)) -> Record {
    let text = include_str!("../../../core/src/record/fixtures/complete.json");
    let mut parts = Record::parse(text)
        .expect("the fixture is a record")
        .into_parts();
    let sha256 = dyno_core::sha256_hex(model);
    parts.subjects[0].files = vec![RecordFile {
        role: FileRole::Model,
        sha256: sha256.clone(),
    }];
    parts.artifacts.clear();
    parts.sample_sets[0].id = SET.into();
    parts.sample_sets[0].of = 5;
    let plan = &mut parts.plan.spec.model;
    plan.files[0].sha256 = sha256;
    plan.recipe = None;
    plan.labels = None;
    plan.decoder = dyno_core::DecoderSpec {
        kind: "yolox".into(),
        parameters: serde_json::Value::Null,
        evaluate: None,
        deploy: None,
    };
    accuracy(&mut parts).sample_set = SET.into();
    accuracy(&mut parts).scores[0].value = Some(0.29961);
    if let Some(interval) = &mut accuracy(&mut parts).scores[0].interval {
        (interval.low, interval.high) = (0.2704, 0.3307);
    }
    performance(&mut parts).sample_set = SET.into();
    change(&mut parts);
    follow(&mut parts);
    Record::seal(parts).expect("finite")
}

/// The accuracy of a [`record`].
pub(crate) fn accuracy(parts: &mut RecordParts) -> &mut AccuracyResult {
    let found = parts
        .measurements
        .iter_mut()
        .find_map(|m| match &mut m.result {
            MeasurementResult::Accuracy(result) => Some(&mut **result),
            _ => None,
        });
    found.expect("the record has one")
}

/// The latency of a [`record`].
pub(crate) fn performance(parts: &mut RecordParts) -> &mut PerformanceResult {
    let found = parts
        .measurements
        .iter_mut()
        .find_map(|m| match &mut m.result {
            MeasurementResult::Performance(result) => Some(&mut **result),
            _ => None,
        });
    found.expect("the record has one")
}

/// Writes the series that plan, machines and executions of a record make.
fn follow(parts: &mut RecordParts) {
    let plan = &parts.plan.spec;
    for m in &mut parts.measurements {
        let set = m.sample_set().unwrap_or_default().to_owned();
        let machine = &parts.machines[m.machines[0] as usize];
        m.series = if m.accuracy().is_some() {
            Series::accuracy(&plan.model, &m.execution, m.thresholds, &set)
        } else {
            Series::performance(
                &plan.model,
                &m.execution,
                m.thresholds,
                &set,
                machine,
                &plan.performance[0],
            )
        };
        m.series_sha256 = m.series.sha256().expect("finite");
    }
}

/// What a check sees around it: data sets in this state, and no engine.
pub(crate) fn around(state: &DatasetState) -> impl Fn(&Record, &SampleSetRecord) -> DatasetState {
    let state = *state;
    move |_, _| state
}

/// A package with an ONNX file and this manifest.
pub(crate) fn package(root: &Path, name: &str, manifest: &str) -> PathBuf {
    let folder = root.join(name);
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("m.onnx"), b"weights").expect("written");
    fs::write(folder.join("alwaysai.model.json"), manifest).expect("written");
    folder
}

pub(crate) const DETECTOR: &str = r#"{
  "id": "pub/det",
  "accuracy": "",
  "inference_time": 0,
  "unknown": [1.50, {"b":2}],
  "model_parameters": {"framework_type": "onnx", "model_file": "m.onnx", "purpose": "ObjectDetection",
    "size": [416, 416], "mean": [0, 0, 0], "scalefactor": 1, "swaprb": false, "crop": false},
  "version": 3
}
"#;

//! Which numbers may stand in a manifest, and what is said when they change.

use super::{DETECTOR, SET, accuracy, around, package, performance, record};
use crate::{
    Action, CheckContext, DatasetState, FieldChange, FindingStatus, ResolveOptions, ResolvedModel,
    SearchPath, WriteMode, check, locate, reference_set, resolve, write_back,
};
use dyno_core::{Artifact, RecordFile, RecordParts, Reference};
use std::{fs, path::Path};

const CLASSIFIER: &str = r#"{
  "id": "pub/cls",
  "accuracy": "",
  "inference_time": 0,
  "mean_average_precision_top_1": null,
  "mean_average_precision_top_5": 0,
  "model_parameters": {"framework_type": "onnx", "model_file": "m.onnx", "purpose": "Classification",
    "size": [224, 224], "mean": [0, 0, 0], "scalefactor": 1, "swaprb": false, "crop": false}
}
"#;

fn model(folder: &Path) -> ResolvedModel {
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("resolves")
}

fn findings(folder: &Path) -> Vec<(&'static str, FindingStatus, String)> {
    let listed = locate(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("found");
    let context = CheckContext {
        dataset: &around(&DatasetState::Same),
        describe: &|_, _| Ok(None),
    };
    check(&listed, &ResolveOptions::default(), &context)
        .expect("checked")
        .into_iter()
        .map(|f| (f.code, f.status, f.detail))
        .collect()
}

fn written(
    model: &ResolvedModel,
    change: impl FnOnce(&mut RecordParts),
    mode: WriteMode,
) -> Vec<FieldChange> {
    write_back(model, &record(b"weights", change), mode, None).expect("nothing to fail")
}

fn of<'c>(changes: &'c [FieldChange], field: &str) -> &'c FieldChange {
    changes.iter().find(|c| c.field == field).expect("a field")
}

fn top_k(r: &mut RecordParts) {
    let mut top_1 = accuracy(r).scores[0].clone();
    top_1.metric = "top-1".into();
    let mut top_5 = top_1.clone();
    top_5.metric = "top-5".into();
    accuracy(r).scores = vec![top_1, top_5];
}

#[test]
fn bare_numbers_come_from_complete_sets_only_and_the_sentence_says_what_it_is_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", CLASSIFIER);
    let model = model(&folder);
    for mode in [WriteMode::Fill, WriteMode::Replace] {
        let changes = written(&model, top_k, mode);
        for field in [
            "mean_average_precision_top_1",
            "mean_average_precision_top_5",
        ] {
            let change = of(&changes, field);
            assert_eq!(change.action, Action::NotMeasured);
            assert!(
                change.reason.contains("subset (3 of 5)"),
                "{}",
                change.reason
            );
        }
        let sentence = of(&changes, "accuracy").new.clone().expect("a value");
        let expected = format!(
            "top-1 0.2996 (95 % 0.270–0.331) on {SET}, 3 images (subset, not comparable with the full set)"
        );
        assert_eq!(sentence, expected.as_str());
    }
    let whole = |r: &mut RecordParts| {
        top_k(r);
        r.sample_sets[0].of = 3;
    };
    let changes = written(&model, whole, WriteMode::Fill);
    let top_1 = of(&changes, "mean_average_precision_top_1");
    assert_eq!(
        (top_1.action, top_1.new.clone()),
        (Action::Filled, Some(0.2996.into()))
    );
}

#[test]
fn short_profiles_failed_samples_and_repeated_pictures_fill_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    for (profile, fits) in [
        ("quick", false),
        ("", false),
        ("of-my-own", false),
        ("normal", true),
        ("full", true),
        ("mlperf", true),
    ] {
        let changes = written(
            &model,
            |r| performance(r).profile = profile.into(),
            WriteMode::Replace,
        );
        let change = of(&changes, "inference_time");
        assert_eq!(change.new.is_some(), fits, "{profile}: {change:?}");
    }
    let failed = written(&model, |r| performance(r).failed = 1, WriteMode::Replace);
    assert!(
        of(&failed, "inference_time")
            .reason
            .contains("1 samples failed")
    );
    let repeated = |count, distinct| {
        written(
            &model,
            |r| {
                r.sample_sets[0].count = count;
                r.sample_sets[0].distinct = distinct;
            },
            WriteMode::Replace,
        )
    };
    for (distinct, fits) in [(200, true), (198, true), (197, false), (1, false)] {
        for change in repeated(200, distinct) {
            assert_eq!(change.new.is_some(), fits, "{distinct}: {change:?}");
            assert_eq!(
                change.reason.contains("repeat others"),
                !fits,
                "{}",
                change.reason
            );
        }
    }
}

#[test]
fn a_measured_zero_is_a_value_and_a_zero_that_nobody_measured_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let manifest = CLASSIFIER.replace("\"pub/cls\"", "\"pub/zero\"");
    let folder = package(dir.path(), "p", &manifest);
    let model = model(&folder);
    let zero = |r: &mut RecordParts| {
        top_k(r);
        r.sample_sets[0].of = 3;
        for score in &mut accuracy(r).scores {
            score.value = Some(0.0);
            score.interval = None;
        }
    };
    let changes = written(&model, zero, WriteMode::Fill);
    let field = "mean_average_precision_top_5";
    assert_eq!(
        of(&changes, field).action,
        Action::Filled,
        "the 0 was nobody's"
    );
    // Another series must not take the measured zero for an empty field.
    let elsewhere = |r: &mut RecordParts| {
        top_k(r);
        r.sample_sets[0].of = 3;
        r.measurements[0].execution.device = "gpu:0".into();
    };
    let changes = written(&model, elsewhere, WriteMode::Fill);
    assert_eq!(of(&changes, field).action, Action::Left, "{changes:?}");
    let lost = findings(&folder);
    assert!(lost.iter().all(|f| f.0 != "lost"), "{lost:?}");
    let listed = locate(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("found");
    assert_eq!(crate::repair(&listed).expect("read"), []);
}

#[test]
fn a_refreshed_value_says_how_far_it_moved() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let measured = |ap: f64, ns: u64| {
        written(
            &model,
            |r| {
                accuracy(r).scores[0].value = Some(ap);
                performance(r).percentiles[0].ns = Some(ns);
            },
            WriteMode::Fill,
        )
    };
    measured(0.30, 12_000_000);
    let near = measured(0.32, 14_000_000);
    assert!(near.iter().all(|c| c.reason == "same series"), "{near:?}");
    let far = measured(0.35, 17_000_000);
    let reasons: Vec<&str> = far.iter().map(|c| c.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "same series; it moved from 0.3200 to 0.3500 (+9.4 %), outside the interval 0.2704–0.3307 of the value before",
            "same series; it moved from 0.014000 to 0.017000 (+21.4 %), more than a fifth",
        ]
    );
}

#[test]
fn of_several_subjects_only_the_model_itself_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let gate = |r: &mut RecordParts| {
        let mut baseline = r.subjects[0].clone();
        baseline.files = vec![RecordFile {
            role: dyno_core::FileRole::Model,
            sha256: "0".repeat(64),
        }];
        r.subjects.insert(0, baseline);
        let mut theirs = r.measurements[0].clone();
        for own in &mut r.measurements {
            own.subject = 1;
        }
        if let dyno_core::MeasurementResult::Accuracy(result) = &mut theirs.result {
            result.scores[0].value = Some(0.9);
        }
        r.measurements.insert(0, theirs);
    };
    let changes = written(&model, gate, WriteMode::Fill);
    let sentence = of(&changes, "accuracy").new.clone().expect("a value");
    assert!(
        sentence.as_str().is_some_and(|s| s.contains("0.2996")),
        "{sentence}"
    );
}

#[test]
fn missing_and_changed_data_and_references_without_a_source_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let store = model.evidence().expect("a package");
    let raw = store.put_data("latencies", "bin", b"raw").expect("kept");
    let gone = Artifact {
        sha256: dyno_core::sha256_hex(b"gone"),
        bytes: 4,
        ..raw.clone()
    };
    // A file that a list names is missed like one that the record names itself.
    let list = serde_json::to_vec(std::slice::from_ref(&gone)).expect("JSON");
    let list = store.put_data("shards", "list.json", &list).expect("kept");
    let list = Artifact {
        lists: Some(1),
        ..list
    };
    let artifacts = [raw.clone(), list];
    let changed = |r: &mut RecordParts| r.artifacts = artifacts.to_vec();
    written(&model, changed, WriteMode::Fill);
    let code = |name: &str| {
        let all = findings(&folder);
        all.into_iter().find(|f| f.0 == name)
    };
    let missing = code("data-missing").expect("a finding");
    assert_eq!(missing.1, FindingStatus::Failed);
    assert!(missing.2.contains(&gone.sha256), "{}", missing.2);
    store.put_data("latencies", "bin", b"gone").expect("kept");
    assert!(code("data-missing").is_none());
    let file = store.folder().join(format!("data/{}.bin", raw.sha256));
    fs::write(&file, "RAW").expect("written");
    assert!(code("data-changed").is_some());
    fs::remove_dir_all(store.folder().join("data")).expect("removed");
    assert_eq!(code("no-data").map(|f| f.1), Some(FindingStatus::Unchecked));

    let reference = |value: f64, source: Option<&str>| {
        let reference = Reference {
            metric: "AP".into(),
            value,
            sample_set: SET.into(),
            abs: Some(0.01),
            rel: None,
            source: source.map(Into::into),
        };
        reference_set(&model.location, &reference).expect("written");
        let found = findings(&folder);
        let of_reference = found.into_iter().find(|f| f.0.starts_with("reference-"));
        of_reference.map(|f| f.0)
    };
    assert_eq!(reference(0.31, Some("model card")), None);
    assert_eq!(reference(0.31, None), Some("reference-unsourced"));
    assert_eq!(reference(0.2996, None), Some("reference-own"));
    assert_eq!(
        reference(0.31, Some("record 0123abcd")),
        Some("reference-own")
    );
}

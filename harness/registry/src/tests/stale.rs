//! What makes evidence stale, what may not be written, and what a failed write leaves behind.

use super::{DETECTOR, package, record};
use crate::{
    Action, DatasetState, ResolveOptions, ResolvedModel, SearchPath, WriteMode, check,
    check_writable, locate, promote, resolve, write::commit, write_back,
};
use dyno_core::{LabelPlan, MeasurementKind, Record, canonical_sha256};
use dyno_evidence::RecordRef;
use std::{collections::BTreeMap, fs, path::Path};

fn model(folder: &Path) -> ResolvedModel {
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("resolves")
}

/// A record of this very model as a run would make it.
fn of(model: &ResolvedModel, change: impl FnOnce(&mut Record)) -> Record {
    record(b"weights", |r| {
        let plan = &mut r.plan.spec.model;
        plan.recipe.clone_from(&model.spec.recipe);
        plan.inputs.clone_from(&model.spec.inputs);
        plan.outputs.clone_from(&model.spec.outputs);
        plan.decoder = model
            .spec
            .decoder
            .clone()
            .unwrap_or_else(|| plan.decoder.clone());
        plan.labels = model.labels.as_ref().map(|(source, labels)| LabelPlan {
            source: source.clone(),
            count: 2,
            sha256: canonical_sha256(labels).expect("finite"),
        });
        change(r);
    })
}

fn codes(folder: &Path) -> Vec<&'static str> {
    let listed = locate(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("found");
    let mut codes: Vec<_> = check(&listed, &ResolveOptions::default(), &|_, _| {
        DatasetState::Same
    })
    .expect("checked")
    .into_iter()
    .map(|f| f.code)
    .collect();
    codes.dedup();
    codes
}

const OWN: &str = r#"{"schema": "dyno.model/1", "recipe": "r", "outputs": ["a", "b"], "labels": "l.txt",
  "decoder": {"kind": "yolox", "evaluate": {"score": 0.001, "iou": 0.65}},
  "inputs": [{"dtype": "f32", "layout": "nchw", "preprocess": [{"channels": "bgr"}]}]}"#;

#[test]
fn every_change_of_the_description_is_found_and_silence_is_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let plain = r#"{"id": "pub/det", "accuracy": "", "inference_time": 0,
      "model_parameters": {"framework_type": "onnx", "model_file": "m.onnx", "purpose": "ObjectDetection"}, "version": 3}"#;
    let without_recipe = OWN.replace(r#""recipe": "r", "#, "");
    for own in [OWN, without_recipe.as_str()] {
        let folder = package(dir.path(), if own == OWN { "p" } else { "q" }, plain);
        let path = folder.join("dyno.json");
        fs::write(folder.join("l.txt"), "cat\ndog\n").expect("written");
        fs::write(&path, own).expect("written");
        let model = model(&folder);
        let changes =
            write_back(&model, &of(&model, |_| {}), WriteMode::Fill, None).expect("written");
        assert!(
            changes.iter().all(|c| c.action == Action::Filled),
            "{changes:?}"
        );
        assert_eq!(codes(&folder), ["ok"]);
        let mut edits = vec![
            (r#""outputs": ["a", "b"]"#, r#""outputs": ["b", "a"]"#),
            (r#""outputs": ["a", "b"], "#, ""),
            (r#""f32""#, r#""u8""#),
            ("nchw", "nhwc"),
            ("0.65", "0.5"),
            (r#", "evaluate": {"score": 0.001, "iou": 0.65}"#, ""),
        ];
        if own == OWN {
            edits.extend([
                (r#""recipe": "r", "#, ""),
                (r#""recipe": "r""#, r#""recipe": "s""#),
            ]);
        } else {
            // Nothing else would say these: the plan had no recipe.
            edits.extend([
                (
                    r#"
  "decoder": {"kind": "yolox", "evaluate": {"score": 0.001, "iou": 0.65}},"#,
                    "",
                ),
                (
                    r#"{"dtype": "f32", "layout": "nchw", "preprocess": [{"channels": "bgr"}]}"#,
                    "",
                ),
            ]);
        }
        for (from, to) in edits {
            let edited = own.replace(from, to);
            assert_ne!(edited, own, "{from}");
            fs::write(&path, edited).expect("written");
            assert_eq!(codes(&folder), ["stale-preprocessing"], "{from} -> {to}");
        }
        fs::write(&path, own).expect("written");
        fs::write(folder.join("l.txt"), "dog\ncat\n").expect("written");
        assert_eq!(codes(&folder), ["stale-labels"]);
    }
}

#[test]
fn an_accuracy_with_failed_samples_is_not_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let failed = of(&model, |r| {
        if let MeasurementKind::Accuracy { n, failed, .. } = &mut r.measurements[0].kind {
            (*n, *failed) = (123, 5);
        }
    });
    for mode in [WriteMode::Fill, WriteMode::Replace] {
        let changes = write_back(&model, &failed, mode, None).expect("the speed is written");
        assert_eq!(
            (changes[0].action, changes[0].new.is_none()),
            (Action::NotMeasured, true)
        );
        assert!(
            changes[0].reason.contains("123 of 128 images (5 failed)"),
            "{}",
            changes[0].reason
        );
    }
    let refused = promote(&model, &failed, Some(0), None)
        .expect_err("refused")
        .to_string();
    assert!(refused.contains("5 samples failed"), "{refused}");
    assert!(
        fs::read_to_string(folder.join("alwaysai.model.json"))
            .expect("read")
            .contains("\"accuracy\": \"\"")
    );
}

#[test]
fn another_pc_is_another_series_for_speed_and_not_for_accuracy() {
    type Change = (&'static str, fn(&mut Record));
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    write_back(&model, &of(&model, |_| {}), WriteMode::Fill, None).expect("written");
    let changes: [Change; 4] = [
        ("processor", |r| r.machine.cpu = "another".into()),
        ("cores", |r| r.machine.cores = 16),
        ("provider", |r| {
            r.measurements[1].execution.provider = Some("P".into())
        }),
        ("settings", |r| {
            drop(
                r.measurements[1]
                    .execution
                    .settings
                    .insert("spinning".into(), "off".into()),
            )
        }),
    ];
    for (word, change) in changes {
        let done = write_back(&model, &of(&model, change), WriteMode::Fill, None).expect("written");
        assert_eq!(
            (done[0].action, done[1].action),
            (Action::Refreshed, Action::Left),
            "{word}"
        );
        assert!(done[1].reason.contains(word), "{}", done[1].reason);
    }
}

#[test]
fn a_failed_write_restores_the_index_and_a_torn_one_is_mended() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let first = of(&model, |_| {});
    write_back(&model, &first, WriteMode::Fill, None).expect("written");
    let store = model.evidence().expect("a package");
    let before = store.shown().expect("readable");
    let second = of(&model, |r| {
        if let MeasurementKind::Performance { latency_ns, .. } = &mut r.measurements[1].kind {
            latency_ns.p50 = Some(23_456_789);
        }
    });
    store.put(&second).expect("kept");
    let to = [
        (
            "inference_time",
            RecordRef {
                record: second.id.clone(),
                measurement: 1,
            },
        ),
        (
            "new",
            RecordRef {
                record: second.id.clone(),
                measurement: 0,
            },
        ),
    ];
    let guard = store.lock().expect("free");
    let full = || {
        Err(crate::RegistryError::io("write", Path::new("m"))(
            std::io::Error::other("full"),
        ))
    };
    assert!(commit(&store, &guard, &to, &before, full).is_err());
    assert_eq!(store.shown().expect("readable"), before);
    // A process that ended between the two: the index is ahead of the manifest.
    commit(&store, &guard, &to[..1], &BTreeMap::new(), || Ok(())).expect("written");
    drop(guard);
    let third = of(&model, |r| r.created_utc = "2026-01-03T00:00:00Z".into());
    let done = write_back(&model, &third, WriteMode::Fill, None).expect("written");
    assert!(
        done.iter().all(|c| c.action == Action::Refreshed),
        "{done:?}"
    );
}

#[test]
fn asking_whether_a_model_can_be_written_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let names = || super::files_below(&folder);
    let before = names();
    check_writable(&model(&folder)).expect("writable");
    let nothing = record(b"weights", |r| r.measurements.clear());
    let changes =
        write_back(&model(&folder), &nothing, WriteMode::Fill, None).expect("nothing to refuse");
    assert!(
        changes.iter().all(|c| c.action == Action::NotMeasured),
        "{changes:?}"
    );
    assert_eq!(names(), before);
}

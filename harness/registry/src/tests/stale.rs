//! What makes evidence stale, what may not be written, and what a failed write leaves behind.

use super::{DETECTOR, accuracy, around, package, performance, record};
use crate::{
    Action, CheckContext, DatasetState, Describe, Description, ResolveOptions, ResolvedModel,
    SearchPath, WriteMode, check, check_writable, locate, promote, resolve, write_back,
};
use dyno_core::{
    DecoderSpec, LabelPlan, Provider, Record, RecordParts, Thresholds, canonical_sha256,
};
use dyno_evidence::RecordRef;
use std::{fs, path::Path};

fn model(folder: &Path) -> ResolvedModel {
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("resolves")
}

/// A record of this very model as a run would make it.
fn of(model: &ResolvedModel, change: impl FnOnce(&mut RecordParts)) -> Record {
    record(b"weights", |r| {
        let plan = &mut r.plan.spec.model;
        if let Ok(Some(described)) = run(model) {
            plan.inputs = described.inputs;
            plan.outputs = described.outputs;
            plan.decoder = described.decoder;
        }
        plan.recipe.clone_from(&model.spec.recipe);
        plan.labels = model.labels.as_ref().map(|(source, labels)| LabelPlan {
            source: source.clone(),
            count: 2,
            sha256: canonical_sha256(labels).expect("finite"),
        });
        change(r);
    })
}

/// How a run takes a model: the recipes `r` and `same` say the same, `s` another threshold.
fn run(model: &ResolvedModel) -> Result<Option<Description>, String> {
    let iou = match model.spec.recipe.as_deref() {
        Some("r" | "same") => Some(0.65),
        Some("s") => Some(0.6),
        Some(other) => return Err(format!("no recipe `{other}`")),
        None => None,
    };
    let base = iou.map(|iou| DecoderSpec {
        kind: "yolox".into(),
        parameters: serde_json::Value::Null,
        evaluate: Some(Thresholds {
            score: 0.001,
            iou: Some(iou),
            max: None,
        }),
        deploy: None,
    });
    let overlay = model.spec.decoder.clone().unwrap_or_default();
    let steps = model.spec.inputs.iter().any(|i| !i.preprocess.is_empty());
    if !steps && base.is_none() {
        return Err("nobody says how the input is made".to_owned());
    }
    Ok(Some(Description {
        inputs: model.spec.inputs.clone(),
        outputs: model.spec.outputs.clone(),
        decoder: overlay.over(base.as_ref()).map_err(|e| e.to_string())?,
    }))
}

fn codes_with(folder: &Path, describe: Describe<'_>) -> Vec<&'static str> {
    let listed = locate(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("found");
    let context = CheckContext {
        dataset: &around(&DatasetState::Same),
        describe,
    };
    let mut codes: Vec<_> = check(&listed, &ResolveOptions::default(), &context)
        .expect("checked")
        .into_iter()
        .map(|f| f.code)
        .collect();
    codes.dedup();
    codes
}

fn codes(folder: &Path) -> Vec<&'static str> {
    codes_with(folder, &|model, _| run(model))
}

const OWN: &str = r#"{"schema": "dyno.model/1", "recipe": "r", "outputs": ["a", "b"], "labels": "l.txt",
  "decoder": {"kind": "yolox", "evaluate": {"score": 0.002, "iou": 0.65}},
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
            (r#", "evaluate": {"score": 0.002, "iou": 0.65}"#, ""),
        ];
        if own == OWN {
            edits.push((r#""recipe": "r""#, r#""recipe": "unknown""#));
        } else {
            // Nothing else would say these: the plan had no recipe.
            edits.extend([
                (
                    r#"
  "decoder": {"kind": "yolox", "evaluate": {"score": 0.002, "iou": 0.65}},"#,
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
            // Without an engine too, save what the recipe may say.
            let blind = codes_with(&folder, &|_, _| Ok(None));
            let is_left_to_recipe = own == OWN && (from.contains("recipe") || to.is_empty());
            let is_left_to_recipe = is_left_to_recipe && !from.contains("outputs");
            let expected = if is_left_to_recipe {
                "no-description"
            } else {
                "stale-preprocessing"
            };
            assert_eq!(blind, [expected], "{from} -> {to}");
        }
        fs::write(&path, own).expect("written");
        fs::write(folder.join("l.txt"), "dog\ncat\n").expect("written");
        assert_eq!(codes(&folder), ["stale-labels"]);
    }
}

#[test]
fn what_a_recipe_fills_in_is_compared_and_not_its_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let path = folder.join("dyno.json");
    let own =
        r#"{"schema": "dyno.model/1", "recipe": "r", "decoder": {"evaluate": {"score": 0.01}}}"#;
    fs::write(&path, own).expect("written");
    let model = model(&folder);
    let record = of(&model, |_| {});
    let evaluate = record.plan.spec.model.decoder.evaluate.expect("thresholds");
    assert_eq!((evaluate.score, evaluate.iou), (0.01, Some(0.65)));
    write_back(&model, &record, WriteMode::Fill, None).expect("written");
    assert_eq!(codes(&folder), ["ok"]);
    assert_eq!(
        codes_with(&folder, &|_, _| Ok(None)),
        ["no-description"],
        "what cannot be compared is said"
    );
    for (recipe, expected) in [("same", "ok"), ("s", "stale-preprocessing")] {
        let edited = own.replace(r#""r""#, &format!("\"{recipe}\""));
        fs::write(&path, edited).expect("written");
        assert_eq!(codes(&folder), [expected], "{recipe}");
    }
    fs::write(&path, own.replace("0.01", "0.02")).expect("written");
    assert_eq!(
        codes(&folder),
        ["stale-preprocessing"],
        "a threshold over the recipe's"
    );
}

#[test]
fn an_accuracy_with_failed_samples_is_not_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let failed = of(&model, |r| {
        (accuracy(r).n, accuracy(r).failed) = (123, 5);
    });
    for mode in [WriteMode::Fill, WriteMode::Replace] {
        let changes = write_back(&model, &failed, mode, None).expect("nothing to refuse");
        assert_eq!(
            (changes[0].action, changes[0].new.is_none()),
            (Action::NotMeasured, true)
        );
        assert!(
            changes[0].reason.contains("5 samples failed"),
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
    type Change = (&'static str, fn(&mut RecordParts));
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    write_back(&model, &of(&model, |_| {}), WriteMode::Fill, None).expect("written");
    let changes: [Change; 4] = [
        ("processor", |r| r.machines[0].cpu = "another".into()),
        ("cores", |r| r.machines[0].cores = 16),
        ("provider", |r| {
            r.measurements[1].execution.providers = vec![Provider {
                name: "P".into(),
                nodes: None,
            }];
        }),
        ("settings", |r| {
            drop(
                r.measurements[1]
                    .execution
                    .settings
                    .insert("spinning".into(), "off".into()),
            );
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
fn a_failed_write_leaves_index_and_manifest_and_a_torn_one_is_mended() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let first = of(&model, |_| {});
    write_back(&model, &first, WriteMode::Fill, None).expect("written");
    let store = model.evidence().expect("a package");
    let before = store.shown().expect("readable");
    let second = of(&model, |r| {
        performance(r).percentiles[0].ns = Some(23_456_789);
    });
    store.put(&second).expect("kept");
    let reference = RecordRef {
        record: second.id.clone(),
        measurement: 1,
    };
    let to = [("inference_time", Some(&reference))];
    let guard = store.lock().expect("free");
    let nowhere = folder.join("no/manifest");
    assert!(store.show_with(&guard, &to, &nowhere, b"{}").is_err());
    assert_eq!(store.shown().expect("readable"), before);
    // A process that ended between the two: the index is ahead of the manifest.
    store.set_shown_locked(&guard, &to).expect("written");
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

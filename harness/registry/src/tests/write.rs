//! Numbers into fields, and whether they stay true.

use super::{DETECTOR, accuracy, around, files_below, package, record, registry_assets};
use crate::{
    Action, CheckContext, DatasetState, FieldChange, FindingStatus, Location, RegistryError,
    ResolveOptions, ResolvedModel, SearchPath, WriteMode, check, check_writable,
    json_edit::Document, locate, promote, repair, resolve, write_back,
};
use dyno_core::{
    Framework, ModelContent, ModelFile, ModelSpec, Purpose, Record, RecordParts, ScenarioName,
    Validity, ValidityCode,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const SENTENCE: &str = "AP 0.2996 (95 % 0.270–0.331) on coco-val-3-0123456789abcdef, 3 images (subset, not comparable with the full set)";

fn options() -> ResolveOptions {
    ResolveOptions::default()
}

fn model(folder: &Path) -> ResolvedModel {
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &options(),
    )
    .expect("resolves")
}

/// A package that names the decoder of `fixtures/record.json`.
fn described(root: &Path, name: &str, manifest: &str) -> PathBuf {
    let folder = package(root, name, manifest);
    fs::write(
        folder.join("dyno.json"),
        r#"{"schema": "dyno.model/1", "decoder": {"kind": "yolox"}}"#,
    )
    .expect("written");
    folder
}

fn actions(changes: &[FieldChange]) -> Vec<(&'static str, Action)> {
    changes.iter().map(|c| (c.field, c.action)).collect()
}

fn codes(folder: &Path, dataset: DatasetState) -> Vec<(&'static str, FindingStatus)> {
    let listed = locate(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &options(),
    )
    .expect("found");
    checked(&listed, &options(), dataset)
        .into_iter()
        .filter(|f| !f.code.starts_with("reference-"))
        .map(|f| (f.code, f.status))
        .collect()
}

fn checked(
    listed: &crate::ListedModel,
    options: &ResolveOptions,
    dataset: DatasetState,
) -> Vec<crate::Finding> {
    let context = CheckContext {
        dataset: &around(&dataset),
        describe: &|_, _| Ok(None),
    };
    check(listed, options, &context).expect("checked")
}

#[test]
fn empty_fields_are_filled_the_series_is_refreshed_and_another_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = described(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let inputs = model.spec.inputs.clone();
    let measured = |change: &dyn Fn(&mut RecordParts)| {
        record(b"weights", |r| {
            r.plan.spec.model.inputs.clone_from(&inputs);
            change(r);
        })
    };
    let first = measured(&|_| {});
    let changes = write_back(&model, &first, WriteMode::Fill, None).expect("written");
    assert_eq!(
        actions(&changes),
        [
            ("accuracy", Action::Filled),
            ("inference_time", Action::Filled)
        ]
    );
    let text = fs::read_to_string(folder.join("alwaysai.model.json")).expect("read");
    let expected = DETECTOR
        .replace(
            "\"accuracy\": \"\"",
            &format!("\"accuracy\": \"{SENTENCE}\""),
        )
        .replace("\"inference_time\": 0", "\"inference_time\": 0.01235");
    assert_eq!(text, expected);
    let again = write_back(&model, &first, WriteMode::Fill, None).expect("written");
    assert!(
        again.iter().all(|c| c.action == Action::Unchanged),
        "{again:?}"
    );
    assert_eq!(
        codes(&folder, DatasetState::Same),
        [("ok", FindingStatus::Ok); 2]
    );
    assert_eq!(
        codes(&folder, DatasetState::NotAtHand),
        [("no-dataset", FindingStatus::Unchecked); 2]
    );
    assert_eq!(
        codes(&folder, DatasetState::Changed),
        [("stale-dataset", FindingStatus::Failed); 2]
    );

    let refreshed = measured(&|r| r.created_utc = "2026-01-02T00:00:00Z".into());
    let changes = write_back(&model, &refreshed, WriteMode::Fill, None).expect("written");
    assert!(
        changes.iter().all(|c| c.action == Action::Refreshed),
        "{changes:?}"
    );

    let other = measured(&|r| {
        r.machines[0].board.id = "xavier-nx".into();
        r.measurements[0].execution.device = "gpu:0".into();
    });
    let changes = write_back(&model, &other, WriteMode::Fill, None).expect("written");
    assert!(
        changes.iter().all(|c| c.action == Action::Left
            && c.reason.contains(if c.field == "accuracy" {
                "device `cpu`"
            } else {
                "board `nano`"
            })
            && c.reason.contains("--write=replace")),
        "{changes:?}"
    );
    assert_eq!(
        fs::read_to_string(folder.join("alwaysai.model.json")).expect("read"),
        expected
    );
    let store = model.evidence().expect("a package");
    assert_eq!(
        store.ids().expect("readable").len(),
        3,
        "evidence was added all the same"
    );

    let changes = promote(&model, &other, Some(1), None).expect("promoted");
    assert_eq!(
        actions(&changes),
        [
            ("accuracy", Action::NotMeasured),
            ("inference_time", Action::Replaced)
        ]
    );
    let shown = store.shown().expect("readable");
    assert_eq!(
        (&shown["accuracy"].record, &shown["inference_time"].record),
        (&refreshed.id, &other.id),
        "each field on its own"
    );
    assert!(matches!(
        promote(&model, &other, Some(9), None),
        Err(RegistryError::Refused { .. })
    ));
}

#[test]
fn what_must_not_be_written_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = described(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let refused = |r: &Record| {
        matches!(
            write_back(&model, r, WriteMode::Replace, None),
            Err(RegistryError::Refused { .. })
        )
    };
    assert!(refused(&record(b"weights", |r| r
        .plan
        .spec
        .model
        .recipe_assumed = true)));
    assert!(refused(&record(b"other weights", |_| {})));
    let invalid = record(b"weights", |r| {
        r.measurements
            .iter_mut()
            .for_each(|m| m.validity = Validity::from_codes(vec![ValidityCode::TooShort]));
    });
    let offline = record(b"weights", |r| {
        r.measurements.remove(0);
        super::performance(r).scenario.name = ScenarioName::Offline;
    });
    let batch = record(b"weights", |r| {
        r.measurements
            .iter_mut()
            .skip(1)
            .for_each(|m| m.execution.batch = 8);
    });
    for (record, fields) in [(invalid, 0), (offline, 0), (batch, 1)] {
        let changes =
            write_back(&model, &record, WriteMode::Replace, None).expect("nothing to refuse");
        assert_eq!(
            changes
                .iter()
                .filter(|c| c.action != Action::NotMeasured)
                .count(),
            fields,
            "{changes:?}"
        );
    }
    assert!(matches!(
        promote(
            &model,
            &record(b"weights", |r| r.measurements[1].execution.batch = 8),
            Some(1),
            None
        ),
        Err(RegistryError::Refused { .. })
    ));
    let bare = resolve(
        &folder.join("m.onnx").to_string_lossy(),
        &SearchPath::default(),
        &options(),
    )
    .expect("resolves");
    assert!(matches!(
        check_writable(&bare),
        Err(RegistryError::NotWritable { .. })
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let manifest = folder.join("alwaysai.model.json");
        fs::set_permissions(&manifest, fs::Permissions::from_mode(0o444)).expect("chmod");
        assert!(matches!(
            check_writable(&model),
            Err(RegistryError::NotWritable { .. })
        ));
        assert!(!self::model(&folder).writable);
    }
}

#[test]
fn check_finds_what_no_longer_holds() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = described(dir.path(), "p", DETECTOR);
    let manifest = folder.join("alwaysai.model.json");
    let inputs = model(&folder).spec.inputs;
    let record = record(b"weights", |r| r.plan.spec.model.inputs.clone_from(&inputs));
    write_back(&model(&folder), &record, WriteMode::Fill, None).expect("written");
    let good = fs::read_to_string(&manifest).expect("read");
    let failed = |folder: &Path| {
        codes(folder, DatasetState::Same)
            .into_iter()
            .filter(|c| c.1 == FindingStatus::Failed)
            .map(|c| c.0)
            .collect::<Vec<_>>()
    };
    assert!(failed(&folder).is_empty());
    fs::write(&manifest, good.replace("0.01235", "0.01")).expect("written");
    assert_eq!(failed(&folder), ["differs"]);
    fs::write(&manifest, good.replace("416, 416", "320, 320")).expect("written");
    assert_eq!(failed(&folder), ["stale-preprocessing"; 2]);
    fs::write(&manifest, &good).expect("written");
    fs::write(folder.join("m.onnx"), b"new weights").expect("written");
    assert_eq!(failed(&folder), ["stale-weights"; 2]);
    fs::write(folder.join("m.onnx"), b"weights").expect("written");
    fs::remove_file(folder.join(format!("evidence/{}.json", record.id))).expect("removed");
    assert_eq!(failed(&folder), ["evidence-unreadable"; 2]);
    let bare = described(
        dir.path(),
        "q",
        &DETECTOR.replace("\"inference_time\": 0", "\"inference_time\": 0.5"),
    );
    assert_eq!(failed(&bare), ["no-evidence"]);
    let changes = write_back(&model(&bare), &record, WriteMode::Fill, None).expect("written");
    assert_eq!(
        actions(&changes),
        [
            ("accuracy", Action::Filled),
            ("inference_time", Action::Left)
        ]
    );
}

/// The spans of the values that a write may change.
fn without_fields(text: &str, fields: &[&str]) -> Vec<String> {
    let document = Document::parse(text).expect("JSON");
    let mut cuts: Vec<(usize, usize)> = fields
        .iter()
        .filter_map(|f| document.get(&[crate::json_edit::Path::Key(f)]))
        .map(|n| (n.start, n.end))
        .collect();
    cuts.sort_unstable();
    let mut at = 0;
    let mut pieces = Vec::new();
    for (start, end) in cuts {
        pieces.push(text[at..start].to_owned());
        at = end;
    }
    pieces.push(text[at..].to_owned());
    pieces
}

#[test]
fn real_alwaysai_files_change_in_the_values_only() {
    let Some(assets) = registry_assets() else {
        return;
    };
    for file in files_below(&assets.join("alwaysai/model_json")) {
        let dir = tempfile::tempdir().expect("a folder");
        let before = fs::read_to_string(&file).expect("read");
        fs::write(dir.path().join("alwaysai.model.json"), &before).expect("written");
        let value: serde_json::Value = serde_json::from_str(&before).expect("JSON");
        let purpose: Purpose = serde_json::from_value(value["model_parameters"]["purpose"].clone())
            .expect("a purpose");
        let weights = dir.path().join("weights");
        fs::write(&weights, b"weights").expect("written");
        let model = ResolvedModel {
            reference: "m".into(),
            location: Location::Package {
                folder: dir.path().to_owned(),
            },
            framework: Framework::Onnx,
            purpose: Some(purpose),
            files: vec![ModelFile {
                role: dyno_core::FileRole::Model,
                content: ModelContent::Path(weights),
            }],
            spec: ModelSpec::default(),
            blob: crate::BlobFacts::default(),
            labels: None,
            writable: true,
            manifest: value,
        };
        let scripted = record(b"weights", |r| {
            // A complete set, so that bare numbers may be written.
            r.sample_sets[0].of = 3;
            let scores = &mut accuracy(r).scores;
            if purpose == Purpose::Classification {
                scores[0].metric = "top-1".into();
                let mut five = scores[0].clone();
                five.metric = "top-5".into();
                scores.push(five);
            }
        });
        let changes = write_back(&model, &scripted, WriteMode::Replace, None).expect("written");
        assert_eq!(
            changes.len(),
            if purpose == Purpose::Classification {
                4
            } else {
                2
            },
            "{}",
            file.display()
        );
        let after = fs::read_to_string(dir.path().join("alwaysai.model.json")).expect("read");
        let written: Vec<&str> = changes
            .iter()
            .filter(|c| c.new.is_some())
            .map(|c| c.field)
            .collect();
        assert_eq!(
            without_fields(&before, &written),
            without_fields(&after, &written),
            "{}",
            file.display()
        );
        for change in &changes {
            let now: serde_json::Value = serde_json::from_str(&after).expect("JSON");
            assert_eq!(
                Some(&now[change.field]),
                change.new.as_ref(),
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn an_eta_entry_gains_two_fields_and_gets_them_back_after_eta_rewrote_the_file() {
    let Some(assets) = registry_assets() else {
        return;
    };
    for file in [
        "eta/manifest.json",
        "fiftyone/manifest-torch.json",
        "eta/manifest-0571c182-versioned.json",
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let before = fs::read_to_string(assets.join(file)).expect("read");
        let manifest = dir.path().join("manifest.json");
        fs::write(&manifest, &before).expect("written");
        let entry = crate::EtaManifest::read(dir.path()).expect("reads");
        let entry = entry
            .entries
            .iter()
            .find(|e| e.base_filename.as_ref().is_some_and(|f| !f.contains('/')))
            .expect("an entry with a file")
            .clone();
        let path = crate::EtaManifest::read(dir.path())
            .expect("reads")
            .file(&entry)
            .expect("a path");
        fs::write(&path, b"weights").expect("written");
        let reference = format!("{}#{}", manifest.display(), entry.name());
        let ours = serde_json::json!({ (entry.name()): { "schema": "dyno.model/1", "decoder": { "kind": "yolox" } } });
        fs::write(dir.path().join(crate::DYNO_MANIFEST), ours.to_string()).expect("written");
        let framework = ResolveOptions {
            framework: Some(Framework::TensorFlow),
            ..options()
        };
        let model = resolve(&reference, &SearchPath::default(), &framework).expect("resolves");
        let changes = write_back(&model, &record(b"weights", |_| {}), WriteMode::Fill, None)
            .expect("written");
        assert_eq!(
            actions(&changes),
            [
                ("accuracy", Action::Filled),
                ("inference_time", Action::Filled)
            ],
            "{file}"
        );
        let after = fs::read_to_string(&manifest).expect("read");
        let common = before
            .bytes()
            .zip(after.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(
            after.ends_with(&before[common..]),
            "{file}: an old byte is gone"
        );
        let added = &after[common..after.len() - (before.len() - common)];
        assert!(
            added.starts_with(",\n            \"accuracy\": ")
                && added.contains("\"inference_time\": 0.01235"),
            "{file}: {added}"
        );

        fs::write(&manifest, &before).expect("ETA's tools drop keys that they do not know");
        let listed = locate(&reference, &SearchPath::default(), &options()).expect("found");
        let lost = checked(&listed, &framework, DatasetState::Same);
        assert!(
            lost.iter().all(|f| f.code == "lost") && lost.len() == 2,
            "{lost:?}"
        );
        assert_eq!(repair(&listed).expect("repaired").len(), 2);
        assert_eq!(
            fs::read_to_string(&manifest).expect("read"),
            after,
            "{file}"
        );
        assert!(
            checked(&listed, &framework, DatasetState::Same)
                .iter()
                .all(|f| f.status == FindingStatus::Ok)
        );
    }
}

//! Accuracy and latency stand beside each other only if they are of one model on one input.

use super::{DETECTOR, around, package, record};
use crate::{
    Action, CheckContext, DatasetState, FieldChange, ResolveOptions, ResolvedModel, SearchPath,
    WriteMode, check, locate, promote, resolve, write_back,
};
use dyno_core::{Record, RecordParts, Validity, ValidityCode};
use std::{fs, path::Path};

fn model(folder: &Path) -> ResolvedModel {
    let reference = folder.to_string_lossy();
    resolve(
        &reference,
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("resolves")
}

/// A run at this size, with the measurements that `keep` names.
fn at(side: usize, keep: &[usize], change: impl FnOnce(&mut RecordParts)) -> Record {
    record(b"weights", |r| {
        for m in &mut r.measurements {
            let shape = vec![1, 3, side, side];
            m.execution.shapes = [("x".to_owned(), shape)].into();
        }
        change(r);
        let all = std::mem::take(&mut r.measurements);
        let kept = all
            .into_iter()
            .enumerate()
            .filter(|(i, _)| keep.contains(i));
        r.measurements = kept.map(|(_, m)| m).collect();
    })
}

fn of<'c>(changes: &'c [FieldChange], field: &str) -> &'c FieldChange {
    changes.iter().find(|c| c.field == field).expect("a field")
}

fn codes(folder: &Path) -> Vec<&'static str> {
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
    let findings = check(&listed, &ResolveOptions::default(), &context).expect("checked");
    findings.iter().map(|f| f.code).collect()
}

#[test]
fn a_latency_at_another_size_than_the_accuracy_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    write_back(&model, &at(160, &[0], |_| {}), WriteMode::Fill, None).expect("written");
    let small = at(128, &[1], |_| {});
    for mode in [WriteMode::Fill, WriteMode::Replace] {
        let changes = write_back(&model, &small, mode, None).expect("nothing to fail");
        let change = of(&changes, "inference_time");
        assert_eq!(change.action, Action::Refused, "{changes:?}");
        assert!(
            change.reason.contains("shapes") && change.reason.contains("128"),
            "{}",
            change.reason
        );
    }
    let text = fs::read_to_string(folder.join("alwaysai.model.json")).expect("read");
    assert!(text.contains("\"inference_time\": 0,"), "{text}");
    // At the same size, whatever the batch of the accuracy run, it is filled.
    let same = at(160, &[1], |_| {});
    let changes = write_back(&model, &same, WriteMode::Fill, None).expect("written");
    assert_eq!(of(&changes, "inference_time").action, Action::Filled);
}

#[test]
fn an_accuracy_at_another_size_than_the_latency_is_refused_and_both_together_are_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    write_back(&model, &at(160, &[0, 1], |_| {}), WriteMode::Fill, None).expect("written");
    let other = at(128, &[0], |_| {});
    let left = write_back(&model, &other, WriteMode::Fill, None).expect("nothing to fail");
    assert_eq!(of(&left, "accuracy").action, Action::Left);
    let refused = promote(&model, &other, None, None).expect("nothing to fail");
    assert_eq!(of(&refused, "accuracy").action, Action::Refused);
    assert!(of(&refused, "accuracy").reason.contains("in one run"));
    let both = at(128, &[0, 1], |_| {});
    let changes = promote(&model, &both, None, None).expect("written");
    assert!(
        changes.iter().all(|c| c.action == Action::Replaced),
        "{changes:?}"
    );
}

#[test]
fn a_latency_needs_an_accuracy_of_the_same_weights_and_inputs_in_the_evidence() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let speed = at(160, &[1], |_| {});
    let alone = write_back(&model, &speed, WriteMode::Fill, None).expect("nothing to fail");
    let change = of(&alone, "inference_time");
    assert_eq!(change.action, Action::Refused, "{change:?}");
    assert!(change.reason.contains("measure accuracy too"));
    let store = model.evidence().expect("a package");
    for (record, enough) in [
        (at(128, &[0], |_| {}), false),
        (
            at(160, &[0], |r| {
                r.measurements[0].validity =
                    Validity::from_codes(vec![ValidityCode::AccuracyChance]);
            }),
            false,
        ),
        (at(160, &[0], |_| {}), true),
    ] {
        store.put(&record).expect("kept");
        let changes = write_back(&model, &speed, WriteMode::Fill, None).expect("nothing to fail");
        let action = of(&changes, "inference_time").action;
        assert_eq!(action == Action::Filled, enough, "{changes:?}");
    }
}

#[test]
fn check_sees_a_pair_that_an_edited_index_put_together() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let model = model(&folder);
    let own = r#"{"schema": "dyno.model/1", "decoder": {"kind": "yolox"}}"#;
    fs::write(folder.join("dyno.json"), own).expect("written");
    let inputs = self::model(&folder).spec.inputs;
    let described = |r: &mut RecordParts| r.plan.spec.model.inputs.clone_from(&inputs);
    write_back(&model, &at(160, &[0, 1], described), WriteMode::Fill, None).expect("written");
    assert!(!codes(&folder).contains(&"apart"));
    let small = at(128, &[1], described);
    let store = model.evidence().expect("a package");
    store.put(&small).expect("kept");
    let reference = dyno_evidence::RecordRef {
        record: small.id.clone(),
        measurement: 0,
    };
    store
        .set_shown("inference_time", Some(&reference))
        .expect("written");
    assert!(codes(&folder).contains(&"apart"), "{:?}", codes(&folder));
}

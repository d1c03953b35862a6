//! Packages, entries and references are made and changed.

use super::{DETECTOR, package, registry_assets};
use crate::{
    ConfigureOptions, Location, RegisterOptions, RegistryError, ResolveOptions, SearchPath,
    configure, reference_set, register, resolve,
};
use dyno_core::{DecoderSpec, Framework, ModelSpec, Purpose, Reference, ThresholdOverlay};
use std::fs;

fn resolved(folder: &std::path::Path) -> Result<crate::ResolvedModel, RegistryError> {
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
}

#[test]
fn a_new_package_has_the_nested_form_and_reads_back() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("m.caffemodel"), b"w").expect("written");
    fs::write(dir.path().join("m.prototxt"), b"n").expect("written");
    fs::write(dir.path().join("l.txt"), b"cat \r\ndog\r\n\r\n").expect("written");
    let options = ConfigureOptions {
        framework: Some(Framework::Caffe),
        purpose: Some(Purpose::Classification),
        model_file: Some("m.caffemodel".into()),
        config_file: Some("m.prototxt".into()),
        label_file: Some("l.txt".into()),
        mean: Some(vec![104.0, 117.5, 123.0]),
        size: Some(vec![227, 227]),
        crop: Some(true),
        softmax: Some(true),
        ..ConfigureOptions::default()
    };
    configure(dir.path(), &options).expect("made");
    let text = fs::read_to_string(dir.path().join("alwaysai.model.json")).expect("there");
    assert!(
        text.contains("\"mean\": [104, 117.5, 123]")
            && text.contains("\"swaprb\": false")
            && text.contains("  \"model_parameters\": {\n    \"framework_type\": \"caffe\""),
        "{text}"
    );
    assert!(!dir.path().join("dyno.json").exists());
    let model = resolved(dir.path()).expect("resolves");
    assert_eq!(model.labels.map(|(_, m)| m.len()), Some(2));
    assert_eq!(
        model.spec.decoder.map(|d| (d.kind, d.parameters)),
        Some((
            Some("classification".into()),
            serde_json::json!({"softmax": true})
        ))
    );
    assert_eq!(model.spec.inputs[0].preprocess.len(), 4);
}

#[test]
fn an_update_touches_what_is_named_and_a_wrong_one_writes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let path = folder.join("alwaysai.model.json");
    configure(
        &folder,
        &ConfigureOptions {
            size: Some(vec![320, 320]),
            ..ConfigureOptions::default()
        },
    )
    .expect("updated");
    assert_eq!(
        fs::read_to_string(&path).expect("read"),
        DETECTOR.replace("[416, 416]", "[320, 320]")
    );
    let ours = ConfigureOptions {
        decoder: Some("yolox".into()),
        evaluate: ThresholdOverlay {
            score: Some(0.001),
            iou: Some(0.65),
            max: None,
        },
        labels: Some("coco80".into()),
        derived_from: Some("ab".repeat(32)),
        relation: Some("int8".into()),
        ..ConfigureOptions::default()
    };
    configure(&folder, &ours).expect("updated");
    let own = fs::read_to_string(folder.join("dyno.json")).expect("there");
    assert!(
        own.starts_with("{\n  \"schema\": \"dyno.model/1\",\n") && own.contains("\"score\": 0.001"),
        "{own}"
    );
    let more = ConfigureOptions {
        evaluate: ThresholdOverlay {
            max: Some(100),
            ..ThresholdOverlay::default()
        },
        ..ConfigureOptions::default()
    };
    configure(&folder, &more).expect("updated");
    let evaluate = resolved(&folder)
        .expect("resolves")
        .spec
        .decoder
        .and_then(|d| d.evaluate)
        .expect("set");
    assert_eq!(
        (evaluate.score, evaluate.iou, evaluate.max),
        (Some(0.001), Some(0.65), Some(100))
    );
    let before = (
        fs::read(&path).expect("read"),
        fs::read(folder.join("dyno.json")).expect("read"),
    );
    let wrong = ConfigureOptions {
        model_file: Some("none.onnx".into()),
        mean: Some(vec![1.0; 3]),
        device: Some("toaster".into()),
        ..ConfigureOptions::default()
    };
    let Err(RegistryError::Invalid { problems, .. }) = configure(&folder, &wrong) else {
        panic!("accepted")
    };
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(
        before,
        (
            fs::read(&path).expect("read"),
            fs::read(folder.join("dyno.json")).expect("read")
        )
    );
    let empty = tempfile::tempdir().expect("a folder");
    let Err(RegistryError::Invalid { problems, .. }) =
        configure(empty.path(), &ConfigureOptions::default())
    else {
        panic!("accepted")
    };
    assert_eq!(
        problems.len(),
        4,
        "framework, purpose, model_file, size: {problems:?}"
    );
}

#[test]
fn the_flat_form_reads_and_is_changed_in_place() {
    let dir = tempfile::tempdir().expect("a folder");
    let flat = "{\"id\": \"a/b\", \"framework_type\": \"onnx\", \"model_file\": \"m.onnx\", \"purpose\": \"ObjectDetection\", \"size\": [1, 2]}";
    let folder = package(dir.path(), "p", flat);
    assert_eq!(resolved(&folder).expect("resolves").spec.inputs.len(), 1);
    configure(
        &folder,
        &ConfigureOptions {
            crop: Some(true),
            ..ConfigureOptions::default()
        },
    )
    .expect("updated");
    assert_eq!(
        fs::read_to_string(folder.join("alwaysai.model.json")).expect("read"),
        flat.replace("[1, 2]}", "[1, 2], \"crop\": true}")
    );
}

#[test]
fn thresholds_lie_over_those_of_the_recipe_without_naming_a_decoder() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let options = ConfigureOptions {
        recipe: Some("yolox".into()),
        evaluate: ThresholdOverlay {
            score: Some(0.01),
            ..ThresholdOverlay::default()
        },
        ..ConfigureOptions::default()
    };
    configure(&folder, &options).expect("configured");
    let overlay = resolved(&folder).expect("resolves").spec.decoder;
    let recipe: DecoderSpec = serde_json::from_value(serde_json::json!({
        "kind": "yolox", "evaluate": {"score": 0.001, "iou": 0.65}, "deploy": {"score": 0.25, "iou": 0.45},
    }))
    .expect("a decoder");
    let laid = overlay
        .expect("thresholds")
        .over(Some(&recipe))
        .expect("a decoder");
    assert_eq!(
        laid.evaluate.map(|t| (t.score, t.iou)),
        Some((0.01, Some(0.65))),
        "suppression is still the recipe's"
    );
    assert_eq!(laid.deploy, recipe.deploy);
}

#[test]
fn a_reference_is_added_once_for_each_metric_and_set() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let location = Location::Package {
        folder: folder.clone(),
    };
    let reference = |metric: &str, value| Reference {
        metric: metric.into(),
        value,
        sample_set: "s".into(),
        abs: Some(0.003),
        rel: None,
        source: Some("model card".into()),
    };
    for r in [
        reference("AP", 0.1),
        reference("AP50", 0.4),
        reference("AP", 0.2996),
    ] {
        reference_set(&location, &r).expect("set");
    }
    assert_eq!(
        resolved(&folder).expect("resolves").spec.reference,
        [reference("AP", 0.2996), reference("AP50", 0.4)]
    );
    assert!(matches!(
        reference_set(
            &location,
            &Reference {
                abs: None,
                ..reference("AP", 0.2)
            }
        ),
        Err(RegistryError::Refused { .. })
    ));
    assert!(reference_set(&location, &reference("AP", 29.9)).is_err());
}

#[test]
fn a_model_is_registered_in_a_copy_of_the_real_manifest() {
    let Some(assets) = registry_assets() else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let before = fs::read_to_string(assets.join("eta/manifest.json")).expect("read");
    fs::write(dir.path().join("manifest.json"), &before).expect("written");
    fs::write(dir.path().join("squeezenet1.1.onnx"), b"w").expect("written");
    let now = "2026-11-22T16:00:00Z".parse().expect("a time");
    let spec = ModelSpec {
        framework: Some(Framework::Onnx),
        purpose: Some(Purpose::Classification),
        labels: Some("imagenet1000".into()),
        ..ModelSpec::default()
    };
    let options = RegisterOptions {
        name: "squeezenet-1.1".into(),
        file: "squeezenet1.1.onnx".into(),
        spec,
        ..RegisterOptions::default()
    };
    register(dir.path(), &options, now).expect("registered");
    let after = fs::read_to_string(dir.path().join("manifest.json")).expect("read");
    let common = before
        .bytes()
        .zip(after.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    assert!(after.ends_with(&before[common..]), "an old byte is gone");
    let search = SearchPath::new([dir.path().to_owned()]);
    let model = resolve("squeezenet-1.1", &search, &ResolveOptions::default()).expect("resolves");
    assert_eq!(
        (model.purpose, model.labels.map(|(s, m)| (s, m.len()))),
        (
            Some(Purpose::Classification),
            Some(("imagenet1000".into(), 1000))
        )
    );
    assert!(
        matches!(
            register(dir.path(), &options, now),
            Err(RegistryError::Invalid { .. })
        ),
        "the name is taken"
    );
    let reference = Reference {
        metric: "top-1".into(),
        value: 0.5,
        sample_set: "s".into(),
        abs: None,
        rel: Some(0.01),
        source: None,
    };
    reference_set(&model.location, &reference).expect("set");
    assert_eq!(
        resolve("squeezenet-1.1", &search, &ResolveOptions::default())
            .expect("resolves")
            .spec
            .reference,
        [reference]
    );
    // Versions: ETA looks for `x-v2.onnx`.
    fs::write(dir.path().join("x-v2.onnx"), b"w").expect("written");
    let versioned = |file: &str| RegisterOptions {
        name: "x".into(),
        version: Some("2".into()),
        file: file.into(),
        ..RegisterOptions::default()
    };
    let e = register(dir.path(), &versioned("squeezenet1.1.onnx"), now).expect_err("another place");
    assert!(e.to_string().contains("squeezenet1.1-v2.onnx"), "{e}");
    register(dir.path(), &versioned("x-v2.onnx"), now).expect("registered");
    assert!(resolve("x@2", &search, &ResolveOptions::default()).is_ok());
    let fresh = tempfile::tempdir().expect("a folder");
    fs::write(fresh.path().join("a.onnx"), b"w").expect("written");
    register(
        fresh.path(),
        &RegisterOptions {
            name: "a".into(),
            file: "a.onnx".into(),
            ..RegisterOptions::default()
        },
        now,
    )
    .expect("a new manifest");
    assert_eq!(
        crate::EtaManifest::read(fresh.path())
            .expect("reads")
            .entries
            .len(),
        1
    );
}

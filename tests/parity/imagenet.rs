//! Classifiers on the ImageNet sample: the reference pipeline's hits, agreement of the engines.

use super::models::{MOBILENET, Model, SQUEEZENET};
use crate::support::{Place, assets, has_library};
use dyno_core::Record;
use std::path::Path;

fn hits(record: &Record) -> (u64, u64) {
    let get = |m: &str| {
        record.measurements[0]
            .score(m)
            .and_then(|s| s.hits)
            .expect("hits")
    };
    (get("top-1"), get("top-5"))
}

fn run(place: &Place, assets: &Path, model: &Model, backend: &str) -> Record {
    let dataset = format!("imagenet:{}", assets.join("samples/imagenet").display());
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
    place.run_args(&args).succeeds().record()
}

/// `tolerance`: how far the other engines may be from ONNX Runtime's hits, top-1 and top-5.
fn on_all_engines(model: &Model, expected: (u64, u64), tolerance: (u64, u64)) {
    let Some(assets) = assets() else { return };
    let place = Place::new();
    model.register(&place, &assets);
    if has_library("onnxruntime") {
        assert_eq!(
            hits(&run(&place, &assets, model, "onnxruntime")),
            expected,
            "the reference pipeline's hits on ONNX Runtime"
        );
    }
    for backend in ["tract", "rten", "openvino"] {
        if backend == "openvino" && !has_library(backend) {
            continue;
        }
        let (top1, top5) = hits(&run(&place, &assets, model, backend));
        assert!(
            top1.abs_diff(expected.0) <= tolerance.0 && top5.abs_diff(expected.1) <= tolerance.1,
            "{backend}: {top1}, {top5} hits, expected {expected:?}"
        );
    }
}

#[test]
fn squeezenet() {
    on_all_engines(&SQUEEZENET, (186, 222), (1, 1));
}

#[test]
fn mobilenet_v2_qdq() {
    // Quantized arithmetic rounds differently from engine to engine, and the outputs are steps of
    // 1/256: ONNX Runtime alone gives 221 hits with its fused integer kernels and 226 with graph
    // optimization off. tract gives 224 and rten 223, between the two, and OpenVINO 226
    // (docs/accuracy.md).
    on_all_engines(&MOBILENET, (221, 253), (5, 2));
}

#[test]
fn squeezenet_registered_in_a_copy_of_the_eta_manifest() {
    let Some(assets) = assets() else { return };
    let place = Place::new();
    let folder = place.join("registry");
    std::fs::create_dir_all(&folder).expect("a folder");
    let manifest = folder.join("manifest.json");
    std::fs::write(
        &manifest,
        std::fs::read(assets.join("registry/eta/manifest.json")).expect("ETA's manifest"),
    )
    .expect("writable");
    std::fs::copy(
        assets.join("models/onnx/squeezenet1.1-imagenet/squeezenet1.1.onnx"),
        folder.join("squeezenet1.1.onnx"),
    )
    .expect("the model");
    place.run("models register squeezenet1.1 squeezenet1.1.onnx --recipe caffe-bgr --models-dir registry").succeeds();
    let before = std::fs::read_to_string(&manifest).expect("a manifest");
    let dataset = format!("imagenet:{}", assets.join("samples/imagenet").display());
    place
        .run_args(&[
            "run",
            "squeezenet1.1",
            "--models-dir",
            "registry",
            "--dataset",
            &dataset,
            "--samples",
            "64",
            "--only",
            "accuracy",
            "--write",
        ])
        .succeeds();
    let after = std::fs::read_to_string(&manifest).expect("a manifest");
    let at = after
        .find("\"accuracy\"")
        .expect("the entry gained `accuracy`");
    let sentence = &after[at..];
    assert!(
        sentence.contains("top-1 0.")
            && sentence.contains("64 images (subset, not comparable with the full set)"),
        "{sentence}"
    );
    // Everything else is the same bytes: what was added, taken out again, leaves the manifest as it
    // was.
    let start = before
        .bytes()
        .zip(after.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let end = before
        .bytes()
        .rev()
        .zip(after.bytes().rev())
        .take_while(|(a, b)| a == b)
        .count();
    assert!(start + end >= before.len(), "only one place changed");
}

//! Names, manifests, resolution and write-back, on real manifests where they are at hand.

mod assets;
mod configure;
mod resolve;
mod stale;
mod write;

use dyno_core::{FileRole, Record, RecordFile};
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

/// A record whose one model file has this content.
pub(crate) fn record(model: &[u8], change: impl FnOnce(&mut Record)) -> Record {
    let mut record: Record = serde_json::from_str(include_str!("../../fixtures/record.json"))
        .expect("the fixture is a record");
    record.subject.files = vec![RecordFile {
        role: FileRole::Model,
        sha256: dyno_core::sha256_hex(model),
    }];
    change(&mut record);
    record.seal().expect("finite")
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

//! Manifests: edits that keep every other byte, and resolution of whatever manifests say.
//!
//! An edit changes the value that it is asked to change and not one byte beside it. Registry
//! folders and packages are listed and resolved, or refused with a reason; what resolves has files
//! that exist inside its folder.

use crate::{Target, json, place::put};
use dyno_core::ModelContent;
use dyno_registry::{
    ALWAYSAI_MANIFEST, DYNO_JSON, DYNO_MANIFEST, ETA_MANIFEST, Location, ResolveOptions,
    SearchPath,
    json_edit::{Document, Json, Kind, Node, Path as Step},
    resolve, resolve_listed,
};
use serde_json::Value;
use std::{cell::OnceCell, fs, path::Path, sync::LazyLock};
use tempfile::TempDir;

pub(crate) const EDITS: Target = Target {
    check: edits,
    seeds: edit_seeds,
    words: &[
        "\\xef\\xbb\\xbf",
        "\\x0d\\x0a",
        "\\x09",
        "\\\\ud83e\\\\udd80",
        "1E+2",
        "-0",
        "[]",
        "{}",
        ",",
        ":",
    ],
};

pub(crate) const MANIFESTS: Target = Target {
    check: manifests,
    seeds: || json::seeds(&TEMPLATES),
    words: &[
        "\\\"models\\\":[",
        "\\\"base_name\\\":",
        "\\\"model_parameters\\\":{",
        "\\\"model_file\\\":\\\"m.onnx\\\"",
        "\\\"framework_type\\\":\\\"onnx\\\"",
        "\\\"recipe\\\":",
        "../",
        "@1",
    ],
};

/// Edits of one text.
const MAX_EDITS: usize = 12;

static TEMPLATES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    [ETA, PACKAGE, OWN, OWN_ENTRIES]
        .map(|t| serde_json::from_str(t).expect("JSON"))
        .to_vec()
});

const ETA: &str = r#"{"name": "models", "models": [
  {"base_name": "net", "base_filename": "net.onnx", "version": "1.10", "description": "a net",
   "manager": {"type": "eta.core.models.ETAModelManager", "config": {"google_drive_id": "x"}},
   "default_deployment_config_dict": {"type": "x.Y", "config": {"labels_path": "labels.txt"}},
   "date_created": "2026-01-01 00:00:00", "mean_average_precision_top_1": 0.5},
  {"base_name": "net", "base_filename": "net.onnx", "version": "1.9"},
  {"base_name": "other-1.1-x", "base_filename": "net.onnx", "version": null, "manager": null}]}"#;

const PACKAGE: &str = r#"{
  "id": "pub/det", "version": 3, "accuracy": "", "inference_time": 0, "unknown": [1.50, {"b": 2}],
  "mean_average_precision_top_1": null, "dataset": "COCO", "description": "a detector",
  "model_parameters": {"framework_type": "onnx", "model_file": "m.onnx", "config_file": "",
    "label_file": "labels.txt", "colors_file": "colors.txt", "purpose": "ObjectDetection", "size": [416, 416],
    "mean": [127.5, 127.5, 127.5], "scalefactor": 0.01568627450980392, "swaprb": true, "crop": false,
    "softmax": false, "output_layer_names": ["output"]}}"#;

const OWN: &str = r#"{"schema": "dyno.model/1", "recipe": "yolox", "purpose": "ObjectDetection",
  "origin": {"derived_from": "pub/big", "relation": "int8"},
  "inputs": [{"name": "images", "layout": "nchw", "dtype": "f32", "shape": [1, 3, 416, 416],
    "preprocess": [{"resize": {"size": [416, 416]}}, {"channels": "rgb"},
      {"normalize": {"divisor": 255, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}}]}],
  "outputs": ["output"], "decoder": {"kind": "yolox", "evaluate": {"score": 0.001, "iou": 0.65}},
  "labels": "labels.txt", "reference": [{"metric": "AP", "value": 0.4, "sample_set": "custom-x-3-0123456789abcdef", "abs": 0.01}]}"#;

const OWN_ENTRIES: &str = r#"{"net@1.10": {"recipe": "squeezenet", "labels": "labels.txt"},
  "other-1.1-x": {"framework": "onnx", "purpose": "Classification"}}"#;

/// Texts whose spelling is unusual, and none of it may change.
fn edit_seeds() -> Vec<Vec<u8>> {
    let texts = [
        PACKAGE,
        ETA,
        "\u{feff}{\r\n\t\"a\" : [1.50, -0.0e+1,\t2],\r\n\t\"b\": {}, \"c\": [ ]\r\n}\r\n",
        r#"{"a":{"b":{"c":[[[]]]}},"\u0061\ud83e\udd80":"\u001b\/"}"#,
        "[ ]",
        " 0 ",
    ];
    let texts = texts.into_iter().map(|t| t.as_bytes().to_vec());
    texts.chain(json::seeds(&TEMPLATES)).collect()
}

fn edits(bytes: &[u8]) -> bool {
    let Some(text) = json::text(bytes, &TEMPLATES) else {
        return false;
    };
    let document = match Document::parse(text.as_str()) {
        Ok(document) => document,
        Err(error) => {
            let last = text.lines().count().max(1);
            assert!(error.line >= 1 && error.line <= last + 1, "{error}");
            return false;
        }
    };
    assert_eq!(document.text(), text, "a text is kept as it is");
    let Ok(before) = document.value(document.root()) else {
        return true;
    };
    let own = text.strip_prefix('\u{feff}').unwrap_or(&text);
    assert_eq!(
        serde_json::from_str::<Value>(own).expect("two readers agree"),
        before
    );
    let mut places = Vec::new();
    walk(document.root(), &mut Vec::new(), &mut places);
    for (steps, node) in places.into_iter().take(MAX_EDITS) {
        replaces(&document, &before, &steps, node);
        grows(&document, &steps, node);
    }
    true
}

fn walk<'n>(
    node: &'n Node,
    steps: &mut Vec<Step<'n>>,
    places: &mut Vec<(Vec<Step<'n>>, &'n Node)>,
) {
    places.push((steps.clone(), node));
    if places.len() >= MAX_EDITS {
        return;
    }
    match &node.kind {
        Kind::Object(members) => {
            for member in members {
                steps.push(Step::Key(&member.key));
                walk(&member.value, steps, places);
                steps.pop();
            }
        }
        Kind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                steps.push(Step::Index(index));
                walk(item, steps, places);
                steps.pop();
            }
        }
        Kind::String | Kind::Number | Kind::Bool | Kind::Null => {}
    }
}

/// The value of a parsed text at a place.
fn at<'v>(value: &'v mut Value, steps: &[Step<'_>]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(*key),
        Step::Index(index) => value.get_mut(*index),
    })
}

fn replaces(document: &Document, before: &Value, steps: &[Step<'_>], node: &Node) {
    let new = serde_json::json!({"x": [0.25, "\u{1b}"]});
    let mut edited = document.clone();
    edited
        .replace(steps, &Json::of(new.clone()))
        .unwrap_or_else(|error| {
            // A value that was at the limit of nesting can only get flatter.
            assert!(error.message.contains("nested deeper"), "{error}");
        });
    if edited == *document {
        return;
    }
    let (old, text) = (document.text(), edited.text());
    assert!(
        text.starts_with(&old[..node.start]),
        "bytes before the value changed"
    );
    assert!(
        text.ends_with(&old[node.end..]),
        "bytes behind the value changed"
    );
    let mut expected = before.clone();
    *at(&mut expected, steps).expect("the place is there") = new;
    assert_eq!(edited.value(edited.root()).expect("as before"), expected);
}

fn grows(document: &Document, steps: &[Step<'_>], node: &Node) {
    let mut edited = document.clone();
    let result = match &node.kind {
        Kind::Object(_) => edited.set(steps, "a new \"key\"", &Json::of(7)),
        Kind::Array(_) => edited.push(steps, &Json::of(7)),
        _ => {
            assert!(edited.set(steps, "key", &Json::of(7)).is_err());
            assert!(edited.push(steps, &Json::of(7)).is_err());
            assert_eq!(edited, *document, "a refused edit changes nothing");
            return;
        }
    };
    if let Err(error) = result {
        assert!(error.message.contains("nested deeper"), "{error}");
        return;
    }
    let inner = match &node.kind {
        Kind::Object(members) => members.last().map(|m| m.value.end),
        Kind::Array(items) => items.last().map(|i| i.end),
        _ => None,
    };
    let (old, text) = (document.text(), edited.text());
    let kept = inner.unwrap_or(node.start + 1);
    assert!(
        text.starts_with(&old[..kept]),
        "bytes before the new value changed"
    );
    let rest = inner.unwrap_or(node.end - 1);
    assert!(
        text.ends_with(&old[rest..]),
        "bytes behind the new value changed"
    );
}

thread_local! {
    static PLACE: OnceCell<TempDir> = const { OnceCell::new() };
}

/// The text in the place of each manifest in turn, valid ones in the others.
fn manifests(bytes: &[u8]) -> bool {
    let Some(text) = json::text(bytes, &TEMPLATES) else {
        return false;
    };
    PLACE.with(|place| {
        let place = place.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
        let root = place.path();
        let package = root.join("pub/det");
        if !package.is_dir() {
            fs::create_dir_all(&package).expect("a folder");
            fs::create_dir_all(root.join("models")).expect("a folder");
            for file in ["pub/det/m.onnx", "models/net-v1.10.onnx", "models/net.onnx"] {
                fs::write(root.join(file), "content").expect("writable");
            }
            for file in ["pub/det/labels.txt", "pub/det/colors.txt", "labels.txt"] {
                fs::write(root.join(file), "circle\nsquare\n").expect("writable");
            }
        }
        let files = [
            (root.join(ETA_MANIFEST), ETA),
            (package.join(ALWAYSAI_MANIFEST), PACKAGE),
            (package.join(DYNO_JSON), OWN),
            (root.join(DYNO_MANIFEST), OWN_ENTRIES),
        ];
        let mut accepted = false;
        for (changed, _) in &files {
            for (path, valid) in &files {
                let content = if path == changed { &text } else { *valid };
                put(path, Some(content.as_bytes()));
            }
            accepted |= resolves(root);
        }
        accepted
    })
}

/// Lists and resolves everything; whether anything resolved.
fn resolves(root: &Path) -> bool {
    let search = SearchPath::new([root.to_owned()]);
    let options = ResolveOptions::default();
    let scan = search.scan();
    for problem in &scan.problems {
        assert!(!problem.to_string().is_empty());
    }
    let root = fs::canonicalize(root).expect("it exists");
    let mut accepted = false;
    for listed in scan.models {
        let name = listed.name();
        for key in ["accuracy", "inference_time", "version", "dataset"] {
            let _ = listed.field(key);
        }
        // A name may be taken for a path, or be another model's too: refused, with a reason.
        if let Err(error) = resolve(&name, &search, &options) {
            assert!(!error.to_string().is_empty());
        }
        let Ok(model) = resolve_listed(listed, &options) else {
            continue;
        };
        accepted = true;
        assert!(!matches!(model.location, Location::Bare { .. }), "{name:?}");
        for file in &model.files {
            let ModelContent::Path(path) = &file.content else {
                panic!("{name:?}: a file without a path")
            };
            let real = fs::canonicalize(path).expect("files of a model exist");
            assert!(real.starts_with(&root), "{} leads out", path.display());
        }
        let spec = serde_json::to_string(&model.spec).expect("a description is JSON");
        let again = serde_json::from_str::<dyno_core::ModelSpec>(&spec);
        assert_eq!(again.ok().as_ref(), Some(&model.spec), "{spec}");
        assert!(model.evidence().is_some());
    }
    accepted
}

//! Packages around the real models of the assets, described as `docs/models.md` says.

use crate::support::Place;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A model of the assets and how it is described.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    file: &'static str,
    purpose: &'static str,
    labels: Option<&'static str>,
    spec: fn() -> Value,
}

fn recipe(name: &'static str) -> Value {
    json!({"schema": "dyno.model/1", "recipe": name})
}

pub(crate) const YOLOX: Model = Model {
    name: "yolox-nano",
    file: "models/onnx/yolox_nano-coco-416/yolox_nano.onnx",
    purpose: "ObjectDetection",
    labels: Some("models/labels/coco80.names"),
    spec: || recipe("yolox"),
};
pub(crate) const NANODET: Model = Model {
    name: "nanodet-m-320",
    file: "models/onnx/nanodet_m-coco-320/nanodet_m_320.onnx",
    purpose: "ObjectDetection",
    labels: Some("models/labels/coco80.names"),
    spec: || recipe("nanodet"),
};
pub(crate) const FASTESTDET: Model = Model {
    name: "fastestdet",
    file: "models/onnx/fastestdet-coco-352/FastestDet.onnx",
    purpose: "ObjectDetection",
    labels: Some("models/labels/coco80.names"),
    spec: || recipe("fastestdet"),
};
pub(crate) const SQUEEZENET: Model = Model {
    name: "squeezenet",
    file: "models/onnx/squeezenet1.1-imagenet/squeezenet1.1.onnx",
    purpose: "Classification",
    labels: Some("models/labels/imagenet_synset_words.txt"),
    spec: || recipe("caffe-bgr"),
};
pub(crate) const MOBILENET: Model = Model {
    name: "mobilenet-v2-qdq",
    file: "models/onnx/mobilenet_v2_1.0_224-imagenet/mobilenet_v2_1.0_224_qdq.onnx",
    purpose: "Classification",
    labels: None,
    spec: || recipe("tf-slim"),
};

impl Model {
    /// Puts the model into an ETA registry folder `registry` of the place, by
    /// `dyno models register`, with a `manifest.dyno.json`.
    pub(crate) fn register(&self, place: &Place, assets: &Path) {
        let folder = place.join("registry");
        fs::create_dir_all(&folder).expect("a folder");
        let file = format!("{}.onnx", self.name);
        fs::copy(assets.join(self.file), folder.join(&file)).expect("the model of the assets");
        let mut spec = (self.spec)();
        spec["purpose"] = self.purpose.into();
        if let Some(labels) = self.labels {
            let name = format!("{}.labels", self.name);
            fs::copy(assets.join(labels), folder.join(&name)).expect("the labels of the assets");
            spec["labels"] = name.into();
        }
        let manifest = folder.join("manifest.json");
        let read = |path: &Path, empty: Value| {
            fs::read_to_string(path).map_or(empty, |t| serde_json::from_str(&t).expect("JSON"))
        };
        let mut eta = read(&manifest, json!({"models": [], "name": null, "url": null}));
        eta["models"]
            .as_array_mut()
            .expect("a list")
            .push(json!({"base_name": self.name, "base_filename": file, "version": null}));
        fs::write(&manifest, eta.to_string()).expect("writable");
        let own = folder.join("manifest.dyno.json");
        let mut specs = read(&own, json!({}));
        specs[self.name] = spec;
        fs::write(&own, specs.to_string()).expect("writable");
    }
}

//! `dyno.json`: the facts about a model that no vendor's manifest can say.

use crate::{
    framework::Framework,
    overlay::DecoderOverlay,
    preprocess::PreprocessStep,
    tensor::{DType, Layout},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Value of `schema` in a `dyno.json`.
pub const MODEL_SCHEMA: &str = "dyno.model/1";

/// What a model is for, by alwaysAI's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Purpose {
    /// One class an image.
    Classification,
    /// Boxes.
    ObjectDetection,
    /// Keypoints.
    PoseEstimation,
    /// One class a pixel.
    SemanticSegmentation,
    /// A mask an object.
    InstanceSegmentation,
    /// An embedding.
    ReIdentification,
}

/// A row of a table with parameters: the row's kind deserializes them itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Name of the row.
    pub name: String,
    /// Its parameters; an object, or null for none.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub parameters: serde_json::Value,
}

/// What a detection must reach to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Thresholds {
    /// Least score.
    pub score: f64,
    /// Greatest IoU with a better box of non-maximum suppression; absent when the model suppresses
    /// by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iou: Option<f64>,
    /// Most detections an image, all classes together; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Kind of a decoder that reads nothing: the model is timed only, and its outputs say nothing.
pub const NO_DECODER: &str = "none";

/// How a model's outputs are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecoderSpec {
    /// Row of the decoder table, or [`NO_DECODER`].
    pub kind: String,
    /// Parameters of the row.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub parameters: serde_json::Value,
    /// Thresholds of accuracy runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate: Option<Thresholds>,
    /// Thresholds of timed runs: what a user would keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<Thresholds>,
}

/// One input of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputSpec {
    /// Name in the model file; absent for the only input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Element type of the tensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<DType>,
    /// Order of its axes.
    #[serde(default)]
    pub layout: Layout,
    /// Shape with a batch of 1; absent where the file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// From image to tensor.
    #[serde(default)]
    pub preprocess: Vec<PreprocessStep>,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// sha256 of the file it was made from.
    pub derived_from: String,
    /// What was done: `int8`, `fp16`, `engine`, `converted`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The tool that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}

/// A value that the model is known to reach: speed of a run that misses it is invalid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// Name of the metric.
    pub metric: String,
    /// The value.
    pub value: f64,
    /// Sample set that it was obtained on: compared with the same set only.
    pub sample_set: String,
    /// Greatest absolute difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abs: Option<f64>,
    /// Greatest difference relative to the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel: Option<f64>,
    /// Where the value comes from: a paper, a model card, another program, or `record <id>` for
    /// the model's own last value; absent when nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

fn schema_name() -> String {
    MODEL_SCHEMA.to_owned()
}

/// A model as `dyno.json` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// [`MODEL_SCHEMA`].
    #[serde(default = "schema_name")]
    pub schema: String,
    /// Framework of the file; absent where the manifest or the extension says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<Framework>,
    /// What it is for; absent where the manifest or the decoder says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// A recipe whose inputs, decoder and labels are taken where this file is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// Lineage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputSpec>,
    /// Outputs to fetch, in the order that the decoder expects; empty for all, in the file's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// How outputs are read, as far as the model says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<DecoderOverlay>,
    /// Label file beside this one, or a well-known list (`coco80`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Order of the components in the package's colors file: `rgb` or `bgr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colors_order: Option<String>,
    /// Values that the model is known to reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<Reference>,
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self {
            schema: schema_name(),
            framework: None,
            purpose: None,
            recipe: None,
            origin: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            decoder: None,
            labels: None,
            colors_order: None,
            reference: Vec::new(),
        }
    }
}

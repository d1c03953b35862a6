//! What was measured, on which samples, by which program.

use crate::{dataset::NameSource, framework::Framework, plan::PlanSpec, source::FileRole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Commit it was built from; `unknown` for a build outside a checkout.
    pub commit: String,
    /// Features it was built with.
    pub features: Vec<String>,
}

/// A file of the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordFile {
    /// What it is.
    pub role: FileRole,
    /// sha256 of its content.
    pub sha256: String,
}

/// One step of a model's descent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lineage {
    /// What was done: `int8`, `fp16`, `engine`, `converted`, …; absent when nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The tool that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// sha256 of the files that it was made from.
    pub sources: Vec<String>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Name of the model.
    pub reference: String,
    /// Framework of its files.
    pub framework: Framework,
    /// Its files.
    pub files: Vec<RecordFile>,
    /// Where it comes from, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<Lineage>,
}

/// The plan with its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRecord {
    /// What was measured and how.
    pub spec: PlanSpec,
    /// sha256 of its canonical JSON.
    pub sha256: String,
}

/// A sample set by identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SampleSetRecord {
    /// `name-N-hash16`.
    pub id: String,
    /// Name of the set that it is, or is part of.
    pub name: String,
    /// Who says so.
    pub name_source: NameSource,
    /// Number of samples.
    pub count: u32,
    /// Samples of the whole: of the named set where that is known, else of the data as found.
    pub of: u32,
    /// Samples with different content.
    pub distinct: u32,
    /// The hash in full.
    pub sha256: String,
    /// Hash over the input tensors of the first samples, before any engine's own layout and type:
    /// two runs with the same hash fed the same numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensors_sha256: Option<String>,
    /// How many samples that hash covers.
    #[serde(default)]
    pub tensors_count: u32,
    /// Classes of the model that the dataset does not have (the first 20 names).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched_model: Vec<String>,
    /// Classes of the dataset that the model does not have (the first 20 names).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched_dataset: Vec<String>,
}

impl SampleSetRecord {
    /// The whole, not a subset of it.
    pub fn full(&self) -> bool {
        self.count >= self.of
    }
}

/// A file named by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// What it is: `shards`, `latencies`, `per-class`, `predictions`.
    pub role: String,
    /// Its form: `json`, `csv`; its name is `<sha256>.<format>`.
    pub format: String,
    /// sha256 of its content.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// How many further files it lists, each as an artifact (JSON); absent when it is no list.
    /// What such a list names belongs to the record as if it stood here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<u64>,
}

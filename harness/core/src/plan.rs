//! A run, complete and printable, before anything happens.
//!
//! The [`PlanSpec`] says what is measured and how: it is portable, hashed, and kept in the record.
//! The [`Bindings`] are the paths of one machine and never leave it. Nothing below a plan reads
//! flags, environment or defaults.

use crate::{
    backend::{FileRole, ModelFile, Precision},
    canonical::{CanonicalError, canonical_sha256},
    dataset::{DatasetRequest, SampleSet},
    framework::Framework,
    labels::LabelMap,
    model::{DecoderSpec, InputSpec, Named, Origin, Purpose, Reference},
    record::{Scenario, Timed},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// A file of the subject, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// What it is.
    pub role: FileRole,
    /// Its name without folder.
    pub name: String,
    /// sha256 of its content.
    pub sha256: String,
    /// Its size.
    pub size_bytes: u64,
}

/// The classes of the model, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelPlan {
    /// Label file or well-known list.
    pub source: String,
    /// How many.
    pub count: u32,
    /// sha256 of their canonical JSON.
    pub sha256: String,
}

/// The model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelPlan {
    /// Name, or file name of a bare model.
    pub reference: String,
    /// Framework of the files.
    pub framework: Framework,
    /// Its files.
    pub files: Vec<PlanFile>,
    /// What it is for.
    pub purpose: Purpose,
    /// Recipe that filled in what the model does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// The recipe was not named by anybody: it is the only one that fits.
    #[serde(default)]
    pub recipe_assumed: bool,
    /// Inputs with their preprocessing.
    pub inputs: Vec<InputSpec>,
    /// Outputs to fetch, in order; empty for all.
    pub outputs: Vec<String>,
    /// How they are read.
    pub decoder: DecoderSpec,
    /// Its classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelPlan>,
    /// Values that it is known to reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Lineage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The engine and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionPlan {
    /// Row of the backend table.
    pub backend: String,
    /// `cpu`, `gpu:0`, …
    pub device: String,
    /// Arithmetic asked for.
    pub precision: Precision,
    /// Settings that only the engine knows.
    pub settings: BTreeMap<String, String>,
    /// Concrete shapes of inputs by name.
    pub shapes: BTreeMap<String, Vec<usize>>,
}

/// How an accuracy run divides the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pipeline {
    /// Every worker takes a sample all the way: decode, preprocess, run, decode outputs. For
    /// engines that run on the CPU.
    Fused {
        /// Workers, each with its own session.
        workers: u32,
        /// Threads of each session.
        threads: u32,
    },
    /// Preparing threads feed sessions through a bounded queue. For engines whose device is not the
    /// CPU.
    Staged {
        /// Threads that decode and preprocess.
        preparing: u32,
        /// Sessions, each in a thread of its own.
        sessions: u32,
        /// Threads of each session.
        threads: u32,
    },
}

/// The accuracy half of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccuracyPlan {
    /// Rows of the metric table.
    pub metrics: Vec<Named>,
    /// Samples of one run of the engine.
    pub batch: u32,
    /// Samples a shard.
    pub shard_size: u32,
    /// Resamples of the bootstrap.
    pub resamples: u32,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Samples that may fail.
    pub max_errors: u32,
    /// Division of the machine.
    pub pipeline: Pipeline,
}

/// One performance measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerformancePlan {
    /// How queries arrive.
    pub scenario: Scenario,
    /// Which interval is timed.
    pub timed: Timed,
    /// Threads of one session.
    pub threads: u32,
    /// Samples of one run of the engine.
    pub batch: u32,
    /// Queries under way at once.
    pub slots: u32,
    /// Samples kept prepared in memory.
    pub library_size: u32,
    /// Queries before the clock counts.
    pub warmup_queries: u64,
    /// At least this long.
    pub min_duration_ns: u64,
    /// At least this many queries.
    pub min_queries: u64,
    /// At most this long, whatever is missing then.
    pub max_duration_ns: u64,
    /// Order of samples.
    pub seed: u64,
}

/// What is measured and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSpec {
    /// The model.
    pub model: ModelPlan,
    /// Id of the sample set.
    pub sample_set: String,
    /// Samples asked for; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u32>,
    /// The engine.
    pub execution: ExecutionPlan,
    /// Accuracy, if it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<AccuracyPlan>,
    /// Performance measurements, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub performance: Vec<PerformancePlan>,
}

impl PlanSpec {
    /// sha256 of the canonical JSON.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn sha256(&self) -> Result<String, CanonicalError> {
        canonical_sha256(self)
    }
}

/// What belongs to one machine. Never in a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bindings {
    /// The model's files.
    pub files: Vec<ModelFile>,
    /// The model's classes.
    pub labels: LabelMap,
    /// The dataset.
    pub dataset: DatasetRequest,
    /// The samples of it.
    pub sample_set: SampleSet,
    /// Where shards and raw data go.
    pub run_folder: PathBuf,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Portable half.
    pub spec: PlanSpec,
    /// This machine's half.
    pub bindings: Bindings,
}

//! A run, complete and printable, before anything happens.
//!
//! The [`PlanSpec`] says what is measured and how: it is portable, hashed, and kept in the record.
//! The [`Bindings`] belong to one machine and never leave it: its paths, and how its cores are
//! divided, because two boards that share an accuracy run divide differently. Nothing below a plan
//! reads flags, environment or defaults.
//!
//! The spec's types pass unknown keys over, because a record of a newer version holds one;
//! [`Plan::parse`] refuses them.

use crate::{
    canonical::{CanonicalError, canonical_sha256},
    dataset::{DatasetRequest, SampleSet},
    framework::Framework,
    importer::ImportFacts,
    labels::LabelMap,
    model::{DecoderSpec, InputSpec, Named, Origin, Purpose, Reference},
    record::{ScenarioName, Timed},
    source::{FileRole, ModelFile, Precision},
    strict::unknown_keys,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

/// Value of `schema` in a plan.
pub const PLAN_SCHEMA: &str = "dyno.plan/1";

/// A file of the subject, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanFile {
    /// What it is.
    pub role: FileRole,
    /// Its name without folder; for a file of weights its path relative to the model's folder.
    pub name: String,
    /// sha256 of its content.
    pub sha256: String,
    /// Its size.
    pub size_bytes: u64,
}

/// The classes of the model, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
pub struct ModelPlan {
    /// Name, or file name of a bare model.
    pub reference: String,
    /// Framework of the files.
    pub framework: Framework,
    /// Its files.
    pub files: Vec<PlanFile>,
    /// What it is for; absent for a model that is timed without being understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
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
    /// What is put between the model's files and the engine, where the engine does not read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportFacts>,
}

/// The accuracy half of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccuracyPlan {
    /// Rows of the metric table.
    pub metrics: Vec<Named>,
    /// Samples of one run of the engine.
    pub batch: u32,
    /// Samples a shard.
    pub shard_size: u32,
    /// Resamples of intervals.
    pub resamples: u32,
    /// Seed of intervals.
    pub seed: u64,
    /// Samples that may fail.
    pub max_errors: u32,
}

/// One performance measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerformancePlan {
    /// How queries arrive.
    pub scenario: ScenarioName,
    /// Which interval is timed.
    pub timed: Timed,
    /// Name of the profile that the durations come from.
    pub profile: String,
    /// Threads of one slot.
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
    /// Seed of the order of samples, and of the queries whose outputs are compared.
    pub seed: u64,
    /// Samples that may fail to be prepared.
    pub max_errors: u32,
}

/// What is measured and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

/// How an accuracy run divides the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Division {
    /// Every worker takes a sample all the way: decode, preprocess, run, decode outputs. For
    /// engines that run on the CPU.
    Fused {
        /// Workers, each with a slot of its own.
        workers: u32,
        /// Threads of each slot.
        threads: u32,
    },
    /// Preparing threads feed slots through a bounded queue. For engines whose device is not the
    /// CPU.
    Staged {
        /// Threads that decode and preprocess.
        preparing: u32,
        /// Slots, each in a thread of its own.
        slots: u32,
        /// Threads of each slot.
        threads: u32,
    },
}

impl Division {
    /// Threads of each slot.
    pub fn threads(self) -> u32 {
        match self {
            Self::Fused { threads, .. } | Self::Staged { threads, .. } => threads.max(1),
        }
    }

    /// Slots at work at once.
    pub fn slots(self) -> u32 {
        match self {
            Self::Fused { workers, .. } => workers.max(1),
            Self::Staged { slots, .. } => slots.max(1),
        }
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
    /// How the accuracy run divides this machine's cores.
    pub division: Division,
    /// Where shards and raw data go.
    pub run_folder: PathBuf,
    /// Where imported models are kept; absent where none may be.
    pub cache_dir: Option<PathBuf>,
    /// Longest time that one call of an engine may take; then the run ends with an error.
    pub engine_timeout_ns: u64,
}

/// Shards of an accuracy run, from `first` up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardRange {
    /// First shard.
    pub first: u32,
    /// First shard after it.
    pub end: u32,
}

impl ShardRange {
    /// The shard is among them.
    pub fn contains(self, shard: u32) -> bool {
        (self.first..self.end).contains(&shard)
    }
}

/// A run, or with a shard range a part of its accuracy half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// Portable half.
    pub spec: PlanSpec,
    /// This machine's half.
    pub bindings: Bindings,
    /// The part that this worker does, performance left out; absent for the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<ShardRange>,
}

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFormatError {
    /// Not JSON of this shape.
    #[error("not a plan: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another schema.
    #[error("schema `{found}` is not `{PLAN_SCHEMA}`")]
    Schema {
        /// The schema it names.
        found: String,
    },
    /// It says what this version does not know, and running the rest would be another run.
    #[error("unknown keys: {}", keys.join(", "))]
    UnknownKeys {
        /// Their places.
        keys: Vec<String>,
    },
}

impl Plan {
    /// Reads a plan. Unlike a record's copy of it, it may hold no unknown key.
    ///
    /// # Errors
    /// When it is of another schema, misses something, or says something unknown.
    pub fn parse(text: &str) -> Result<Self, PlanFormatError> {
        Self::from_value(serde_json::from_str(text)?)
    }

    /// As [`Self::parse`], from JSON in memory.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_value(value: Value) -> Result<Self, PlanFormatError> {
        // Before the rest: another schema's keys would be called wrong one by one.
        let found = value.get("schema").and_then(Value::as_str);
        if found != Some(PLAN_SCHEMA) {
            let found = found.unwrap_or_default().to_owned();
            return Err(PlanFormatError::Schema { found });
        }
        let given = value.get("spec").cloned().unwrap_or_default();
        let plan: Self = serde_json::from_value(value)?;
        let keys = unknown_keys(&given, &serde_json::to_value(&plan.spec)?);
        if keys.is_empty() {
            Ok(plan)
        } else {
            Err(PlanFormatError::UnknownKeys { keys })
        }
    }

    /// The whole run that `spec` says, on the machine of `bindings`.
    pub fn new(spec: PlanSpec, bindings: Bindings) -> Self {
        Self {
            schema: PLAN_SCHEMA.to_owned(),
            spec,
            bindings,
            shards: None,
        }
    }

    /// The same measurement bound to another machine's paths and cores. The worker there checks
    /// that files, classes and samples are those of the spec by their hashes.
    #[must_use]
    pub fn rebind(&self, bindings: Bindings) -> Self {
        Self {
            bindings,
            ..self.clone()
        }
    }

    /// The part of the accuracy run with these shards.
    #[must_use]
    pub fn part(&self, shards: ShardRange) -> Self {
        Self {
            shards: Some(shards),
            ..self.clone()
        }
    }

    /// How many shards the accuracy run has.
    pub fn shard_count(&self) -> u32 {
        let size = self.spec.accuracy.as_ref().map_or(1, |a| a.shard_size);
        self.bindings.sample_set.count.div_ceil(size.max(1))
    }
}

//! What can be asked of a run: plain data with documented defaults.

use crate::profile::Profile;
use dyno_core::{Framework, Precision, ScenarioName, ThresholdOverlay, Timed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// Longest time that one call of an engine may take when nobody says otherwise: five minutes.
/// Opening is a call, and compiling a large model on a small board takes minutes; a hang costs
/// this once.
pub const DEFAULT_ENGINE_TIMEOUT_NS: u64 = 300_000_000_000;

/// Samples a shard. A shard is what `kill -9` loses at most.
const SHARD_SIZE: u32 = 256;

/// Which half of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Only {
    /// Accuracy and latency.
    #[default]
    Both,
    /// Accuracy alone.
    Accuracy,
    /// Latency alone.
    Latency,
}

impl Only {
    /// Accuracy is measured.
    pub fn accuracy(self) -> bool {
        self != Self::Latency
    }

    /// Latency is measured.
    pub fn latency(self) -> bool {
        self != Self::Accuracy
    }
}

/// What happens to a field of the manifest that another series fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WriteBack {
    /// Empty fields are filled, those of the same series refreshed, others left.
    Fill,
    /// Whatever stands there is replaced.
    Replace,
}

/// One run of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunRequest {
    /// The model: a registered name, a package folder, or a model file.
    pub model: String,
    /// The data set as text, `KIND:PATH[#SPLIT][,KEY=VALUE…]`; absent for latency on seeded random
    /// inputs.
    pub dataset: Option<String>,
    /// Inputs from files instead of random ones, by input name; for a run without a data set.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Which half is measured; both by default.
    pub only: Only,
    /// Row of the backend table; absent for the first that runs the model's framework.
    pub backend: Option<String>,
    /// Device of the engine; `cpu` by default.
    pub device: String,
    /// Arithmetic; that of the model file by default.
    pub precision: Precision,
    /// Threads of one slot; absent for 1 in accuracy and offline runs and all cores in
    /// single-stream ones.
    pub threads: Option<u32>,
    /// Slots at once in accuracy and offline runs; absent for cores divided by threads.
    pub workers: Option<u32>,
    /// Threads that only prepare samples, for engines whose device is not the CPU; with 0, the
    /// default, every worker prepares its own.
    pub preparing: u32,
    /// Samples of one run of the engine; 1 by default.
    pub batch: u32,
    /// How queries arrive, one measurement each; single-stream by default.
    pub scenarios: Vec<ScenarioName>,
    /// Which interval is timed; `query` by default.
    pub timed: Timed,
    /// How long latency is measured; `normal` by default.
    pub profile: Profile,
    /// Samples to use; absent for all.
    pub samples: Option<u32>,
    /// Seed of the order of samples and of intervals; 0 by default.
    pub seed: u64,
    /// Recipe for what the model does not say.
    pub recipe: Option<String>,
    /// Framework of a model file whose name and content do not say it.
    pub framework: Option<Framework>,
    /// Second file of a bare model.
    pub config_file: Option<PathBuf>,
    /// Label file, or the name of a well-known list, in place of the model's own.
    pub labels: Option<String>,
    /// Thresholds in place of those of model and recipe, in accuracy and timed runs alike.
    pub thresholds: ThresholdOverlay,
    /// Shapes of inputs by name, for inputs whose shape the file leaves open.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Settings that only the engine knows.
    pub settings: BTreeMap<String, String>,
    /// What an importer is told of what the files leave open (`epsilon` of Darknet's batch
    /// normalization); for models that the engine does not read itself.
    pub import: BTreeMap<String, String>,
    /// Samples that may fail; 0 by default.
    pub max_errors: u32,
    /// Samples a shard; 256 by default.
    pub shard_size: u32,
    /// Longest time that one call of the engine may take;
    /// [`DEFAULT_ENGINE_TIMEOUT_NS`] by default.
    pub engine_timeout_ns: u64,
    /// Whether the results go into the model's manifest; by default they do not.
    pub write: Option<WriteBack>,
}

impl Default for RunRequest {
    fn default() -> Self {
        Self {
            model: String::new(),
            dataset: None,
            inputs: BTreeMap::new(),
            only: Only::Both,
            backend: None,
            device: "cpu".to_owned(),
            precision: Precision::Native,
            threads: None,
            workers: None,
            preparing: 0,
            batch: 1,
            scenarios: vec![ScenarioName::SingleStream],
            timed: Timed::Query,
            profile: Profile::Normal,
            samples: None,
            seed: 0,
            recipe: None,
            framework: None,
            config_file: None,
            labels: None,
            thresholds: ThresholdOverlay::default(),
            shapes: BTreeMap::new(),
            settings: BTreeMap::new(),
            import: BTreeMap::new(),
            max_errors: 0,
            shard_size: SHARD_SIZE,
            engine_timeout_ns: DEFAULT_ENGINE_TIMEOUT_NS,
            write: None,
        }
    }
}

impl RunRequest {
    /// A run of this model with every default.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            ..Self::default()
        }
    }
}

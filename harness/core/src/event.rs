//! What a worker tells while it runs: one JSON line each; bulk data goes to files of the run
//! folder.

use crate::{
    dataset::SampleIndex,
    prediction::Prediction,
    record::{Artifact, Execution, Measurement, Warning},
};
use serde::{Deserialize, Serialize};

/// One sample of a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleResult {
    /// Position in the dataset.
    pub index: SampleIndex,
    /// Its id.
    pub id: String,
    /// What the model said, class ids being the model's; absent when the sample failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// sha256 of the input tensors, for the first samples of the set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensor_sha256: Option<String>,
}

/// Content of a shard file: a function of plan, engine and samples alone, so that two runs write
/// the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// Hash of the plan's spec that it belongs to.
    pub plan_sha256: String,
    /// Position among the shards.
    pub number: u32,
    /// Library, provider and precision of the engine that measured it: results of two engines are
    /// never mixed. Empty when nobody said.
    #[serde(default)]
    pub executed_by: String,
    /// Its samples, by rising index.
    pub results: Vec<SampleResult>,
}

/// A sample that could not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleFailure {
    /// Its id.
    pub id: String,
    /// Why.
    pub error: String,
}

/// A finished performance measurement with its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerformanceResult {
    /// Position among the plan's performance measurements.
    pub number: u32,
    /// The measurement.
    pub measurement: Measurement,
    /// Raw latencies and the like.
    pub artifacts: Vec<Artifact>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "events are few and short-lived")]
pub enum Event {
    /// The worker runs.
    Started {
        /// Hash of the plan's spec.
        plan_sha256: String,
    },
    /// The engine of the accuracy run is open.
    Opened {
        /// What really runs.
        execution: Execution,
    },
    /// So far.
    Progress {
        /// `accuracy`, `warm-up`, `performance`.
        stage: String,
        /// Done, in samples or per mille.
        done: u64,
        /// Of how many.
        total: u64,
    },
    /// A thread of the accuracy run takes samples in hand: what a crash is blamed on.
    Working {
        /// Number of the thread.
        worker: u32,
        /// Ids of the samples; empty when it has none.
        ids: Vec<String>,
    },
    /// A shard is on disk.
    ShardDone {
        /// Position among the shards.
        number: u32,
        /// The file, relative to the run folder, and its hash.
        artifact: Artifact,
    },
    /// The accuracy half is done.
    AccuracyDone {
        /// Wall time over the samples of this worker.
        wall_ns: u64,
        /// Time inside the engine, summed over sessions.
        engine_ns: u64,
        /// Time in reading, decoding and preprocessing images and in decoding outputs, summed over
        /// threads.
        host_ns: u64,
    },
    /// A sample failed.
    SampleFailed(SampleFailure),
    /// Something that a reader of the record must know.
    Warned(Warning),
    /// A performance measurement is done.
    Performance(PerformanceResult),
    /// The worker ends by itself.
    Finished {
        /// It was interrupted before the end.
        partial: bool,
    },
    /// The worker died: written by who watched it.
    Died {
        /// Exit status or signal.
        status: String,
        /// What it had in hand, in words, if known.
        sample: Option<String>,
    },
    /// The worker cannot go on.
    Failed {
        /// Error and causes, outermost first.
        errors: Vec<String>,
        /// Exit code that the error deserves.
        code: u8,
    },
}

//! What a worker tells while it runs: one JSON line each; bulk data goes to files of the run
//! folder.
//!
//! A line that is no event of this protocol is an error of whoever reads: silence would be taken
//! for success.

use crate::{
    dataset::SampleIndex,
    engine::ExecutionFacts,
    importer::{ImportFacts, ImportSays},
    prediction::Prediction,
    record::{Artifact, Execution, Machine, Measurement, Tool, Warning},
    source::{ModelSource, OpenConfig},
    tensor::IoSpec,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Version of the events; a worker of another version is refused.
pub const PROTOCOL: u32 = 1;

/// Value of `schema` in a [`Question`].
pub const QUESTION_SCHEMA: &str = "dyno.question/1";

/// What a planner asks of a worker before there is a plan: what inputs and outputs a model has, so
/// that no engine is opened where planning happens. The answer is [`Event::Answered`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// [`QUESTION_SCHEMA`].
    pub schema: String,
    /// Row of the backend table.
    pub backend: String,
    /// The model.
    pub source: ModelSource,
    /// How it would be opened.
    pub config: OpenConfig,
    /// Where imported models are kept.
    pub cache_dir: Option<PathBuf>,
    /// Longest time that one call of an engine may take; then the answer is an error.
    pub engine_timeout_ns: u64,
}

/// One sample of a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// sha256 of the output tensors, for the samples that timed queries of the same plan draw
    /// from: what was timed is compared with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs_sha256: Option<String>,
}

/// Who measured a shard. Shards of one run come from one engine and one build of dyno; the
/// processor may differ, as several boards may share a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardOrigin {
    /// Library and version of the engine.
    pub library: String,
    /// Execution providers or plugins that ran, in their order.
    pub providers: Vec<String>,
    /// Arithmetic that ran.
    pub precision: String,
    /// Importer, its version and the hash of what it made, where the model was imported.
    pub import: Option<String>,
    /// Commit that dyno was built from.
    pub tool_commit: String,
    /// Processor.
    pub cpu: String,
}

impl ShardOrigin {
    /// Results of the two may stand in one run.
    pub fn mixes_with(&self, other: &Self) -> bool {
        let but_cpu = |o: &Self| Self {
            cpu: String::new(),
            ..o.clone()
        };
        but_cpu(self) == but_cpu(other)
    }
}

/// Content of a shard file: a function of plan, engine, machine and samples alone, so that two runs
/// write the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Hash of the plan's spec that it belongs to.
    pub plan_sha256: String,
    /// Position among the shards.
    pub number: u32,
    /// Who measured it.
    pub origin: ShardOrigin,
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
pub struct PerformanceDone {
    /// Position among the plan's performance measurements.
    pub number: u32,
    /// The measurement.
    pub measurement: Measurement,
    /// Raw latencies and the like.
    pub artifacts: Vec<Artifact>,
    /// Samples that could not be prepared for it.
    #[serde(default)]
    pub failures: Vec<SampleFailure>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The worker runs: its first event, with who it is, so that a board's run is never recorded as
    /// the server's.
    Started {
        /// [`PROTOCOL`].
        protocol: u32,
        /// Hash of the plan's spec.
        plan_sha256: String,
        /// The machine that measures.
        machine: Machine,
        /// The program that measures.
        tool: Tool,
        /// When it began, RFC 3339, UTC.
        started_utc: String,
    },
    /// The answer to a [`Question`].
    Answered {
        /// Inputs and outputs of the model.
        io: IoSpec,
        /// What would run.
        facts: ExecutionFacts,
        /// What was put between the model's files and the engine, where it does not read them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        import: Option<ImportFacts>,
        /// What the files said of the model when it was imported.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        says: Option<ImportSays>,
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
        /// Time inside the engine, summed over slots.
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
    Performance(PerformanceDone),
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

//! Why a run stops, and which exit code that deserves.

use crate::watchdog::Overdue;
use dyno_core::{
    BackendError, CanonicalError, DatasetError, DecodeError, Framework, ImportError, MetricError,
    RecordError, UnknownName,
};
use dyno_evidence::EvidenceError;
use dyno_vision::VisionError;

/// Why a run stops.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A name of the plan stands in no table.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// The engine.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The engine does not read the framework, and nothing here translates it for that engine.
    #[error("{backend} does not run {framework} models{}", engines(would))]
    NoEngine {
        /// Row of the backend table that was asked for.
        backend: String,
        /// Framework of the model's files.
        framework: Framework,
        /// Engines that would run it.
        would: Vec<String>,
    },
    /// The importer.
    #[error("the model cannot be translated to ONNX")]
    Import(#[source] ImportError),
    /// The engine cannot have so many slots.
    #[error("the engine can have {most} slots at once, the plan asks for {asked}")]
    Slots {
        /// As the plan says.
        asked: u32,
        /// As the engine says.
        most: usize,
    },
    /// A thread could not be made.
    #[error("cannot make thread {made} of {wanted}, counted from 0")]
    Threads {
        /// Threads that were made.
        made: u32,
        /// Threads that the plan asks for.
        wanted: u32,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A call of the engine took longer than the plan allows.
    #[error(transparent)]
    Overdue(#[from] Overdue),
    /// The dataset.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The dataset is not the one of the plan.
    #[error(
        "the plan names sample {expected}, counted from 0, of a dataset with {found} entries: the dataset changed since the plan was made"
    )]
    DatasetChanged {
        /// Index that the plan names, counted from 0.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// The bytes of a sample are not those of the plan.
    #[error(
        "sample `{id}` is not what the plan names: expected sha256 {expected}, found {found}: the data changed since the plan was made"
    )]
    SampleChanged {
        /// Its id.
        id: String,
        /// As the plan says.
        expected: String,
        /// Of the bytes that were read.
        found: String,
    },
    /// The decoder.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Preprocessing.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// A metric.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// Files of the run.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The record cannot be made.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A number is not finite.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// What the plan names by content is something else now.
    #[error(
        "`{what}` is not what the plan names: expected {expected}, found {found}; make the plan anew"
    )]
    Changed {
        /// File, or part of the plan.
        what: String,
        /// What the plan says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A part of the run panicked: a fault of this program or of an engine.
    #[error("panic {0}")]
    Panicked(String),
    /// Parts of the run contradict each other: a fault of this program, of an engine, or a damaged
    /// run folder.
    #[error("{0}")]
    Internal(String),
    /// The load generator.
    #[error("the measurement stopped: {0}")]
    Load(String),
    /// The child process.
    #[error("the worker process {status}{}", sample.as_ref().map(|s| format!(", last known: {s}")).unwrap_or_default())]
    Died {
        /// Exit status or signal.
        status: String,
        /// What it had in hand, in words.
        sample: Option<String>,
    },
    /// The child could not be started or talked to.
    #[error("cannot run the worker process")]
    Child(#[source] std::io::Error),
    /// A worker said something that is not of this version's protocol.
    #[error("the worker process does not keep to the protocol: {0}")]
    Protocol(String),
    /// The child reported an error.
    #[error("{}", errors.join(": "))]
    Worker {
        /// Error and causes.
        errors: Vec<String>,
        /// Exit code it deserves.
        code: u8,
    },
    /// A plan that cannot be run.
    #[error("{0}")]
    Plan(String),
}

impl RunError {
    /// 2 usage · 3 cannot run here · 5 failed while running.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Name(_) | Self::Plan(_) => 2,
            Self::Backend(BackendError::Unavailable { .. } | BackendError::Unsupported { .. })
            | Self::NoEngine { .. }
            | Self::Slots { .. }
            | Self::Import(ImportError::Unsupported { .. }) => 3,
            Self::Worker { code, .. } => *code,
            _ => 5,
        }
    }

    /// The error and its causes, outermost first.
    pub fn chain(&self) -> Vec<String> {
        let mut chain = vec![self.to_string()];
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            let text = error.to_string();
            // A transparent variant repeats its source's words.
            if chain.last() != Some(&text) {
                chain.push(text);
            }
            source = error.source();
        }
        chain
    }
}

/// What would help, as the end of a sentence.
fn engines(would: &[String]) -> String {
    match would {
        [] => ", and no engine of this build does".to_owned(),
        names => format!(" (these do: {})", names.join(", ")),
    }
}

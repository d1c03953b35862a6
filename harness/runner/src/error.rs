//! Why a run stops, and which exit code that deserves.

use dyno_core::{
    BackendError, CanonicalError, DatasetError, DecodeError, MetricError, UnknownName,
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
            Self::Backend(BackendError::Unavailable { .. } | BackendError::Unsupported { .. }) => 3,
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

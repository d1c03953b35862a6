//! Why a run stops, and which exit code that deserves.

use dyno_core::{BackendError, CanonicalError, DatasetError, DecodeError, MetricError, UnknownName};
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
    #[error("the plan's sample set has {expected} samples of a dataset with more than {found} entries: the dataset changed since the plan was made")]
    DatasetChanged {
        /// Greatest index of the plan.
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
    /// More samples failed than allowed.
    #[error("{failed} samples failed, {allowed} are allowed; the first: `{id}`: {error}")]
    TooManyFailures {
        /// How many.
        failed: u64,
        /// How many may.
        allowed: u32,
        /// The first of them.
        id: String,
        /// Its error.
        error: String,
    },
    /// The load generator.
    #[error("the measurement stopped: {0}")]
    Load(String),
    /// The child process.
    #[error("the worker process {status}{}", sample.as_ref().map(|s| format!(" while it worked on `{s}`")).unwrap_or_default())]
    Died {
        /// Exit status or signal.
        status: String,
        /// The sample in hand.
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

//! An inference engine as a row of the backend table.

use crate::{
    availability::Availability,
    engine::Model,
    framework::Framework,
    source::{ModelSource, OpenConfig},
    table::Row,
    tensor::{DType, TensorError},
};
use std::sync::Arc;

/// Why a backend did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// Library, device or driver is not there.
    #[error("{backend} cannot run here: {reason}")]
    Unavailable {
        /// Id of the backend.
        backend: &'static str,
        /// What is missing, and what would help.
        reason: String,
    },
    /// The engine cannot do what the configuration asks for.
    #[error("{backend} does not support {what}")]
    Unsupported {
        /// Id of the backend.
        backend: &'static str,
        /// What, with what it does support.
        what: String,
    },
    /// The model file was refused.
    #[error("{backend} cannot load the model: {reason}")]
    Load {
        /// Id of the backend.
        backend: &'static str,
        /// The engine's words.
        reason: String,
    },
    /// A run failed.
    #[error("{backend} failed while running: {reason}")]
    Run {
        /// Id of the backend.
        backend: &'static str,
        /// The engine's words.
        reason: String,
    },
    /// The inputs do not fit the model.
    #[error(
        "input `{name}` expects {expected_dtype} {expected_shape:?}, got {found_dtype} {found_shape:?}"
    )]
    Input {
        /// Name of the input.
        name: String,
        /// Type of the model.
        expected_dtype: DType,
        /// Shape of the model.
        expected_shape: Vec<usize>,
        /// Type given.
        found_dtype: DType,
        /// Shape given.
        found_shape: Vec<usize>,
    },
    /// An input is missing or a slot is misused: a mistake of the caller.
    #[error("{0}")]
    Usage(String),
    /// A tensor is inconsistent.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

/// An inference engine.
pub trait Backend: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// Frameworks whose files it opens itself.
    fn reads(&self) -> &'static [Framework];
    /// It computes what the model says. `false` for an engine that stands in for one, to measure
    /// dyno itself: it is never the default, and its numbers are never written into a manifest.
    fn computes(&self) -> bool {
        true
    }
    /// What is there on this machine. Cheap, and never a panic; but a damaged library can kill the
    /// process that opens it, so whoever must survive asks in a child.
    fn probe(&self) -> Availability;
    /// Opens and compiles a model, once; its slots share what was compiled.
    ///
    /// # Errors
    /// When engine, device, precision, threads or model are not to be had exactly as asked. Never
    /// falls back.
    fn open(
        &self,
        model: &ModelSource,
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError>;
}

impl Row for dyn Backend {
    fn name(&self) -> &'static str {
        self.id()
    }
}

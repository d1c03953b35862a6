//! An open model of OpenCV: its files, and what its nets have in common.

use super::{backend::ID, net::Files, slot::OpenCvSlot, threads::Threads};
use dyno_core::{BackendError, ExecutionFacts, IoSpec, Model, Slot};
use opencv::dnn::Net;
use std::sync::{Arc, Mutex, PoisonError};

/// What slots share.
pub(super) struct Loaded {
    pub(super) files: Files,
    /// For each input the name by which a net is given it; empty for the only one.
    pub(super) input_names: Vec<String>,
    pub(super) output_names: Vec<String>,
    pub(super) io: IoSpec,
    pub(super) _threads: Threads,
}

/// A model: OpenCV's nets cannot be shared, so every slot makes one, weights included.
pub(super) struct OpenCvModel {
    loaded: Arc<Loaded>,
    facts: ExecutionFacts,
    /// The net that was made to look at; the first slot takes it.
    first: Mutex<Option<Net>>,
}

impl OpenCvModel {
    pub(super) fn new(loaded: Loaded, facts: ExecutionFacts, first: Net) -> Self {
        Self {
            loaded: Arc::new(loaded),
            facts,
            first: Mutex::new(Some(first)),
        }
    }
}

impl Model for OpenCvModel {
    fn io(&self) -> &IoSpec {
        &self.loaded.io
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }

    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        // Nothing panics while it is held.
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let net = match first {
            Some(net) => net,
            None => self
                .loaded
                .files
                .net()
                .map_err(|reason| BackendError::Load {
                    backend: ID,
                    reason,
                })?,
        };
        Ok(Box::new(OpenCvSlot::new(net, Arc::clone(&self.loaded))))
    }
}

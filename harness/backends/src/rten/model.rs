//! A loaded model of rten: one graph and its weights, for all slots.

use super::{backend::ID, slot::RtenSlot};
use dyno_core::{BackendError, ExecutionFacts, IoSpec, Slot};
use rten::{NodeId, ThreadPool};
use std::sync::Arc;

/// What slots share.
pub(super) struct Loaded {
    pub(super) model: rten::Model,
    pub(super) inputs: Vec<NodeId>,
    pub(super) outputs: Vec<NodeId>,
    pub(super) io: IoSpec,
}

pub(super) struct RtenModel {
    loaded: Arc<Loaded>,
    facts: ExecutionFacts,
}

impl RtenModel {
    /// # Errors
    /// When rten does not know an input or output by its name.
    pub(super) fn new(
        model: rten::Model,
        io: IoSpec,
        facts: ExecutionFacts,
    ) -> Result<Self, String> {
        let id = |name: &str| {
            model
                .find_node(name)
                .ok_or_else(|| format!("the engine knows no tensor `{name}`"))
        };
        let inputs = io
            .inputs
            .iter()
            .map(|i| id(&i.name))
            .collect::<Result<_, _>>()?;
        let outputs = io
            .outputs
            .iter()
            .map(|o| id(&o.name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            loaded: Arc::new(Loaded {
                model,
                inputs,
                outputs,
                io,
            }),
            facts,
        })
    }
}

impl dyno_core::Model for RtenModel {
    fn io(&self) -> &IoSpec {
        &self.loaded.io
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }

    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        let pool = pool(self.facts.threads)?;
        Ok(Box::new(RtenSlot::new(Arc::clone(&self.loaded), pool)))
    }
}

/// A pool of exactly `threads` threads. rten keeps a failure to itself and then runs in the
/// caller's thread, which the name shows.
fn pool(threads: u32) -> Result<Arc<ThreadPool>, BackendError> {
    let pool = ThreadPool::with_num_threads(threads as usize);
    let inside = pool.run(|| {
        std::thread::current()
            .name()
            .is_some_and(|n| n.starts_with("rten-"))
    });
    if inside {
        return Ok(Arc::new(pool));
    }
    Err(BackendError::Unavailable {
        backend: ID,
        reason: format!(
            "a pool of {threads} threads cannot be created: the system allows no more threads"
        ),
    })
}

//! An open model: compiled once ([`Model`]), run by as many slots as there are threads ([`Slot`]).
//!
//! Every call blocks. Asynchronous engines overlap because several slots are under way, each in a
//! thread of its own.

use crate::{
    backend::BackendError,
    tensor::{IoSpec, TensorData, TensorSet, TensorView},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the time of one run went, as far as the engine can tell. Nanoseconds; an engine that
/// cannot tell says nothing, which is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStages {
    /// Copying inputs to the device.
    pub host_to_device_ns: Option<u64>,
    /// The engine's call alone.
    pub engine_ns: Option<u64>,
    /// Copying outputs back.
    pub device_to_host_ns: Option<u64>,
}

/// A part of the engine that ran nodes of the model: an execution provider, a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Nodes that it runs; absent where the engine does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u64>,
}

/// What really ran. Never what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionFacts {
    /// Id of the backend.
    pub backend: String,
    /// Library and version: `tract 0.23.9`.
    pub library: String,
    /// Device: `cpu`, `gpu:0`.
    pub device: String,
    /// Execution providers or plugins, where the engine has such.
    pub providers: Vec<Provider>,
    /// Arithmetic: `f32`, `bf16`, `u8`, …
    pub precision: String,
    /// Threads that one run may use.
    pub threads: u32,
    /// Samples of one run.
    pub batch: u32,
    /// Shapes of the inputs by name, the batch included.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Further settings in force.
    pub settings: BTreeMap<String, String>,
}

/// An open model: compiled once, its weights once in memory. Slots keep it alive.
pub trait Model: Send + Sync {
    /// Inputs and outputs with concrete shapes.
    fn io(&self) -> &IoSpec;
    /// What really runs.
    fn facts(&self) -> ExecutionFacts;
    /// How many slots it can have at once; `None` for as many as memory allows.
    fn max_slots(&self) -> Option<usize> {
        None
    }
    /// Zeroed host memory for input `input` as the engine likes it (pinned, aligned); ordinary
    /// memory where it has no wish.
    ///
    /// # Errors
    /// When there is no such input, its shape is not concrete, or memory is short.
    fn allocate(&self, input: usize) -> Result<TensorData, BackendError> {
        let info = self
            .io()
            .inputs
            .get(input)
            .ok_or_else(|| BackendError::Usage(format!("the model has no input {input}")))?;
        let shape = info.fixed_shape().ok_or_else(|| {
            BackendError::Usage(format!("input `{}` has no concrete shape", info.name))
        })?;
        let tensor = crate::tensor::Tensor::zeros(shape, info.dtype)?;
        Ok(tensor.data().clone())
    }
    /// Run state for one thread.
    ///
    /// # Errors
    /// When there are [`Self::max_slots`] already, or memory is short.
    fn slot(&self) -> Result<Box<dyn Slot>, BackendError>;
}

/// Run state of an open model: one query at a time, in the thread that calls.
pub trait Slot: Send {
    /// Runs one query and returns when it is done.
    ///
    /// # Errors
    /// When the inputs do not fit the model or the engine fails. After an error there are no
    /// outputs.
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError>;
    /// Output `index` of the last run, valid until the next.
    ///
    /// # Panics
    /// May panic for an output that does not exist, or when the last run failed.
    fn output(&self, index: usize) -> TensorView<'_>;
}

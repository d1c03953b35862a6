//! An open model: [`Session`] for its user, [`Engine`] for who implements a synchronous one.

use crate::{
    backend::BackendError,
    tensor::{IoSpec, TensorSet, TensorView},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Names a query between `submit` and its [`Completion`]; chosen by the submitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueryToken(pub u64);

/// Where the time of one run went, as far as the engine can tell. Nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStages {
    /// Copying inputs to the device.
    pub host_to_device_ns: u64,
    /// The engine's call alone.
    pub engine_ns: u64,
    /// Copying outputs back.
    pub device_to_host_ns: u64,
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
    /// Execution provider or plugin, where the engine has such.
    pub provider: Option<String>,
    /// Arithmetic: `f32`, `bf16`, `u8`, …
    pub precision: String,
    /// Threads that one run may use.
    pub threads: u32,
    /// Samples of one run.
    pub batch: u32,
    /// Further settings in force.
    pub settings: BTreeMap<String, String>,
}

/// The end of one submitted query.
#[derive(Debug)]
pub struct Completion {
    /// The slot that ran it.
    pub slot: usize,
    /// The token it was submitted with.
    pub token: QueryToken,
    /// When it ended.
    pub at: Instant,
    /// Its stages, or why it failed.
    pub result: Result<EngineStages, BackendError>,
}

/// An open model, ready to run. A slot holds one query at a time.
pub trait Session: Send {
    /// Inputs and outputs with concrete shapes.
    fn io(&self) -> &IoSpec;
    /// How many queries may be under way at once.
    fn slots(&self) -> usize;
    /// `submit` runs the query in the caller's thread and returns when it is done.
    fn blocking(&self) -> bool;
    /// Starts a query in a free slot. The engine may keep `inputs` until the query completes.
    ///
    /// # Errors
    /// When the slot is not free or does not exist, or the inputs do not fit the model. A run that
    /// fails is a [`Completion`].
    fn submit(
        &mut self,
        slot: usize,
        inputs: &Arc<TensorSet>,
        token: QueryToken,
    ) -> Result<(), BackendError>;
    /// Appends completions to `completions`, waiting up to `timeout` for the first; zero means:
    /// only look.
    ///
    /// # Errors
    /// When the engine is gone. Running into the timeout is no error.
    fn wait(
        &mut self,
        timeout: Duration,
        completions: &mut Vec<Completion>,
    ) -> Result<(), BackendError>;
    /// Output `index` of the last query of `slot`, valid until the slot's next `submit`.
    ///
    /// # Panics
    /// May panic for an output that does not exist or a slot whose query has not completed.
    fn output(&self, slot: usize, index: usize) -> TensorView<'_>;
    /// What really runs.
    fn facts(&self) -> ExecutionFacts;
}

/// What a synchronous engine implements; `inline` and `threaded` of the backends crate make
/// sessions of it.
pub trait Engine: Send + 'static {
    /// Inputs and outputs with concrete shapes.
    fn io(&self) -> &IoSpec;
    /// Runs one query.
    ///
    /// # Errors
    /// When the inputs do not fit or the engine fails.
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError>;
    /// Output `index` of the last run.
    ///
    /// # Panics
    /// May panic before the first run or for an output that does not exist.
    fn output(&self, index: usize) -> TensorView<'_>;
    /// What really runs.
    fn facts(&self) -> ExecutionFacts;
}

//! What is driven: a [`Work`] answers numbered samples, one at a time.
//!
//! The counterpart of MLPerf's system under test with its sample library: the load generator knows
//! neither tensors nor models, so the whole of a query (host to device, engine, device to host,
//! decoding) lies behind this trait.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// How many stages a query may have; their meaning belongs to the work.
pub const STAGE_COUNT: usize = 8;

const ABSENT: u64 = u64::MAX;

/// Nanoseconds of each stage of one query, by position; the work gives the positions their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages([u64; STAGE_COUNT]);

impl Stages {
    /// No stage is known.
    pub const NONE: Self = Self([ABSENT; STAGE_COUNT]);

    /// With `ns` at `stage`. A stage of [`STAGE_COUNT`] or more is ignored.
    #[must_use]
    pub fn with(mut self, stage: usize, ns: u64) -> Self {
        if let Some(place) = self.0.get_mut(stage) {
            // The greatest value means "absent"; nothing takes 584 years.
            *place = ns.min(ABSENT - 1);
        }
        self
    }

    /// The time of `stage` in nanoseconds, when the work gave one.
    pub fn get(&self, stage: usize) -> Option<u64> {
        self.0.get(stage).copied().filter(|ns| *ns != ABSENT)
    }
}

impl Default for Stages {
    fn default() -> Self {
        Self::NONE
    }
}

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WorkError(Box<dyn std::error::Error + Send + Sync>);

impl WorkError {
    /// From any error, or from a text.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// What [`Work::after`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing that takes time: the end of this query may be the start of the next.
    Nothing,
    /// Something: the clock is read anew before the next query, and the time between is in no
    /// latency.
    Something,
}

/// An end of the measured window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Right before the first arrival is released.
    Start,
    /// Right after the last end.
    End,
}

/// One slot's work: answers queries one at a time, all of a run in one thread.
///
/// A panic in any of its functions is caught: in `run` and `after` it is a failed query, in
/// `window` the end of the run.
pub trait Work: Send {
    /// Runs entry `sample` of the library (0 to `library_size` - 1) to its end. `query` is the
    /// number of the query in this run, warm-up included, counted from 0; the measured ones begin
    /// at `warmup_queries`. What is timed is exactly this call. With a batch above 1 an entry is a
    /// whole batch.
    ///
    /// # Errors
    /// When the query failed. It is counted and named, and the run goes on.
    fn run(&mut self, sample: u32, query: u64) -> Result<Stages, WorkError>;

    /// Called when the end of a query that succeeded has been stamped, outside of every timed
    /// interval: to look at its outputs, or to keep them. Does nothing by default.
    ///
    /// # Errors
    /// When the outputs cannot be what they should: the query has failed then.
    fn after(&mut self, sample: u32, query: u64) -> Result<After, WorkError> {
        let _ = (sample, query);
        Ok(After::Nothing)
    }

    /// Called in the slot's thread before the first arrival of the measured window is released, and
    /// after this slot's last measured query: to read what belongs to the thread. Not called for the
    /// warm-up. A run that fails may have a start without an end, and one that hangs is not noticed.
    /// Does nothing by default.
    fn window(&mut self, edge: Edge) {
        let _ = edge;
    }
}

impl<W: Work + ?Sized> Work for Box<W> {
    fn run(&mut self, sample: u32, query: u64) -> Result<Stages, WorkError> {
        (**self).run(sample, query)
    }
    fn after(&mut self, sample: u32, query: u64) -> Result<After, WorkError> {
        (**self).after(sample, query)
    }
    fn window(&mut self, edge: Edge) {
        (**self).window(edge);
    }
}

/// Calls `f`; a panic becomes an error with its message.
pub(crate) fn guard<T>(f: impl FnOnce() -> Result<T, WorkError>) -> Result<T, WorkError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

#[cold]
fn panicked(panic: &(dyn Any + Send)) -> WorkError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    WorkError::new(format!("panicked: {text}"))
}

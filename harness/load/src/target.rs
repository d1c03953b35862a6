//! What is driven: a [`Target`] takes numbered samples into slots and says when they are done.
//!
//! The counterpart of MLPerf's system under test with its sample library: the load generator knows
//! neither tensors nor models, so the whole of a query (host to device, engine, device to host,
//! decoding) lies behind this trait.

use std::time::{Duration, Instant};

/// How many stages a query may have; their meaning belongs to the target.
pub const STAGE_COUNT: usize = 8;

const ABSENT: u64 = u64::MAX;

/// Nanoseconds of each stage of one query, by position; the target gives the positions their
/// meaning.
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

    /// The time of `stage`, when the target gave one.
    pub fn get(&self, stage: usize) -> Option<u64> {
        self.0.get(stage).copied().filter(|ns| *ns != ABSENT)
    }
}

impl Default for Stages {
    fn default() -> Self {
        Self::NONE
    }
}

/// Why a target, or one query of it, failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TargetError(Box<dyn std::error::Error + Send + Sync>);

impl TargetError {
    /// From any error, or from a text.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// The end of one submitted query.
#[derive(Debug)]
pub struct Done {
    /// The slot that ran it.
    pub slot: usize,
    /// The token it was submitted with.
    pub token: u64,
    /// When it ended.
    pub at: Instant,
    /// Its stages, or why it failed.
    pub result: Result<Stages, TargetError>,
}

/// Something that answers queries. A slot holds one query at a time.
pub trait Target {
    /// How many queries may be under way at once; at least 1.
    fn slots(&self) -> usize;
    /// `submit` runs the query in the caller's thread and returns when it is done.
    fn blocking(&self) -> bool;
    /// Starts the query `token` in the free slot `slot` with entry `sample` of the target's library
    /// (0 to `library_size` - 1). With a batch above 1 an entry is a whole batch.
    ///
    /// # Errors
    /// When the query cannot be started. A query that fails is a [`Done`].
    fn submit(&mut self, slot: usize, sample: u32, token: u64) -> Result<(), TargetError>;
    /// Appends finished queries to `done`, waiting up to `timeout` for the first; zero means: only
    /// look.
    ///
    /// # Errors
    /// When the target is gone. Running into the timeout is no error.
    fn wait(&mut self, timeout: Duration, done: &mut Vec<Done>) -> Result<(), TargetError>;
}

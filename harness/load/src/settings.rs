//! What a run of the load generator is told, and the short words of its verdict.

use crate::error::LoadError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Stack of a slot's thread, in bytes: engines that walk a graph by recursion need more than the 2
/// MiB of a Rust thread. Only what is touched takes memory.
pub const STACK_BYTES: usize = 64 << 20;

/// How queries arrive; MLPerf's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The next query when the previous one is done; uses the first slot only.
    SingleStream,
    /// All slots kept busy, for throughput.
    Offline,
}

/// Settings of one measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How queries arrive.
    pub scenario: Scenario,
    /// Queries before the clock counts; they are in no number but `first_query_ns`.
    pub warmup_queries: u64,
    /// The run goes on until this many queries succeeded and `min_duration` has passed; at least 1.
    /// With several slots those under way count as if they will succeed.
    pub min_queries: u64,
    /// See `min_queries`.
    pub min_duration: Duration,
    /// No query is issued after this time, whatever is missing then. At least `min_duration`.
    pub max_duration: Duration,
    /// Entries of the library; at least 1.
    pub library_size: u32,
    /// Samples of one entry, that is of one query; at least 1. Only throughput depends on it.
    pub batch: u32,
    /// Seed of the order of samples.
    pub seed: u64,
    /// Windows that the run is cut into to see whether it was steady; below 2 steadiness is not
    /// judged.
    pub windows: u32,
    /// Greatest ratio between two windows of a steady run, for the median, the mean and the 90th
    /// percentile.
    pub max_window_spread: f64,
    /// A query that takes longer than this hangs. Noticed with several slots only: with one, look
    /// at the [`Heartbeat`](crate::Heartbeat) from another thread.
    pub query_timeout: Duration,
    /// Stack of a slot's thread in bytes; at least 65,536. The only slot runs on the caller's.
    pub stack_bytes: usize,
}

impl Default for Settings {
    /// MLPerf's floor of 64 queries for a p90, 10 to 60 seconds; three windows within 10 % as in
    /// perf_analyzer.
    fn default() -> Self {
        Self {
            scenario: Scenario::SingleStream,
            warmup_queries: 10,
            min_queries: 64,
            min_duration: Duration::from_secs(10),
            max_duration: Duration::from_mins(1),
            library_size: 1,
            batch: 1,
            seed: 0,
            windows: 3,
            max_window_spread: 1.10,
            query_timeout: Duration::from_mins(1),
            stack_bytes: STACK_BYTES,
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let wrong = |setting, value: String, rule| {
            Err(LoadError::Setting {
                setting,
                value,
                rule,
            })
        };
        if self.library_size == 0 {
            return wrong("library_size", "0".into(), "it must be at least 1");
        }
        if self.batch == 0 {
            return wrong("batch", "0".into(), "it must be at least 1");
        }
        if self.min_queries == 0 {
            return wrong("min_queries", "0".into(), "it must be at least 1");
        }
        if self.max_duration.is_zero() {
            return wrong("max_duration", "0 s".into(), "it must be more than 0");
        }
        if self.max_duration < self.min_duration {
            return wrong(
                "max_duration",
                format!("{} s", self.max_duration.as_secs_f64()),
                "it must not be less than min_duration",
            );
        }
        if !self.max_window_spread.is_finite() || self.max_window_spread < 1.0 {
            return wrong(
                "max_window_spread",
                self.max_window_spread.to_string(),
                "it must be a finite number of at least 1",
            );
        }
        if self.query_timeout.is_zero() {
            return wrong("query_timeout", "0 s".into(), "it must be more than 0");
        }
        if self.stack_bytes < 1 << 16 {
            return wrong(
                "stack_bytes",
                self.stack_bytes.to_string(),
                "it must be at least 65536",
            );
        }
        Ok(())
    }
}

/// Why a run stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// `min_queries` and `min_duration` hold.
    Complete,
    /// `max_duration` passed first.
    MaxDuration,
    /// The stop flag was raised.
    Interrupted,
    /// Too many queries failed.
    Failures,
}

/// Why a measurement may not be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Fewer than `min_queries` succeeded.
    TooFewQueries,
    /// Stopped before `min_duration`.
    TooShort,
    /// The windows differ by more than `max_window_spread`.
    Unsteady,
    /// The run was interrupted.
    Partial,
    /// At least one query failed.
    QueryFailed,
}

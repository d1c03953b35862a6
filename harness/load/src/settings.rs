//! What a run of the load generator is told, and what it tells while it runs.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How queries arrive; MLPerf's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The next query when the previous one is done.
    SingleStream,
    /// All slots of the target kept busy, for throughput.
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
    pub min_queries: u64,
    /// See `min_queries`.
    pub min_duration: Duration,
    /// No query is issued after this time, whatever is missing then. At least `min_duration`.
    pub max_duration: Duration,
    /// Entries of the target's library; at least 1.
    pub library_size: u32,
    /// Samples of one entry, that is of one query; at least 1. Only throughput depends on it.
    pub batch: u32,
    /// Seed of the order of samples.
    pub seed: u64,
    /// Windows that the run is cut into to see whether it was steady; below 2 steadiness is not
    /// judged.
    pub windows: u32,
    /// Greatest ratio between the medians of two windows of a steady run.
    pub max_window_spread: f64,
    /// A query that takes longer than this means that the target hangs. Cannot help with a target
    /// that blocks.
    pub query_timeout: Duration,
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
        }
    }
}

/// Part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Queries that do not count.
    WarmUp,
    /// Queries that count.
    Measure,
    /// All queries are done.
    Finished,
}

/// How far a run is. Told at the start of each phase and, while no query is under way, at most
/// every [`PROGRESS_INTERVAL`](crate::PROGRESS_INTERVAL); never between the first and the last
/// query of an offline measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The part of the run.
    pub phase: Phase,
    /// Queries of this part that are done.
    pub queries: u64,
    /// Time since this part began.
    pub elapsed: Duration,
    /// Share of this part that is done, in thousandths.
    pub per_mille: u32,
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
    /// Shorter than `min_duration`.
    TooShort,
    /// The medians of the windows differ by more than `max_window_spread`.
    Unsteady,
    /// The run was interrupted.
    Partial,
    /// At least one query failed.
    QueryFailed,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting that cannot be met.
    #[error("setting `{setting}` is {value}, but {rule}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it has to be.
        rule: &'static str,
    },
    /// The target has no slot.
    #[error("the target has no slots")]
    NoSlots,
    /// The target refused a query or is gone.
    #[error("the target failed at query {query}")]
    Target {
        /// Number of the query, warm-up included, counted from 0.
        query: u64,
        /// Why.
        #[source]
        source: crate::TargetError,
    },
    /// A query of the warm-up failed.
    #[error("query {query} of the warm-up failed")]
    WarmUp {
        /// Its number, counted from 0.
        query: u64,
        /// Why.
        #[source]
        source: crate::TargetError,
    },
    /// No query succeeded.
    #[error("no query succeeded: {failed} failed, the first with: {first}")]
    NothingSucceeded {
        /// How many failed.
        failed: u64,
        /// The error of the first, with its causes.
        first: String,
    },
    /// The stop flag was raised before a query was measured.
    #[error("interrupted before a query was measured")]
    Interrupted,
    /// Nothing came back in time.
    #[error("the target hangs: no query came back within {} s, {in_flight} are under way", timeout.as_secs_f64())]
    Hung {
        /// `query_timeout`.
        timeout: Duration,
        /// Queries under way.
        in_flight: usize,
    },
    /// The target said something that cannot be.
    #[error("the target reports query {token} in slot {slot} {problem}")]
    Protocol {
        /// Slot it named.
        slot: usize,
        /// Token it named.
        token: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// The histogram cannot be written.
    #[error("cannot serialize the histogram: {0}")]
    Histogram(String),
}

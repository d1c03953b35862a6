//! Why there is no measurement.

use crate::work::WorkError;
use std::{error::Error, io, time::Duration};

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
    /// There is no slot to run queries.
    #[error("there are no slots")]
    NoSlots,
    /// The memory for what is recorded cannot be reserved.
    #[error("cannot reserve {bytes} bytes for the latencies of one slot")]
    Memory {
        /// What was asked for.
        bytes: usize,
    },
    /// The thread of a slot cannot be made. Those made before have ended.
    #[error("cannot make the thread of slot {slot} with a stack of {stack_bytes} bytes")]
    Spawn {
        /// Number of the slot, counted from 0.
        slot: usize,
        /// `stack_bytes`.
        stack_bytes: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A query of the warm-up failed.
    #[error("query {query} of the warm-up failed")]
    WarmUp {
        /// Its number, counted from 0.
        query: u64,
        /// Why.
        #[source]
        source: WorkError,
    },
    /// [`Work::window`](crate::Work::window) panicked.
    #[error("slot {slot} failed at an edge of the measured window")]
    Window {
        /// Number of the slot, counted from 0.
        slot: usize,
        /// Its message.
        #[source]
        source: WorkError,
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
    /// A query takes longer than `query_timeout`. Its thread is left to itself and its slot is lost.
    #[error("slot {slot} hangs: query {query} did not end within {} s", timeout.as_secs_f64())]
    Hung {
        /// Number of the slot, counted from 0.
        slot: usize,
        /// Number of the query, warm-up included, counted from 0.
        query: u64,
        /// `query_timeout`.
        timeout: Duration,
    },
    /// The thread of a slot ended without a word, which is a fault of the load generator.
    #[error("the thread of slot {slot} is gone")]
    Lost {
        /// Number of the slot, counted from 0.
        slot: usize,
    },
    /// The histogram cannot be made or written.
    #[error("cannot make or serialize the histogram: {0}")]
    Histogram(String),
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(c) = cause {
        text.push_str(": ");
        text.push_str(&c.to_string());
        cause = c.source();
    }
    text
}

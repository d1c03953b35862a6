//! A finished measurement: what was recorded, how it ended, and what speaks against it.

use crate::{
    clock::saturating_ns,
    error::LoadError,
    recorder::{Recorded, Recorder},
    settings::{Code, Settings, StopReason},
    summary::Summary,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2DeflateSerializer},
};
use std::time::{Duration, Instant};

/// A finished measurement.
#[derive(Debug)]
pub struct Outcome {
    /// Latencies of the queries that succeeded, in nanoseconds, in the order of completion (of
    /// queries that ended in the same nanosecond, in the order of slots). At most
    /// [`RAW_LIMIT`](crate::RAW_LIMIT): with one slot the first ones, with several an equal share
    /// of each.
    pub latencies_ns: Vec<u64>,
    /// Where each of `latencies_ns` began to count, its scheduled time, in nanoseconds from
    /// `began`; start and latency add up to the end.
    pub starts_ns: Vec<u64>,
    /// All latencies to three significant digits.
    pub histogram: Histogram<u64>,
    /// The beginning of the measured window: right before the first arrival was released.
    pub began: Instant,
    /// The end of the measured window: the last end of a query.
    pub ended: Instant,
    /// From `began` to `ended`, in nanoseconds.
    pub duration_ns: u64,
    /// From `began` to the instant at which the rule fired that stopped the run, in nanoseconds.
    /// The rule and the code [`Code::TooShort`] are judged at this one instant; with several slots
    /// that of the slot that came first.
    pub stop_ns: u64,
    /// Samples of the queries that succeeded.
    pub samples: u64,
    /// Queries that succeeded.
    pub completed: u64,
    /// Queries that failed; their latencies are in no number.
    pub failed: u64,
    /// The first failure with its causes.
    pub first_failure: Option<String>,
    /// Latency of the very first query, warm-up included, in nanoseconds.
    pub first_query_ns: u64,
    /// Slots that ran, each with one query at a time.
    pub slots: usize,
    /// Samples a second over `duration_ns` without each slot's share of `untimed_ns`: no query
    /// could run in a slot at that time.
    pub throughput_per_s: f64,
    /// Time between queries spent in [`Work::after`](crate::Work::after), in telling progress and
    /// on failures, in nanoseconds, summed over the slots; in no latency.
    pub untimed_ns: u64,
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// What speaks against it, sorted; empty when nothing does.
    pub codes: Vec<Code>,
    /// The numbers.
    pub summary: Summary,
}

/// What is known of a run beside what the recorders kept.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) began: Instant,
    pub(crate) duration_ns: u64,
    pub(crate) stop_ns: u64,
    pub(crate) stop_reason: StopReason,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) first_query_ns: u64,
    pub(crate) slots: usize,
    pub(crate) untimed_ns: u64,
}

impl Outcome {
    pub(crate) fn new(
        settings: &Settings,
        recorders: Vec<Recorder>,
        totals: Totals,
    ) -> Result<Self, LoadError> {
        let recorded = Recorder::merge(recorders)?;
        let completed = recorded.histogram.len();
        if completed == 0 {
            return Err(match totals.first_failure {
                Some(first) => LoadError::NothingSucceeded {
                    failed: totals.failed,
                    first,
                },
                None => LoadError::Interrupted,
            });
        }
        let summary = Summary::new(&recorded, settings.windows);
        let Recorded {
            latencies_ns,
            starts_ns,
            histogram,
            ..
        } = recorded;
        let mut codes = Vec::new();
        if completed < settings.min_queries {
            codes.push(Code::TooFewQueries);
        }
        if totals.stop_ns < saturating_ns(settings.min_duration) {
            codes.push(Code::TooShort);
        }
        if summary
            .spread
            .greatest()
            .is_some_and(|s| s > settings.max_window_spread)
        {
            codes.push(Code::Unsteady);
        }
        if totals.stop_reason == StopReason::Interrupted {
            codes.push(Code::Partial);
        }
        if totals.failed > 0 {
            codes.push(Code::QueryFailed);
        }
        let samples = completed.saturating_mul(u64::from(settings.batch));
        let untimed_of_one = totals.untimed_ns / totals.slots.max(1) as u64;
        Ok(Self {
            latencies_ns,
            starts_ns,
            histogram,
            began: totals.began,
            ended: totals.began + Duration::from_nanos(totals.duration_ns),
            duration_ns: totals.duration_ns,
            stop_ns: totals.stop_ns,
            samples,
            completed,
            failed: totals.failed,
            first_failure: totals.first_failure,
            first_query_ns: totals.first_query_ns,
            slots: totals.slots,
            // A clock too coarse to see the run counts as one nanosecond: the figure stays finite.
            throughput_per_s: samples as f64 * 1e9
                / totals.duration_ns.saturating_sub(untimed_of_one).max(1) as f64,
            untimed_ns: totals.untimed_ns,
            stop_reason: totals.stop_reason,
            codes,
            summary,
        })
    }

    /// The stop flag ended the run before its own rules did.
    pub fn partial(&self) -> bool {
        self.stop_reason == StopReason::Interrupted
    }

    /// All raw latencies are in `latencies_ns`.
    pub fn raw_is_complete(&self) -> bool {
        self.latencies_ns.len() as u64 == self.completed
    }

    /// The histogram as HdrHistogram V2 with DEFLATE, in base64: what HdrHistogram's other
    /// implementations and log files read.
    ///
    /// # Errors
    /// When the serializer refuses.
    pub fn histogram_base64(&self) -> Result<String, LoadError> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&self.histogram, &mut bytes)
            .map_err(|e| LoadError::Histogram(format!("{e:?}")))?;
        Ok(STANDARD.encode(bytes))
    }
}

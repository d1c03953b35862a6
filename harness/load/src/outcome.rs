//! The numbers of a finished run. All statistics come from `dyno-stats`; this is the one file that
//! calls it.

use crate::{
    recorder::{Recorded, Recorder},
    settings::{Code, LoadError, Settings, StopReason},
    target::STAGE_COUNT,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use dyno_stats::{
    early_stopping_bound, iqr_outliers, mean_ns, minimum_count, order_statistic, percentile,
    window_spread,
};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2DeflateSerializer},
};
use std::time::Duration;

/// Latencies of the measured queries in nanoseconds; a percentile that the count cannot support is
/// absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Least.
    pub min: u64,
    /// Arithmetic mean, rounded.
    pub mean: u64,
    /// `sorted[floor(n*p)]` for p = 0.5.
    pub p50: Option<u64>,
    /// For p = 0.9.
    pub p90: Option<u64>,
    /// For p = 0.99.
    pub p99: Option<u64>,
    /// Greatest.
    pub max: u64,
}

/// MLPerf's early-stopping upper bounds of percentiles at 99 % confidence, in nanoseconds; absent
/// below the count they need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bound {
    /// Of the 90th percentile.
    pub p90: Option<u64>,
    /// Of the 99th percentile.
    pub p99: Option<u64>,
}

/// What the latencies say.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Latencies.
    pub latency: Latency,
    /// Upper bounds.
    pub bound: Bound,
    /// Median of each stage by position, in nanoseconds; absent where the target gave none. Beyond
    /// 131,072 queries over an even sample of them.
    pub stages: [Option<u64>; STAGE_COUNT],
    /// Queries slower than three interquartile ranges above the third quartile; they are in all
    /// numbers.
    pub outliers: u64,
    /// Greatest ratio between the medians of two windows; absent where the run is too short to
    /// judge.
    pub window_spread: Option<f64>,
}

/// A finished measurement.
#[derive(Debug)]
pub struct Outcome {
    /// Latencies in the order of completion, in nanoseconds; the first
    /// [`RAW_LIMIT`](crate::RAW_LIMIT) of them.
    pub latencies_ns: Vec<u64>,
    /// All latencies to three significant digits.
    pub histogram: Histogram<u64>,
    /// From the first submit to the last completion, in nanoseconds.
    pub duration_ns: u64,
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
    /// Queries under way at once.
    pub slots: usize,
    /// Samples a second over `duration_ns` without `progress_ns`: no query could run while progress
    /// was told.
    pub throughput_per_s: f64,
    /// Time spent in the progress callback within `duration_ns`, in nanoseconds; in no latency.
    pub progress_ns: u64,
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// What speaks against it, sorted; empty when nothing does.
    pub codes: Vec<Code>,
    /// The numbers.
    pub summary: Summary,
}

/// Counters of the run that the recorder does not keep.
pub(crate) struct Totals {
    pub(crate) duration_ns: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) first_query_ns: u64,
    pub(crate) slots: usize,
    pub(crate) progress_ns: u64,
    pub(crate) stop_reason: StopReason,
}

impl Outcome {
    pub(crate) fn new(
        settings: &Settings,
        recorder: Recorder,
        totals: Totals,
    ) -> Result<Self, LoadError> {
        let completed = recorder.count();
        if completed == 0 {
            return Err(match totals.first_failure {
                Some(first) => LoadError::NothingSucceeded {
                    failed: totals.failed,
                    first,
                },
                None => LoadError::Interrupted,
            });
        }
        let Recorded {
            raw: latencies_ns,
            histogram,
            stages,
        } = recorder.finish()?;
        let summary = summarize(&latencies_ns, &histogram, &stages, settings.windows);
        let samples = completed.saturating_mul(u64::from(settings.batch));
        let mut codes = Vec::new();
        if completed < settings.min_queries {
            codes.push(Code::TooFewQueries);
        }
        if Duration::from_nanos(totals.duration_ns) < settings.min_duration {
            codes.push(Code::TooShort);
        }
        if summary
            .window_spread
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
        Ok(Self {
            latencies_ns,
            histogram,
            duration_ns: totals.duration_ns,
            samples,
            completed,
            failed: totals.failed,
            first_failure: totals.first_failure,
            first_query_ns: totals.first_query_ns,
            slots: totals.slots,
            // A clock too coarse to see the run counts as one nanosecond: the figure stays finite.
            throughput_per_s: samples as f64 * 1e9
                / totals.duration_ns.saturating_sub(totals.progress_ns).max(1) as f64,
            progress_ns: totals.progress_ns,
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

fn summarize(
    raw: &[u64],
    histogram: &Histogram<u64>,
    stages: &[Vec<u64>; STAGE_COUNT],
    windows: u32,
) -> Summary {
    let mut sorted = raw.to_vec();
    sorted.sort_unstable();
    let complete = sorted.len() as u64 == histogram.len();
    let latency = Latency {
        min: if complete {
            sorted.first().copied().unwrap_or(0)
        } else {
            histogram.min()
        },
        mean: if complete {
            mean_ns(raw).unwrap_or(0)
        } else {
            histogram.mean().round() as u64
        },
        p50: if complete {
            percentile(&sorted, 0.5)
        } else {
            from_histogram(histogram, 0.5)
        },
        p90: if complete {
            percentile(&sorted, 0.9)
        } else {
            from_histogram(histogram, 0.9)
        },
        p99: if complete {
            percentile(&sorted, 0.99)
        } else {
            from_histogram(histogram, 0.99)
        },
        max: if complete {
            sorted.last().copied().unwrap_or(0)
        } else {
            histogram.max()
        },
    };
    // Ten million queries bound a percentile to a few in ten thousand of its rank: over the limit
    // the bound is that of the queries that were kept raw.
    let bound = Bound {
        p90: early_stopping_bound(&sorted, 0.9),
        p99: early_stopping_bound(&sorted, 0.99),
    };
    Summary {
        latency,
        bound,
        stages: std::array::from_fn(|i| {
            stages
                .get(i)
                .and_then(|column| order_statistic(column, 0.5))
        }),
        outliers: iqr_outliers(&sorted),
        window_spread: window_spread(raw, windows as usize),
    }
}

/// The element at rank `floor(n*p)`, to the digits of the histogram.
fn from_histogram(histogram: &Histogram<u64>, p: f64) -> Option<u64> {
    if histogram.len() < minimum_count(p)? {
        return None;
    }
    // `value_at_quantile` takes the ceil(n*q)-th element counted from 1; rank floor(n*p) counted
    // from 0 is one further.
    let rank = ((histogram.len() as f64 * p) as u64).min(histogram.len() - 1);
    Some(histogram.value_at_quantile((rank + 1) as f64 / histogram.len() as f64))
}

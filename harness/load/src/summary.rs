//! What the latencies say. All statistics come from `dyno-stats`; this is the one file that calls
//! it.

use crate::{
    recorder::{Column, Recorded},
    work::STAGE_COUNT,
};
use dyno_stats::{
    Spread, autocorrelation, early_stopping_bound, effective_sample_size, iqr_outliers, mean_ns,
    mid_ranks, minimum_count, order_statistic, percentile, window_spread,
};
use hdrhistogram::Histogram;

/// The percentiles of a summary, as shares: those of LoadGen.
pub const PERCENTILES: [f64; 6] = [0.5, 0.9, 0.95, 0.97, 0.99, 0.999];

/// Least, mean and greatest latency of the queries that succeeded, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Least.
    pub min: u64,
    /// Arithmetic mean, rounded.
    pub mean: u64,
    /// Greatest.
    pub max: u64,
}

/// One percentile of the latencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// The share, 0 to 1.
    pub p: f64,
    /// `sorted[floor(n*p)]` in nanoseconds; absent where the count of queries cannot support it.
    pub ns: Option<u64>,
    /// MLPerf's early-stopping upper bound at 99 % confidence, within this run and for independent
    /// queries, in nanoseconds; absent where the effective count cannot support it.
    pub bound_ns: Option<u64>,
    /// The count of queries that would do: for `ns` where that is absent; else for `bound_ns`, at
    /// the effective share of this run where that is absent.
    pub needs: u64,
}

/// Times of one stage, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Median `sorted[floor(n/2)]`; beyond 131,072 queries that of an even sample of them.
    pub p50_ns: u64,
    /// Mean over all queries that had the stage, rounded.
    pub mean_ns: u64,
    /// Queries that had the stage.
    pub n: u64,
}

/// What the latencies say.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Least, mean, greatest.
    pub latency: Latency,
    /// One for each of [`PERCENTILES`], in that order.
    pub percentiles: Vec<Percentile>,
    /// Each stage by position; absent where no query had it.
    pub stages: [Option<Stage>; STAGE_COUNT],
    /// Queries slower than three interquartile ranges above the third quartile; they are in all
    /// numbers.
    pub outliers: u64,
    /// How much the windows of the run differ.
    pub spread: Spread,
    /// Correlation of the ranks of neighbouring latencies, in the order of completion; absent for
    /// fewer than three queries and where all latencies are equal.
    pub autocorrelation: Option<f64>,
    /// Independent queries that would say as much, by the estimator
    /// [`EFFECTIVE_SIZE_ESTIMATOR`](dyno_stats::EFFECTIVE_SIZE_ESTIMATOR); at most the count.
    pub effective_n: f64,
}

impl Summary {
    /// The percentile for the share `p` of [`PERCENTILES`]; `None` for any other.
    pub fn percentile(&self, p: f64) -> Option<Percentile> {
        self.percentiles
            .iter()
            .copied()
            .find(|q| (q.p - p).abs() < 1e-9)
    }

    pub(crate) fn new(recorded: &Recorded, windows: u32) -> Self {
        let raw = &recorded.latencies_ns;
        let mut sorted = raw.clone();
        sorted.sort_unstable();
        let histogram = &recorded.histogram;
        let n = histogram.len();
        let complete = sorted.len() as u64 == n;
        let ranks = mid_ranks(raw);
        // Queries beyond the raw limit are taken to be correlated like the others.
        let effective_n =
            effective_sample_size(&ranks) * (n as f64 / (sorted.len() as f64).max(1.0));
        let latency = if complete {
            Latency {
                min: sorted.first().copied().unwrap_or(0),
                mean: mean_ns(raw).unwrap_or(0),
                max: sorted.last().copied().unwrap_or(0),
            }
        } else {
            Latency {
                min: histogram.min(),
                mean: histogram.mean().round() as u64,
                max: histogram.max(),
            }
        };
        let one = |p: f64| {
            let least = minimum_count(p).unwrap_or(u64::MAX);
            let ns = if complete {
                percentile(&sorted, p)
            } else {
                from_histogram(histogram, p)
            };
            // Ten million queries bound a percentile to a few in ten thousand of its rank: over the
            // limit the bound is that of the queries that were kept raw.
            let bound_ns = early_stopping_bound(&sorted, p).filter(|_| effective_n >= least as f64);
            let needs = if ns.is_some() && bound_ns.is_none() {
                (least as f64 * n as f64 / effective_n).ceil() as u64
            } else {
                least
            };
            Percentile {
                p,
                ns,
                bound_ns,
                needs,
            }
        };
        Self {
            latency,
            percentiles: PERCENTILES.into_iter().map(one).collect(),
            stages: std::array::from_fn(|at| recorded.stages.get(at).and_then(stage)),
            outliers: iqr_outliers(&sorted),
            spread: window_spread(raw, windows as usize),
            autocorrelation: autocorrelation(&ranks, 1),
            effective_n,
        }
    }
}

fn stage(column: &Column) -> Option<Stage> {
    let count = u128::from(column.count);
    Some(Stage {
        p50_ns: order_statistic(&column.sorted_ns, 0.5)?,
        mean_ns: u64::try_from((column.sum_ns + count / 2).checked_div(count)?).ok()?,
        n: column.count,
    })
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

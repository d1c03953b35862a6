//! Whether a run was steady: outliers and the spread between its windows.
//!
//! Outliers are flagged and kept (criterion's rule, after Tukey), never removed. The spread between
//! windows follows perf_analyzer's rule, the greatest and the least may differ by 10 %, for the
//! median, the mean and the 90th percentile of the windows.

use crate::{
    describe::mean_ns,
    percentile::{order_statistic, percentile},
};

/// Interquartile ranges above the third quartile from which a sample is an outlier (Tukey's outer
/// fence).
pub const IQR_FACTOR: u64 = 3;

/// Spread between windows above which a run is unsteady.
pub const UNSTEADY_SPREAD: f64 = 1.10;

/// How many of `sorted` (rising) lie above the third quartile by more than [`IQR_FACTOR`]
/// interquartile ranges; 0 for fewer than four samples.
pub fn iqr_outliers(sorted: &[u64]) -> u64 {
    if sorted.len() < 4 {
        return 0;
    }
    let (Some(q1), Some(q3)) = (order_statistic(sorted, 0.25), order_statistic(sorted, 0.75))
    else {
        return 0;
    };
    let fence = q3.saturating_add(q3.saturating_sub(q1).saturating_mul(IQR_FACTOR));
    (sorted.len() - sorted.partition_point(|&v| v <= fence)) as u64
}

/// Greatest ÷ least of a figure of the windows of a run, for three figures. One is absent where a
/// window is too small to support it (11 samples for the median, 64 for the 90th percentile), where
/// there are fewer than two windows, and where the least is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// Of the medians.
    pub median: Option<f64>,
    /// Of the means: sees a burst of slow samples that no median does. Judged from 11 samples a
    /// window on, like the median.
    pub mean: Option<f64>,
    /// Of the 90th percentiles: sees a tail that comes and goes.
    pub p90: Option<f64>,
}

impl Spread {
    /// The greatest of the three; `None` where none is known.
    pub fn greatest(&self) -> Option<f64> {
        [self.median, self.mean, self.p90]
            .into_iter()
            .flatten()
            .reduce(f64::max)
    }
}

/// How much `windows` consecutive parts of a run differ, equal in count up to one sample.
///
/// `latencies`: in the order of time, not sorted.
pub fn window_spread(latencies: &[u64], windows: usize) -> Spread {
    if windows < 2 {
        return Spread::default();
    }
    let cut = |i: usize| (i as u128 * latencies.len() as u128 / windows as u128) as usize;
    let (mut medians, mut means, mut tails) = (Vec::new(), Vec::new(), Vec::new());
    for w in 0..windows {
        let mut part = latencies
            .get(cut(w)..cut(w + 1))
            .unwrap_or_default()
            .to_vec();
        part.sort_unstable();
        medians.extend(percentile(&part, 0.5));
        // A median that the count supports is the sign that a mean may be looked at too.
        if percentile(&part, 0.5).is_some() {
            means.extend(mean_ns(&part));
        }
        tails.extend(percentile(&part, 0.9));
    }
    let ratio = |figures: &[u64]| {
        let (low, high) = (*figures.iter().min()?, *figures.iter().max()?);
        (figures.len() == windows && low > 0).then(|| high as f64 / low as f64)
    };
    Spread {
        median: ratio(&medians),
        mean: ratio(&means),
        p90: ratio(&tails),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_lie_beyond_the_outer_fence() {
        let mut v: Vec<u64> = (100..200).collect();
        // Quartiles 125 and 175: fence 325.
        v.extend([325, 326, 9000]);
        v.sort_unstable();
        // With 103 samples the quartiles are 125 and 177: fence 333.
        assert_eq!(iqr_outliers(&v), 1);
        assert_eq!(iqr_outliers(&[1, 2, 900]), 0);
        assert_eq!(iqr_outliers(&[u64::MAX; 8]), 0);
        assert_eq!(iqr_outliers(&[5, 5, 5, 5, 5, 5, 5, 6]), 1);
    }

    #[test]
    fn spread_sees_drift_and_not_order_within_a_window() {
        let steady: Vec<u64> = (0..300).map(|i| 1000 + (i * 37) % 20).collect();
        assert!(window_spread(&steady, 3).greatest().expect("enough") < 1.01);
        let drifting: Vec<u64> = (0..300).map(|i| 1000 + i).collect();
        // Three hundreds: medians 1050, 1150, 1250; means 1049.5, 1149.5, 1249.5, rounded up;
        // 90th percentiles 1090, 1190, 1290.
        assert_eq!(
            window_spread(&drifting, 3),
            Spread {
                median: Some(1250.0 / 1050.0),
                mean: Some(1250.0 / 1050.0),
                p90: Some(1290.0 / 1090.0)
            }
        );
        assert!(window_spread(&drifting, 3).greatest() > Some(UNSTEADY_SPREAD));
        assert_eq!(
            window_spread(&drifting[..32], 3).greatest(),
            None,
            "ten a window"
        );
        let small = window_spread(&drifting[..33], 3);
        assert!(small.median.is_some() && small.mean.is_some() && small.p90.is_none());
        assert_eq!(window_spread(&[0; 100], 3).greatest(), None);
        assert_eq!(window_spread(&drifting, 1).greatest(), None);
    }

    #[test]
    fn a_burst_moves_the_mean_and_a_tail_the_p90_of_its_window_alone() {
        let mut burst = vec![1000; 300];
        burst[150..155].fill(10_000);
        let spread = window_spread(&burst, 3);
        assert_eq!(
            (spread.median, spread.mean, spread.p90),
            (Some(1.0), Some(1.45), Some(1.0))
        );
        let mut tail = vec![1000; 300];
        tail[200..212].fill(1200);
        let spread = window_spread(&tail, 3);
        assert_eq!((spread.median, spread.p90), (Some(1.0), Some(1.2)));
        assert!(spread.mean < Some(UNSTEADY_SPREAD));
    }
}

//! Whether a run was steady: outliers and the spread between its windows.
//!
//! Outliers are flagged and kept (criterion's rule, after Tukey), never removed. The spread between
//! windows follows perf_analyzer's rule: the greatest and the least may differ by 10 %.

use crate::percentile::{minimum_count, order_statistic};

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

/// Greatest ÷ least of the medians of `windows` consecutive parts of a run, equal in count up to
/// one sample.
///
/// `latencies`: in the order of time, not sorted. `None` for fewer than two windows, a window too
/// small to support its median (11 samples), or a median of zero.
pub fn window_spread(latencies: &[u64], windows: usize) -> Option<f64> {
    if windows < 2 || ((latencies.len() / windows) as u64) < minimum_count(0.5)? {
        return None;
    }
    let mut ends: Option<(u64, u64)> = None;
    for w in 0..windows {
        let cut = |i: usize| (i as u128 * latencies.len() as u128 / windows as u128) as usize;
        let mut part = latencies.get(cut(w)..cut(w + 1))?.to_vec();
        part.sort_unstable();
        let median = order_statistic(&part, 0.5)?;
        ends = Some(ends.map_or((median, median), |(low, high)| {
            (low.min(median), high.max(median))
        }));
    }
    let (low, high) = ends?;
    (low > 0).then(|| high as f64 / low as f64)
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
        assert!(window_spread(&steady, 3).expect("enough") < 1.01);
        let drifting: Vec<u64> = (0..300).map(|i| 1000 + i).collect();
        // Medians of three hundreds: 1050, 1150, 1250.
        assert_eq!(window_spread(&drifting, 3), Some(1250.0 / 1050.0));
        assert!(window_spread(&drifting, 3).expect("enough") > UNSTEADY_SPREAD);
        assert_eq!(window_spread(&drifting[..32], 3), None, "ten a window");
        assert!(window_spread(&drifting[..33], 3).is_some());
        assert_eq!(window_spread(&[0; 100], 3), None);
        assert_eq!(window_spread(&drifting, 1), None);
    }
}

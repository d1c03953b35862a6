//! How much a series knows when its values are not independent.
//!
//! Latencies of one run hang together: a warm cache, a clock that rises or a neighbour on the same
//! core shows in many queries in a row. The effective sample size is the number of independent
//! values whose mean would scatter as much. Estimator: Geyer's initial monotone sequence
//! (C. J. Geyer, "Practical Markov Chain Monte Carlo", Statistical Science 7, 1992, section 3.3):
//! autocovariances are summed in pairs of neighbouring lags up to the first pair whose sum is not
//! positive, and no pair counts for more than the one before it. It errs to the careful side: of
//! 100 independent values it finds 91 in the median and 58 in one of twenty cases (simulated; of
//! 2,000: 99 % and 87 %). A series of more than [`BLOCKS`] values is first cut into blocks whose means are
//! summed up in the same way (batch means), which keeps the cost at `BLOCKS²/2` and sees
//! correlation of any length.
//!
//! Percentiles are about order, and one huge value would hide all correlation of the others: give
//! [`mid_ranks`] of latencies to both functions, as A. Vehtari et al. do (Bayesian Analysis 16,
//! 2021).

use crate::describe::mean;

/// Name of the estimator, as it stands in records.
pub const EFFECTIVE_SIZE_ESTIMATOR: &str = "geyer-initial-monotone-sequence-of-ranks";

/// Values, or means of blocks, whose autocovariances are looked at.
pub const BLOCKS: usize = 4096;

/// The rank of each value, counted from 1, in the order of `values`; equal values share the mean
/// of their ranks.
pub fn mid_ranks(values: &[u64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by_key(|&i| values[i]);
    let mut ranks = vec![0.0; values.len()];
    let mut rest = order.as_slice();
    let mut before = 0;
    while let Some(&first) = rest.first() {
        let equal = rest
            .iter()
            .take_while(|&&i| values[i] == values[first])
            .count();
        let (group, others) = rest.split_at(equal);
        // The ranks before + 1 to before + equal.
        let rank = before as f64 + (equal + 1) as f64 / 2.0;
        for &i in group {
            ranks[i] = rank;
        }
        before += equal;
        rest = others;
    }
    ranks
}

/// Sum of products `lag` apart, of values around their mean.
fn products(centred: &[f64], lag: usize) -> f64 {
    centred
        .iter()
        .zip(centred.get(lag..).unwrap_or_default())
        .map(|(a, b)| a * b)
        .sum()
}

fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let mean = mean(values)?;
    Some(values.iter().map(|v| v - mean).collect())
}

/// Correlation of the series with itself `lag` places later: the autocovariance (divisor n) over
/// the variance. `values`: in the order of time. `None` of fewer than `lag` + 2 values, and where
/// the variance is zero or not a number.
pub fn autocorrelation(values: &[f64], lag: usize) -> Option<f64> {
    if values.len() < lag.checked_add(2)? {
        return None;
    }
    let centred = centred(values)?;
    let variance = products(&centred, 0);
    (variance > 0.0).then(|| products(&centred, lag) / variance)
}

/// The number of independent values whose mean would scatter as much as that of `values`, at most
/// their count. `values`: in the order of time. The count itself for fewer than four values and
/// where all are equal; NaN when a value is.
pub fn effective_sample_size(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let Some(around_mean) = centred(values).filter(|c| c.len() >= 4) else {
        return n;
    };
    let variance = products(&around_mean, 0) / n;
    if variance.is_nan() {
        return f64::NAN;
    }
    if variance <= 0.0 {
        return n;
    }
    let block = values.len().div_ceil(BLOCKS);
    let blocks: Vec<f64> = around_mean
        .chunks_exact(block)
        .map(|b| b.iter().sum::<f64>() / block as f64)
        .collect();
    let Some(blocks) = centred(&blocks) else {
        return n;
    };
    let count = blocks.len() as f64;
    let own = products(&blocks, 0) / count;
    let (mut pairs, mut before) = (0.0, f64::INFINITY);
    for lag in (0..blocks.len()).step_by(2) {
        let pair = (products(&blocks, lag) + products(&blocks, lag + 1)) / count;
        if pair <= 0.0 {
            break;
        }
        before = pair.min(before);
        pairs += before;
    }
    // The variance of the mean is this over the number of blocks.
    let long_run = 2.0 * pairs - own;
    if long_run > 0.0 {
        (variance * count / long_run).clamp(1.0, n)
    } else {
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    /// An AR(1) series of normal-like noise (sum of twelve uniform numbers).
    fn series(n: usize, rho: f64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut x = 0.0;
        (0..n)
            .map(|_| {
                let noise: f64 = (0..12)
                    .map(|_| random.next_u64() as f64 / u64::MAX as f64)
                    .sum::<f64>()
                    - 6.0;
                x = rho * x + noise;
                x
            })
            .collect()
    }

    #[test]
    fn a_small_case_by_hand() {
        // Deviations -1.5 -0.5 0.5 1.5: autocovariances 1.25, 0.3125, -0.375, -0.5625. The first
        // pair counts, the second does not: 2 · 1.5625 - 1.25 = 1.875.
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(autocorrelation(&values, 1), Some(0.25));
        assert!((effective_sample_size(&values) - 4.0 * 1.25 / 1.875).abs() < 1e-12);
    }

    #[test]
    fn an_autoregressive_series_has_the_size_of_theory() {
        // n (1 - rho) / (1 + rho), the closed form for AR(1); below and above the block limit.
        for (n, rho) in [(4000, 0.9), (60_000, 0.9), (60_000, 0.5), (4000, 0.3)] {
            let values = series(n, rho);
            let theory = n as f64 * (1.0 - rho) / (1.0 + rho);
            let got = effective_sample_size(&values) / theory;
            assert!((0.7..1.4).contains(&got), "n {n} rho {rho}: {got}");
            let r = autocorrelation(&values, 1).expect("varies");
            assert!((r - rho).abs() < 0.03, "n {n} rho {rho}: {r}");
        }
    }

    #[test]
    fn independent_values_count_nearly_in_full_and_alternating_ones_no_more_than_once() {
        for (n, least) in [(100, 0.5), (4000, 0.85), (50_000, 0.85)] {
            let got = effective_sample_size(&series(n, 0.0)) / n as f64;
            assert!((least..=1.0).contains(&got), "{n}: {got}");
        }
        let alternating: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
        assert!((effective_sample_size(&alternating) - 100.0).abs() < 1e-9);
        assert!(autocorrelation(&alternating, 1).expect("varies") < -0.9);
    }

    #[test]
    fn an_outlier_hides_correlation_of_values_but_not_of_ranks() {
        let mut latencies: Vec<u64> = series(2000, 0.9)
            .iter()
            .map(|x| (1e6 + 1e4 * x) as u64)
            .collect();
        latencies[700] = 900_000_000;
        let plain: Vec<f64> = latencies.iter().map(|&l| l as f64).collect();
        assert!(effective_sample_size(&plain) > 1500.0);
        assert!(effective_sample_size(&mid_ranks(&latencies)) < 200.0);
    }

    #[test]
    fn ranks_of_ties_and_degenerate_series() {
        assert_eq!(mid_ranks(&[30, 10, 30, 20]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(mid_ranks(&[]), [0.0; 0]);
        assert_eq!(autocorrelation(&[1.0, 1.0, 1.0], 1), None);
        assert_eq!(autocorrelation(&[1.0, 2.0], 1), None);
        assert!((effective_sample_size(&[5.0; 50]) - 50.0).abs() < 1e-12);
        assert!((effective_sample_size(&[5.0; 3]) - 3.0).abs() < 1e-12);
        assert!(effective_sample_size(&[1.0, f64::NAN, 1.0, 2.0]).is_nan());
    }
}

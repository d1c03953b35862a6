//! Percentiles and their upper bounds, by the rules of MLPerf's load generator.
//!
//! Estimator: `sorted[floor(n·p)]` (LoadGen, `results.cc`). Bound: the early-stopping rule
//! (`early_stopping.cc`, d = 0): with n samples, let t be the largest number for which
//! `P[Binomial(n, 1-p) <= t] <= 1 - confidence`; the t-th largest sample is then an upper
//! confidence bound of the p-quantile. No cap on t (a cap at 1,024 was a bug of the original). Both
//! assume independent samples.

use crate::binomial::binomial_cdf;

/// Name of the estimator, as it stands in records.
pub const ESTIMATOR: &str = "sorted[floor(n*p)]";

/// Confidence of bounds and of the refusal rule.
pub const CONFIDENCE: f64 = 0.99;

fn is_open_share(x: f64) -> bool {
    x > 0.0 && x < 1.0
}

/// `sorted[floor(n·p)]`, the last element at most; `None` for an empty slice or `p` outside 0 to 1.
/// Refuses nothing: [`percentile`] does.
///
/// `sorted`: rising.
pub fn order_statistic(sorted: &[u64], p: f64) -> Option<u64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let last = sorted.len().checked_sub(1)?;
    sorted
        .get(((sorted.len() as f64 * p) as usize).min(last))
        .copied()
}

/// The p-percentile of `sorted` (rising) by [`ESTIMATOR`]; `None` where the count cannot support
/// it, that is below [`minimum_count`].
pub fn percentile(sorted: &[u64], p: f64) -> Option<u64> {
    if sorted.len() as u64 >= minimum_count(p)? {
        order_statistic(sorted, p)
    } else {
        None
    }
}

/// The least count at which the greatest sample is an upper bound of the p-quantile with this
/// confidence: 64 for p90, 130 for p95, 662 for p99 at 0.99. Below it no sample bounds the
/// percentile, so none may be printed. `None` unless both shares lie strictly between 0 and 1.
pub fn required_for(p: f64, confidence: f64) -> Option<u64> {
    if !is_open_share(p) || !is_open_share(confidence) {
        return None;
    }
    let supports = |n: u64| binomial_cdf(1, n, 1.0 - p) <= 1.0 - confidence;
    let mut high = 2u64;
    while !supports(high) {
        high = high.checked_mul(2)?;
    }
    let mut low = high / 2;
    // Invariant: `high` supports the percentile, `low` does not (one sample never does).
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if supports(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// [`required_for`] at [`CONFIDENCE`]: 11 for p50, 64 for p90, 662 for p99. `None` unless `p` lies
/// strictly between 0 and 1.
pub fn minimum_count(p: f64) -> Option<u64> {
    required_for(p, CONFIDENCE)
}

/// The t of the early-stopping rule for `n` samples: the t-th largest of them bounds the p-quantile
/// at [`CONFIDENCE`]. `None` below [`minimum_count`].
pub fn early_stopping_rank(n: u64, p: f64) -> Option<u64> {
    if n < minimum_count(p)? {
        return None;
    }
    let q = 1.0 - p;
    // At the mean and one more, at least half of the distribution lies below.
    let (mut low, mut high) = (1u64, ((n as f64 * q) as u64).saturating_add(2).min(n));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if binomial_cdf(middle, n, q) <= 1.0 - CONFIDENCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// An upper bound of the p-percentile of `sorted` (rising) at [`CONFIDENCE`]; `None` where the
/// count cannot support one.
pub fn early_stopping_bound(sorted: &[u64], p: f64) -> Option<u64> {
    let rank = early_stopping_rank(sorted.len() as u64, p)?;
    sorted
        .get(sorted.len().checked_sub(usize::try_from(rank).ok()?)?)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table_of_early_stopping_is_met() {
        // specs/measurement.md: first count at which t reaches 1, 10 and 100.
        for (p, counts) in [
            (0.9, [64, 197, 1246]),
            (0.95, [130, 398, 2504]),
            (0.99, [662, 2010, 12571]),
            (0.999, [6636, 20140, 125_826]),
        ] {
            assert_eq!(minimum_count(p), Some(counts[0]), "p {p}");
            assert_eq!(early_stopping_rank(counts[0] - 1, p), None);
            for (t, n) in [1, 10, 100].into_iter().zip(counts) {
                assert_eq!(early_stopping_rank(n, p), Some(t), "p {p} n {n}");
                assert_eq!(
                    early_stopping_rank(n - 1, p),
                    (t > 1).then_some(t - 1),
                    "p {p} n {}",
                    n - 1
                );
            }
        }
        assert_eq!(minimum_count(0.5), Some(11));
        assert_eq!(required_for(0.9, 0.95), Some(46));
    }

    #[test]
    fn t_has_no_cap() {
        // From n = 10^6 on, t passes the 1,024 at which the original once stopped; 99,300 is the
        // normal approximation.
        let t = early_stopping_rank(1_000_000, 0.9).expect("supported");
        assert!((99_295..=99_305).contains(&t), "{t}");
        assert_eq!(
            binomial_cdf(t, 1_000_000, 1.0 - 0.9) <= 0.01,
            binomial_cdf(t + 1, 1_000_000, 1.0 - 0.9) > 0.01
        );
    }

    #[test]
    fn estimator_and_bound_of_known_samples() {
        let v: Vec<u64> = (0..1000).collect();
        assert_eq!(percentile(&v, 0.5), Some(500));
        assert_eq!(percentile(&v, 0.9), Some(900));
        assert_eq!(percentile(&v, 0.99), Some(990));
        assert_eq!(
            percentile(&v, 0.999),
            None,
            "1,000 samples cannot support it"
        );
        // 1,000 samples: t = 78, the 923rd of them, the 92.3rd percentile (specs/measurement.md); t
        // by exact fractions.
        assert_eq!(early_stopping_bound(&v, 0.9), Some(922));
        assert_eq!(early_stopping_bound(&v[..100], 0.9), Some(97));
        assert_eq!(
            early_stopping_bound(&v[..64], 0.9),
            Some(63),
            "the greatest"
        );
        assert_eq!(early_stopping_bound(&v[..63], 0.9), None);
    }

    #[test]
    fn refusals() {
        assert_eq!(percentile(&[1; 10], 0.5), None);
        assert_eq!(percentile(&[1; 11], 0.5), Some(1));
        assert_eq!(percentile(&[], 0.5), None);
        for p in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(percentile(&[1; 1000], p), None, "p {p}");
            assert_eq!(early_stopping_bound(&[1; 1000], p), None, "p {p}");
        }
        assert_eq!(order_statistic(&[1, 2, 3], 1.0), Some(3));
        assert_eq!(order_statistic(&[], 0.5), None);
    }
}

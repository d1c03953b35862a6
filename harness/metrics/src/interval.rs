//! Intervals of scores.

use dyno_core::{Interval, Score};
use dyno_stats::{bootstrap_interval, bootstrap_weights, wilson};

/// Level of every interval.
pub const LEVEL: f64 = 0.95;

/// Wilson's interval of a share.
pub(crate) fn wilson_interval(hits: u64, n: u64) -> Option<Interval> {
    wilson(hits, n, LEVEL).map(|(low, high)| Interval {
        method: "wilson".to_owned(),
        level: LEVEL,
        low,
        high,
    })
}

/// The bootstrap's percentile interval, moved so that the mean of the resamples lies on `value`.
///
/// A resample has fewer distinct images, hence fewer distinct false positives above each hit: AP of
/// resamples is biased upward, and their plain percentiles can miss the value altogether. What they
/// measure soundly is the spread.
fn centred(values: &mut [f64], value: f64) -> Option<Interval> {
    let shift = value - dyno_stats::mean(values)?;
    let (low, high) = bootstrap_interval(values, LEVEL)?;
    let method = "bootstrap-percentile-centred".to_owned();
    Some(Interval {
        method,
        level: LEVEL,
        low: (low + shift).clamp(0.0, value),
        high: (high + shift).clamp(value, 1.0),
    })
}

/// Puts centred percentile intervals on the scores named in `names`.
///
/// `statistic` gets how often each of `samples` samples counts, in sample order, and fills one
/// value a name; `None` where a resample has nothing to judge. Such resamples are left out of that
/// interval. No interval for fewer than two samples or no resamples.
pub(crate) fn bootstrap<const N: usize>(
    scores: &mut [Score],
    names: [&str; N],
    samples: usize,
    resamples: u32,
    seed: u64,
    mut statistic: impl FnMut(&[u32]) -> [Option<f64>; N],
) {
    if samples < 2 || resamples == 0 {
        return;
    }
    let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(resamples as usize));
    let mut weights = Vec::new();
    for resample in 0..u64::from(resamples) {
        bootstrap_weights(seed, resample, samples, &mut weights);
        for (all, value) in values.iter_mut().zip(statistic(&weights)) {
            all.extend(value);
        }
    }
    for (name, values) in names.into_iter().zip(&mut values) {
        if let Some(score) = scores
            .iter_mut()
            .find(|s| s.metric == name && s.value.is_some())
        {
            score.interval = centred(values, score.value.unwrap_or_default());
        }
    }
}

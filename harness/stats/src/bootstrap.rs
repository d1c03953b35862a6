//! The bootstrap over samples, with the same resamples on every platform.
//!
//! Generator: ChaCha8 (portable by specification), key = the seed's eight bytes little-endian and
//! zeros, stream = number of the resample, so that each resample stands for itself and two metrics,
//! or two models, over the same samples see the same draws. A draw is the high half of a 64-bit
//! number times `n`; its bias is below n / 2^64. Intervals are the percentile method of Efron
//! (1979).

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

fn draws(seed: u64, resample: u64, n: usize) -> impl Iterator<Item = usize> {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(resample);
    (0..n).map(move |_| ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize)
}

/// The positions that one resample draws: `n` of them, with replacement, each below `n`.
pub fn bootstrap_indices(seed: u64, resample: u64, n: usize) -> Vec<usize> {
    draws(seed, resample, n).collect()
}

/// How often each of `n` positions is drawn in one resample; the sum is `n`. `weights` is cleared
/// and filled, so that it can be used again.
pub fn bootstrap_weights(seed: u64, resample: u64, n: usize, weights: &mut Vec<u32>) {
    weights.clear();
    weights.resize(n, 0);
    for i in draws(seed, resample, n) {
        weights[i] += 1;
    }
}

/// The two ends between which the middle share `level` of the resampled values lies:
/// `sorted[floor(n·a)]` and its mirror image `sorted[n-1-floor(n·a)]`, a = (1 - level) / 2. Sorts
/// `values`. `None` of nothing, when a value is NaN, or for a level outside 0 to 1.
pub fn bootstrap_interval(values: &mut [f64], level: f64) -> Option<(f64, f64)> {
    if values.is_empty() || values.iter().any(|v| v.is_nan()) || !(level > 0.0 && level < 1.0) {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let skip = (values.len() as f64 * (1.0 - level) / 2.0) as usize;
    Some((
        *values.get(skip)?,
        *values.get(values.len().checked_sub(skip + 1)?)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_pinned() {
        // Pinned: a change would give every stored interval other ends.
        assert_eq!(bootstrap_indices(7, 0, 10), PINNED_0);
        assert_eq!(bootstrap_indices(7, 1, 10), PINNED_1);
        assert_ne!(bootstrap_indices(8, 0, 10), PINNED_0);
    }

    const PINNED_0: [usize; 10] = [7, 4, 0, 3, 3, 3, 3, 1, 6, 9];
    const PINNED_1: [usize; 10] = [9, 2, 9, 7, 8, 5, 6, 3, 9, 0];

    #[test]
    fn weights_count_the_indices() {
        let mut weights = vec![9; 3];
        for resample in 0..20 {
            bootstrap_weights(3, resample, 50, &mut weights);
            let mut counted = vec![0; 50];
            for i in bootstrap_indices(3, resample, 50) {
                counted[i] += 1;
            }
            assert_eq!(weights, counted);
        }
        bootstrap_weights(3, 0, 0, &mut weights);
        assert_eq!(weights, []);
    }

    #[test]
    fn draws_are_uniform() {
        // 200 resamples of 100: each position is drawn 200 times on average, sd 14; chi-square of
        // 99 degrees has mean 99, sd 14.
        let mut total = vec![0u32; 100];
        let mut weights = Vec::new();
        for resample in 0..200 {
            bootstrap_weights(1, resample, 100, &mut weights);
            total.iter_mut().zip(&weights).for_each(|(t, w)| *t += w);
        }
        let chi: f64 = total
            .iter()
            .map(|&t| (f64::from(t) - 200.0).powi(2) / 200.0)
            .sum();
        assert!((50.0..160.0).contains(&chi), "{chi}");
    }

    #[test]
    fn interval_of_known_values() {
        let mut v: Vec<f64> = (0..1000).rev().map(f64::from).collect();
        assert_eq!(bootstrap_interval(&mut v, 0.95), Some((25.0, 974.0)));
        assert_eq!(bootstrap_interval(&mut [2.0], 0.95), Some((2.0, 2.0)));
        assert_eq!(bootstrap_interval(&mut [], 0.95), None);
        assert_eq!(bootstrap_interval(&mut [f64::NAN], 0.95), None);
    }
}

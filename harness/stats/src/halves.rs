//! Random halves of a sample, without replacement, the same on every platform.
//!
//! Why halves: of N samples a half drawn without replacement scatters about the whole as the whole
//! scatters about what it was drawn from (for a mean, variance `(1 − ½) s² / (N/2) = s²/N`), and
//! unlike a bootstrap's draw it repeats no sample. Politis, Romano and Wolf, *Subsampling* (1999);
//! half-samples as McCarthy, *Pseudo-replication* (1969).
//!
//! Generator as in [`crate::bootstrap_weights`]: ChaCha8, key = the seed's eight bytes
//! little-endian and zeros, stream = number of the half. Selection by Knuth's algorithm S (TAOCP 2,
//! 3.4.2): sample i of n is taken when a draw below n − i is below the number still wanted.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Whether each of `n` positions belongs to half number `number`: `n / 2` of them do, rounded down.
/// `chosen` is cleared and filled, so that it can be used again.
pub fn random_half(seed: u64, number: u64, n: usize, chosen: &mut Vec<bool>) {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(number);
    chosen.clear();
    let mut wanted = n / 2;
    for left in (1..=n).rev() {
        let draw = ((u128::from(rng.next_u64()) * left as u128) >> 64) as usize;
        let taken = draw < wanted;
        wanted -= usize::from(taken);
        chosen.push(taken);
    }
}

/// By how much a deviation of such a half from the whole must be scaled to be one of the whole from
/// what it was drawn from: 1 for an even `n`, a little less for an odd one. `None` for fewer than 2.
pub fn half_scale(n: usize) -> Option<f64> {
    let half = n / 2;
    (half > 0).then(|| (half as f64 / (n - half) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_pinned() {
        // Pinned: a change would give every stored interval other ends.
        let mut chosen = Vec::new();
        random_half(7, 0, 10, &mut chosen);
        let positions =
            |chosen: &[bool]| -> Vec<usize> { (0..chosen.len()).filter(|&i| chosen[i]).collect() };
        assert_eq!(positions(&chosen), PINNED_0);
        random_half(7, 1, 11, &mut chosen);
        assert_eq!(positions(&chosen), PINNED_1);
    }

    const PINNED_0: [usize; 5] = [1, 2, 3, 5, 7];
    const PINNED_1: [usize; 5] = [1, 5, 7, 9, 10];

    #[test]
    fn every_half_has_half_and_every_position_is_as_likely() {
        let (mut chosen, mut counts) = (Vec::new(), vec![0u32; 101]);
        for number in 0..400 {
            random_half(3, number, 101, &mut chosen);
            assert_eq!(chosen.iter().filter(|c| **c).count(), 50);
            for (count, taken) in counts.iter_mut().zip(&chosen) {
                *count += u32::from(*taken);
            }
        }
        // Each is taken 198 times on average, sd 10.
        assert!(counts.iter().all(|c| (140..256).contains(c)), "{counts:?}");
        random_half(3, 0, 0, &mut chosen);
        assert!(chosen.is_empty() && half_scale(1).is_none());
        assert_eq!(half_scale(10), Some(1.0));
    }

    #[test]
    fn the_scatter_of_halves_is_that_of_the_whole() {
        let values: Vec<f64> = (0..41).map(|i| f64::from(i * i % 17)).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let scale = half_scale(values.len()).expect("many");
        let (mut chosen, mut sum) = (Vec::new(), 0.0);
        for number in 0..4000 {
            random_half(1, number, values.len(), &mut chosen);
            let half: Vec<f64> = values
                .iter()
                .zip(&chosen)
                .filter(|(_, taken)| **taken)
                .map(|(v, _)| *v)
                .collect();
            let half_mean = half.iter().sum::<f64>() / half.len() as f64;
            sum += ((half_mean - mean) * scale).powi(2);
        }
        let ratio = sum / 4000.0 / (variance / n);
        assert!((0.9..1.1).contains(&ratio), "{ratio}");
    }
}

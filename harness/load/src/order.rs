//! The order of samples: one shuffled pass over the library after the other, so that every sample
//! is used equally often.
//!
//! Shuffling is Fisher-Yates, one step a query: no pass begins with a pause. The generator is
//! SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014;
//! the constants are those of `java.util.SplittableRandom`); bounded numbers are drawn without bias
//! by Lemire's method (ACM TOMACS 29, 2019). The order is a function of seed and library size
//! alone.

/// SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }
}

/// An endless sequence of samples.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    random: SplitMix64,
    samples: Vec<u32>,
    position: usize,
}

impl Order {
    /// Over the samples `0..library_size`.
    pub(crate) fn new(library_size: u32, seed: u64) -> Self {
        Self {
            random: SplitMix64::new(seed),
            samples: (0..library_size).collect(),
            position: 0,
        }
    }

    /// The next sample; 0 for an empty library. Allocates nothing.
    pub(crate) fn next(&mut self) -> u32 {
        let len = self.samples.len();
        let i = self.position;
        // Both indices lie in the list: i < len, and j = i + (0..len-i).
        let j = i + self.random.below((len - i) as u64) as usize;
        if len == 0 {
            return 0;
        }
        self.samples.swap(i, j);
        self.position = if i + 1 == len { 0 } else { i + 1 };
        self.samples[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_the_published_numbers() {
        // Seed 1234567, as listed for the reference implementation in C by Sebastiano Vigna
        // (Rosetta Code, "Pseudo-random numbers/Splitmix64").
        let mut random = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        for number in expected {
            assert_eq!(random.next(), number);
        }
    }

    #[test]
    fn every_pass_uses_every_sample_once_and_passes_differ() {
        let mut order = Order::new(37, 5);
        let passes: Vec<Vec<u32>> = (0..4)
            .map(|_| (0..37).map(|_| order.next()).collect())
            .collect();
        for pass in &passes {
            let mut sorted = pass.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..37).collect::<Vec<_>>());
        }
        assert_ne!(passes[0], passes[1]);
        let mut again = Order::new(37, 5);
        assert_eq!(passes[0], (0..37).map(|_| again.next()).collect::<Vec<_>>());
        let mut other = Order::new(37, 6);
        assert_ne!(passes[0], (0..37).map(|_| other.next()).collect::<Vec<_>>());
    }

    #[test]
    fn small_bounds_are_uniform() {
        let mut random = SplitMix64::new(7);
        let mut counts = [0_u32; 3];
        for _ in 0..30_000 {
            counts[random.below(3) as usize] += 1;
        }
        // 5 standard deviations of a binomial with n = 30,000 and p = 1/3 are 408.
        assert!(
            counts.iter().all(|c| c.abs_diff(10_000) < 408),
            "{counts:?}"
        );
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }
}

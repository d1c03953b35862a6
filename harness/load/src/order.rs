//! The order of samples: one pass over the library after the other, each in an order of its own, so
//! that every sample is used equally often.
//!
//! The sample of an arrival is a function of seed, library size and number of the arrival, so slots
//! need not agree on anything. The library is shuffled once (Fisher-Yates); pass k visits the
//! places `(step_k · i + offset_k) mod size` of that shuffled list, with a step that has no factor
//! in common with the size, so no pass begins with a pause. Pass 0 is the list itself. The
//! generator is SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
//! OOPSLA 2014; the constants are those of `java.util.SplittableRandom`); bounded numbers are drawn
//! without bias by Lemire's method (ACM TOMACS 29, 2019).

/// SplitMix64.
#[derive(Debug, Clone)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..bound`; 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64 {
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

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The shuffled library.
#[derive(Debug)]
pub(crate) struct Order {
    samples: Vec<u32>,
    /// Seeds the passes.
    key: u64,
}

impl Order {
    /// Over the samples `0..library_size`.
    pub(crate) fn new(library_size: u32, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut samples: Vec<u32> = (0..library_size).collect();
        for i in (1..samples.len()).rev() {
            samples.swap(i, random.below(i as u64 + 1) as usize);
        }
        Self {
            samples,
            key: random.next(),
        }
    }

    /// Step and offset of a pass; both below the size, which is at least 2.
    fn pass(&self, number: u64) -> (u64, u64) {
        let size = self.samples.len() as u64;
        if number == 0 {
            return (1, 0);
        }
        let mut random = SplitMix64::new(self.key ^ number);
        loop {
            let step = 1 + random.below(size - 1);
            if greatest_common_divisor(size, step) == 1 {
                return (step, random.below(size));
            }
        }
    }
}

/// A slot's place in the order. Moving on to a later arrival of the same pass costs an addition an
/// arrival.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    order: &'a Order,
    step: u64,
    offset: u64,
    /// The pass holds the arrivals from `first` up to `end`.
    first: u64,
    end: u64,
    /// The arrival that `place` is of.
    arrival: u64,
    place: u64,
}

/// Arrivals further ahead are reached by multiplication.
const WALK: u64 = 64;

impl<'a> Cursor<'a> {
    pub(crate) fn new(order: &'a Order) -> Self {
        Self {
            order,
            step: 0,
            offset: 0,
            first: 0,
            // A library of one sample has no passes to tell apart.
            end: if order.samples.len() < 2 { u64::MAX } else { 0 },
            arrival: 0,
            place: 0,
        }
    }

    /// The sample of `arrival`; 0 for an empty library. Allocates nothing.
    #[inline]
    pub(crate) fn sample(&mut self, arrival: u64) -> u32 {
        let ahead = arrival.wrapping_sub(self.arrival);
        if ahead > WALK || arrival >= self.end {
            self.seek(arrival);
        } else {
            let size = self.order.samples.len() as u64;
            for _ in 0..ahead {
                self.place += self.step;
                if self.place >= size {
                    self.place -= size;
                }
            }
        }
        self.arrival = arrival;
        self.order
            .samples
            .get(self.place as usize)
            .copied()
            .unwrap_or(0)
    }

    fn seek(&mut self, arrival: u64) {
        let size = self.order.samples.len() as u64;
        if size < 2 {
            return;
        }
        if arrival < self.first || arrival >= self.end {
            let pass = arrival / size;
            (self.step, self.offset) = self.order.pass(pass);
            self.first = pass * size;
            self.end = self.first.saturating_add(size);
        }
        // Both factors are below 2^32.
        self.place = (self.step * (arrival - self.first) + self.offset) % size;
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

    fn samples(size: u32, seed: u64, arrivals: impl Iterator<Item = u64>) -> Vec<u32> {
        let order = Order::new(size, seed);
        let mut cursor = Cursor::new(&order);
        arrivals.map(|n| cursor.sample(n)).collect()
    }

    #[test]
    fn every_pass_uses_every_sample_once_and_passes_differ() {
        for size in [1, 2, 3, 6, 37, 128, 1000] {
            let all = samples(size, 5, 0..u64::from(size) * 6);
            let passes: Vec<&[u32]> = all.chunks(size as usize).collect();
            for pass in &passes {
                let mut sorted = pass.to_vec();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..size).collect::<Vec<_>>());
            }
            if size > 10 {
                for (k, pass) in passes.iter().enumerate() {
                    assert!(!passes[k + 1..].contains(pass), "size {size} pass {k}");
                }
                assert_ne!(all, samples(size, 6, 0..u64::from(size) * 6));
            }
        }
        assert_eq!(samples(0, 5, 0..3), [0, 0, 0]);
    }

    #[test]
    fn a_slot_that_takes_some_arrivals_sees_the_same_order() {
        let all = samples(37, 9, 0..2000);
        for stride in [2_u64, 3, 7, 64, 65, 500] {
            let some = samples(37, 9, (1..2000).step_by(stride as usize));
            let expected: Vec<u32> = all
                .iter()
                .skip(1)
                .step_by(stride as usize)
                .copied()
                .collect();
            assert_eq!(some, expected, "every {stride}th");
        }
        // A large library, whose passes are longer than the walk.
        let all = samples(5000, 9, 0..12_000);
        let some = samples(5000, 9, (0..12_000).step_by(701));
        let expected: Vec<u32> = all.iter().step_by(701).copied().collect();
        assert_eq!(some, expected);
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

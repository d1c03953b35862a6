//! Random numbers that are the same on every platform: ChaCha with 8 rounds, one stream a picture,
//! integers only.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The generator of one picture. The ChaCha8 key is the seed (8 bytes, little-endian), the byte
/// `domain`, then zeros; the stream is the number of the picture, so any picture can be drawn
/// without those before it.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, domain: u8, picture: u32) -> Self {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = domain;
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(u64::from(picture));
        Self(rng)
    }

    /// 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number of `low..=high` (multiply and shift; the bias of 2^-32 does not matter here).
    pub(super) fn range(&mut self, low: i32, high: i32) -> i32 {
        let span = (i64::from(high) - i64::from(low) + 1).max(1) as u64;
        low + ((u64::from(self.bits()) * span) >> 32) as i32
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: i32) -> bool {
        self.range(0, 99) < percent
    }

    pub(super) fn color(&mut self) -> [i32; 3] {
        [self.range(0, 255), self.range(0, 255), self.range(0, 255)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_fixed() {
        let mut r = Random::new(1, 0, 0);
        let first: Vec<u32> = (0..3).map(|_| r.bits()).collect();
        let mut again = Random::new(1, 0, 0);
        assert_eq!(first, (0..3).map(|_| again.bits()).collect::<Vec<_>>());
        assert_ne!(first[0], Random::new(1, 0, 1).bits());
        assert_ne!(first[0], Random::new(1, 1, 0).bits());
        assert_ne!(first[0], Random::new(2, 0, 0).bits());
        let mut seen = [false; 4];
        for _ in 0..200 {
            let v = r.range(-1, 2);
            seen[usize::try_from(v + 1).expect("in -1..=2")] = true;
        }
        assert_eq!(seen, [true; 4]);
    }
}

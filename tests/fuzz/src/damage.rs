//! Damage to a valid input, the same on every machine: what a test without coverage can do.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Changes that one input gets at most.
const MAX_CHANGES: u32 = 4;
/// Bytes that formats read as ends, signs, lengths and limits.
const SPECIAL: &[u8] = &[
    0, 1, 0x7f, 0x80, 0xfe, 0xff, b'-', b'"', b'{', b'<', b'9', b'\n',
];
/// Longest block that is moved or removed.
const MAX_BLOCK: usize = 64;

/// Numbers below a bound, from a seed.
struct Dice(ChaCha8Rng);

impl Dice {
    /// A number below `bound`; 0 when there is none.
    fn below(&mut self, bound: usize) -> usize {
        match u64::try_from(bound) {
            Ok(bound) if bound > 0 => (self.0.next_u64() % bound) as usize,
            _ => 0,
        }
    }

    /// A block inside `len` bytes: its start and its end.
    fn block(&mut self, len: usize) -> (usize, usize) {
        let start = self.below(len);
        let longest = (len - start).min(MAX_BLOCK);
        (start, start + self.below(longest + 1))
    }
}

/// Calls `check` with `rounds` damaged copies of every seed.
pub(crate) fn damaged(seeds: &[Vec<u8>], rounds: usize, mut check: impl FnMut(&[u8])) {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(0));
    for seed in seeds {
        for _ in 0..rounds {
            let mut bytes = seed.clone();
            for _ in 0..=dice.below(MAX_CHANGES as usize) {
                change(&mut bytes, seeds, &mut dice);
            }
            check(&bytes);
        }
    }
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes.truncate(at),
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        2 => {
            let special = SPECIAL.get(dice.below(SPECIAL.len())).copied();
            if let (Some(byte), Some(special)) = (bytes.get_mut(at), special) {
                *byte = special;
            }
        }
        3 => {
            let (start, end) = dice.block(bytes.len());
            bytes.drain(start..end);
        }
        4 => {
            let (start, end) = dice.block(bytes.len());
            let block = bytes.get(start..end).unwrap_or_default().to_vec();
            bytes.splice(at..at, block);
        }
        _ => {
            // The end of another seed behind the start of this one.
            let other = seeds.get(dice.below(seeds.len())).map_or(&[][..], |s| s);
            let from = dice.below(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(from..).unwrap_or_default());
        }
    }
}

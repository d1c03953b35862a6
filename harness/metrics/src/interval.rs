//! Intervals of scores.

use dyno_core::{Interval, Score};
use dyno_stats::{half_scale, normal_two_sided, random_half, sample_variance, wilson};

/// Level of every interval.
pub const LEVEL: f64 = 0.95;
/// Method of intervals of average precision, with what they are intervals of.
const HALVES: &str = "random halves, for sets of as many such images";
/// Images below which a mean of average precisions gets no interval: a half of them holds too few
/// classes to say how much the mean scatters.
const LEAST_IMAGES: usize = 30;

/// Wilson's interval of a share.
pub(crate) fn wilson_interval(hits: u64, n: u64) -> Option<Interval> {
    wilson(hits, n, LEVEL).map(|(low, high)| Interval {
        method: "wilson".to_owned(),
        level: LEVEL,
        low,
        high,
    })
}

/// `value` ± z times the standard deviation of its values on random halves, scaled to the size of
/// the whole ([`half_scale`]); `None` where no two halves differ, which says nothing of how the
/// value scatters.
///
/// What it estimates: the mean value of sets of this many such images. It is not the value on a
/// larger set: average precision of a small set is biased upwards, and no resampling of the set
/// shows by how much. Coverage, and that of other constructions: docs/accuracy.md.
fn around(value: f64, halves: &[f64], scale: Option<f64>) -> Option<Interval> {
    let reach = normal_two_sided(LEVEL)? * sample_variance(halves)?.sqrt() * scale?;
    (reach > 0.0).then(|| Interval {
        method: HALVES.to_owned(),
        level: LEVEL,
        low: (value - reach).max(0.0),
        high: (value + reach).min(1.0),
    })
}

/// The halves of a set of images: which images belong to which half.
pub(crate) struct Halves {
    count: usize,
    images: usize,
    /// One bit an image, `words` words a half.
    bits: Vec<u64>,
    words: usize,
}

impl Halves {
    /// `count` random halves of `images` images; none for fewer than [`LEAST_IMAGES`].
    pub(crate) fn draw(images: usize, count: u32, seed: u64) -> Self {
        let count = if images < LEAST_IMAGES {
            0
        } else {
            count as usize
        };
        let words = images.div_ceil(64);
        let mut bits = Vec::with_capacity(count * words);
        let mut chosen = Vec::new();
        for number in 0..count {
            random_half(seed, number as u64, images, &mut chosen);
            bits.extend(chosen.chunks(64).map(|chunk| {
                chunk
                    .iter()
                    .rev()
                    .fold(0u64, |word, &taken| word << 1 | u64::from(taken))
            }));
        }
        Self {
            count,
            images,
            bits,
            words,
        }
    }

    /// How many halves there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// 1 for an image of the half, 0 for another.
    pub(crate) fn weight(&self, half: usize, image: u32) -> u32 {
        if image as usize >= self.images {
            return 0;
        }
        let word = self.bits.get(half * self.words + image as usize / 64);
        word.map_or(0, |w| (w >> (image % 64) & 1) as u32)
    }

    /// Puts an interval on the score called `name`. `values`: its value on every half, `None` where
    /// a half has nothing to judge.
    pub(crate) fn interval(&self, scores: &mut [Score], name: &str, values: &[Option<f64>]) {
        let values: Vec<f64> = values.iter().copied().flatten().collect();
        let score = scores.iter_mut().find(|s| s.metric == name);
        if let Some((score, value)) = score.and_then(|s| s.value.map(|v| (s, v))) {
            score.interval = around(value, &values, half_scale(self.images));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_know_their_images() {
        let halves = Halves::draw(131, 20, 7);
        let mut chosen = Vec::new();
        for half in 0..halves.count() {
            random_half(7, half as u64, 131, &mut chosen);
            for (image, taken) in (0u32..).zip(&chosen) {
                assert_eq!(halves.weight(half, image), u32::from(*taken));
            }
        }
        assert_eq!(halves.weight(3, 200), 0, "no such image");
        assert_eq!(Halves::draw(29, 20, 7).count(), 0, "too few images");
    }

    #[test]
    fn the_interval_is_the_scatter_of_the_halves() {
        let interval = around(0.5, &[0.4, 0.6, 0.4, 0.6], Some(1.0)).expect("they differ");
        let sd = (4.0f64 * 0.01 / 3.0).sqrt();
        assert!((interval.high - interval.low - 2.0 * 1.959_963_984_540_054 * sd).abs() < 1e-12);
        assert!(interval.method.contains("for sets of as many such images"));
        let (low, high) =
            around(0.9, &[0.2, 0.8], Some(1.0)).map_or((0.0, 0.0), |i| (i.low, i.high));
        assert!(low < 0.9 && (high - 1.0).abs() < 1e-12, "cut at 1");
        assert_eq!(
            around(1.0, &[1.0, 1.0, 1.0], Some(1.0)),
            None,
            "nothing is known"
        );
        assert_eq!(around(0.5, &[0.4], Some(1.0)), None);
    }
}

//! From matches to precision and recall, each image counting as often as its weight says.
//!
//! Source: pycocotools 2.0.11, `COCOeval.accumulate` and `summarize`. An image of weight w stands
//! for w copies of it. Only hits need a place on the curve: between two hits precision falls, and
//! within the w copies of a hit it rises, so the envelope from the right is the same with the last
//! copy alone. With all weights 1 the bits equal hotcoco's.

use super::{gather::ClassMatches, matching::THRESHOLDS};

/// Points of recall at which precision is read: 0.00, 0.01, … 1.00.
pub(super) const RECALLS: usize = 101;

/// Precision and recall of every class in one area range under one cap of detections.
#[derive(Debug, Default)]
pub(super) struct Curves {
    /// Per class that has objects: its position, its start in `precision`, its recall at each
    /// overlap.
    classes: Vec<(usize, [f64; THRESHOLDS])>,
    /// `[class with objects][overlap][recall]`.
    precision: Vec<f64>,
    points: [Vec<(u64, f64)>; THRESHOLDS],
    sum: Vec<f64>,
}

/// `numpy.mean` of `values`, bit for bit: numpy adds pairwise (`pairwise_sum` of
/// `loops_utils.h.src`). `None` of nothing.
pub(super) fn numpy_mean(values: &[f64]) -> Option<f64> {
    fn sum(v: &[f64]) -> f64 {
        if v.len() < 8 {
            return v.iter().fold(0.0, |s, x| s + x);
        }
        if v.len() > 128 {
            let half = v.len() / 2;
            let (left, right) = v.split_at(half - half % 8);
            return sum(left) + sum(right);
        }
        let blocks = v.chunks_exact(8);
        let tail = blocks.remainder();
        let mut lanes = [0.0; 8];
        for block in blocks {
            lanes.iter_mut().zip(block).for_each(|(lane, x)| *lane += x);
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        tail.iter()
            .fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |s, x| s + x)
    }
    if values.is_empty() {
        None
    } else {
        Some(sum(values) / values.len() as f64)
    }
}

impl Curves {
    /// Forgets all classes.
    pub(super) fn clear(&mut self) {
        self.classes.clear();
        self.precision.clear();
    }

    /// Adds the class at `position`, unless none of its objects counts. `weight`: how often the
    /// image at a position counts. `area`: index of the area range. `cap`: most detections of a
    /// class and image.
    pub(super) fn add(
        &mut self,
        position: usize,
        class: &ClassMatches,
        weight: impl Fn(u32) -> u32,
        area: usize,
        cap: u32,
        recalls: &[f64],
    ) {
        let weight = |image: u32| u64::from(weight(image));
        let objects: u64 = class
            .truths
            .iter()
            .map(|(image, counts)| {
                weight(*image) * u64::from(counts.get(area).copied().unwrap_or(0))
            })
            .sum();
        if objects == 0 {
            return;
        }
        self.points.iter_mut().for_each(Vec::clear);
        let (mut seen, mut hits, mut ignored) = (0u64, [0u64; THRESHOLDS], [0u64; THRESHOLDS]);
        for placed in &class.found {
            let w = weight(placed.image);
            if w == 0 || placed.rank >= cap {
                continue;
            }
            let flags = placed.flags.get(area).copied().unwrap_or_default();
            seen += w;
            for t in bits(flags.ignored) {
                ignored[t] += w;
            }
            for t in bits(flags.hit) {
                hits[t] += w;
                // pycocotools adds numpy's spacing of 1 to the denominator.
                self.points[t].push((
                    hits[t],
                    hits[t] as f64 / ((seen - ignored[t]) as f64 + f64::EPSILON),
                ));
            }
        }
        for points in &mut self.points {
            let mut best = 0.0f64;
            for (_, precision) in points.iter_mut().rev() {
                best = best.max(*precision);
                *precision = best;
            }
            let mut rest = points.iter().peekable();
            for &recall in recalls {
                while rest
                    .next_if(|(hits, _)| (*hits as f64 / objects as f64) < recall)
                    .is_some()
                {}
                // Recall 0 is met before the first hit; the envelope there is the same.
                self.precision
                    .push(rest.peek().map_or(0.0, |(_, precision)| *precision));
            }
        }
        self.classes
            .push((position, hits.map(|h| h as f64 / objects as f64)));
    }

    /// Mean precision over overlaps `from..to` and classes; `None` when no class has objects.
    pub(super) fn mean_precision(&mut self, from: usize, to: usize) -> Option<f64> {
        self.sum.clear();
        let stride = THRESHOLDS * RECALLS;
        for at in from * RECALLS..to * RECALLS {
            self.sum
                .extend(self.precision.iter().skip(at).step_by(stride));
        }
        numpy_mean(&self.sum)
    }

    /// Mean of the greatest recall over overlaps and classes; `None` when no class has objects.
    pub(super) fn mean_recall(&mut self) -> Option<f64> {
        self.sum.clear();
        for t in 0..THRESHOLDS {
            self.sum
                .extend(self.classes.iter().map(|(_, recall)| recall[t]));
        }
        numpy_mean(&self.sum)
    }

    /// Precision of the class at `position` at the overlaps `from..to`: one list of recalls after
    /// the other. `None` when it has no objects.
    pub(super) fn of_class(&self, position: usize, from: usize, to: usize) -> Option<&[f64]> {
        let at = self.classes.iter().position(|(p, _)| *p == position)?;
        let start = at * THRESHOLDS * RECALLS;
        self.precision
            .get(start + from * RECALLS..start + to * RECALLS)
    }

    /// Mean of the greatest recall of the class at `position` over overlaps.
    pub(super) fn class_recall(&self, position: usize) -> Option<f64> {
        let (_, recalls) = self.classes.iter().find(|(p, _)| *p == position)?;
        numpy_mean(recalls)
    }
}

/// Indices of the bits that are set.
fn bits(mut word: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let at = word.trailing_zeros() as usize;
        word &= word - 1;
        Some(at)
    })
}

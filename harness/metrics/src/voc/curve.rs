//! Average precision of one class, each image counting as often as its weight says.
//!
//! Source: VOCdevkit 2012 (`VOCap.m`, all points: the area under the envelope) and 2007 (the mean
//! of the envelope at recall 0, 0.1, … 1).

use super::matching::ClassMatches;

/// The two averages of a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AveragePrecision {
    pub(super) all_points: f64,
    pub(super) eleven_points: f64,
}

/// `None` when no object counts. `points` is working memory.
pub(super) fn average_precision(
    class: &ClassMatches,
    weight: impl Fn(u32) -> u32,
    points: &mut Vec<(f64, f64)>,
) -> Option<AveragePrecision> {
    let weight = |image: u32| u64::from(weight(image));
    let objects: u64 = class
        .truths
        .iter()
        .map(|&(image, n)| weight(image) * u64::from(n))
        .sum();
    if objects == 0 {
        return None;
    }
    points.clear();
    let (mut seen, mut hits) = (0u64, 0u64);
    for &(_, image, hit) in &class.judged {
        let w = weight(image);
        seen += w;
        if hit && w > 0 {
            hits += w;
            points.push((hits as f64 / objects as f64, hits as f64 / seen as f64));
        }
    }
    // Precision only falls between hits, so the envelope at the hits is the whole envelope.
    let mut best = 0.0f64;
    for (_, precision) in points.iter_mut().rev() {
        best = best.max(*precision);
        *precision = best;
    }
    let (mut all_points, mut before) = (0.0, 0.0);
    for &(recall, precision) in points.iter() {
        all_points += (recall - before) * precision;
        before = recall;
    }
    let at = |i: u32| {
        points
            .iter()
            .find(|(recall, _)| *recall >= f64::from(i) * 0.1)
            .map_or(0.0, |(_, precision)| *precision)
    };
    Some(AveragePrecision {
        all_points,
        eleven_points: (0..=10).map(at).sum::<f64>() / 11.0,
    })
}

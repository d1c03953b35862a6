//! What a model says of a sample, after decoding.

use crate::{boxes::Xyxy, labels::LabelId};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A class with its score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankedClass {
    /// The class.
    pub label: LabelId,
    /// Its score; greater is likelier. Probabilities or logits, as the model gives.
    pub score: f32,
}

/// The best classes of an image: by falling score, equal scores by rising class index.
///
/// Holds *every* class whose score is at least that of rank `k`, so that a metric up to top-`k` can
/// tell what ties do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// The rank down to which the list is complete.
    pub k: u32,
    /// The classes; more than `k` of them when scores tie at rank `k`.
    pub classes: Vec<RankedClass>,
}

impl Ranking {
    /// Ranks dense `scores` (index = class id). A NaN score ranks last and is never listed.
    pub fn from_scores(scores: &[f32], k: u32) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32)
            .filter(|&i| !scores[i as usize].is_nan())
            .collect();
        // Not `total_cmp`: zeros of both signs are one score.
        let by_rank = |a: &u32, b: &u32| {
            scores[*b as usize]
                .partial_cmp(&scores[*a as usize])
                .unwrap_or(Ordering::Equal)
                .then(a.cmp(b))
        };
        let k_index = (k as usize).min(order.len());
        if k_index == 0 {
            return Self {
                k,
                classes: Vec::new(),
            };
        }
        order.select_nth_unstable_by(k_index - 1, by_rank);
        let threshold = scores[order[k_index - 1] as usize];
        let mut best: Vec<u32> = order
            .into_iter()
            .filter(|&i| scores[i as usize] >= threshold)
            .collect();
        best.sort_unstable_by(by_rank);
        Self {
            k,
            classes: best
                .into_iter()
                .map(|i| RankedClass {
                    label: LabelId(i),
                    score: scores[i as usize],
                })
                .collect(),
        }
    }
}

/// One detected object.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Its class.
    pub label: LabelId,
    /// Its score.
    pub score: f32,
    /// Where it is, in pixels of the original image.
    pub bbox: Xyxy,
}

/// What a model says of one sample. Class ids are the model's until the runner maps them to the
/// dataset's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// Classification.
    Ranking(Ranking),
    /// Detection: by falling score.
    Detections(Vec<Detection>),
}

/// What kind of thing a decoder says of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictionKind {
    /// [`Prediction::Ranking`].
    Ranking,
    /// [`Prediction::Detections`].
    Detections,
}

impl Prediction {
    /// Its kind.
    pub fn kind(&self) -> PredictionKind {
        match self {
            Self::Ranking(_) => PredictionKind::Ranking,
            Self::Detections(_) => PredictionKind::Detections,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_kept_beyond_rank_k_and_ordered_by_index() {
        let r = Ranking::from_scores(&[0.5, 0.9, 0.5, 0.1, f32::NAN, 0.5], 2);
        assert_eq!(
            r.classes.iter().map(|c| c.label.0).collect::<Vec<_>>(),
            [1, 0, 2, 5]
        );
        assert_eq!(Ranking::from_scores(&[f32::NAN], 5).classes, []);
        assert_eq!(
            Ranking::from_scores(&[0.0, -0.0], 1).classes.len(),
            2,
            "zeros of both signs tie"
        );
    }
}

//! When outputs are no better than guessing.
//!
//! A model at chance level was given the wrong preprocessing, labels or decoder, and its speed says
//! nothing. The rule must catch that on a few hundred images and must not accuse a good model on a
//! handful.

use crate::interval::LEVEL;
use dyno_core::Score;
use dyno_stats::wilson;

/// Top-1 is at chance when the upper end of its Wilson interval is not above `1/classes` by more
/// than this: no classifier in use is that poor, and shifted labels still hit a few percent through
/// classes that look alike.
pub const CHANCE_MARGIN: f64 = 0.05;

/// AP50 and VOC-AP below this are at chance: outputs of a detector read in the wrong order score
/// about 0.0002 (nanodet), the poorest real one 0.13.
pub const CHANCE_AP50: f64 = 0.005;

/// Images below which an AP near zero accuses nobody.
pub const CHANCE_SAMPLES: u64 = 10;

/// Whether one of `scores` (`top-1`, `AP50` or `VOC-AP`) is no better than chance. `classes`:
/// number of classes of the dataset.
pub fn is_chance(scores: &[Score], classes: usize) -> bool {
    scores.iter().any(|score| match score.metric.as_str() {
        "top-1" => score
            .hits
            .and_then(|hits| wilson(hits, score.n, LEVEL))
            .is_some_and(|(_, high)| high <= 1.0 / classes.max(1) as f64 + CHANCE_MARGIN),
        "AP50" | "VOC-AP" => {
            score.n >= CHANCE_SAMPLES && score.value.is_some_and(|v| v < CHANCE_AP50)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(metric: &str, value: f64, n: u64, hits: Option<u64>) -> Score {
        Score {
            metric: metric.to_owned(),
            value: Some(value),
            n,
            hits,
            interval: None,
            optimistic: None,
            pessimistic: None,
        }
    }

    #[test]
    fn guessing_is_told_from_a_poor_model_and_from_a_small_sample() {
        struct Case {
            score: Score,
            classes: usize,
            chance: bool,
        }
        let cases = [
            Case {
                score: score("top-1", 0.0, 260, Some(0)),
                classes: 1000,
                chance: true,
            },
            Case {
                score: score("top-1", 0.0, 2, Some(0)),
                classes: 1000,
                chance: false,
            },
            Case {
                score: score("top-1", 186.0 / 260.0, 260, Some(186)),
                classes: 1000,
                chance: false,
            },
            Case {
                score: score("top-1", 0.1, 260, Some(26)),
                classes: 1000,
                chance: false,
            },
            Case {
                score: score("top-1", 0.5, 2000, Some(1000)),
                classes: 2,
                chance: true,
            },
            Case {
                score: score("top-1", 0.9, 20, Some(18)),
                classes: 2,
                chance: false,
            },
            Case {
                score: score("AP50", 0.0002, 128, None),
                classes: 80,
                chance: true,
            },
            Case {
                score: score("AP50", 0.3047, 128, None),
                classes: 80,
                chance: false,
            },
            Case {
                score: score("AP50", 0.0, 3, None),
                classes: 80,
                chance: false,
            },
            Case {
                score: score("VOC-AP", 0.001, 100, None),
                classes: 20,
                chance: true,
            },
            Case {
                score: score("AP75", 0.0, 100, None),
                classes: 20,
                chance: false,
            },
        ];
        for (i, case) in cases.into_iter().enumerate() {
            assert_eq!(
                is_chance(&[case.score], case.classes),
                case.chance,
                "case {i}"
            );
        }
    }
}

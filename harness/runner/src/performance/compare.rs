//! Whether what was timed was right: outputs of a random part of the timed queries against those of
//! the accuracy run (MLPerf's audit TEST01).
//!
//! Equal bits are equal. Where threads, batch or machine of the two halves differ, sums run in
//! another order and bits may differ; then the predictions, decoded from both with the thresholds of
//! evaluation, must agree within [`SCORE_TOLERANCE`]. All of it happens between queries, in no
//! latency.

use super::expected::Expected;
use dyno_core::{Detection, Prediction, Ranking};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The first so many queries are compared, whatever the die says: a run with few queries has few
/// tenths.
const FIRST: u64 = 32;
/// Of the others one in so many.
const ONE_IN: u64 = 10;
/// No more than this many: a run of millions of queries shows no more by more of them.
const MOST: u64 = 4096;

/// Greatest difference between two scores, relative to the greater of them where they are above 1
/// (logits).
pub(super) const SCORE_TOLERANCE: f32 = 1e-3;
/// Detections below this score are not looked at: suppression makes and drops them by the last bit.
const LEAST_SCORE: f32 = 0.05;
/// Boxes are the same from this overlap on.
const LEAST_IOU: f64 = 0.9;
/// One detection in so many may be without a partner: suppression is a jump.
const ONE_UNMATCHED_IN: usize = 100;
/// Differences that are kept in words.
const NAMED: usize = 3;

/// The comparisons of one measurement, all slots and trials together.
pub(super) struct Comparison {
    expected: BTreeMap<usize, Expected>,
    seed: u64,
    warmup_queries: u64,
    compared: AtomicU64,
    different: AtomicU64,
    words: Mutex<Vec<String>>,
}

impl Comparison {
    pub(super) fn new(expected: BTreeMap<usize, Expected>, seed: u64, warmup_queries: u64) -> Self {
        Self {
            expected,
            seed,
            warmup_queries,
            compared: AtomicU64::new(0),
            different: AtomicU64::new(0),
            words: Mutex::default(),
        }
    }

    /// Whether the outputs of a query are looked at.
    pub(super) fn chooses(&self, query: u64) -> bool {
        query.checked_sub(self.warmup_queries).is_some_and(|n| {
            (n < FIRST || mix(self.seed ^ mix(n)).is_multiple_of(ONE_IN))
                && self.compared.load(Ordering::Relaxed) < MOST
        })
    }

    pub(super) fn expected(&self, position: usize) -> Option<&Expected> {
        self.expected.get(&position)
    }

    /// A query was compared; `different` says in words in what.
    pub(super) fn count(&self, different: Option<String>) {
        self.compared.fetch_add(1, Ordering::Relaxed);
        if let Some(words) = different {
            self.different.fetch_add(1, Ordering::Relaxed);
            let mut kept = self.words.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < NAMED {
                kept.push(words);
            }
        }
    }

    pub(super) fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    /// What differed, in words.
    pub(super) fn differences(&self) -> Option<String> {
        let different = self.different.load(Ordering::Relaxed);
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        (different > 0).then(|| {
            format!(
                "{different} of {} compared queries gave other outputs than the accuracy run: {}",
                self.compared(),
                words.join("; ")
            )
        })
    }
}

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= SCORE_TOLERANCE * a.abs().max(b.abs()).max(1.0)
}

/// In what two predictions of one sample differ by more than the order of sums explains.
pub(super) fn difference(expected: &Prediction, found: &Prediction) -> Option<String> {
    match (expected, found) {
        (Prediction::Ranking(a), Prediction::Ranking(b)) => of_rankings(a, b),
        (Prediction::Detections(a), Prediction::Detections(b)) => of_detections(a, b),
        (Prediction::Ranking(_), Prediction::Detections(_))
        | (Prediction::Detections(_), Prediction::Ranking(_)) => {
            Some("another kind of prediction".to_owned())
        }
    }
}

/// Scores by rank: a class that ties with its neighbour may change places with it.
fn of_rankings(a: &Ranking, b: &Ranking) -> Option<String> {
    let both = a.classes.len().min(b.classes.len());
    let least = (a.k as usize).min(a.classes.len());
    if both < least {
        return Some(format!("{both} ranks instead of {least}"));
    }
    let pairs = a.classes.iter().zip(&b.classes).enumerate();
    for (rank, (x, y)) in pairs {
        if !near(x.score, y.score) {
            return Some(format!(
                "score {} instead of {} at rank {}",
                y.score,
                x.score,
                rank + 1
            ));
        }
    }
    let (x, y) = (a.classes.first()?, b.classes.first()?);
    let tied = a
        .classes
        .iter()
        .any(|c| c.label == y.label && near(c.score, x.score));
    (x.label != y.label && !tied)
        .then(|| format!("class {} instead of {} at rank 1", y.label.0, x.label.0))
}

fn of_detections(a: &[Detection], b: &[Detection]) -> Option<String> {
    let kept = |list: &[Detection]| -> Vec<Detection> {
        let above = list.iter().filter(|d| d.score >= LEAST_SCORE);
        above.copied().collect()
    };
    // Of one list those well above the threshold, of the other also those that just miss it.
    let without = |list: &[Detection], partners: &[Detection]| {
        list.iter()
            .filter(|d| d.score >= LEAST_SCORE + SCORE_TOLERANCE)
            .filter(|d| {
                !partners.iter().any(|p| {
                    p.label == d.label && near(p.score, d.score) && p.bbox.iou(&d.bbox) >= LEAST_IOU
                })
            })
            .count()
    };
    let (kept_a, kept_b) = (kept(a), kept(b));
    let most = kept_a.len().max(kept_b.len());
    let unmatched = without(&kept_a, &kept_b).max(without(&kept_b, &kept_a));
    (unmatched > most / ONE_UNMATCHED_IN).then(|| {
        format!("{unmatched} of {most} detections above a score of {LEAST_SCORE} have no partner")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::{LabelId, RankedClass, Xyxy};

    #[test]
    fn a_tenth_is_chosen_and_the_first_ones_always() {
        let comparison = Comparison::new(BTreeMap::new(), 7, 100);
        let chosen = |range: std::ops::Range<u64>| range.filter(|q| comparison.chooses(*q)).count();
        assert_eq!((chosen(0..100), chosen(100..132)), (0, 32));
        let later = chosen(132..100_132);
        assert!((9_500..10_500).contains(&later), "{later}");
        let other = Comparison::new(BTreeMap::new(), 8, 100);
        assert!((132..1000).any(|q| comparison.chooses(q) != other.chooses(q)));
        for n in 0..MOST {
            comparison.count((n == 5).then(|| "`x`: class 1 instead of 2".to_owned()));
        }
        assert_eq!(chosen(100..1000), 0, "enough");
        assert_eq!(
            comparison.differences().as_deref(),
            Some(
                "1 of 4096 compared queries gave other outputs than the accuracy run: `x`: class 1 instead of 2"
            )
        );
    }

    fn ranking(classes: &[(u32, f32)]) -> Prediction {
        Prediction::Ranking(Ranking {
            k: 2,
            classes: classes
                .iter()
                .map(|&(label, score)| RankedClass {
                    label: LabelId(label),
                    score,
                })
                .collect(),
        })
    }

    #[test]
    fn rankings_may_differ_by_the_order_of_sums() {
        let a = ranking(&[(3, 0.9), (1, 0.05)]);
        assert_eq!(difference(&a, &ranking(&[(3, 0.900_2), (1, 0.05)])), None);
        assert!(difference(&a, &ranking(&[(3, 0.91), (1, 0.05)])).is_some());
        assert!(difference(&a, &ranking(&[(2, 0.9), (1, 0.05)])).is_some());
        assert!(difference(&a, &ranking(&[(3, 0.9)])).is_some());
        let tie = ranking(&[(3, 0.5), (1, 0.499_9)]);
        assert_eq!(difference(&tie, &ranking(&[(1, 0.5), (3, 0.499_9)])), None);
        let logits = ranking(&[(3, 20.0), (1, 5.0)]);
        assert_eq!(difference(&logits, &ranking(&[(3, 20.01), (1, 5.0)])), None);
    }

    fn detections(list: &[(u32, f32, f64)]) -> Prediction {
        Prediction::Detections(
            list.iter()
                .map(|&(label, score, x)| Detection {
                    label: LabelId(label),
                    score,
                    bbox: Xyxy {
                        x1: x,
                        y1: 0.0,
                        x2: x + 100.0,
                        y2: 100.0,
                    },
                })
                .collect(),
        )
    }

    #[test]
    fn detections_need_partners() {
        let a = detections(&[(1, 0.9, 0.0), (2, 0.3, 50.0), (2, 0.01, 7.0)]);
        let near = detections(&[(1, 0.900_5, 0.5), (2, 0.3, 50.0)]);
        assert_eq!(difference(&a, &near), None);
        for wrong in [
            detections(&[(1, 0.9, 0.0)]),
            detections(&[(1, 0.9, 0.0), (2, 0.31, 50.0)]),
            detections(&[(1, 0.9, 0.0), (2, 0.3, 80.0)]),
            detections(&[(1, 0.9, 0.0), (3, 0.3, 50.0)]),
            detections(&[(1, 0.9, 0.0), (2, 0.3, 50.0), (4, 0.6, 300.0)]),
            ranking(&[]),
        ] {
            assert!(difference(&a, &wrong).is_some(), "{wrong:?}");
        }
    }
}

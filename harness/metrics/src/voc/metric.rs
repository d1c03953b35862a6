//! The row `voc-ap`: VOC's average precision, all-point and 11-point.

use super::{
    curve::{AveragePrecision, average_precision},
    matching::{ClassMatches, Outcome, match_image},
};
use crate::{
    interval::Halves,
    state::{BySample, CHANCE_AP50, CHANCE_SAMPLES, DetectedImage, Matched},
};
use dyno_core::{
    Annotation, AnnotationKind, Detail, Metric, MetricContext, MetricError, MetricKind, Prediction,
    PredictionKind, SampleIndex, Score,
};
use rayon::prelude::*;
use serde::Deserialize;
use std::any::Any;

pub(super) const ID: &str = "voc-ap";
const NAMES: [&str; 2] = ["VOC-AP", "VOC-AP-11"];

/// The row `voc-ap`; parameters `{"iou": 0.5}`.
///
/// Scores: `VOC-AP` (all points) and `VOC-AP-11` (11 points), the means over classes that have
/// objects, with intervals from 30 images on. A class without an object that counts is left out of
/// the means and has no value. Details: `per-class`, `per-image`, `precision-recall`, `matches`.
#[derive(Debug, Clone, Copy)]
pub struct VocAp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    iou: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { iou: 0.5 }
    }
}

impl MetricKind for VocAp {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "VOC's average precision by the development kit's rules, all-point and 11-point (iou: 0.5)"
    }

    fn accepts(&self, prediction: PredictionKind, annotation: AnnotationKind) -> bool {
        (prediction, annotation) == (PredictionKind::Detections, AnnotationKind::Objects)
    }

    /// Of `VOC-AP` alone.
    fn chance(&self, score: &Score, _classes: usize) -> Option<f64> {
        (score.metric == "VOC-AP" && score.n >= CHANCE_SAMPLES).then_some(CHANCE_AP50)
    }

    fn build(&self, context: &MetricContext<'_>) -> Result<Box<dyn Metric>, MetricError> {
        let refuse = |reason: String| MetricError::Parameters { metric: ID, reason };
        let Parameters { iou } = match context.parameters {
            serde_json::Value::Null => Parameters::default(),
            value => Parameters::deserialize(value).map_err(|e| refuse(e.to_string()))?,
        };
        if !(iou > 0.0 && iou <= 1.0) {
            return Err(refuse(format!(
                "`iou` must lie above 0 and not above 1: {iou}"
            )));
        }
        Ok(Box::new(State {
            iou,
            names: context
                .labels
                .labels
                .iter()
                .map(|l| l.name.clone())
                .collect(),
            samples: BySample::default(),
        }))
    }
}

pub(super) struct State {
    pub(super) iou: f64,
    pub(super) names: Vec<String>,
    pub(super) samples: BySample<Matched<Outcome>>,
}

/// Means over the classes that have objects: all points, 11 points.
fn means(classes: &[Option<AveragePrecision>]) -> [Option<f64>; 2] {
    let of = |f: fn(&AveragePrecision) -> f64| {
        dyno_stats::mean(&classes.iter().flatten().map(f).collect::<Vec<_>>())
    };
    [of(|ap| ap.all_points), of(|ap| ap.eleven_points)]
}

impl State {
    pub(super) fn outcomes(&self) -> Vec<&Outcome> {
        self.samples.iter().map(|(_, m)| &m.outcome).collect()
    }

    fn scores(&self, weights: &[u32]) -> Vec<Score> {
        let outcomes = self.outcomes();
        let weight = |image: u32| weights.get(image as usize).copied().unwrap_or(0);
        let (mut class, mut points) = (ClassMatches::default(), Vec::new());
        let classes: Vec<_> = (0..self.names.len() as u32)
            .map(|label| {
                class.fill(&outcomes, label);
                average_precision(&class, weight, &mut points)
            })
            .collect();
        let n = weights.iter().map(|&w| u64::from(w)).sum();
        NAMES
            .iter()
            .zip(means(&classes))
            .map(|(name, value)| Score {
                metric: (*name).to_owned(),
                value,
                n,
                hits: None,
                interval: None,
                optimistic: None,
                pessimistic: None,
            })
            .collect()
    }

    /// Both means on every half, class by class: the memory is that of one class and of two numbers
    /// a half.
    fn on_halves(&self, halves: &Halves) -> [Vec<Option<f64>>; 2] {
        let outcomes = self.outcomes();
        let mut sums = vec![([0.0f64; 2], 0u32); halves.count()];
        let mut class = ClassMatches::default();
        for label in 0..self.names.len() as u32 {
            class.fill(&outcomes, label);
            class.cut();
            let numbered = sums.par_iter_mut().enumerate();
            numbered.for_each_init(Vec::new, |points, (half, (sums, classes))| {
                let weight = |image| halves.weight(half, image);
                if let Some(ap) = average_precision(&class, weight, points) {
                    *classes += 1;
                    for (sum, v) in sums.iter_mut().zip([ap.all_points, ap.eleven_points]) {
                        *sum += v;
                    }
                }
            });
        }
        std::array::from_fn(|at| {
            sums.iter()
                .map(|(sums, classes)| {
                    let sum = sums.get(at).copied()?;
                    (*classes > 0).then(|| sum / f64::from(*classes))
                })
                .collect()
        })
    }
}

impl Metric for State {
    fn update(
        &mut self,
        sample: SampleIndex,
        prediction: &Prediction,
        annotation: &Annotation,
    ) -> Result<(), MetricError> {
        let image = DetectedImage::new(ID, self.names.len(), sample, prediction, annotation)?;
        let outcome = match_image(&image, self.names.len(), self.iou);
        self.samples.insert(sample, image.matched(outcome))
    }

    fn merge(&mut self, other: Box<dyn Metric>) -> Result<(), MetricError> {
        let other = (other as Box<dyn Any>)
            .downcast::<Self>()
            .map_err(|_| MetricError::Merge { metric: ID })?;
        if other.names != self.names || other.iou.to_bits() != self.iou.to_bits() {
            return Err(MetricError::Merge { metric: ID });
        }
        self.samples.merge(other.samples)
    }

    fn finish(
        &self,
        weights: Option<&dyn Fn(SampleIndex) -> u32>,
    ) -> Result<Vec<Score>, MetricError> {
        let weights: Vec<u32> = self
            .samples
            .iter()
            .map(|(sample, _)| weights.map_or(1, |w| w(sample)))
            .collect();
        Ok(self.scores(&weights))
    }

    fn finish_with_intervals(&self, resamples: u32, seed: u64) -> Result<Vec<Score>, MetricError> {
        let n = self.samples.len();
        let mut scores = self.scores(&vec![1; n]);
        let halves = Halves::draw(n, resamples, seed);
        for (name, values) in NAMES.into_iter().zip(&self.on_halves(&halves)) {
            halves.interval(&mut scores, name, values);
        }
        Ok(scores)
    }

    fn class_scores(&self) -> Vec<String> {
        super::details::CLASS_SCORES.map(ToOwned::to_owned).to_vec()
    }

    fn details(
        &self,
        sample_id: &dyn Fn(SampleIndex) -> String,
    ) -> Result<Vec<Detail>, MetricError> {
        super::details::details(self, sample_id)
    }
}

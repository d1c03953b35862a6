//! The row `coco-ap`: COCO's twelve numbers.

use super::{
    accumulate::Curves,
    categories::Categories,
    gather::ClassMatches,
    matching::{AREAS, CAP, Grids, Outcome, THRESHOLDS, match_image},
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
use std::any::Any;

pub(super) const ID: &str = "coco-ap";

/// The twelve numbers in pycocotools' order.
const NAMES: [&str; 12] = [
    "AP",
    "AP50",
    "AP75",
    "AP_small",
    "AP_medium",
    "AP_large",
    "AR@1",
    "AR@10",
    "AR@100",
    "AR_small",
    "AR_medium",
    "AR_large",
];

/// The row `coco-ap`; no parameters.
///
/// Scores:
/// `AP AP50 AP75 AP_small AP_medium AP_large AR@1 AR@10 AR@100 AR_small AR_medium AR_large`. A value
/// is absent where pycocotools gives -1: no object of that kind. `AP`, `AP50` and `AP75` get
/// intervals from 30 images on. Details: `per-class`, `per-image`, `precision-recall`, `matches`.
#[derive(Debug, Clone, Copy)]
pub struct CocoAp;

impl MetricKind for CocoAp {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "COCO's twelve numbers of boxes, as pycocotools computes them"
    }

    fn accepts(&self, prediction: PredictionKind, annotation: AnnotationKind) -> bool {
        (prediction, annotation) == (PredictionKind::Detections, AnnotationKind::Objects)
    }

    /// Of `AP50` alone.
    fn chance(&self, score: &Score, _classes: usize) -> Option<f64> {
        (score.metric == "AP50" && score.n >= CHANCE_SAMPLES).then_some(CHANCE_AP50)
    }

    fn build(&self, context: &MetricContext<'_>) -> Result<Box<dyn Metric>, MetricError> {
        let refuse = |reason: String| MetricError::Parameters { metric: ID, reason };
        let empty = context.parameters.is_null()
            || context
                .parameters
                .as_object()
                .is_some_and(serde_json::Map::is_empty);
        if !empty {
            return Err(refuse("it has no parameters".to_owned()));
        }
        let categories = Categories::new(context.labels)
            .map_err(|id| refuse(format!("two classes have the category id {id}")))?;
        Ok(Box::new(State {
            categories,
            grids: Grids::new(),
            samples: BySample::default(),
        }))
    }
}

pub(super) struct State {
    pub(super) categories: Categories,
    pub(super) grids: Grids,
    pub(super) samples: BySample<Matched<Outcome>>,
}

/// A sample and its position among the samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) sample: SampleIndex,
    position: u32,
}

impl State {
    /// The images by rising image id, each with its place in the order of samples.
    pub(super) fn by_image_id(&self) -> (Vec<Place>, Vec<&Outcome>) {
        let mut images: Vec<_> = (0u32..)
            .zip(self.samples.iter())
            .map(|(position, (sample, matched))| (Place { sample, position }, &matched.outcome))
            .collect();
        // Stable: two samples with one image id stay in sample order.
        images.sort_by_key(|(_, outcome)| outcome.image_id);
        images.into_iter().unzip()
    }

    /// The twelve numbers, an image counting as often as `weights` says.
    fn scores(&self, outcomes: &[&Outcome], weights: &[u32]) -> Vec<Score> {
        let weight = |image: u32| weights.get(image as usize).copied().unwrap_or(0);
        // Area range and cap of each curve.
        let kinds = [(0, CAP), (1, CAP), (2, CAP), (3, CAP), (0, 1), (0, 10)];
        let mut curves: [Curves; AREAS + 2] = Default::default();
        let mut class = ClassMatches::default();
        for position in 0..self.categories.len() {
            class.fill(outcomes, position);
            for (curves, (area, cap)) in curves.iter_mut().zip(kinds) {
                curves.add(position, &class, weight, area, cap, &self.grids.recalls);
            }
        }
        let [all, small, medium, large, one, ten] = &mut curves;
        let values = [
            all.mean_precision(0, THRESHOLDS),
            all.mean_precision(0, 1),
            all.mean_precision(5, 6),
            small.mean_precision(0, THRESHOLDS),
            medium.mean_precision(0, THRESHOLDS),
            large.mean_precision(0, THRESHOLDS),
            one.mean_recall(),
            ten.mean_recall(),
            all.mean_recall(),
            small.mean_recall(),
            medium.mean_recall(),
            large.mean_recall(),
        ];
        let n = weights.iter().map(|&w| u64::from(w)).sum();
        let score = |(name, value): (&&str, _)| Score {
            metric: (*name).to_owned(),
            value,
            n,
            hits: None,
            interval: None,
            optimistic: None,
            pessimistic: None,
        };
        NAMES.iter().zip(values).map(score).collect()
    }

    /// `AP`, `AP50` and `AP75` on every half: class by class, so that the memory is that of one
    /// class and of three numbers a half. The sum of a half is over the classes in their order,
    /// whichever thread it is on.
    fn on_halves(
        &self,
        places: &[Place],
        outcomes: &[&Outcome],
        halves: &Halves,
    ) -> [Vec<Option<f64>>; 3] {
        let overlaps = [(0, THRESHOLDS), (0, 1), (5, 6)];
        let mut sums = vec![([0.0f64; 3], 0u32); halves.count()];
        let mut class = ClassMatches::default();
        for position in 0..self.categories.len() {
            class.fill(outcomes, position);
            class.cut();
            let numbered = sums.par_iter_mut().enumerate();
            numbered.for_each_init(Curves::default, |curves, (half, (sums, classes))| {
                curves.clear();
                // Halves are drawn over samples: other metrics over the same samples see the same.
                let weight = |image: u32| {
                    places
                        .get(image as usize)
                        .map_or(0, |place| halves.weight(half, place.position))
                };
                curves.add(position, &class, weight, 0, CAP, &self.grids.recalls);
                let means = overlaps.map(|(from, to)| curves.mean_precision(from, to));
                if let [Some(ap), Some(ap50), Some(ap75)] = means {
                    *classes += 1;
                    for (sum, mean) in sums.iter_mut().zip([ap, ap50, ap75]) {
                        *sum += mean;
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
        let image = DetectedImage::new(ID, self.categories.len(), sample, prediction, annotation)?;
        let outcome = match_image(&image, &self.categories, &self.grids);
        self.samples.insert(sample, image.matched(outcome))
    }

    fn merge(&mut self, other: Box<dyn Metric>) -> Result<(), MetricError> {
        let other = (other as Box<dyn Any>)
            .downcast::<Self>()
            .map_err(|_| MetricError::Merge { metric: ID })?;
        if other.categories != self.categories {
            return Err(MetricError::Merge { metric: ID });
        }
        self.samples.merge(other.samples)
    }

    fn finish(
        &self,
        weights: Option<&dyn Fn(SampleIndex) -> u32>,
    ) -> Result<Vec<Score>, MetricError> {
        let (places, outcomes) = self.by_image_id();
        let weights: Vec<u32> = places
            .into_iter()
            .map(|place| weights.map_or(1, |w| w(place.sample)))
            .collect();
        Ok(self.scores(&outcomes, &weights))
    }

    fn finish_with_intervals(&self, resamples: u32, seed: u64) -> Result<Vec<Score>, MetricError> {
        let (places, outcomes) = self.by_image_id();
        let mut scores = self.scores(&outcomes, &vec![1; outcomes.len()]);
        let halves = Halves::draw(outcomes.len(), resamples, seed);
        let values = self.on_halves(&places, &outcomes, &halves);
        for (name, values) in ["AP", "AP50", "AP75"].into_iter().zip(&values) {
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

//! The row `coco-ap`: COCO's twelve numbers and AP by class.

use super::{
    accumulate::Curves,
    categories::Categories,
    engine::{Areas, evaluate},
    matches::collect,
};
use crate::{
    interval::bootstrap,
    state::{BySample, CHANCE_AP50, CHANCE_SAMPLES, DetectedImage},
    table::{Cell, Table},
};
use dyno_core::{
    Annotation, AnnotationKind, Detail, Metric, MetricContext, MetricError, MetricKind, Prediction,
    PredictionKind, SampleIndex, Score,
};
use hotcoco::COCOeval;
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

/// Most detections of one class in one image: not of the image as a whole.
const CAP: u32 = 100;

/// The row `coco-ap`; no parameters.
///
/// Scores:
/// `AP AP50 AP75 AP_small AP_medium AP_large AR@1 AR@10 AR@100 AR_small AR_medium AR_large`. A value is absent where pycocotools gives -1: no object of
/// that kind. `AP`, `AP50` and `AP75` get bootstrap intervals. A resample repeats images and so has
/// fewer distinct false detections: AP rises a little in resamples, as it does on subsets, and on
/// small sets the value may lie near the lower end of its interval or below it.
#[derive(Debug, Clone, Copy)]
pub struct CocoAp;

impl MetricKind for CocoAp {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "COCO's twelve numbers of boxes, as pycocotools computes them, and AP by class"
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
            samples: BySample::default(),
        }))
    }
}

struct State {
    categories: Categories,
    samples: BySample<DetectedImage>,
}

impl State {
    /// The images by rising image id, each with its position in sample order.
    fn by_image_id(&self) -> Vec<(usize, SampleIndex, &DetectedImage)> {
        let mut images: Vec<_> = self
            .samples
            .iter()
            .enumerate()
            .map(|(at, (sample, image))| (at, sample, image))
            .collect();
        // Stable: two samples with one image id stay in sample order.
        images.sort_by_key(|(_, _, image)| image.truth.image_id);
        images
    }

    fn evaluate(&self, areas: Areas) -> Result<COCOeval, MetricError> {
        let images: Vec<&DetectedImage> = self
            .by_image_id()
            .into_iter()
            .map(|(_, _, image)| image)
            .collect();
        evaluate(&images, &self.categories, areas)
    }

    fn scores(values: [Option<f64>; 12], n: u64) -> Vec<Score> {
        NAMES
            .iter()
            .zip(values)
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

    /// Columns `class`, `AP`, `n` (objects that count).
    fn per_class(&self) -> Result<Detail, MetricError> {
        let eval = self.evaluate(Areas::Any)?;
        let matches = collect(&eval, self.categories.len());
        let mut curves = Curves::default();
        let weights = vec![1; self.samples.len()];
        curves.fill(&matches, &weights, 0, CAP, &eval.params.rec_thrs);
        let mut table = Table::new("per-class", &["class", "AP", "n"]);
        for (at, name) in self.categories.in_class_order() {
            let objects = matches.get(at).map_or(0, |m| {
                m.truths
                    .iter()
                    .map(|(_, counts)| counts.first().map_or(0, |&n| u64::from(n)))
                    .sum()
            });
            table.row(&[
                Cell::Text(name),
                Cell::from(curves.class_precision(at)),
                Cell::Count(objects),
            ]);
        }
        Ok(table.finish())
    }

    fn plain(&self) -> Result<Vec<Score>, MetricError> {
        let n = self.samples.len() as u64;
        if n == 0 {
            return Ok(Self::scores([None; 12], 0));
        }
        let mut eval = self.evaluate(Areas::Four)?;
        eval.accumulate();
        // The call that fills `stats` without printing; its lines are not needed.
        let _ = eval.summarize_lines();
        let broken = || MetricError::Engine {
            metric: ID,
            reason: "hotcoco gave no summary".to_owned(),
        };
        let stats: [f64; 12] = eval
            .stats()
            .and_then(|s| s.try_into().ok())
            .ok_or_else(broken)?;
        Ok(Self::scores(stats.map(|v| (v >= 0.0).then_some(v)), n))
    }

    fn weighted(&self, weight: &dyn Fn(SampleIndex) -> u32) -> Result<Vec<Score>, MetricError> {
        let weights: Vec<u32> = self
            .by_image_id()
            .into_iter()
            .map(|(_, sample, _)| weight(sample))
            .collect();
        let eval = self.evaluate(Areas::Four)?;
        let matches = collect(&eval, self.categories.len());
        let recalls = &eval.params.rec_thrs;
        let of = |area: usize, cap: u32| {
            let mut curves = Curves::default();
            curves.fill(&matches, &weights, area, cap, recalls);
            curves
        };
        let (mut all, mut small, mut medium, mut large) =
            (of(0, CAP), of(1, CAP), of(2, CAP), of(3, CAP));
        let values = [
            all.mean_precision(0, 10),
            all.mean_precision(0, 1),
            all.mean_precision(5, 6),
            small.mean_precision(0, 10),
            medium.mean_precision(0, 10),
            large.mean_precision(0, 10),
            of(0, 1).mean_recall(),
            of(0, 10).mean_recall(),
            all.mean_recall(),
            small.mean_recall(),
            medium.mean_recall(),
            large.mean_recall(),
        ];
        let n = weights.iter().map(|&w| u64::from(w)).sum();
        Ok(Self::scores(values, n))
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
        self.samples.insert(sample, image)
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
        match weights {
            None => self.plain(),
            Some(weight) => self.weighted(weight),
        }
    }

    fn finish_with_intervals(&self, resamples: u32, seed: u64) -> Result<Vec<Score>, MetricError> {
        let mut scores = self.plain()?;
        if resamples == 0 || self.samples.len() < 2 {
            return Ok(scores);
        }
        let order: Vec<usize> = self.by_image_id().into_iter().map(|(at, ..)| at).collect();
        let eval = self.evaluate(Areas::Any)?;
        let (matches, recalls) = (
            collect(&eval, self.categories.len()),
            eval.params.rec_thrs.clone(),
        );
        // The matches are all that the resamples need; the engine's tables are ten times as large.
        drop(eval);
        let (mut curves, mut by_image) = (Curves::default(), Vec::with_capacity(order.len()));
        bootstrap(
            &mut scores,
            ["AP", "AP50", "AP75"],
            order.len(),
            resamples,
            seed,
            |weights| {
                by_image.clear();
                by_image.extend(
                    order
                        .iter()
                        .map(|&at| weights.get(at).copied().unwrap_or(0)),
                );
                curves.fill(&matches, &by_image, 0, CAP, &recalls);
                [
                    curves.mean_precision(0, 10),
                    curves.mean_precision(0, 1),
                    curves.mean_precision(5, 6),
                ]
            },
        );
        Ok(scores)
    }

    fn details(
        &self,
        _sample_id: &dyn Fn(SampleIndex) -> String,
    ) -> Result<Vec<Detail>, MetricError> {
        if self.samples.len() == 0 {
            return Ok(Vec::new());
        }
        Ok(vec![self.per_class()?])
    }
}

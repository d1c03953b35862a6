//! The row `voc-ap`: VOC's average precision, all-point and 11-point, and by class.

use super::{
    curve::{AveragePrecision, average_precision},
    matching::match_classes,
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
use serde::Deserialize;
use std::any::Any;

pub(super) const ID: &str = "voc-ap";

/// The row `voc-ap`; parameters `{"iou": 0.5}`.
///
/// Scores: `VOC-AP` (all points) and `VOC-AP-11` (11 points), the means over classes that have
/// objects, with bootstrap intervals. A class without an object that counts is left out of the means
/// and has no value.
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

struct State {
    iou: f64,
    names: Vec<String>,
    samples: BySample<DetectedImage>,
}

/// Means over the classes that have objects: all points, 11 points.
fn means(classes: &[Option<AveragePrecision>]) -> [Option<f64>; 2] {
    let of = |f: fn(&AveragePrecision) -> f64| {
        dyno_stats::mean(&classes.iter().flatten().map(f).collect::<Vec<_>>())
    };
    [of(|ap| ap.all_points), of(|ap| ap.eleven_points)]
}

impl State {
    fn matches(&self) -> Vec<super::matching::ClassMatches> {
        let images: Vec<&DetectedImage> = self.samples.iter().map(|(_, image)| image).collect();
        match_classes(&images, self.names.len(), self.iou)
    }

    fn scores(&self, matches: &[super::matching::ClassMatches], weights: &[u32]) -> Vec<Score> {
        let n = weights.iter().map(|&w| u64::from(w)).sum();
        let score = |metric: String, value| Score {
            metric,
            value,
            n,
            hits: None,
            interval: None,
            optimistic: None,
            pessimistic: None,
        };
        let mut points = Vec::new();
        let classes: Vec<_> = matches
            .iter()
            .map(|class| average_precision(class, weights, &mut points))
            .collect();
        let [all, eleven] = means(&classes);
        vec![
            score("VOC-AP".to_owned(), all),
            score("VOC-AP-11".to_owned(), eleven),
        ]
    }

    /// Columns `class`, `VOC-AP`, `VOC-AP-11`, `n` (objects that count).
    fn per_class(&self) -> Detail {
        let weights = vec![1; self.samples.len()];
        let mut points = Vec::new();
        let mut table = Table::new("per-class", &["class", "VOC-AP", "VOC-AP-11", "n"]);
        for (name, class) in self.names.iter().zip(self.matches()) {
            let ap = average_precision(&class, &weights, &mut points);
            table.row(&[
                Cell::Text(name),
                Cell::from(ap.map(|ap| ap.all_points)),
                Cell::from(ap.map(|ap| ap.eleven_points)),
                Cell::Count(class.truths.iter().map(|&(_, n)| u64::from(n)).sum()),
            ]);
        }
        table.finish()
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
        self.samples.insert(sample, image)
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
        Ok(self.scores(&self.matches(), &weights))
    }

    fn finish_with_intervals(&self, resamples: u32, seed: u64) -> Result<Vec<Score>, MetricError> {
        let (matches, n) = (self.matches(), self.samples.len());
        let mut scores = self.scores(&matches, &vec![1; n]);
        let mut points = Vec::new();
        bootstrap(
            &mut scores,
            ["VOC-AP", "VOC-AP-11"],
            n,
            resamples,
            seed,
            |weights| {
                let classes: Vec<_> = matches
                    .iter()
                    .map(|class| average_precision(class, weights, &mut points))
                    .collect();
                means(&classes)
            },
        );
        Ok(scores)
    }

    fn details(
        &self,
        _sample_id: &dyn Fn(SampleIndex) -> String,
    ) -> Result<Vec<Detail>, MetricError> {
        Ok(vec![self.per_class()])
    }
}

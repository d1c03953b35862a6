//! From predictions and annotations to scores.

use crate::{
    annotation::{Annotation, AnnotationKind},
    dataset::SampleIndex,
    labels::LabelMap,
    prediction::{Prediction, PredictionKind},
    record::Score,
    table::Row,
};
use std::any::Any;

/// What a metric is built from.
#[derive(Debug, Clone, Copy)]
pub struct MetricContext<'a> {
    /// The dataset's classes: class ids of predictions and annotations are theirs.
    pub labels: &'a LabelMap,
    /// Parameters of the row; null for none.
    pub parameters: &'a serde_json::Value,
}

/// Why a metric cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum MetricError {
    /// Parameters are wrong.
    #[error("metric `{metric}`: {reason}")]
    Parameters {
        /// Row of the table.
        metric: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Prediction or annotation is of another kind.
    #[error("metric `{metric}` needs {needs}")]
    Kind {
        /// Row of the table.
        metric: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// The same sample came twice with different content.
    #[error("sample {} came twice with different results", sample.0)]
    Conflict {
        /// The sample.
        sample: SampleIndex,
    },
    /// `merge` was given another metric.
    #[error("metric `{metric}` cannot merge another kind of metric")]
    Merge {
        /// Row of the table.
        metric: &'static str,
    },
    /// The engine behind the metric refused.
    #[error("metric `{metric}`: {reason}")]
    Engine {
        /// Row of the table.
        metric: &'static str,
        /// Its words.
        reason: String,
    },
}

/// A metric in the making. State is keyed by sample, so that shards may come in any order, and
/// twice.
pub trait Metric: Any + Send {
    /// Adds one sample. The same sample again is harmless when nothing differs.
    ///
    /// # Errors
    /// When kinds do not fit or a sample conflicts.
    fn update(
        &mut self,
        sample: SampleIndex,
        prediction: &Prediction,
        annotation: &Annotation,
    ) -> Result<(), MetricError>;
    /// Adds what another instance of the same row has seen.
    ///
    /// # Errors
    /// When `other` is another metric, or a sample conflicts.
    fn merge(&mut self, other: Box<dyn Metric>) -> Result<(), MetricError>;
    /// The scores, without intervals. `weights` says how often each sample counts (the bootstrap);
    /// `None` means once. The same bits in whatever order samples came: sums run in sample order.
    ///
    /// # Errors
    /// When the engine behind the metric refuses.
    fn finish(
        &self,
        weights: Option<&dyn Fn(SampleIndex) -> u32>,
    ) -> Result<Vec<Score>, MetricError>;
    /// The scores with their intervals: Wilson for shares, bootstrap over samples (`resamples` of
    /// them, from `seed`) for the rest.
    ///
    /// # Errors
    /// As `finish`.
    fn finish_with_intervals(&self, resamples: u32, seed: u64) -> Result<Vec<Score>, MetricError>;
    /// Names of the scores that there are for every class too, the columns of the table `per-class`:
    /// known before a sample was seen, so that nobody expects another after a long run.
    fn class_scores(&self) -> Vec<String>;
    /// What stands behind the scores and is too long for a record: values per class, curves,
    /// confusion, outcomes per image. `sample_id` gives the id of a sample in its dataset. The same
    /// bytes in whatever order samples came.
    ///
    /// # Errors
    /// As `finish`.
    fn details(
        &self,
        sample_id: &dyn Fn(SampleIndex) -> String,
    ) -> Result<Vec<Detail>, MetricError>;
}

/// One table or curve behind the scores: becomes a file named by its hash.
///
/// Two tables have a form that reports and expectations read, CSV (RFC 4180, UTF-8) with a header
/// and further columns as the metric likes, an empty cell being an absent value:
///
/// * `per-class`: first column `class`, the name of the dataset's class; every column called like a
///   score (`AP`, `AP50`, `top-1`) holds that score of the class, 0 to 1, so that `AP/person` is
///   column `AP` of row `person`; the column `n`, if there is one, counts what was judged.
/// * `per-image`: first column `sample`, its id; second `score`, 0 to 1, how well the sample went
///   (the least are shown as the worst); the others say what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What it is: `per-class`, `precision-recall`, `confusion`, `per-image`; unique within a
    /// metric.
    pub name: String,
    /// Its form, which is also the file's extension: `csv`, `json`.
    pub format: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A kind of metric: row of the metric table.
pub trait MetricKind: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// It can judge such predictions by such annotations.
    fn accepts(&self, prediction: PredictionKind, annotation: AnnotationKind) -> bool;
    /// The value up to which one of its scores is no better than guessing among `classes` classes;
    /// `None` for a score that says nothing of that, or rests on too few samples to accuse a model.
    fn chance(&self, score: &Score, classes: usize) -> Option<f64>;
    /// An empty instance.
    ///
    /// # Errors
    /// When parameters do not fit.
    fn build(&self, context: &MetricContext<'_>) -> Result<Box<dyn Metric>, MetricError>;
}

impl Row for dyn MetricKind {
    fn name(&self) -> &'static str {
        self.id()
    }
}

//! From predictions and annotations to scores.

use crate::{
    annotation::Annotation, dataset::SampleIndex, labels::LabelMap, model::Purpose,
    prediction::Prediction, record::Score, table::Row,
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
}

/// A kind of metric: row of the metric table.
pub trait MetricKind: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// Annotations that it can judge.
    fn purpose(&self) -> Purpose;
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

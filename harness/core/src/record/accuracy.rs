//! The numbers of an accuracy measurement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How sure a value is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// `wilson`, `bootstrap-percentile-centred`, …
    pub method: String,
    /// Level: 0.95.
    pub level: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One number of accuracy, 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// `AP`, `AP50`, `AR@100`, `AP/person`, `top-1`, `VOC-AP-11`, …
    pub metric: String,
    /// The value; absent where nothing could be judged (no ground truth of that kind).
    #[serde(default)]
    pub value: Option<f64>,
    /// Samples behind it.
    pub n: u64,
    /// Hits, where the value is a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hits: Option<u64>,
    /// How sure it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The value if every tie fell well, where ties matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimistic: Option<f64>,
    /// The value if every tie fell badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pessimistic: Option<f64>,
}

/// A table or curve behind the scores: an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DetailRef {
    /// `per-class`, `precision-recall`, `confusion`, `per-image`; with the metric's name in front
    /// where there are several metrics.
    pub name: String,
    /// `csv`, `json`.
    pub format: String,
    /// Artifact of this hash.
    pub sha256: String,
}

/// Scores on a sample set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccuracyResult {
    /// Id of the sample set.
    pub sample_set: String,
    /// The scores, the one that manifests quote first. Those of single classes are in the details.
    pub scores: Vec<Score>,
    /// Tables and curves behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<DetailRef>,
    /// Samples judged.
    pub n: u64,
    /// Samples that failed.
    pub failed: u64,
    /// Wall time of the run over samples.
    pub wall_ns: u64,
    /// Time inside the engine, summed over slots.
    pub engine_ns: u64,
    /// Time in image decoding, preprocessing and output decoding, summed over threads.
    pub host_ns: u64,
    /// sha256 of all predictions in sample order: equal outputs have equal hashes.
    pub predictions_sha256: String,
}

//! One measurement: accuracy or performance, with its own execution and validity.

use super::validity::{Validity, ValidityCode};
use crate::{backend::Precision, decoder::ThresholdSet, model::Thresholds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How queries arrive; MLPerf's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The next query when the previous one is done.
    SingleStream,
    /// Everything at once, for throughput.
    Offline,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SingleStream => "single-stream",
            Self::Offline => "offline",
        })
    }
}

impl FromStr for Scenario {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "single-stream" => Ok(Self::SingleStream),
            "offline" => Ok(Self::Offline),
            _ => Err(format!(
                "unknown scenario `{s}` (there are: single-stream, offline)"
            )),
        }
    }
}

/// Which interval is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timed {
    /// The session call alone.
    Engine,
    /// Host to device, engine, device to host, decoding with non-maximum suppression.
    Query,
    /// From encoded bytes to predictions.
    EndToEnd,
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Query => "query",
            Self::EndToEnd => "end-to-end",
        })
    }
}

impl FromStr for Timed {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "engine" => Ok(Self::Engine),
            "query" => Ok(Self::Query),
            "end-to-end" => Ok(Self::EndToEnd),
            _ => Err(format!(
                "unknown interval `{s}` (there are: engine, query, end-to-end)"
            )),
        }
    }
}

/// What ran, and what had been asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// Row of the backend table.
    pub backend: String,
    /// Library and version.
    pub library: String,
    /// Device that ran it.
    pub device: String,
    /// Execution provider or plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Arithmetic that ran.
    pub precision: String,
    /// Threads of one session.
    pub threads: u32,
    /// Sessions at work at once.
    pub sessions: u32,
    /// Samples of one run of the engine.
    pub batch: u32,
    /// Further settings in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Arithmetic that was asked for.
    pub requested: Precision,
}

/// How sure a value is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// `wilson`, `bootstrap-percentile`.
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
#[serde(deny_unknown_fields)]
pub struct Score {
    /// `AP`, `AP50`, `AR@100`, `AP/person`, `top-1`, `VOC-AP-11`, …
    pub metric: String,
    /// The value; absent where nothing could be judged (no ground truth of that kind).
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

/// Latencies of the measured queries; a percentile that the count cannot support is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyNs {
    /// Least.
    pub min: u64,
    /// Arithmetic mean, rounded.
    pub mean: u64,
    /// Median by the named estimator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<u64>,
    /// 90th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<u64>,
    /// 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<u64>,
    /// Greatest.
    pub max: u64,
}

/// Upper confidence bounds of percentiles (MLPerf's early stopping, 99 %); absent below the count
/// that supports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundNs {
    /// Of the 90th percentile; from 64 queries on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<u64>,
    /// Of the 99th percentile; from 662 queries on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<u64>,
}

/// Median time of each stage of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageNs {
    /// Image decoding (end-to-end only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_image: Option<u64>,
    /// Preprocessing (end-to-end only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<u64>,
    /// Host to device.
    pub host_to_device: u64,
    /// The engine's call.
    pub engine: u64,
    /// Device to host.
    pub device_to_host: u64,
    /// Decoding of outputs with non-maximum suppression (not for `engine`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_outputs: Option<u64>,
}

/// Resident memory of the process; absent where the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryBytes {
    /// Greatest since the model was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
    /// At the end of the measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<u64>,
}

fn once() -> u32 {
    1
}

/// Accuracy or performance.
#[expect(clippy::large_enum_variant, reason = "a record holds a handful")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum MeasurementKind {
    /// Scores on a sample set.
    Accuracy {
        /// Id of the sample set.
        sample_set: String,
        /// The scores, the one that manifests quote first.
        scores: Vec<Score>,
        /// Thresholds of decoding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thresholds: Option<Thresholds>,
        /// Samples judged.
        n: u64,
        /// Samples that failed.
        failed: u64,
        /// Wall time of the run over samples.
        wall_ns: u64,
        /// Time inside the engine, summed over sessions.
        engine_ns: u64,
        /// Time in image decoding, preprocessing and output decoding, summed over threads.
        host_ns: u64,
        /// sha256 of all predictions in sample order: equal outputs have equal hashes.
        predictions_sha256: String,
    },
    /// Latency and throughput.
    Performance {
        /// How queries arrived.
        scenario: Scenario,
        /// What was timed.
        timed: Timed,
        /// Which thresholds applied, and their values.
        threshold_set: ThresholdSet,
        /// Their values.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thresholds: Option<Thresholds>,
        /// Id of the sample set that queries drew from.
        sample_set: String,
        /// Measured queries.
        n: u64,
        /// Estimator of percentiles: `sorted[floor(n*p)]`.
        estimator: String,
        /// Latencies of queries.
        latency_ns: LatencyNs,
        /// Upper bounds of percentiles.
        bound_ns: BoundNs,
        /// Samples a second over the measured time.
        throughput_per_s: f64,
        /// Measured time.
        duration_ns: u64,
        /// Queries under way at once.
        slots: u32,
        /// Medians of stages.
        stages_ns: StageNs,
        /// Opening the model.
        load_ns: u64,
        /// The very first query.
        first_ns: u64,
        /// Resident memory.
        #[serde(default)]
        memory_bytes: MemoryBytes,
        /// Greatest spread between windows of the run: max ÷ min of their medians.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window_spread: Option<f64>,
        /// How often the measurement was made until it was steady; the last one is this.
        #[serde(default = "once")]
        trials: u32,
        /// Queries slower than three interquartile ranges above the third quartile; kept in all
        /// numbers.
        outliers: u64,
        /// HdrHistogram V2, DEFLATE, base64: artifact of this hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        histogram: Option<String>,
        /// Raw latencies: artifact of this hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw: Option<String>,
    },
}

/// One measurement of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// What ran.
    pub execution: Execution,
    /// The numbers.
    #[serde(flatten)]
    pub kind: MeasurementKind,
    /// Whether they may be believed.
    pub validity: Validity,
}

impl Measurement {
    /// The score of a metric, if this is an accuracy measurement that has it.
    pub fn score(&self, metric: &str) -> Option<&Score> {
        match &self.kind {
            MeasurementKind::Accuracy { scores, .. } => scores.iter().find(|s| s.metric == metric),
            MeasurementKind::Performance { .. } => None,
        }
    }

    /// Adds a reason of invalidity.
    pub fn invalidate(&mut self, code: ValidityCode) {
        let mut codes = std::mem::take(&mut self.validity.codes);
        codes.push(code);
        self.validity = Validity::from_codes(codes);
    }
}

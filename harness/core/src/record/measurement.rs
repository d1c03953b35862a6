//! One measurement: accuracy or performance, with its own execution and validity.

use super::{
    accuracy::{AccuracyResult, Score},
    codes::{Validity, ValidityCode},
    execution::Execution,
    performance::PerformanceResult,
    series::Series,
};
use crate::{decoder::ThresholdSet, model::Thresholds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sensor over one measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SensorTrace {
    /// What it gives, with the unit: `temperature_millicelsius`.
    pub name: String,
    /// Where it was read.
    pub source: String,
    /// Value at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// Value at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<f64>,
    /// Values over time: artifact of this hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// The numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MeasurementResult {
    /// Scores on a sample set.
    Accuracy(Box<AccuracyResult>),
    /// Latency and throughput.
    Performance(Box<PerformanceResult>),
    /// A kind that this version does not know; its numbers are in the record's text.
    #[serde(other)]
    Unknown,
}

/// One measurement of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// Position among the record's subjects.
    pub subject: u32,
    /// Positions among the record's machines: several where boards shared an accuracy run.
    pub machines: Vec<u32>,
    /// When it began, RFC 3339, UTC.
    pub started_utc: String,
    /// Position in the order in which measurements ran.
    pub order: u32,
    /// What ran.
    pub execution: Execution,
    /// What makes it comparable with others.
    pub series: Series,
    /// sha256 of the series' canonical JSON: equal series have equal hashes.
    pub series_sha256: String,
    /// Which thresholds of decoding applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_set: Option<ThresholdSet>,
    /// Their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Sensors that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorTrace>,
    /// The numbers.
    #[serde(flatten)]
    pub result: MeasurementResult,
    /// Whether they may be believed.
    pub validity: Validity,
}

impl Measurement {
    /// The numbers of accuracy, if it is such a measurement.
    pub fn accuracy(&self) -> Option<&AccuracyResult> {
        match &self.result {
            MeasurementResult::Accuracy(result) => Some(result),
            _ => None,
        }
    }

    /// The numbers of performance, if it is such a measurement.
    pub fn performance(&self) -> Option<&PerformanceResult> {
        match &self.result {
            MeasurementResult::Performance(result) => Some(result),
            _ => None,
        }
    }

    /// The sample set that it was made on.
    pub fn sample_set(&self) -> Option<&str> {
        match &self.result {
            MeasurementResult::Accuracy(result) => Some(&result.sample_set),
            MeasurementResult::Performance(result) => Some(&result.sample_set),
            MeasurementResult::Unknown => None,
        }
    }

    /// The score of a metric, if this is an accuracy measurement that has it.
    pub fn score(&self, metric: &str) -> Option<&Score> {
        self.accuracy()?.scores.iter().find(|s| s.metric == metric)
    }

    /// Adds a reason of invalidity.
    pub fn invalidate(&mut self, code: ValidityCode) {
        let mut codes = std::mem::take(&mut self.validity.codes);
        codes.push(code);
        self.validity = Validity::from_codes(codes);
    }
}

//! The numbers of a performance measurement.

use super::codes::ValidityCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How queries arrive; MLPerf's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioName {
    /// The next query when the previous one is done.
    SingleStream,
    /// Queries of several samples, one after the other.
    MultiStream,
    /// Arrivals at random, at a rate.
    Server,
    /// Everything at once, for throughput.
    Offline,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for ScenarioName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SingleStream => "single-stream",
            Self::MultiStream => "multi-stream",
            Self::Server => "server",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        })
    }
}

impl FromStr for ScenarioName {
    type Err = String;
    /// Reads the scenarios that can be measured.
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

/// How queries arrived.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scenario {
    /// Which.
    pub name: ScenarioName,
    /// Queries a second that were scheduled (server).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// Latency that must be kept (server).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_ns: Option<u64>,
    /// Samples of one query.
    pub samples_per_query: u32,
}

/// Which interval is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timed {
    /// The slot's `run` alone.
    Engine,
    /// Host to device, engine, device to host, decoding with non-maximum suppression.
    Query,
    /// From encoded bytes to predictions.
    EndToEnd,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Query => "query",
            Self::EndToEnd => "end-to-end",
            Self::Unknown => "unknown",
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

/// Least, mean and greatest latency of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyNs {
    /// Least.
    pub min: u64,
    /// Arithmetic mean, rounded.
    pub mean: u64,
    /// Greatest.
    pub max: u64,
}

/// One percentile with what supports it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentile {
    /// Which: 0.5, 0.9, 0.99.
    pub p: f64,
    /// Its value by the named estimator; absent when the count cannot support it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns: Option<u64>,
    /// Upper confidence bound within this run, if queries are independent (MLPerf's early
    /// stopping, 99 %); absent when the effective count cannot support it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_ns: Option<u64>,
    /// Queries that would support it.
    pub needs: u64,
}

/// Time of one stage of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// `decode-image`, `preprocess`, `host-to-device`, `engine`, `device-to-host`,
    /// `decode-outputs`.
    pub name: String,
    /// Median.
    pub p50_ns: u64,
    /// Mean.
    pub mean_ns: u64,
}

/// Resident memory of the process; absent where the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryBytes {
    /// Greatest since the model was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
    /// At the end of the measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<u64>,
}

/// What disturbed a timed window, measured over the window itself. Absent: the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disturbance {
    /// Time in which the measuring threads were ready to run and had no core, as a share of the
    /// window times their number (`schedstat`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_delay_share: Option<f64>,
    /// Times that the measuring threads lost their core to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub involuntary_switches: Option<u64>,
    /// Time that the hypervisor gave to others, as a share of the window times all cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_share: Option<f64>,
    /// Processor time of other processes, as a share of the window times all cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_cpu_share: Option<f64>,
    /// Clock frequency of the cores at the start, mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_start_hz: Option<u64>,
    /// Clock frequency of the cores at the end, mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_end_hz: Option<u64>,
    /// Hottest thermal zone at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_start_millicelsius: Option<i64>,
    /// Hottest thermal zone at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_end_millicelsius: Option<i64>,
}

/// One attempt at a measurement, kept whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// Measured queries.
    pub n: u64,
    /// Measured time.
    pub duration_ns: u64,
    /// Samples a second.
    pub throughput_per_s: f64,
    /// Latencies of queries.
    pub latency_ns: LatencyNs,
    /// Percentiles.
    pub percentiles: Vec<Percentile>,
    /// Greatest ratio between windows of the trial, of their medians, means and 90th percentiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_spread: Option<f64>,
    /// What disturbed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbance: Option<Disturbance>,
    /// What speaks against it; empty when nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<ValidityCode>,
    /// Raw latencies: artifact of this hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// One of several processes that measured the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessRun {
    /// Position in the order in which they ran.
    pub order: u32,
    /// Median latency of its queries.
    pub p50_ns: u64,
    /// Its queries.
    pub n: u64,
}

/// Latency and throughput.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerformanceResult {
    /// How queries arrived.
    pub scenario: Scenario,
    /// What was timed.
    pub timed: Timed,
    /// Name of the profile that the durations came from.
    pub profile: String,
    /// Id of the sample set that queries drew from.
    pub sample_set: String,
    /// Samples of the set that were kept prepared and queries drew from.
    pub library_count: u32,
    /// sha256 over the ids of those samples in their order.
    pub library_sha256: String,
    /// Samples that could not be prepared for it.
    #[serde(default)]
    pub failed: u64,
    /// Measured queries.
    pub n: u64,
    /// Estimator of percentiles: `sorted[floor(n*p)]`.
    pub estimator: String,
    /// Latencies of queries.
    pub latency_ns: LatencyNs,
    /// Percentiles, those without support too.
    pub percentiles: Vec<Percentile>,
    /// Stages of a query, in the order in which they happen; those the engine cannot tell are
    /// absent.
    pub stages: Vec<Stage>,
    /// Samples a second over the measured time.
    pub throughput_per_s: f64,
    /// Measured time.
    pub duration_ns: u64,
    /// All attempts, in their order.
    pub trials: Vec<Trial>,
    /// Position of the attempt whose numbers these are: the first valid one, else the first.
    pub trial: u32,
    /// What disturbed the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbance: Option<Disturbance>,
    /// Correlation of one query's latency with the next one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autocorrelation: Option<f64>,
    /// Independent queries that would say as much as these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_n: Option<f64>,
    /// Opening the model.
    pub load_ns: u64,
    /// The very first query.
    pub first_ns: u64,
    /// Resident memory.
    #[serde(default)]
    pub memory_bytes: MemoryBytes,
    /// Greatest ratio between windows of the run, of their medians, means and 90th percentiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_spread: Option<f64>,
    /// Queries slower than three interquartile ranges above the third quartile; kept in all
    /// numbers.
    pub outliers: u64,
    /// Queries whose outputs were compared with those of the accuracy run; absent when there was
    /// none to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs_compared: Option<u64>,
    /// Energy of one sample, where a sensor gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<f64>,
    /// The processes, where several measured the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<ProcessRun>,
    /// HdrHistogram V2, DEFLATE, base64, of all queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<String>,
    /// Raw latencies: artifact of this hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

impl PerformanceResult {
    /// The value of percentile `p`, when the count supports it.
    pub fn percentile(&self, p: f64) -> Option<u64> {
        self.percentiles
            .iter()
            .find(|x| (x.p - p).abs() < 1e-9)
            .and_then(|x| x.ns)
    }

    /// The median time of a stage.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|s| s.name == name)
    }
}

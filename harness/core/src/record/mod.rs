//! The record: one run, immutable, versioned, with the evidence behind every number.
//!
//! Units stand in the keys (`_ns`, `_bytes`, `_per_s`), shares are 0 to 1. The id is the sha256 of
//! the canonical JSON (RFC 8785) without the id: it finds accidental edits, not a forger.
//!
//! Records evolve. A reader keeps the text that it read and writes it verbatim, so what another
//! version knows more of survives; keys that this version does not know are passed over, codes and
//! kinds that it does not know are shown by name. `fixtures/` has records of an older and a newer
//! version, and `tests` the matrix of who reads what.

mod accuracy;
mod codes;
mod execution;
mod machine;
mod measurement;
mod performance;
mod series;
mod store;
mod subject;

#[cfg(test)]
mod tests;

pub use accuracy::{AccuracyResult, DetailRef, Interval, Score};
pub use codes::{Validity, ValidityCode, ValidityStatus, Warning, WarningCode};
pub use execution::Execution;
pub use machine::{Board, Machine};
pub use measurement::{Measurement, MeasurementResult, SensorTrace};
pub use performance::{
    Disturbance, LatencyNs, MemoryBytes, Percentile, PerformanceResult, ProcessRun, Scenario,
    ScenarioName, Stage, Timed, Trial,
};
pub use series::{Series, SeriesDifference};
pub use store::{MAX_RECORD_BYTES, RecordError};
pub use subject::{Artifact, Lineage, PlanRecord, RecordFile, SampleSetRecord, Subject, Tool};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Value of `schema` in a record.
pub const RECORD_SCHEMA: &str = "dyno.record/1";

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// [`RECORD_SCHEMA`].
    pub schema: String,
    /// sha256 of the canonical JSON of everything else.
    pub id: String,
    /// When the run began, RFC 3339, UTC.
    pub created_utc: String,
    /// The program.
    pub tool: Tool,
    /// The models.
    pub subjects: Vec<Subject>,
    /// What was measured and how.
    pub plan: PlanRecord,
    /// Where.
    pub machines: Vec<Machine>,
    /// On what.
    pub sample_sets: Vec<SampleSetRecord>,
    /// The numbers.
    pub measurements: Vec<Measurement>,
    /// What a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Files behind the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// The text that this was read from or sealed as: what is written, whatever this version's
    /// types make of it.
    #[serde(skip)]
    text: Arc<str>,
}

/// What a record is made of, before it is sealed.
#[derive(Debug, Clone)]
pub struct RecordParts {
    /// When the run began, RFC 3339, UTC.
    pub created_utc: String,
    /// The program.
    pub tool: Tool,
    /// The models.
    pub subjects: Vec<Subject>,
    /// What was measured and how.
    pub plan: PlanRecord,
    /// Where.
    pub machines: Vec<Machine>,
    /// On what.
    pub sample_sets: Vec<SampleSetRecord>,
    /// The numbers.
    pub measurements: Vec<Measurement>,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
    /// Files behind the numbers.
    pub artifacts: Vec<Artifact>,
}

impl PartialEq for Record {
    /// Two records are the same when their ids are: the id is a hash of all the rest.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Record {
    /// First digits of the id, enough for people.
    pub fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    /// The subject of a measurement.
    pub fn subject(&self, measurement: &Measurement) -> Option<&Subject> {
        self.subjects.get(measurement.subject as usize)
    }

    /// The machines of a measurement: several where boards shared an accuracy run.
    pub fn machines_of<'r>(
        &'r self,
        measurement: &'r Measurement,
    ) -> impl Iterator<Item = &'r Machine> {
        measurement
            .machines
            .iter()
            .filter_map(|m| self.machines.get(*m as usize))
    }

    /// The sample set that a measurement names.
    pub fn sample_set(&self, measurement: &Measurement) -> Option<&SampleSetRecord> {
        let id = measurement.sample_set()?;
        self.sample_sets.iter().find(|s| s.id == id)
    }
}

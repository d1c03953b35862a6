//! The record: one run, immutable, versioned, with the evidence behind every number.
//!
//! Units stand in the keys (`_ns`, `_bytes`, `_per_s`), shares are 0 to 1. The id is the sha256 of
//! the canonical JSON (RFC 8785) without the id: it finds accidental edits, not a forger.

mod measurement;
mod validity;

#[cfg(test)]
mod tests;

pub use measurement::{
    BoundNs, Execution, Interval, LatencyNs, Measurement, MeasurementKind, MemoryBytes, Scenario,
    Score, StageNs, Timed,
};
pub use validity::{Validity, ValidityCode, ValidityStatus, Warning, WarningCode};

use crate::{
    backend::FileRole,
    canonical::{CanonicalError, canonical_sha256},
    framework::Framework,
    model::Origin,
    plan::PlanSpec,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Value of `schema` in a record.
pub const RECORD_SCHEMA: &str = "dyno.record/1";

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Commit it was built from; `unknown` for a build outside a checkout.
    pub commit: String,
    /// Features it was built with.
    pub features: Vec<String>,
}

/// A file of the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFile {
    /// What it is.
    pub role: FileRole,
    /// sha256 of its content.
    pub sha256: String,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Name of the model.
    pub reference: String,
    /// Framework of its files.
    pub framework: Framework,
    /// Its files.
    pub files: Vec<RecordFile>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Origin>,
}

/// The plan with its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRecord {
    /// What was measured and how.
    pub spec: PlanSpec,
    /// sha256 of its canonical JSON.
    pub sha256: String,
}

/// A computer, not a device: `nano`, `xavier-nx`, `generic-x86_64`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Short name.
    pub id: String,
    /// As the firmware says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A source of measurements of the machine itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// Its name.
    pub name: String,
    /// What it gives, with the unit.
    pub quantity: String,
    /// Value at the start of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// Value at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
}

/// Where it was measured. No user name, no path; the host's name only as a hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The computer.
    pub board: Board,
    /// Power mode, where the board has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_mode: Option<String>,
    /// Processor, as it calls itself.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: u32,
    /// Main memory.
    pub memory_bytes: u64,
    /// Operating system and architecture.
    pub os: String,
    /// Frequency governor, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Runs under a hypervisor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualized: Option<bool>,
    /// sha256 of the host's name, 16 digits of it; the name itself only on request.
    pub host: String,
    /// Load of the system when the run began (one minute), in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_average_percent: Option<u32>,
    /// Sensors that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<Sensor>,
}

/// A sample set by identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleSetRecord {
    /// `kind-split-N-hash16`.
    pub id: String,
    /// Number of samples.
    pub count: u32,
    /// The hash in full.
    pub sha256: String,
    /// The whole dataset, not a subset.
    pub full: bool,
    /// Hash over the input tensors of the first samples: two runs with the same hash fed the same
    /// numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensors_sha256: Option<String>,
    /// How many samples that hash covers.
    #[serde(default)]
    pub tensors_count: u32,
    /// Classes of the model that the dataset does not have (the first 20 names).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched_model: Vec<String>,
    /// Classes of the dataset that the model does not have (the first 20 names).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched_dataset: Vec<String>,
}

/// A file named by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// What it is: `shard`, `latencies`, `histogram`, `predictions`.
    pub role: String,
    /// sha256 of its content; its name is `<sha256>.<extension>`.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_SCHEMA`].
    pub schema: String,
    /// sha256 of the canonical JSON of everything else.
    pub id: String,
    /// When the run began, RFC 3339, UTC.
    pub created_utc: String,
    /// The program.
    pub tool: Tool,
    /// The model.
    pub subject: Subject,
    /// What was measured and how.
    pub plan: PlanRecord,
    /// Where.
    pub machine: Machine,
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
}

/// Why a record is not one.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not JSON of this shape.
    #[error("not a record: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another schema.
    #[error("schema `{found}` is not `{RECORD_SCHEMA}`")]
    Schema {
        /// The schema it names.
        found: String,
    },
    /// Content and id disagree.
    #[error(
        "the record was changed after it was written: its id is {id}, its content hashes to {actual}"
    )]
    Changed {
        /// The id it names.
        id: String,
        /// The hash of its content.
        actual: String,
    },
    /// A number is not finite.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl Record {
    /// The hash that the id must be.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn content_sha256(&self) -> Result<String, CanonicalError> {
        let text = serde_json::to_vec(self).map_err(CanonicalError::from)?;
        let mut value: serde_json::Value =
            serde_json::from_slice(&text).map_err(CanonicalError::from)?;
        if let Some(object) = value.as_object_mut() {
            object.remove("id");
        }
        canonical_sha256(&value)
    }

    /// Sets the id from the content.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn seal(mut self) -> Result<Self, CanonicalError> {
        self.id = self.content_sha256()?;
        Ok(self)
    }

    /// Reads a record and checks its id.
    ///
    /// # Errors
    /// When the text is no record, of another schema, or changed since it was written.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema != RECORD_SCHEMA {
            return Err(RecordError::Schema { found: head.schema });
        }
        // The hash is taken over what is written, not over what this version of the types makes of
        // it: a record of another version that knows one field more or less keeps its id.
        let mut value: serde_json::Value = serde_json::from_str(text)?;
        let id = value.as_object_mut().and_then(|o| o.remove("id"));
        let actual = canonical_sha256(&value)?;
        let record: Self = serde_json::from_str(text)?;
        if id.as_ref().and_then(|i| i.as_str()) == Some(&actual) {
            Ok(record)
        } else {
            Err(RecordError::Changed {
                id: record.id,
                actual,
            })
        }
    }

    /// First digits of the id, enough for people.
    pub fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

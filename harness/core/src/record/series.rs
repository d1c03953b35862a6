//! What makes two measurements comparable, written out and hashed.
//!
//! Values may be compared, refreshed or put into one trend only within one series. Every tool that
//! compares uses this list and no other, and names the part that differs.
//!
//! Accuracy does not depend on how a machine is divided, so board, processor, cores, threads and
//! batch separate performance only.

use super::{execution::Execution, machine::Machine};
use crate::{
    canonical::{CanonicalError, canonical_sha256},
    model::Thresholds,
    plan::{ModelPlan, PerformancePlan},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt};

/// The parts by name. A part that one series has and another has not is a difference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Series(pub BTreeMap<String, Value>);

/// A part in which two series differ.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesDifference {
    /// Its name: `precision`, `sample set`.
    pub part: String,
    /// Its value in the first; absent where the first does not have it.
    pub first: Option<Value>,
    /// Its value in the second.
    pub second: Option<Value>,
}

impl fmt::Display for SeriesDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |v: &Option<Value>| match v {
            None => "nothing".to_owned(),
            Some(Value::String(s)) => format!("`{s}`"),
            Some(v) => format!("`{v}`"),
        };
        write!(
            f,
            "{} {} there, {} here",
            self.part,
            text(&self.first),
            text(&self.second)
        )
    }
}

impl Series {
    fn common(
        kind: &str,
        model: &ModelPlan,
        execution: &Execution,
        thresholds: Option<Thresholds>,
        sample_set: &str,
    ) -> BTreeMap<String, Value> {
        let weights: Vec<String> = model
            .files
            .iter()
            .filter(|f| f.role.is_weights())
            .map(|f| f.sha256.clone())
            .collect();
        let providers: Vec<&str> = execution
            .providers
            .iter()
            .map(|p| p.name.as_str())
            .collect();
        // The batch belongs to `batch`: of a shape only what one sample has counts.
        let shapes: BTreeMap<&String, &[usize]> = execution
            .shapes
            .iter()
            .map(|(name, shape)| (name, shape.get(1..).unwrap_or_default()))
            .collect();
        let parts = [
            ("kind", json!(kind)),
            ("weights", json!(weights)),
            ("inputs", json!(model.inputs)),
            ("shapes", json!(shapes)),
            ("outputs", json!(model.outputs)),
            (
                "decoder",
                json!({"kind": model.decoder.kind, "parameters": model.decoder.parameters}),
            ),
            ("thresholds", json!(thresholds)),
            ("backend", json!(execution.backend)),
            ("library", json!(execution.library)),
            ("device", json!(execution.device)),
            ("providers", json!(providers)),
            ("precision", json!(execution.precision)),
            ("import", json!(execution.import)),
            ("settings", json!(execution.settings)),
            ("sample set", json!(sample_set)),
        ];
        parts.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
    }

    /// The series of an accuracy measurement.
    pub fn accuracy(
        model: &ModelPlan,
        execution: &Execution,
        thresholds: Option<Thresholds>,
        sample_set: &str,
    ) -> Self {
        Self(Self::common(
            "accuracy", model, execution, thresholds, sample_set,
        ))
    }

    /// The series of a performance measurement.
    pub fn performance(
        model: &ModelPlan,
        execution: &Execution,
        thresholds: Option<Thresholds>,
        sample_set: &str,
        machine: &Machine,
        plan: &PerformancePlan,
    ) -> Self {
        let mut parts = Self::common("performance", model, execution, thresholds, sample_set);
        let more = [
            ("board", json!(machine.board.id)),
            ("power mode", json!(machine.power_mode)),
            ("processor", json!(machine.cpu)),
            ("cores", json!(machine.cores)),
            ("governor", json!(machine.governor)),
            ("threads", json!(execution.threads)),
            ("slots", json!(execution.slots)),
            ("batch", json!(execution.batch)),
            ("scenario", json!(plan.scenario)),
            ("timed", json!(plan.timed)),
        ];
        parts.extend(more.into_iter().map(|(k, v)| (k.to_owned(), v)));
        Self(parts)
    }

    /// sha256 of the canonical JSON.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn sha256(&self) -> Result<String, CanonicalError> {
        canonical_sha256(self)
    }

    /// The parts in which `self` (there) and `other` (here) differ, by name.
    pub fn differences(&self, other: &Self) -> Vec<SeriesDifference> {
        let mut parts: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
            .into_iter()
            .filter(|part| self.0.get(*part) != other.0.get(*part))
            .map(|part| SeriesDifference {
                part: part.clone(),
                first: self.0.get(part).cloned(),
                second: other.0.get(part).cloned(),
            })
            .collect()
    }

    /// [`Self::differences`] in the named parts only: what an accuracy and a performance
    /// measurement of one model must share is a part of their series.
    pub fn differences_in(&self, other: &Self, parts: &[&str]) -> Vec<SeriesDifference> {
        let mut differences = self.differences(other);
        differences.retain(|d| parts.contains(&d.part.as_str()));
        differences
    }
}

//! For programs: `dyno.verdicts/1`.

use super::outcome::{Outcome, VerdictFormat, Verdicts, word};
use crate::{expect::Judgement, terminal::clean_json};
use dyno_core::ReportError;
use serde::Serialize;

/// Value of `schema`.
pub const VERDICTS_SCHEMA: &str = "dyno.verdicts/1";

/// One JSON document.
#[derive(Debug, Clone, Copy)]
pub struct Json;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// `passed`, `failed`, `undecided`.
    outcome: &'static str,
    records: Vec<OfRecord<'a>>,
}

#[derive(Serialize)]
struct OfRecord<'a> {
    record: &'a str,
    subjects: Vec<&'a str>,
    measurements: Vec<One<'a>>,
    expectations: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    expression: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<Number<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Number<'a> {
    value: f64,
    unit: &'static str,
    text: &'a str,
}

fn one(j: &Judgement) -> One<'_> {
    One {
        expression: &j.expression,
        verdict: word(j.verdict),
        measured: j.measured.as_ref().map(|m| Number {
            value: m.value,
            unit: m.unit,
            text: &m.text,
        }),
        reason: j.reason.as_deref(),
    }
}

impl VerdictFormat for Json {
    fn id(&self) -> &'static str {
        "json"
    }
    fn about(&self) -> &'static str {
        "expression, measured value, verdict and reason (dyno.verdicts/1)"
    }
    fn render(&self, verdicts: &Verdicts<'_>) -> Result<String, ReportError> {
        let document = Document {
            schema: VERDICTS_SCHEMA,
            outcome: match verdicts.outcome() {
                Outcome::Passed => "passed",
                Outcome::Failed => "failed",
                Outcome::Undecided => "undecided",
            },
            records: verdicts
                .judged
                .iter()
                .map(|judged| OfRecord {
                    record: &judged.record.id,
                    subjects: judged
                        .record
                        .subjects
                        .iter()
                        .map(|s| s.reference.as_str())
                        .collect(),
                    measurements: judged.measurements.iter().map(one).collect(),
                    expectations: judged.expectations.iter().map(one).collect(),
                })
                .collect(),
        };
        let text = serde_json::to_string_pretty(&document).map_err(|e| ReportError {
            reporter: self.id(),
            reason: e.to_string(),
        })?;
        Ok(clean_json(&text).into_owned() + "\n")
    }
}

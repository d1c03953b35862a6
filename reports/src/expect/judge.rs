//! What a record says of an expectation.

use super::{
    available::Available,
    quantity::{self, Quantity},
    syntax::{ExpectError, Expectation},
};
use crate::{
    details::{PER_CLASS, number, tables},
    text::counted,
};
use dyno_core::{Artifacts, Measurement, Record, ScenarioName};

/// Whether an expectation is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// Nobody can say.
    Undecided,
}

/// The value that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// In the record's unit.
    pub value: f64,
    /// `share`, `ns`, `per_s`, `bytes`.
    pub unit: &'static str,
    /// For people, with its unit.
    pub text: String,
}

/// An expectation with what the record says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The expectation as it was written.
    pub expression: String,
    /// The value that was judged; absent when there is none.
    pub measured: Option<Measured>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why; absent when it is met.
    pub reason: Option<String>,
}

/// A number of a record, or why it has none, and why it decides nothing all the same.
struct Found {
    value: Result<f64, String>,
    doubt: Option<String>,
}

impl Expectation {
    /// Whether `record` meets the expectation. A number that is refused, that stands in an INVALID
    /// measurement or that leaves failed samples out decides nothing.
    ///
    /// # Errors
    /// When the record has no number of this name; the error lists those it has.
    pub fn evaluate(
        &self,
        record: &Record,
        artifacts: &dyn Artifacts,
    ) -> Result<Judgement, ExpectError> {
        let found = match &self.quantity {
            Quantity::Score(_) => self.scores(record),
            Quantity::ClassScore(metric, class) => {
                let whole = self.scores(record);
                if whole.is_empty() {
                    class_scores(record, artifacts, metric, class)
                } else {
                    whole
                }
            }
            _ => self.performance(record),
        };
        // A failure is worse than an undecided number, and that is worse than a success; of two
        // alike the first counts.
        let rank = |v: Verdict| match v {
            Verdict::Failed => 0,
            Verdict::Undecided => 1,
            Verdict::Passed => 2,
        };
        let worst = found
            .into_iter()
            .map(|f| self.judge(f))
            .min_by_key(|j| rank(j.verdict));
        worst.ok_or_else(|| {
            let absent = || ExpectError::Unmeasured {
                expression: self.expression.clone(),
                reason: "the record has no such number".to_owned(),
            };
            let available = Available::of_record(record, artifacts);
            self.check(&available).err().unwrap_or_else(absent)
        })
    }

    fn judge(&self, found: Found) -> Judgement {
        let (value, verdict, reason) = match (found.value, found.doubt) {
            (Err(reason), _) => (
                None,
                Verdict::Undecided,
                Some(format!("`{}`: {reason}", self.name)),
            ),
            (Ok(value), Some(doubt)) => (Some(value), Verdict::Undecided, Some(doubt)),
            (Ok(value), None) if self.operator.holds(value, self.threshold) => {
                (Some(value), Verdict::Passed, None)
            }
            (Ok(value), None) => {
                let measured = self.quantity.dimension().text(value);
                let (operator, threshold) = (self.operator, &self.threshold_text);
                let reason = format!("measured {measured}, which is not {operator} {threshold}");
                (Some(value), Verdict::Failed, Some(reason))
            }
        };
        let dimension = self.quantity.dimension();
        Judgement {
            expression: self.expression.clone(),
            measured: value.map(|value| Measured {
                value,
                unit: dimension.unit(),
                text: dimension.text(value),
            }),
            verdict,
            reason,
        }
    }

    fn scores(&self, record: &Record) -> Vec<Found> {
        let of = |m: &Measurement| {
            let value = m.score(&self.name)?.value;
            Some(Found {
                value: value.ok_or_else(|| "nothing could be judged".to_owned()),
                doubt: doubt(m),
            })
        };
        record.measurements.iter().filter_map(of).collect()
    }

    fn performance(&self, record: &Record) -> Vec<Found> {
        let usual = if self.quantity == Quantity::Throughput {
            ScenarioName::Offline
        } else {
            ScenarioName::SingleStream
        };
        let mut scenarios = record
            .measurements
            .iter()
            .filter_map(|m| Some(m.performance()?.scenario.name));
        let wanted = self
            .scenario
            .or_else(|| scenarios.any(|s| s == usual).then_some(usual));
        let of = |m: &Measurement| {
            let p = m.performance()?;
            if wanted.is_some_and(|w| w != p.scenario.name) {
                return None;
            }
            Some(Found {
                value: quantity::value(p, &self.quantity)?,
                doubt: doubt(m),
            })
        };
        record.measurements.iter().filter_map(of).collect()
    }
}

/// `AP/person` out of the tables per class.
fn class_scores(
    record: &Record,
    artifacts: &dyn Artifacts,
    metric: &str,
    class: &str,
) -> Vec<Found> {
    let mut found = Vec::new();
    for m in &record.measurements {
        for table in tables(record, m, artifacts, PER_CLASS) {
            let value = match &table.content {
                // It may be in there: that nobody can look does not mean that it is wrong.
                Err(absent) => Err(format!("table {}: {}", table.name, absent.reason())),
                Ok(content) => {
                    let is_class = |r: &&Vec<String>| r.first().is_some_and(|c| c == class);
                    let row = content.rows.iter().find(is_class);
                    let column = content.column(metric).filter(|c| *c > 0);
                    match (row, column) {
                        (Some(row), Some(column)) => number(row.get(column))
                            .ok_or_else(|| "nothing of this class could be judged".to_owned()),
                        // Of a score of the whole nobody can know before whether there is one per
                        // class.
                        (Some(_), None) if m.score(metric).is_some() => {
                            Err(format!("there is no `{metric}` per class"))
                        }
                        _ => continue,
                    }
                }
            };
            found.push(Found {
                value,
                doubt: doubt(m),
            });
        }
    }
    found
}

/// Why the numbers of a measurement decide nothing.
fn doubt(m: &Measurement) -> Option<String> {
    if !m.validity.is_valid() {
        let codes: Vec<String> = m.validity.codes.iter().map(ToString::to_string).collect();
        return Some(format!("the measurement is INVALID: {}", codes.join(", ")));
    }
    let failed = m
        .accuracy()
        .map(|a| a.failed)
        .or_else(|| m.performance().map(|p| p.failed))
        .unwrap_or(0);
    (failed > 0).then(|| {
        let failed = counted(failed, "sample");
        format!("{failed} failed: a number of the others says nothing of the set")
    })
}

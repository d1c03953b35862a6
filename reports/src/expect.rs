//! Expectations such as `AP>=0.295` or `p90<=12ms`, checked against a record.
//!
//! `[SCENARIO:]NAME OPERATOR NUMBER[UNIT]` with `<`, `<=`, `>`, `>=`. Names are the scores of the
//! record and the [`QUANTITIES`] of its performance. A unit that does not belong to the name is
//! refused when the expectation is read, before anything is measured. Without a scenario,
//! `throughput` means offline and everything else single-stream, where the record has such; of
//! several measurements that fit, the one that meets the expectation least counts.

use dyno_core::{Measurement, MeasurementKind, Record, Scenario, UnknownName, nearest};
use std::{fmt, str::FromStr};

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Share,
    Time,
    Rate,
    Bytes,
}

impl Dimension {
    fn units(self) -> &'static str {
        match self {
            Self::Share => "a number from 0 to 1, or %",
            Self::Time => "ns, us, µs, ms, s",
            Self::Rate => "none, or /s",
            Self::Bytes => "B, kB, MB, GB, KiB, MiB, GiB",
        }
    }
}

/// Units with what they measure and their size in the record's unit (shares, nanoseconds, per
/// second, bytes).
const UNITS: &[(&str, Dimension, f64)] = &[
    ("%", Dimension::Share, 0.01),
    ("ns", Dimension::Time, 1.0),
    ("us", Dimension::Time, 1e3),
    ("µs", Dimension::Time, 1e3),
    ("μs", Dimension::Time, 1e3),
    ("ms", Dimension::Time, 1e6),
    ("s", Dimension::Time, 1e9),
    ("/s", Dimension::Rate, 1.0),
    ("B", Dimension::Bytes, 1.0),
    ("kB", Dimension::Bytes, 1e3),
    ("MB", Dimension::Bytes, 1e6),
    ("GB", Dimension::Bytes, 1e9),
    ("KiB", Dimension::Bytes, 1024.0),
    ("MiB", Dimension::Bytes, 1_048_576.0),
    ("GiB", Dimension::Bytes, 1_073_741_824.0),
];

/// Names of performance; every other name is a score.
const QUANTITIES: &[(&str, Dimension)] = &[
    ("min", Dimension::Time),
    ("mean", Dimension::Time),
    ("p50", Dimension::Time),
    ("p90", Dimension::Time),
    ("p99", Dimension::Time),
    ("max", Dimension::Time),
    ("p90-bound", Dimension::Time),
    ("p99-bound", Dimension::Time),
    ("load", Dimension::Time),
    ("first", Dimension::Time),
    ("throughput", Dimension::Rate),
    ("memory-peak", Dimension::Bytes),
];

/// How value and threshold are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Whether `value` stands in this relation to `threshold`; never with a value that is not a
    /// number.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Less => value < threshold,
            Self::AtMost => value <= threshold,
            Self::Greater => value > threshold,
            Self::AtLeast => value >= threshold,
        }
    }
}

/// Why an expectation cannot be read or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectError {
    /// Not of the form `NAME OPERATOR NUMBER[UNIT]`.
    #[error(
        "`{expression}` is no expectation: {reason} (examples: AP>=0.295, p90<=12ms, throughput>=50)"
    )]
    Syntax {
        /// The text.
        expression: String,
        /// What is wrong.
        reason: String,
    },
    /// A unit that the name does not have.
    #[error("`{expression}`: {reason}; `{name}` takes {units}")]
    Unit {
        /// The text.
        expression: String,
        /// What is wrong.
        reason: String,
        /// The name.
        name: String,
        /// What it takes.
        units: &'static str,
    },
    /// The record has no such number.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
}

/// Something that a record is expected to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    expression: String,
    scenario: Option<Scenario>,
    name: String,
    operator: Operator,
    /// In the record's unit.
    threshold: f64,
    dimension: Dimension,
}

/// Whether an expectation is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// Nobody can say.
    Undecided {
        /// Why.
        reason: String,
    },
}

/// An expectation with what the record says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectationResult {
    /// The expectation as it was written.
    pub expression: String,
    /// The value that was judged, in the record's unit: a share, nanoseconds, samples a second, or
    /// bytes. Absent when there is none.
    pub actual: Option<f64>,
    /// The same for people, with its unit.
    pub actual_text: String,
    /// The verdict.
    pub verdict: Verdict,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

impl FromStr for Expectation {
    type Err = ExpectError;

    fn from_str(expression: &str) -> Result<Self, Self::Err> {
        let syntax = |reason: String| ExpectError::Syntax {
            expression: expression.to_owned(),
            reason,
        };
        let at = expression
            .find(['<', '>', '='])
            .ok_or_else(|| syntax("it has no operator `<`, `<=`, `>` or `>=`".to_owned()))?;
        let (left, rest) = expression.split_at(at);
        let operators = [
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let (operator, right) = operators
            .into_iter()
            .find_map(|(sign, operator)| {
                rest.strip_prefix(sign)
                    .map(|right| (operator, right.trim()))
            })
            .ok_or_else(|| syntax("measured values are never compared for equality".to_owned()))?;
        let (scenario, name) = match left.split_once(':') {
            Some((scenario, name)) => (
                Some(scenario.trim().parse::<Scenario>().map_err(syntax)?),
                name.trim(),
            ),
            None => (None, left.trim()),
        };
        if name.is_empty() {
            return Err(syntax("the name is missing".to_owned()));
        }
        let split = right
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E')))
            .unwrap_or(right.len());
        let (number, unit) = right.split_at(split);
        let number: f64 = number
            .parse()
            .map_err(|_| syntax(format!("`{right}` does not begin with a number")))?;
        let dimension = QUANTITIES
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(Dimension::Share, |(_, d)| *d);
        let wrong = |reason: String| ExpectError::Unit {
            expression: expression.to_owned(),
            reason,
            name: name.to_owned(),
            units: dimension.units(),
        };
        if scenario.is_some() && dimension == Dimension::Share {
            return Err(syntax(format!(
                "`{name}` is a score, which has no scenario"
            )));
        }
        let unit = unit.trim();
        let factor = if unit.is_empty() {
            match dimension {
                Dimension::Share | Dimension::Rate => 1.0,
                Dimension::Time | Dimension::Bytes => {
                    return Err(wrong("the unit is missing".to_owned()));
                }
            }
        } else {
            match UNITS.iter().find(|(u, _, _)| *u == unit) {
                Some((_, d, factor)) if *d == dimension => *factor,
                Some((_, d, _)) if *d != Dimension::Share => {
                    let fits = QUANTITIES
                        .iter()
                        .filter(|(_, q)| q == d)
                        .map(|(n, _)| *n)
                        .collect::<Vec<_>>()
                        .join(", ");
                    return Err(wrong(format!("the unit `{unit}` belongs to {fits}")));
                }
                _ => return Err(wrong(format!("the unit `{unit}` does not fit"))),
            }
        };
        // Dividing keeps 29.5 % the same number as 0.295; multiplying by 0.01 does not.
        let threshold = if unit == "%" {
            number / 100.0
        } else {
            number * factor
        };
        if !threshold.is_finite() || threshold < 0.0 {
            return Err(syntax(format!("`{right}` is not a number of 0 or more")));
        }
        if dimension == Dimension::Share && threshold > 1.0 {
            return Err(wrong(format!("{right} is more than everything")));
        }
        Ok(Self {
            expression: expression.trim().to_owned(),
            scenario,
            name: name.to_owned(),
            operator,
            threshold,
            dimension,
        })
    }
}

/// A number of a record, or why it has none, with the validity of its measurement.
struct Found {
    value: Result<f64, String>,
    invalid: Option<String>,
}

impl Expectation {
    /// Whether `record` meets the expectation. A number that is refused, or that stands in an
    /// INVALID measurement, decides nothing.
    ///
    /// # Errors
    /// When the record has no number of this name; the error lists those it has.
    pub fn evaluate(&self, record: &Record) -> Result<ExpectationResult, ExpectError> {
        let found = if self.dimension == Dimension::Share {
            self.scores(record)
        } else {
            self.performance(record)
        };
        let unknown = || {
            let known = known(record);
            UnknownName {
                what: "number of the record",
                name: self.full_name(),
                nearest: nearest(&self.full_name(), known.iter().map(String::as_str)),
                known,
            }
        };
        // A failure is worse than an undecided number, and that is worse than a success; of two
        // alike the first counts.
        let rank = |v: &Verdict| match v {
            Verdict::Failed => 0,
            Verdict::Undecided { .. } => 1,
            Verdict::Passed => 2,
        };
        found
            .iter()
            .map(|f| self.judge(f))
            .min_by_key(|r| rank(&r.verdict))
            .ok_or_else(|| unknown().into())
    }

    fn full_name(&self) -> String {
        self.scenario
            .map_or_else(|| self.name.clone(), |s| format!("{s}:{}", self.name))
    }

    fn judge(&self, found: &Found) -> ExpectationResult {
        let (actual, verdict) = match (&found.value, &found.invalid) {
            (Err(reason), _) => (
                None,
                Verdict::Undecided {
                    reason: reason.clone(),
                },
            ),
            (Ok(value), Some(codes)) => (
                Some(*value),
                Verdict::Undecided {
                    reason: format!("the measurement is INVALID: {codes}"),
                },
            ),
            (Ok(value), None) if self.operator.holds(*value, self.threshold) => {
                (Some(*value), Verdict::Passed)
            }
            (Ok(value), None) => (Some(*value), Verdict::Failed),
        };
        let actual_text = actual.map_or_else(|| "none".to_owned(), |v| self.show(v));
        ExpectationResult {
            expression: self.expression.clone(),
            actual,
            actual_text,
            verdict,
        }
    }

    fn show(&self, value: f64) -> String {
        match self.dimension {
            Dimension::Share => crate::text::share(value),
            Dimension::Time => crate::text::time(value as u64),
            Dimension::Rate => format!("{}/s", crate::text::four_digits(value)),
            Dimension::Bytes => crate::text::bytes(value as u64),
        }
    }

    fn scores(&self, record: &Record) -> Vec<Found> {
        let of = |m: &Measurement| {
            let score = m.score(&self.name)?;
            Some(Found {
                value: score.value.ok_or_else(|| {
                    format!("`{}` has no value: nothing could be judged", self.name)
                }),
                invalid: invalid(m),
            })
        };
        record.measurements.iter().filter_map(of).collect()
    }

    fn performance(&self, record: &Record) -> Vec<Found> {
        let usual = if self.dimension == Dimension::Rate {
            Scenario::Offline
        } else {
            Scenario::SingleStream
        };
        let has = |s: Scenario| {
            record.measurements.iter().any(|m| matches!(&m.kind, MeasurementKind::Performance { scenario, .. } if *scenario == s))
        };
        let wanted = self.scenario.or_else(|| has(usual).then_some(usual));
        let of = |m: &Measurement| match &m.kind {
            MeasurementKind::Performance { scenario, .. }
                if wanted.is_none_or(|w| w == *scenario) =>
            {
                Some(Found {
                    value: quantity(&m.kind, &self.name)?,
                    invalid: invalid(m),
                })
            }
            _ => None,
        };
        record.measurements.iter().filter_map(of).collect()
    }
}

fn invalid(m: &Measurement) -> Option<String> {
    (!m.validity.is_valid()).then(|| {
        m.validity
            .codes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    })
}

/// The value of a quantity, or why it is refused; `None` where the measurement has no such number.
fn quantity(kind: &MeasurementKind, name: &str) -> Option<Result<f64, String>> {
    let MeasurementKind::Performance {
        latency_ns: l,
        bound_ns: b,
        throughput_per_s,
        load_ns,
        first_ns,
        memory_bytes,
        n,
        ..
    } = kind
    else {
        return None;
    };
    let percentile = |value: Option<u64>, p: f64| {
        value.map(|v| v as f64).ok_or_else(|| {
            let needed = dyno_stats::minimum_count(p)
                .map(|c| format!(" needs {c} queries and"))
                .unwrap_or_default();
            format!("`{name}` is refused: it{needed} has {n}")
        })
    };
    Some(match name {
        "min" => Ok(l.min as f64),
        "mean" => Ok(l.mean as f64),
        "max" => Ok(l.max as f64),
        "p50" => percentile(l.p50, 0.5),
        "p90" => percentile(l.p90, 0.9),
        "p99" => percentile(l.p99, 0.99),
        "p90-bound" => percentile(b.p90, 0.9),
        "p99-bound" => percentile(b.p99, 0.99),
        "load" => Ok(*load_ns as f64),
        "first" => Ok(*first_ns as f64),
        "throughput" => Ok(*throughput_per_s),
        "memory-peak" => Ok(memory_bytes.peak? as f64),
        _ => return None,
    })
}

/// All names that an expectation of this record may use; scores per class are left out.
fn known(record: &Record) -> Vec<String> {
    let mut names = Vec::new();
    for m in &record.measurements {
        match &m.kind {
            MeasurementKind::Accuracy { scores, .. } => names.extend(
                scores
                    .iter()
                    .filter(|s| !s.metric.contains('/'))
                    .map(|s| s.metric.clone()),
            ),
            MeasurementKind::Performance { scenario, .. } => {
                for (name, _) in QUANTITIES
                    .iter()
                    .filter(|(name, _)| quantity(&m.kind, name).is_some())
                {
                    names.push((*name).to_owned());
                    names.push(format!("{scenario}:{name}"));
                }
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|n| seen.insert(n.clone()));
    names
}

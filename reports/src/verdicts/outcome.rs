//! Judgements of one or more records, and what they come to.

use crate::{
    expect::{ExpectError, Expectation, Judgement, Verdict},
    view::{Names, kind, scenario, validity},
};
use dyno_core::{Artifacts, Record, ReportError, Row};

/// What is made of something that nobody can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undecided {
    /// It stays undecided.
    #[default]
    Stays,
    /// It counts as met.
    Pass,
    /// It counts as not met.
    Fail,
}

/// What all judgements come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is met.
    Passed,
    /// Something is not met.
    Failed,
    /// Nothing failed, and something could not be decided.
    Undecided,
}

/// A record with its judgements.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The record.
    pub record: &'a Record,
    /// One for every measurement: whether it is VALID. Never failed: INVALID is undecided.
    pub measurements: Vec<Judgement>,
    /// One for every expectation.
    pub expectations: Vec<Judgement>,
}

impl<'a> Judged<'a> {
    /// Judges a record.
    ///
    /// # Errors
    /// When an expectation names what the record does not have.
    pub fn new(
        record: &'a Record,
        expectations: &[Expectation],
        artifacts: &dyn Artifacts,
    ) -> Result<Self, ExpectError> {
        Ok(Self {
            record,
            measurements: measurements(record),
            expectations: expectations
                .iter()
                .map(|e| e.evaluate(record, artifacts))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Expectations, then measurements.
    pub fn all(&self) -> impl Iterator<Item = &Judgement> {
        self.expectations.iter().chain(&self.measurements)
    }

    /// Names of the record's subjects.
    pub fn subjects(&self) -> String {
        let subjects = self.record.subjects.iter();
        let names: Vec<&str> = subjects.map(|s| s.reference.as_str()).collect();
        names.join(", ")
    }
}

/// Whether each measurement is VALID, as a judgement.
fn measurements(record: &Record) -> Vec<Judgement> {
    let names = Names::of(record);
    let judge = |(index, m): (usize, &dyno_core::Measurement)| {
        let mut what = kind(&names, index, m);
        if let Some(p) = m.performance() {
            what.extend([" ", &scenario(&names, index, p.scenario.name)]);
        }
        let reason = (!m.validity.is_valid()).then(|| {
            let mut advice: Vec<&str> = m
                .validity
                .codes
                .iter()
                .map(dyno_core::ValidityCode::advice)
                .collect();
            advice.dedup();
            let advice = advice.join("; ");
            format!("{}: {advice}", validity(m))
                .trim_end_matches(": ")
                .to_owned()
        });
        Judgement {
            expression: format!("validity of measurement {}, {what}", index + 1),
            measured: None,
            verdict: if reason.is_none() {
                Verdict::Passed
            } else {
                Verdict::Undecided
            },
            reason,
        }
    };
    record.measurements.iter().enumerate().map(judge).collect()
}

/// Judged records with the rule for what is undecided.
#[derive(Debug, Clone, Copy)]
pub struct Verdicts<'a> {
    /// The records.
    pub judged: &'a [Judged<'a>],
    /// What is made of the undecided.
    pub undecided: Undecided,
}

impl Verdicts<'_> {
    /// What one judgement counts as.
    pub fn counts_as(&self, judgement: &Judgement) -> Outcome {
        match (judgement.verdict, self.undecided) {
            (Verdict::Passed, _) | (Verdict::Undecided, Undecided::Pass) => Outcome::Passed,
            (Verdict::Failed, _) | (Verdict::Undecided, Undecided::Fail) => Outcome::Failed,
            (Verdict::Undecided, Undecided::Stays) => Outcome::Undecided,
        }
    }

    /// How many judgements count as `outcome`.
    pub fn count(&self, outcome: Outcome) -> usize {
        let all = self.judged.iter().flat_map(Judged::all);
        all.filter(|j| self.counts_as(j) == outcome).count()
    }

    /// What all of them come to.
    pub fn outcome(&self) -> Outcome {
        if self.count(Outcome::Failed) > 0 {
            Outcome::Failed
        } else if self.count(Outcome::Undecided) > 0 {
            Outcome::Undecided
        } else {
            Outcome::Passed
        }
    }
}

/// A form of verdicts: row of the table.
pub trait VerdictFormat: Send + Sync {
    /// Kebab-case id.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// The whole text, ending in a newline where there is any.
    ///
    /// # Errors
    /// When it has no such form.
    fn render(&self, verdicts: &Verdicts<'_>) -> Result<String, ReportError>;
}

impl Row for dyn VerdictFormat {
    fn name(&self) -> &'static str {
        self.id()
    }
}

/// A verdict in one word.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Undecided => "undecided",
    }
}

//! Trials of one measurement: all kept whole, and repeated only where nothing but unrest speaks
//! against one.

use crate::{error::RunError, prepare::chain};
use dyno_core::{SensorTrace, ValidityCode};
use dyno_load::{Code, LoadError, Outcome};
use dyno_machine::Watched;

/// How often a measurement is made anew that was unsteady or disturbed. perf_analyzer tries ten
/// windows; what counts is that every attempt stands in the record.
pub(super) const TRIALS: usize = 3;

/// One trial.
pub(super) struct Trial {
    pub(super) outcome: Outcome,
    pub(super) watched: Watched,
    pub(super) sensors: Vec<SensorTrace>,
    /// When it began, RFC 3339, UTC.
    pub(super) started_utc: String,
    /// Why its window was disturbed.
    pub(super) disturbed: Option<String>,
}

impl Trial {
    /// What speaks against it, sorted.
    pub(super) fn codes(&self) -> Vec<ValidityCode> {
        let mut codes: Vec<ValidityCode> = self.outcome.codes.iter().map(|c| code(*c)).collect();
        if self.disturbed.is_some() {
            codes.push(ValidityCode::Disturbed);
        }
        codes.sort_unstable();
        codes
    }

    /// Only unrest speaks against it: another trial may be better.
    fn was_restless(&self) -> bool {
        let codes = self.codes();
        let restless =
            |c: &ValidityCode| matches!(c, ValidityCode::Unsteady | ValidityCode::Disturbed);
        !codes.is_empty() && codes.iter().all(restless)
    }

    /// What speaks against it, for people.
    fn words(&self) -> String {
        if let Some(words) = &self.disturbed {
            return words.clone();
        }
        match self.codes().as_slice() {
            [] => "nothing speaks against it".to_owned(),
            codes => {
                let names: Vec<String> = codes.iter().map(ToString::to_string).collect();
                names.join(", ")
            }
        }
    }
}

fn code(code: Code) -> ValidityCode {
    match code {
        Code::TooFewQueries => ValidityCode::TooFewQueries,
        Code::TooShort => ValidityCode::TooShort,
        Code::Unsteady => ValidityCode::Unsteady,
        Code::Partial => ValidityCode::Partial,
        Code::QueryFailed => ValidityCode::QueryFailed,
    }
}

/// All trials of a measurement.
pub(super) struct Trials {
    pub(super) all: Vec<Trial>,
    /// Why the last attempt gave no trial.
    pub(super) broken: Option<String>,
}

impl Trials {
    /// Position of the trial whose numbers are the measurement's: the first without fault, else
    /// the first.
    pub(super) fn chosen(&self) -> usize {
        let sound = self.all.iter().position(|t| t.codes().is_empty());
        sound.unwrap_or(0)
    }

    /// That there were several, in words.
    pub(super) fn retried(&self, number: u32) -> Option<String> {
        let mut said: Vec<String> = self
            .all
            .iter()
            .enumerate()
            .map(|(at, trial)| format!("trial {}: {}", at + 1, trial.words()))
            .collect();
        if let Some(words) = &self.broken {
            said.push(format!("trial {} came to nothing: {words}", said.len() + 1));
        }
        (said.len() > 1).then(|| {
            format!(
                "performance measurement {number} was made {} times ({}); its numbers are those of trial {}",
                said.len(),
                said.join("; "),
                self.chosen() + 1
            )
        })
    }
}

/// Measures until nothing but the result speaks, or often enough. `None` when it was interrupted
/// before there was anything.
///
/// # Errors
/// When the first attempt fails. A later one that fails or is interrupted takes nothing away.
pub(super) fn measure(
    mut attempt: impl FnMut() -> Result<Trial, LoadError>,
) -> Result<Option<Trials>, RunError> {
    let mut trials = Trials {
        all: Vec::new(),
        broken: None,
    };
    loop {
        match attempt() {
            Ok(trial) => {
                let again = trial.was_restless();
                trials.all.push(trial);
                if !again || trials.all.len() == TRIALS {
                    break;
                }
            }
            Err(LoadError::Interrupted) => break,
            Err(error) if trials.all.is_empty() => return Err(RunError::Load(chain(&error))),
            Err(error) => {
                trials.broken = Some(chain(&error));
                break;
            }
        }
    }
    Ok((!trials.all.is_empty()).then_some(trials))
}

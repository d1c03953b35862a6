//! Exit codes, and how an error is told.

use crate::say;
use dyno_core::{BackendError, DatasetError, UnknownName};
use dyno_planner::PlanError;
use dyno_registry::RegistryError;
use dyno_reports::ExpectError;
use dyno_runner::RunError;

/// All is well.
pub(crate) const OK: u8 = 0;
/// A verdict failed: expectation, limit, reference, comparison, check.
pub(crate) const VERDICT: u8 = 1;
/// The command cannot mean anything.
pub(crate) const USAGE: u8 = 2;
/// Engine, library or device is not here.
pub(crate) const CANNOT_RUN: u8 = 3;
/// Undecided, or the measurement is INVALID.
pub(crate) const UNDECIDED: u8 = 4;
/// Data, files or engine failed while running.
pub(crate) const FAILED: u8 = 5;
/// Interrupted; what was measured is kept.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error with the exit code and the hint that belong to it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Coded {
    /// What went wrong.
    pub(crate) message: String,
    /// Exit code.
    pub(crate) code: u8,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

/// A mistake in the command.
pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    coded(USAGE, message, hint)
}

/// An error with a code of its own.
pub(crate) fn coded(
    code: u8,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> anyhow::Error {
    let hint = hint.into();
    Coded {
        message: message.into(),
        code,
        hint: (!hint.is_empty()).then_some(hint),
    }
    .into()
}

/// The worst of several exit codes: an interrupt, then failures, then doubts.
pub(crate) fn worst(a: u8, b: u8) -> u8 {
    let rank = |c: u8| match c {
        OK => 0,
        UNDECIDED => 1,
        VERDICT => 2,
        CANNOT_RUN => 3,
        USAGE => 4,
        FAILED => 5,
        _ => 6,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// A model that is not there or contradicts itself is a mistake of the command; a file that cannot
/// be read is not.
fn registry(error: &RegistryError) -> u8 {
    match error {
        RegistryError::Evidence(_) | RegistryError::Io { .. } | RegistryError::Json { .. } => {
            FAILED
        }
        _ => USAGE,
    }
}

/// What one error of a chain says about code and hint; `None` where it says nothing of its own.
fn verdict(cause: &(dyn std::error::Error + 'static)) -> Option<(u8, Option<String>)> {
    let doctor = || Some("`dyno doctor` shows what this machine has".to_owned());
    if let Some(coded) = cause.downcast_ref::<Coded>() {
        return Some((coded.code, coded.hint.clone()));
    }
    if let Some(error) = cause.downcast_ref::<PlanError>() {
        return Some((error.exit_code(), error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<RunError>() {
        let code = error.exit_code();
        let missing = matches!(error, RunError::Backend(BackendError::Unavailable { .. }));
        return Some((code, missing.then(doctor).flatten()));
    }
    if cause.is::<UnknownName>() || cause.is::<ExpectError>() {
        return Some((USAGE, None));
    }
    if let Some(error) = cause.downcast_ref::<DatasetError>() {
        let usage = matches!(error, DatasetError::Usage(_));
        return Some((if usage { USAGE } else { FAILED }, None));
    }
    if let Some(error) = cause.downcast_ref::<RegistryError>() {
        return Some((registry(error), None));
    }
    None
}

/// Prints `error:`, `caused by:`, `hint:` to standard error and returns the exit code.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    say::problem(error.as_ref());
    let (code, hint) = error.chain().find_map(verdict).unwrap_or((FAILED, None));
    if let Some(hint) = hint {
        say::line(&format!("hint: {hint}"));
    }
    code
}

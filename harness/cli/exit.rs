//! Exit codes, and how an error is told.

use dyno_core::{BackendError, DatasetError, UnknownName};
use dyno_registry::RegistryError;
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
    let hint = hint.into();
    Coded {
        message: message.into(),
        code: USAGE,
        hint: (!hint.is_empty()).then_some(hint),
    }
    .into()
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

/// The exit code that an error deserves.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(coded) = cause.downcast_ref::<Coded>() {
            return coded.code;
        }
        if let Some(error) = cause.downcast_ref::<RunError>() {
            return error.exit_code();
        }
        if cause.is::<UnknownName>() || cause.is::<dyno_vision::VisionError>() {
            return USAGE;
        }
        if let Some(error) = cause.downcast_ref::<BackendError>() {
            return if matches!(
                error,
                BackendError::Unavailable { .. } | BackendError::Unsupported { .. }
            ) {
                CANNOT_RUN
            } else {
                FAILED
            };
        }
        if let Some(error) = cause.downcast_ref::<DatasetError>() {
            return if matches!(error, DatasetError::Usage(_)) {
                USAGE
            } else {
                FAILED
            };
        }
        if let Some(error) = cause.downcast_ref::<RegistryError>() {
            return registry(error);
        }
    }
    FAILED
}

fn hint(error: &anyhow::Error) -> Option<String> {
    for cause in error.chain() {
        if let Some(coded) = cause.downcast_ref::<Coded>() {
            return coded.hint.clone();
        }
        if let Some(BackendError::Unavailable { .. }) = cause.downcast_ref::<BackendError>() {
            return Some("`dyno doctor` shows what this machine has".to_owned());
        }
        if let Some(RunError::Backend(BackendError::Unavailable { .. })) =
            cause.downcast_ref::<RunError>()
        {
            return Some("`dyno doctor` shows what this machine has".to_owned());
        }
    }
    None
}

/// Prints `error:`, `caused by:`, `hint:` to standard error and returns the exit code.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let mut previous = error.to_string();
    eprintln!("error: {previous}");
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // Transparent wrappers repeat their source's words; a cause that the line above ends with
        // is not news either.
        if !previous.ends_with(&text) {
            eprintln!("caused by: {text}");
        }
        previous = text;
    }
    if let Some(hint) = hint(error) {
        eprintln!("hint: {hint}");
    }
    code(error)
}

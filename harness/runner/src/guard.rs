//! A panic of one part, such as a codec or a binding of an engine, becomes an error instead of a
//! thread that others wait for.

use crate::error::RunError;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The words of a panic.
fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without words".to_owned())
}

/// Runs `part`. What it left half done must not be used after a panic: the caller ends.
///
/// # Errors
/// Those of `part`, and [`RunError::Panicked`]; `what` says what it was at:
/// `while opening the engine`.
pub(crate) fn guarded<T>(
    what: impl FnOnce() -> String,
    part: impl FnOnce() -> Result<T, RunError>,
) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|payload| {
        Err(RunError::Panicked(format!(
            "{}: {}",
            what(),
            words(payload.as_ref())
        )))
    })
}

/// Runs a part of one sample's way. The outer result is an error after a panic: what `part` wrote
/// to must be made anew.
pub(crate) fn of_sample<T>(
    part: impl FnOnce() -> Result<T, String>,
) -> Result<Result<T, String>, String> {
    catch_unwind(AssertUnwindSafe(part))
        .map_err(|payload| format!("panic: {}", words(payload.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_deserves_5() {
        let n = 3;
        let error = guarded(
            || "while it tested".to_owned(),
            || -> Result<(), _> { panic!("no such thing: {n}") },
        )
        .expect_err("it panics");
        assert_eq!(
            (error.to_string(), error.exit_code()),
            ("panic while it tested: no such thing: 3".to_owned(), 5)
        );
        assert_eq!(guarded(String::new, || Ok(7)).expect("no panic"), 7);
    }

    #[test]
    fn a_panic_of_a_sample_is_told_apart_from_its_error() {
        let refused = of_sample(|| -> Result<(), _> { Err("broken".to_owned()) });
        assert_eq!(refused, Ok(Err("broken".to_owned())));
        let panics = of_sample(|| -> Result<(), String> { panic!("index 9") });
        assert_eq!(panics, Err("panic: index 9".to_owned()));
    }
}

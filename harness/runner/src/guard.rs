//! A panic of one part, such as a binding of an engine, becomes an error of the run instead of a
//! thread that others wait for.

use crate::error::RunError;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The words of a panic.
pub(crate) fn words(payload: &(dyn Any + Send)) -> String {
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
}

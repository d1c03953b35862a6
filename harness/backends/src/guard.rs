//! Panics of third-party engines as errors.
//!
//! tract indexes maps by names that stand in the model file (an output that no node produces, for
//! one) and asserts ranks inside operators; rten does the latter; `ort` unwraps what the library
//! says about inputs. Model files are untrusted, so a panic there is a refused model, not the end
//! of the program. The engine's state is dropped or never read again after such a panic: `open`
//! returns no engine, and an engine whose run panicked keeps the outputs of no run.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs `f`; a panic becomes its message.
pub(crate) fn guard<T>(f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| {
        Err(format!(
            "the engine panicked: {}",
            message(payload.as_ref())
        ))
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guard(|| Ok(3)), Ok(3));
        let missing = "x";
        let error =
            guard::<()>(|| std::panic::resume_unwind(Box::new(format!("no entry `{missing}`"))))
                .expect_err("it panicked");
        assert_eq!(error, "the engine panicked: no entry `x`");
    }
}

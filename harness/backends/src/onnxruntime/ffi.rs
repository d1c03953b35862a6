//! One session, run by several threads at once: the one call of ONNX Runtime that the crate `ort`
//! does not offer.
//!
//! `ort::Session::run` takes `&mut self`, because some execution providers are not safe when one
//! session runs twice at the same time. This crate registers none but the CPU provider
//! (`SessionBuilder::with_no_environment_execution_providers`, and no other is added), for which
//! ONNX Runtime promises it:
//!
//! * "Multiple threads can invoke the `Run()` method on the same inference session object", and
//!   `Compute()` of every kernel is const (ONNX Runtime, *High level design*, key design decisions);
//! * "Multiple threads are allowed to run this function; hence its thread-safe" (ONNX Runtime,
//!   `core/session/inference_session.h`, at `InferenceSession::Run`).
//!
//! A second session a slot would do without this file, but compiles the model again and keeps
//! another copy of its weights.
#![expect(
    unsafe_code,
    reason = "the library's own function is called, because the safe one cannot be shared"
)]

use ort::{
    AsPointer,
    session::{Session, SessionInputValue},
    value::DynValue,
};
use std::{
    ffi::{CStr, CString},
    ptr::{self, NonNull},
};

/// Runs `session` once. Values stand in the order of their names; the results too. May be called
/// from several threads for one session, if it has no execution provider but the CPU's.
///
/// # Errors
/// What the library says, or that counts differ.
pub(super) fn run(
    session: &Session,
    input_names: &[CString],
    inputs: &[SessionInputValue<'_>],
    output_names: &[CString],
) -> Result<Vec<DynValue>, String> {
    if inputs.len() != input_names.len() {
        return Err(format!(
            "{} inputs for {} names",
            inputs.len(),
            input_names.len()
        ));
    }
    let pointers = |names: &[CString]| names.iter().map(|n| CStr::as_ptr(n)).collect::<Vec<_>>();
    let (input_pointers, output_pointers) = (pointers(input_names), pointers(output_names));
    let values: Vec<*const ort::sys::OrtValue> = inputs.iter().map(|v| v.ptr()).collect();
    let mut results: Vec<*mut ort::sys::OrtValue> = vec![ptr::null_mut(); output_names.len()];
    // SAFETY: `session` and `inputs` are borrowed and so live during the call, the names are
    // NUL-terminated, and each array has the length that is given. The library writes only into
    // `results`, which is ours alone, and allows calls of several threads for one session (above).
    // Without run options the defaults apply.
    let status = unsafe {
        (ort::api().Run)(
            session.ptr().cast_mut(),
            ptr::null(),
            input_pointers.as_ptr(),
            values.as_ptr(),
            values.len(),
            output_pointers.as_ptr(),
            output_pointers.len(),
            results.as_mut_ptr(),
        )
    };
    // SAFETY: the status comes from the call above and is used nowhere else.
    let outcome = unsafe { ort::Error::result_from_status(status) };
    let values: Vec<DynValue> = results
        .into_iter()
        .filter_map(NonNull::new)
        // SAFETY: each pointer is an `OrtValue` that the call has made, and that belongs to its
        // caller. The values are of the CPU's memory, and so is the session's allocator.
        .map(|value| unsafe { DynValue::from_ptr(value, Some(session.allocator())) })
        .collect();
    outcome.map_err(|e| e.to_string())?;
    if values.len() == output_names.len() {
        Ok(values)
    } else {
        Err(format!(
            "{} of {} outputs were computed",
            values.len(),
            output_names.len()
        ))
    }
}

//! One session, run by several threads at once, and which execution providers it uses: the two
//! things of ONNX Runtime that the crate `ort` does not offer.
//!
//! `ort::Session::run` takes `&mut self`, because some execution providers are not safe when one
//! session runs twice at the same time. ONNX Runtime itself promises that `Run` may be called by
//! several threads, and keeps that promise for every provider:
//!
//! * "Multiple threads can invoke the `Run()` method on the same inference session object", and
//!   `Compute()` of every kernel is const (ONNX Runtime, *High level design*, key design decisions);
//! * "Multiple threads are allowed to run this function; hence its thread-safe" (ONNX Runtime,
//!   `core/session/inference_session.h`, at `InferenceSession::Run`);
//! * a provider that does not support concurrent runs says so (`ConcurrentRunSupported`, XNNPACK and
//!   DirectML among them), and then the session lets one call in at a time
//!   (`core/framework/execution_provider.h`).
//!
//! Graph capture of CUDA is the exception that it documents: such a model has one slot.
//!
//! A second session a slot would do without this, but compiles the model again and keeps another
//! copy of its weights.
#![expect(
    unsafe_code,
    reason = "the library's own function is called, because the safe one cannot be shared"
)]

use dyno_core::Provider;
use ort::{
    AsPointer,
    session::{IoBinding, Session, SessionInputValue},
    value::{DynValue, Outlet},
};
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_char},
    ptr::{self, NonNull},
    slice,
};

/// The entry of a session's configuration that makes it remember its providers.
pub(super) const RECORD_PROVIDERS: &str = "session.record_ep_graph_assignment_info";

/// A session that several threads may run at once.
pub(super) struct Shared {
    session: Session,
    providers: Vec<Provider>,
}

impl Shared {
    /// A session that was made with [`RECORD_PROVIDERS`].
    ///
    /// # Errors
    /// When the library does not say who runs the nodes.
    pub(super) fn new(session: Session) -> Result<Self, String> {
        let providers = providers(&session)?;
        Ok(Self { session, providers })
    }

    /// Inputs in the library's order.
    pub(super) fn inputs(&self) -> &[Outlet] {
        self.session.inputs()
    }

    /// Who runs nodes, and how many of the graph as it was before operators were fused.
    pub(super) fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Runs the session once, also while other threads do. Values stand in the order of their
    /// names; the results too.
    ///
    /// # Errors
    /// What the library says, or that counts differ.
    pub(super) fn run(
        &self,
        input_names: &[CString],
        inputs: &[SessionInputValue<'_>],
        output_names: &[CString],
    ) -> Result<Vec<DynValue>, String> {
        run(&self.session, input_names, inputs, output_names)
    }

    /// Binds `outputs` of an earlier run, in the order of their names, so that later runs write
    /// into them.
    ///
    /// # Errors
    /// What the library says.
    pub(super) fn bind(
        &self,
        output_names: &[CString],
        outputs: &mut [DynValue],
    ) -> Result<IoBinding, String> {
        let mut binding = self.session.create_binding().map_err(|e| e.to_string())?;
        for (name, value) in output_names.iter().zip(outputs) {
            binding
                .bind_output(name.to_string_lossy(), value)
                .map_err(|e| e.to_string())?;
        }
        Ok(binding)
    }

    /// Runs the session once into the outputs of `binding`, also while other threads run it with
    /// bindings of their own.
    ///
    /// # Errors
    /// What the library says, also for an output that has another shape than the bound one.
    pub(super) fn run_bound(
        &self,
        binding: &mut IoBinding,
        input_names: &[CString],
        inputs: &[SessionInputValue<'_>],
    ) -> Result<(), String> {
        let pointer = binding.ptr().cast_mut();
        for (name, value) in input_names.iter().zip(inputs) {
            // SAFETY: the binding is ours alone, the name ends with NUL, and the value is borrowed
            // until the inputs are cleared below. The safe function would copy borrowed inputs.
            checked(unsafe { (ort::api().BindInput)(pointer, name.as_ptr(), value.ptr()) })?;
        }
        // SAFETY: session and binding live, and the binding is of this session. Without run options
        // the defaults apply.
        let status = unsafe {
            (ort::api().RunWithBinding)(self.session.ptr().cast_mut(), ptr::null(), pointer)
        };
        let outcome = checked(status);
        // The borrowed inputs end with this call.
        binding.clear_inputs();
        outcome?;
        binding.synchronize_outputs().map_err(|e| e.to_string())
    }
}

/// The providers of a session's nodes, by name.
fn providers(session: &Session) -> Result<Vec<Provider>, String> {
    let mut subgraphs = ptr::null();
    let mut count = 0;
    // SAFETY: the session is borrowed, and both places are ours.
    let status = unsafe {
        (ort::api().Session_GetEpGraphAssignmentInfo)(
            session.ptr(),
            &raw mut subgraphs,
            &raw mut count,
        )
    };
    checked(status)?;
    let mut nodes = BTreeMap::new();
    // SAFETY: the library has given `count` subgraphs, which belong to the session.
    for &subgraph in unsafe { borrowed(subgraphs, count) } {
        let mut name: *const c_char = ptr::null();
        let mut inside = ptr::null();
        let mut number = 0;
        // SAFETY: a subgraph of the session, and places that are ours.
        checked(unsafe { (ort::api().EpAssignedSubgraph_GetEpName)(subgraph, &raw mut name) })?;
        // SAFETY: as above.
        let status = unsafe {
            (ort::api().EpAssignedSubgraph_GetNodes)(subgraph, &raw mut inside, &raw mut number)
        };
        checked(status)?;
        if name.is_null() {
            return Err("the library names a provider by nothing".to_owned());
        }
        // SAFETY: a text of the session, ended by NUL.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
        *nodes.entry(name.into_owned()).or_insert(0) += number as u64;
    }
    let providers = nodes.into_iter().map(|(name, nodes)| Provider {
        name,
        nodes: Some(nodes),
    });
    Ok(providers.collect())
}

/// An array of the library's, which may be null when it is empty.
///
/// # Safety
/// `first` points to `count` values that live as long as `'a`, or is null.
unsafe fn borrowed<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: promised by the caller.
    unsafe { slice::from_raw_parts(first, count) }
}

/// A status of the library as a result.
fn checked(status: ort::sys::OrtStatusPtr) -> Result<(), String> {
    // SAFETY: every caller hands on the status of the call that it has just made, once.
    unsafe { ort::Error::result_from_status(status) }.map_err(|e| e.to_string())
}

fn run(
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
    // `results`, which is ours alone, and allows calls of several threads for one session (see
    // above). Without run options the defaults apply.
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
    let outcome = checked(status);
    let values: Vec<DynValue> = results
        .into_iter()
        .filter_map(NonNull::new)
        // SAFETY: each pointer is an `OrtValue` that the call has made, and that belongs to its
        // caller. The values are of the CPU's memory, and so is the session's allocator.
        .map(|value| unsafe { DynValue::from_ptr(value, Some(session.allocator())) })
        .collect();
    outcome?;
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

//! A session of ONNX Runtime: one graph, its weights and one pool of threads, for all slots.

use super::{choice::Choice, ffi::Shared, slot::OrtSlot};
use dyno_core::{BackendError, ExecutionFacts, IoSpec, Model, Slot};
use std::{ffi::CString, sync::Arc};

/// What slots share.
pub(super) struct Loaded {
    pub(super) session: Shared,
    pub(super) input_names: Vec<CString>,
    pub(super) output_names: Vec<CString>,
    pub(super) io: IoSpec,
    /// Slots keep their outputs' memory.
    pub(super) io_binding: bool,
}

/// A session and its facts. Inputs may lie in ordinary memory: on the processor the library is as
/// fast with them at any address as at multiples of 64 bytes (fastest runs within 1 %).
pub(super) struct OrtModel {
    loaded: Arc<Loaded>,
    facts: ExecutionFacts,
    max_slots: Option<usize>,
}

impl OrtModel {
    /// # Errors
    /// When the library's inputs are not those of `io`, or a name holds a NUL byte.
    pub(super) fn new(
        session: Shared,
        io: IoSpec,
        mut facts: ExecutionFacts,
        choice: &Choice,
    ) -> Result<Self, String> {
        check_inputs_match(&session, &io)?;
        facts.providers = session.providers().to_vec();
        let name = |name: &str| CString::new(name).map_err(|e| format!("name `{name}`: {e}"));
        let input_names = io
            .inputs
            .iter()
            .map(|i| name(&i.name))
            .collect::<Result<_, _>>()?;
        let output_names = io
            .outputs
            .iter()
            .map(|o| name(&o.name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            loaded: Arc::new(Loaded {
                session,
                input_names,
                output_names,
                io,
                io_binding: choice.io_binding,
            }),
            facts,
            max_slots: choice.max_slots(),
        })
    }
}

impl Model for OrtModel {
    fn io(&self) -> &IoSpec {
        &self.loaded.io
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }

    fn max_slots(&self) -> Option<usize> {
        self.max_slots
    }

    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        Ok(Box::new(OrtSlot::new(Arc::clone(&self.loaded))))
    }
}

/// Inputs are handed over by position: both readers of the file must see the same ones.
fn check_inputs_match(session: &Shared, io: &IoSpec) -> Result<(), String> {
    let theirs: Vec<&str> = session
        .inputs()
        .iter()
        .map(ort::value::Outlet::name)
        .collect();
    let ours: Vec<&str> = io.inputs.iter().map(|i| i.name.as_str()).collect();
    if theirs == ours {
        Ok(())
    } else {
        Err(format!(
            "the engine sees the inputs {theirs:?}, the file declares {ours:?}"
        ))
    }
}

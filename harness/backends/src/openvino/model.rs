//! A compiled model of OpenVINO: weights once, a request for each slot.

use super::{
    backend::ID,
    ffi::{Compiled, Port},
    slot::OpenVinoSlot,
    source::plain,
};
use dyno_core::{BackendError, ExecutionFacts, IoSpec, Model, Provider, Slot};
use std::{ffi::CStr, sync::Arc};

/// The property that says which devices are in use.
const EXECUTION_DEVICES: &CStr = c"EXECUTION_DEVICES";

/// What slots share.
pub(super) struct Loaded {
    /// Ports before the model that they are of.
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
    pub(super) compiled: Compiled,
    pub(super) io: IoSpec,
}

/// A compiled model and its facts. Inputs may lie in ordinary memory.
pub(super) struct OpenVinoModel {
    pub(super) loaded: Arc<Loaded>,
    pub(super) facts: ExecutionFacts,
    /// The device chooses or divides by itself: who ran is asked each time.
    pub(super) is_virtual: bool,
}

impl Model for OpenVinoModel {
    fn io(&self) -> &IoSpec {
        &self.loaded.io
    }

    fn facts(&self) -> ExecutionFacts {
        let mut facts = self.facts.clone();
        if self.is_virtual {
            let devices = self.loaded.compiled.property(EXECUTION_DEVICES);
            facts.providers = providers(devices.as_deref().unwrap_or(""));
        }
        facts
    }

    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        let request = self
            .loaded
            .compiled
            .request()
            .map_err(|reason| BackendError::Run {
                backend: ID,
                reason: plain(&reason),
            })?;
        Ok(Box::new(OpenVinoSlot::new(
            request,
            Arc::clone(&self.loaded),
        )))
    }
}

/// Devices in the library's list: `CPU`, `GPU.0 CPU`; a name in parentheses stands in for another
/// that is not ready.
fn providers(list: &str) -> Vec<Provider> {
    list.split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(|name| Provider {
            name: name.to_owned(),
            nodes: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_devices() {
        let names = |list| {
            providers(list)
                .into_iter()
                .map(|p| p.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("CPU"), ["CPU"]);
        assert_eq!(names("GPU.0 CPU"), ["GPU.0", "CPU"]);
        assert!(names("").is_empty());
    }
}

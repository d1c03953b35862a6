//! Run state: an infer request. Inputs are read where they are, outputs are the request's own.

use super::{backend::ID, ffi::Request, model::Loaded, source::plain};
use crate::{io::check_inputs, stages::stages};
use dyno_core::{BackendError, EngineStages, Slot, TensorSet, TensorView};
use std::{sync::Arc, time::Instant};

pub(super) struct OpenVinoSlot {
    /// Before `loaded`, so that it is dropped before the compiled model.
    request: Request,
    loaded: Arc<Loaded>,
}

impl OpenVinoSlot {
    pub(super) fn new(request: Request, loaded: Arc<Loaded>) -> Self {
        Self { request, loaded }
    }
}

impl Slot for OpenVinoSlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        let Loaded {
            inputs: ports,
            outputs,
            io,
            ..
        } = &*self.loaded;
        check_inputs(io, inputs)?;
        let began = Instant::now();
        let views: Vec<TensorView<'_>> = inputs.tensors.iter().map(|t| t.tensor.view()).collect();
        let times =
            self.request
                .run(ports, &views, outputs)
                .map_err(|reason| BackendError::Run {
                    backend: ID,
                    reason: plain(&reason),
                })?;
        Ok(stages(began, times.set, times.ended))
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        self.request.output(index)
    }
}

//! One session of ONNX Runtime as an engine. Inputs are borrowed by the library for the run;
//! outputs are views of its own tensors.

use super::backend::ID;
use crate::guard::guard;
use dyno_core::{
    BackendError, Engine, EngineStages, ExecutionFacts, IoSpec, TensorSet, TensorSlice, TensorView,
};
use ort::{
    session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue},
    value::{DynValue, TensorElementType, TensorRef},
};
use std::time::Instant;

pub(super) struct OrtEngine {
    session: Session,
    options: RunOptions<HasSelectedOutputs>,
    io: IoSpec,
    facts: ExecutionFacts,
    /// Of the last run, in the order of `io`.
    outputs: Vec<(Vec<usize>, DynValue)>,
}

impl OrtEngine {
    pub(super) fn new(session: Session, io: IoSpec, facts: ExecutionFacts) -> Result<Self, String> {
        let selector = io
            .outputs
            .iter()
            .fold(OutputSelector::no_default(), |s, o| s.with(o.name.as_str()));
        let options = RunOptions::new()
            .map_err(|e| e.to_string())?
            .with_outputs(selector);
        Ok(Self {
            session,
            options,
            io,
            facts,
            outputs: Vec::new(),
        })
    }

    /// Inputs are wrapped (host to device), the library runs, outputs are taken (device to host):
    /// together all of the call.
    fn run_once(&mut self, inputs: &TensorSet) -> Result<EngineStages, String> {
        let began = Instant::now();
        self.outputs.clear();
        let values = inputs
            .tensors
            .iter()
            .map(|t| value(t.tensor.view()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        let wrapped = Instant::now();
        let mut results = self
            .session
            .run_with_options(&values[..], &self.options)
            .map_err(|e| e.to_string())?;
        let ended = Instant::now();
        for info in &self.io.outputs {
            let value = results
                .remove(&info.name)
                .ok_or_else(|| format!("output `{}` is missing", info.name))?;
            let shape = shape(&value).ok_or_else(|| {
                format!("output `{}` is not a tensor of a supported type", info.name)
            })?;
            self.outputs.push((shape, value));
        }
        Ok(EngineStages {
            host_to_device_ns: nanos(began, wrapped),
            engine_ns: nanos(wrapped, ended),
            device_to_host_ns: nanos(ended, Instant::now()),
        })
    }
}

impl Engine for OrtEngine {
    fn io(&self) -> &IoSpec {
        &self.io
    }

    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        guard(|| self.run_once(inputs)).map_err(|reason| BackendError::Run {
            backend: ID,
            reason,
        })
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        let (shape, value) = &self.outputs[index];
        #[expect(
            clippy::expect_used,
            reason = "the trait allows a panic for an output that does not exist; types were checked by `run`"
        )]
        TensorView::new(shape, slice(value).expect("a tensor of a supported type"))
            .expect("shape and data are of one tensor")
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }
}

fn nanos(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}

fn value(view: TensorView<'_>) -> ort::Result<SessionInputValue<'_>> {
    Ok(match view.data() {
        TensorSlice::F32(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::F16(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::Bf16(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::I8(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::U8(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::I32(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::I64(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
        TensorSlice::Bool(v) => TensorRef::from_array_view((view.shape(), v))?.into(),
    })
}

fn shape(value: &DynValue) -> Option<Vec<usize>> {
    let data = slice(value)?;
    let shape: Vec<usize> = value
        .dtype()
        .tensor_shape()?
        .iter()
        .map(|&d| usize::try_from(d).ok())
        .collect::<Option<_>>()?;
    TensorView::new(&shape, data).is_ok().then_some(shape)
}

fn slice(value: &DynValue) -> Option<TensorSlice<'_>> {
    Some(match value.dtype().tensor_type()? {
        TensorElementType::Float32 => TensorSlice::F32(value.try_extract_tensor().ok()?.1),
        TensorElementType::Float16 => TensorSlice::F16(value.try_extract_tensor().ok()?.1),
        TensorElementType::Bfloat16 => TensorSlice::Bf16(value.try_extract_tensor().ok()?.1),
        TensorElementType::Int8 => TensorSlice::I8(value.try_extract_tensor().ok()?.1),
        TensorElementType::Uint8 => TensorSlice::U8(value.try_extract_tensor().ok()?.1),
        TensorElementType::Int32 => TensorSlice::I32(value.try_extract_tensor().ok()?.1),
        TensorElementType::Int64 => TensorSlice::I64(value.try_extract_tensor().ok()?.1),
        TensorElementType::Bool => TensorSlice::Bool(value.try_extract_tensor().ok()?.1),
        _ => return None,
    })
}

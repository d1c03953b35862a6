//! Run state of a session of ONNX Runtime: the last outputs. Inputs are borrowed by the library for
//! the run; outputs are views of its own tensors, or with `io_binding` of the same tensors in every
//! run, which the first run has made.

use super::{backend::ID, model::Loaded};
use crate::{guard::guard, io::check_inputs, stages::stages};
use dyno_core::{BackendError, EngineStages, Slot, TensorSet, TensorSlice, TensorView};
use ort::{
    session::{IoBinding, SessionInputValue},
    value::{DynValue, TensorElementType, TensorRef},
};
use std::{sync::Arc, time::Instant};

pub(super) struct OrtSlot {
    /// Of the last run, in the order of the model's outputs. Before `loaded`, so that they are
    /// dropped before the session.
    outputs: Vec<(Vec<usize>, DynValue)>,
    /// Of `outputs`, from the first run on where outputs are bound.
    binding: Option<IoBinding>,
    loaded: Arc<Loaded>,
}

impl OrtSlot {
    pub(super) fn new(loaded: Arc<Loaded>) -> Self {
        Self {
            outputs: Vec::new(),
            binding: None,
            loaded,
        }
    }

    /// Inputs are wrapped (host to device), the library runs, outputs are taken (device to host):
    /// together all of the call.
    fn run_once(&mut self, inputs: &TensorSet) -> Result<EngineStages, String> {
        let Loaded {
            session,
            input_names,
            output_names,
            io,
            io_binding,
        } = &*self.loaded;
        let began = Instant::now();
        let values = inputs
            .tensors
            .iter()
            .map(|t| value(t.tensor.view()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        if let Some(mut binding) = self.binding.take() {
            let wrapped = Instant::now();
            if let Err(error) = session.run_bound(&mut binding, input_names, &values) {
                self.outputs.clear();
                return Err(error);
            }
            self.binding = Some(binding);
            return Ok(stages(began, wrapped, Instant::now()));
        }
        self.outputs.clear();
        let wrapped = Instant::now();
        let mut results = session.run(input_names, &values, output_names)?;
        let ended = Instant::now();
        if *io_binding {
            self.binding = Some(session.bind(output_names, &mut results)?);
        }
        for (value, info) in results.into_iter().zip(&io.outputs) {
            let shape = shape(&value).ok_or_else(|| {
                format!("output `{}` is not a tensor of a supported type", info.name)
            })?;
            self.outputs.push((shape, value));
        }
        Ok(stages(began, wrapped, ended))
    }
}

impl Slot for OrtSlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        check_inputs(&self.loaded.io, inputs)?;
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

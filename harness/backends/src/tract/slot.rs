//! Run state of a compiled model of tract. Inputs are copied into tensors that are kept between
//! runs; outputs are views of tract's own.

use super::{
    backend::ID,
    model::{Plan, dtype},
};
use crate::{guard::guard, io::check_inputs, stages::stages};
use dyno_core::{
    BackendError, DType, EngineStages, IoSpec, Slot, TensorSet, TensorSlice, TensorView,
};
use std::{sync::Arc, time::Instant};
use tract_linalg::multithread::{Executor, multithread_tract_scope};
use tract_onnx::{prelude::*, tract_core::internal::bail};

pub(super) struct TractSlot {
    plan: Plan,
    /// Absent after a run that failed half-way: the next one begins with a fresh state.
    state: Option<TypedSimpleState>,
    executor: Executor,
    io: Arc<IoSpec>,
    inputs: Vec<Arc<Tensor>>,
    outputs: Vec<Arc<Tensor>>,
}

impl TractSlot {
    pub(super) fn new(
        plan: &Plan,
        io: Arc<IoSpec>,
        executor: Executor,
    ) -> Result<Self, BackendError> {
        let state = guard(|| plan.spawn().map_err(|e| format!("{e:#}"))).map_err(fail)?;
        Ok(Self {
            plan: Arc::clone(plan),
            state: Some(state),
            executor,
            io,
            inputs: Vec::new(),
            outputs: Vec::new(),
        })
    }

    fn copy_inputs(&mut self, set: &TensorSet) -> TractResult<TVec<TValue>> {
        let mut values = TVec::new();
        for (index, named) in set.tensors.iter().enumerate() {
            let view = named.tensor.view();
            if let Some(tensor) = self.inputs.get_mut(index).and_then(Arc::get_mut) {
                fill(tensor, view)?;
            } else {
                // The first run, or an output that is this very tensor.
                let tensor = Arc::new(make(view)?);
                match self.inputs.get_mut(index) {
                    Some(slot) => *slot = tensor,
                    None => self.inputs.push(tensor),
                }
            }
            values.push(TValue::from_const(Arc::clone(&self.inputs[index])));
        }
        Ok(values)
    }
}

impl Slot for TractSlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        check_inputs(&self.io, inputs)?;
        let began = Instant::now();
        self.outputs.clear();
        let values = self
            .copy_inputs(inputs)
            .map_err(|e| fail(format!("{e:#}")))?;
        let copied = Instant::now();
        let results = guard(|| {
            let text = |e: TractError| format!("{e:#}");
            let mut state = match self.state.take() {
                Some(state) => state,
                None => self.plan.spawn().map_err(text)?,
            };
            let results = multithread_tract_scope(self.executor.clone(), || state.run(values))
                .map_err(text)?;
            self.state = Some(state);
            Ok(results)
        })
        .map_err(fail)?;
        let ended = Instant::now();
        for value in results {
            let tensor = value.into_arc_tensor();
            if dtype(tensor.datum_type()).is_none() || !tensor.is_plain_ram() {
                return Err(fail(format!(
                    "an output of type {:?} cannot be shown",
                    tensor.datum_type()
                )));
            }
            self.outputs.push(tensor);
        }
        Ok(stages(began, copied, ended))
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        #[expect(
            clippy::expect_used,
            reason = "the trait allows a panic for an output that does not exist; types were checked by `run`"
        )]
        view(&self.outputs[index]).expect("outputs are plain tensors of known types")
    }
}

fn fail(reason: String) -> BackendError {
    BackendError::Run {
        backend: ID,
        reason,
    }
}

fn make(v: TensorView<'_>) -> TractResult<Tensor> {
    match v.data() {
        TensorSlice::F32(d) => Tensor::from_shape(v.shape(), d),
        TensorSlice::F16(d) => Tensor::from_shape(v.shape(), d),
        TensorSlice::Bf16(_) => bail!("tract has no bfloat16"),
        TensorSlice::I8(d) => Tensor::from_shape(v.shape(), d),
        TensorSlice::U8(d) => Tensor::from_shape(v.shape(), d),
        TensorSlice::I32(d) => Tensor::from_shape(v.shape(), d),
        TensorSlice::I64(d) => Tensor::from_shape(v.shape(), d),
        TensorSlice::Bool(d) => Tensor::from_shape(v.shape(), d),
    }
}

fn fill(tensor: &mut Tensor, v: TensorView<'_>) -> TractResult<()> {
    let mut plain = tensor.try_as_plain_ram_mut()?;
    match v.data() {
        TensorSlice::F32(d) => plain.as_slice_mut::<f32>()?.copy_from_slice(d),
        TensorSlice::F16(d) => plain.as_slice_mut::<half::f16>()?.copy_from_slice(d),
        TensorSlice::Bf16(_) => bail!("tract has no bfloat16"),
        TensorSlice::I8(d) => plain.as_slice_mut::<i8>()?.copy_from_slice(d),
        TensorSlice::U8(d) => plain.as_slice_mut::<u8>()?.copy_from_slice(d),
        TensorSlice::I32(d) => plain.as_slice_mut::<i32>()?.copy_from_slice(d),
        TensorSlice::I64(d) => plain.as_slice_mut::<i64>()?.copy_from_slice(d),
        TensorSlice::Bool(d) => plain.as_slice_mut::<bool>()?.copy_from_slice(d),
    }
    Ok(())
}

fn view(tensor: &Tensor) -> Option<TensorView<'_>> {
    let plain = tensor.as_plain_ram()?;
    let data = match dtype(tensor.datum_type())? {
        DType::F32 => TensorSlice::F32(plain.as_slice().ok()?),
        DType::F16 => TensorSlice::F16(plain.as_slice().ok()?),
        DType::Bf16 => return None,
        DType::I8 => TensorSlice::I8(plain.as_slice().ok()?),
        DType::U8 => TensorSlice::U8(plain.as_slice().ok()?),
        DType::I32 => TensorSlice::I32(plain.as_slice().ok()?),
        DType::I64 => TensorSlice::I64(plain.as_slice().ok()?),
        DType::Bool => TensorSlice::Bool(plain.as_slice().ok()?),
    };
    TensorView::new(tensor.shape(), data).ok()
}

//! One plan of tract as an engine. Inputs are copied into tensors that are kept between runs;
//! outputs are views of tract's own.

use super::backend::ID;
use crate::guard::guard;
use dyno_core::{
    BackendError, DType, Dimension, Engine, EngineStages, ExecutionFacts, IoSpec, TensorSet,
    TensorSlice, TensorView,
};
use std::{sync::Arc, time::Instant};
use tract_onnx::{prelude::*, tract_core::internal::bail};

type Plan = Arc<TypedRunnableModel>;

pub(super) struct TractEngine {
    plan: Plan,
    io: IoSpec,
    facts: ExecutionFacts,
    inputs: Vec<Arc<Tensor>>,
    outputs: Vec<Arc<Tensor>>,
}

impl TractEngine {
    /// An engine around `plan`; types and shapes of `io`'s outputs become those that tract
    /// computed.
    pub(super) fn new(plan: Plan, mut io: IoSpec, facts: ExecutionFacts) -> Result<Self, String> {
        for (index, output) in io.outputs.iter_mut().enumerate() {
            let fact = plan
                .model()
                .output_fact(index)
                .map_err(|e| format!("{e:#}"))?;
            output.dtype = dtype(fact.datum_type).ok_or_else(|| {
                format!("output `{}` has type {:?}", output.name, fact.datum_type)
            })?;
            output.shape = fact
                .shape
                .iter()
                .map(|d| {
                    d.to_i64()
                        .ok()
                        .and_then(|n| usize::try_from(n).ok())
                        .map_or_else(|| Dimension::Symbolic(d.to_string()), Dimension::Fixed)
                })
                .collect();
        }
        Ok(Self {
            plan,
            io,
            facts,
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

impl Engine for TractEngine {
    fn io(&self) -> &IoSpec {
        &self.io
    }

    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        let fail = |reason: String| BackendError::Run {
            backend: ID,
            reason,
        };
        let began = Instant::now();
        self.outputs.clear();
        let values = self
            .copy_inputs(inputs)
            .map_err(|e| fail(format!("{e:#}")))?;
        let copied = Instant::now();
        let results =
            guard(|| self.plan.run(values).map_err(|e| format!("{e:#}"))).map_err(fail)?;
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
        Ok(EngineStages {
            host_to_device_ns: nanos(began, copied),
            engine_ns: nanos(copied, ended),
            device_to_host_ns: nanos(ended, Instant::now()),
        })
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        #[expect(
            clippy::expect_used,
            reason = "the trait allows a panic for an output that does not exist; types were checked by `run`"
        )]
        view(&self.outputs[index]).expect("outputs are plain tensors of known types")
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }
}

fn nanos(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
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

/// The type that stands in a view; quantized types are shown as what they store.
fn dtype(datum: DatumType) -> Option<DType> {
    Some(match datum.unquantized() {
        DatumType::F32 => DType::F32,
        DatumType::F16 => DType::F16,
        DatumType::I8 => DType::I8,
        DatumType::U8 => DType::U8,
        DatumType::I32 => DType::I32,
        DatumType::I64 => DType::I64,
        DatumType::Bool => DType::Bool,
        _ => return None,
    })
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

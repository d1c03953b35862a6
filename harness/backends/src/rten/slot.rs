//! Run state of a loaded model of rten: a pool of threads, and the last outputs. Inputs are
//! borrowed; outputs are views of rten's own tensors, except 64-bit integers and booleans, which
//! rten holds as 32-bit integers.

use super::{backend::ID, model::Loaded};
use crate::{guard::guard, io::check_inputs, stages::stages};
use dyno_core::{
    BackendError, DType, EngineStages, Slot, Tensor, TensorData, TensorSet, TensorSlice, TensorView,
};
use rten::{NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueView};
use rten_tensor::{AsView, Layout};
use std::{borrow::Cow, sync::Arc, time::Instant};

pub(super) struct RtenSlot {
    loaded: Arc<Loaded>,
    pool: Arc<ThreadPool>,
    outputs: Vec<Output>,
}

/// A result of the last run.
enum Output {
    /// As rten made it.
    Own { shape: Vec<usize>, value: Value },
    /// Converted back, or made dense.
    Converted(Tensor),
}

impl RtenSlot {
    pub(super) fn new(loaded: Arc<Loaded>, pool: Arc<ThreadPool>) -> Self {
        Self {
            loaded,
            pool,
            outputs: Vec::new(),
        }
    }
}

impl Slot for RtenSlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        let fail = |reason: String| BackendError::Run {
            backend: ID,
            reason,
        };
        let Loaded {
            model,
            inputs: input_ids,
            outputs: output_ids,
            io,
        } = &*self.loaded;
        check_inputs(io, inputs)?;
        let began = Instant::now();
        self.outputs.clear();
        let narrowed = inputs
            .tensors
            .iter()
            .map(|t| narrow(t.tensor.view(), &t.name))
            .collect::<Result<Vec<_>, _>>()
            .map_err(fail)?;
        let mut values: Vec<(NodeId, ValueOrView<'_>)> = Vec::with_capacity(narrowed.len());
        for ((named, small), &id) in inputs.tensors.iter().zip(&narrowed).zip(input_ids) {
            values.push((
                id,
                value(named.tensor.shape(), named.tensor.view(), small)
                    .map_err(fail)?
                    .into(),
            ));
        }
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let copied = Instant::now();
        let results = guard(|| {
            model
                .run(values, output_ids, Some(options))
                .map_err(|e| e.to_string())
        })
        .map_err(fail)?;
        let ended = Instant::now();
        for (result, info) in results.into_iter().zip(&io.outputs) {
            self.outputs.push(
                output(result, info.dtype)
                    .map_err(|e| fail(format!("output `{}`: {e}", info.name)))?,
            );
        }
        Ok(stages(began, copied, ended))
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        match &self.outputs[index] {
            Output::Converted(tensor) => tensor.view(),
            #[expect(
                clippy::expect_used,
                reason = "`run` keeps only dense tensors of these types"
            )]
            Output::Own { shape, value } => TensorView::new(shape, slice(value).expect("dense"))
                .expect("shape and data are of one tensor"),
        }
    }
}

/// The 32-bit form of what rten cannot hold; empty for what it can.
fn narrow<'a>(view: TensorView<'a>, name: &str) -> Result<Cow<'a, [i32]>, String> {
    match view.data() {
        TensorSlice::I32(v) => Ok(Cow::Borrowed(v)),
        TensorSlice::I64(v) => v
            .iter()
            .map(|&x| {
                i32::try_from(x).map_err(|_| {
                    format!("input `{name}` holds {x}, which rten's 32-bit integers cannot")
                })
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Cow::Owned),
        TensorSlice::Bool(v) => Ok(Cow::Owned(v.iter().map(|&x| i32::from(x)).collect())),
        _ => Ok(Cow::Borrowed(&[])),
    }
}

fn value<'a>(
    shape: &[usize],
    view: TensorView<'a>,
    narrowed: &'a [i32],
) -> Result<ValueView<'a>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    match view.data() {
        TensorSlice::F32(v) => ValueView::from_shape(shape, v).map_err(|e| text(&e)),
        TensorSlice::I8(v) => ValueView::from_shape(shape, v).map_err(|e| text(&e)),
        TensorSlice::U8(v) => ValueView::from_shape(shape, v).map_err(|e| text(&e)),
        TensorSlice::I32(_) | TensorSlice::I64(_) | TensorSlice::Bool(_) => {
            ValueView::from_shape(shape, narrowed).map_err(|e| text(&e))
        }
        TensorSlice::F16(_) | TensorSlice::Bf16(_) => {
            Err("rten has no 16-bit floating-point numbers".to_owned())
        }
    }
}

/// `declared` is the type of the file: rten forgets it where it computes with 32-bit integers.
fn output(value: Value, declared: DType) -> Result<Output, String> {
    if let Value::Int32Tensor(t) = &value
        && matches!(declared, DType::I64 | DType::Bool)
    {
        let data = if declared == DType::I64 {
            TensorData::I64(t.iter().map(|&x| i64::from(x)).collect())
        } else {
            TensorData::Bool(t.iter().map(|&x| x != 0).collect())
        };
        return Tensor::new(t.shape().to_vec(), data)
            .map(Output::Converted)
            .map_err(|e| e.to_string());
    }
    let (shape, data) = match &value {
        Value::FloatTensor(t) if t.data().is_none() => {
            (t.shape().to_vec(), Some(TensorData::F32(t.to_vec())))
        }
        Value::Int32Tensor(t) if t.data().is_none() => {
            (t.shape().to_vec(), Some(TensorData::I32(t.to_vec())))
        }
        Value::Int8Tensor(t) if t.data().is_none() => {
            (t.shape().to_vec(), Some(TensorData::I8(t.to_vec())))
        }
        Value::UInt8Tensor(t) if t.data().is_none() => {
            (t.shape().to_vec(), Some(TensorData::U8(t.to_vec())))
        }
        Value::FloatTensor(t) => (t.shape().to_vec(), None),
        Value::Int32Tensor(t) => (t.shape().to_vec(), None),
        Value::Int8Tensor(t) => (t.shape().to_vec(), None),
        Value::UInt8Tensor(t) => (t.shape().to_vec(), None),
        _ => return Err("not a tensor".to_owned()),
    };
    match data {
        None => Ok(Output::Own { shape, value }),
        Some(data) => Tensor::new(shape, data)
            .map(Output::Converted)
            .map_err(|e| e.to_string()),
    }
}

fn slice(value: &Value) -> Option<TensorSlice<'_>> {
    match value {
        Value::FloatTensor(t) => t.data().map(TensorSlice::F32),
        Value::Int32Tensor(t) => t.data().map(TensorSlice::I32),
        Value::Int8Tensor(t) => t.data().map(TensorSlice::I8),
        Value::UInt8Tensor(t) => t.data().map(TensorSlice::U8),
        _ => None,
    }
}

//! Run state: a net. Inputs are copied into it by OpenCV; outputs are views of its own memory.

use super::{backend::ID, model::Loaded, net::plain};
use crate::{io::check_inputs, stages::stages};
use dyno_core::{BackendError, EngineStages, Slot, TensorInfo, TensorSet, TensorSlice, TensorView};
use opencv::{
    core::{CV_32F, Mat, Scalar, Vector},
    dnn::Net,
    prelude::*,
};
use std::{sync::Arc, time::Instant};

pub(super) struct OpenCvSlot {
    net: Net,
    names: Vector<String>,
    /// Of the last run.
    outputs: Vec<(Vec<usize>, Mat)>,
    loaded: Arc<Loaded>,
}

impl OpenCvSlot {
    pub(super) fn new(net: Net, loaded: Arc<Loaded>) -> Self {
        Self {
            net,
            names: loaded.output_names.iter().map(String::as_str).collect(),
            outputs: Vec::new(),
            loaded,
        }
    }

    fn run_once(&mut self, inputs: &TensorSet) -> Result<EngineStages, String> {
        let began = Instant::now();
        self.outputs.clear();
        for (named, name) in inputs.tensors.iter().zip(&self.loaded.input_names) {
            let view = named.tensor.view();
            let sizes = view
                .shape()
                .iter()
                .map(|&d| i32::try_from(d))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| e.to_string())?;
            // OpenCV copies what it is given, so that the borrowed memory is free afterwards.
            match view.data() {
                TensorSlice::F32(values) => Mat::new_nd_with_data(&sizes, values)
                    .and_then(|blob| self.net.set_input(&blob, name, 1.0, Scalar::default())),
                TensorSlice::U8(values) => Mat::new_nd_with_data(&sizes, values)
                    .and_then(|blob| self.net.set_input(&blob, name, 1.0, Scalar::default())),
                _ => return Err(format!("input `{}` of this type", named.name)),
            }
            .map_err(|e| plain(&e))?;
        }
        let copied = Instant::now();
        let mut made = Vector::<Mat>::new();
        let done = self.net.forward(&mut made, &self.names);
        let ended = Instant::now();
        done.map_err(|e| plain(&e))?;
        if made.len() != self.loaded.io.outputs.len() {
            return Err(format!("{} outputs were computed", made.len()));
        }
        for (blob, info) in made.into_iter().zip(&self.loaded.io.outputs) {
            let shape = shape(&blob, info).map_err(|e| format!("output `{}`: {e}", info.name))?;
            self.outputs.push((shape, blob));
        }
        Ok(stages(began, copied, ended))
    }
}

impl Slot for OpenCvSlot {
    fn run(&mut self, inputs: &TensorSet) -> Result<EngineStages, BackendError> {
        check_inputs(&self.loaded.io, inputs)?;
        let result = self.run_once(inputs);
        if result.is_err() {
            self.outputs.clear();
        }
        result.map_err(|reason| BackendError::Run {
            backend: ID,
            reason,
        })
    }

    fn output(&self, index: usize) -> TensorView<'_> {
        let (shape, blob) = &self.outputs[index];
        #[expect(
            clippy::expect_used,
            reason = "the trait allows a panic for an output that does not exist; `run` has looked at type and shape"
        )]
        TensorView::new(shape, TensorSlice::F32(blob.data_typed().expect("of f32")))
            .expect("shape and data are of one tensor")
    }
}

/// The shape of a blob. OpenCV has no tensors of less than two dimensions: where the file says
/// another shape for as many values, it is that one.
fn shape(blob: &Mat, info: &TensorInfo) -> Result<Vec<usize>, String> {
    if blob.typ() != CV_32F {
        return Err(format!("a blob of type number {}", blob.typ()));
    }
    let found = blob
        .mat_size()
        .iter()
        .map(|&d| usize::try_from(d).map_err(|e| e.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let count = |shape: &[usize]| shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let data: &[f32] = blob.data_typed().map_err(|e| plain(&e))?;
    let shape = match info.fixed_shape() {
        Some(declared) if count(&declared) == count(&found) => declared,
        _ => found,
    };
    if count(&shape) == Some(data.len()) {
        Ok(shape)
    } else {
        Err(format!("{} values for {shape:?}", data.len()))
    }
}

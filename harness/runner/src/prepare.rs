//! From a sample to the tensors of a query.

use crate::error::RunError;
use dyno_core::{
    DType, Geometry, InputData, InputSpec, IoSpec, NamedTensor, Sample, Tensor, TensorData,
    TensorSet,
};
use dyno_image::{Image, Limits, Orientation};
use dyno_vision::Preprocessor;
use std::time::Instant;

/// How long the parts of one preparation took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrepareTimes {
    /// Image decoding.
    pub decode_ns: u64,
    /// From pixels to the tensor.
    pub preprocess_ns: u64,
}

/// A sample ready for the engine.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// How the image was resized; absent for samples without one.
    pub geometry: Geometry,
    /// How long it took.
    pub times: PrepareTimes,
}

enum Input {
    Image(Box<Preprocessor>),
    Raw { shape: Vec<usize>, dtype: DType },
}

/// Prepares samples for one open model; keeps its buffers between samples.
pub struct Preparer {
    inputs: Vec<(String, Input)>,
    image: Image,
    limits: Limits,
    batch: usize,
}

impl Preparer {
    /// A preparer for the inputs `specs` of a model with `io`. An input with preprocessing steps,
    /// and the only input of a model, is an image.
    ///
    /// # Errors
    /// When a spec names an input that the model does not have, or its steps do not produce the
    /// input's shape.
    pub fn new(specs: &[InputSpec], io: &IoSpec, batch: u32) -> Result<Self, RunError> {
        let names: Vec<&str> = io.inputs.iter().map(|i| i.name.as_str()).collect();
        for spec in specs {
            if let Some(name) = &spec.name
                && !names.contains(&name.as_str())
            {
                return Err(RunError::Plan(format!(
                    "the description names an input `{name}`, the model has: {}",
                    names.join(", ")
                )));
            }
        }
        let mut inputs = Vec::with_capacity(io.inputs.len());
        for (index, info) in io.inputs.iter().enumerate() {
            let spec = specs
                .iter()
                .find(|s| s.name.as_deref() == Some(&info.name))
                .or_else(|| specs.get(index).filter(|s| s.name.is_none()));
            let input = match spec {
                Some(spec) if !spec.preprocess.is_empty() || io.inputs.len() == 1 => {
                    Input::Image(Box::new(Preprocessor::new(spec, info, batch)?))
                }
                _ => {
                    let shape = info.fixed_shape().ok_or_else(|| {
                        RunError::Plan(format!("input `{}` has no fixed shape and no description: give it with --shape {}=…", info.name, info.name))
                    })?;
                    Input::Raw {
                        shape,
                        dtype: info.dtype,
                    }
                }
            };
            inputs.push((info.name.clone(), input));
        }
        Ok(Self {
            inputs,
            image: Image::default(),
            limits: Limits::default(),
            batch: batch as usize,
        })
    }

    /// Width and height of the first image input in pixels.
    pub fn network_size(&self) -> [u32; 2] {
        self.inputs
            .iter()
            .find_map(|(_, i)| {
                if let Input::Image(p) = i {
                    Some(p.network_size())
                } else {
                    None
                }
            })
            .unwrap_or([1, 1])
    }

    /// Zeroed tensors for a batch.
    ///
    /// # Errors
    /// When a shape is too large for this machine's numbers.
    pub fn new_set(&self) -> Result<TensorSet, RunError> {
        let mut tensors = Vec::with_capacity(self.inputs.len());
        for (name, input) in &self.inputs {
            let tensor = match input {
                Input::Image(preprocessor) => preprocessor.new_tensor()?,
                Input::Raw { shape, dtype } => {
                    Tensor::zeros(shape.clone(), *dtype).map_err(dyno_core::BackendError::from)?
                }
            };
            tensors.push(NamedTensor {
                name: name.clone(),
                tensor,
                quantization: None,
            });
        }
        Ok(TensorSet { tensors })
    }

    /// Writes `sample` as batch item `item` of `set` (made by [`Self::new_set`]).
    ///
    /// # Errors
    /// In words, because a bad sample is counted and reported, not fatal.
    pub fn prepare(
        &mut self,
        sample: &Sample,
        item: usize,
        set: &mut TensorSet,
    ) -> Result<Prepared, String> {
        let size = self.network_size();
        let identity = Geometry {
            image_width: size[0],
            image_height: size[1],
            network_width: size[0],
            network_height: size[1],
            scale_x: 1.0,
            scale_y: 1.0,
            offset_x: 0.0,
            offset_y: 0.0,
        };
        let mut prepared = Prepared {
            geometry: identity,
            times: PrepareTimes::default(),
        };
        for (index, (name, input)) in self.inputs.iter_mut().enumerate() {
            let data = sample
                .inputs
                .iter()
                .find(|s| s.name.as_deref() == Some(name))
                .or_else(|| sample.inputs.get(index).filter(|s| s.name.is_none()));
            let data = &data
                .ok_or_else(|| format!("the sample has nothing for input `{name}`"))?
                .data;
            let target = &mut set
                .tensors
                .get_mut(index)
                .ok_or("the tensor set belongs to another model")?
                .tensor;
            match (input, data) {
                (Input::Image(preprocessor), InputData::EncodedImage(bytes)) => {
                    let start = Instant::now();
                    dyno_image::decode_into(
                        bytes,
                        Orientation::Ignore,
                        &self.limits,
                        &mut self.image,
                    )
                    .map_err(|e| chain(&e))?;
                    let decoded = Instant::now();
                    prepared.geometry = preprocessor
                        .prepare(&self.image, target, item)
                        .map_err(|e| chain(&e))?;
                    prepared.times.decode_ns += (decoded - start).as_nanos() as u64;
                    prepared.times.preprocess_ns += decoded.elapsed().as_nanos() as u64;
                }
                (_, InputData::Tensor(tensor)) => copy_item(tensor, target, item, self.batch)
                    .map_err(|e| format!("input `{name}`: {e}"))?,
                (_, InputData::Scalars(values)) => {
                    let tensor = Tensor::new(
                        vec![1, values.len()],
                        TensorData::F32(values.iter().map(|v| *v as f32).collect()),
                    )
                    .map_err(|e| chain(&e))?;
                    copy_item(&tensor, target, item, self.batch)
                        .map_err(|e| format!("input `{name}`: {e}"))?;
                }
                (Input::Raw { .. }, InputData::EncodedImage(_)) => {
                    return Err(format!(
                        "input `{name}` has no preprocessing steps, so it cannot take an image"
                    ));
                }
            }
        }
        Ok(prepared)
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Copies one sample's tensor into item `item` of a batched tensor of the same type.
fn copy_item(from: &Tensor, to: &mut Tensor, item: usize, batch: usize) -> Result<(), String> {
    fn part<T: Copy>(from: &[T], to: &mut [T], item: usize, batch: usize) -> Result<(), String> {
        let each = to.len() / batch.max(1);
        let target = to
            .get_mut(item * each..(item + 1) * each)
            .ok_or("batch item out of range")?;
        if target.len() != from.len() {
            return Err(format!(
                "the sample has {} values, the model takes {each}",
                from.len()
            ));
        }
        target.copy_from_slice(from);
        Ok(())
    }
    let (expected, found) = (to.dtype(), from.dtype());
    match (from.data(), to.data_mut()) {
        (TensorData::F32(a), TensorData::F32(b)) => part(a, b, item, batch),
        (TensorData::F16(a), TensorData::F16(b)) => part(a, b, item, batch),
        (TensorData::Bf16(a), TensorData::Bf16(b)) => part(a, b, item, batch),
        (TensorData::I8(a), TensorData::I8(b)) => part(a, b, item, batch),
        (TensorData::U8(a), TensorData::U8(b)) => part(a, b, item, batch),
        (TensorData::I32(a), TensorData::I32(b)) => part(a, b, item, batch),
        (TensorData::I64(a), TensorData::I64(b)) => part(a, b, item, batch),
        (TensorData::Bool(a), TensorData::Bool(b)) => part(a, b, item, batch),
        _ => Err(format!(
            "the sample has {found}, the model takes {expected}"
        )),
    }
}

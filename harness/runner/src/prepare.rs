//! From a sample to the tensors of a query.

use crate::error::RunError;
use dyno_core::{
    BackendError, Dataset, ExifOrientation, Geometry, InputData, InputSpec, IoSpec, Model,
    NamedTensor, Sample, Tensor, TensorData, TensorSet, TensorSlice, TensorSliceMut,
};
use dyno_image::{Image, Limits, Orientation};
use dyno_vision::Preprocessor;
use std::time::Instant;

/// How long the parts of one preparation took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PrepareTimes {
    /// Image decoding.
    pub(crate) decode_ns: u64,
    /// From pixels to the tensor.
    pub(crate) preprocess_ns: u64,
}

/// A sample ready for the engine.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// How the image was resized; the identity for samples without one.
    pub(crate) geometry: Geometry,
    /// Width and height of the decoded image in pixels; absent for samples without one.
    pub(crate) image_size: Option<[u32; 2]>,
    /// How long it took.
    pub(crate) times: PrepareTimes,
}

/// How pictures of a dataset are turned.
pub(crate) fn orientation(dataset: &dyn Dataset) -> Orientation {
    match dataset.facts().exif {
        ExifOrientation::Apply => Orientation::Apply,
        ExifOrientation::Ignore => Orientation::Ignore,
    }
}

enum Input {
    Image(Box<Preprocessor>),
    Raw,
}

/// Prepares samples for one open model; keeps its buffers between samples.
pub(crate) struct Preparer {
    inputs: Vec<(String, Input)>,
    image: Image,
    limits: Limits,
    orientation: Orientation,
    batch: usize,
}

impl Preparer {
    /// A preparer for the inputs `specs` of a model with `io`. An input with preprocessing steps,
    /// and the only input of a model, is an image.
    ///
    /// # Errors
    /// When a spec names an input that the model does not have, or its steps do not produce the
    /// input's shape.
    pub(crate) fn new(
        specs: &[InputSpec],
        io: &IoSpec,
        batch: u32,
        orientation: Orientation,
    ) -> Result<Self, RunError> {
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
                    info.fixed_shape().ok_or_else(|| {
                        RunError::Plan(format!("input `{}` has no fixed shape and no description: give it with --shape {}=…", info.name, info.name))
                    })?;
                    Input::Raw
                }
            };
            inputs.push((info.name.clone(), input));
        }
        Ok(Self {
            inputs,
            image: Image::default(),
            limits: Limits::default(),
            orientation,
            batch: batch as usize,
        })
    }

    /// Width and height of the first image input in pixels.
    pub(crate) fn network_size(&self) -> [u32; 2] {
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

    /// Zeroed tensors for a batch, in memory as the engine likes it.
    ///
    /// # Errors
    /// When the engine cannot give that memory.
    pub(crate) fn new_set(&self, model: &dyn Model) -> Result<TensorSet, RunError> {
        let mut tensors = Vec::with_capacity(self.inputs.len());
        for (index, (name, _)) in self.inputs.iter().enumerate() {
            let info = model.io().inputs.get(index);
            let shape = info.and_then(dyno_core::TensorInfo::fixed_shape);
            let shape = shape.ok_or_else(|| {
                BackendError::Usage(format!(
                    "input `{name}` of the open model has no fixed shape"
                ))
            })?;
            let tensor = Tensor::new(shape, model.allocate(index)?).map_err(BackendError::from)?;
            tensors.push(NamedTensor {
                name: name.clone(),
                tensor,
                quantization: info.and_then(|i| i.quantization),
            });
        }
        Ok(TensorSet { tensors })
    }

    /// Writes `sample` as batch item `item` of `set` (made by [`Self::new_set`]).
    ///
    /// # Errors
    /// In words, because a bad sample is counted and reported, not fatal.
    pub(crate) fn prepare(
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
            image_size: None,
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
                    dyno_image::decode_into(bytes, self.orientation, &self.limits, &mut self.image)
                        .map_err(|e| chain(&e))?;
                    let decoded = Instant::now();
                    prepared.geometry = preprocessor
                        .prepare(&self.image, target, item)
                        .map_err(|e| chain(&e))?;
                    prepared.image_size = Some([
                        prepared.geometry.image_width,
                        prepared.geometry.image_height,
                    ]);
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
                (Input::Raw, InputData::EncodedImage(_)) => {
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
    match (from.data().as_slice(), to.data_mut().as_mut_slice()) {
        (TensorSlice::F32(a), TensorSliceMut::F32(b)) => part(a, b, item, batch),
        (TensorSlice::F16(a), TensorSliceMut::F16(b)) => part(a, b, item, batch),
        (TensorSlice::Bf16(a), TensorSliceMut::Bf16(b)) => part(a, b, item, batch),
        (TensorSlice::I8(a), TensorSliceMut::I8(b)) => part(a, b, item, batch),
        (TensorSlice::U8(a), TensorSliceMut::U8(b)) => part(a, b, item, batch),
        (TensorSlice::I32(a), TensorSliceMut::I32(b)) => part(a, b, item, batch),
        (TensorSlice::I64(a), TensorSliceMut::I64(b)) => part(a, b, item, batch),
        (TensorSlice::Bool(a), TensorSliceMut::Bool(b)) => part(a, b, item, batch),
        _ => Err(format!(
            "the sample has {found}, the model takes {expected}"
        )),
    }
}

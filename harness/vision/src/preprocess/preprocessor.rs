//! [`Preprocessor`]: one input of one open model. Reuse it: after the first image of a size it does
//! not allocate.

use super::{
    chain::{Chain, Placement, StepError, crop, resample},
    pack::{Packer, channel_count},
};
use crate::error::VisionError;
use dyno_core::{DType, Dimension, Geometry, InputSpec, Layout, Tensor, TensorInfo};
use dyno_image::{Image, Region, Resizer};

/// Turns images into items of the input tensor, `[batch, channels, height, width]` or
/// `[batch, height, width, channels]`.
#[derive(Debug)]
pub struct Preprocessor {
    input: String,
    chain: Chain,
    packer: Packer,
    size: [u32; 2],
    shape: Vec<usize>,
    dtype: DType,
    resizer: Resizer,
    buffers: [Image; 2],
}

/// Which image the current pixels are in.
#[derive(Clone, Copy)]
enum Place {
    Original,
    First,
    Second,
}

/// A number for each axis, from what the engine says, else from what `dyno.json` says; `None` where
/// both are silent.
fn axes(spec: &InputSpec, info: &TensorInfo) -> Result<[Option<usize>; 4], String> {
    let listed = || {
        format!(
            "[{}]",
            info.shape
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    let fixed = |d: &Dimension| {
        if let Dimension::Fixed(n) = d {
            Some(*n)
        } else {
            None
        }
    };
    let [a, b, c, d] = info.shape.as_slice() else {
        return Err(format!(
            "an image needs 4 axes, the model's input is {}",
            listed()
        ));
    };
    let mut axes = [a, b, c, d].map(fixed);
    if let Some(shape) = &spec.shape {
        let &[_, b, c, d] = shape.as_slice() else {
            return Err(format!("an image needs 4 axes, `shape` is {shape:?}"));
        };
        for (axis, said) in axes.iter_mut().skip(1).zip([b, c, d]) {
            if axis.is_some_and(|n| n != said) {
                return Err(format!(
                    "`shape` is {shape:?}, the model's input is {}",
                    listed()
                ));
            }
            *axis = Some(said);
        }
    }
    Ok(axes)
}

impl Preprocessor {
    /// A preprocessor for `batch` images at a time of the input that the engine describes by
    /// `info`.
    ///
    /// # Errors
    /// [`VisionError::Steps`] when the steps are impossible in themselves, do not end at the
    /// input's size, or do not give its element type.
    pub fn new(spec: &InputSpec, info: &TensorInfo, batch: u32) -> Result<Self, VisionError> {
        Self::build(spec, info, batch as usize).map_err(|reason| VisionError::Steps {
            input: info.name.clone(),
            reason,
        })
    }

    fn build(spec: &InputSpec, info: &TensorInfo, batch: usize) -> Result<Self, String> {
        if let Some(dtype) = spec.dtype
            && dtype != info.dtype
        {
            return Err(format!(
                "its type is given as {dtype}, the model's input is {}",
                info.dtype
            ));
        }
        let chain = Chain::new(&spec.preprocess)?;
        let [n, a, b, c] = axes(spec, info)?;
        if batch == 0 || n.is_some_and(|n| n != batch) {
            return Err(format!(
                "a batch of {batch}, the model's input takes {}",
                n.map_or_else(|| "1 or more".to_owned(), |n| n.to_string())
            ));
        }
        let (channels, height, width) = match spec.layout {
            Layout::Nchw => (a, b, c),
            Layout::Nhwc => (c, a, b),
        };
        let expected = channel_count(chain.channels);
        if let Some(found) = channels
            && found != expected
        {
            return Err(format!(
                "the steps give {expected} channels, the input has {found} where layout {:?} has its channels",
                spec.layout
            ));
        }
        let extent = |axis: Option<usize>, index: usize| match (axis, chain.size) {
            (Some(n), _) => u32::try_from(n)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| format!("an input of {n} pixels a side")),
            (None, Some(size)) => Ok(size[index]),
            (None, None) => {
                Err("neither the model nor a step says how large the input is".to_owned())
            }
        };
        let size = [extent(width, 0)?, extent(height, 1)?];
        if let Some([w, h]) = chain.size.filter(|s| *s != size) {
            return Err(format!(
                "the steps end at {w}x{h} pixels, the input is {}x{}",
                size[0], size[1]
            ));
        }
        let [w, h] = size.map(|n| n as usize);
        let shape = match spec.layout {
            Layout::Nchw => vec![batch, expected, h, w],
            Layout::Nhwc => vec![batch, h, w, expected],
        };
        let bytes = shape
            .iter()
            .try_fold(info.dtype.size_bytes(), |n, d| n.checked_mul(*d))
            .filter(|n| isize::try_from(*n).is_ok());
        if bytes.is_none() {
            return Err(format!(
                "a tensor of shape {shape:?} is too large for this machine"
            ));
        }
        let packer = Packer::new(
            info.dtype,
            spec.layout,
            chain.channels,
            chain.normalize.as_ref(),
        )?;
        let buffers = [Image::default(), Image::default()];
        Ok(Self {
            input: info.name.clone(),
            chain,
            packer,
            size,
            shape,
            dtype: info.dtype,
            resizer: Resizer::new(),
            buffers,
        })
    }

    /// Name of the input.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Width and height of the model's input in pixels.
    pub fn network_size(&self) -> [u32; 2] {
        self.size
    }

    /// Shape of the tensor, batch included.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// A tensor of zeros to write into.
    ///
    /// # Errors
    /// Never for a preprocessor that could be made; the constructor of tensors checks again.
    pub fn new_tensor(&self) -> Result<Tensor, VisionError> {
        Ok(Tensor::zeros(self.shape.clone(), self.dtype)?)
    }

    /// Writes `image` into batch item `item` of `tensor`, and says where the image lies in the
    /// network's input.
    ///
    /// # Errors
    /// [`VisionError::ImageSize`] when this image cannot be cropped or resized so,
    /// [`VisionError::Tensor`] when `tensor` is not of the shape and type of [`Self::new_tensor`]
    /// or has no such item, [`VisionError::Image`] when resampling fails.
    pub fn prepare(
        &mut self,
        image: &Image,
        tensor: &mut Tensor,
        item: usize,
    ) -> Result<Geometry, VisionError> {
        if tensor.shape() != self.shape || tensor.dtype() != self.dtype || item >= self.shape[0] {
            return Err(VisionError::Tensor {
                input: self.input.clone(),
                item,
                expected_dtype: self.dtype,
                expected: self.shape.clone(),
                found_dtype: tensor.dtype(),
                found: tensor.shape().to_vec(),
            });
        }
        let (width, height) = (image.width(), image.height());
        let placement = self.run(image, tensor, item).map_err(|e| match e {
            StepError::Size(reason) => VisionError::ImageSize {
                input: self.input.clone(),
                width,
                height,
                reason,
            },
            StepError::Image(error) => error.into(),
        })?;
        Ok(Geometry {
            image_width: width,
            image_height: height,
            network_width: self.size[0],
            network_height: self.size[1],
            scale_x: placement.scale[0],
            scale_y: placement.scale[1],
            offset_x: placement.offset[0],
            offset_y: placement.offset[1],
        })
    }

    fn run(
        &mut self,
        image: &Image,
        tensor: &mut Tensor,
        item: usize,
    ) -> Result<Placement, StepError> {
        let mut placement = Placement::IDENTITY;
        let mut place = Place::Original;
        let mut region = Region {
            x: 0,
            y: 0,
            width: image.width(),
            height: image.height(),
        };
        let [first, second] = &mut self.buffers;
        for &step in &self.chain.steps {
            if let Some(smaller) = crop(step, region, &mut placement)? {
                region = smaller;
                continue;
            }
            let (source, target, next): (&Image, &mut Image, Place) = match place {
                Place::Original => (image, &mut *first, Place::First),
                Place::First => (&*first, &mut *second, Place::Second),
                Place::Second => (&*second, &mut *first, Place::First),
            };
            resample(
                step,
                &mut self.resizer,
                source.region(region)?,
                target,
                &mut placement,
            )?;
            region = Region {
                x: 0,
                y: 0,
                width: target.width(),
                height: target.height(),
            };
            place = next;
        }
        if [region.width, region.height] != self.size {
            let [w, h] = self.size;
            return Err(StepError::Size(format!(
                "the steps end at {}x{} pixels, the input is {w}x{h}",
                region.width, region.height
            )));
        }
        let pixels = match place {
            Place::Original => image,
            Place::First => &*first,
            Place::Second => &*second,
        };
        let view = pixels.region(region)?;
        if self.packer.pack(view, tensor.data_mut(), item) {
            Ok(placement)
        } else {
            Err(StepError::Size("the tensor has another size".to_owned()))
        }
    }
}

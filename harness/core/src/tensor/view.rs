//! A borrowed tensor, as an engine hands out its outputs.

use super::{
    data::TensorSlice,
    dtype::DType,
    info::{Layout, Quantization},
    tensor::{TensorError, product},
};

/// A borrowed tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorView<'a> {
    shape: &'a [usize],
    data: TensorSlice<'a>,
    layout: Option<Layout>,
    quantization: Option<Quantization>,
}

impl<'a> TensorView<'a> {
    /// A view of `shape` over `data`.
    ///
    /// # Errors
    /// When the product of `shape` is not the number of elements.
    pub fn new(shape: &'a [usize], data: TensorSlice<'a>) -> Result<Self, TensorError> {
        let expected = product(shape).ok_or_else(|| TensorError::Overflow {
            shape: shape.to_vec(),
        })?;
        let found = data.len();
        if expected == found {
            Ok(Self::unchecked(shape, data))
        } else {
            Err(TensorError::Length {
                shape: shape.to_vec(),
                expected,
                found,
            })
        }
    }

    /// A view whose shape is known to fit.
    pub(super) fn unchecked(shape: &'a [usize], data: TensorSlice<'a>) -> Self {
        Self {
            shape,
            data,
            layout: None,
            quantization: None,
        }
    }

    /// With the order of its axes.
    #[must_use]
    pub fn with_layout(mut self, layout: Option<Layout>) -> Self {
        self.layout = layout;
        self
    }

    /// With what its integers stand for.
    #[must_use]
    pub fn with_quantization(mut self, quantization: Option<Quantization>) -> Self {
        self.quantization = quantization;
        self
    }

    /// The shape.
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// Order of the axes, where the engine says it.
    pub fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// What the stored integers stand for, where they stand for something.
    pub fn quantization(&self) -> Option<Quantization> {
        self.quantization
    }

    /// The elements.
    pub fn data(&self) -> TensorSlice<'a> {
        self.data
    }

    /// The elements as f32, without conversion.
    ///
    /// # Errors
    /// When the tensor holds another type.
    pub fn as_f32(&self) -> Result<&'a [f32], TensorError> {
        match self.data {
            TensorSlice::F32(v) => Ok(v),
            other => Err(TensorError::DType {
                expected: DType::F32,
                found: other.dtype(),
            }),
        }
    }

    /// The real numbers as f32: quantized integers are dequantized, others taken by value.
    pub fn to_f32_vec(&self) -> Vec<f32> {
        let mut values: Vec<f32> = match self.data {
            TensorSlice::F32(v) => v.to_vec(),
            TensorSlice::F16(v) => v.iter().map(|x| x.to_f32()).collect(),
            TensorSlice::Bf16(v) => v.iter().map(|x| x.to_f32()).collect(),
            TensorSlice::I8(v) => v.iter().map(|&x| f32::from(x)).collect(),
            TensorSlice::U8(v) => v.iter().map(|&x| f32::from(x)).collect(),
            TensorSlice::I32(v) => v.iter().map(|&x| x as f32).collect(),
            TensorSlice::I64(v) => v.iter().map(|&x| x as f32).collect(),
            TensorSlice::Bool(v) => v.iter().map(|&x| f32::from(u8::from(x))).collect(),
        };
        if let Some(q) = self.quantization {
            for value in &mut values {
                *value = ((f64::from(*value) - f64::from(q.zero_point)) * q.scale) as f32;
            }
        }
        values
    }

    /// The part of a batched tensor that belongs to sample `index`: the first dimension becomes 1.
    /// `None` when there is no such sample.
    pub fn batch_item(&self, index: usize) -> Option<(Vec<usize>, TensorSlice<'a>)> {
        let batch = *self.shape.first()?;
        if index >= batch {
            return None;
        }
        let each = self.data.len() / batch;
        let range = index * each..(index + 1) * each;
        let mut shape = self.shape.to_vec();
        shape[0] = 1;
        let data = match self.data {
            TensorSlice::F32(v) => TensorSlice::F32(v.get(range)?),
            TensorSlice::F16(v) => TensorSlice::F16(v.get(range)?),
            TensorSlice::Bf16(v) => TensorSlice::Bf16(v.get(range)?),
            TensorSlice::I8(v) => TensorSlice::I8(v.get(range)?),
            TensorSlice::U8(v) => TensorSlice::U8(v.get(range)?),
            TensorSlice::I32(v) => TensorSlice::I32(v.get(range)?),
            TensorSlice::I64(v) => TensorSlice::I64(v.get(range)?),
            TensorSlice::Bool(v) => TensorSlice::Bool(v.get(range)?),
        };
        Some((shape, data))
    }

    /// The elements as little-endian bytes, in order: what hashes of tensors are taken over.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        match self.data {
            TensorSlice::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            TensorSlice::F16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            TensorSlice::Bf16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            TensorSlice::I8(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            TensorSlice::U8(v) => v.to_vec(),
            TensorSlice::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            TensorSlice::I64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
            TensorSlice::Bool(v) => v.iter().map(|&x| u8::from(x)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_chip_become_real_numbers() {
        let view = TensorView::new(&[3], TensorSlice::U8(&[100, 110, 90]))
            .expect("three values")
            .with_quantization(Some(Quantization {
                scale: 0.5,
                zero_point: 100,
            }));
        assert_eq!(view.to_f32_vec(), [0.0, 5.0, -5.0]);
        assert_eq!(
            view.to_le_bytes(),
            [100, 110, 90],
            "stored, not dequantized"
        );
    }
}

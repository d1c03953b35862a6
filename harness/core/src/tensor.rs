//! Tensors in host memory: owned, viewed and named.
//!
//! Data are dense and row-major (the last dimension varies fastest). A [`TensorSet`] is what a
//! query carries to an engine; engines keep it alive through an `Arc`, and the runner reuses its
//! buffers.

use half::{bf16, f16};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// Signed 8 bit.
    I8,
    /// Unsigned 8 bit.
    U8,
    /// Signed 32 bit.
    I32,
    /// Signed 64 bit.
    I64,
    /// One byte, 0 or 1.
    Bool,
}

impl DType {
    /// Size of one element in bytes.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::I64 => 8,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Bool => "bool",
        })
    }
}

/// Order of the axes of an image tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[batch, channels, height, width]`.
    #[default]
    Nchw,
    /// `[batch, height, width, channels]`.
    Nhwc,
}

/// One dimension of a declared shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// A number.
    Fixed(usize),
    /// A name that stands for a number; the same name means the same number.
    Symbolic(String),
    /// Nothing is known.
    Unknown,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(n) => write!(f, "{n}"),
            Self::Symbolic(s) => f.write_str(s),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// Name, type and shape of an input or output as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorInfo {
    /// Name in the model file.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Declared shape.
    pub shape: Vec<Dimension>,
}

impl TensorInfo {
    /// The shape, when every dimension is a number.
    pub fn fixed_shape(&self) -> Option<Vec<usize>> {
        self.shape
            .iter()
            .map(|d| {
                if let Dimension::Fixed(n) = d {
                    Some(*n)
                } else {
                    None
                }
            })
            .collect()
    }
}

/// Inputs and outputs of an open model, in the order of its file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoSpec {
    /// Inputs that a query must supply (weights listed as graph inputs are not among them).
    pub inputs: Vec<TensorInfo>,
    /// Outputs.
    pub outputs: Vec<TensorInfo>,
}

/// Affine quantization: `real = (stored - zero_point) * scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantization {
    /// Size of one step.
    pub scale: f64,
    /// Stored value of real 0.
    pub zero_point: i32,
}

/// What is wrong with a tensor.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// Shape and data disagree.
    #[error("a tensor of shape {shape:?} needs {expected} values, got {found}")]
    Length {
        /// The shape.
        shape: Vec<usize>,
        /// Its product.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The product of the shape is not a number of this machine.
    #[error("shape {shape:?} is too large")]
    Overflow {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Another element type was asked for.
    #[error("the tensor holds {found}, not {expected}")]
    DType {
        /// Type asked for.
        expected: DType,
        /// Type held.
        found: DType,
    },
}

/// Owned elements.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData {
    /// See [`DType::F32`].
    F32(Vec<f32>),
    /// See [`DType::F16`].
    F16(Vec<f16>),
    /// See [`DType::Bf16`].
    Bf16(Vec<bf16>),
    /// See [`DType::I8`].
    I8(Vec<i8>),
    /// See [`DType::U8`].
    U8(Vec<u8>),
    /// See [`DType::I32`].
    I32(Vec<i32>),
    /// See [`DType::I64`].
    I64(Vec<i64>),
    /// See [`DType::Bool`].
    Bool(Vec<bool>),
}

/// Borrowed elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TensorSlice<'a> {
    /// See [`DType::F32`].
    F32(&'a [f32]),
    /// See [`DType::F16`].
    F16(&'a [f16]),
    /// See [`DType::Bf16`].
    Bf16(&'a [bf16]),
    /// See [`DType::I8`].
    I8(&'a [i8]),
    /// See [`DType::U8`].
    U8(&'a [u8]),
    /// See [`DType::I32`].
    I32(&'a [i32]),
    /// See [`DType::I64`].
    I64(&'a [i64]),
    /// See [`DType::Bool`].
    Bool(&'a [bool]),
}

impl TensorData {
    /// `count` zeros.
    pub fn zeros(dtype: DType, count: usize) -> Self {
        match dtype {
            DType::F32 => Self::F32(vec![0.0; count]),
            DType::F16 => Self::F16(vec![f16::ZERO; count]),
            DType::Bf16 => Self::Bf16(vec![bf16::ZERO; count]),
            DType::I8 => Self::I8(vec![0; count]),
            DType::U8 => Self::U8(vec![0; count]),
            DType::I32 => Self::I32(vec![0; count]),
            DType::I64 => Self::I64(vec![0; count]),
            DType::Bool => Self::Bool(vec![false; count]),
        }
    }

    /// A view of all elements.
    pub fn as_slice(&self) -> TensorSlice<'_> {
        match self {
            Self::F32(v) => TensorSlice::F32(v),
            Self::F16(v) => TensorSlice::F16(v),
            Self::Bf16(v) => TensorSlice::Bf16(v),
            Self::I8(v) => TensorSlice::I8(v),
            Self::U8(v) => TensorSlice::U8(v),
            Self::I32(v) => TensorSlice::I32(v),
            Self::I64(v) => TensorSlice::I64(v),
            Self::Bool(v) => TensorSlice::Bool(v),
        }
    }
}

impl TensorSlice<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F16(v) => v.len(),
            Self::Bf16(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::Bool(v) => v.len(),
        }
    }

    /// No elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::F16(_) => DType::F16,
            Self::Bf16(_) => DType::Bf16,
            Self::I8(_) => DType::I8,
            Self::U8(_) => DType::U8,
            Self::I32(_) => DType::I32,
            Self::I64(_) => DType::I64,
            Self::Bool(_) => DType::Bool,
        }
    }
}

fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// A dense tensor in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: TensorData,
}

impl Tensor {
    /// A tensor of `shape` over `data`.
    ///
    /// # Errors
    /// When the product of `shape` is not the number of elements.
    pub fn new(shape: Vec<usize>, data: TensorData) -> Result<Self, TensorError> {
        let Some(expected) = product(&shape) else {
            return Err(TensorError::Overflow { shape });
        };
        let found = data.as_slice().len();
        if expected == found {
            Ok(Self { shape, data })
        } else {
            Err(TensorError::Length {
                shape,
                expected,
                found,
            })
        }
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// When the shape is too large for this machine's numbers.
    pub fn zeros(shape: Vec<usize>, dtype: DType) -> Result<Self, TensorError> {
        let Some(count) = product(&shape) else {
            return Err(TensorError::Overflow { shape });
        };
        Ok(Self {
            data: TensorData::zeros(dtype, count),
            shape,
        })
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.data.as_slice().dtype()
    }

    /// The elements.
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// The elements, to write into; their number cannot change through this.
    pub fn data_mut(&mut self) -> &mut TensorData {
        &mut self.data
    }

    /// A view.
    pub fn view(&self) -> TensorView<'_> {
        TensorView {
            shape: &self.shape,
            data: self.data.as_slice(),
        }
    }
}

/// A borrowed tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorView<'a> {
    shape: &'a [usize],
    data: TensorSlice<'a>,
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
            Ok(Self { shape, data })
        } else {
            Err(TensorError::Length {
                shape: shape.to_vec(),
                expected,
                found,
            })
        }
    }

    /// The shape.
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
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

    /// The elements converted to f32, by value (quantized numbers stay as stored).
    pub fn to_f32_vec(&self) -> Vec<f32> {
        match self.data {
            TensorSlice::F32(v) => v.to_vec(),
            TensorSlice::F16(v) => v.iter().map(|x| x.to_f32()).collect(),
            TensorSlice::Bf16(v) => v.iter().map(|x| x.to_f32()).collect(),
            TensorSlice::I8(v) => v.iter().map(|&x| f32::from(x)).collect(),
            TensorSlice::U8(v) => v.iter().map(|&x| f32::from(x)).collect(),
            TensorSlice::I32(v) => v.iter().map(|&x| x as f32).collect(),
            TensorSlice::I64(v) => v.iter().map(|&x| x as f32).collect(),
            TensorSlice::Bool(v) => v.iter().map(|&x| f32::from(u8::from(x))).collect(),
        }
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

/// A tensor with the name of the model input that it feeds.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Name of the input.
    pub name: String,
    /// The values.
    pub tensor: Tensor,
    /// How stored integers stand for real numbers, where they do.
    pub quantization: Option<Quantization>,
}

/// The inputs of one query. Batches are tensors whose first dimension is the batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorSet {
    /// The tensors, in the order of the model's inputs.
    pub tensors: Vec<NamedTensor>,
}

impl TensorSet {
    /// A set of one unquantized tensor.
    pub fn single(name: impl Into<String>, tensor: Tensor) -> Self {
        Self {
            tensors: vec![NamedTensor {
                name: name.into(),
                tensor,
                quantization: None,
            }],
        }
    }

    /// The tensor of input `name`.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|t| t.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_length_must_agree() {
        assert!(Tensor::new(vec![2, 2], TensorData::U8(vec![0; 3])).is_err());
        assert!(Tensor::new(vec![usize::MAX, 2], TensorData::U8(vec![])).is_err());
        let t = Tensor::new(vec![2, 2], TensorData::U8(vec![1, 2, 3, 4])).expect("four values");
        assert_eq!(
            t.view().batch_item(1),
            Some((vec![1, 2], TensorSlice::U8(&[3, 4])))
        );
        assert_eq!(t.view().batch_item(2), None);
    }
}

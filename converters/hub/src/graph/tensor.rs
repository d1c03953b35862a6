//! Constants: shape, element type, and values as they lie in a file (little-endian, dense,
//! row-major), shared rather than copied.

use super::element::ElementType;
use crate::HubError;
use bytes::Bytes;
use half::f16;

/// A constant tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    dims: Vec<usize>,
    dtype: ElementType,
    bytes: Bytes,
}

/// Bytes that a tensor needs; `None` when that is no number of this machine.
fn needed(dtype: ElementType, dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(dtype.size_bytes(), |n, &d| n.checked_mul(d))
}

impl Tensor {
    /// A tensor over `bytes`.
    ///
    /// # Errors
    /// [`HubError::TensorBytes`] when there are more or fewer bytes than the shape needs.
    pub fn new(dtype: ElementType, dims: Vec<usize>, bytes: Bytes) -> Result<Self, HubError> {
        match needed(dtype, &dims) {
            Some(expected) if expected == bytes.len() => Ok(Self { dims, dtype, bytes }),
            expected => Err(HubError::TensorBytes {
                dtype,
                dims,
                expected: expected.unwrap_or(usize::MAX),
                found: bytes.len(),
            }),
        }
    }

    /// A tensor of `f32`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn f32(dims: Vec<usize>, values: &[f32]) -> Result<Self, HubError> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::new(ElementType::F32, dims, bytes.into())
    }

    /// A tensor of `i64`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn i64(dims: Vec<usize>, values: &[i64]) -> Result<Self, HubError> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::new(ElementType::I64, dims, bytes.into())
    }

    /// A list of integers, as axes and shapes are given to operators: one axis.
    pub fn list(values: &[i64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self {
            dims: vec![values.len()],
            dtype: ElementType::I64,
            bytes: bytes.into(),
        }
    }

    /// One number without axes.
    pub fn scalar(value: f32) -> Self {
        Self {
            dims: Vec::new(),
            dtype: ElementType::F32,
            bytes: Bytes::copy_from_slice(&value.to_le_bytes()),
        }
    }

    /// The shape.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Element type.
    pub fn dtype(&self) -> ElementType {
        self.dtype
    }

    /// The values, little-endian.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size_bytes()
    }

    /// No elements.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The same values in another shape.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn reshaped(&self, dims: Vec<usize>) -> Result<Self, HubError> {
        Self::new(self.dtype, dims, self.bytes.clone())
    }

    /// The values as `f32`; of `f16`, `bf16` and `f64` their nearest.
    ///
    /// # Errors
    /// [`HubError::TensorType`] for integers.
    pub fn to_f32s(&self) -> Result<Vec<f32>, HubError> {
        Ok(match self.dtype {
            ElementType::F32 => each(&self.bytes, f32::from_le_bytes),
            ElementType::F16 => each(&self.bytes, |b| f16::from_le_bytes(b).to_f32()),
            ElementType::Bf16 => each(&self.bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
            ElementType::F64 => each(&self.bytes, |b| f64::from_le_bytes(b) as f32),
            found => {
                return Err(HubError::TensorType {
                    expected: "real numbers",
                    found,
                });
            }
        })
    }

    /// The values as `i64`.
    ///
    /// # Errors
    /// [`HubError::TensorType`] for real numbers, and for `u64`, which may not fit.
    pub fn to_i64s(&self) -> Result<Vec<i64>, HubError> {
        Ok(match self.dtype {
            ElementType::I64 => each(&self.bytes, i64::from_le_bytes),
            ElementType::I32 => each(&self.bytes, |b| i64::from(i32::from_le_bytes(b))),
            ElementType::U32 => each(&self.bytes, |b| i64::from(u32::from_le_bytes(b))),
            ElementType::I16 => each(&self.bytes, |b| i64::from(i16::from_le_bytes(b))),
            ElementType::U16 => each(&self.bytes, |b| i64::from(u16::from_le_bytes(b))),
            ElementType::I8 => each(&self.bytes, |b| i64::from(i8::from_le_bytes(b))),
            ElementType::U8 | ElementType::Bool => {
                self.bytes.iter().map(|&b| i64::from(b)).collect()
            }
            found => {
                return Err(HubError::TensorType {
                    expected: "integers",
                    found,
                });
            }
        })
    }
}

fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|c| read(*c)).collect()
}

//! What a value of the TensorFlow graph has become.

use crate::graph::{ElementType, Tensor};
use bytes::Bytes;
use dyno_formats::tensorflow::{Constant, DataType};
use half::{bf16, f16};

/// A value of the TensorFlow graph.
#[derive(Debug, Clone)]
pub(super) enum Val {
    /// Known now: weights, shapes, and what follows from them.
    Const(Tensor),
    /// Computed when the model runs.
    Live(Live),
    /// Of a branch that is never taken.
    Dead,
    /// Cannot be had; why has been said at its node.
    Lost,
}

/// A value that is computed when the model runs.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// Its name in the ONNX graph.
    pub(super) name: String,
    /// Its element type.
    pub(super) dtype: ElementType,
    /// Its shape as TensorFlow sees it.
    pub(super) dims: Vec<usize>,
    /// The ONNX value has the axes N, C, H, W where TensorFlow's has N, H, W, C.
    pub(super) nchw: bool,
}

/// Axes of an NCHW tensor in those of the NHWC tensor.
pub(super) const TO_NCHW: [usize; 4] = [0, 3, 1, 2];
/// Axes of an NHWC tensor in those of the NCHW tensor.
pub(super) const TO_NHWC: [usize; 4] = [0, 2, 3, 1];

impl Live {
    /// The shape of the ONNX value.
    pub(super) fn physical(&self) -> Vec<usize> {
        if self.nchw {
            TO_NCHW
                .iter()
                .map(|&a| self.dims.get(a).copied().unwrap_or(1))
                .collect()
        } else {
            self.dims.clone()
        }
    }

    /// Where the ONNX value has TensorFlow's axis.
    pub(super) fn axis(&self, axis: usize) -> usize {
        if self.nchw {
            TO_NHWC.get(axis).copied().unwrap_or(axis)
        } else {
            axis
        }
    }
}

impl Val {
    /// The shape as TensorFlow sees it.
    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Self::Const(t) => t.dims(),
            Self::Live(l) => &l.dims,
            Self::Dead | Self::Lost => &[],
        }
    }

    /// The element type; `f32` of what cannot be had.
    pub(super) fn dtype(&self) -> ElementType {
        match self {
            Self::Const(t) => t.dtype(),
            Self::Live(l) => l.dtype,
            Self::Dead | Self::Lost => ElementType::F32,
        }
    }

    /// The constant, if it is one.
    pub(super) fn tensor(&self) -> Option<&Tensor> {
        match self {
            Self::Const(t) => Some(t),
            _ => None,
        }
    }

    /// The ONNX value has the axes N, C, H, W.
    pub(super) fn is_nchw(&self) -> bool {
        matches!(self, Self::Live(l) if l.nchw)
    }
}

/// The element type that a value of TensorFlow's type has here: halves are computed in `f32`.
pub(super) fn element(data_type: DataType) -> ElementType {
    match data_type {
        DataType::F32 | DataType::F16 | DataType::Bf16 => ElementType::F32,
        DataType::F64 => ElementType::F64,
        DataType::I32 => ElementType::I32,
        DataType::U8 | DataType::QU8 => ElementType::U8,
        DataType::I16 => ElementType::I16,
        DataType::I8 | DataType::QI8 => ElementType::I8,
        DataType::I64 => ElementType::I64,
        DataType::Bool => ElementType::Bool,
        DataType::U16 => ElementType::U16,
        DataType::U32 => ElementType::U32,
        DataType::U64 => ElementType::U64,
    }
}

/// Constants up to this size are copied out of the file.
const SMALL_BYTES: usize = 64 << 10;

/// A constant of the file. Halves become `f32`, because graphs exist that give them to operations
/// on `f32`; everything else keeps the
/// file's values.
pub(super) fn constant(constant: Constant) -> Result<Tensor, String> {
    let Constant {
        data_type,
        dims,
        bytes,
    } = constant;
    let widened = |widen: fn([u8; 2]) -> f32| -> Vec<u8> {
        let (halves, _) = bytes.as_chunks::<2>();
        halves
            .iter()
            .flat_map(|h| widen(*h).to_le_bytes())
            .collect()
    };
    let bytes = match data_type {
        DataType::F16 => widened(|b| f16::from_le_bytes(b).to_f32()).into(),
        DataType::Bf16 => widened(|b| bf16::from_le_bytes(b).to_f32()).into(),
        // A slice would hold the whole file in memory, which the large weights, in another order
        // then, need no longer.
        _ if bytes.len() <= SMALL_BYTES => Bytes::copy_from_slice(&bytes),
        _ => bytes,
    };
    Tensor::new(element(data_type), dims, bytes).map_err(|e| e.to_string())
}

//! Elements of a tensor: owned, borrowed, or in memory that an engine has given.

use super::dtype::DType;
use half::{bf16, f16};
use std::fmt;

/// Host memory as an engine likes it (pinned for its device, aligned for its kernels), handed out
/// by [`crate::Model::allocate`]. It is freed by its own `Drop`.
pub trait HostBuffer: Send + Sync {
    /// The elements.
    fn as_slice(&self) -> TensorSlice<'_>;
    /// The elements, to write into.
    fn as_mut_slice(&mut self) -> TensorSliceMut<'_>;
}

/// Owned elements.
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
    /// Memory of an engine, of any type.
    Engine(Box<dyn HostBuffer>),
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

/// Elements borrowed to write into.
#[derive(Debug, PartialEq)]
pub enum TensorSliceMut<'a> {
    /// See [`DType::F32`].
    F32(&'a mut [f32]),
    /// See [`DType::F16`].
    F16(&'a mut [f16]),
    /// See [`DType::Bf16`].
    Bf16(&'a mut [bf16]),
    /// See [`DType::I8`].
    I8(&'a mut [i8]),
    /// See [`DType::U8`].
    U8(&'a mut [u8]),
    /// See [`DType::I32`].
    I32(&'a mut [i32]),
    /// See [`DType::I64`].
    I64(&'a mut [i64]),
    /// See [`DType::Bool`].
    Bool(&'a mut [bool]),
}

/// The same expression over the slice of every element type.
macro_rules! each {
    ($kind:ident, $value:expr, $slice:ident => $body:expr) => {
        match $value {
            $kind::F32($slice) => $body,
            $kind::F16($slice) => $body,
            $kind::Bf16($slice) => $body,
            $kind::I8($slice) => $body,
            $kind::U8($slice) => $body,
            $kind::I32($slice) => $body,
            $kind::I64($slice) => $body,
            $kind::Bool($slice) => $body,
        }
    };
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
            Self::Engine(buffer) => buffer.as_slice(),
        }
    }

    /// A view of all elements, to write into.
    pub fn as_mut_slice(&mut self) -> TensorSliceMut<'_> {
        match self {
            Self::F32(v) => TensorSliceMut::F32(v),
            Self::F16(v) => TensorSliceMut::F16(v),
            Self::Bf16(v) => TensorSliceMut::Bf16(v),
            Self::I8(v) => TensorSliceMut::I8(v),
            Self::U8(v) => TensorSliceMut::U8(v),
            Self::I32(v) => TensorSliceMut::I32(v),
            Self::I64(v) => TensorSliceMut::I64(v),
            Self::Bool(v) => TensorSliceMut::Bool(v),
            Self::Engine(buffer) => buffer.as_mut_slice(),
        }
    }
}

impl TensorSlice<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(Self, self, v => v.len())
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

    /// The elements in memory of their own.
    pub fn to_data(&self) -> TensorData {
        match self {
            Self::F32(v) => TensorData::F32(v.to_vec()),
            Self::F16(v) => TensorData::F16(v.to_vec()),
            Self::Bf16(v) => TensorData::Bf16(v.to_vec()),
            Self::I8(v) => TensorData::I8(v.to_vec()),
            Self::U8(v) => TensorData::U8(v.to_vec()),
            Self::I32(v) => TensorData::I32(v.to_vec()),
            Self::I64(v) => TensorData::I64(v.to_vec()),
            Self::Bool(v) => TensorData::Bool(v.to_vec()),
        }
    }

    /// Every element is a number: no NaN, no infinity. Integers always are.
    pub fn all_finite(&self) -> bool {
        match self {
            // Blockwise without a branch an element: this runs over every output of a run. All
            // bits of the exponent are set in NaN and infinity, and in no number; unlike sums of
            // floats these comparisons may be done in any order, several at a time.
            Self::F32(v) => v.chunks(1024).all(|c| {
                const EXPONENT: u32 = 0x7f80_0000;
                let is_none = |x: &f32| u32::from(x.to_bits() & EXPONENT == EXPONENT);
                c.iter().fold(0, |none, x| none | is_none(x)) == 0
            }),
            Self::F16(v) => v.iter().all(|x| x.is_finite()),
            Self::Bf16(v) => v.iter().all(|x| x.is_finite()),
            Self::I8(_) | Self::U8(_) | Self::I32(_) | Self::I64(_) | Self::Bool(_) => true,
        }
    }
}

impl TensorSliceMut<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(Self, self, v => v.len())
    }

    /// No elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Clone for TensorData {
    /// A copy in ordinary memory, also of an engine's buffer.
    fn clone(&self) -> Self {
        self.as_slice().to_data()
    }
}

impl PartialEq for TensorData {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for TensorData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slice = self.as_slice();
        write!(f, "TensorData({} x {})", slice.len(), slice.dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pinned(Vec<f32>);

    impl HostBuffer for Pinned {
        fn as_slice(&self) -> TensorSlice<'_> {
            TensorSlice::F32(&self.0)
        }
        fn as_mut_slice(&mut self) -> TensorSliceMut<'_> {
            TensorSliceMut::F32(&mut self.0)
        }
    }

    #[test]
    fn memory_of_an_engine_is_read_written_and_copied_like_any_other() {
        let mut data = TensorData::Engine(Box::new(Pinned(vec![1.0, 2.0])));
        if let TensorSliceMut::F32(values) = data.as_mut_slice() {
            values[1] = 5.0;
        }
        assert_eq!(data, TensorData::F32(vec![1.0, 5.0]));
        assert!(matches!(data.clone(), TensorData::F32(_)));
    }

    #[test]
    fn numbers_that_are_none_are_found() {
        let mut values = vec![1.5_f32; 3000];
        assert!(TensorSlice::F32(&values).all_finite());
        for (at, bad) in [
            (0, f32::NAN),
            (2999, f32::INFINITY),
            (1500, f32::NEG_INFINITY),
        ] {
            let good = std::mem::replace(&mut values[at], bad);
            assert!(!TensorSlice::F32(&values).all_finite(), "{at}");
            values[at] = good;
        }
        assert!(TensorSlice::F32(&[f32::MAX, f32::MIN, -0.0]).all_finite());
        assert!(!TensorSlice::F16(&[f16::INFINITY]).all_finite());
    }
}

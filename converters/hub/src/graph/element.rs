//! Element types of ONNX that a converter can meet.

use dyno_core::DType;
use std::fmt;

/// Element type of a tensor; the numbers are those of `TensorProto.DataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub enum ElementType {
    /// IEEE 754 binary32.
    F32 = 1,
    /// Unsigned 8 bit.
    U8 = 2,
    /// Signed 8 bit.
    I8 = 3,
    /// Unsigned 16 bit.
    U16 = 4,
    /// Signed 16 bit.
    I16 = 5,
    /// Signed 32 bit.
    I32 = 6,
    /// Signed 64 bit.
    I64 = 7,
    /// One byte, 0 or 1.
    Bool = 9,
    /// IEEE 754 binary16.
    F16 = 10,
    /// IEEE 754 binary64.
    F64 = 11,
    /// Unsigned 32 bit.
    U32 = 12,
    /// Unsigned 64 bit.
    U64 = 13,
    /// bfloat16.
    Bf16 = 16,
}

const ALL: [ElementType; 13] = [
    ElementType::F32,
    ElementType::U8,
    ElementType::I8,
    ElementType::U16,
    ElementType::I16,
    ElementType::I32,
    ElementType::I64,
    ElementType::Bool,
    ElementType::F16,
    ElementType::F64,
    ElementType::U32,
    ElementType::U64,
    ElementType::Bf16,
];

impl ElementType {
    /// The number in `TensorProto.DataType`.
    pub fn onnx(self) -> i32 {
        self as i32
    }

    /// The type of a number of `TensorProto.DataType`, if a tensor here can hold it.
    pub fn from_onnx(number: i32) -> Option<Self> {
        ALL.into_iter().find(|e| e.onnx() == number)
    }

    /// Size of one element in bytes.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::I64 | Self::F64 | Self::U64 => 8,
        }
    }

    /// The type that engines here know, if there is one.
    pub fn dtype(self) -> Option<DType> {
        Some(match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::Bf16,
            Self::I8 => DType::I8,
            Self::U8 => DType::U8,
            Self::I32 => DType::I32,
            Self::I64 => DType::I64,
            Self::Bool => DType::Bool,
            Self::U16 | Self::I16 | Self::F64 | Self::U32 | Self::U64 => return None,
        })
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Bool => "bool",
            Self::F16 => "f16",
            Self::F64 => "f64",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::Bf16 => "bf16",
        })
    }
}

//! Element types of an IR, under the two spellings that files use: `f32` in attributes, `FP32` at
//! ports.

use std::fmt;

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// Signed 64 bit.
    I64,
    /// Signed 32 bit.
    I32,
    /// Signed 16 bit.
    I16,
    /// Signed 8 bit.
    I8,
    /// Signed 4 bit, two in a byte.
    I4,
    /// Unsigned 64 bit.
    U64,
    /// Unsigned 32 bit.
    U32,
    /// Unsigned 16 bit.
    U16,
    /// Unsigned 8 bit.
    U8,
    /// Unsigned 4 bit, two in a byte.
    U4,
    /// One bit, eight in a byte.
    U1,
    /// One byte, 0 or 1.
    Boolean,
}

const NAMES: &[(Element, &[&str])] = &[
    (Element::F64, &["f64", "FP64"]),
    (Element::F32, &["f32", "FP32"]),
    (Element::F16, &["f16", "FP16"]),
    (Element::Bf16, &["bf16", "BF16"]),
    (Element::I64, &["i64", "I64"]),
    (Element::I32, &["i32", "I32"]),
    (Element::I16, &["i16", "I16"]),
    (Element::I8, &["i8", "I8"]),
    (Element::I4, &["i4", "I4"]),
    (Element::U64, &["u64", "U64"]),
    (Element::U32, &["u32", "U32"]),
    (Element::U16, &["u16", "U16"]),
    (Element::U8, &["u8", "U8"]),
    (Element::U4, &["u4", "U4"]),
    (Element::U1, &["u1", "U1", "BIN"]),
    (Element::Boolean, &["boolean", "BOOL"]),
];

impl Element {
    /// The type that a file calls `name`; `None` for those that no converter here knows.
    pub fn from_name(name: &str) -> Option<Self> {
        let row = NAMES.iter().find(|(_, names)| names.contains(&name))?;
        Some(row.0)
    }

    /// Bits of one element.
    pub fn bits(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 64,
            Self::F32 | Self::I32 | Self::U32 => 32,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 16,
            Self::I8 | Self::U8 | Self::Boolean => 8,
            Self::I4 | Self::U4 => 4,
            Self::U1 => 1,
        }
    }

    /// Bytes of a tensor of `count` elements; `None` when that is no number of this machine.
    pub fn bytes(self, count: usize) -> Option<usize> {
        Some(count.checked_mul(self.bits())?.div_ceil(8))
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = NAMES.iter().find(|(element, _)| element == self);
        f.write_str(row.map_or("?", |(_, names)| names[0]))
    }
}

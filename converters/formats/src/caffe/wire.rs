//! Fields of a message in Protocol Buffers' encoding, as slices of the file.

use crate::FormatError;
use bytes::{Buf as _, Bytes};
use prost::encoding::{WireType, decode_key, decode_varint};

/// Bytes of a message and where in the file they begin.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) bytes: Bytes,
    pub(super) offset: usize,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Span),
}

/// An error at a byte of the file.
pub(super) fn error(offset: usize, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: "Caffe model",
        place: format!("at byte {offset}"),
        problem: problem.into(),
    }
}

impl Span {
    /// The next field: its number, where it begins, and what it holds; `None` at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u32, usize, Value)>, FormatError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let begin = self.offset;
        let before = self.bytes.len();
        let key = decode_key(&mut self.bytes);
        let (number, wire) = key.map_err(|e| error(begin, e.to_string()))?;
        let value = match wire {
            WireType::Varint => decode_varint(&mut self.bytes)
                .map(Value::Varint)
                .map_err(|e| error(begin, e.to_string()))?,
            WireType::SixtyFourBit => Value::Fixed64(self.fixed(begin)?),
            WireType::ThirtyTwoBit => Value::Fixed32(self.fixed(begin)?),
            WireType::LengthDelimited => {
                let length =
                    decode_varint(&mut self.bytes).map_err(|e| error(begin, e.to_string()))?;
                let left = self.bytes.len();
                let length = usize::try_from(length)
                    .ok()
                    .filter(|&n| n <= left)
                    .ok_or_else(|| {
                        let claim = format!("a field of {length} bytes where {left} are left");
                        error(begin, claim)
                    })?;
                let offset = begin + (before - left);
                let bytes = self.bytes.split_to(length);
                Value::Bytes(Self { bytes, offset })
            }
            WireType::StartGroup | WireType::EndGroup => {
                return Err(error(begin, "a group, which Caffe does not use"));
            }
        };
        self.offset = begin + (before - self.bytes.len());
        Ok(Some((number, begin, value)))
    }

    fn fixed<const N: usize>(&mut self, begin: usize) -> Result<[u8; N], FormatError> {
        let mut value = [0; N];
        self.bytes
            .try_copy_to_slice(&mut value)
            .map_err(|_| error(begin, "the file ends inside a number"))?;
        Ok(value)
    }

    /// The span as text.
    pub(super) fn text(&self) -> Result<String, FormatError> {
        String::from_utf8(self.bytes.to_vec())
            .map_err(|_| error(self.offset, "a name is not UTF-8"))
    }

    /// The numbers of a packed list, at most `most`.
    pub(super) fn varints(mut self, most: usize) -> Result<Vec<u64>, FormatError> {
        let mut numbers = Vec::new();
        while !self.bytes.is_empty() {
            if numbers.len() == most {
                return Err(error(self.offset, format!("more than {most} numbers")));
            }
            let number = decode_varint(&mut self.bytes);
            numbers.push(number.map_err(|e| error(self.offset, e.to_string()))?);
        }
        Ok(numbers)
    }
}

//! Fields of a Protocol Buffers message, read from borrowed bytes. A number has at most ten bytes, a
//! length is at most what is left, and nothing is allocated.

use crate::FormatError;

/// A message's bytes and where they begin in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Span<'a> {
    /// A whole file.
    pub(super) fn file(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// An error at this span.
    pub(super) fn error(self, problem: impl Into<String>) -> FormatError {
        FormatError::Onnx {
            offset: self.offset,
            problem: problem.into(),
        }
    }

    /// The bytes as text.
    pub(super) fn text(self) -> Result<&'a str, FormatError> {
        std::str::from_utf8(self.bytes).map_err(|_| self.error("a name is not UTF-8"))
    }
}

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// Integers, booleans, enumerations.
    Varint(u64),
    /// Eight bytes.
    Fixed64,
    /// Four bytes.
    Fixed32,
    /// A message, text, bytes, or a packed list.
    Bytes(Span<'a>),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    /// Where its tag begins in the file.
    pub(super) offset: usize,
    pub(super) value: Value<'a>,
}

impl<'a> Field<'a> {
    /// The span of a field that must be one.
    pub(super) fn span(&self) -> Result<Span<'a>, FormatError> {
        match self.value {
            Value::Bytes(span) => Ok(span),
            _ => Err(self.error("a number, where a message or text must be")),
        }
    }

    /// The number of a field that must be one.
    pub(super) fn number_value(&self) -> Result<u64, FormatError> {
        match self.value {
            Value::Varint(n) => Ok(n),
            _ => Err(self.error("bytes, where a number must be")),
        }
    }

    pub(super) fn error(&self, problem: &str) -> FormatError {
        FormatError::Onnx {
            offset: self.offset,
            problem: format!("field {}: {problem}", self.number),
        }
    }
}

/// The fields of a message, in their order; ends after the first error.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: Span<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(message: Span<'a>) -> Self {
        Self { rest: message }
    }

    /// Numbers of a packed list.
    pub(super) fn varints(list: Span<'a>) -> impl Iterator<Item = Result<u64, FormatError>> + 'a {
        let mut fields = Self { rest: list };
        std::iter::from_fn(move || {
            if fields.rest.bytes.is_empty() {
                return None;
            }
            let number = fields.varint("a number");
            if number.is_err() {
                fields.rest.bytes = &[];
            }
            Some(number)
        })
    }

    fn take(&mut self, count: usize, what: &str) -> Result<Span<'a>, FormatError> {
        let Some((taken, rest)) = self.rest.bytes.split_at_checked(count) else {
            let left = self.rest.bytes.len();
            return Err(self
                .rest
                .error(format!("{what} of {count} bytes where {left} are left")));
        };
        let span = Span {
            bytes: taken,
            offset: self.rest.offset,
        };
        self.rest = Span {
            bytes: rest,
            offset: self.rest.offset + count,
        };
        Ok(span)
    }

    fn varint(&mut self, what: &str) -> Result<u64, FormatError> {
        let begin = self.rest;
        let mut value = 0u64;
        for (index, &byte) in begin.bytes.iter().take(10).enumerate() {
            // The tenth byte holds the 64th bit alone.
            if index == 9 && (2..0x80).contains(&byte) {
                return Err(begin.error(format!("{what} of more than 64 bits")));
            }
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                self.take(index + 1, what)?;
                return Ok(value);
            }
        }
        Err(begin.error(format!("{what} that does not end")))
    }

    fn read(&mut self) -> Result<Field<'a>, FormatError> {
        let begin = self.rest;
        let tag = self.varint("a tag")?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|n| (1..1 << 29).contains(n))
            .ok_or_else(|| begin.error(format!("there is no field {}", tag >> 3)))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint("a number")?),
            1 => self.take(8, "a number").map(|_| Value::Fixed64)?,
            2 => {
                let at = self.rest;
                let length = self.varint("a length")?;
                let left = self.rest.bytes.len();
                let length = usize::try_from(length)
                    .ok()
                    .filter(|&n| n <= left)
                    .ok_or_else(|| {
                        at.error(format!("a length of {length} bytes where {left} are left"))
                    })?;
                Value::Bytes(self.take(length, "a field")?)
            }
            5 => self.take(4, "a number").map(|_| Value::Fixed32)?,
            other => {
                return Err(begin.error(format!(
                    "field {number} has wire type {other}, which ONNX does not use"
                )));
            }
        };
        Ok(Field {
            number,
            offset: begin.offset,
            value,
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.bytes.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest.bytes = &[];
        }
        Some(field)
    }
}

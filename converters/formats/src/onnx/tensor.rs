//! A tensor's claims: its shape against its data, and where data elsewhere lie. `TensorProto` of
//! `onnx.proto`.

use super::{
    file::MAX_ONNX_BYTES,
    walk::ExternalTensor,
    wire::{Fields, Span, Value},
};
use crate::FormatError;

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: u64 = 1;

/// Most elements that stand in one byte: the types of two bits.
const MOST_ELEMENTS_A_BYTE: u64 = 4;

/// Bits of an element of `TensorProto.DataType` `code`; `None` for strings and unknown types.
fn bits(code: u64) -> Option<u64> {
    Some(match code {
        1 | 6 | 12 => 32,
        2 | 3 | 9 | 17..=20 | 24 => 8,
        4 | 5 | 10 | 16 => 16,
        7 | 11 | 13 | 14 => 64,
        15 => 128,
        21..=23 => 4,
        25 | 26 => 2,
        _ => return None,
    })
}

/// The product of dimensions.
#[derive(Default)]
struct Elements(Option<u64>);

impl Elements {
    fn multiply(&mut self, dimension: u64, at: Span<'_>) -> Result<(), FormatError> {
        let dimension = i64::try_from(dimension)
            .ok()
            .and_then(|d| u64::try_from(d).ok())
            .ok_or_else(|| at.error("a tensor with a negative dimension"))?;
        self.0 =
            Some(self.count().checked_mul(dimension).ok_or_else(|| {
                at.error("a tensor whose number of elements has more than 64 bits")
            })?);
        Ok(())
    }

    /// A tensor without dimensions has one element.
    fn count(&self) -> u64 {
        self.0.unwrap_or(1)
    }
}

fn dimensions(value: Value<'_>, elements: &mut Elements, at: Span<'_>) -> Result<(), FormatError> {
    match value {
        Value::Varint(n) => elements.multiply(n, at),
        Value::Bytes(list) => Fields::varints(list).try_for_each(|n| elements.multiply(n?, list)),
        Value::Fixed32 | Value::Fixed64 => Err(at.error("a tensor's dimension is no integer")),
    }
}

/// Compares shape and data of a tensor.
///
/// # Errors
/// When data of its own are not as long as its shape says, or data elsewhere are not described.
pub(super) fn check(tensor: Span<'_>) -> Result<Option<ExternalTensor>, FormatError> {
    let mut elements = Elements::default();
    let (mut code, mut raw, mut typed_bytes, mut segment) = (0, None, 0u64, false);
    let (mut name, mut external, mut entries) = ("", false, Entries::default());
    for field in Fields::new(tensor) {
        let field = field?;
        match field.number {
            1 => dimensions(field.value, &mut elements, tensor)?,
            2 => code = field.number_value()?,
            3 => segment = true,
            4..=7 | 10 | 11 => {
                typed_bytes += match field.value {
                    Value::Bytes(list) => list.bytes.len() as u64 + 1,
                    _ => 8,
                };
            }
            8 => name = field.span()?.text()?,
            9 => raw = Some(field.span()?.bytes.len() as u64),
            13 => entries.read(field.span()?)?,
            14 => external = field.number_value()? == EXTERNAL,
            _ => {}
        }
    }
    let count = elements.count();
    let needed = bits(code).and_then(|b| Some(count.checked_mul(b)?.div_ceil(8)));
    let named = |problem: String| tensor.error(format!("tensor `{name}` {problem}"));
    if external {
        if raw.is_some() || typed_bytes > 0 {
            return Err(named(
                "has data both inside and outside the file".to_owned(),
            ));
        }
        return entries.tensor(name, needed, tensor).map(Some);
    }
    match (raw, needed) {
        // A part of a tensor: no engine reads such, and its shape is that of the whole.
        _ if segment => Ok(None),
        (Some(found), Some(needed)) if found != needed => Err(named(format!(
            "needs {needed} bytes for its shape, and holds {found}"
        ))),
        (Some(_), Some(_)) => Ok(None),
        _ if count / MOST_ELEMENTS_A_BYTE > raw.unwrap_or(typed_bytes) => Err(named(format!(
            "claims {count} elements, and holds {} bytes",
            raw.unwrap_or(typed_bytes)
        ))),
        _ if count > 0 && raw.unwrap_or(typed_bytes) == 0 => {
            Err(named(format!("claims {count} elements, and holds none")))
        }
        _ => Ok(None),
    }
}

/// A sparse tensor's dense form must be one that a file could hold, because engines make it.
pub(super) fn check_sparse(sparse: Span<'_>) -> Result<(), FormatError> {
    let mut elements = Elements::default();
    for field in Fields::new(sparse) {
        let field = field?;
        if field.number == 3 {
            dimensions(field.value, &mut elements, sparse)?;
        }
    }
    if elements.count() > MAX_ONNX_BYTES {
        let count = elements.count();
        return Err(sparse.error(format!("a sparse tensor of {count} elements")));
    }
    Ok(())
}

/// `TensorProto.external_data`.
#[derive(Default)]
struct Entries {
    location: Option<String>,
    offset: Option<u64>,
    length: Option<u64>,
}

impl Entries {
    fn read(&mut self, entry: Span<'_>) -> Result<(), FormatError> {
        let (mut key, mut value) = ("", "");
        for field in Fields::new(entry) {
            let field = field?;
            match field.number {
                1 => key = field.span()?.text()?,
                2 => value = field.span()?.text()?,
                _ => {}
            }
        }
        let number = || {
            value
                .parse()
                .map_err(|_| entry.error(format!("{key} `{value}` of data outside the file")))
        };
        let before = match key {
            "location" => self.location.replace(value.to_owned()).is_some(),
            "offset" => self.offset.replace(number()?).is_some(),
            "length" => self.length.replace(number()?).is_some(),
            // A checksum, of which the standard does not say how it is computed.
            _ => false,
        };
        if before {
            return Err(entry.error(format!("two entries `{key}` of data outside the file")));
        }
        Ok(())
    }

    fn tensor(
        self,
        name: &str,
        needed: Option<u64>,
        tensor: Span<'_>,
    ) -> Result<ExternalTensor, FormatError> {
        let location = self.location.filter(|l| !l.is_empty()).ok_or_else(|| {
            tensor.error(format!("tensor `{name}` does not say in which file it is"))
        })?;
        Ok(ExternalTensor {
            name: name.to_owned(),
            location,
            offset: self.offset.unwrap_or(0),
            length: self.length,
            needed,
            message: tensor.offset..tensor.offset + tensor.bytes.len(),
        })
    }
}

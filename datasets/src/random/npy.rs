//! Arrays of NumPy: the format `.npy`, versions 1 to 3
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>), little-endian or of
//! one byte, in C order.

use dyno_core::{DatasetError, TensorData};
use half::f16;
use std::{fs::File, io::Read, path::Path};

/// Longest header that is read; NumPy writes 128 bytes.
const HEADER_BYTES: usize = 1 << 16;

/// An array.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) data: TensorData,
}

/// Reads a file of at most `max_elements`.
///
/// # Errors
/// When it cannot be read or is no such array.
pub(super) fn read(path: &Path, max_elements: usize) -> Result<Array, DatasetError> {
    let io = |source| DatasetError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    let limit = (max_elements as u64).saturating_mul(8) + HEADER_BYTES as u64;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(io)?;
    parse(&bytes, max_elements).map_err(|reason| DatasetError::Malformed {
        path: path.to_owned(),
        line: None,
        column: None,
        reason,
    })
}

/// The array in the bytes of a file.
fn parse(bytes: &[u8], max_elements: usize) -> Result<Array, String> {
    let rest = bytes
        .strip_prefix(b"\x93NUMPY")
        .ok_or("it is no .npy file")?;
    let (length_bytes, rest) = match rest {
        [1, _, rest @ ..] => (2, rest),
        [2 | 3, _, rest @ ..] => (4, rest),
        _ => return Err("its version is none of 1, 2, 3".to_owned()),
    };
    let (length, rest) = rest.split_at_checked(length_bytes).ok_or("it is cut")?;
    let length = length.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
    if length > HEADER_BYTES {
        return Err(format!("its header has {length} bytes"));
    }
    let (header, body) = rest.split_at_checked(length).ok_or("it is cut")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is no text".to_owned())?;
    if field(header, "fortran_order")?.starts_with("True") {
        return Err("it is in Fortran order: save numpy.ascontiguousarray of it".to_owned());
    }
    let kind = field(header, "descr")?;
    let kind = kind
        .strip_prefix('\'')
        .and_then(|k| k.split('\'').next())
        .ok_or("its header names no type")?;
    let shape = shape(field(header, "shape")?)?;
    let count = shape.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
    let count = count
        .filter(|n| *n <= max_elements)
        .ok_or_else(|| format!("it has more than {max_elements} elements"))?;
    let data = elements(kind, body)?;
    let found = data.as_slice().len();
    if found != count {
        return Err(format!(
            "it holds {found} elements, its shape {shape:?} says {count}"
        ));
    }
    Ok(Array { shape, data })
}

/// What follows `'key':` in the header, a Python dictionary.
fn field<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = format!("'{key}':");
    header
        .split_once(&quoted)
        .map(|(_, rest)| rest.trim_start())
        .ok_or_else(|| format!("its header has no `{key}`"))
}

/// `(2, 3), …`
fn shape(text: &str) -> Result<Vec<usize>, String> {
    let bad = || "its shape is no tuple of numbers".to_owned();
    let inner = text.strip_prefix('(').and_then(|t| t.split_once(')'));
    let (inner, _) = inner.ok_or_else(bad)?;
    let dims = inner.split(',').map(str::trim).filter(|d| !d.is_empty());
    dims.map(|d| d.parse().map_err(|_| bad())).collect()
}

/// The elements of a body of this type.
fn elements(kind: &str, body: &[u8]) -> Result<TensorData, String> {
    fn of<const N: usize, T>(body: &[u8], read: fn([u8; N]) -> T) -> Result<Vec<T>, String> {
        let (chunks, rest) = body.as_chunks::<N>();
        if rest.is_empty() {
            Ok(chunks.iter().map(|c| read(*c)).collect())
        } else {
            Err("its last element is cut".to_owned())
        }
    }
    Ok(match kind {
        "<f4" => TensorData::F32(of(body, f32::from_le_bytes)?),
        "<f2" => TensorData::F16(of(body, f16::from_le_bytes)?),
        "|i1" => TensorData::I8(of(body, i8::from_le_bytes)?),
        "|u1" => TensorData::U8(body.to_vec()),
        "<i4" => TensorData::I32(of(body, i32::from_le_bytes)?),
        "<i8" => TensorData::I64(of(body, i64::from_le_bytes)?),
        "|b1" => TensorData::Bool(of(body, |[b]: [u8; 1]| b != 0)?),
        other => {
            return Err(format!(
                "its type is `{other}` (readable: <f4, <f2, |i1, |u1, <i4, <i8, |b1)"
            ));
        }
    })
}

/// Sample `index` of an array of samples of `elements` each; after the last comes the first.
pub(super) fn part(data: &TensorData, index: usize, elements: usize) -> TensorData {
    fn cut<T: Clone>(values: &[T], index: usize, elements: usize) -> Vec<T> {
        let samples = (values.len() / elements.max(1)).max(1);
        let from = index % samples * elements;
        values.iter().skip(from).take(elements).cloned().collect()
    }
    use dyno_core::TensorSlice as S;
    match data.as_slice() {
        S::F32(v) => TensorData::F32(cut(v, index, elements)),
        S::F16(v) => TensorData::F16(cut(v, index, elements)),
        S::Bf16(v) => TensorData::Bf16(cut(v, index, elements)),
        S::I8(v) => TensorData::I8(cut(v, index, elements)),
        S::U8(v) => TensorData::U8(cut(v, index, elements)),
        S::I32(v) => TensorData::I32(cut(v, index, elements)),
        S::I64(v) => TensorData::I64(cut(v, index, elements)),
        S::Bool(v) => TensorData::Bool(cut(v, index, elements)),
    }
}

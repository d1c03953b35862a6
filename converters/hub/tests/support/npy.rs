//! Arrays as numpy stores them (`.npy`, versions 1 to 3: numpy/lib/format.py), as f32.

use dyno_core::{Tensor, TensorData};
use std::{fs, path::Path};

/// A tensor of `f32`.
pub(crate) fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::new(shape.to_vec(), TensorData::F32(values.to_vec())).expect("values for the shape")
}

/// The array of a file; numbers of any type become f32.
///
/// # Panics
/// When it is not such a file.
pub(crate) fn read_npy(path: &Path) -> Tensor {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    parse(&bytes).unwrap_or_else(|| panic!("{}: not an array of numbers", path.display()))
}

fn parse(bytes: &[u8]) -> Option<Tensor> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return None,
    };
    let header = std::str::from_utf8(rest.get(..length)?).ok()?;
    let data = rest.get(length..)?;
    let after = |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start());
    let kind = after("'descr':")?.trim_start_matches('\'');
    let fortran = after("'fortran_order':")?.starts_with("True");
    let shape = after("'shape':")?.strip_prefix('(')?.split_once(')')?.0;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .map(|n| n.parse().ok())
        .collect::<Option<_>>()?;
    let mut values = numbers(kind.split('\'').next()?, data)?;
    if fortran {
        values = rows_last(&shape, &values);
    }
    Tensor::new(shape, TensorData::F32(values)).ok()
}

fn numbers(kind: &str, data: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        data.as_chunks::<N>().0.iter().map(|c| number(*c)).collect()
    }
    Some(match kind {
        "<f4" => each(data, f32::from_le_bytes),
        "<f8" => each(data, |b| f64::from_le_bytes(b) as f32),
        "<f2" => each(data, |b| half::f16::from_le_bytes(b).to_f32()),
        "<i8" => each(data, |b| i64::from_le_bytes(b) as f32),
        "<i4" => each(data, |b| i32::from_le_bytes(b) as f32),
        "|u1" | "|b1" => data.iter().map(|&b| f32::from(b)).collect(),
        "|i1" => data.iter().map(|&b| f32::from(b.cast_signed())).collect(),
        _ => return None,
    })
}

/// From columns first to rows first.
fn rows_last(shape: &[usize], values: &[f32]) -> Vec<f32> {
    (0..values.len())
        .map(|flat| {
            let (mut rest, mut stride, mut at) = (flat, values.len(), 0);
            for &n in shape.iter().rev() {
                stride /= n;
                at += rest % n * stride;
                rest /= n;
            }
            values[at]
        })
        .collect()
}

#[test]
fn arrays_are_read_as_numpy_wrote_them() {
    let file = |header: &str, data: &[u8]| {
        let length = u16::try_from(header.len()).expect("short").to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    };
    let data: Vec<u8> = (0u8..6).flat_map(|v| f32::from(v).to_le_bytes()).collect();
    let c = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    let read = parse(&file(c, &data)).expect("an array");
    assert_eq!(read, tensor(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    let f = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n";
    let read = parse(&file(f, &data)).expect("an array");
    assert_eq!(read, tensor(&[2, 3], &[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]));
    let scalar = "{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n";
    assert_eq!(parse(&file(scalar, &[7])), Some(tensor(&[], &[7.0])));
    assert_eq!(parse(&file(c, &data[1..])), None);
}

//! Tensors at the ends of a graph: shapes and types as files write them, and constants.

use super::Problem;
use super::context::{Val, widened};
use crate::graph::{ElementType, Tensor};
use bytes::Bytes;
use dyno_core::Dimension;
use dyno_formats::openvino::Element;
use half::{bf16, f16};

pub(super) fn of_constant(tensor: Tensor, wanted: String) -> Val {
    Val {
        name: None,
        dtype: tensor.dtype(),
        dims: Some(tensor.dims().iter().map(|&d| d as i64).collect()),
        tensor: Some(tensor),
        wanted,
    }
}

pub(super) fn dimension(dim: i64) -> Dimension {
    usize::try_from(dim).map_or(Dimension::Unknown, Dimension::Fixed)
}

pub(super) fn element_type(name: &str) -> Result<ElementType, Problem> {
    let element = Element::from_name(name).ok_or_else(|| format!("elements of type `{name}`"))?;
    widened(element)
}

/// `1,3,?,1..8`: an axis without one length is open (-1).
pub(super) fn open_shape(text: &str) -> Result<Vec<i64>, Problem> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    if text.contains("...") {
        return Err("the number of axes is open".to_owned());
    }
    let axis = |t: &str| match t.trim() {
        "?" | "-1" => Ok(-1),
        range if range.contains("..") => Ok(-1),
        number => number
            .parse::<i64>()
            .ok()
            .filter(|n| *n >= 0)
            .ok_or_else(|| format!("`{number}` is no length of an axis")),
    };
    text.split(',').map(axis).collect()
}

/// A shape that was asked for, where the file's leaves it open.
pub(super) fn close(open: &[i64], asked: &[usize]) -> Result<Vec<i64>, Problem> {
    let fits = open.len() == asked.len()
        && open
            .iter()
            .zip(asked)
            .all(|(&o, &a)| o < 0 || usize::try_from(o) == Ok(a));
    if fits {
        return Ok(asked.iter().map(|&a| a as i64).collect());
    }
    Err(format!(
        "shape {asked:?} was asked for, and the file has {open:?}"
    ))
}

/// Half precision becomes `f32`; every other type keeps its bytes.
pub(super) fn widen(element: Element, bytes: Bytes) -> Bytes {
    let each = |f: fn([u8; 2]) -> f32| -> Bytes {
        let (pairs, _) = bytes.as_chunks::<2>();
        let mut wide = Vec::with_capacity(bytes.len() * 2);
        for pair in pairs {
            wide.extend_from_slice(&f(*pair).to_le_bytes());
        }
        wide.into()
    };
    match element {
        Element::F16 => each(|b| f16::from_le_bytes(b).to_f32()),
        Element::Bf16 => each(|b| bf16::from_le_bytes(b).to_f32()),
        _ => bytes,
    }
}

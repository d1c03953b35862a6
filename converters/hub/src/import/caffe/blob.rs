//! Blobs as they are known while a graph is made.

use super::problem::Problem;
use dyno_core::PriorGrid;
use std::sync::Arc;

/// Most axes of a blob, as in Caffe.
pub(super) const MAX_AXES: usize = 32;

/// Where a blob's values are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A value of the graph.
    Value(String),
    /// Known while importing.
    Constant(Arc<Vec<f32>>),
}

/// A blob: always `f32`, always of known shape.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) source: Source,
    pub(super) dims: Vec<usize>,
    /// What made its prior boxes, if it is a list of those.
    pub(super) priors: Vec<PriorGrid>,
}

impl Blob {
    pub(super) fn value(name: String, dims: Vec<usize>) -> Self {
        Self {
            source: Source::Value(name),
            dims,
            priors: Vec::new(),
        }
    }

    /// The same values in another shape.
    pub(super) fn shaped(&self, dims: Vec<usize>) -> Self {
        Self {
            source: self.source.clone(),
            dims,
            priors: Vec::new(),
        }
    }
}

/// Number of values of a shape.
pub(super) fn volume(dims: &[usize]) -> Result<usize, Problem> {
    let product = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    product
        .filter(|&n| dims.len() <= MAX_AXES && i32::try_from(n).is_ok())
        .ok_or_else(|| Problem::malformed(format!("a blob of shape {dims:?} is too large")))
}

/// Product of a part of a shape that was checked as a whole.
pub(super) fn product(dims: &[usize]) -> usize {
    dims.iter().fold(1, |n, &d| n.saturating_mul(d))
}

/// An axis that may count from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Problem> {
    let from_end = if axis < 0 {
        axis.checked_add(rank as i64)
    } else {
        Some(axis)
    };
    from_end
        .and_then(|a| usize::try_from(a).ok())
        .filter(|&a| a < rank)
        .ok_or_else(|| Problem::malformed(format!("a blob of {rank} axes has no axis {axis}")))
}

/// A shape as ONNX takes it.
pub(super) fn signed(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&d| d as i64).collect()
}

/// The four axes of an image blob.
pub(super) fn image(dims: &[usize]) -> Result<[usize; 4], Problem> {
    match dims {
        &[n, c, h, w] if n > 0 && c > 0 && h > 0 && w > 0 => Ok([n, c, h, w]),
        _ => Err(Problem::unsupported(format!(
            "input of shape {dims:?}, not batch, channels, height and width"
        ))),
    }
}

//! Elements picked out of a tensor, axis by axis.

use super::MOST_BYTES;
use crate::graph::Tensor;

/// Elements between neighbours of each axis.
pub(super) fn strides(dims: &[usize]) -> Option<Vec<usize>> {
    let mut found = vec![1usize; dims.len()];
    for at in (1..dims.len()).rev() {
        let next = found.get(at)?.checked_mul(*dims.get(at)?)?;
        *found.get_mut(at - 1)? = next;
    }
    Some(found)
}

/// A tensor of the shape that `axes` have lengths: its element `[i, j, …]` is the element of
/// `tensor` at `axes[0][i] + axes[1][j] + …`, counted in elements from the beginning.
pub(super) fn pick(tensor: &Tensor, axes: &[Vec<usize>]) -> Option<Tensor> {
    let dims: Vec<usize> = axes.iter().map(Vec::len).collect();
    let size = tensor.dtype().size_bytes();
    let bytes = dims.iter().try_fold(size, |n, &d| n.checked_mul(d))?;
    if bytes > MOST_BYTES {
        return None;
    }
    let source = tensor.bytes();
    let mut out = Vec::with_capacity(bytes);
    let mut index = vec![0usize; axes.len()];
    if bytes > 0 {
        loop {
            let mut at = 0usize;
            for (axis, &i) in axes.iter().zip(&index) {
                at = at.checked_add(*axis.get(i)?)?;
            }
            let from = at.checked_mul(size)?;
            out.extend_from_slice(source.get(from..from.checked_add(size)?)?);
            if !advance(&mut index, &dims) {
                break;
            }
        }
    }
    Tensor::new(tensor.dtype(), dims, out.into()).ok()
}

/// The next index, the last axis fastest; false at the end.
fn advance(index: &mut [usize], dims: &[usize]) -> bool {
    for (i, &n) in index.iter_mut().zip(dims).rev() {
        *i += 1;
        if *i < n {
            return true;
        }
        *i = 0;
    }
    false
}

/// `tensor` broadcast to `dims`.
pub(super) fn expanded(tensor: &Tensor, dims: &[usize]) -> Option<Tensor> {
    if tensor.dims() == dims {
        return Some(tensor.clone());
    }
    let missing = dims.len().checked_sub(tensor.dims().len())?;
    let own = strides(tensor.dims())?;
    let axes = dims.iter().enumerate().map(|(at, &n)| {
        let Some(at) = at.checked_sub(missing) else {
            return Some(vec![0; n]);
        };
        match (*tensor.dims().get(at)?, *own.get(at)?) {
            (1, _) => Some(vec![0; n]),
            (size, stride) if size == n => (0..n).map(|i| i.checked_mul(stride)).collect(),
            _ => None,
        }
    });
    // Before the lists are made: their length is that of the result's axes.
    let total = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    if total > MOST_BYTES || dims.iter().any(|&d| d > MOST_BYTES) {
        return None;
    }
    pick(tensor, &axes.collect::<Option<Vec<_>>>()?)
}

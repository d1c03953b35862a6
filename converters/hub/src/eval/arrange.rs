//! Operations that move elements.

use super::{
    Call, MOST_BYTES,
    pick::{expanded, pick, strides},
};
use crate::graph::{Attribute, Tensor};

pub(super) fn identity(c: &Call<'_>) -> Option<Tensor> {
    c.input(0).cloned()
}

pub(super) fn constant(c: &Call<'_>) -> Option<Tensor> {
    let attributes = &c.node.attributes;
    if let Some(Attribute::Tensor(tensor)) = attributes.get("value") {
        return Some(tensor.clone());
    }
    if let Some(n) = c.node.int("value_int") {
        return Tensor::i64(Vec::new(), &[n]).ok();
    }
    if let Some(list) = c.node.ints("value_ints") {
        return Some(Tensor::list(list));
    }
    if let Some(x) = c.node.float("value_float") {
        return Some(Tensor::scalar(x));
    }
    match attributes.get("value_floats") {
        Some(Attribute::Floats(list)) => Tensor::f32(vec![list.len()], list).ok(),
        _ => None,
    }
}

/// Sizes of a list of integers.
fn sizes(list: &[i64]) -> Option<Vec<usize>> {
    list.iter().map(|&n| usize::try_from(n).ok()).collect()
}

pub(super) fn constant_of_shape(c: &Call<'_>) -> Option<Tensor> {
    let dims = sizes(&c.input(0)?.to_i64s().ok()?)?;
    let value = match c.node.attributes.get("value") {
        Some(Attribute::Tensor(tensor)) => tensor.reshaped(Vec::new()).ok()?,
        Some(_) => return None,
        None => Tensor::scalar(0.0),
    };
    expanded(&value, &dims)
}

pub(super) fn expand(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let target = sizes(&c.input(1)?.to_i64s().ok()?)?;
    let dims = broadcast(tensor.dims(), &target)?;
    expanded(tensor, &dims)
}

/// The shape of two operands.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let axis = |dims: &[usize], at: usize| {
        let at = at.checked_sub(rank - dims.len());
        at.and_then(|at| dims.get(at).copied()).unwrap_or(1)
    };
    (0..rank)
        .map(|at| match (axis(a, at), axis(b, at)) {
            (1, n) | (n, 1) => Some(n),
            (n, m) if n == m => Some(n),
            _ => None,
        })
        .collect()
}

/// An axis, counted from the end when negative.
fn axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let at = if axis < 0 {
        axis.checked_add(rank)?
    } else {
        axis
    };
    usize::try_from(at).ok().filter(|_| at < rank)
}

pub(super) fn reshape(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let wanted = c.list("shape", 1)?;
    let keep_zero = c.node.int("allowzero").unwrap_or(0) != 0;
    let mut dims = Vec::new();
    let mut rest = None;
    for (at, &n) in wanted.iter().enumerate() {
        dims.push(match n {
            -1 if rest.is_none() => {
                rest = Some(at);
                1
            }
            0 if !keep_zero => *tensor.dims().get(at)?,
            n => usize::try_from(n).ok()?,
        });
    }
    if let Some(at) = rest {
        let others = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        *dims.get_mut(at)? = tensor.len().checked_div(others)?;
    }
    tensor.reshaped(dims).ok()
}

pub(super) fn flatten(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let dims = tensor.dims();
    let stated = c.node.int("axis").unwrap_or(1);
    let rank = i64::try_from(dims.len()).ok()?;
    let at = if stated < 0 { stated + rank } else { stated };
    let (head, tail) = dims.split_at_checked(usize::try_from(at).ok()?)?;
    let product = |d: &[usize]| d.iter().product();
    tensor.reshaped(vec![product(head), product(tail)]).ok()
}

pub(super) fn squeeze(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let dims = tensor.dims();
    let stated = c.node.ints("axes").is_some() || c.inputs.len() > 1;
    let gone: Vec<usize> = if stated {
        let axes = c.list("axes", 1)?;
        axes.iter()
            .map(|&a| axis(a, dims.len()))
            .collect::<Option<_>>()?
    } else {
        let all = dims.iter().enumerate();
        all.filter(|(_, d)| **d == 1).map(|(at, _)| at).collect()
    };
    let kept = dims.iter().enumerate();
    let kept = kept.filter(|(at, _)| !gone.contains(at)).map(|(_, &d)| d);
    tensor.reshaped(kept.collect()).ok()
}

pub(super) fn unsqueeze(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let axes = c.list("axes", 1)?;
    let rank = tensor.dims().len().checked_add(axes.len())?;
    let new: Vec<usize> = axes.iter().map(|&a| axis(a, rank)).collect::<Option<_>>()?;
    let mut old = tensor.dims().iter().copied();
    let dims = (0..rank).map(|at| {
        if new.contains(&at) {
            Some(1)
        } else {
            old.next()
        }
    });
    tensor.reshaped(dims.collect::<Option<_>>()?).ok()
}

/// `tensor` with its axes in the order of `perm`.
pub(crate) fn permuted(tensor: &Tensor, perm: &[usize]) -> Option<Tensor> {
    let own = strides(tensor.dims())?;
    if perm.len() != own.len() || tensor.bytes().len() > MOST_BYTES {
        return None;
    }
    let axes = perm.iter().map(|&p| {
        let (n, stride) = (*tensor.dims().get(p)?, *own.get(p)?);
        (0..n).map(|i| i.checked_mul(stride)).collect()
    });
    pick(tensor, &axes.collect::<Option<Vec<_>>>()?)
}

pub(super) fn transpose(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let perm = match c.node.ints("perm") {
        Some(perm) => sizes(perm)?,
        None => (0..tensor.dims().len()).rev().collect(),
    };
    permuted(tensor, &perm)
}

pub(super) fn slice(c: &Call<'_>) -> Option<Tensor> {
    let tensor = c.input(0)?;
    let dims = tensor.dims();
    let (starts, ends) = (c.list("starts", 1)?, c.list("ends", 2)?);
    let has = |at: usize| c.input(at).is_some();
    let axes = if has(3) || c.node.ints("axes").is_some() {
        c.list("axes", 3)?
    } else {
        (0..i64::try_from(starts.len()).ok()?).collect()
    };
    let steps = if has(4) {
        c.list("steps", 4)?
    } else {
        vec![1; axes.len()]
    };
    let own = strides(dims)?;
    let mut picked: Vec<Vec<usize>> = dims
        .iter()
        .zip(&own)
        .map(|(&n, &stride)| (0..n).map(|i| i * stride).collect())
        .collect();
    for (at, &stated) in axes.iter().enumerate() {
        let along = axis(stated, dims.len())?;
        let size = i128::try_from(*dims.get(along)?).ok()?;
        let step = i128::from(*steps.get(at)?);
        let bound = |list: &[i64]| {
            let v = i128::from(*list.get(at)?);
            Some(if v < 0 { v + size } else { v })
        };
        let (start, end) = (bound(&starts)?, bound(&ends)?);
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let (mut i, end) = (start.clamp(low, high), end.clamp(low, high));
        let stride = *own.get(along)?;
        let mut kept = Vec::new();
        while step > 0 && i < end || step < 0 && i > end {
            kept.push(usize::try_from(i).ok()?.checked_mul(stride)?);
            i += step;
        }
        if step == 0 {
            return None;
        }
        *picked.get_mut(along)? = kept;
    }
    pick(tensor, &picked)
}

pub(super) fn gather(c: &Call<'_>) -> Option<Tensor> {
    let (tensor, indices) = (c.input(0)?, c.input(1)?);
    let dims = tensor.dims();
    let along = axis(c.node.int("axis").unwrap_or(0), dims.len())?;
    let own = strides(dims)?;
    let (size, stride) = (*dims.get(along)?, *own.get(along)?);
    let mut axes: Vec<Vec<usize>> = dims
        .iter()
        .zip(&own)
        .map(|(&n, &stride)| (0..n).map(|i| i * stride).collect())
        .collect();
    let chosen = indices.to_i64s().ok()?;
    let chosen = chosen.iter().map(|&i| Some(axis(i, size)? * stride));
    *axes.get_mut(along)? = chosen.collect::<Option<_>>()?;
    let flat = pick(tensor, &axes)?;
    let head = dims.iter().take(along);
    let shape = head
        .chain(indices.dims())
        .chain(dims.iter().skip(along + 1));
    flat.reshaped(shape.copied().collect()).ok()
}

pub(super) fn concat(c: &Call<'_>) -> Option<Tensor> {
    let tensors: Vec<&Tensor> = c.inputs.iter().copied().collect::<Option<_>>()?;
    let first = tensors.first()?;
    let along = axis(c.node.int("axis")?, first.dims().len())?;
    let outer: usize = first.dims().iter().take(along).product();
    let total: usize = tensors.iter().map(|t| t.bytes().len()).sum();
    let alike = tensors.iter().all(|t| {
        let axes = t.dims().iter().zip(first.dims()).enumerate();
        t.dtype() == first.dtype()
            && t.dims().len() == first.dims().len()
            && axes.into_iter().all(|(at, (a, b))| at == along || a == b)
    });
    if !alike || total > MOST_BYTES || outer == 0 {
        return None;
    }
    let mut out = Vec::with_capacity(total);
    for row in 0..outer {
        for t in &tensors {
            let part = t.bytes().len() / outer;
            out.extend_from_slice(t.bytes().get(row * part..(row + 1) * part)?);
        }
    }
    let mut dims = first.dims().to_vec();
    *dims.get_mut(along)? = tensors.iter().map(|t| t.dims()[along]).sum();
    Tensor::new(first.dtype(), dims, out.into()).ok()
}

//! Values that are known before the model runs: shapes, anchors, weights in another order.

use crate::graph::{ElementType, Tensor};

/// Most elements of a constant that is computed here and has more than those it is made of, so that
/// a small file cannot ask for a large one.
pub(super) const MAX_ELEMENTS: usize = 1 << 24;

/// Values of a constant as numbers.
#[derive(Debug, Clone)]
pub(super) enum Numbers {
    F(Vec<f32>),
    I(Vec<i64>),
}

/// Number of elements of a shape, if a constant may have it.
pub(super) fn elements(dims: &[usize]) -> Result<usize, String> {
    dims.iter()
        .try_fold(1usize, |n, d| n.checked_mul(*d))
        .filter(|n| *n <= MAX_ELEMENTS)
        .ok_or_else(|| {
            format!("a constant of shape {dims:?}, of more than {MAX_ELEMENTS} elements")
        })
}

/// The values as numbers.
pub(super) fn numbers(t: &Tensor) -> Result<Numbers, String> {
    match t.dtype() {
        ElementType::F32 => t.to_f32s().map(Numbers::F),
        ElementType::F16 | ElementType::Bf16 | ElementType::F64 => {
            return Err(format!("constants of {}", t.dtype()));
        }
        _ => t.to_i64s().map(Numbers::I),
    }
    .map_err(|e| e.to_string())
}

/// A constant of numbers; integers must fit their type.
pub(super) fn tensor(
    dtype: ElementType,
    dims: Vec<usize>,
    numbers: &Numbers,
) -> Result<Tensor, String> {
    fn ints<T: TryFrom<i64>, const N: usize>(
        values: &[i64],
        bytes: impl Fn(T) -> [u8; N],
    ) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(values.len() * N);
        for v in values {
            let v = T::try_from(*v).map_err(|_| format!("{v} does not fit its type"))?;
            out.extend_from_slice(&bytes(v));
        }
        Ok(out)
    }
    let bytes = match (dtype, numbers) {
        (ElementType::F32, Numbers::F(v)) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        (ElementType::F32, Numbers::I(v)) => {
            v.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect()
        }
        (ElementType::I32, Numbers::I(v)) => ints(v, i32::to_le_bytes)?,
        (ElementType::I64, Numbers::I(v)) => ints(v, i64::to_le_bytes)?,
        (ElementType::U8, Numbers::I(v)) => ints(v, u8::to_le_bytes)?,
        (ElementType::I8, Numbers::I(v)) => ints(v, i8::to_le_bytes)?,
        (ElementType::Bool, Numbers::I(v)) => v.iter().map(|v| u8::from(*v != 0)).collect(),
        (dtype, _) => return Err(format!("constants of {dtype}")),
    };
    Tensor::new(dtype, dims, bytes.into()).map_err(|e| e.to_string())
}

/// Elements of `t` at `offset` plus steps of `strides` (in elements) along the axes of `dims`.
pub(super) fn strided(
    t: &Tensor,
    offset: usize,
    dims: &[usize],
    strides: &[isize],
) -> Result<Tensor, String> {
    fn copy<const N: usize>(
        bytes: &[u8],
        offset: usize,
        dims: &[usize],
        strides: &[isize],
        total: usize,
    ) -> Result<Vec<u8>, String> {
        let (source, _) = bytes.as_chunks::<N>();
        let outside = || "an element outside of a constant".to_owned();
        let mut out = Vec::with_capacity(total * N);
        let mut at = vec![0usize; dims.len()];
        let mut position = isize::try_from(offset).map_err(|_| outside())?;
        for _ in 0..total {
            let index = usize::try_from(position).map_err(|_| outside())?;
            out.extend_from_slice(source.get(index).ok_or_else(outside)?);
            for ((at, dim), stride) in at.iter_mut().zip(dims).zip(strides).rev() {
                *at += 1;
                position += stride;
                if *at < *dim {
                    break;
                }
                position -= stride * isize::try_from(*dim).map_err(|_| outside())?;
                *at = 0;
            }
        }
        Ok(out)
    }
    let same = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let total = match same.filter(|n| *n <= t.len()) {
        Some(total) => total,
        None => elements(dims)?,
    };
    let bytes = match t.dtype().size_bytes() {
        1 => copy::<1>(t.bytes(), offset, dims, strides, total),
        2 => copy::<2>(t.bytes(), offset, dims, strides, total),
        4 => copy::<4>(t.bytes(), offset, dims, strides, total),
        _ => copy::<8>(t.bytes(), offset, dims, strides, total),
    }?;
    Tensor::new(t.dtype(), dims.to_vec(), bytes.into()).map_err(|e| e.to_string())
}

/// Steps of a dense tensor, in elements.
pub(super) fn dense(dims: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; dims.len()];
    let mut step = 1isize;
    for (stride, dim) in strides.iter_mut().zip(dims).rev() {
        *stride = step;
        step = step.saturating_mul(isize::try_from(*dim).unwrap_or(isize::MAX));
    }
    strides
}

/// The tensor with its axes in the order `perm`.
pub(super) fn transpose(t: &Tensor, perm: &[usize]) -> Result<Tensor, String> {
    let own = dense(t.dims());
    let pick = |axis: &usize| Some((*t.dims().get(*axis)?, *own.get(*axis)?));
    let (dims, strides): (Vec<usize>, Vec<isize>) = perm
        .iter()
        .map(pick)
        .collect::<Option<Vec<_>>>()
        .filter(|axes| axes.len() == own.len())
        .ok_or_else(|| format!("axes {perm:?} of shape {:?}", t.dims()))?
        .into_iter()
        .unzip();
    strided(t, 0, &dims, &strides)
}

/// The tensor in a shape that its own is broadcast to.
pub(super) fn broadcast(t: &Tensor, dims: &[usize]) -> Result<Tensor, String> {
    if t.dims() == dims {
        return Ok(t.clone());
    }
    let own = dense(t.dims());
    let missing = dims.len().saturating_sub(own.len());
    let strides: Vec<isize> = (0..dims.len())
        .map(|axis| {
            let at = axis.checked_sub(missing)?;
            (*t.dims().get(at)? != 1).then(|| own.get(at).copied())?
        })
        .map(|s| s.unwrap_or(0))
        .collect();
    strided(t, 0, dims, &strides)
}

/// The shape that two shapes are broadcast to.
pub(super) fn common(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], axis: usize| {
        (axis + dims.len())
            .checked_sub(rank)
            .and_then(|i| dims.get(i))
            .copied()
            .unwrap_or(1)
    };
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(format!("shapes {a:?} and {b:?} do not fit")),
        })
        .collect()
}

/// The tensors one after another along an axis.
pub(super) fn concat(parts: &[Tensor], axis: usize) -> Result<Tensor, String> {
    let first = parts.first().ok_or("nothing to join")?;
    let wrong = || "constants that do not fit each other".to_owned();
    let mut dims = first.dims().to_vec();
    let mut along = 0usize;
    for part in parts {
        let fits = part.dtype() == first.dtype()
            && part.dims().len() == dims.len()
            && (0..dims.len()).all(|a| a == axis || part.dims().get(a) == dims.get(a));
        if !fits {
            return Err(wrong());
        }
        along += part.dims().get(axis).ok_or_else(wrong)?;
    }
    *dims.get_mut(axis).ok_or_else(wrong)? = along;
    let outer = elements(dims.get(..axis).ok_or_else(wrong)?)?;
    let mut bytes = Vec::with_capacity(parts.iter().map(|p| p.bytes().len()).sum());
    for row in 0..outer {
        for part in parts {
            let each = part.bytes().len() / outer.max(1);
            let slice = part.bytes().get(row * each..(row + 1) * each);
            bytes.extend_from_slice(slice.ok_or_else(wrong)?);
        }
    }
    Tensor::new(first.dtype(), dims, bytes.into()).map_err(|e| e.to_string())
}

/// A value per element.
pub(super) fn map(
    t: &Tensor,
    f: impl Fn(f32) -> f32,
    i: impl Fn(i64) -> Option<i64>,
) -> Result<Tensor, String> {
    let out = match numbers(t)? {
        Numbers::F(v) => Numbers::F(v.into_iter().map(f).collect()),
        Numbers::I(v) => Numbers::I(
            v.into_iter()
                .map(i)
                .collect::<Option<_>>()
                .ok_or("an operation that integers do not have, or a number too large")?,
        ),
    };
    tensor(t.dtype(), t.dims().to_vec(), &out)
}

/// A value per pair of elements, of the common shape.
pub(super) fn zip(
    a: &Tensor,
    b: &Tensor,
    f: impl Fn(f32, f32) -> f32,
    i: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Tensor, String> {
    let dims = common(a.dims(), b.dims())?;
    let (x, y) = (broadcast(a, &dims)?, broadcast(b, &dims)?);
    let out = match (numbers(&x)?, numbers(&y)?) {
        (Numbers::F(x), Numbers::F(y)) => {
            Numbers::F(x.into_iter().zip(y).map(|(x, y)| f(x, y)).collect())
        }
        (Numbers::I(x), Numbers::I(y)) => Numbers::I(
            x.into_iter()
                .zip(y)
                .map(|(x, y)| i(x, y))
                .collect::<Option<_>>()
                .ok_or("an operation that integers do not have, or a number too large")?,
        ),
        _ => return Err("a constant of integers and one of real numbers".to_owned()),
    };
    tensor(a.dtype(), dims, &out)
}

/// Whether each pair of elements compares so.
pub(super) fn compare(
    a: &Tensor,
    b: &Tensor,
    test: impl Fn(Option<std::cmp::Ordering>) -> bool,
) -> Result<Tensor, String> {
    let dims = common(a.dims(), b.dims())?;
    let (x, y) = (broadcast(a, &dims)?, broadcast(b, &dims)?);
    let out: Vec<u8> = match (numbers(&x)?, numbers(&y)?) {
        (Numbers::F(x), Numbers::F(y)) => x
            .iter()
            .zip(&y)
            .map(|(x, y)| u8::from(test(x.partial_cmp(y))))
            .collect(),
        (Numbers::I(x), Numbers::I(y)) => x
            .iter()
            .zip(&y)
            .map(|(x, y)| u8::from(test(Some(x.cmp(y)))))
            .collect(),
        _ => return Err("a constant of integers and one of real numbers".to_owned()),
    };
    Tensor::new(ElementType::Bool, dims, out.into()).map_err(|e| e.to_string())
}

/// Sums, means, products and extremes over axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    Sum,
    Mean,
    Product,
    Max,
    Min,
}

/// The reduction over `axes`, which become 1.
pub(super) fn reduce(t: &Tensor, kind: Reduction, axes: &[usize]) -> Result<Tensor, String> {
    let dims: Vec<usize> = t
        .dims()
        .iter()
        .enumerate()
        .map(|(axis, d)| if axes.contains(&axis) { 1 } else { *d })
        .collect();
    // The reduced axes go last, so that each result's values lie together.
    let kept = (0..dims.len()).filter(|a| !axes.contains(a));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let lined = transpose(t, &order)?;
    let each = t.len() / dims.iter().product::<usize>().max(1);
    if each == 0 {
        return Err("a reduction of nothing".to_owned());
    }
    let out = match numbers(&lined)? {
        Numbers::F(v) => Numbers::F(
            v.chunks_exact(each)
                .map(|c| match kind {
                    Reduction::Sum => c.iter().sum(),
                    Reduction::Mean => c.iter().sum::<f32>() / each as f32,
                    Reduction::Product => c.iter().product(),
                    Reduction::Max => c.iter().copied().fold(f32::NEG_INFINITY, f32::max),
                    Reduction::Min => c.iter().copied().fold(f32::INFINITY, f32::min),
                })
                .collect(),
        ),
        Numbers::I(v) => {
            let one = |c: &[i64]| match kind {
                Reduction::Sum => c.iter().try_fold(0i64, |s, v| s.checked_add(*v)),
                Reduction::Product => c.iter().try_fold(1i64, |s, v| s.checked_mul(*v)),
                Reduction::Max => c.iter().copied().max(),
                Reduction::Min => c.iter().copied().min(),
                Reduction::Mean => None,
            };
            let values = v.chunks_exact(each).map(one).collect::<Option<_>>();
            Numbers::I(values.ok_or("a mean of integers, or a number too large")?)
        }
    };
    tensor(t.dtype(), dims, &out)
}

/// The values in another type, as TensorFlow casts them.
pub(super) fn cast(t: &Tensor, dtype: ElementType) -> Result<Tensor, String> {
    let out = match (numbers(t)?, dtype) {
        (Numbers::F(v), ElementType::F32) => Numbers::F(v),
        (Numbers::F(v), ElementType::Bool) => {
            Numbers::I(v.into_iter().map(|v| i64::from(v != 0.0)).collect())
        }
        (Numbers::F(v), _) => Numbers::I(v.into_iter().map(|v| v.trunc() as i64).collect()),
        (Numbers::I(v), _) => Numbers::I(v),
    };
    tensor(dtype, t.dims().to_vec(), &out)
}

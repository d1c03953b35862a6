//! Arithmetic on shapes, done while translating: what a chain of `ShapeOf`, `Gather`, `Concat`, …
//! over known shapes gives is a constant, which lowerings (padding, priors, resizing) need to know.

use super::context::{Op, numbers};
use crate::graph::{ElementType, Tensor};

/// Longest list: shapes have a few numbers, grids of coordinates some hundreds.
const MOST: usize = 4096;

/// A small constant.
struct Small {
    dims: Vec<usize>,
    values: Vec<f64>,
    dtype: ElementType,
}

/// The output of a layer, if it follows from constants and known shapes alone.
pub(super) fn fold(op: &Op<'_>, result: Option<ElementType>) -> Option<Tensor> {
    let kind = op.layer.kind.as_str();
    if kind == "ShapeOf" {
        let shape = op.shape(0).ok()?;
        let values: Vec<f64> = shape.iter().map(|&d| d as f64).collect();
        let dtype = result.unwrap_or(ElementType::I64);
        return numbers(dtype, vec![shape.len()], &values).ok();
    }
    // Weights of any size keep their bytes.
    if kind == "Convert" && Some(op.tensor(0)?.dtype()) == result {
        return op.tensor(0).cloned();
    }
    let inputs: Vec<Small> = (0..op.inputs.len())
        .map(|at| small(op.tensor(at)?))
        .collect::<Option<_>>()?;
    let out = match (kind, inputs.as_slice()) {
        ("Convert", [x]) => {
            let whole = !matches!(result?, ElementType::F32 | ElementType::F64);
            let each = |v: &f64| if whole { v.trunc() } else { *v };
            with(x, x.values.iter().map(each).collect())
        }
        ("Gather", [x, at, axis, ..]) if x.dims.len() == 1 && axis.values == [0.0] => {
            if op.attributes.number("batch_dims", 0i64).ok()? != 0 {
                return None;
            }
            let pick = |i: &f64| {
                let i = if *i < 0.0 {
                    i + x.values.len() as f64
                } else {
                    *i
                };
                x.values.get(i as usize).copied()
            };
            Small {
                dims: at.dims.clone(),
                values: at.values.iter().map(pick).collect::<Option<_>>()?,
                dtype: x.dtype,
            }
        }
        ("Concat", [first, ..]) if inputs.iter().all(|i| i.dims.len() == 1) => {
            let values: Vec<f64> = inputs.iter().flat_map(|i| i.values.clone()).collect();
            Small {
                dims: vec![values.len()],
                values,
                dtype: first.dtype,
            }
        }
        ("StridedSlice", [x, begin, end, stride @ ..]) if x.dims.len() == 1 => {
            strided(op, x, begin, end, stride.first())?
        }
        ("Squeeze", [x, ..]) if x.values.len() == 1 => Small {
            dims: Vec::new(),
            values: x.values.clone(),
            dtype: x.dtype,
        },
        ("Unsqueeze", [x, axes]) if x.dims.is_empty() && axes.values == [0.0] => Small {
            dims: vec![1],
            values: x.values.clone(),
            dtype: x.dtype,
        },
        ("Floor", [x]) => with(x, x.values.iter().map(|v| v.floor()).collect()),
        (_, [a, b]) => binary(kind, a, b)?,
        _ => return None,
    };
    numbers(result.unwrap_or(out.dtype), out.dims, &out.values).ok()
}

fn small(tensor: &Tensor) -> Option<Small> {
    if tensor.len() > MOST {
        return None;
    }
    let values = match tensor.dtype() {
        ElementType::F32 => tensor.to_f32s().ok()?.into_iter().map(f64::from).collect(),
        _ => tensor
            .to_i64s()
            .ok()?
            .into_iter()
            .map(|v| v as f64)
            .collect(),
    };
    Some(Small {
        dims: tensor.dims().to_vec(),
        values,
        dtype: tensor.dtype(),
    })
}

fn with(x: &Small, values: Vec<f64>) -> Small {
    Small {
        dims: x.dims.clone(),
        values,
        dtype: x.dtype,
    }
}

fn strided(
    op: &Op<'_>,
    x: &Small,
    begin: &Small,
    end: &Small,
    stride: Option<&Small>,
) -> Option<Small> {
    let mask = |key: &str| -> Option<bool> {
        Some(op.attributes.list::<i64>(key).ok()?.first() == Some(&1))
    };
    let n = x.values.len() as f64;
    let ([begin], [end]) = (begin.values.as_slice(), end.values.as_slice()) else {
        return None;
    };
    let stride = stride.map_or(Some(1.0), |s| s.values.first().copied())?;
    if stride < 1.0 || mask("ellipsis_mask")? || mask("new_axis_mask")? {
        return None;
    }
    let from_front = |v: f64| if v < 0.0 { v + n } else { v }.clamp(0.0, n) as usize;
    let begin = if mask("begin_mask")? {
        0
    } else {
        from_front(*begin)
    };
    if mask("shrink_axis_mask")? {
        return Some(Small {
            dims: Vec::new(),
            values: vec![*x.values.get(begin)?],
            dtype: x.dtype,
        });
    }
    let end = if mask("end_mask")? {
        x.values.len()
    } else {
        from_front(*end)
    };
    let range = x.values.get(begin..end.max(begin))?;
    let values: Vec<f64> = range.iter().step_by(stride as usize).copied().collect();
    Some(Small {
        dims: vec![values.len()],
        values,
        dtype: x.dtype,
    })
}

/// Arithmetic between lists of one length, or a list and one number.
fn binary(kind: &str, a: &Small, b: &Small) -> Option<Small> {
    let whole = !matches!(a.dtype, ElementType::F32 | ElementType::F64);
    let apply = |x: f64, y: f64| -> Option<f64> {
        Some(match kind {
            "Add" => x + y,
            "Subtract" => x - y,
            "Multiply" => x * y,
            "Divide" if whole && y == 0.0 => return None,
            "Divide" if whole => (x / y).floor(),
            "Divide" => f64::from(x as f32 / y as f32),
            "Maximum" => x.max(y),
            "Minimum" => x.min(y),
            _ => return None,
        })
    };
    let long = if a.values.len() >= b.values.len() {
        a
    } else {
        b
    };
    let pick = |s: &Small, i: usize| match s.values.as_slice() {
        [one] => Some(*one),
        many if many.len() == long.values.len() && s.dims == long.dims => many.get(i).copied(),
        _ => None,
    };
    let values: Vec<f64> = (0..long.values.len())
        .map(|i| apply(pick(a, i)?, pick(b, i)?))
        .collect::<Option<_>>()?;
    let dims = if a.values.len() == b.values.len() && b.dims.len() > a.dims.len() {
        b.dims.clone()
    } else {
        long.dims.clone()
    };
    Some(Small {
        dims,
        values,
        dtype: a.dtype,
    })
}

//! Arithmetic that gives the same bits everywhere: of `f32` as IEEE 754 rounds it, of integers as
//! far as nothing overflows.

use super::{Call, arrange::broadcast, pick::expanded};
use crate::graph::{ElementType, Tensor};

fn floats(tensor: &Tensor) -> Option<Vec<f32>> {
    (tensor.dtype() == ElementType::F32)
        .then(|| tensor.to_f32s().ok())
        .flatten()
}

/// A tensor of integers of the type of `like`.
fn integers(like: ElementType, dims: Vec<usize>, values: &[i64]) -> Option<Tensor> {
    match like {
        ElementType::I64 => Tensor::i64(dims, values).ok(),
        ElementType::I32 => {
            let mut bytes = Vec::with_capacity(values.len() * 4);
            for &v in values {
                bytes.extend(i32::try_from(v).ok()?.to_le_bytes());
            }
            Tensor::new(like, dims, bytes.into()).ok()
        }
        _ => None,
    }
}

pub(super) fn unary(c: &Call<'_>) -> Option<Tensor> {
    let x = c.input(0)?;
    let dims = x.dims().to_vec();
    if let Some(values) = floats(x) {
        let op: fn(f32) -> f32 = match c.node.op.as_str() {
            "Abs" => f32::abs,
            "Ceil" => f32::ceil,
            "Floor" => f32::floor,
            "Neg" => |v| -v,
            "Reciprocal" => |v| 1.0 / v,
            "Sqrt" => f32::sqrt,
            _ => return None,
        };
        let values: Vec<f32> = values.into_iter().map(op).collect();
        return Tensor::f32(dims, &values).ok();
    }
    let op: fn(i64) -> Option<i64> = match c.node.op.as_str() {
        "Abs" => i64::checked_abs,
        "Neg" => i64::checked_neg,
        _ => return None,
    };
    let values = x.to_i64s().ok()?.into_iter().map(op);
    integers(x.dtype(), dims, &values.collect::<Option<Vec<_>>>()?)
}

pub(super) fn binary(c: &Call<'_>) -> Option<Tensor> {
    if c.inputs.len() != 2 {
        return None;
    }
    let (a, b) = (c.input(0)?, c.input(1)?);
    if a.dtype() != b.dtype() {
        return None;
    }
    let dims = broadcast(a.dims(), b.dims())?;
    let (a, b) = (expanded(a, &dims)?, expanded(b, &dims)?);
    if let (Some(left), Some(right)) = (floats(&a), floats(&b)) {
        let op: fn(f32, f32) -> f32 = match c.node.op.as_str() {
            "Add" => |a, b| a + b,
            "Sub" => |a, b| a - b,
            "Mul" => |a, b| a * b,
            "Div" => |a, b| a / b,
            // What becomes of NaN differs between engines.
            "Max" if !left.iter().chain(&right).any(|v| v.is_nan()) => f32::max,
            "Min" if !left.iter().chain(&right).any(|v| v.is_nan()) => f32::min,
            _ => return None,
        };
        let pairs = left.into_iter().zip(right);
        let values: Vec<f32> = pairs.map(|(a, b)| op(a, b)).collect();
        return Tensor::f32(dims, &values).ok();
    }
    let op: fn(i64, i64) -> Option<i64> = match c.node.op.as_str() {
        "Add" => i64::checked_add,
        "Sub" => i64::checked_sub,
        "Mul" => i64::checked_mul,
        "Div" => i64::checked_div,
        "Max" => |a, b| Some(a.max(b)),
        "Min" => |a, b| Some(a.min(b)),
        _ => return None,
    };
    let pairs = a.to_i64s().ok()?.into_iter().zip(b.to_i64s().ok()?);
    let values: Option<Vec<i64>> = pairs.map(|(a, b)| op(a, b)).collect();
    integers(a.dtype(), dims, &values?)
}

/// `Cast` between `f32`, `i64` and `i32`, where the result is the same number.
pub(super) fn cast(c: &Call<'_>) -> Option<Tensor> {
    let x = c.input(0)?;
    let to = ElementType::from_onnx(i32::try_from(c.node.int("to")?).ok()?)?;
    let dims = x.dims().to_vec();
    if to == x.dtype() {
        return Some(x.clone());
    }
    match (x.dtype(), to) {
        (ElementType::F16 | ElementType::Bf16, ElementType::F32) => {
            Tensor::f32(dims, &x.to_f32s().ok()?).ok()
        }
        (ElementType::F32, ElementType::I64 | ElementType::I32) => {
            let values = floats(x)?.into_iter().map(|v| {
                let whole = v.trunc();
                (whole.abs() < 9e15).then_some(whole as i64)
            });
            integers(to, dims, &values.collect::<Option<Vec<_>>>()?)
        }
        (ElementType::I64 | ElementType::I32, ElementType::F32) => {
            let values: Vec<f32> = x.to_i64s().ok()?.into_iter().map(|v| v as f32).collect();
            Tensor::f32(dims, &values).ok()
        }
        (ElementType::I64 | ElementType::I32, ElementType::I64 | ElementType::I32) => {
            integers(to, dims, &x.to_i64s().ok()?)
        }
        _ => None,
    }
}

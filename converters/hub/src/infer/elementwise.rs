//! Operators that work element by element, and those that keep the shape of their first input.
#![expect(
    clippy::unnecessary_wraps,
    reason = "rules of the table have one signature, and some know no contradiction"
)]

use super::{
    call::{Call, Known},
    dimensions::{broadcast, shown},
    number::{self, Number},
};
use crate::graph::ElementType;
use dyno_core::Dimension;

/// One input, or an output like the first of several.
pub(super) fn unary(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let numbers = c.numbers(0).map(|list| {
        let each = list.iter().map(|n| number::unary(&c.node.op, n));
        each.collect()
    });
    Ok(vec![c.like(0).with_numbers(numbers)])
}

/// One input, and a yes or no for each element.
pub(super) fn test(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = c.like(0).shape;
    Ok(vec![Known::new(Some(ElementType::Bool), shape)])
}

/// The broadcast shape of inputs `from` to `to`; the attribute `axis` of operator sets before 7
/// says where the second one begins.
fn shape_of(c: &Call<'_>, inputs: &[usize]) -> Result<Option<Vec<Dimension>>, String> {
    if c.opset < 7 && inputs.len() == 2 {
        return Ok(c.like(0).shape);
    }
    let mut shape = Vec::new();
    for &at in inputs {
        let Some(other) = c.shape(at) else {
            return Ok(None);
        };
        shape = broadcast(&shape, other)?;
    }
    Ok(Some(shape))
}

/// The numbers of two lists, of which one may be a single number.
fn numbers_of(c: &Call<'_>) -> Option<Vec<Number>> {
    let (a, b) = (c.numbers(0)?, c.numbers(1)?);
    let length = match (a.len(), b.len()) {
        (1, n) | (n, 1) => n,
        (n, m) if n == m => n,
        _ => return None,
    };
    let pick = |list: &[Number], at: usize| {
        let at = if list.len() == 1 { 0 } else { at };
        list.get(at).cloned().unwrap_or(Number::Unknown)
    };
    let each = (0..length).map(|at| number::binary(&c.node.op, &pick(a, at), &pick(b, at)));
    Some(each.collect())
}

/// Two inputs of one type.
pub(super) fn binary(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0).or_else(|| {
        // The exponent of `Pow` has a type of its own.
        c.dtype(1).filter(|_| c.node.op != "Pow")
    });
    if let (Some(a), Some(b)) = (c.dtype(0), c.dtype(1))
        && a != b
        && c.node.op != "Pow"
    {
        return Err(format!("its inputs are of different types, {a} and {b}"));
    }
    let shape = shape_of(c, &[0, 1])?;
    Ok(vec![Known::new(dtype, shape).with_numbers(numbers_of(c))])
}

/// Two inputs, and a yes or no for each pair.
pub(super) fn logical(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = shape_of(c, &[0, 1])?;
    let known = Known::new(Some(ElementType::Bool), shape);
    Ok(vec![known.with_numbers(numbers_of(c))])
}

/// Any number of inputs of one type.
pub(super) fn variadic(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let inputs: Vec<usize> = (0..c.inputs.len()).collect();
    let dtype = inputs.iter().find_map(|&at| c.dtype(at));
    let shape = shape_of(c, &inputs)?;
    let numbers = (inputs.len() == 2).then(|| numbers_of(c)).flatten();
    Ok(vec![Known::new(dtype, shape).with_numbers(numbers)])
}

/// `Where`: a condition, and two inputs of one type.
pub(super) fn choose(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(1).or(c.dtype(2));
    let shape = shape_of(c, &[0, 1, 2])?;
    let numbers = match (c.integers(0), c.numbers(1), c.numbers(2)) {
        (Some(condition), Some(a), Some(b)) if condition.len() == a.len() && a.len() == b.len() => {
            let picked = condition.iter().zip(a.iter().zip(b));
            let each = picked.map(|(&yes, (a, b))| if yes != 0 { a } else { b }.clone());
            Some(each.collect())
        }
        _ => None,
    };
    Ok(vec![Known::new(dtype, shape).with_numbers(numbers)])
}

/// `Cast`: the attribute `to` is a number of `TensorProto.DataType`.
pub(super) fn cast(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let to = c.int("to", 0);
    let dtype = i32::try_from(to).ok().and_then(ElementType::from_onnx);
    Ok(vec![cast_to(c, dtype)])
}

/// `CastLike`: to the type of the second input.
pub(super) fn cast_like(c: &Call<'_>) -> Result<Vec<Known>, String> {
    Ok(vec![cast_to(c, c.dtype(1))])
}

fn cast_to(c: &Call<'_>, dtype: Option<ElementType>) -> Known {
    use ElementType as E;
    let numbers = c.numbers(0).and_then(|list| match dtype? {
        E::F32 | E::F64 => Some(list.to_vec()),
        E::I64 | E::I32 => Some(list.iter().map(number::truncated).collect()),
        _ => None,
    });
    let shape = c.like(0).shape;
    Known::new(dtype, shape).with_numbers(numbers)
}

/// `Dropout`: the second output says which elements stay.
pub(super) fn dropout(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mask = if c.opset < 10 {
        c.dtype(0)
    } else {
        Some(ElementType::Bool)
    };
    let kept = c.like(0).with_numbers(c.numbers(0).map(<[_]>::to_vec));
    Ok(vec![kept, Known::new(mask, c.like(0).shape)])
}

/// `QuantizeLinear`: the type of the zero point, `u8` without one.
pub(super) fn quantize(c: &Call<'_>) -> Result<Vec<Known>, String> {
    per_axis(c)?;
    let stated = i32::try_from(c.int("output_dtype", 0)).ok();
    let dtype = if c.has(2) {
        c.dtype(2)
    } else {
        match stated {
            None | Some(0) => Some(ElementType::U8),
            Some(number) => ElementType::from_onnx(number),
        }
    };
    Ok(vec![Known::new(dtype, c.like(0).shape)])
}

/// `DequantizeLinear`: the type of the scale.
pub(super) fn dequantize(c: &Call<'_>) -> Result<Vec<Known>, String> {
    per_axis(c)?;
    Ok(vec![Known::new(c.dtype(1), c.like(0).shape)])
}

/// Scales along an axis are as many as the axis is long.
fn per_axis(c: &Call<'_>) -> Result<(), String> {
    let (Some(x), Some([Dimension::Fixed(scales)])) = (c.shape(0), c.shape(1)) else {
        return Ok(());
    };
    if *scales == 1 || c.int("block_size", 0) != 0 {
        return Ok(());
    }
    let axis = c.axis("axis", 1, x.len())?;
    match x.get(axis) {
        Some(Dimension::Fixed(n)) if n != scales => Err(format!(
            "{scales} scales for axis {axis} of shape {}",
            shown(x)
        )),
        _ => Ok(()),
    }
}

/// `DynamicQuantizeLinear`: values, scale, zero point.
pub(super) fn dynamic_quantize(c: &Call<'_>) -> Result<Vec<Known>, String> {
    Ok(vec![
        Known::new(Some(ElementType::U8), c.like(0).shape),
        Known::new(Some(ElementType::F32), Some(Vec::new())),
        Known::new(Some(ElementType::U8), Some(Vec::new())),
    ])
}

//! Layers that move elements.

use crate::import::openvino::context::{Op, Outputs};
use crate::import::openvino::ops::select::cut;

/// A shape in `dim` (0 copies a length, -1 takes the rest), or in a second input.
pub(in crate::import::openvino) fn reshape(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("axis", &["0"])?;
    op.attributes.only("num_axes", &["-1"])?;
    let mut shape: Vec<i64> = op.attributes.list("dim")?;
    if op.has(1) {
        shape = op.integers(1)?;
    }
    if shape.is_empty() {
        // Files before version 5 give the shape at the output port alone.
        let said = op.layer.outputs.first().and_then(|p| p.dims.clone());
        shape = said.ok_or("no shape")?;
    }
    let x = op.x(0)?;
    let shape = op.list(&shape);
    Ok(vec![op.add("Reshape", &[&x, &shape], [])])
}

/// Axes from `axis` to `end_axis` become one.
pub(in crate::import::openvino) fn flatten(op: &mut Op<'_>) -> Outputs {
    let dims = op.dims(0)?;
    let rank = dims.len();
    let first = Op::axis(op.attributes.number("axis", 1)?, rank)?;
    let last = Op::axis(op.attributes.number("end_axis", -1)?, rank)?;
    if last < first {
        return Err(format!("axes {first} to {last}"));
    }
    // A 0 copies a length in front; axes behind must be known.
    let mut shape = vec![0i64; first];
    shape.push(-1);
    shape.extend(&dims[last + 1..]);
    if dims[last + 1..].iter().any(|d| *d < 0) {
        return Err("axes that are open".to_owned());
    }
    let x = op.x(0)?;
    let shape = op.list(&shape);
    Ok(vec![op.add("Reshape", &[&x, &shape], [])])
}

pub(in crate::import::openvino) fn permute(op: &mut Op<'_>) -> Outputs {
    let order: Vec<i64> = op.attributes.list("order")?;
    if order.len() != op.rank(0)? {
        return Err(format!("order {order:?} of {} axes", op.rank(0)?));
    }
    let x = op.x(0)?;
    Ok(vec![op.add("Transpose", &[&x], [("perm", order.into())])])
}

/// Parts as long as the output ports say.
pub(in crate::import::openvino) fn split(op: &mut Op<'_>) -> Outputs {
    let dims = op.dims(0)?;
    let axis = Op::axis(op.attributes.number("axis", 1)?, dims.len())?;
    op.attributes.text("num_split");
    let parts: Option<Vec<i64>> = op
        .layer
        .outputs
        .iter()
        .map(|p| p.dims.as_ref()?.get(axis).copied())
        .collect();
    let parts = parts.ok_or("outputs without a shape")?;
    if parts.iter().any(|p| *p < 0) || parts.iter().sum::<i64>() != dims[axis] {
        return Err(format!("parts {parts:?} of {}", dims[axis]));
    }
    let x = op.x(0)?;
    let lengths = op.list(&parts);
    let name = &op.layer.name;
    let attributes = [("axis", (axis as i64).into())];
    Ok(op
        .builder
        .add_many("Split", name, &[&x, &lengths], attributes, parts.len()))
}

pub(in crate::import::openvino) fn tile(op: &mut Op<'_>) -> Outputs {
    let rank = op.rank(0)?;
    let axis = Op::axis(op.attributes.needed("axis")?, rank)?;
    let tiles: i64 = op.attributes.needed("tiles")?;
    let mut repeats = vec![1; rank];
    repeats[axis] = tiles;
    let x = op.x(0)?;
    let repeats = op.list(&repeats);
    Ok(vec![op.add("Tile", &[&x, &repeats], [])])
}

/// From `offset` on as much as `dim`, the second input, or (with `crop_begin`, `crop_end`) the rest
/// has.
pub(in crate::import::openvino) fn crop(op: &mut Op<'_>) -> Outputs {
    let dims = op.shape(0)?;
    let axes: Vec<i64> = op.attributes.list("axis")?;
    let offsets: Vec<i64> = op.attributes.list("offset")?;
    let lengths: Vec<i64> = op.attributes.list("dim")?;
    let begins: Vec<i64> = op.attributes.list("crop_begin")?;
    let ends: Vec<i64> = op.attributes.list("crop_end")?;
    let mut first = vec![0i64; dims.len()];
    let mut last: Vec<i64> = dims.iter().map(|&d| d as i64).collect();
    let like = if op.has(1) { Some(op.shape(1)?) } else { None };
    for (at, axis) in axes.iter().enumerate() {
        let axis = Op::axis(*axis, dims.len())?;
        let value = |list: &[i64]| list.get(at).copied();
        if let Some((begin, end)) = value(&begins).zip(value(&ends)) {
            first[axis] = begin;
            last[axis] -= end;
            continue;
        }
        let wanted = like.as_ref().and_then(|l| l.get(axis)).map(|&d| d as i64);
        let length = wanted.or_else(|| value(&lengths));
        let (offset, length) = value(&offsets)
            .zip(length)
            .ok_or_else(|| format!("no offset or length for axis {axis}"))?;
        first[axis] = offset;
        last[axis] = offset + length;
    }
    let outside = first
        .iter()
        .zip(&last)
        .zip(&dims)
        .any(|((f, l), d)| *f < 0 || l <= f || *l > *d as i64);
    if outside {
        return Err(format!("from {first:?} to {last:?} of {dims:?}"));
    }
    let x = op.x(0)?;
    Ok(vec![cut(op, &x, &first, &last, None)])
}

//! Elements by their numbers, and the numbers of the greatest.

use crate::{
    graph::{ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out},
        fold,
        value::{Val, element},
    },
};

pub(super) fn gather(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let (x, at) = (op.input(0)?, op.input(1)?);
    if op.int("batch_dims", 0) != 0 {
        return Err("with batch_dims".to_owned());
    }
    let axis = if op.inputs.len() > 2 { op.one(2)? } else { 0 };
    let axis = Op::axis(axis, x.dims().len())?;
    let mut dims = x.dims().to_vec();
    dims.splice(axis..=axis, at.dims().iter().copied());
    if let (Val::Const(x), Val::Const(at)) = (x, at) {
        return Ok(vec![Val::Const(gathered(x, at, axis, dims)?)]);
    }
    let (source, numbers) = (cx.plain(x, op.name())?, cx.plain(at, op.name())?);
    let attributes = [("axis", i64::try_from(axis).unwrap_or(0).into())];
    let out = (x.dtype(), dims, false);
    let y = cx.add("Gather", op.name(), &[&source, &numbers], attributes, out);
    Ok(vec![Val::Live(y)])
}

fn gathered(x: &Tensor, at: &Tensor, axis: usize, dims: Vec<usize>) -> Result<Tensor, String> {
    let outside = || "a number outside of a constant".to_owned();
    let strides = fold::dense(x.dims());
    let step = strides.get(axis).copied().unwrap_or(1).unsigned_abs();
    let extent = x.dims().get(axis).copied().unwrap_or(0);
    let mut one = x.dims().to_vec();
    *one.get_mut(axis).ok_or_else(outside)? = 1;
    fold::elements(&dims)?;
    let mut parts = Vec::new();
    for number in at.to_i64s().map_err(|e| e.to_string())? {
        let number = usize::try_from(number).ok().filter(|n| *n < extent);
        let offset = number.ok_or_else(outside)? * step;
        parts.push(fold::strided(x, offset, &one, &strides)?);
    }
    if parts.is_empty() {
        return Tensor::new(x.dtype(), dims, bytes::Bytes::new()).map_err(|e| e.to_string());
    }
    fold::concat(&parts, axis)?
        .reshaped(dims)
        .map_err(|e| e.to_string())
}

/// The greatest values of the last axis, and where they are.
pub(super) fn top_k(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let k = usize::try_from(op.one(1)?).map_err(|e| e.to_string())?;
    let mut dims = x.dims().to_vec();
    let last = dims.last_mut().ok_or("of a single number")?;
    if k > *last {
        return Err(format!("the {k} greatest of {last}"));
    }
    *last = k;
    let source = cx.plain(x, op.name())?;
    let count = cx.list(&format!("{}/k", op.name()), &[op.one(1)?]);
    let attributes = [
        ("axis", (-1).into()),
        ("sorted", i64::from(op.bool("sorted", true)).into()),
    ];
    let mut names = cx.add_many("TopK", op.name(), &[&source, &count], attributes, 2);
    let (Some(at), Some(values)) = (names.pop(), names.pop()) else {
        return Err("no result".to_owned());
    };
    let values = cx.live(values, x.dtype(), dims.clone(), false);
    let at = cx.live(at, ElementType::I64, dims.clone(), false);
    let wanted = op
        .node
        .data_type("index_type")
        .map_or(ElementType::I32, element);
    let attributes = [("to", i64::from(wanted.onnx()).into())];
    let out = (wanted, dims, false);
    let at = cx.add("Cast", op.name(), &[&at.name], attributes, out);
    Ok(vec![Val::Live(values), Val::Live(at)])
}

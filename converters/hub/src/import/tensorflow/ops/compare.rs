//! Comparisons, logic and choices between values.

use super::elementwise::pair;
use crate::{
    graph::{ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out},
        fold,
        value::Val,
    },
};
use std::cmp::Ordering;

fn comparison(
    cx: &mut Context<'_>,
    op: &Op<'_>,
    onnx: &str,
    negated: bool,
    test: fn(Option<Ordering>) -> bool,
) -> Out {
    let (a, b) = (op.input(0)?, op.input(1)?);
    if let (Val::Const(a), Val::Const(b)) = (a, b) {
        return Ok(vec![Val::Const(fold::compare(a, b, test)?)]);
    }
    let (a, b, dims, nchw) = pair(cx, a, b, op.name())?;
    let out = || (ElementType::Bool, dims.clone(), nchw);
    let mut y = cx.add(onnx, op.name(), &[&a, &b], [], out());
    if negated {
        y = cx.add("Not", op.name(), &[&y.name], [], out());
    }
    Ok(vec![Val::Live(y)])
}

pub(super) fn equal(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    comparison(cx, op, "Equal", false, |o| o == Some(Ordering::Equal))
}

pub(super) fn not_equal(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    comparison(cx, op, "Equal", true, |o| o != Some(Ordering::Equal))
}

pub(super) fn greater(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    comparison(cx, op, "Greater", false, |o| o == Some(Ordering::Greater))
}

pub(super) fn less(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    comparison(cx, op, "Less", false, |o| o == Some(Ordering::Less))
}

pub(super) fn greater_equal(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    comparison(cx, op, "GreaterOrEqual", false, |o| {
        matches!(o, Some(Ordering::Greater | Ordering::Equal))
    })
}

pub(super) fn less_equal(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    comparison(cx, op, "LessOrEqual", false, |o| {
        matches!(o, Some(Ordering::Less | Ordering::Equal))
    })
}

fn logic(cx: &mut Context<'_>, op: &Op<'_>, onnx: &str, f: fn(i64, i64) -> i64) -> Out {
    let (a, b) = (op.input(0)?, op.input(1)?);
    if let (Val::Const(a), Val::Const(b)) = (a, b) {
        let both = fold::zip(a, b, |a, _| a, |a, b| Some(f(a, b)))?;
        return Ok(vec![Val::Const(both)]);
    }
    let (a, b, dims, nchw) = pair(cx, a, b, op.name())?;
    let out = (ElementType::Bool, dims, nchw);
    Ok(vec![Val::Live(cx.add(onnx, op.name(), &[&a, &b], [], out))])
}

pub(super) fn and(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    logic(cx, op, "And", |a, b| a & b)
}

pub(super) fn or(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    logic(cx, op, "Or", |a, b| a | b)
}

pub(super) fn not(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    match op.input(0)? {
        Val::Const(t) => Ok(vec![Val::Const(fold::map(t, |v| v, |v| Some(1 - v))?)]),
        Val::Live(x) => {
            let out = (ElementType::Bool, x.dims.clone(), x.nchw);
            let y = cx.add("Not", op.name(), &[&x.name], [], out);
            Ok(vec![Val::Live(y)])
        }
        Val::Dead | Val::Lost => Err("no input".to_owned()),
    }
}

/// Chooses between two values. A condition that is known, one value for all, leaves one of them; in
/// the first version of the operator a condition of one axis chooses rows.
pub(super) fn select(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let (condition, yes, no) = (op.input(0)?, op.input(1)?, op.input(2)?);
    let rows = op.node.op == "Select" && condition.dims().len() == 1 && yes.dims().len() > 1;
    if let Some(known) = condition.tensor() {
        let flags = known.to_i64s().map_err(|e| e.to_string())?;
        let first = flags.first().copied().unwrap_or(0);
        let alike = flags.iter().all(|f| *f == first);
        let chosen = if first == 0 { no } else { yes };
        if alike && fold::common(yes.dims(), no.dims())? == chosen.dims() {
            return Ok(vec![chosen.clone()]);
        }
        if let (Val::Const(yes), Val::Const(no), false) = (yes, no, rows) {
            return pick(known, yes, no).map(|t| vec![Val::Const(t)]);
        }
    }
    let condition = if rows {
        let mut dims = condition.dims().to_vec();
        dims.resize(yes.dims().len(), 1);
        cx.reshape(condition, dims, &format!("{}/rows", op.name()))?
    } else {
        condition.clone()
    };
    let dims = fold::common(&fold::common(condition.dims(), yes.dims())?, no.dims())?;
    let name = op.name();
    let (c, y, n) = (
        cx.plain(&condition, name)?,
        cx.plain(yes, name)?,
        cx.plain(no, name)?,
    );
    let out = cx.add("Where", name, &[&c, &y, &n], [], (yes.dtype(), dims, false));
    Ok(vec![Val::Live(out)])
}

fn pick(condition: &Tensor, yes: &Tensor, no: &Tensor) -> Result<Tensor, String> {
    let dims = fold::common(&fold::common(condition.dims(), yes.dims())?, no.dims())?;
    let flags = fold::broadcast(condition, &dims)?;
    let (yes, no) = (fold::broadcast(yes, &dims)?, fold::broadcast(no, &dims)?);
    let size = yes.dtype().size_bytes();
    if yes.dtype() != no.dtype() {
        return Err("choices of two types".to_owned());
    }
    let mut bytes = Vec::with_capacity(yes.bytes().len());
    let pairs = yes
        .bytes()
        .chunks_exact(size)
        .zip(no.bytes().chunks_exact(size));
    for (flag, (yes, no)) in flags.bytes().iter().zip(pairs) {
        bytes.extend_from_slice(if *flag == 0 { no } else { yes });
    }
    Tensor::new(yes.dtype(), dims, bytes.into()).map_err(|e| e.to_string())
}

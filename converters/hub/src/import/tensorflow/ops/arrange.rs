//! Axes in another order, borders, repetition.

use super::elementwise::shape_list;
use crate::{
    graph::Tensor,
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold,
        value::{Live, TO_NCHW, TO_NHWC, Val},
    },
};

/// Two of the orders only change what the axes are called here; nothing is moved for them.
pub(super) fn transpose(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let rank = op.input(0)?.dims().len();
    let perm: Vec<usize> = op
        .ints(1)?
        .iter()
        .map(|a| Op::axis(*a, rank))
        .collect::<Result<_, _>>()?;
    let mut seen = perm.clone();
    seen.sort_unstable();
    if seen != (0..rank).collect::<Vec<_>>() {
        return Err(format!("order {perm:?} of {rank} axes"));
    }
    let x = match op.input(0)? {
        Val::Const(t) => return Ok(vec![Val::Const(fold::transpose(t, &perm)?)]),
        Val::Live(x) => x.clone(),
        Val::Dead | Val::Lost => return Err("no input".to_owned()),
    };
    let dims: Vec<usize> = perm
        .iter()
        .filter_map(|a| x.dims.get(*a))
        .copied()
        .collect();
    let renamed = |nchw| {
        vec![Val::Live(Live {
            dims: dims.clone(),
            nchw,
            ..x.clone()
        })]
    };
    if perm.iter().copied().eq(0..rank) {
        return Ok(vec![op.input(0)?.clone()]);
    }
    if x.nchw && perm == TO_NCHW {
        return Ok(renamed(false));
    }
    if !x.nchw && perm == TO_NHWC {
        return Ok(renamed(true));
    }
    let physical: Vec<usize> = perm.iter().map(|a| x.axis(*a)).collect();
    let attributes = [("perm", signed(&physical).into())];
    let out = (x.dtype, dims, false);
    let y = cx.add("Transpose", op.name(), &[&x.name], attributes, out);
    Ok(vec![Val::Live(y)])
}

/// Borders before and after each axis, in TensorFlow's order: `[rank, 2]`.
fn borders(op: &Op<'_>) -> Result<Vec<(usize, usize)>, String> {
    let list = op.ints(1)?;
    let (pairs, rest) = list.as_chunks::<2>();
    if pairs.len() != op.input(0)?.dims().len() || !rest.is_empty() {
        return Err(format!("borders {list:?}"));
    }
    let one = |v: i64| usize::try_from(v).map_err(|_| format!("borders {list:?}"));
    pairs
        .iter()
        .map(|[a, b]| Ok((one(*a)?, one(*b)?)))
        .collect()
}

fn padded(cx: &mut Context<'_>, op: &Op<'_>, mode: &str, value: Option<&Tensor>) -> Out {
    let borders = borders(op)?;
    let x = match op.input(0)? {
        Val::Live(x) => x.clone(),
        x if borders.iter().all(|b| *b == (0, 0)) => return Ok(vec![x.clone()]),
        _ => return Err("of a constant".to_owned()),
    };
    if borders.iter().all(|b| *b == (0, 0)) {
        return Ok(vec![Val::Live(x)]);
    }
    // Engines mirror the last two axes only.
    let x = match borders.as_slice() {
        [(0, 0), _, _, (0, 0)] if mode == "reflect" && !x.nchw => cx.turn(&x),
        _ => x,
    };
    let dims: Vec<usize> = x
        .dims
        .iter()
        .zip(&borders)
        .map(|(d, (a, b))| d.saturating_add(*a).saturating_add(*b))
        .collect();
    let mut pads = vec![0i64; 2 * borders.len()];
    for (axis, (before, after)) in borders.iter().enumerate() {
        let at = x.axis(axis);
        for (at, v) in [(at, before), (at + borders.len(), after)] {
            if let (Some(pad), Ok(v)) = (pads.get_mut(at), i64::try_from(*v)) {
                *pad = v;
            }
        }
    }
    let pads = cx.list(&format!("{}/pads", op.name()), &pads);
    let mut inputs = vec![x.name.clone(), pads];
    if let Some(value) = value {
        inputs.push(cx.weights(&format!("{}/value", op.name()), value));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let out = (x.dtype, dims, x.nchw);
    let y = cx.add("Pad", op.name(), &inputs, [("mode", mode.into())], out);
    Ok(vec![Val::Live(y)])
}

pub(super) fn pad(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let value = match op.inputs.get(2) {
        Some(_) => Some(
            op.constant(2)?
                .reshaped(Vec::new())
                .map_err(|e| e.to_string())?,
        ),
        None => None,
    };
    padded(cx, op, "constant", value.as_ref())
}

pub(super) fn mirror_pad(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    match op.text("mode", "") {
        "REFLECT" => padded(cx, op, "reflect", None),
        mode => Err(format!("mode `{mode}`")),
    }
}

pub(super) fn tile(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let times = super::shape::target(&op.ints(1)?, None)?;
    if times.len() != x.dims().len() {
        return Err(format!("{times:?} times shape {:?}", x.dims()));
    }
    if times.iter().all(|t| *t == 1) {
        return Ok(vec![x.clone()]);
    }
    let dims: Vec<usize> = x
        .dims()
        .iter()
        .zip(&times)
        .map(|(d, t)| d.saturating_mul(*t))
        .collect();
    if let Val::Const(t) = x {
        // Each axis becomes two: how often, and the values.
        let own = fold::dense(t.dims());
        let wide: Vec<usize> = times
            .iter()
            .zip(t.dims())
            .flat_map(|(t, d)| [*t, *d])
            .collect();
        let strides: Vec<isize> = own.iter().flat_map(|s| [0, *s]).collect();
        let tiled = fold::strided(t, 0, &wide, &strides)?;
        let tiled = tiled.reshaped(dims).map_err(|e| e.to_string())?;
        return Ok(vec![Val::Const(tiled)]);
    }
    let source = cx.plain(x, op.name())?;
    let times = shape_list(cx, op.name(), &times);
    let out = (x.dtype(), dims, false);
    let y = cx.add("Tile", op.name(), &[&source, &times], [], out);
    Ok(vec![Val::Live(y)])
}

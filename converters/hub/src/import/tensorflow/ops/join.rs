//! Values joined along an axis, and taken apart.

use crate::{
    graph::Tensor,
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold,
        value::{TO_NHWC, Val},
    },
};

pub(super) fn concat(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let parts = op.inputs.get(1..).unwrap_or(&[]);
    joined(cx, parts, op.one(0)?, op.name())
}

pub(super) fn concat_v2(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let last = op.inputs.len().checked_sub(1).ok_or("no input")?;
    let parts = op.inputs.get(..last).unwrap_or(&[]);
    joined(cx, parts, op.one(last)?, op.name())
}

fn joined(cx: &mut Context<'_>, parts: &[Val], axis: i64, name: &str) -> Out {
    let first = parts.first().ok_or("nothing to join")?;
    let axis = Op::axis(axis, first.dims().len())?;
    if let [only] = parts {
        return Ok(vec![only.clone()]);
    }
    let constants: Option<Vec<Tensor>> = parts.iter().map(|p| p.tensor().cloned()).collect();
    if let Some(constants) = constants {
        return Ok(vec![Val::Const(fold::concat(&constants, axis)?)]);
    }
    let mut dims = first.dims().to_vec();
    let mut along = 0usize;
    for part in parts {
        let fits = part.dims().len() == dims.len()
            && part.dtype() == first.dtype()
            && (0..dims.len()).all(|a| a == axis || part.dims().get(a) == dims.get(a));
        if !fits {
            return Err(format!("shapes {dims:?} and {:?}", part.dims()));
        }
        along = along.saturating_add(part.dims().get(axis).copied().unwrap_or(0));
    }
    if let Some(dim) = dims.get_mut(axis) {
        *dim = along;
    }
    let nchw = dims.len() == 4 && parts.iter().any(Val::is_nchw);
    let mut names = Vec::new();
    for part in parts {
        names.push(if nchw {
            cx.nchw(part, name)?
        } else {
            cx.plain(part, name)?
        });
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let at = if nchw {
        TO_NHWC.get(axis).copied().unwrap_or(axis)
    } else {
        axis
    };
    let attributes = [("axis", i64::try_from(at).unwrap_or(0).into())];
    let out = (first.dtype(), dims, nchw);
    let y = cx.add("Concat", name, &names, attributes, out);
    Ok(vec![Val::Live(y)])
}

/// Values joined along a new axis.
pub(super) fn pack(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let rank = op.input(0)?.dims().len();
    let axis = Op::axis(op.int("axis", 0), rank + 1)?;
    let mut parts = Vec::new();
    for part in &op.inputs {
        let mut dims = part.dims().to_vec();
        if dims.len() != rank {
            return Err("values of several shapes".to_owned());
        }
        dims.insert(axis, 1);
        parts.push(cx.reshape(part, dims, &format!("{}/part", op.name()))?);
    }
    joined(cx, &parts, i64::try_from(axis).unwrap_or(0), op.name())
}

/// Parts of the extents `sizes` along `axis`.
fn parted(cx: &mut Context<'_>, x: &Val, axis: usize, sizes: &[usize], name: &str) -> Out {
    let shape = |size: usize| {
        let mut dims = x.dims().to_vec();
        if let Some(dim) = dims.get_mut(axis) {
            *dim = size;
        }
        dims
    };
    if sizes.iter().try_fold(0usize, |s, n| s.checked_add(*n)) != x.dims().get(axis).copied() {
        return Err(format!("parts {sizes:?} of shape {:?}", x.dims()));
    }
    if sizes.len() == 1 {
        return Ok(vec![x.clone()]);
    }
    match x {
        Val::Const(t) => {
            let strides = fold::dense(t.dims());
            let step = strides.get(axis).copied().unwrap_or(1).unsigned_abs();
            let mut begin = 0usize;
            let mut parts = Vec::new();
            for size in sizes {
                let part = fold::strided(t, begin * step, &shape(*size), &strides)?;
                parts.push(Val::Const(part));
                begin += size;
            }
            Ok(parts)
        }
        Val::Live(live) => {
            let list = cx.list(&format!("{name}/sizes"), &signed(sizes));
            let attributes = [("axis", i64::try_from(live.axis(axis)).unwrap_or(0).into())];
            let inputs = [live.name.as_str(), &list];
            let names = cx.add_many("Split", name, &inputs, attributes, sizes.len());
            Ok(names
                .into_iter()
                .zip(sizes)
                .map(|(name, size)| Val::Live(cx.live(name, live.dtype, shape(*size), live.nchw)))
                .collect())
        }
        Val::Dead | Val::Lost => Err("no input".to_owned()),
    }
}

/// Most parts that a value is taken apart into.
const MAX_PARTS: usize = 4096;

pub(super) fn split(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(1)?;
    let axis = Op::axis(op.one(0)?, x.dims().len())?;
    let extent = x.dims().get(axis).copied().unwrap_or(0);
    let parts = usize::try_from(op.int("num_split", 0)).unwrap_or(0);
    if parts == 0 || parts > MAX_PARTS || extent % parts != 0 {
        return Err(format!("{parts} parts of an extent of {extent}"));
    }
    parted(cx, x, axis, &vec![extent / parts; parts], op.name())
}

pub(super) fn split_v(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let axis = Op::axis(op.one(2)?, x.dims().len())?;
    let extent = x.dims().get(axis).copied().unwrap_or(0);
    let given = op.ints(1)?;
    let known: i64 = given
        .iter()
        .filter(|s| **s >= 0)
        .fold(0, |a, b| a.saturating_add(*b));
    let rest = i64::try_from(extent)
        .unwrap_or(i64::MAX)
        .saturating_sub(known);
    let sizes: Vec<usize> = given
        .iter()
        .map(|s| {
            usize::try_from(if *s < 0 { rest } else { *s }).map_err(|_| format!("parts {given:?}"))
        })
        .collect::<Result<_, _>>()?;
    parted(cx, x, axis, &sizes, op.name())
}

pub(super) fn unpack(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let axis = Op::axis(op.int("axis", 0), x.dims().len())?;
    let extent = x.dims().get(axis).copied().unwrap_or(0);
    if extent == 0 || extent > MAX_PARTS {
        return Err(format!("{extent} parts"));
    }
    let mut dims = x.dims().to_vec();
    dims.remove(axis);
    parted(cx, x, axis, &vec![1; extent], op.name())?
        .iter()
        .map(|part| cx.reshape(part, dims.clone(), op.name()))
        .collect()
}

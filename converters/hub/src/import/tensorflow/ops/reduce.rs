//! Sums, means, extremes and what else goes over axes.

use crate::{
    graph::{Attribute, ElementType},
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold::{self, Reduction},
        value::{Val, element},
    },
};

fn reduction(cx: &mut Context<'_>, op: &Op<'_>, onnx: &str, kind: Reduction) -> Out {
    let x = op.input(0)?;
    let rank = x.dims().len();
    let mut axes: Vec<usize> = op
        .ints(1)?
        .iter()
        .map(|a| Op::axis(*a, rank))
        .collect::<Result<_, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    let keep = op.bool("keep_dims", false);
    let ones: Vec<usize> = x
        .dims()
        .iter()
        .enumerate()
        .map(|(a, d)| if axes.contains(&a) { 1 } else { *d })
        .collect();
    let kept: Vec<usize> = (0..rank).filter(|a| !axes.contains(a)).collect();
    let dims = if keep {
        ones
    } else {
        kept.iter()
            .filter_map(|a| x.dims().get(*a))
            .copied()
            .collect()
    };
    if axes.is_empty() {
        return Ok(vec![x.clone()]);
    }
    if let Val::Const(t) = x {
        let reduced = fold::reduce(t, kind, &axes)?.reshaped(dims);
        return Ok(vec![Val::Const(reduced.map_err(|e| e.to_string())?)]);
    }
    let Val::Live(live) = x else {
        return Err("no input".to_owned());
    };
    // What is left must lie in TensorFlow's order, unless all axes stay.
    let moved: Vec<usize> = kept.iter().map(|a| live.axis(*a)).collect();
    let direct = keep || moved.is_sorted();
    let (source, at): (String, Vec<usize>) = if direct {
        (
            live.name.clone(),
            axes.iter().map(|a| live.axis(*a)).collect(),
        )
    } else {
        (cx.plain(x, op.name())?, axes.clone())
    };
    let mut at = signed(&at);
    at.sort_unstable();
    let out = (live.dtype, dims, keep && direct && live.nchw);
    let keep = ("keepdims", Attribute::Int(i64::from(keep)));
    let y = if kind == Reduction::Sum {
        let list = cx.list(&format!("{}/axes", op.name()), &at);
        cx.add(onnx, op.name(), &[&source, &list], [keep], out)
    } else {
        cx.add(
            onnx,
            op.name(),
            &[&source],
            [("axes", at.into()), keep],
            out,
        )
    };
    Ok(vec![Val::Live(y)])
}

pub(super) fn sum(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    reduction(cx, op, "ReduceSum", Reduction::Sum)
}

pub(super) fn mean(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    reduction(cx, op, "ReduceMean", Reduction::Mean)
}

pub(super) fn product(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    reduction(cx, op, "ReduceProd", Reduction::Product)
}

pub(super) fn max(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    reduction(cx, op, "ReduceMax", Reduction::Max)
}

pub(super) fn min(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    reduction(cx, op, "ReduceMin", Reduction::Min)
}

pub(super) fn arg_max(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let axis = Op::axis(op.one(1)?, x.dims().len())?;
    let mut dims = x.dims().to_vec();
    dims.remove(axis);
    let source = cx.plain(x, op.name())?;
    let attributes = [
        ("axis", i64::try_from(axis).unwrap_or(0).into()),
        ("keepdims", 0.into()),
    ];
    let wanted = op
        .node
        .data_type("output_type")
        .map_or(ElementType::I64, element);
    let out = (ElementType::I64, dims.clone(), false);
    let mut y = cx.add("ArgMax", op.name(), &[&source], attributes, out);
    if wanted != ElementType::I64 {
        let to = [("to", i64::from(wanted.onnx()).into())];
        y = cx.add("Cast", op.name(), &[&y.name], to, (wanted, dims, false));
    }
    Ok(vec![Val::Live(y)])
}

/// Over the last axis.
pub(super) fn softmax(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let Val::Live(x) = op.input(0)?.clone() else {
        return Err("of a constant".to_owned());
    };
    let last = x.dims.len().checked_sub(1).ok_or("of a single number")?;
    let axis = i64::try_from(x.axis(last)).unwrap_or(0);
    let out = (x.dtype, x.dims.clone(), x.nchw);
    let y = cx.add(
        "Softmax",
        op.name(),
        &[&x.name],
        [("axis", axis.into())],
        out,
    );
    Ok(vec![Val::Live(y)])
}

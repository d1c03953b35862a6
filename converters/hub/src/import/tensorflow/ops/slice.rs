//! Parts of a value by begin, end and step.

use crate::import::tensorflow::{
    context::{Context, Op, Out, signed},
    fold,
    value::Val,
};

/// One axis of a slice: where it begins, how many elements it has, and the step between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    begin: i64,
    count: usize,
    step: i64,
}

/// The part of a value; all axes stay.
fn taken(cx: &mut Context<'_>, x: &Val, parts: &[Part], name: &str) -> Result<Val, String> {
    let dims: Vec<usize> = parts.iter().map(|p| p.count).collect();
    match x {
        Val::Const(t) => {
            let own = fold::dense(t.dims());
            let mut offset = 0isize;
            let mut strides = Vec::new();
            for (part, stride) in parts.iter().zip(&own) {
                let (begin, step) = (isize::try_from(part.begin), isize::try_from(part.step));
                let (Ok(begin), Ok(step)) = (begin, step) else {
                    return Err("a part outside of a constant".to_owned());
                };
                offset = offset.saturating_add(begin.saturating_mul(*stride));
                strides.push(step.saturating_mul(*stride));
            }
            let offset = usize::try_from(offset).map_err(|e| e.to_string())?;
            fold::strided(t, offset, &dims, &strides).map(Val::Const)
        }
        Val::Live(live) => {
            let mut lists: [Vec<i64>; 4] = Default::default();
            for (axis, (part, extent)) in parts.iter().zip(&live.dims).enumerate() {
                if part.begin == 0 && part.step == 1 && part.count == *extent {
                    continue;
                }
                let count = i64::try_from(part.count).map_err(|e| e.to_string())?;
                let mut end = part.begin.saturating_add(count.saturating_mul(part.step));
                if end < 0 {
                    // ONNX counts negative ends from the back; this one is before the first.
                    end = i64::MIN;
                }
                let axis = i64::try_from(live.axis(axis)).map_err(|e| e.to_string())?;
                for (list, v) in lists.iter_mut().zip([part.begin, end, axis, part.step]) {
                    list.push(v);
                }
            }
            let [begins, ends, axes, steps] = lists;
            if axes.is_empty() {
                return Ok(x.clone());
            }
            let names = [
                live.name.clone(),
                cx.list(&format!("{name}/begin"), &begins),
                cx.list(&format!("{name}/end"), &ends),
                cx.list(&format!("{name}/axes"), &axes),
                cx.list(&format!("{name}/steps"), &steps),
            ];
            let inputs = names.each_ref().map(String::as_str);
            let out = (live.dtype, dims, live.nchw);
            Ok(Val::Live(cx.add("Slice", name, &inputs, [], out)))
        }
        Val::Dead | Val::Lost => Err("no input".to_owned()),
    }
}

pub(super) fn slice(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let (begin, size) = (op.ints(1)?, op.ints(2)?);
    if begin.len() != x.dims().len() || size.len() != begin.len() {
        return Err(format!("begin {begin:?} of shape {:?}", x.dims()));
    }
    let mut parts = Vec::new();
    for ((begin, size), extent) in begin.iter().zip(&size).zip(signed(x.dims())) {
        let count = if *size == -1 {
            extent.saturating_sub(*begin)
        } else {
            *size
        };
        let fits = *begin >= 0 && count >= 0 && begin.saturating_add(count) <= extent;
        let count = usize::try_from(count).ok().filter(|_| fits);
        parts.push(Part {
            begin: *begin,
            count: count.ok_or_else(|| format!("{begin} and {size} of {extent}"))?,
            step: 1,
        });
    }
    Ok(vec![taken(cx, x, &parts, op.name())?])
}

/// The masks count the given numbers, not the axes: one of them may stand for several axes, and a
/// new axis takes one without being there.
pub(super) fn strided_slice(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let x = op.input(0)?;
    let (begin, end, step) = (op.ints(1)?, op.ints(2)?, op.ints(3)?);
    let count = begin.len();
    if end.len() != count || step.len() != count || count > 32 {
        return Err("lists of different lengths".to_owned());
    }
    let bit = |name: &str, at: usize| op.int(name, 0) >> at & 1 == 1;
    let new_axes = (0..count).filter(|at| bit("new_axis_mask", *at)).count();
    let has_ellipsis = (0..count).any(|at| bit("ellipsis_mask", at));
    let named = count - new_axes - usize::from(has_ellipsis);
    let rank = x.dims().len();
    let skipped = rank
        .checked_sub(named)
        .ok_or_else(|| format!("{named} axes of shape {:?}", x.dims()))?;
    let (mut parts, mut dims) = (Vec::new(), Vec::new());
    let whole = |axis: usize| Part {
        begin: 0,
        count: x.dims().get(axis).copied().unwrap_or(0),
        step: 1,
    };
    for at in 0..count {
        if bit("ellipsis_mask", at) {
            for _ in 0..skipped {
                let part = whole(parts.len());
                dims.push(part.count);
                parts.push(part);
            }
            continue;
        }
        if bit("new_axis_mask", at) {
            dims.push(1);
            continue;
        }
        let extent = x.dims().get(parts.len()).copied().unwrap_or(0);
        let pick = |list: &[i64]| list.get(at).copied().unwrap_or(0);
        let bounds = (
            (!bit("begin_mask", at)).then(|| pick(&begin)),
            (!bit("end_mask", at)).then(|| pick(&end)),
        );
        if bit("shrink_axis_mask", at) {
            let begin = Op::axis(pick(&begin), extent)?;
            parts.push(Part {
                begin: i64::try_from(begin).map_err(|e| e.to_string())?,
                count: 1,
                step: 1,
            });
            continue;
        }
        let part = span(bounds, pick(&step), extent)?;
        dims.push(part.count);
        parts.push(part);
    }
    while parts.len() < rank {
        let part = whole(parts.len());
        dims.push(part.count);
        parts.push(part);
    }
    let part = taken(cx, x, &parts, op.name())?;
    Ok(vec![cx.reshape(&part, dims, op.name())?])
}

/// Python's slice of an axis.
fn span(bounds: (Option<i64>, Option<i64>), step: i64, extent: usize) -> Result<Part, String> {
    let extent = i64::try_from(extent).map_err(|e| e.to_string())?;
    if step == 0 {
        return Err("a step of 0".to_owned());
    }
    let (low, high) = if step > 0 {
        (0, extent)
    } else {
        (-1, extent - 1)
    };
    let place = |v: i64| {
        let v = if v < 0 { v.saturating_add(extent) } else { v };
        v.clamp(low, high)
    };
    let first = if step > 0 { low } else { high };
    let last = if step > 0 { high } else { low };
    let begin = bounds.0.map_or(first, place);
    let end = bounds.1.map_or(last, place);
    let length = if step > 0 { end - begin } else { begin - end };
    let count = if length <= 0 {
        0
    } else {
        (length - 1) / step.saturating_abs() + 1
    };
    Ok(Part {
        begin: begin.max(0),
        count: usize::try_from(count).map_err(|e| e.to_string())?,
        step,
    })
}

//! Layers that move numbers and leave them as they are.

use super::super::{
    blob::{Blob, Source, axis, image, product, signed, volume},
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope},
};
use std::sync::Arc;

/// Hands its bottom on.
pub(in super::super) fn dropout(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["dropout_ratio", "engine", "scale_train"]);
    Box::new(|scope| {
        scope.arity(1, 1)?;
        hand_on(scope)
    })
}

/// Hands its bottom on to every top.
pub(in super::super) fn split(_: &mut Params<'_>) -> Lowering {
    Box::new(|scope| {
        scope.arity(1, scope.layer.tops.len().max(1))?;
        hand_on(scope)
    })
}

fn hand_on(scope: &mut Scope<'_>) -> Result<(), Problem> {
    let Some(blob) = scope.bottoms.first().cloned() else {
        return Ok(());
    };
    for top in 0..scope.layer.tops.len() {
        scope.set(top, blob.clone())?;
    }
    Ok(())
}

/// Bottoms one behind the other along an axis.
pub(in super::super) fn concat(params: &mut Params<'_>) -> Lowering {
    let along = params.int("axis");
    let old = params.int("concat_dim");
    if along.is_some() && old.is_some() {
        params.malformed("concat_dim", "there is `axis` too");
    }
    let along = along.or(old).unwrap_or(1);
    Box::new(move |scope| {
        let count = scope.bottoms.len();
        scope.arity(count.max(1), 1)?;
        let shapes: Vec<Vec<usize>> = scope.bottoms.iter().map(|b| b.dims.clone()).collect();
        let Some(first) = shapes.first() else {
            return Err(Problem::malformed("no bottoms"));
        };
        let along = axis(along, first.len())?;
        let mut out = first.clone();
        let mut length = 0usize;
        for shape in &shapes {
            let mut other = shape.clone();
            if let (Some(theirs), Some(ours)) = (other.get_mut(along), first.get(along)) {
                length = length.saturating_add(*theirs);
                *theirs = *ours;
            }
            if &other != first {
                return Err(Problem::malformed(format!(
                    "bottoms of shapes {first:?} and {shape:?} do not fit but on axis {along}"
                )));
            }
        }
        if let Some(extent) = out.get_mut(along) {
            *extent = length;
        }
        volume(&out)?;
        if let [one] = scope.bottoms.as_slice() {
            let one = one.clone();
            return scope.set(0, one);
        }
        if let Some(blob) = constants(scope, along, &out) {
            return scope.set(0, blob);
        }
        let values = (0..count)
            .map(|at| scope.bottom(at).map(|(value, _)| value))
            .collect::<Result<Vec<_>, _>>()?;
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        scope.give(0, "Concat", &values, [("axis", (along as i64).into())], out)
    })
}

/// The bottoms as one constant, when all are constants; prior boxes stay known as such.
fn constants(scope: &Scope<'_>, along: usize, dims: &[usize]) -> Option<Blob> {
    let mut parts = Vec::new();
    for blob in &scope.bottoms {
        let Source::Constant(values) = &blob.source else {
            return None;
        };
        parts.push((values.as_slice(), product(blob.dims.get(along..)?)));
    }
    let outer = product(dims.get(..along)?);
    let mut values = Vec::with_capacity(product(dims));
    for at in 0..outer {
        for (part, length) in &parts {
            let begin = at.checked_mul(*length)?;
            values.extend_from_slice(part.get(begin..begin.checked_add(*length)?)?);
        }
    }
    let all_priors = along == 2 && scope.bottoms.iter().all(|b| !b.priors.is_empty());
    let priors = scope.bottoms.iter().flat_map(|b| b.priors.iter().cloned());
    Some(Blob {
        source: Source::Constant(Arc::new(values)),
        dims: dims.to_vec(),
        priors: if all_priors {
            priors.collect()
        } else {
            Vec::new()
        },
    })
}

/// Parts along an axis, one a top.
pub(in super::super) fn slice(params: &mut Params<'_>) -> Lowering {
    let along = params.int("axis");
    let old = params.int("slice_dim");
    if along.is_some() && old.is_some() {
        params.malformed("slice_dim", "there is `axis` too");
    }
    let along = along.or(old).unwrap_or(1);
    let points = params.counts("slice_point");
    Box::new(move |scope| {
        let tops = scope.layer.tops.len();
        scope.arity(1, tops.max(1))?;
        let (x, dims) = scope.bottom(0)?;
        let along = axis(along, dims.len())?;
        let length = dims.get(along).copied().unwrap_or(0);
        let wrong = || {
            Problem::malformed(format!(
                "{length} do not divide at {points:?} into {tops} parts"
            ))
        };
        let mut lengths = Vec::new();
        if points.is_empty() {
            let each = length
                .checked_div(tops)
                .filter(|n| *n > 0 && n * tops == length);
            lengths.resize(tops, each.ok_or_else(wrong)?);
        } else {
            let mut begin = 0;
            for &end in points.iter().chain([&length]) {
                lengths.push(
                    end.checked_sub(begin)
                        .filter(|n| *n > 0)
                        .ok_or_else(wrong)?,
                );
                begin = end;
            }
            if lengths.len() != tops {
                return Err(wrong());
            }
        }
        let shapes: Vec<Vec<usize>> = lengths
            .iter()
            .map(|&n| {
                let each = dims.iter().enumerate();
                each.map(|(at, &d)| if at == along { n } else { d })
                    .collect()
            })
            .collect();
        let sizes = scope.list("sizes", &signed(&lengths));
        scope.give_all(
            "Split",
            &[&x, &sizes],
            [("axis", (along as i64).into())],
            shapes,
        )
    })
}

/// The bottom in another shape; a constant stays one.
fn reshaped(scope: &mut Scope<'_>, dims: Vec<usize>) -> Result<(), Problem> {
    let blob = scope.bottoms.first().cloned();
    let blob = blob.ok_or_else(|| Problem::malformed("the bottom is missing"))?;
    if blob.dims == dims {
        return scope.set(0, blob);
    }
    if matches!(blob.source, Source::Constant(_)) {
        return scope.set(0, blob.shaped(dims));
    }
    let (x, _) = scope.bottom(0)?;
    let shape = scope.list("shape", &signed(&dims));
    scope.give(0, "Reshape", &[&x, &shape], [], dims)
}

/// 0 keeps an axis, −1 takes what is left; `axis` and `num_axes` say which axes are replaced.
pub(in super::super) fn reshape(params: &mut Params<'_>) -> Lowering {
    let shape = params.message("shape").map(|mut inner| {
        let dims = inner.ints("dim");
        params.close(inner);
        dims
    });
    let shape = shape.unwrap_or_default();
    let from = params.int("axis").unwrap_or(0);
    let count = params.int("num_axes").unwrap_or(-1);
    Box::new(move |scope| {
        scope.arity(1, 1)?;
        let dims = scope
            .bottoms
            .first()
            .map(|b| b.dims.clone())
            .unwrap_or_default();
        let wrong = || {
            Problem::malformed(format!(
                "a blob of shape {dims:?} does not take shape {shape:?} from axis {from} on, {count} axes"
            ))
        };
        // An axis after the last is where nothing is replaced.
        let rank = dims.len() as i64;
        let begin = if from < 0 {
            from.checked_add(rank + 1)
        } else {
            Some(from)
        };
        let begin = begin.filter(|b| (0..=rank).contains(b)).ok_or_else(wrong)?;
        let end = if count == -1 {
            Some(rank)
        } else {
            begin.checked_add(count)
        };
        let end = end
            .filter(|e| (begin..=rank).contains(e))
            .ok_or_else(wrong)?;
        let (begin, end) = (begin as usize, end as usize);
        let (before, after) = (
            dims.get(..begin).ok_or_else(wrong)?,
            dims.get(end..).ok_or_else(wrong)?,
        );
        let mut middle = Vec::new();
        let mut open = None;
        for (at, &dim) in shape.iter().enumerate() {
            match dim {
                0 => middle.push(dims.get(begin + at).copied().ok_or_else(wrong)?),
                -1 if open.is_none() => {
                    open = Some(at);
                    middle.push(1);
                }
                n => middle.push(usize::try_from(n).map_err(|_| wrong())?),
            }
        }
        let whole = volume(&dims)?;
        if let Some(at) = open {
            let known = [before, &middle, after].iter().try_fold(1usize, |n, part| {
                part.iter().try_fold(n, |n, &d| n.checked_mul(d))
            });
            let rest = known
                .filter(|&k| k > 0 && whole % k == 0)
                .ok_or_else(wrong)?;
            if let Some(dim) = middle.get_mut(at) {
                *dim = whole / rest;
            }
        }
        let out = [before, &middle, after].concat();
        if volume(&out)? != whole {
            return Err(wrong());
        }
        reshaped(scope, out)
    })
}

/// The axes from `axis` to `end_axis` become one.
pub(in super::super) fn flatten(params: &mut Params<'_>) -> Lowering {
    let from = params.int("axis").unwrap_or(1);
    let to = params.int("end_axis").unwrap_or(-1);
    Box::new(move |scope| {
        scope.arity(1, 1)?;
        let dims = scope
            .bottoms
            .first()
            .map(|b| b.dims.clone())
            .unwrap_or_default();
        let (from, to) = (axis(from, dims.len())?, axis(to, dims.len())?);
        if from > to {
            return Err(Problem::malformed(format!(
                "axes {from} to {to} of {dims:?}"
            )));
        }
        let (before, rest) = dims.split_at(from);
        let (middle, after) = rest.split_at(to - from + 1);
        let out = [before, &[product(middle)], after].concat();
        reshaped(scope, out)
    })
}

/// Axes in another order; those not named follow.
pub(in super::super) fn permute(params: &mut Params<'_>) -> Lowering {
    let order = params.counts("order");
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let mut order = order;
        order.extend(
            (0..dims.len())
                .filter(|a| !order.contains(a))
                .collect::<Vec<_>>(),
        );
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..dims.len()) {
            return Err(Problem::malformed(format!(
                "{order:?} is no order of {} axes",
                dims.len()
            )));
        }
        let out: Vec<usize> = order.iter().filter_map(|&a| dims.get(a).copied()).collect();
        scope.give(
            0,
            "Transpose",
            &[&x],
            [("perm", signed(&order).into())],
            out,
        )
    })
}

/// A part of bottom 0 that has the shape of bottom 1 from `axis` on.
pub(in super::super) fn crop(params: &mut Params<'_>) -> Lowering {
    let from = params.int("axis").unwrap_or(2);
    let offsets = params.counts("offset");
    Box::new(move |scope| {
        scope.arity(2, 1)?;
        let (x, dims) = scope.bottom(0)?;
        let wanted = scope
            .bottoms
            .get(1)
            .map(|b| b.dims.clone())
            .unwrap_or_default();
        let from = axis(from, dims.len())?;
        let cut = dims.len() - from;
        if wanted.len() != dims.len() || !(offsets.len() <= 1 || offsets.len() == cut) {
            return Err(Problem::malformed(format!(
                "{} offsets for shapes {dims:?} and {wanted:?} from axis {from} on",
                offsets.len()
            )));
        }
        let (mut starts, mut ends, mut axes) = (Vec::new(), Vec::new(), Vec::new());
        let mut out = dims.clone();
        for at in from..dims.len() {
            let offset = match offsets.as_slice() {
                [] => 0,
                &[one] => one,
                many => many.get(at - from).copied().unwrap_or(0),
            };
            let (length, whole) = (wanted.get(at).copied(), dims.get(at).copied());
            let end = length.and_then(|n| n.checked_add(offset));
            let (Some(end), Some(length), Some(whole)) = (end, length, whole) else {
                return Err(Problem::malformed("an axis is missing"));
            };
            if end > whole {
                return Err(Problem::malformed(format!(
                    "{length} from {offset} on are not in an axis of {whole}"
                )));
            }
            starts.push(offset as i64);
            ends.push(end as i64);
            axes.push(at as i64);
            if let Some(extent) = out.get_mut(at) {
                *extent = length;
            }
        }
        let lists = [("starts", &starts), ("ends", &ends), ("axes", &axes)];
        let [starts, ends, axes] = lists.map(|(name, list)| scope.list(name, list));
        scope.give(0, "Slice", &[&x, &starts, &ends, &axes], [], out)
    })
}

/// The blob `tiles` times along an axis.
pub(in super::super) fn tile(params: &mut Params<'_>) -> Lowering {
    let along = params.int("axis").unwrap_or(1);
    let tiles = params.count("tiles");
    if tiles.is_none() {
        params.malformed("tiles", "the number of tiles is missing");
    }
    let tiles = tiles.unwrap_or(1);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let along = axis(along, dims.len())?;
        let mut repeats = vec![1i64; dims.len()];
        let mut out = dims.clone();
        if let (Some(repeat), Some(extent)) = (repeats.get_mut(along), out.get_mut(along)) {
            *repeat = tiles as i64;
            *extent = extent.saturating_mul(tiles);
        }
        let repeats = scope.list("repeats", &repeats);
        scope.give(0, "Tile", &[&x, &repeats], [], out)
    })
}

/// Channels of `group` groups taken in turn.
pub(in super::super) fn shuffle_channel(params: &mut Params<'_>) -> Lowering {
    let groups = params.count("group").unwrap_or(1);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let [batch, channels, height, width] = image(&dims)?;
        let each = channels
            .checked_div(groups)
            .filter(|n| n * groups == channels);
        let each = each.ok_or_else(|| {
            Problem::malformed(format!(
                "{channels} channels do not divide into {groups} groups"
            ))
        })?;
        let (apart, turned) = (
            [batch, groups, each, height, width],
            [batch, each, groups, height, width],
        );
        let list = scope.list("apart_shape", &signed(&apart));
        let value = scope.node("Reshape", "apart", &[&x, &list], [], &apart)?;
        let order = [("perm", vec![0i64, 2, 1, 3, 4].into())];
        let value = scope.node("Transpose", "turned", &[&value], order, &turned)?;
        let list = scope.list("shape", &signed(&dims));
        scope.give(0, "Reshape", &[&value, &list], [], dims)
    })
}

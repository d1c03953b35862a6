//! Operators that put pieces together, or take pieces out.
#![expect(
    clippy::unnecessary_wraps,
    reason = "rules of the table have one signature, and some know no contradiction"
)]

use super::{
    call::{Call, Known, List},
    dimensions::{axis, same, shown},
    number::{MOST_NUMBERS, Number},
};
use dyno_core::Dimension;

/// `Concat`.
pub(super) fn concat(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let count = c.node.inputs.len();
    let dtype = (0..count).find_map(|at| c.dtype(at));
    let mut shapes = Vec::new();
    for at in 0..count {
        match c.shape(at) {
            Some(shape) => shapes.push(shape),
            None => return Ok(vec![Known::new(dtype, None)]),
        }
    }
    let [first, others @ ..] = shapes.as_slice() else {
        return Err("it has no inputs".to_owned());
    };
    let along = c.axis("axis", 1, first.len())?;
    let mut found = first.to_vec();
    let mut total = first.get(along).cloned().unwrap_or(Dimension::Unknown);
    for other in others {
        if other.len() != found.len() {
            let (a, b) = (shown(first), shown(other));
            return Err(format!("shapes {a} and {b} along axis {along}"));
        }
        total = match (&total, other.get(along)) {
            (Dimension::Fixed(a), Some(Dimension::Fixed(b))) => {
                Dimension::Fixed(a.checked_add(*b).ok_or("too many elements")?)
            }
            _ => Dimension::Unknown,
        };
        for (at, (d, o)) in found.iter_mut().zip(*other).enumerate() {
            if at != along {
                *d = same(d, o).map_err(|_| {
                    let (a, b) = (shown(first), shown(other));
                    format!("shapes {a} and {b} differ in axis {at}, not only in {along}")
                })?;
            }
        }
    }
    if let Some(d) = found.get_mut(along) {
        *d = total;
    }
    let mut numbers = (found.len() == 1).then(Vec::new);
    for at in 0..count {
        numbers = match (numbers, c.numbers(at)) {
            (Some(mut all), Some(part)) if all.len() + part.len() <= MOST_NUMBERS => {
                all.extend_from_slice(part);
                Some(all)
            }
            _ => None,
        };
    }
    Ok(vec![Known::new(dtype, Some(found)).with_numbers(numbers)])
}

/// `Split`: sizes are an attribute before operator set 13, then an input; by default equal parts.
pub(super) fn split(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let parts = c.node.outputs.len();
    let dtype = c.dtype(0);
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(dtype, None); parts]);
    };
    let along = c.axis("axis", 0, shape.len())?;
    let whole = shape.get(along).cloned().unwrap_or(Dimension::Unknown);
    let sizes: Vec<Dimension> = match (c.list("split", 1), &whole) {
        (List::Known(sizes), whole) => {
            let sizes = sizes
                .iter()
                .map(|&n| Number::Int(n).dimension())
                .collect::<Result<Vec<_>, _>>()?;
            let sum = sizes.iter().try_fold(0usize, |sum, d| match d {
                Dimension::Fixed(n) => sum.checked_add(*n),
                _ => None,
            });
            match whole {
                Dimension::Fixed(n) if sum != Some(*n) => {
                    let (parts, shape) = (shown(&sizes), shown(shape));
                    return Err(format!("parts {parts} of axis {along} of shape {shape}"));
                }
                _ => sizes,
            }
        }
        (List::Absent, Dimension::Fixed(n)) => equal_parts(c, *n, parts)?,
        (List::Absent, whole) if parts == 1 => vec![whole.clone()],
        (List::Absent | List::Unknown, _) => vec![Dimension::Unknown; parts],
    };
    if sizes.len() != parts {
        return Err(format!("{} sizes for {parts} outputs", sizes.len()));
    }
    let mut from = 0;
    let found = sizes.into_iter().map(|size| {
        let mut part = shape.to_vec();
        let numbers = match (&size, c.numbers(0)) {
            (Dimension::Fixed(n), Some(all)) => {
                let taken = all.get(from..from + n).map(<[_]>::to_vec);
                from += n;
                taken
            }
            _ => None,
        };
        if let Some(d) = part.get_mut(along) {
            *d = size;
        }
        Known::new(dtype, Some(part)).with_numbers(numbers)
    });
    Ok(found.collect())
}

/// Parts of equal size; from operator set 18 on the last may be smaller.
fn equal_parts(c: &Call<'_>, whole: usize, parts: usize) -> Result<Vec<Dimension>, String> {
    let parts = parts.max(1);
    if whole.is_multiple_of(parts) {
        return Ok(vec![Dimension::Fixed(whole / parts); parts]);
    }
    if c.opset < 18 {
        return Err(format!("{whole} elements in {parts} equal parts"));
    }
    let size = whole.div_ceil(parts);
    let sizes = (0..parts).map(|at| whole.saturating_sub(at * size).min(size));
    Ok(sizes.map(Dimension::Fixed).collect())
}

/// Which elements of an axis of `size` a slice takes: the first, how many, and the step.
fn taken(size: usize, start: i64, end: i64, step: i64) -> Option<(i128, usize)> {
    let size = i128::try_from(size).ok()?;
    let from_start = |at: i64| {
        let at = i128::from(at);
        if at < 0 { at + size } else { at }
    };
    let step = i128::from(step);
    let (start, end) = if step > 0 {
        (
            from_start(start).clamp(0, size),
            from_start(end).clamp(0, size),
        )
    } else {
        let last = size - 1;
        (
            from_start(start).clamp(-1, last),
            from_start(end).clamp(-1, last),
        )
    };
    let span = if step > 0 { end - start } else { start - end };
    let step = step.abs();
    let count = if span > 0 {
        (span + step - 1) / step
    } else {
        0
    };
    Some((start, usize::try_from(count).ok()?))
}

/// `Slice`: starts, ends and axes are attributes before operator set 10, then inputs.
pub(super) fn slice(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0);
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(dtype, None)]);
    };
    let open = |shape: &[Dimension]| vec![Dimension::Unknown; shape.len()];
    let (starts, ends) = (c.list("starts", 1), c.list("ends", 2));
    let axes = match c.list("axes", 3) {
        List::Known(axes) => axes,
        List::Absent => match (&starts, c.shape(1)) {
            (List::Known(s), _) => (0..s.len() as i64).collect(),
            (_, Some([Dimension::Fixed(n)])) => (0..(*n).min(shape.len()) as i64).collect(),
            _ => return Ok(vec![Known::new(dtype, Some(open(shape)))]),
        },
        List::Unknown => return Ok(vec![Known::new(dtype, Some(open(shape)))]),
    };
    let steps = match c.list("steps", 4) {
        List::Known(steps) => steps,
        List::Absent => vec![1; axes.len()],
        List::Unknown => Vec::new(),
    };
    let mut found = shape.to_vec();
    let mut numbers = c.numbers(0).map(<[_]>::to_vec);
    for (at, &stated) in axes.iter().enumerate() {
        let along = axis(stated, shape.len())?;
        let each = |list: &List| match list {
            List::Known(l) => l.get(at).copied(),
            List::Absent | List::Unknown => None,
        };
        let bounds = (each(&starts), each(&ends), steps.get(at).copied());
        let Some(d) = found.get_mut(along) else {
            continue;
        };
        let whole = d.clone();
        *d = match (bounds, whole) {
            ((_, _, Some(0)), _) => return Err("a step of 0".to_owned()),
            ((Some(start), Some(end), Some(step)), Dimension::Fixed(size)) => {
                let (first, count) =
                    taken(size, start, end, step).ok_or("an axis that is too long")?;
                numbers = numbers.and_then(|all| {
                    let each = (0..count as i128).map(|n| {
                        let at = usize::try_from(first + n * i128::from(step)).ok()?;
                        all.get(at).cloned()
                    });
                    each.collect()
                });
                Dimension::Fixed(count)
            }
            // All of an axis, however long it is.
            ((Some(0), Some(end), Some(1)), whole) if end >= i64::from(i32::MAX) => whole,
            _ => {
                numbers = None;
                Dimension::Unknown
            }
        };
    }
    Ok(vec![Known::new(dtype, Some(found)).with_numbers(numbers)])
}

/// `Gather`: indices in place of an axis.
pub(super) fn gather(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0);
    let (Some(data), Some(indices)) = (c.shape(0), c.shape(1)) else {
        return Ok(vec![Known::new(dtype, None)]);
    };
    let along = c.axis("axis", 0, data.len())?;
    let before = data.iter().take(along);
    let behind = data.iter().skip(along + 1);
    let found = before.chain(indices).chain(behind).cloned().collect();
    let numbers = match (c.numbers(0), c.integers(1)) {
        (Some(all), Some(at)) if data.len() == 1 => {
            let each = at.iter().map(|&i| {
                let at = axis(i, all.len())?;
                Ok(all.get(at).cloned().unwrap_or(Number::Unknown))
            });
            Some(each.collect::<Result<Vec<_>, String>>()?)
        }
        _ => None,
    };
    Ok(vec![Known::new(dtype, Some(found)).with_numbers(numbers)])
}

/// `GatherElements`: one element an index.
pub(super) fn gather_elements(c: &Call<'_>) -> Result<Vec<Known>, String> {
    Ok(vec![Known::new(c.dtype(0), c.like(1).shape)])
}

/// `GatherND`: the last axis of the indices counts axes of the data.
pub(super) fn gather_nd(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let unknown = Known::new(c.dtype(0), None);
    let batch = usize::try_from(c.int("batch_dims", 0)).unwrap_or(0);
    let (Some(data), Some([head @ .., Dimension::Fixed(depth)])) = (c.shape(0), c.shape(1)) else {
        return Ok(vec![unknown]);
    };
    let gone = batch.saturating_add(*depth);
    if gone > data.len() {
        return Err(format!("indices of {depth} axes for shape {}", shown(data)));
    }
    let shape = head.iter().chain(data.iter().skip(gone)).cloned().collect();
    Ok(vec![Known::new(c.dtype(0), Some(shape))])
}

/// `Pad`: before and behind each axis; an attribute before operator set 11, then an input.
pub(super) fn pad(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0);
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(dtype, None)]);
    };
    let name = if c.node.ints("paddings").is_some() {
        "paddings"
    } else {
        "pads"
    };
    let (List::Known(pads), axes) = (c.list(name, 1), c.list("axes", 3)) else {
        let open = vec![Dimension::Unknown; shape.len()];
        return Ok(vec![Known::new(dtype, Some(open))]);
    };
    let axes = match axes {
        List::Known(axes) => axes,
        List::Absent => (0..shape.len() as i64).collect(),
        List::Unknown => {
            let open = vec![Dimension::Unknown; shape.len()];
            return Ok(vec![Known::new(dtype, Some(open))]);
        }
    };
    if pads.len() != 2 * axes.len() {
        let (pads, axes) = (pads.len(), axes.len());
        return Err(format!(
            "{pads} pads for {axes} axes of shape {}",
            shown(shape)
        ));
    }
    let (before, behind) = pads.split_at(axes.len());
    let mut found = shape.to_vec();
    for (&stated, (&a, &b)) in axes.iter().zip(before.iter().zip(behind)) {
        let Some(d) = found.get_mut(axis(stated, shape.len())?) else {
            continue;
        };
        *d = match &*d {
            Dimension::Fixed(n) => {
                let size = *n as i128 + i128::from(a) + i128::from(b);
                let size = usize::try_from(size);
                Dimension::Fixed(size.map_err(|_| format!("pads {a} and {b} around {n}"))?)
            }
            open if a == 0 && b == 0 => open.clone(),
            _ => Dimension::Unknown,
        };
    }
    Ok(vec![Known::new(dtype, Some(found))])
}

/// `OneHot`: an axis as long as the second input says.
pub(super) fn one_hot(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(2);
    let Some(indices) = c.shape(0) else {
        return Ok(vec![Known::new(dtype, None)]);
    };
    let depth = match c.numbers(1) {
        Some([depth]) => super::number::truncated(depth).dimension()?,
        _ => Dimension::Unknown,
    };
    let mut found = indices.to_vec();
    let at = axis(c.int("axis", -1), indices.len() + 1)?;
    found.insert(at, depth);
    Ok(vec![Known::new(dtype, Some(found))])
}

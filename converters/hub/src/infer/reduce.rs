//! Reductions along axes, and the largest elements.

use super::{
    call::{Call, Known, List, axes_of},
    dimensions::axis,
};
use crate::graph::ElementType;
use dyno_core::Dimension;

/// `shape` with `axes` reduced to 1, or left out.
fn reduced(shape: &[Dimension], axes: &[usize], keep: bool) -> Vec<Dimension> {
    let all = shape.iter().enumerate();
    all.filter_map(|(at, d)| match (axes.contains(&at), keep) {
        (false, _) => Some(d.clone()),
        (true, true) => Some(Dimension::Fixed(1)),
        (true, false) => None,
    })
    .collect()
}

/// `ReduceMean` and its like: axes are an attribute, or the second input.
pub(super) fn reduce(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0);
    let keep = c.int("keepdims", 1) != 0;
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(dtype, None)]);
    };
    let found = match c.list("axes", 1) {
        List::Unknown if keep => Some(vec![Dimension::Unknown; shape.len()]),
        List::Unknown => None,
        List::Known(axes) if !axes.is_empty() => {
            Some(reduced(shape, &axes_of(&axes, shape.len())?, keep))
        }
        List::Absent | List::Known(_) if c.int("noop_with_empty_axes", 0) != 0 => {
            Some(shape.to_vec())
        }
        List::Absent | List::Known(_) => {
            let all: Vec<usize> = (0..shape.len()).collect();
            Some(reduced(shape, &all, keep))
        }
    };
    Ok(vec![Known::new(dtype, found)])
}

/// `ArgMax`, `ArgMin`.
pub(super) fn arg(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut found = None;
    if let Some(shape) = c.shape(0) {
        let axis = c.axis("axis", 0, shape.len())?;
        found = Some(reduced(shape, &[axis], c.int("keepdims", 1) != 0));
    }
    Ok(vec![Known::new(Some(ElementType::I64), found)])
}

/// `TopK`: values and indices; the count is an attribute before operator set 10, then an input.
pub(super) fn top_k(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut found = None;
    if let Some(shape) = c.shape(0) {
        let mut axes = shape.to_vec();
        let at = axis(c.int("axis", -1), axes.len())?;
        let count = match c.list("k", 1) {
            List::Known(k) => match k.as_slice() {
                [k] => Dimension::Fixed(
                    usize::try_from(*k).map_err(|_| format!("the largest {k} elements"))?,
                ),
                other => return Err(format!("a count of {other:?}")),
            },
            List::Absent | List::Unknown => Dimension::Unknown,
        };
        if let Some(d) = axes.get_mut(at) {
            *d = count;
        }
        found = Some(axes);
    }
    Ok(vec![
        Known::new(c.dtype(0), found.clone()),
        Known::new(Some(ElementType::I64), found),
    ])
}

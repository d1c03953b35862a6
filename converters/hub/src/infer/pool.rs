//! Pools, and the inverse of one.
#![expect(
    clippy::unnecessary_wraps,
    reason = "rules of the table have one signature, and some know no contradiction"
)]

use super::{
    call::{Call, Known},
    dimensions::shown,
    window::Window,
};
use crate::graph::ElementType;
use dyno_core::Dimension;

fn window(c: &Call<'_>) -> Result<Window, String> {
    let kernel = c.node.ints("kernel_shape").unwrap_or_default();
    if kernel.is_empty() || kernel.iter().any(|&k| k < 1) {
        return Err(format!("`kernel_shape` is {kernel:?}"));
    }
    Window::of(c, kernel.iter().map(|&k| Some(k)).collect())
}

/// Axes behind batch and channels, as many as the window has.
fn spatial<'a>(
    shape: &'a [Dimension],
    window: &Window,
) -> Result<(&'a [Dimension], &'a [Dimension]), String> {
    match shape.split_at_checked(2) {
        Some((head, spatial)) if spatial.len() == window.kernel.len() => Ok((head, spatial)),
        _ => Err(format!(
            "a window of {} axes for an input of shape {}",
            window.kernel.len(),
            shown(shape)
        )),
    }
}

/// `MaxPool`, `AveragePool`, `LpPool`; the second output of the first are indices.
pub(super) fn pool(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let window = window(c)?;
    let mut shape = None;
    if let Some(input) = c.shape(0) {
        let (head, spatial) = spatial(input, &window)?;
        let mut found = head.to_vec();
        for (axis, size) in spatial.iter().enumerate() {
            found.push(window.count(axis, size)?);
        }
        shape = Some(found);
    }
    Ok(vec![
        Known::new(c.dtype(0), shape.clone()),
        Known::new(Some(ElementType::I64), shape),
    ])
}

/// Pools over all of the spatial axes.
pub(super) fn global(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = c.shape(0).map(|s| {
        let axes = s.iter().enumerate();
        axes.map(|(at, d)| {
            if at < 2 {
                d.clone()
            } else {
                Dimension::Fixed(1)
            }
        })
        .collect()
    });
    Ok(vec![Known::new(c.dtype(0), shape)])
}

/// `MaxUnpool`: the third input states the shape.
pub(super) fn max_unpool(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let window = window(c)?;
    let Some(input) = c.shape(0) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let (head, spatial) = spatial(input, &window)?;
    let shape = match (c.has(2), c.numbers(2)) {
        (true, Some(stated)) => stated
            .iter()
            .map(super::number::Number::dimension)
            .collect::<Result<_, _>>()?,
        (true, None) => vec![Dimension::Unknown; input.len()],
        (false, _) => {
            let mut found = head.to_vec();
            for (axis, count) in spatial.iter().enumerate() {
                found.push(window.spread(axis, count, 0)?);
            }
            found
        }
    };
    Ok(vec![Known::new(c.dtype(0), Some(shape))])
}

//! Boxes, regions and grids.
#![expect(
    clippy::unnecessary_wraps,
    reason = "rules of the table have one signature, and some know no contradiction"
)]

use super::{
    call::{Call, Known},
    dimensions::shown,
};
use crate::graph::ElementType;
use dyno_core::Dimension;

fn size(n: i64) -> Dimension {
    usize::try_from(n).map_or(Dimension::Unknown, Dimension::Fixed)
}

/// `NonMaxSuppression`: one row a kept box.
pub(super) fn non_max_suppression(_: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = vec![Dimension::Unknown, Dimension::Fixed(3)];
    Ok(vec![Known::new(Some(ElementType::I64), Some(shape))])
}

/// `NonZero`: one column an element.
pub(super) fn non_zero(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let axes = c
        .shape(0)
        .map_or(Dimension::Unknown, |s| Dimension::Fixed(s.len()));
    let shape = vec![axes, Dimension::Unknown];
    Ok(vec![Known::new(Some(ElementType::I64), Some(shape))])
}

/// Number of rows of input `at`.
fn rows(c: &Call<'_>, at: usize) -> Dimension {
    let shape = c.shape(at).unwrap_or_default();
    shape.first().cloned().unwrap_or(Dimension::Unknown)
}

/// Channels of the first input.
fn channels(c: &Call<'_>) -> Result<Dimension, String> {
    match c.shape(0) {
        None => Ok(Dimension::Unknown),
        Some([_, channels, _, _]) => Ok(channels.clone()),
        Some(other) => Err(format!("an input of shape {}", shown(other))),
    }
}

/// `RoiAlign`.
pub(super) fn roi_align(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = vec![
        rows(c, 1),
        channels(c)?,
        size(c.int("output_height", 1)),
        size(c.int("output_width", 1)),
    ];
    Ok(vec![Known::new(c.dtype(0), Some(shape))])
}

/// `MaxRoiPool`.
pub(super) fn max_roi_pool(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut shape = vec![rows(c, 1), channels(c)?];
    let pooled = c.node.ints("pooled_shape").unwrap_or_default();
    shape.extend(pooled.iter().map(|&n| size(n)));
    Ok(vec![Known::new(c.dtype(0), Some(shape))])
}

/// `GridSample`: batch and channels of the input, the rest of the grid.
pub(super) fn grid_sample(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let (Some(input), Some(grid)) = (c.shape(0), c.shape(1)) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    if input.len() < 3 || input.len() != grid.len() {
        let (input, grid) = (shown(input), shown(grid));
        return Err(format!("a grid {grid} for an input {input}"));
    }
    let head = input.iter().take(2);
    let spatial = grid.iter().skip(1).take(input.len() - 2);
    let shape = head.chain(spatial).cloned().collect();
    Ok(vec![Known::new(c.dtype(0), Some(shape))])
}

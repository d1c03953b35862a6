//! `Resize` and its forerunner `Upsample`.

use super::{
    call::{Call, Known, axes_of},
    dimensions::shown,
    number::Number,
};
use dyno_core::Dimension;

/// Sizes times scales, rounded down.
fn scaled(shape: &[Dimension], scales: &[f64], axes: &[usize]) -> Result<Vec<Dimension>, String> {
    if scales.len() != axes.len() {
        return Err(format!(
            "{} scales for {} axes of shape {}",
            scales.len(),
            axes.len(),
            shown(shape)
        ));
    }
    let mut found = shape.to_vec();
    for (&axis, &scale) in axes.iter().zip(scales) {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(format!("a scale of {scale}"));
        }
        let Some(d) = found.get_mut(axis) else {
            continue;
        };
        *d = match &*d {
            // Scales are f32 in the file: the product is one of f32.
            Dimension::Fixed(n) => {
                let size = (*n as f32 * scale as f32).floor();
                if size < 9e15 {
                    Dimension::Fixed(size as usize)
                } else {
                    Dimension::Unknown
                }
            }
            open if scale.to_bits() == 1f64.to_bits() => open.clone(),
            _ => Dimension::Unknown,
        };
    }
    Ok(found)
}

/// `Upsample`: scales are an attribute before operator set 9, then an input.
pub(super) fn upsample(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let scales = match c.node.attributes.get("scales") {
        Some(crate::graph::Attribute::Floats(scales)) => {
            Some(scales.iter().map(|&s| f64::from(s)).collect())
        }
        _ => c.reals(1),
    };
    by_scales(c, scales, None)
}

fn by_scales(
    c: &Call<'_>,
    scales: Option<Vec<f64>>,
    axes: Option<Vec<usize>>,
) -> Result<Vec<Known>, String> {
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let axes = axes.unwrap_or_else(|| (0..shape.len()).collect());
    let found = match scales {
        Some(scales) => scaled(shape, &scales, &axes)?,
        None => vec![Dimension::Unknown; shape.len()],
    };
    Ok(vec![Known::new(c.dtype(0), Some(found))])
}

/// `Resize`: to sizes (input 3) or by scales (input 2, before operator set 11 input 1).
pub(super) fn resize(c: &Call<'_>) -> Result<Vec<Known>, String> {
    if c.opset < 11 {
        return by_scales(c, c.reals(1), None);
    }
    let Some(shape) = c.shape(0) else {
        return Ok(vec![Known::new(c.dtype(0), None)]);
    };
    let unknown = || {
        vec![Known::new(
            c.dtype(0),
            Some(vec![Dimension::Unknown; shape.len()]),
        )]
    };
    let axes = match c.node.ints("axes") {
        Some(stated) => {
            // Sizes and scales stand in the order of the axes.
            if stated.windows(2).any(|pair| pair[0] >= pair[1]) {
                return Ok(unknown());
            }
            axes_of(stated, shape.len())?
        }
        None => (0..shape.len()).collect(),
    };
    let stretched = matches!(
        c.node.text("keep_aspect_ratio_policy"),
        None | Some("stretch")
    );
    // An empty list of sizes or scales is none.
    let some = |at: usize| c.has(at) && c.shape(at) != Some(&[Dimension::Fixed(0)]);
    if some(3) {
        let Some(sizes) = c.numbers(3).filter(|_| stretched) else {
            return Ok(unknown());
        };
        if sizes.len() != axes.len() {
            return Err(format!(
                "{} sizes for {} axes of shape {}",
                sizes.len(),
                axes.len(),
                shown(shape)
            ));
        }
        let mut found = shape.to_vec();
        for (&axis, size) in axes.iter().zip(sizes) {
            if let Some(d) = found.get_mut(axis) {
                *d = Number::dimension(size)?;
            }
        }
        return Ok(vec![Known::new(c.dtype(0), Some(found))]);
    }
    if c.node.text("coordinate_transformation_mode") == Some("tf_crop_and_resize") {
        return Ok(unknown());
    }
    by_scales(c, c.reals(2), Some(axes))
}

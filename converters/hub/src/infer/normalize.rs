//! Normalizations with more outputs than one.

use super::call::{Call, Known};
use dyno_core::Dimension;

/// `BatchNormalization`: mean and variance have one element a channel.
pub(super) fn batch(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let channels = c.shape(0).and_then(|s| s.get(1));
    for at in 1..5 {
        let (Some(Dimension::Fixed(channels)), Some([Dimension::Fixed(n)])) =
            (channels, c.shape(at))
        else {
            continue;
        };
        if channels != n {
            return Err(format!(
                "{n} parameters (input {at}) for {channels} channels"
            ));
        }
    }
    let mut found = vec![c.like(0)];
    for _ in 1..c.node.outputs.len() {
        let dtype = c.dtype(3).or(c.dtype(0));
        found.push(Known::new(dtype, channels.map(|d| vec![d.clone()])));
    }
    Ok(found)
}

/// `LayerNormalization`: mean and inverse deviation have size 1 from `axis` on.
pub(super) fn layer(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let mut reduced = None;
    if let Some(shape) = c.shape(0) {
        let axis = c.axis("axis", -1, shape.len())?;
        let axes = shape.iter().enumerate();
        reduced = Some(
            axes.map(|(at, d)| {
                if at < axis {
                    d.clone()
                } else {
                    Dimension::Fixed(1)
                }
            })
            .collect(),
        );
    }
    let statistic = Known::new(Some(crate::graph::ElementType::F32), reduced);
    Ok(vec![c.like(0), statistic.clone(), statistic])
}

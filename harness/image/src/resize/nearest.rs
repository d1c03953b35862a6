//! OpenCV's `INTER_NEAREST`: the pixel at `floor(x * scale)`.

use super::axis::{Axis, clamp};
use crate::image::{CHANNELS, Target, View};

/// Source position of each destination position.
pub(crate) fn positions(axis: Axis) -> Vec<u32> {
    (0..axis.target)
        .map(|index| clamp((f64::from(index) * axis.scale).floor() as i64, axis.source))
        .collect()
}

/// Resamples `source` to `target`.
pub(crate) fn resize(source: View<'_>, x: &[u32], y: &[u32], target: &mut Target<'_>) {
    for (index, row) in (0..target.height).zip(y) {
        let pixels = source.row(*row);
        for (out, column) in target.row(index).chunks_exact_mut(CHANNELS).zip(x) {
            let at = *column as usize * CHANNELS;
            out.copy_from_slice(&pixels[at..at + CHANNELS]);
        }
    }
}

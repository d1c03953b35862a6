//! OpenCV's `INTER_AREA` when both axes shrink: the mean of the covered pixels.
//!
//! Ratios that are whole numbers on both axes are summed as integers; 2 x 2 rounds half up, other
//! ratios multiply by the reciprocal in f32 and round half to even. Other ratios weight the covered
//! parts in f32, first along rows, then down, in OpenCV's order of addition.

use super::axis::Axis;
use crate::image::{CHANNELS, Target, View};

/// Parts of a pixel below this are not counted.
const SLIVER: f64 = 1e-3;

/// Weighted source positions of all destination positions, in order.
pub(crate) type Shares = Vec<Share>;

/// One source position that one destination position covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    source: u32,
    target: u32,
    weight: f32,
}

/// Row buffers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    row: Vec<f32>,
    sum: Vec<f32>,
    counts: Vec<u32>,
}

/// What each destination position covers.
pub(crate) fn shares(axis: Axis) -> Shares {
    let len = f64::from(axis.source);
    let mut shares = Vec::new();
    for target in 0..axis.target {
        let start = f64::from(target) * axis.scale;
        let end = start + axis.scale;
        let cell = axis.scale.min(len - start);
        let last = end.floor().min(len - 1.0);
        let first = start.ceil().min(last);
        let mut push = |source: f64, weight: f64| {
            if source >= 0.0 && source < len {
                shares.push(Share {
                    source: source as u32,
                    target,
                    weight: weight as f32,
                });
            }
        };
        if first - start > SLIVER {
            push(first - 1.0, (first - start) / cell);
        }
        for source in first as i64..last as i64 {
            push(source as f64, 1.0 / cell);
        }
        if end - last > SLIVER {
            push(last, (end - last).min(1.0).min(cell) / cell);
        }
    }
    shares
}

/// Resamples by any ratio.
pub(crate) fn resize(
    source: View<'_>,
    x: &[Share],
    y: &[Share],
    scratch: &mut Scratch,
    target: &mut Target<'_>,
) {
    let len = target.width as usize * CHANNELS;
    let Scratch { row, sum, .. } = scratch;
    row.resize(len, 0.0);
    sum.clear();
    sum.resize(len, 0.0);
    for (index, share) in y.iter().enumerate() {
        horizontal(source.row(share.source), x, row);
        let first = index == 0 || y[index - 1].target != share.target;
        if first {
            for (sum, value) in sum.iter_mut().zip(&*row) {
                *sum = share.weight * value;
            }
        } else {
            for (sum, value) in sum.iter_mut().zip(&*row) {
                *sum += share.weight * value;
            }
        }
        if y.get(index + 1)
            .is_none_or(|next| next.target != share.target)
        {
            for (out, sum) in target.row(share.target).iter_mut().zip(&*sum) {
                *out = round(*sum);
            }
        }
    }
}

/// Half to even, limited to a byte.
fn round(value: f32) -> u8 {
    value.round_ties_even() as u8
}

fn horizontal(pixels: &[u8], shares: &[Share], out: &mut [f32]) {
    out.fill(0.0);
    for share in shares {
        let from = share.source as usize * CHANNELS;
        let to = share.target as usize * CHANNELS;
        for (out, value) in out[to..to + CHANNELS]
            .iter_mut()
            .zip(&pixels[from..from + CHANNELS])
        {
            *out += f32::from(*value) * share.weight;
        }
    }
}

/// Resamples by whole ratios. Where the extents come from a rounded factor, the last cells may
/// reach over the edge: they average what is inside.
pub(crate) fn resize_whole(
    source: View<'_>,
    ratio: [u32; 2],
    scratch: &mut Scratch,
    target: &mut Target<'_>,
) {
    let [rx, ry] = ratio;
    let whole_columns = (source.width() / rx).min(target.width);
    let counts = &mut scratch.counts;
    counts.resize(target.width as usize * CHANNELS, 0);
    let scale = 1.0 / (rx * ry) as f32;
    for index in 0..target.height {
        let top = u64::from(index) * u64::from(ry);
        let bottom = top + u64::from(ry);
        let out = target.row(index);
        if top >= u64::from(source.height()) {
            out.fill(0);
            continue;
        }
        counts.fill(0);
        let rows = top as u32..bottom.min(u64::from(source.height())) as u32;
        for row in rows.clone() {
            let pixels = source.row(row);
            for (cell, sums) in pixels
                .chunks(rx as usize * CHANNELS)
                .zip(counts.chunks_exact_mut(CHANNELS))
            {
                for pixel in cell.chunks_exact(CHANNELS) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum = sum.wrapping_add(u32::from(*value));
                    }
                }
            }
        }
        let complete = bottom <= u64::from(source.height());
        for (column, (out, sums)) in (0u32..).zip(
            out.chunks_exact_mut(CHANNELS)
                .zip(counts.chunks_exact(CHANNELS)),
        ) {
            let inside = u64::from(source.width())
                .saturating_sub(u64::from(column) * u64::from(rx))
                .min(u64::from(rx)) as u32
                * rows.len() as u32;
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if complete && column < whole_columns {
                    if ratio == [2, 2] {
                        ((sum + 2) >> 2) as u8
                    } else {
                        round(*sum as f32 * scale)
                    }
                } else if inside == 0 {
                    0
                } else {
                    round(*sum as f32 / inside as f32)
                };
            }
        }
    }
}

//! OpenCV's `warpPerspective` with `INTER_LINEAR` and a constant border for a matrix that only
//! scales and shifts.
//!
//! Positions are rounded to 1/32 of a pixel; with such a matrix the columns' positions do not
//! depend on the row, and 5 + 5 bits of weight are exact in integers, so rows and columns separate
//! without changing a bit.

use super::axis::two_rows;
use crate::image::{CHANNELS, Target, View};

/// Steps of a pixel.
const STEPS: i64 = 32;
/// Pixels and highest rows of the blocks that OpenCV works in. Columns are computed from their
/// block's first; the order of additions shows in exact halves.
const BLOCK: [u32; 2] = [1024, 16];

/// First source position and 32nds towards the second, for each destination position.
#[derive(Debug, Clone, Copy)]
struct Tap {
    first: i64,
    fraction: i16,
}

/// Row buffers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    columns: Vec<Tap>,
    rows: [Vec<i16>; 2],
}

/// The matrix `[[scale, 0, x], [0, scale, y], [0, 0, 1]]`, from source to destination.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix {
    pub(crate) scale: f64,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Rounds a position to 32nds as a 32-bit integer, with limits like OpenCV's.
fn tap(position: f64) -> Tap {
    let rounded = position
        .clamp(f64::from(i32::MIN), f64::from(i32::MAX))
        .round_ties_even() as i64;
    Tap {
        first: rounded.div_euclid(STEPS),
        fraction: rounded.rem_euclid(STEPS) as i16,
    }
}

/// Warps `source` into `target`.
pub(crate) fn letterbox(
    source: View<'_>,
    matrix: Matrix,
    border: [u8; CHANNELS],
    scratch: &mut Scratch,
    target: &mut Target<'_>,
) {
    // The inverse by cofactors, in f64 as OpenCV does it: the last element need not be exactly one.
    let Matrix { scale, x, y } = matrix;
    let reciprocal = 1.0 / (scale * scale);
    let (step, base_x, base_y, depth) = (
        scale * reciprocal,
        -(x * scale) * reciprocal,
        -(scale * y) * reciprocal,
        (scale * scale) * reciprocal,
    );
    let steps = STEPS as f64 / depth;

    let Scratch { columns, rows } = scratch;
    let block = BLOCK[0] / target.height.clamp(1, BLOCK[1]);
    columns.clear();
    columns.extend((0..target.width).map(|column| {
        let within = column % block;
        tap((step * f64::from(column - within) + base_x + step * f64::from(within)) * steps)
    }));
    for row in rows.iter_mut() {
        row.resize(target.width as usize * CHANNELS, 0);
    }
    // Rows outside the image share one tag: all of them are border.
    let outside = source.height();
    let tag = |row: i64| {
        u32::try_from(row)
            .ok()
            .filter(|row| *row < outside)
            .unwrap_or(outside)
    };
    let mut tags = [None, None];
    for index in 0..target.height {
        let position = tap((step * f64::from(index) + base_y) * steps);
        let wanted = [tag(position.first), tag(position.first + 1)];
        let [first, second] = two_rows(rows, &mut tags, wanted, |row, buffer| {
            if row == outside {
                for pixel in buffer.chunks_exact_mut(CHANNELS) {
                    for (out, value) in pixel.iter_mut().zip(border) {
                        *out = i16::from(value) * STEPS as i16;
                    }
                }
            } else {
                horizontal(source.row(row), columns, border, buffer);
            }
        });
        let lower = i32::from(position.fraction);
        let upper = STEPS as i32 - lower;
        for ((out, a), b) in target
            .row(index)
            .iter_mut()
            .zip(&rows[first])
            .zip(&rows[second])
        {
            *out = ((i32::from(*a) * upper + i32::from(*b) * lower + 512) >> 10) as u8;
        }
    }
}

fn horizontal(pixels: &[u8], columns: &[Tap], border: [u8; CHANNELS], out: &mut [i16]) {
    let pixel = |position: i64| -> [u8; CHANNELS] {
        let at = usize::try_from(position)
            .ok()
            .and_then(|p| p.checked_mul(CHANNELS));
        at.and_then(|at| pixels.get(at..at.checked_add(CHANNELS)?)?.try_into().ok())
            .unwrap_or(border)
    };
    for (out, tap) in out.chunks_exact_mut(CHANNELS).zip(columns) {
        let (left, right) = (pixel(tap.first), pixel(tap.first + 1));
        for channel in 0..CHANNELS {
            out[channel] = i16::from(left[channel]) * (STEPS as i16 - tap.fraction)
                + i16::from(right[channel]) * tap.fraction;
        }
    }
}

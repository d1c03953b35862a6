//! OpenCV's `INTER_LINEAR` on bytes: two taps, no antialiasing, weights of 11 bits, intermediate
//! values cut to 15 bits between the passes.
//!
//! The same passes serve `INTER_AREA` when an axis grows, with other weights ([`area_up`]).

use super::axis::{Axis, clamp, two_rows};
use crate::image::{CHANNELS, Target, View};

/// One in the weights' fixed point.
const ONE: f32 = 2048.0;

/// Two taps for each destination position.
#[derive(Debug)]
pub(crate) struct Taps {
    /// Horizontal use: byte offset of the first of two neighbouring source pixels.
    offsets: Vec<usize>,
    /// Horizontal use: the weights of both, once for each channel.
    weights: [Vec<i16>; 2],
    /// Vertical use: the two source rows, and their weights.
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    sources: [u32; 2],
    weights: [i16; 2],
}

/// Row buffers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    rows: [Vec<i16>; 2],
    padded: Vec<u8>,
    pairs: [Vec<u8>; 2],
}

fn fixed(fraction: f32) -> [i16; 2] {
    [
        ((1.0 - fraction) * ONE).round_ties_even() as i16,
        (fraction * ONE).round_ties_even() as i16,
    ]
}

/// Taps from the position and fraction of each destination pixel. Horizontally a position outside
/// reads the edge alone; vertically both taps are limited to the image and keep their weights,
/// whose double rounding shows.
fn taps(axis: Axis, position: impl Fn(u32) -> (i64, f32)) -> Taps {
    let mut taps = Taps {
        offsets: Vec::new(),
        weights: [Vec::new(), Vec::new()],
        rows: Vec::with_capacity(axis.target as usize),
    };
    let last = i64::from(axis.source) - 1;
    for index in 0..axis.target {
        let (start, fraction) = position(index);
        // The last pixel is read as the second tap of its left neighbour, so that two pixels can
        // always be read.
        let (first, weights) = match start {
            s if s < 0 => (0, fixed(0.0)),
            s if s >= last && last == 0 => (0, fixed(0.0)),
            s if s >= last => (last - 1, fixed(1.0)),
            s => (s, fixed(fraction)),
        };
        taps.offsets.push(first as usize * CHANNELS);
        for (list, weight) in taps.weights.iter_mut().zip(weights) {
            list.extend([weight; CHANNELS]);
        }
        taps.rows.push(Row {
            sources: [
                clamp(start, axis.source),
                clamp(start.saturating_add(1), axis.source),
            ],
            weights: fixed(fraction),
        });
    }
    taps
}

/// Taps of `INTER_LINEAR`.
pub(crate) fn bilinear(axis: Axis) -> Taps {
    taps(axis, |index| {
        let at = ((f64::from(index) + 0.5) * axis.scale - 0.5) as f32;
        let floor = at.floor();
        (floor as i64, at - floor)
    })
}

/// Taps of `INTER_AREA` where it does not shrink.
pub(crate) fn area_up(axis: Axis) -> Taps {
    taps(axis, |index| {
        let floor = (f64::from(index) * axis.scale).floor();
        let at = ((f64::from(index) + 1.0) - (floor + 1.0) * axis.inverse) as f32;
        (floor as i64, if at <= 0.0 { 0.0 } else { at - at.floor() })
    })
}

/// Resamples `source` to `target`.
pub(crate) fn resize(
    source: View<'_>,
    x: &Taps,
    y: &Taps,
    scratch: &mut Scratch,
    target: &mut Target<'_>,
) {
    let Scratch {
        rows,
        padded,
        pairs,
    } = scratch;
    for row in rows.iter_mut() {
        row.resize(x.offsets.len() * CHANNELS, 0);
    }
    let mut tags = [None, None];
    for (index, tap) in (0..target.height).zip(&y.rows) {
        let [first, second] = two_rows(rows, &mut tags, tap.sources, |row, buffer| {
            let pixels = source.row(row);
            if source.width() == 1 {
                // Two pixels can always be read: the second has no weight.
                padded.clear();
                padded.extend_from_slice(pixels);
                padded.extend_from_slice(pixels);
                horizontal(padded, x, pairs, buffer);
            } else {
                horizontal(pixels, x, pairs, buffer);
            }
        });
        vertical(&rows[first], &rows[second], tap.weights, target.row(index));
    }
}

/// First the two neighbours of each destination value are collected as bytes, then a plain loop
/// over arrays mixes them: the compiler makes vector instructions of the second part, which it does
/// not of a loop that does both.
fn horizontal(pixels: &[u8], taps: &Taps, pairs: &mut [Vec<u8>; 2], out: &mut [i16]) {
    // Room for a fourth byte of each pixel, which the next pixel replaces.
    for side in pairs.iter_mut() {
        side.resize(out.len() + 1, 0);
    }
    let [left, right] = pairs;
    let mut at = 0;
    for offset in &taps.offsets {
        if let Some(&[a, b, c, d, e, f, g]) = pixels.get(*offset..).and_then(<[u8]>::first_chunk)
            && let (Some(left), Some(right)) = (left.get_mut(at..at + 4), right.get_mut(at..at + 4))
        {
            left.copy_from_slice(&[a, b, c, d]);
            right.copy_from_slice(&[d, e, f, g]);
        } else {
            // The last pixel of the row has no byte after it.
            left[at..at + CHANNELS].copy_from_slice(&pixels[*offset..*offset + CHANNELS]);
            right[at..at + CHANNELS]
                .copy_from_slice(&pixels[*offset + CHANNELS..*offset + 2 * CHANNELS]);
        }
        at += CHANNELS;
    }
    let [left_weights, right_weights] = &taps.weights;
    for ((((out, left), right), a), b) in out
        .iter_mut()
        .zip(&*left)
        .zip(&*right)
        .zip(left_weights)
        .zip(right_weights)
    {
        // At most 255 * 2048, so 15 bits remain.
        *out = ((i32::from(*left) * i32::from(*a) + i32::from(*right) * i32::from(*b)) >> 4) as i16;
    }
}

fn vertical(upper: &[i16], lower: &[i16], weights: [i16; 2], out: &mut [u8]) {
    // The product of two i16 fits i32 and its high half fits i16: one instruction for eight values.
    let high = |value: i16, weight: i16| ((i32::from(value) * i32::from(weight)) >> 16) as i16;
    for ((out, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
        let sum = high(*upper, weights[0]).wrapping_add(high(*lower, weights[1]));
        *out = (sum.wrapping_add(2) >> 2) as u8;
    }
}

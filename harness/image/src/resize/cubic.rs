//! OpenCV's `INTER_CUBIC` on bytes: four taps, a = -0.75, no antialiasing, weights of 11 bits along
//! rows.
//!
//! Downwards OpenCV's vector code works in f32 and its code for the last few values of a row (fewer
//! than eight) in integers; the two differ now and then by one level, so both are here.
//!
//! This is OpenCV's own code. The x86 wheels hand this one kernel to Intel's closed IPP, which
//! works in floating point and differs by one level in up to 4 % of the values;
//! `cv2.ipp.setUseIPP(False)`, ARM boards and builds without IPP give these bytes.

use super::axis::{Axis, clamp};
use crate::image::{CHANNELS, Target, View};

const TAPS: usize = 4;
const ONE: f32 = 2048.0;
/// Values of a row that OpenCV's vector code takes at once.
const LANES: usize = 8;

/// Four taps for each destination position.
pub(crate) type Taps = Vec<Tap>;

/// Four source positions and their weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    sources: [u32; TAPS],
    weights: [i16; TAPS],
}

/// Row buffers.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    rows: [Vec<i32>; TAPS],
}

/// Keys' kernel with a = -0.75, in OpenCV's order of operations.
fn weights(x: f32) -> [f32; TAPS] {
    const A: f32 = -0.75;
    let outer = ((A * (x + 1.0) - 5.0 * A) * (x + 1.0) + 8.0 * A) * (x + 1.0) - 4.0 * A;
    let inner = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let (left, right) = (inner(x), inner(1.0 - x));
    [outer, left, right, 1.0 - outer - left - right]
}

/// Taps of an axis.
pub(crate) fn taps(axis: Axis) -> Taps {
    let tap = |index: u32| {
        let at = ((f64::from(index) + 0.5) * axis.scale - 0.5) as f32;
        let floor = at.floor();
        let start = floor as i64;
        Tap {
            sources: [-1, 0, 1, 2].map(|offset| clamp(start.saturating_add(offset), axis.source)),
            weights: weights(at - floor).map(|w| (w * ONE).round_ties_even() as i16),
        }
    };
    (0..axis.target).map(tap).collect()
}

/// Resamples `source` to `target`.
pub(crate) fn resize(
    source: View<'_>,
    x: &[Tap],
    y: &[Tap],
    scratch: &mut Scratch,
    target: &mut Target<'_>,
) {
    let rows = &mut scratch.rows;
    for row in rows.iter_mut() {
        row.resize(x.len() * CHANNELS, 0);
    }
    // Source row r lives in buffer r mod 4: four neighbouring rows never share one.
    let mut tags = [None; TAPS];
    for (index, tap) in (0..target.height).zip(y) {
        for row in tap.sources {
            let slot = row as usize % TAPS;
            if tags[slot] != Some(row) {
                horizontal(source.row(row), x, &mut rows[slot]);
                tags[slot] = Some(row);
            }
        }
        let [a, b, c, d] = tap.sources.map(|row| rows[row as usize % TAPS].as_slice());
        vertical([a, b, c, d], tap.weights, target.row(index));
    }
}

fn horizontal(pixels: &[u8], taps: &[Tap], out: &mut [i32]) {
    for (out, tap) in out.chunks_exact_mut(CHANNELS).zip(taps) {
        let mut sums = [0i32; CHANNELS];
        for (source, weight) in tap.sources.iter().zip(tap.weights) {
            let at = *source as usize * CHANNELS;
            for (sum, value) in sums.iter_mut().zip(&pixels[at..at + CHANNELS]) {
                *sum = sum.wrapping_add(i32::from(*value) * i32::from(weight));
            }
        }
        out.copy_from_slice(&sums);
    }
}

fn vertical(rows: [&[i32]; TAPS], weights: [i16; TAPS], out: &mut [u8]) {
    let scaled = weights.map(|w| f32::from(w) * (1.0 / (ONE * ONE)));
    let vector = out.len() / LANES * LANES;
    let [a, b, c, d] = rows;
    let (head, tail) = out.split_at_mut(vector);
    for ((((out, a), b), c), d) in head.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let sum = *a as f32 * scaled[0]
            + (*b as f32 * scaled[1] + (*c as f32 * scaled[2] + *d as f32 * scaled[3]));
        *out = sum.round_ties_even() as u8;
    }
    for (index, out) in (vector..).zip(tail) {
        let sum: i64 = rows
            .iter()
            .zip(weights)
            .map(|(row, weight)| i64::from(row[index]) * i64::from(weight))
            .sum();
        *out = ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8;
    }
}

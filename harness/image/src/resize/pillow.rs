//! Pillow's `Image.resize` with `BILINEAR` and `BICUBIC` on bytes: the kernel is widened by the ratio when it shrinks (antialiasing), weights have
//! 22 bits, rows first, then columns, with rounding to bytes between.

use super::axis::Axis;
use crate::image::{CHANNELS, Target, View};

/// Bits of the weights' fraction: 32 less 8 of the value and 2 for sums that overshoot.
const PRECISION: u32 = 32 - 8 - 2;

/// Weights of an axis.
#[derive(Debug)]
pub(crate) struct Weights {
    spans: Vec<Span>,
    weights: Vec<i32>,
}

/// The source positions `start..start + len` of one destination position; its weights begin at `at`.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
    at: usize,
}

/// Buffers between the passes.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    between: Vec<u8>,
    sums: Vec<i32>,
}

/// A kernel: its radius and its value.
pub(crate) type Filter = (f64, fn(f64) -> f64);

/// The triangle.
pub(crate) const BILINEAR: Filter = (1.0, |x| {
    let x = x.abs();
    if x < 1.0 { 1.0 - x } else { 0.0 }
});

/// Keys' kernel with a = -0.5.
pub(crate) const BICUBIC: Filter = (2.0, |x| {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
});

/// Weights of `axis` for a kernel.
pub(crate) fn weights(axis: Axis, (radius, kernel): Filter) -> Weights {
    let len = f64::from(axis.source);
    let scale = len / f64::from(axis.target);
    let widening = scale.max(1.0);
    let support = radius * widening;
    let narrowing = 1.0 / widening;
    let mut table = Weights { spans: Vec::with_capacity(axis.target as usize), weights: Vec::new() };
    let mut values: Vec<f64> = Vec::new();
    for index in 0..axis.target {
        let center = (f64::from(index) + 0.5) * scale;
        let start = (center - support + 0.5).trunc().max(0.0);
        let end = (center + support + 0.5).trunc().min(len);
        values.clear();
        values.extend((0..(end - start) as u32).map(|i| kernel((f64::from(i) + start - center + 0.5) * narrowing)));
        let total: f64 = values.iter().fold(0.0, |sum, v| sum + v);
        table.spans.push(Span { start: start as usize, len: values.len(), at: table.weights.len() });
        table.weights.extend(values.iter().map(|v| {
            let share = if total == 0.0 { *v } else { v / total };
            // Half away from zero.
            (share * f64::from(1u32 << PRECISION)).round() as i32
        }));
    }
    table
}

/// Resamples `source` to `target`.
pub(crate) fn resize(source: View<'_>, x: &Weights, y: &Weights, scratch: &mut Scratch, target: &mut Target<'_>) {
    let Scratch { between, sums } = scratch;
    let stride = target.width as usize * CHANNELS;
    // Equal sides are not filtered: every weight would be one.
    let (horizontal_pass, vertical_pass) = (source.width() != target.width, source.height() != target.height);
    if !vertical_pass {
        for row in 0..target.height {
            horizontal(source.row(row), x, target.row(row));
        }
        return;
    }
    if horizontal_pass {
        between.resize(stride * source.height() as usize, 0);
        for (row, out) in (0..source.height()).zip(between.chunks_exact_mut(stride)) {
            horizontal(source.row(row), x, out);
        }
    }
    sums.resize(stride, 0);
    for (index, span) in (0..target.height).zip(&y.spans) {
        sums.fill(1 << (PRECISION - 1));
        for (row, weight) in (span.start..).zip(&y.weights[span.at..span.at + span.len]) {
            let values = if horizontal_pass { &between[row * stride..(row + 1) * stride] } else { source.row(row as u32) };
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(*weight));
            }
        }
        for (out, sum) in target.row(index).iter_mut().zip(&*sums) {
            *out = byte(*sum);
        }
    }
}

fn byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn horizontal(pixels: &[u8], table: &Weights, out: &mut [u8]) {
    for (out, span) in out.chunks_exact_mut(CHANNELS).zip(&table.spans) {
        let source = &pixels[span.start * CHANNELS..(span.start + span.len) * CHANNELS];
        let mut sums = [1i32 << (PRECISION - 1); CHANNELS];
        for (pixel, weight) in source.chunks_exact(CHANNELS).zip(&table.weights[span.at..span.at + span.len]) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(*weight));
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = byte(sum);
        }
    }
}

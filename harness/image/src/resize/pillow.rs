//! Pillow's `Image.resize` with `BILINEAR` and `BICUBIC` on bytes: the kernel is widened by the
//! ratio when it shrinks (antialiasing), weights have 22 bits, two passes with rounding to bytes
//! between.
//!
//! The order of the passes shows in the result. Observed in Pillow 13: columns go first when the
//! height shrinks by more than twice as many pixels as the width does (a width that grows counts as
//! negative); rows go first in all other cases. Older releases always took rows first.

use super::axis::Axis;
use crate::image::{CHANNELS, Target, View};

/// Bits of the weights' fraction: 32 less 8 of the value and 2 for sums that overshoot.
const PRECISION: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (PRECISION - 1);

/// Weights of an axis.
#[derive(Debug)]
pub(crate) struct Weights {
    spans: Vec<Span>,
    weights: Vec<i32>,
}

/// The source positions `start..start + len` of one destination position; its weights begin at
/// `at`.
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
    let mut table = Weights {
        spans: Vec::with_capacity(axis.target as usize),
        weights: Vec::new(),
    };
    let mut values: Vec<f64> = Vec::new();
    for index in 0..axis.target {
        let center = (f64::from(index) + 0.5) * scale;
        let start = (center - support + 0.5).trunc().max(0.0);
        let end = (center + support + 0.5).trunc().min(len);
        values.clear();
        values.extend(
            (0..(end - start) as u32)
                .map(|i| kernel((f64::from(i) + start - center + 0.5) * narrowing)),
        );
        let total: f64 = values.iter().fold(0.0, |sum, v| sum + v);
        table.spans.push(Span {
            start: start as usize,
            len: values.len(),
            at: table.weights.len(),
        });
        table.weights.extend(values.iter().map(|v| {
            let share = if total == 0.0 { *v } else { v / total };
            // Half away from zero.
            (share * f64::from(1u32 << PRECISION)).round() as i32
        }));
    }
    table
}

/// Whether Pillow 13 filters columns before rows.
fn columns_first(source: [u32; 2], target: [u32; 2]) -> bool {
    let lost = |side: usize| i64::from(source[side]) - i64::from(target[side]);
    lost(1) > 0 && lost(1) > 2 * lost(0)
}

/// Resamples `source` to `target`.
pub(crate) fn resize(
    source: View<'_>,
    x: &Weights,
    y: &Weights,
    scratch: &mut Scratch,
    target: &mut Target<'_>,
) {
    let Scratch { between, sums } = scratch;
    let source_stride = source.width() as usize * CHANNELS;
    let target_stride = target.width as usize * CHANNELS;
    // Equal sides are not filtered: every weight would be one.
    if source.height() == target.height {
        for row in 0..target.height {
            horizontal(source.row(row), x, target.row(row));
        }
    } else if source.width() == target.width {
        for (index, span) in (0..target.height).zip(&y.spans) {
            vertical(|row| source.row(row), *span, y, sums, target.row(index));
        }
    } else if columns_first(
        [source.width(), source.height()],
        [target.width, target.height],
    ) {
        between.resize(source_stride, 0);
        for (index, span) in (0..target.height).zip(&y.spans) {
            vertical(|row| source.row(row), *span, y, sums, between);
            horizontal(between, x, target.row(index));
        }
    } else {
        between.resize(target_stride * source.height() as usize, 0);
        for (row, out) in (0..source.height()).zip(between.chunks_exact_mut(target_stride)) {
            horizontal(source.row(row), x, out);
        }
        for (index, span) in (0..target.height).zip(&y.spans) {
            vertical(
                |row| &between[row as usize * target_stride..(row as usize + 1) * target_stride],
                *span,
                y,
                sums,
                target.row(index),
            );
        }
    }
}

/// One row of the result from the rows of `span`.
fn vertical<'a>(
    row: impl Fn(u32) -> &'a [u8],
    span: Span,
    table: &Weights,
    sums: &mut Vec<i32>,
    out: &mut [u8],
) {
    sums.clear();
    sums.resize(out.len(), HALF);
    for (index, weight) in (span.start as u32..).zip(&table.weights[span.at..span.at + span.len]) {
        for (sum, value) in sums.iter_mut().zip(row(index)) {
            *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(*weight));
        }
    }
    for (out, sum) in out.iter_mut().zip(&*sums) {
        *out = byte(*sum);
    }
}

fn byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn horizontal(pixels: &[u8], table: &Weights, out: &mut [u8]) {
    for (out, span) in out.chunks_exact_mut(CHANNELS).zip(&table.spans) {
        let source = &pixels[span.start * CHANNELS..(span.start + span.len) * CHANNELS];
        let mut sums = [HALF; CHANNELS];
        for (pixel, weight) in source
            .chunks_exact(CHANNELS)
            .zip(&table.weights[span.at..span.at + span.len])
        {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(*weight));
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = byte(sum);
        }
    }
}

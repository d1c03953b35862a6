//! Pooling with Caffe's geometry.
//!
//! The number of windows is rounded up, `⌈(length + 2·pad − kernel) ÷ stride⌉ + 1`, and with padding
//! a last window that would begin beyond the padding in front is left out. The mean counts padding,
//! but not what lies beyond it on the other side. ONNX's own `ceil_mode` differs from both in some
//! shapes and between engines, so padding is written out: as many zeros or nothings as the last
//! window overhangs.

use super::super::{
    blob::image,
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope},
};
use super::window::{Window, both, pair};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Max,
    Mean,
}

/// One axis of a pooling.
#[derive(Debug, Clone, Copy)]
struct Axis {
    /// Number of windows.
    windows: usize,
    /// Padding at the end that the last window needs.
    end: usize,
    /// Some window begins at or beyond the end of the input.
    empty: bool,
}

impl Axis {
    fn new(window: &Window, axis: usize, length: usize, ceil: bool) -> Result<Self, Problem> {
        let of = |values: [usize; 2]| {
            let value = values.get(axis).copied().unwrap_or(0);
            i64::try_from(value)
                .ok()
                .filter(|&v| v <= i64::from(i32::MAX))
        };
        let numbers = (of(window.kernel), of(window.stride), of(window.pad));
        let (Some(kernel), Some(stride), Some(pad)) = numbers else {
            return Err(window.misfit(length));
        };
        let size = length as i64;
        let room = size + 2 * pad - kernel;
        if room < 0 || pad >= kernel {
            return Err(window.misfit(length));
        }
        let mut windows = if ceil {
            (room + stride - 1) / stride
        } else {
            room / stride
        } + 1;
        if pad > 0 && (windows - 1) * stride >= size + pad {
            windows -= 1;
        }
        let last = (windows - 1) * stride - pad;
        Ok(Self {
            windows: windows as usize,
            end: (last + kernel - size).max(0) as usize,
            empty: last >= size,
        })
    }
}

/// Maxima or means of windows.
pub(in super::super) fn pooling(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["engine"]);
    let kind = params.choice("pool", &[("MAX", 0, Kind::Max), ("AVE", 1, Kind::Mean)]);
    let global = params.truth("global_pooling").unwrap_or(false);
    let rounding = params.choice("round_mode", &[("CEIL", 0, true), ("FLOOR", 1, false)]);
    let ceil = params.truth("ceil_mode");
    if rounding.is_some() && ceil.is_some() {
        params.malformed("round_mode", "there is `ceil_mode` too");
    }
    let ceil = rounding.or(ceil).unwrap_or(true);
    let kind = kind.unwrap_or(Kind::Max);
    if global {
        let window = ["kernel_size", "kernel_h", "kernel_w"];
        if window.iter().any(|name| params.has(name)) {
            params.malformed(
                "global_pooling",
                "the window is the input: no size can be given",
            );
        }
        params.ignore(&window);
        let pad = pair(params, "pad", ["pad_h", "pad_w"]).unwrap_or([0; 2]);
        let stride = pair(params, "stride", ["stride_h", "stride_w"]).unwrap_or([1; 2]);
        if pad != [0; 2] || stride != [1; 2] {
            params.malformed(
                "global_pooling",
                "only without padding and with a stride of 1",
            );
        }
        return Box::new(move |scope| {
            let (x, dims) = scope.single()?;
            let [batch, channels, _, _] = image(&dims)?;
            let op = match kind {
                Kind::Max => "GlobalMaxPool",
                Kind::Mean => "GlobalAveragePool",
            };
            scope.give(0, op, &[&x], [], vec![batch, channels, 1, 1])
        });
    }
    let window = Window::read(params);
    if window.dilation != [1; 2] {
        params.unsupported("dilation", "windows with holes");
    }
    Box::new(move |scope| lower(scope, kind, &window, ceil))
}

/// Top, left, bottom, right.
type Sides = [usize; 4];

fn lower(scope: &mut Scope<'_>, kind: Kind, window: &Window, ceil: bool) -> Result<(), Problem> {
    let (x, dims) = scope.single()?;
    let [batch, channels, height, width] = image(&dims)?;
    let vertical = Axis::new(window, 0, height, ceil)?;
    let horizontal = Axis::new(window, 1, width, ceil)?;
    let out = vec![batch, channels, vertical.windows, horizontal.windows];
    let [top, left] = window.pad;
    let (bottom, right) = (vertical.end, horizontal.end);
    let needed: Sides = [top, left, bottom, right];
    let none: Sides = [0; 4];
    let empty = vertical.empty || horizontal.empty;
    // What is written out before the windows, and what the windows themselves pad.
    let (written, pads, count_padding): (Option<(Sides, f32)>, Sides, Option<i64>) = match kind {
        // Caffe starts from the least number of all, and so a window of nothing has it.
        Kind::Max if empty => (Some((needed, f32::MIN)), none, None),
        Kind::Max => (None, needed, None),
        Kind::Mean if empty => {
            return Err(Problem::unsupported(
                "a window that lies outside the input: Caffe divides by nothing",
            ));
        }
        Kind::Mean if bottom <= top && right <= left => (None, needed, Some(1)),
        Kind::Mean => {
            // Zeros count up to the padding, and what overhangs that does not.
            let zeros = [top, left, top, left];
            let beyond = [0, 0, bottom.saturating_sub(top), right.saturating_sub(left)];
            ((zeros != none).then_some((zeros, 0.0)), beyond, Some(0))
        }
    };
    let mut input = x;
    if let Some(([top, left, bottom, right], value)) = written {
        let padded = [batch, channels, height + top + bottom, width + left + right];
        let pads = [0, 0, top, left, 0, 0, bottom, right].map(|v| v as i64);
        let pads = scope.list("pads", &pads);
        let value = scope.scalar("padding", value);
        input = scope.node("Pad", "padded", &[&input, &pads, &value], [], &padded)?;
    }
    let kernel = ("kernel_shape", both(window.kernel).into());
    let pads = ("pads", pads.map(|v| v as i64).to_vec().into());
    let strides = ("strides", both(window.stride).into());
    match count_padding {
        None => scope.give(0, "MaxPool", &[&input], [kernel, pads, strides], out),
        Some(count) => {
            let count = ("count_include_pad", count.into());
            scope.give(
                0,
                "AveragePool",
                &[&input],
                [count, kernel, pads, strides],
                out,
            )
        }
    }
}

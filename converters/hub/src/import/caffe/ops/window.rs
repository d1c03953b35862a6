//! Windows over height and width: kernel, padding, stride, dilation, in Caffe's spellings.

use super::super::{params::Params, problem::Problem};

/// Numbers of a window, vertical first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) pad: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
}

/// Both numbers of `name`, repeated at most twice, or of `name_h` and `name_w`.
pub(super) fn pair(params: &mut Params<'_>, name: &str, each: [&str; 2]) -> Option<[usize; 2]> {
    let list = params.counts(name);
    let both = each.map(|n| params.count(n));
    match (list.as_slice(), both) {
        ([], [None, None]) => None,
        // The one padding that is missing is 0; of other numbers none can be.
        ([], [h, w]) if name == "pad" => Some([h.unwrap_or(0), w.unwrap_or(0)]),
        (&[one], [None, None]) => Some([one; 2]),
        ([], [Some(h), Some(w)]) | (&[h, w], [None, None]) => Some([h, w]),
        (list, [None, None]) if list.len() > 2 => {
            params.unsupported(name, "windows over more than two axes");
            None
        }
        _ => {
            let [h, w] = each;
            params.malformed(name, &format!("there is `{name}`, or both `{h}` and `{w}`"));
            None
        }
    }
}

/// A number of a window; beyond 31 bits arithmetic on shapes means nothing.
fn number(values: [usize; 2], axis: usize) -> Option<usize> {
    let value = values.get(axis).copied();
    value.filter(|&v| i32::try_from(v).is_ok())
}

impl Window {
    /// The window of a convolution; a missing kernel is a problem.
    pub(super) fn read(params: &mut Params<'_>) -> Self {
        let kernel = pair(params, "kernel_size", ["kernel_h", "kernel_w"]);
        let window = Self {
            kernel: kernel.unwrap_or([1; 2]),
            pad: pair(params, "pad", ["pad_h", "pad_w"]).unwrap_or([0; 2]),
            stride: pair(params, "stride", ["stride_h", "stride_w"]).unwrap_or([1; 2]),
            dilation: pair(params, "dilation", ["dilation_h", "dilation_w"]).unwrap_or([1; 2]),
        };
        if kernel.is_none() {
            params.malformed("kernel_size", "the size of the window is missing");
        }
        if [window.kernel, window.stride, window.dilation]
            .as_flattened()
            .contains(&0)
        {
            params.malformed("kernel_size", "a kernel, stride or dilation of 0");
        }
        window
    }

    /// Extent of the kernel with its holes.
    pub(super) fn extent(&self, axis: usize) -> Option<usize> {
        let [kernel, dilation] = [self.kernel, self.dilation].map(|v| v.get(axis).copied());
        dilation?
            .checked_mul(kernel?.checked_sub(1)?)?
            .checked_add(1)
    }

    /// Length of an axis of a convolution's output.
    pub(super) fn convolved(&self, axis: usize, length: usize) -> Result<usize, Problem> {
        let out = || {
            let padded = length.checked_add(number(self.pad, axis)?.checked_mul(2)?)?;
            let room = padded.checked_sub(self.extent(axis)?)?;
            room.checked_div(number(self.stride, axis)?)?.checked_add(1)
        };
        out().ok_or_else(|| self.misfit(length))
    }

    /// Length of an axis of a deconvolution's output.
    pub(super) fn deconvolved(&self, axis: usize, length: usize) -> Result<usize, Problem> {
        let out = || {
            let spread = number(self.stride, axis)?.checked_mul(length.checked_sub(1)?)?;
            let full = spread.checked_add(self.extent(axis)?)?;
            full.checked_sub(number(self.pad, axis)?.checked_mul(2)?)
                .filter(|&n| n > 0)
        };
        out().ok_or_else(|| self.misfit(length))
    }

    pub(super) fn misfit(&self, length: usize) -> Problem {
        Problem::malformed(format!(
            "an input of {length} is too small for the window {self:?}"
        ))
    }

    /// `[top, left, bottom, right]`, the same on both sides.
    pub(super) fn pads(&self) -> Vec<i64> {
        [self.pad, self.pad]
            .as_flattened()
            .iter()
            .map(|&v| v as i64)
            .collect()
    }
}

/// Two numbers as ONNX takes them.
pub(super) fn both(values: [usize; 2]) -> Vec<i64> {
    values.iter().map(|&v| v as i64).collect()
}

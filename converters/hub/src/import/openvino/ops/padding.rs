//! Padding of convolutions and pools: explicit, or by the rule of `auto_pad`.

use crate::import::openvino::context::Op;

/// Padding as a node gets it.
#[derive(Debug, PartialEq)]
pub(crate) enum Padding {
    /// Begins, then ends.
    Explicit(Vec<i64>),
    /// ONNX's `auto_pad`, where a length of the input is open.
    Auto(&'static str),
}

/// Reads `auto_pad`, `pads_begin` and `pads_end` for a window of `kernel` (dilated) that moves by
/// `strides` over the spatial axes of input 0.
pub(crate) fn padding(op: &Op<'_>, kernel: &[i64], strides: &[i64]) -> Result<Padding, String> {
    let spatial = kernel.len();
    let begins: Vec<i64> = op.attributes.list("pads_begin")?;
    let ends: Vec<i64> = op.attributes.list("pads_end")?;
    let auto = op.attributes.word("auto_pad", "explicit").to_lowercase();
    let upper = match auto.as_str() {
        "explicit" | "notset" | "" => {
            let filled = |pads: Vec<i64>| -> Result<Vec<i64>, String> {
                match pads.len() {
                    0 => Ok(vec![0; spatial]),
                    n if n == spatial => Ok(pads),
                    n => Err(format!("{n} pads for {spatial} axes")),
                }
            };
            let mut pads = filled(begins)?;
            pads.extend(filled(ends)?);
            return Ok(Padding::Explicit(pads));
        }
        "valid" => return Ok(Padding::Explicit(vec![0; 2 * spatial])),
        "same_upper" => true,
        "same_lower" => false,
        other => return Err(format!("attribute `auto_pad` with value `{other}`")),
    };
    let dims = op.dims(0)?;
    let axes = dims.get(2..).filter(|axes| axes.len() == spatial);
    let axes = axes.ok_or("the number of axes of input and kernel differ")?;
    if axes.iter().any(|d| *d < 0) {
        return Ok(Padding::Auto(if upper {
            "SAME_UPPER"
        } else {
            "SAME_LOWER"
        }));
    }
    let mut pads = vec![0; 2 * spatial];
    for axis in 0..spatial {
        let (length, stride) = (axes[axis], strides[axis].max(1));
        let outputs = (length + stride - 1) / stride;
        let total = ((outputs - 1) * stride + kernel[axis] - length).max(0);
        let less = total / 2;
        let (begin, end) = if upper {
            (less, total - less)
        } else {
            (total - less, less)
        };
        pads[axis] = begin;
        pads[spatial + axis] = end;
    }
    Ok(Padding::Explicit(pads))
}

/// A list with one number an axis; `default` where the attribute is not there.
pub(crate) fn per_axis(
    op: &Op<'_>,
    key: &str,
    spatial: usize,
    default: i64,
) -> Result<Vec<i64>, String> {
    let list: Vec<i64> = op.attributes.list(key)?;
    match list.len() {
        0 => Ok(vec![default; spatial]),
        n if n == spatial && list.iter().all(|v| (0..=1 << 20).contains(v)) => Ok(list),
        _ => Err(format!(
            "attribute `{key}` with value {list:?} for {spatial} axes"
        )),
    }
}

/// Lengths of a window with dilation.
pub(crate) fn dilated(kernel: &[i64], dilations: &[i64]) -> Vec<i64> {
    let each = kernel.iter().zip(dilations);
    each.map(|(k, d)| (k - 1) * d + 1).collect()
}

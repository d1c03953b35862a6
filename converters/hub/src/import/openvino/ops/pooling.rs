//! Pools.
//!
//! `rounding_type=ceil` gives a last window that overhangs the padded input. It is expressed by
//! explicit padding, not by ONNX's `ceil_mode`, whose rules differ between engines: the maximum is
//! taken of what is there; an average divides by the whole window, except that OpenVINO takes
//! `exclude-pad` as true when all pads are 0 (measured, 2026.4).

use super::padding::{Padding, dilated, padding, per_axis};
use crate::graph::Attribute;
use crate::import::openvino::context::{Op, Outputs};

/// Attributes of the window, and whether all pads that the file gives are 0.
struct Window {
    kernel: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    pads: (&'static str, Attribute),
    unpadded: bool,
}

fn window(op: &Op<'_>) -> Result<Window, String> {
    let kernel: Vec<i64> = op.attributes.list("kernel")?;
    let spatial = kernel.len();
    if spatial == 0 || spatial + 2 != op.rank(0)? || kernel.iter().any(|k| *k < 1) {
        return Err(format!("attribute `kernel` with value {kernel:?}"));
    }
    let strides = per_axis(op, "strides", spatial, 1)?;
    if strides.contains(&0) {
        return Err("a stride of 0".to_owned());
    }
    let dilations = per_axis(op, "dilations", spatial, 1)?;
    let reach = dilated(&kernel, &dilations);
    let rounding = op.attributes.word("rounding_type", "floor");
    let mut pads = padding(op, &reach, &strides)?;
    let unpadded = matches!(&pads, Padding::Explicit(p) if p.iter().all(|v| *v == 0));
    match (rounding, &mut pads) {
        ("floor", _) | (_, Padding::Auto(_)) => {}
        ("ceil" | "ceil_torch", Padding::Explicit(pads)) => {
            overhang(op, &reach, &strides, pads, rounding == "ceil_torch")?;
        }
        (other, Padding::Explicit(_)) => {
            return Err(format!("attribute `rounding_type` with value `{other}`"));
        }
    }
    let pads = match pads {
        Padding::Explicit(pads) => ("pads", pads.into()),
        Padding::Auto(word) => ("auto_pad", word.into()),
    };
    Ok(Window {
        kernel,
        strides,
        dilations,
        pads,
        unpadded,
    })
}

/// Lengthens the pads at the end so that the last window of rounding up is a whole one.
fn overhang(
    op: &Op<'_>,
    reach: &[i64],
    strides: &[i64],
    pads: &mut [i64],
    torch: bool,
) -> Result<(), String> {
    let shape = op.shape(0)?;
    let spatial = reach.len();
    for axis in 0..spatial {
        let length = shape.get(axis + 2).map_or(0, |d| *d as i64);
        let padded = length + pads[axis] + pads[spatial + axis];
        let steps = padded - reach[axis];
        if steps < 0 {
            return Err("a window larger than its padded input".to_owned());
        }
        let mut last = (steps + strides[axis] - 1) / strides[axis];
        // PyTorch's rule: a window that begins behind the input is left out.
        if torch && last * strides[axis] >= length + pads[axis] {
            last -= 1;
        }
        let more = last * strides[axis] + reach[axis] - padded;
        pads[spatial + axis] = (pads[spatial + axis] + more).max(0);
        if pads[spatial + axis] >= reach[axis] {
            return Err("a window that lies wholly in the padding".to_owned());
        }
    }
    Ok(())
}

pub(crate) fn maximum(op: &mut Op<'_>) -> Outputs {
    let window = window(op)?;
    op.attributes.only("axis", &["0"])?;
    let x = op.x(0)?;
    // Indices, the second output since operation set 8, count over the whole tensor as ONNX's do.
    let wanted = if op.is_used(1) { 2 } else { 1 };
    let name = &op.layer.name;
    let dilated = window.dilations.iter().any(|d| *d != 1);
    let common = [
        ("kernel_shape", window.kernel.into()),
        window.pads,
        ("strides", window.strides.into()),
    ];
    let outputs = if dilated {
        let [kernel, pads, strides] = common;
        let dilations = ("dilations", window.dilations.into());
        let all = [dilations, kernel, pads, strides];
        op.builder.add_many("MaxPool", name, &[&x], all, wanted)
    } else {
        op.builder.add_many("MaxPool", name, &[&x], common, wanted)
    };
    match outputs.as_slice() {
        [y, indices] => {
            let element = op.layer.outputs.get(1).and_then(|p| p.element);
            let indices = super::select::integer_type(op, indices, element);
            Ok(vec![y.clone(), indices])
        }
        _ => Ok(outputs),
    }
}

pub(crate) fn average(op: &mut Op<'_>) -> Outputs {
    let exclude = op.attributes.flag("exclude-pad", false)?;
    let window = window(op)?;
    if window.dilations.iter().any(|d| *d != 1) {
        return Err("attribute `dilations`".to_owned());
    }
    let x = op.x(0)?;
    let include = i64::from(!exclude && !window.unpadded);
    let attributes = [
        ("count_include_pad", include.into()),
        ("kernel_shape", window.kernel.into()),
        window.pads,
        ("strides", window.strides.into()),
    ];
    Ok(vec![op.add("AveragePool", &[&x], attributes)])
}

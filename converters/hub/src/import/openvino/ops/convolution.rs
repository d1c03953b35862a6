//! Convolutions: plain, grouped, transposed.
//!
//! Weights are `[O, I, …]`, grouped `[G, O/G, I/G, …]`; transposed `[I, O, …]` and
//! `[G, I/G, O/G, …]`. ONNX has no axis for the groups.

use super::padding::{Padding, dilated, padding, per_axis};
use crate::import::openvino::context::{Op, Outputs};

/// The weights without the axis of groups: their name, the number of groups, and the kernel.
fn weights(op: &mut Op<'_>, grouped: bool) -> Result<(String, i64, Vec<i64>), String> {
    let shape = op.shape(1)?;
    let axes = if grouped { 3 } else { 2 };
    if shape.len() <= axes || shape.contains(&0) {
        return Err(format!("weights of shape {shape:?}"));
    }
    let kernel: Vec<i64> = shape[axes..].iter().map(|&k| k as i64).collect();
    if !grouped {
        return Ok((op.x(1)?, 1, kernel));
    }
    let mut flat = vec![shape[0] * shape[1]];
    flat.extend(&shape[2..]);
    let name = if let Some(tensor) = op.tensor(1) {
        let tensor = tensor.reshaped(flat).map_err(|e| e.to_string())?;
        let name = format!("{}/weights", op.layer.name);
        op.builder.constant(&name, tensor)
    } else {
        let weights = op.x(1)?;
        let flat: Vec<i64> = flat.iter().map(|&d| d as i64).collect();
        let flat = op.list(&flat);
        op.add("Reshape", &[&weights, &flat], [])
    };
    Ok((name, shape[0] as i64, kernel))
}

pub(crate) fn plain(op: &mut Op<'_>) -> Outputs {
    forward(op, false)
}

pub(crate) fn grouped(op: &mut Op<'_>) -> Outputs {
    forward(op, true)
}

fn forward(op: &mut Op<'_>, grouped: bool) -> Outputs {
    let (weights, groups, kernel) = weights(op, grouped)?;
    let strides = per_axis(op, "strides", kernel.len(), 1)?;
    let dilations = per_axis(op, "dilations", kernel.len(), 1)?;
    // Written by the converter of 2020 to plain convolutions too, always 0.
    only_zeros(op, "output_padding")?;
    let pads = padding(op, &dilated(&kernel, &dilations), &strides)?;
    let x = op.x(0)?;
    let (key, value) = match pads {
        Padding::Explicit(pads) => ("pads", pads.into()),
        Padding::Auto(word) => ("auto_pad", word.into()),
    };
    let attributes = [
        ("dilations", dilations.into()),
        ("group", groups.into()),
        ("kernel_shape", kernel.into()),
        ("strides", strides.into()),
        (key, value),
    ];
    Ok(vec![op.add("Conv", &[&x, &weights], attributes)])
}

fn only_zeros(op: &Op<'_>, key: &str) -> Result<(), String> {
    let list: Vec<i64> = op.attributes.list(key)?;
    if list.iter().any(|v| *v != 0) {
        return Err(format!("attribute `{key}` with value {list:?}"));
    }
    Ok(())
}

pub(crate) fn transposed(op: &mut Op<'_>) -> Outputs {
    backward(op, false)
}

pub(crate) fn grouped_transposed(op: &mut Op<'_>) -> Outputs {
    backward(op, true)
}

fn backward(op: &mut Op<'_>, grouped: bool) -> Outputs {
    let (weights, groups, kernel) = weights(op, grouped)?;
    let spatial = kernel.len();
    let strides = per_axis(op, "strides", spatial, 1)?;
    let dilations = per_axis(op, "dilations", spatial, 1)?;
    let extra = per_axis(op, "output_padding", spatial, 0)?;
    let window = dilated(&kernel, &dilations);
    let pads = if op.has(2) {
        with_shape(op, &window, &strides, &extra)?
    } else {
        match padding(op, &window, &strides)? {
            Padding::Explicit(pads) if op.attributes.word("auto_pad", "explicit") == "explicit" => {
                pads
            }
            _ => without_shape(op, &window, &strides)?,
        }
    };
    let x = op.x(0)?;
    let attributes = [
        ("dilations", dilations.into()),
        ("group", groups.into()),
        ("kernel_shape", kernel.into()),
        ("output_padding", extra.into()),
        ("pads", pads.into()),
        ("strides", strides.into()),
    ];
    Ok(vec![op.add("ConvTranspose", &[&x, &weights], attributes)])
}

/// Rules of padding that need no shape of the input: `valid`, and `same_*`, under which a
/// transposed convolution without a wanted shape gives `in · stride`.
fn without_shape(op: &Op<'_>, window: &[i64], strides: &[i64]) -> Result<Vec<i64>, String> {
    match op.attributes.word("auto_pad", "explicit") {
        "valid" | "notset" => Ok(vec![0; 2 * window.len()]),
        word => Err(format!(
            "attribute `auto_pad` with value `{word}` and no output shape (window {window:?}, \
             strides {strides:?})"
        )),
    }
}

/// Padding that gives the wanted shape.
fn with_shape(
    op: &Op<'_>,
    window: &[i64],
    strides: &[i64],
    extra: &[i64],
) -> Result<Vec<i64>, String> {
    let wanted = op.integers(2)?;
    let dims = op.shape(0)?;
    let spatial = window.len();
    let axes = dims
        .get(2..)
        .filter(|a| a.len() == spatial && wanted.len() == spatial);
    let axes = axes.ok_or("the number of axes of input, kernel and output shape differ")?;
    let word = op.attributes.word("auto_pad", "explicit");
    let (begins, ends): (Vec<i64>, Vec<i64>) = (
        op.attributes.list("pads_begin")?,
        op.attributes.list("pads_end")?,
    );
    let mut pads = vec![0; 2 * spatial];
    for axis in 0..spatial {
        let full = strides[axis] * (axes[axis] as i64 - 1) + window[axis] + extra[axis];
        let total = full - wanted[axis];
        if total < 0 {
            return Err(format!(
                "an output shape {wanted:?} larger than the window reaches"
            ));
        }
        let (begin, end) = match word {
            // The reverse of a forward convolution's rule, as OpenVINO has it (measured, 2026.4).
            "same_upper" => (total - total / 2, total / 2),
            "same_lower" => (total / 2, total - total / 2),
            "explicit" | "notset" => {
                let at = |list: &[i64]| list.get(axis).copied().unwrap_or(0);
                if at(&begins) + at(&ends) != total {
                    return Err(format!(
                        "an output shape {wanted:?} that the pads do not give"
                    ));
                }
                (at(&begins), at(&ends))
            }
            other => return Err(format!("attribute `auto_pad` with value `{other}`")),
        };
        pads[axis] = begin;
        pads[spatial + axis] = end;
    }
    Ok(pads)
}

//! Convolutions and full layers. Weights are `[O, I/G, …]`, those of a transposed convolution
//! `[I, O/G, …]`, as in ONNX.

use super::{blob, constant, needed};
use crate::import::openvino::context::{Op, Outputs};
use crate::import::openvino::ops::padding::{Padding, dilated, padding, per_axis};

struct Shape {
    kernel: Vec<i64>,
    outputs: usize,
    inputs: usize,
    group: usize,
}

fn shape(op: &Op<'_>) -> Result<Shape, String> {
    let kernel: Vec<i64> = op.attributes.list("kernel")?;
    let outputs: usize = op.attributes.needed("output")?;
    let group: usize = op.attributes.number("group", 1)?;
    let dims = op.dims(0)?;
    let inputs = dims.get(1).and_then(|d| usize::try_from(*d).ok());
    let inputs = inputs.ok_or("the number of channels is open")?;
    let sound =
        group > 0 && inputs.is_multiple_of(group) && outputs.is_multiple_of(group) && outputs > 0;
    if !sound || kernel.is_empty() || kernel.iter().any(|k| !(1..=1 << 16).contains(k)) {
        return Err(format!(
            "kernel {kernel:?}, {inputs} channels in, {outputs} out, {group} groups"
        ));
    }
    Ok(Shape {
        kernel,
        outputs,
        inputs,
        group,
    })
}

pub(in crate::import::openvino) fn plain(op: &mut Op<'_>) -> Outputs {
    convolution(op, false)
}

pub(in crate::import::openvino) fn transposed(op: &mut Op<'_>) -> Outputs {
    convolution(op, true)
}

fn convolution(op: &mut Op<'_>, transposed: bool) -> Outputs {
    let Shape {
        kernel,
        outputs,
        inputs,
        group,
    } = shape(op)?;
    let strides = per_axis(op, "strides", kernel.len(), 1)?;
    let dilations = per_axis(op, "dilations", kernel.len(), 1)?;
    if transposed && !matches!(op.attributes.word("auto_pad", "explicit"), "explicit" | "") {
        // What the rule comes to stands beside it; the shape that the file states is checked.
        op.attributes.text("auto_pad");
    }
    let pads = if transposed {
        explicit(op, kernel.len())?
    } else {
        padding(op, &dilated(&kernel, &dilations), &strides)?
    };
    let mut dims = if transposed {
        vec![inputs, outputs / group]
    } else {
        vec![outputs, inputs / group]
    };
    dims.extend(kernel.iter().map(|&k| k as usize));
    let weights = needed(op, "weights", dims)?;
    let bias = blob(op, "biases", vec![outputs])?;
    let mut names = vec![op.x(0)?, constant(op, "weights", weights)];
    if let Some(bias) = bias {
        names.push(constant(op, "biases", bias));
    }
    let (key, value) = match pads {
        Padding::Explicit(pads) => ("pads", pads.into()),
        Padding::Auto(word) => ("auto_pad", word.into()),
    };
    let attributes = [
        ("dilations", dilations.into()),
        ("group", (group as i64).into()),
        ("kernel_shape", kernel.into()),
        ("strides", strides.into()),
        (key, value),
    ];
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let to = if transposed { "ConvTranspose" } else { "Conv" };
    Ok(vec![op.add(to, &inputs, attributes)])
}

/// The pads as they stand.
fn explicit(op: &Op<'_>, spatial: usize) -> Result<Padding, String> {
    let mut pads = per_axis(op, "pads_begin", spatial, 0)?;
    pads.extend(per_axis(op, "pads_end", spatial, 0)?);
    Ok(Padding::Explicit(pads))
}

/// `x·Wᵀ + b`, over all axes but the first.
pub(in crate::import::openvino) fn fully_connected(op: &mut Op<'_>) -> Outputs {
    let outputs: usize = op.attributes.needed("out-size")?;
    let dims = op.shape(0)?;
    let inputs: usize = dims.iter().skip(1).product();
    let weights = needed(op, "weights", vec![outputs, inputs])?;
    let bias = blob(op, "biases", vec![outputs])?;
    let mut x = op.x(0)?;
    if dims.len() != 2 {
        x = op.add("Flatten", &[&x], [("axis", 1.into())]);
    }
    let mut names = vec![x, constant(op, "weights", weights)];
    if let Some(bias) = bias {
        names.push(constant(op, "biases", bias));
    }
    let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(vec![op.add("Gemm", &inputs, [("transB", 1.into())])])
}

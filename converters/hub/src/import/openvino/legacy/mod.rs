//! Layers of versions 4 to 7, which keep their weights in blobs.

pub(super) mod array;
pub(super) mod convolution;
pub(super) mod resize;
pub(super) mod scale;

use super::context::{Op, Outputs, widened};
use super::ops::{activation, arithmetic, pooling as pools};
use crate::graph::Tensor;
use dyno_formats::openvino::Element;
use half::f16;

/// The blob `name` of the layer in shape `dims` as `f32`; `None` where there is none. Half
/// precision is widened.
fn blob(op: &Op<'_>, name: &str, dims: Vec<usize>) -> Result<Option<Tensor>, String> {
    let Some(blob) = op.layer.blobs.iter().find(|b| b.name == name) else {
        return Ok(None);
    };
    let said = blob.precision.as_deref().or(op.layer.precision.as_deref());
    let said = said.unwrap_or("FP32");
    let element = Element::from_name(said).ok_or_else(|| format!("weights of type `{said}`"))?;
    widened(element)?;
    let bytes = blob
        .slice(op.weights, op.layer)
        .map_err(|e| e.to_string())?;
    let count = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let expected = count.and_then(|n| element.bytes(n));
    if expected != Some(bytes.len()) {
        return Err(format!(
            "`{name}` of shape {dims:?} and type {element} has {} bytes, and the file gives {}",
            expected.map_or("too many".to_owned(), |n| n.to_string()),
            bytes.len()
        ));
    }
    let bytes = match element {
        Element::F32 => bytes,
        Element::F16 => {
            let (pairs, _) = bytes.as_chunks::<2>();
            let mut wide = Vec::with_capacity(bytes.len() * 2);
            for pair in pairs {
                wide.extend_from_slice(&f16::from_le_bytes(*pair).to_f32().to_le_bytes());
            }
            wide.into()
        }
        other => return Err(format!("weights of type {other}")),
    };
    Tensor::new(crate::graph::ElementType::F32, dims, bytes)
        .map(Some)
        .map_err(|e| e.to_string())
}

/// Number of elements of a blob, by its bytes.
fn blob_len(op: &Op<'_>, name: &str) -> Option<usize> {
    let blob = op.layer.blobs.iter().find(|b| b.name == name)?;
    let said = blob.precision.as_deref().or(op.layer.precision.as_deref());
    let element = Element::from_name(said.unwrap_or("FP32"))?;
    let bits = usize::try_from(blob.size).ok()?.checked_mul(8)?;
    Some(bits / element.bits())
}

/// A blob that must be there.
fn needed(op: &Op<'_>, name: &str, dims: Vec<usize>) -> Result<Tensor, String> {
    blob(op, name, dims)?.ok_or_else(|| format!("no `{name}`"))
}

/// The blob of `name` as a constant of the graph.
fn constant(op: &mut Op<'_>, name: &str, tensor: Tensor) -> String {
    let name = format!("{}/{name}", op.layer.name);
    op.builder.constant(&name, tensor)
}

pub(super) fn identity(op: &mut Op<'_>) -> Outputs {
    op.attributes.text("dropout_ratio");
    let x = op.x(0)?;
    Ok(vec![op.add("Identity", &[&x], [])])
}

pub(super) fn relu(op: &mut Op<'_>) -> Outputs {
    let slope: f32 = op.attributes.number("negative_slope", 0.0)?;
    let x = op.x(0)?;
    if slope == 0.0 {
        return Ok(vec![op.add("Relu", &[&x], [])]);
    }
    Ok(vec![op.add("LeakyRelu", &[&x], [("alpha", slope.into())])])
}

pub(super) fn relu6(op: &mut Op<'_>) -> Outputs {
    let top: f64 = op.attributes.number("n", 6.0)?;
    let x = op.x(0)?;
    let dtype = op.dtype(0)?;
    let (lo, hi) = (op.scalar(dtype, 0.0)?, op.scalar(dtype, top)?);
    Ok(vec![op.add("Clip", &[&x, &lo, &hi], [])])
}

/// One of several functions, by the attribute `type`.
pub(super) fn activation(op: &mut Op<'_>) -> Outputs {
    let kind: String = op.attributes.needed("type")?;
    match kind.to_lowercase().as_str() {
        "sigmoid" => arithmetic::unary(op, "Sigmoid"),
        "tanh" => arithmetic::unary(op, "Tanh"),
        "exp" => arithmetic::unary(op, "Exp"),
        "relu" => relu(op),
        "elu" => activation::elu(op),
        "clamp" => activation::clamp(op),
        "not" => arithmetic::unary(op, "Not"),
        other => Err(format!("attribute `type` with value `{other}`")),
    }
}

/// Arithmetic between any number of inputs, which are weighted where there is `coeff`.
pub(super) fn eltwise(op: &mut Op<'_>) -> Outputs {
    let kind = op.attributes.word("operation", "sum").to_lowercase();
    let weights: Vec<f32> = op.attributes.list("coeff")?;
    let count = op.inputs.len();
    let to = match kind.as_str() {
        "sum" => "Add",
        "sub" => "Sub",
        "mul" | "prod" => "Mul",
        "div" => "Div",
        "max" => "Max",
        "min" => "Min",
        "pow" => "Pow",
        "squared_diff" => return arithmetic::squared_difference(op),
        "equal" => "Equal",
        "less" => "Less",
        "greater" => "Greater",
        other => return Err(format!("attribute `operation` with value `{other}`")),
    };
    let weighted = weights.iter().any(|w| (w - 1.0).abs() > f32::EPSILON);
    if weighted && (to != "Add" || weights.len() != count) {
        return Err(format!("attribute `coeff` with value {weights:?}"));
    }
    if count < 2 || (count > 2 && !matches!(to, "Add" | "Mul" | "Max" | "Min")) {
        return Err(format!("`{kind}` of {count} inputs"));
    }
    let mut names = Vec::with_capacity(count);
    for at in 0..count {
        let mut x = op.x(at)?;
        if weighted {
            let weight = weights.get(at).copied().unwrap_or(1.0);
            let weight = op.constant(Tensor::scalar(weight));
            x = op.add("Mul", &[&x, &weight], []);
        }
        names.push(x);
    }
    let mut names = names.into_iter();
    let mut result = names.next().unwrap_or_default();
    for next in names {
        result = op.add(to, &[&result, &next], []);
    }
    Ok(vec![result])
}

/// `(shift + scale·x)^power`
pub(super) fn power(op: &mut Op<'_>) -> Outputs {
    let power: f32 = op.attributes.number("power", 1.0)?;
    let scale: f32 = op.attributes.number("scale", 1.0)?;
    let shift: f32 = op.attributes.number("shift", 0.0)?;
    let mut x = op.x(0)?;
    let mut changed = false;
    for (to, value, neutral) in [
        ("Mul", scale, 1.0f32),
        ("Add", shift, 0.0),
        ("Pow", power, 1.0),
    ] {
        if value.to_bits() != neutral.to_bits() {
            let value = op.constant(Tensor::scalar(value));
            x = op.add(to, &[&x, &value], []);
            changed = true;
        }
    }
    Ok(vec![if changed {
        x
    } else {
        op.add("Identity", &[&x], [])
    }])
}

/// By `pool-method`; rounding and padding as in later versions.
pub(super) fn pooling(op: &mut Op<'_>) -> Outputs {
    match op.attributes.word("pool-method", "max") {
        "max" => {
            op.attributes.text("exclude-pad");
            pools::maximum(op)
        }
        "avg" => pools::average(op),
        other => Err(format!("attribute `pool-method` with value `{other}`")),
    }
}

//! Activations.

use crate::graph::Tensor;
use crate::import::openvino::context::{Op, Outputs};

/// `min(max(x, lo), hi)`; an integer type's limits are rounded inwards.
pub(crate) fn clamp(op: &mut Op<'_>) -> Outputs {
    let lo: f64 = op.attributes.needed("min")?;
    let hi: f64 = op.attributes.needed("max")?;
    let dtype = op.dtype(0)?;
    let x = op.x(0)?;
    let lo = op.scalar(dtype, lo)?;
    let hi = op.scalar(dtype, hi)?;
    Ok(vec![op.add("Clip", &[&x, &lo, &hi], [])])
}

pub(crate) fn elu(op: &mut Op<'_>) -> Outputs {
    let alpha: f32 = op.attributes.number("alpha", 1.0)?;
    let x = op.x(0)?;
    Ok(vec![op.add("Elu", &[&x], [("alpha", alpha.into())])])
}

/// The slope is per channel (axis 1) when it has one axis, else broadcast.
pub(crate) fn prelu(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let rank = op.rank(0)?;
    if let Some(slope) = op.tensor(1).cloned().filter(|s| s.dims().len() == 1) {
        if slope.len() == 1 {
            let alpha = op.only_number(1)?;
            return Ok(vec![op.add("LeakyRelu", &[&x], [("alpha", alpha.into())])]);
        }
        let mut dims = vec![1; rank.saturating_sub(1).max(1)];
        dims[0] = slope.len();
        let slope = slope.reshaped(dims).map_err(|e| e.to_string())?;
        let slope = op.constant(slope);
        return Ok(vec![op.add("PRelu", &[&x, &slope], [])]);
    }
    if op.rank(1)? == 1 {
        return Err("a slope that is computed and has one axis".to_owned());
    }
    let slope = op.x(1)?;
    Ok(vec![op.add("PRelu", &[&x, &slope], [])])
}

/// `clip(x + 3, 0, 6) / 6`
fn sixth(op: &mut Op<'_>, x: &str) -> Result<String, String> {
    let dtype = op.dtype(0)?;
    let three = op.scalar(dtype, 3.0)?;
    let zero = op.scalar(dtype, 0.0)?;
    let six = op.scalar(dtype, 6.0)?;
    let sum = op.add("Add", &[x, &three], []);
    let clipped = op.add("Clip", &[&sum, &zero, &six], []);
    Ok(op.add("Div", &[&clipped, &six], []))
}

pub(crate) fn h_sigmoid(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    Ok(vec![sixth(op, &x)?])
}

pub(crate) fn h_swish(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let part = sixth(op, &x)?;
    Ok(vec![op.add("Mul", &[&x, &part], [])])
}

/// `x · tanh(ln(1 + e^x))`
pub(crate) fn mish(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let soft = op.add("Softplus", &[&x], []);
    let tanh = op.add("Tanh", &[&soft], []);
    Ok(vec![op.add("Mul", &[&x, &tanh], [])])
}

/// `x · sigmoid(β·x)`
pub(crate) fn swish(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let inner = if op.has(1) {
        let beta = op.x(1)?;
        op.add("Mul", &[&x, &beta], [])
    } else {
        x.clone()
    };
    let sigmoid = op.add("Sigmoid", &[&inner], []);
    Ok(vec![op.add("Mul", &[&x, &sigmoid], [])])
}

/// `x·Φ(x)` by the error function, or its approximation by `tanh`.
pub(crate) fn gelu(op: &mut Op<'_>) -> Outputs {
    let mode = op
        .attributes
        .word("approximation_mode", "ERF")
        .to_uppercase();
    let dtype = op.dtype(0)?;
    let x = op.x(0)?;
    let one = op.scalar(dtype, 1.0)?;
    let half = op.scalar(dtype, 0.5)?;
    let inner = match mode.as_str() {
        "ERF" => {
            let root = op.scalar(dtype, std::f64::consts::FRAC_1_SQRT_2)?;
            let scaled = op.add("Mul", &[&x, &root], []);
            op.add("Erf", &[&scaled], [])
        }
        "TANH" => {
            let cubic = op.scalar(dtype, 0.044_715)?;
            let root = op.scalar(dtype, (2.0 / std::f64::consts::PI).sqrt())?;
            let square = op.add("Mul", &[&x, &x], []);
            let cube = op.add("Mul", &[&square, &x], []);
            let cube = op.add("Mul", &[&cube, &cubic], []);
            let sum = op.add("Add", &[&x, &cube], []);
            let scaled = op.add("Mul", &[&sum, &root], []);
            op.add("Tanh", &[&scaled], [])
        }
        other => {
            return Err(format!(
                "attribute `approximation_mode` with value `{other}`"
            ));
        }
    };
    let sum = op.add("Add", &[&inner, &one], []);
    let halved = op.add("Mul", &[&x, &half], []);
    Ok(vec![op.add("Mul", &[&halved, &sum], [])])
}

/// `max(0, min(1, α·x + β))`
pub(crate) fn hard_sigmoid(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let alpha = op.only_number(1)?;
    let beta = op.only_number(2)?;
    let attributes = [("alpha", alpha.into()), ("beta", beta.into())];
    Ok(vec![op.add("HardSigmoid", &[&x], attributes)])
}

pub(crate) fn selu(op: &mut Op<'_>) -> Outputs {
    let x = op.x(0)?;
    let alpha = op.only_number(1)?;
    let gamma = op.only_number(2)?;
    let attributes = [("alpha", alpha.into()), ("gamma", gamma.into())];
    Ok(vec![op.add("Selu", &[&x], attributes)])
}

/// `Softmax` or `LogSoftmax` over one axis.
pub(crate) fn softmax(op: &mut Op<'_>, to: &str) -> Outputs {
    let axis: i64 = op.attributes.number("axis", 1)?;
    Op::axis(axis, op.rank(0)?)?;
    let x = op.x(0)?;
    Ok(vec![op.add(to, &[&x], [("axis", axis.into())])])
}

/// A tensor of one value a channel, broadcast over axis 1 of `rank` axes.
pub(crate) fn per_channel(values: &[f32], rank: usize) -> Result<Tensor, String> {
    let mut dims = vec![1; rank.saturating_sub(1).max(1)];
    dims[0] = values.len();
    Tensor::f32(dims, values).map_err(|e| e.to_string())
}

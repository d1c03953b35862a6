//! Functions of one number: they keep the shape.

use super::super::{
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope, numbers},
};
use crate::graph::Tensor;

/// A layer that is one operator of ONNX.
fn plain(op: &'static str) -> Lowering {
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        scope.give(0, op, &[&x], [], dims)
    })
}

/// `|x|`.
pub(in super::super) fn abs(_: &mut Params<'_>) -> Lowering {
    plain("Abs")
}

/// `log(1 + eˣ)`.
pub(in super::super) fn bnll(_: &mut Params<'_>) -> Lowering {
    plain("Softplus")
}

/// The logistic function.
pub(in super::super) fn sigmoid(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["engine"]);
    plain("Sigmoid")
}

/// The hyperbolic tangent.
pub(in super::super) fn tanh(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["engine"]);
    plain("Tanh")
}

/// `x` where it is positive, else `negative_slope · x`.
pub(in super::super) fn relu(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["engine"]);
    let slope = params.float("negative_slope").unwrap_or(0.0);
    if slope.abs() > 0.0 {
        Box::new(move |scope| {
            let (x, dims) = scope.single()?;
            scope.give(0, "LeakyRelu", &[&x], [("alpha", slope.into())], dims)
        })
    } else {
        plain("Relu")
    }
}

/// `x` between 0 and 6.
pub(in super::super) fn relu6(_: &mut Params<'_>) -> Lowering {
    Box::new(|scope| {
        let (x, dims) = scope.single()?;
        let least = scope.scalar("least", 0.0);
        let most = scope.scalar("most", 6.0);
        scope.give(0, "Clip", &[&x, &least, &most], [], dims)
    })
}

/// `x` where it is positive, else `alpha · (eˣ − 1)`.
pub(in super::super) fn elu(params: &mut Params<'_>) -> Lowering {
    let alpha = params.float("alpha").unwrap_or(1.0);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        scope.give(0, "Elu", &[&x], [("alpha", alpha.into())], dims)
    })
}

/// As ReLU, with a slope for each channel or one for all.
pub(in super::super) fn prelu(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["filler"]);
    let shared = params.truth("channel_shared").unwrap_or(false);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let &[_, channels, ref rest @ ..] = dims.as_slice() else {
            return Err(Problem::unsupported(format!(
                "input of shape {dims:?}, without channels"
            )));
        };
        let blobs = scope.blobs(1)?;
        let count = if shared { 1 } else { channels };
        let slopes = blobs.first().map(|b| numbers(b, &[count])).transpose()?;
        let mut shape = vec![count];
        shape.extend(rest.iter().map(|_| 1));
        let slope = scope.constant("slope", Tensor::f32(shape, &slopes.unwrap_or_default())?);
        scope.give(0, "PRelu", &[&x, &slope], [], dims)
    })
}

/// Adds `scale · x + shift`, without what does nothing.
fn affine(
    scope: &mut Scope<'_>,
    x: String,
    dims: &[usize],
    scale: f32,
    shift: f32,
) -> Result<String, Problem> {
    let mut value = x;
    if scale.to_bits() != 1f32.to_bits() {
        let factor = scope.scalar("scale", scale);
        value = scope.node("Mul", "scaled", &[&value, &factor], [], dims)?;
    }
    if shift.abs() > 0.0 {
        let term = scope.scalar("shift", shift);
        value = scope.node("Add", "shifted", &[&value, &term], [], dims)?;
    }
    Ok(value)
}

/// `(shift + scale · x) ^ power`.
pub(in super::super) fn power(params: &mut Params<'_>) -> Lowering {
    let power = params.float("power").unwrap_or(1.0);
    let scale = params.float("scale").unwrap_or(1.0);
    let shift = params.float("shift").unwrap_or(0.0);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let value = affine(scope, x, &dims, scale, shift)?;
        if power.to_bits() == 1f32.to_bits() {
            return scope.give(0, "Identity", &[&value], [], dims);
        }
        if power.to_bits() == 2f32.to_bits() {
            return scope.give(0, "Mul", &[&value, &value], [], dims);
        }
        let exponent = scope.scalar("power", power);
        scope.give(0, "Pow", &[&value, &exponent], [], dims)
    })
}

/// The natural logarithm of `base`, 1 for −1, which stands for e.
fn log_base(params: &mut Params<'_>) -> f64 {
    match params.float("base") {
        None => 1.0,
        Some(base) if base.to_bits() == (-1f32).to_bits() => 1.0,
        Some(base) if base > 0.0 => f64::from(base).ln(),
        Some(_) => {
            params.malformed("base", "a base that is not positive");
            1.0
        }
    }
}

/// `base ^ (shift + scale · x)`.
pub(in super::super) fn exp(params: &mut Params<'_>) -> Lowering {
    let log = log_base(params);
    let scale = params.float("scale").unwrap_or(1.0);
    let shift = params.float("shift").unwrap_or(0.0);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let scale = (log * f64::from(scale)) as f32;
        let shift = (log * f64::from(shift)) as f32;
        let value = affine(scope, x, &dims, scale, shift)?;
        scope.give(0, "Exp", &[&value], [], dims)
    })
}

/// The logarithm of `shift + scale · x` to `base`.
pub(in super::super) fn log(params: &mut Params<'_>) -> Lowering {
    let log = log_base(params);
    if log.abs() <= 0.0 {
        params.malformed("base", "a logarithm has no base 1");
    }
    let scale = params.float("scale").unwrap_or(1.0);
    let shift = params.float("shift").unwrap_or(0.0);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let value = affine(scope, x, &dims, scale, shift)?;
        if (log - 1.0).abs() <= 0.0 {
            return scope.give(0, "Log", &[&value], [], dims);
        }
        let natural = scope.node("Log", "natural", &[&value], [], &dims)?;
        let factor = scope.scalar("per_log", (1.0 / log) as f32);
        scope.give(0, "Mul", &[&natural, &factor], [], dims)
    })
}

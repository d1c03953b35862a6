//! One element in, one out: arithmetic, activations, casts. Values keep the order of axes that
//! they have; of two, the one that is not in N, C, H, W is brought there.

use crate::{
    graph::{Attribute, ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        fold,
        value::{Live, TO_NCHW, Val, element},
    },
};

/// `y = op(x)`.
fn unary<const N: usize>(
    cx: &mut Context<'_>,
    op: &Op<'_>,
    onnx: &str,
    attributes: [(&str, Attribute); N],
    f: fn(f32) -> f32,
    i: fn(i64) -> Option<i64>,
) -> Out {
    match op.input(0)? {
        Val::Const(t) => Ok(vec![Val::Const(fold::map(t, f, i)?)]),
        Val::Live(x) => {
            let out = (x.dtype, x.dims.clone(), x.nchw);
            let y = cx.add(onnx, op.name(), &[&x.name], attributes, out);
            Ok(vec![Val::Live(y)])
        }
        Val::Dead | Val::Lost => Err("no input".to_owned()),
    }
}

/// A row of a function that needs nothing but its ONNX name.
macro_rules! unary {
    ($name:ident, $onnx:literal, $f:expr, $i:expr) => {
        pub(super) fn $name(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
            unary(cx, op, $onnx, [], $f, $i)
        }
    };
}

unary!(abs, "Abs", f32::abs, i64::checked_abs);
unary!(neg, "Neg", |v| -v, i64::checked_neg);
unary!(sqrt, "Sqrt", f32::sqrt, |_| None);
unary!(exp, "Exp", f32::exp, |_| None);
unary!(log, "Log", f32::ln, |_| None);
unary!(floor, "Floor", f32::floor, |_| None);
unary!(ceil, "Ceil", f32::ceil, |_| None);
unary!(round, "Round", f32::round_ties_even, Some);
unary!(tanh, "Tanh", f32::tanh, |_| None);
unary!(relu, "Relu", |v| v.max(0.0), |v| Some(v.max(0)));
unary!(sigmoid, "Sigmoid", |v| 1.0 / (1.0 + (-v).exp()), |_| None);
unary!(softplus, "Softplus", |v| v.exp().ln_1p(), |_| None);
unary!(softsign, "Softsign", |v| v / (1.0 + v.abs()), |_| None);

pub(super) fn elu(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let f = |v: f32| if v < 0.0 { v.exp_m1() } else { v };
    unary(cx, op, "Elu", [("alpha", 1.0.into())], f, |_| None)
}

/// `scale · elu(x, alpha)`, with the constants of <https://arxiv.org/abs/1706.02515>; not every engine
/// has the operator.
pub(super) fn selu(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let Val::Live(x) = op.input(0)?.clone() else {
        return Err("of a constant".to_owned());
    };
    let out = || (x.dtype, x.dims.clone(), x.nchw);
    let alpha = [("alpha", 1.673_263_2_f32.into())];
    let elu = cx.add("Elu", op.name(), &[&x.name], alpha, out());
    let scale = cx.weights("selu_scale", &Tensor::scalar(1.050_701));
    let y = cx.add("Mul", op.name(), &[&elu.name, &scale], [], out());
    Ok(vec![Val::Live(y)])
}

pub(super) fn leaky_relu(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let alpha = op.float("alpha", 0.2);
    if op.input(0)?.tensor().is_some() {
        return Err("of a constant".to_owned());
    }
    unary(
        cx,
        op,
        "LeakyRelu",
        [("alpha", alpha.into())],
        |v| v,
        |_| None,
    )
}

pub(super) fn relu6(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    match op.input(0)? {
        Val::Live(x) => {
            let x = x.clone();
            let low = cx.weights("zero", &Tensor::scalar(0.0));
            let high = cx.weights("six", &Tensor::scalar(6.0));
            let out = (x.dtype, x.dims.clone(), x.nchw);
            let y = cx.add("Clip", op.name(), &[&x.name, &low, &high], [], out);
            Ok(vec![Val::Live(y)])
        }
        _ => unary(
            cx,
            op,
            "",
            [],
            |v| v.clamp(0.0, 6.0),
            |v| Some(v.clamp(0, 6)),
        ),
    }
}

pub(super) fn square(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    match op.input(0)? {
        Val::Live(x) => {
            let x = x.clone();
            let out = (x.dtype, x.dims.clone(), x.nchw);
            let y = cx.add("Mul", op.name(), &[&x.name, &x.name], [], out);
            Ok(vec![Val::Live(y)])
        }
        _ => unary(cx, op, "", [], |v| v * v, |v| v.checked_mul(v)),
    }
}

pub(super) fn rsqrt(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    match op.input(0)? {
        Val::Live(x) => {
            let x = x.clone();
            let out = || (x.dtype, x.dims.clone(), x.nchw);
            let root = cx.add("Sqrt", op.name(), &[&x.name], [], out());
            let y = cx.add("Reciprocal", op.name(), &[&root.name], [], out());
            Ok(vec![Val::Live(y)])
        }
        _ => unary(cx, op, "", [], |v| 1.0 / v.sqrt(), |_| None),
    }
}

pub(super) fn identity(_: &mut Context<'_>, op: &Op<'_>) -> Out {
    Ok(vec![op.input(0)?.clone()])
}

/// A function of the model's own library; it is known by its name only, and dropout does nothing
/// when a model is used.
pub(super) fn dropout(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    cx.notes.insert("dropout is left out".to_owned());
    Ok(vec![op.input(0)?.clone()])
}

pub(super) fn cast(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let to = op.node.data_type("DstT").map(element);
    let to = to.ok_or("a cast to a type that has no size")?;
    match op.input(0)? {
        Val::Const(t) => Ok(vec![Val::Const(fold::cast(t, to)?)]),
        Val::Live(x) if x.dtype == to => Ok(vec![op.input(0)?.clone()]),
        Val::Live(x) => {
            let out = (to, x.dims.clone(), x.nchw);
            let attributes = [("to", i64::from(to.onnx()).into())];
            let y = cx.add("Cast", op.name(), &[&x.name], attributes, out);
            Ok(vec![Val::Live(y)])
        }
        Val::Dead | Val::Lost => Err("no input".to_owned()),
    }
}

/// The names of two values in one order of axes, the shape of what they are broadcast to, and
/// whether that order is N, C, H, W.
pub(super) fn pair(
    cx: &mut Context<'_>,
    a: &Val,
    b: &Val,
    name: &str,
) -> Result<(String, String, Vec<usize>, bool), String> {
    let dims = fold::common(a.dims(), b.dims())?;
    let nchw = dims.len() == 4 && (a.is_nchw() || b.is_nchw());
    let mut side = |v: &Val| {
        if nchw {
            in_nchw(cx, v, name)
        } else {
            cx.plain(v, name)
        }
    };
    let (a, b) = (side(a)?, side(b)?);
    Ok((a, b, dims, nchw))
}

/// A value of at most four axes so that it can be broadcast with one in N, C, H, W.
fn in_nchw(cx: &mut Context<'_>, v: &Val, name: &str) -> Result<String, String> {
    let mut dims = v.dims().to_vec();
    if dims.iter().all(|d| *d == 1) && dims.len() < 4 {
        return cx.plain(v, name);
    }
    while dims.len() < 4 {
        dims.insert(0, 1);
    }
    if let Val::Const(t) = v {
        let wide = t.reshaped(dims).map_err(|e| e.to_string())?;
        let turned = fold::transpose(&wide, &TO_NCHW)?;
        return Ok(cx.weights(&format!("{name}/constant"), &turned));
    }
    let wide = cx.reshape(v, dims, name)?;
    cx.nchw(&wide, name)
}

/// `y = op(a, b)`, computed now if both are known.
fn binary(
    cx: &mut Context<'_>,
    op: &Op<'_>,
    onnx: &str,
    f: fn(f32, f32) -> f32,
    i: fn(i64, i64) -> Option<i64>,
) -> Out {
    let (a, b) = (op.input(0)?, op.input(1)?);
    if let (Val::Const(a), Val::Const(b)) = (a, b) {
        return Ok(vec![Val::Const(fold::zip(a, b, f, i)?)]);
    }
    let dtype = a.dtype();
    if dtype != b.dtype() {
        return Err(format!("inputs of {dtype} and {}", b.dtype()));
    }
    let (a, b, dims, nchw) = pair(cx, a, b, op.name())?;
    let y = cx.add(onnx, op.name(), &[&a, &b], [], (dtype, dims, nchw));
    Ok(vec![Val::Live(y)])
}

/// A row of an operation on two values.
macro_rules! binary {
    ($name:ident, $onnx:literal, $f:expr, $i:expr) => {
        pub(super) fn $name(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
            binary(cx, op, $onnx, $f, $i)
        }
    };
}

binary!(add, "Add", |a, b| a + b, i64::checked_add);
binary!(sub, "Sub", |a, b| a - b, i64::checked_sub);
binary!(mul, "Mul", |a, b| a * b, i64::checked_mul);
binary!(minimum, "Min", f32::min, |a, b| Some(a.min(b)));
binary!(pow, "Pow", f32::powf, |a, b| u32::try_from(b)
    .ok()
    .and_then(|b| a.checked_pow(b)));

pub(super) fn div(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    binary(cx, op, "Div", |a, b| a / b, i64::checked_div)
}

/// `max(x, alpha * x)` is a leaky ReLU; else the greater of two values.
pub(super) fn maximum(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    for (scaled, straight) in [(0, 1), (1, 0)] {
        let Some(mul) = cx.net.made_by(op.node, scaled, "Mul") else {
            continue;
        };
        let x = cx.net.source(op.node, straight);
        for (factor, same) in [(0, 1), (1, 0)] {
            let alpha = cx.net.number(mul, factor);
            let same = x.is_some() && cx.net.source(mul, same) == x;
            if let (Some(alpha), true, Val::Live(x)) = (alpha, same, op.input(straight)?)
                && (0.0..=1.0).contains(&alpha)
            {
                let out = (x.dtype, x.dims.clone(), x.nchw);
                let attributes = [("alpha", alpha.into())];
                let y = cx.add("LeakyRelu", op.name(), &[&x.name], attributes, out);
                return Ok(vec![Val::Live(y)]);
            }
        }
    }
    binary(cx, op, "Max", f32::max, |a, b| Some(a.max(b)))
}

pub(super) fn add_n(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let mut inputs = op.inputs.iter().cloned();
    let mut sum = inputs.next().ok_or("no input")?;
    for next in inputs {
        let step = Op {
            index: op.index,
            node: op.node,
            inputs: vec![sum, next],
        };
        sum = add(cx, &step)?.pop().ok_or("no sum")?;
    }
    Ok(vec![sum])
}

/// Applies `onnx` to two values that are in one order of axes already.
fn step(cx: &mut Context<'_>, op: &Op<'_>, onnx: &str, a: &str, b: &str, like: &Live) -> Live {
    let out = (like.dtype, like.dims.clone(), like.nchw);
    cx.add(onnx, op.name(), &[a, b], [], out)
}

/// A value that stands for what a pair becomes, to give [`step`] its shape.
fn shape_of(dtype: ElementType, dims: Vec<usize>, nchw: bool) -> Live {
    Live {
        name: String::new(),
        dtype,
        dims,
        nchw,
    }
}

/// `(a - mod(a, b)) / b`, which is exact for integers; `floor(a / b)` for real numbers.
pub(super) fn floor_div(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let (a, b) = (op.input(0)?, op.input(1)?);
    if let (Val::Const(a), Val::Const(b)) = (a, b) {
        let floor = |a: i64, b: i64| {
            let rest = a.checked_rem(b)?;
            let down = rest != 0 && (rest < 0) != (b < 0);
            a.checked_div(b).map(|q| q - i64::from(down))
        };
        return Ok(vec![Val::Const(fold::zip(
            a,
            b,
            |a, b| (a / b).floor(),
            floor,
        )?)]);
    }
    let dtype = a.dtype();
    let (a, b, dims, nchw) = pair(cx, a, b, op.name())?;
    let like = shape_of(dtype, dims, nchw);
    if dtype == ElementType::F32 {
        let q = step(cx, op, "Div", &a, &b, &like);
        let out = (dtype, like.dims, nchw);
        let y = cx.add("Floor", op.name(), &[&q.name], [], out);
        return Ok(vec![Val::Live(y)]);
    }
    let rest = step(cx, op, "Mod", &a, &b, &like);
    let whole = step(cx, op, "Sub", &a, &rest.name, &like);
    let y = step(cx, op, "Div", &whole.name, &b, &like);
    Ok(vec![Val::Live(y)])
}

/// The rest, with the sign of the divisor.
pub(super) fn floor_mod(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let (a, b) = (op.input(0)?, op.input(1)?);
    if let (Val::Const(a), Val::Const(b)) = (a, b) {
        let modulo = |a: i64, b: i64| {
            let rest = a.checked_rem(b)?;
            Some(if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            })
        };
        let f = |a: f32, b: f32| a - (a / b).floor() * b;
        return Ok(vec![Val::Const(fold::zip(a, b, f, modulo)?)]);
    }
    let dtype = a.dtype();
    if dtype == ElementType::F32 {
        return Err("of real numbers".to_owned());
    }
    let (a, b, dims, nchw) = pair(cx, a, b, op.name())?;
    let y = step(cx, op, "Mod", &a, &b, &shape_of(dtype, dims, nchw));
    Ok(vec![Val::Live(y)])
}

pub(super) fn squared_difference(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let (a, b) = (op.input(0)?, op.input(1)?);
    if let (Val::Const(a), Val::Const(b)) = (a, b) {
        let i = |a: i64, b: i64| a.checked_sub(b).and_then(|d| d.checked_mul(d));
        let square = fold::zip(a, b, |a, b| (a - b) * (a - b), i)?;
        return Ok(vec![Val::Const(square)]);
    }
    let dtype = a.dtype();
    let (a, b, dims, nchw) = pair(cx, a, b, op.name())?;
    let like = shape_of(dtype, dims, nchw);
    let d = step(cx, op, "Sub", &a, &b, &like);
    let y = step(cx, op, "Mul", &d.name, &d.name, &like);
    Ok(vec![Val::Live(y)])
}

/// Adds a value per channel. A convolution before it may have done that already.
pub(super) fn bias_add(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let (x, bias) = (op.input(0)?, op.input(1)?);
    if cx.absorbed.contains(&op.index) {
        return Ok(vec![x.clone()]);
    }
    let &[channels] = bias.dims() else {
        return Err(format!("a bias of shape {:?}", bias.dims()));
    };
    let bias = if op.text("data_format", "NHWC") == "NCHW" {
        let mut dims = vec![1; x.dims().len()];
        *dims.get_mut(1).ok_or("an input without channels")? = channels;
        cx.reshape(bias, dims, &format!("{}/bias", op.name()))?
    } else {
        bias.clone()
    };
    let (a, b, dims, nchw) = pair(cx, x, &bias, op.name())?;
    let y = step(cx, op, "Add", &a, &b, &shape_of(x.dtype(), dims, nchw));
    Ok(vec![Val::Live(y)])
}

/// A constant with axes of 1 put before and after its own, as broadcasting along `axis` needs it.
pub(super) fn along(tensor: &Tensor, axis: usize, rank: usize) -> Result<Tensor, String> {
    let mut dims = vec![1; rank];
    *dims.get_mut(axis).ok_or("an axis that is not there")? = tensor.len();
    tensor.reshaped(dims).map_err(|e| e.to_string())
}

/// The shape as a list of integers, for operators that take it as an input.
pub(super) fn shape_list(cx: &mut Context<'_>, name: &str, dims: &[usize]) -> String {
    cx.list(&format!("{name}/shape"), &signed(dims))
}

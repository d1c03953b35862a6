//! The activations, by Darknet's names. Each is written with operators that ONNX has in opset 13.

use crate::graph::{Builder, Tensor};

/// Builds the activation of the value; the result has the name or one like it.
type Function = fn(&mut Builder, &str, &str) -> String;

/// The activations. `normalize_channels…` look at all channels of a pixel, and Darknet has them in
/// convolutions only.
pub(super) const ACTIVATIONS: &[(&str, Function)] = &[
    ("elu", |b, x, n| {
        b.add("Elu", n, &[x], [("alpha", 1.0.into())])
    }),
    ("gelu", gelu),
    ("hard_mish", hard_mish),
    ("hardtan", |b, x, n| clip(b, x, n, -1.0, 1.0)),
    ("leaky", |b, x, n| leaky(b, x, n, 0.1)),
    ("lhtan", |b, x, n| {
        bent(b, x, n, [0.0, 1.0], [1.0, 0.0], 0.001)
    }),
    ("linear", |_, x, _| x.to_owned()),
    ("loggy", loggy),
    ("logistic", |b, x, n| b.add("Sigmoid", n, &[x], [])),
    ("mish", mish),
    ("normalize_channels", normalize_channels),
    ("normalize_channels_softmax", |b, x, n| {
        channel_softmax(b, x, n, false)
    }),
    ("normalize_channels_softmax_maxval", |b, x, n| {
        channel_softmax(b, x, n, true)
    }),
    ("plse", |b, x, n| {
        bent(b, x, n, [-4.0, 4.0], [0.125, 0.5], 0.01)
    }),
    ("ramp", ramp),
    ("relie", |b, x, n| leaky(b, x, n, 0.01)),
    ("relu", |b, x, n| b.add("Relu", n, &[x], [])),
    ("relu6", |b, x, n| clip(b, x, n, 0.0, 6.0)),
    ("revleaky", |b, x, n| leaky(b, x, n, 0.1)),
    ("selu", selu),
    ("stair", stair),
    ("swish", swish),
    ("tanh", |b, x, n| b.add("Tanh", n, &[x], [])),
];

/// Where an activation may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `[convolutional]`: every one.
    Convolution,
    /// `[shortcut]`: those that need one number only.
    Shortcut,
    /// The others, whose `activate_array` gives 0 for what it does not know.
    Plain,
}

impl Place {
    /// Darknet computes this activation here.
    pub(super) fn has(self, activation: &str) -> bool {
        match self {
            Self::Convolution => true,
            Self::Shortcut => !activation.starts_with("normalize_") && activation != "hard_mish",
            Self::Plain => {
                !activation.starts_with("normalize_")
                    && !matches!(activation, "hard_mish" | "mish" | "swish" | "relu6")
            }
        }
    }
}

/// The row of a name.
pub(super) fn find(name: &str) -> Option<Function> {
    let row = ACTIVATIONS.iter().find(|(n, _)| *n == name)?;
    Some(row.1)
}

fn number(b: &mut Builder, name: &str, value: f32) -> String {
    b.constant(&format!("{name}.{value}"), Tensor::scalar(value))
}

fn by(b: &mut Builder, op: &str, name: &str, x: &str, value: f32) -> String {
    let value = number(b, name, value);
    b.add(op, name, &[x, &value], [])
}

fn clip(b: &mut Builder, x: &str, name: &str, least: f32, most: f32) -> String {
    let (least, most) = (number(b, name, least), number(b, name, most));
    b.add("Clip", name, &[x, &least, &most], [])
}

fn leaky(b: &mut Builder, x: &str, name: &str, slope: f32) -> String {
    b.add("LeakyRelu", name, &[x], [("alpha", slope.into())])
}

/// `0.5·x·(1 + tanh(0.797885·x + 0.035677·x³))`.
fn gelu(b: &mut Builder, x: &str, name: &str) -> String {
    let square = b.add("Mul", name, &[x, x], []);
    let inner = by(b, "Mul", name, &square, 0.035_677);
    let inner = by(b, "Add", name, &inner, 0.797_885);
    let inner = b.add("Mul", name, &[&inner, x], []);
    let tanh = b.add("Tanh", name, &[&inner], []);
    let tanh = by(b, "Add", name, &tanh, 1.0);
    let half = by(b, "Mul", name, x, 0.5);
    b.add("Mul", name, &[&half, &tanh], [])
}

/// `x` above 0, `x²/2 + x` above −2, else 0: with `c = clip(x, −2, 0)` that is `c²/2 + c + relu(x)`.
fn hard_mish(b: &mut Builder, x: &str, name: &str) -> String {
    let c = clip(b, x, name, -2.0, 0.0);
    let half = by(b, "Mul", name, &c, 0.5);
    let square = b.add("Mul", name, &[&half, &c], []);
    let low = b.add("Add", name, &[&square, &c], []);
    let high = b.add("Relu", name, &[x], []);
    b.add("Add", name, &[&low, &high], [])
}

/// A line `slope·c + shift` between the bounds (`c` is x clipped to them), with slope `outside`
/// beyond them.
fn bent(
    b: &mut Builder,
    x: &str,
    name: &str,
    [least, most]: [f32; 2],
    [slope, shift]: [f32; 2],
    outside: f32,
) -> String {
    let c = clip(b, x, name, least, most);
    let beyond = b.add("Sub", name, &[x, &c], []);
    let beyond = by(b, "Mul", name, &beyond, outside);
    let line = by(b, "Mul", name, &c, slope);
    let line = by(b, "Add", name, &line, shift);
    b.add("Add", name, &[&line, &beyond], [])
}

/// `2·sigmoid(x) − 1`.
fn loggy(b: &mut Builder, x: &str, name: &str) -> String {
    let sigmoid = b.add("Sigmoid", name, &[x], []);
    let twice = by(b, "Mul", name, &sigmoid, 2.0);
    by(b, "Sub", name, &twice, 1.0)
}

/// `x·tanh(softplus(x))`.
fn mish(b: &mut Builder, x: &str, name: &str) -> String {
    let softplus = b.add("Softplus", name, &[x], []);
    let tanh = b.add("Tanh", name, &[&softplus], []);
    b.add("Mul", name, &[x, &tanh], [])
}

/// `x·sigmoid(x)`.
fn swish(b: &mut Builder, x: &str, name: &str) -> String {
    let sigmoid = b.add("Sigmoid", name, &[x], []);
    b.add("Mul", name, &[x, &sigmoid], [])
}

/// `relu(x) + 0.1·x`.
fn ramp(b: &mut Builder, x: &str, name: &str) -> String {
    let relu = b.add("Relu", name, &[x], []);
    let line = by(b, "Mul", name, x, 0.1);
    b.add("Add", name, &[&relu, &line], [])
}

/// `1.0507·elu(x)` with the slope 1.6732; rten has no operator of its own for it.
fn selu(b: &mut Builder, x: &str, name: &str) -> String {
    let elu = b.add("Elu", name, &[x], [("alpha", 1.6732.into())]);
    by(b, "Mul", name, &elu, 1.0507)
}

/// With `n = floor(x)`: `floor(x/2)`, and `x − n` more where `n` is odd.
fn stair(b: &mut Builder, x: &str, name: &str) -> String {
    let floor = b.add("Floor", name, &[x], []);
    let half = by(b, "Mul", name, &floor, 0.5);
    let half = b.add("Floor", name, &[&half], []);
    let twice = by(b, "Mul", name, &half, 2.0);
    let odd = b.add("Sub", name, &[&floor, &twice], []);
    let part = b.add("Sub", name, &[x, &floor], []);
    let part = b.add("Mul", name, &[&part, &odd], []);
    b.add("Add", name, &[&half, &part], [])
}

/// Sum over the channels of a pixel, plus Darknet's 0.0001.
fn channel_sum(b: &mut Builder, x: &str, name: &str) -> String {
    let axes = b.constant(&format!("{name}.axes"), Tensor::list(&[1]));
    let sum = b.add("ReduceSum", name, &[x, &axes], [("keepdims", 1.into())]);
    by(b, "Add", name, &sum, 0.0001)
}

/// `relu(x)` as a share of its sum over the channels.
fn normalize_channels(b: &mut Builder, x: &str, name: &str) -> String {
    let relu = b.add("Relu", name, &[x], []);
    let sum = channel_sum(b, &relu, name);
    b.add("Div", name, &[&relu, &sum], [])
}

/// `e^x`, or `e^(x − max)`, as a share of its sum over the channels.
fn channel_softmax(b: &mut Builder, x: &str, name: &str, from_maximum: bool) -> String {
    let shifted = if from_maximum {
        let axes = vec![1i64].into();
        let max = b.add(
            "ReduceMax",
            name,
            &[x],
            [("axes", axes), ("keepdims", 1.into())],
        );
        b.add("Sub", name, &[x, &max], [])
    } else {
        x.to_owned()
    };
    let exp = b.add("Exp", name, &[&shifted], []);
    let sum = channel_sum(b, &exp, name);
    b.add("Div", name, &[&exp, &sum], [])
}

//! Normalization: BatchNorm, LRN, MVN, Normalize.

use super::super::{
    blob::{image, signed, volume},
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope, numbers},
};
use crate::graph::{Attribute, Tensor};

/// Mean and variance of each channel, stored with the number that they are to be divided by, or
/// taken from the input itself.
pub(in super::super) fn batch_norm(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["moving_average_fraction", "engine"]);
    let stored = params.truth("use_global_stats").unwrap_or(true);
    let epsilon = params.float("eps").unwrap_or(1e-5);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let &[_, channels, ref rest @ ..] = dims.as_slice() else {
            return Err(Problem::unsupported(format!(
                "input of shape {dims:?}, without channels"
            )));
        };
        if !stored {
            let axes: Vec<i64> = std::iter::once(0).chain(2..2 + rest.len() as i64).collect();
            return moments(scope, &x, dims, &axes, Deviation::Inside(epsilon));
        }
        let blobs = scope.blobs(3)?;
        let [mean, variance, factor] = blobs.as_slice() else {
            return Err(Problem::malformed("the three blobs of weights are missing"));
        };
        let factor = numbers(factor, &[1])?.first().copied().unwrap_or(0.0);
        let scale = if factor.abs() > 0.0 {
            1.0 / factor
        } else {
            0.0
        };
        let mut inputs = vec![x];
        let scaled = |values: Vec<f32>| values.into_iter().map(|v| v * scale).collect::<Vec<_>>();
        let mean = scaled(numbers(mean, &[channels])?);
        let variance = scaled(numbers(variance, &[channels])?);
        let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
        for (suffix, values) in [
            ("gamma", ones),
            ("beta", zeros),
            ("mean", mean),
            ("variance", variance),
        ] {
            let values = Tensor::f32(vec![channels], &values)?;
            inputs.push(scope.constant(suffix, values));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let epsilon = [("epsilon", epsilon.into())];
        scope.give(0, "BatchNormalization", &inputs, epsilon, dims)
    })
}

/// What the centred values are divided by.
#[derive(Debug, Clone, Copy)]
enum Deviation {
    /// `√(variance + ε)`.
    Inside(f32),
    /// `√variance + ε`.
    Outside(f32),
    /// Nothing.
    None,
}

/// Takes the mean over `axes` away and divides by the deviation.
fn moments(
    scope: &mut Scope<'_>,
    x: &str,
    dims: Vec<usize>,
    axes: &[i64],
    deviation: Deviation,
) -> Result<(), Problem> {
    let mut small = dims.clone();
    for axis in axes {
        if let Some(extent) = usize::try_from(*axis).ok().and_then(|a| small.get_mut(a)) {
            *extent = 1;
        }
    }
    let attributes = || {
        [
            ("axes", Attribute::from(axes.to_vec())),
            ("keepdims", 1i64.into()),
        ]
    };
    let mean = scope.node("ReduceMean", "mean", &[x], attributes(), &small)?;
    let (before, after) = match deviation {
        Deviation::None => return scope.give(0, "Sub", &[x, &mean], [], dims),
        Deviation::Inside(epsilon) => (epsilon, 0.0),
        Deviation::Outside(epsilon) => (0.0, epsilon),
    };
    let centred = scope.node("Sub", "centred", &[x, &mean], [], &dims)?;
    let squares = scope.node("Mul", "squares", &[&centred, &centred], [], &dims)?;
    let mut value = scope.node("ReduceMean", "variance", &[&squares], attributes(), &small)?;
    if before > 0.0 {
        let epsilon = scope.scalar("epsilon", before);
        value = scope.node("Add", "positive", &[&value, &epsilon], [], &small)?;
    }
    value = scope.node("Sqrt", "deviation", &[&value], [], &small)?;
    if after > 0.0 {
        let epsilon = scope.scalar("epsilon", after);
        value = scope.node("Add", "divisor", &[&value, &epsilon], [], &small)?;
    }
    scope.give(0, "Div", &[&centred, &value], [], dims)
}

/// Each image, or each channel of it, less its mean and divided by its deviation.
pub(in super::super) fn mvn(params: &mut Params<'_>) -> Lowering {
    let divided = params.truth("normalize_variance").unwrap_or(true);
    let across = params.truth("across_channels").unwrap_or(false);
    let epsilon = params.float("eps").unwrap_or(1e-9);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        image(&dims)?;
        let axes: &[i64] = if across { &[1, 2, 3] } else { &[2, 3] };
        let deviation = if divided {
            Deviation::Outside(epsilon)
        } else {
            Deviation::None
        };
        moments(scope, &x, dims, axes, deviation)
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Region {
    Across,
    Within,
}

/// `x ÷ (k + α · mean(x²)) ^ β`, the mean over neighbouring channels or over a window of one
/// channel, where k is 1.
///
/// Written with a mean pooling rather than ONNX's `LRN`, which not every engine has: channels lie
/// along the height of a picture whose width are the pixels.
pub(in super::super) fn lrn(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["engine"]);
    let size = params.count("local_size").unwrap_or(5);
    let alpha = params.float("alpha").unwrap_or(1.0);
    let beta = params.float("beta").unwrap_or(0.75);
    let bias = params.float("k").unwrap_or(1.0);
    let regions = [
        ("ACROSS_CHANNELS", 0, Region::Across),
        ("WITHIN_CHANNEL", 1, Region::Within),
    ];
    let region = params
        .choice("norm_region", &regions)
        .unwrap_or(Region::Across);
    if size.is_multiple_of(2) || size > 1 << 16 {
        params.malformed("local_size", "not an odd number of usual size");
    }
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let [batch, channels, height, width] = image(&dims)?;
        let half = (size / 2) as i64;
        let size = size as i64;
        let squares = scope.node("Mul", "squares", &[&x, &x], [], &dims)?;
        let (bias, plane, kernel, pads) = match region {
            Region::Across => {
                let plane = vec![batch, 1, channels, height * width];
                (bias, plane, vec![size, 1], vec![half, 0, half, 0])
            }
            Region::Within => (1.0, dims.clone(), vec![size; 2], vec![half; 4]),
        };
        volume(&plane)?;
        let mut value = squares;
        if plane != dims {
            let shape = scope.list("plane_shape", &signed(&plane));
            value = scope.node("Reshape", "plane", &[&value, &shape], [], &plane)?;
        }
        let attributes = [
            ("count_include_pad", 1i64.into()),
            ("kernel_shape", kernel.into()),
            ("pads", pads.into()),
            ("strides", vec![1i64, 1].into()),
        ];
        value = scope.node("AveragePool", "means", &[&value], attributes, &plane)?;
        if plane != dims {
            let shape = scope.list("shape", &signed(&dims));
            value = scope.node("Reshape", "means_shaped", &[&value, &shape], [], &dims)?;
        }
        let factor = scope.scalar("alpha", alpha);
        let term = scope.scalar("k", bias);
        let exponent = scope.scalar("beta", beta);
        value = scope.node("Mul", "scaled", &[&value, &factor], [], &dims)?;
        value = scope.node("Add", "shifted", &[&value, &term], [], &dims)?;
        value = scope.node("Pow", "divisor", &[&value, &exponent], [], &dims)?;
        scope.give(0, "Div", &[&x, &value], [], dims)
    })
}

/// Each image, or each pixel of it, divided by the root of the sum of its squares, times a learned
/// scale.
pub(in super::super) fn normalize(params: &mut Params<'_>) -> Lowering {
    params.ignore(&["scale_filler"]);
    let across = params.truth("across_spatial").unwrap_or(true);
    let shared = params.truth("channel_shared").unwrap_or(true);
    let epsilon = params.float("eps").unwrap_or(1e-10);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let [batch, channels, height, width] = image(&dims)?;
        let (axes, small): (&[i64], _) = if across {
            (&[1, 2, 3], [batch, 1, 1, 1])
        } else {
            (&[1], [batch, 1, height, width])
        };
        let blobs = scope.blobs(1)?;
        let count = if shared { 1 } else { channels };
        let scale = blobs.first().map(|b| numbers(b, &[count])).transpose()?;
        let scale = Tensor::f32(vec![count, 1, 1], &scale.unwrap_or_default())?;
        let squares = scope.node("Mul", "squares", &[&x, &x], [], &dims)?;
        let axes = scope.list("axes", axes);
        let keep = [("keepdims", 1i64.into())];
        let sum = scope.node("ReduceSum", "sum", &[&squares, &axes], keep, &small)?;
        let epsilon = scope.scalar("epsilon", epsilon);
        let positive = scope.node("Add", "positive", &[&sum, &epsilon], [], &small)?;
        let norm = scope.node("Sqrt", "norm", &[&positive], [], &small)?;
        let unit = scope.node("Div", "unit", &[&x, &norm], [], &dims)?;
        let scale = scope.constant("scale", scale);
        scope.give(0, "Mul", &[&unit, &scale], [], dims)
    })
}

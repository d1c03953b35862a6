//! Layers with weights: `[convolutional]`, `[connected]`, `[batchnorm]`.
//!
//! Batch normalization is folded into the weights, in f64: `(x·w − mean) / deviation · scale + bias`
//! is `x·(w·f) + (bias − mean·f)` with `f = scale / deviation`. All three ways of Darknet's forks to
//! take the deviation are folded exactly; ONNX's own `BatchNormalization` has but one of them. The
//! file's own memory is changed, so that folding needs no second copy.

use super::{
    activation::find,
    net::{Layer, Net},
};
use crate::graph::{ElementType, Tensor};
use dyno_core::ImportError;
use dyno_formats::darknet::{Part, Section};

/// Number `index` of a part.
fn get(part: &[u8], index: usize) -> f64 {
    let (numbers, _) = part.as_chunks::<4>();
    numbers
        .get(index)
        .map_or(f64::NAN, |b| f64::from(f32::from_le_bytes(*b)))
}

/// Scales, means and variances of batch normalization, one per channel.
struct Statistics {
    scales: Part,
    means: Part,
    variances: Part,
}

impl Statistics {
    fn take(net: &mut Net, section: &Section, channels: usize) -> Option<Self> {
        let scales = net.take(section, &[channels]);
        let means = net.take(section, &[channels]);
        let variances = net.take(section, &[channels]);
        Some(Self {
            scales: scales?,
            means: means?,
            variances: variances?,
        })
    }
}

/// Folds the statistics into the weights, of which every channel has as many, and into the biases.
fn fold(
    net: &Net,
    section: &Section,
    weights: &mut Part,
    biases: &mut Part,
    statistics: &Statistics,
) -> Result<(), ImportError> {
    let (biases, _) = biases.as_chunks_mut::<4>();
    let each = weights.len() / biases.len().max(1);
    for ((channel, bias), weights) in biases.iter_mut().enumerate().zip(weights.chunks_mut(each)) {
        let variance = get(&statistics.variances, channel);
        let factor = get(&statistics.scales, channel) / net.epsilon.deviation(variance);
        let shifted =
            f64::from(f32::from_le_bytes(*bias)) - get(&statistics.means, channel) * factor;
        if !(factor.is_finite() && shifted.is_finite()) {
            let problem = format!(
                "batch normalization of channel {channel} gives no number: its variance is {variance}"
            );
            return Err(net.malformed(section, problem));
        }
        *bias = (shifted as f32).to_le_bytes();
        for number in weights.as_chunks_mut::<4>().0 {
            let folded = f64::from(f32::from_le_bytes(*number)) * factor;
            *number = (folded as f32).to_le_bytes();
        }
    }
    Ok(())
}

/// The activation that the section names, or `default`.
pub(super) fn activate(
    net: &mut Net,
    section: &Section,
    default: &str,
    layer: &Layer,
) -> Result<Layer, ImportError> {
    let kind = net.text(section, "activation", default)?.to_owned();
    let Some(function) = find(&kind) else {
        return Err(net.unsupported(section, format!("activation `{kind}`")));
    };
    let name = net.name(&kind);
    let value = function(&mut net.builder, &layer.value, &name);
    Ok(layer.with(value))
}

fn strides(net: &Net, section: &Section) -> Result<[usize; 2], ImportError> {
    let both = net.count(section, "stride", 1, 1)?;
    let one = |key: &str| -> Result<usize, ImportError> {
        // Below 1 is Darknet's word for `stride`.
        let n = net.number(section, key, -1i64)?;
        if n < 1 {
            Ok(both)
        } else {
            net.count(section, key, both, 1)
        }
    };
    Ok([one("stride_y")?, one("stride_x")?])
}

/// `[convolutional]`: biases, then scales, means and variances of batch normalization, then weights
/// `[filters, channels / groups, size, size]`.
pub(super) fn convolutional(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let filters = net.count(section, "filters", 1, 1)?;
    let size = net.count(section, "size", 1, 1)?;
    let groups = net.count(section, "groups", 1, 1)?;
    let stride = strides(net, section)?;
    let dilation = match size {
        1 => 1,
        _ => net.count(section, "dilation", 1, 1)?,
    };
    let pad = if net.flag(section, "pad")? {
        size / 2
    } else {
        net.count(section, "padding", 0, 0)?
    };
    if dilation > 1 && (size.is_multiple_of(2) || pad != size / 2) {
        let what = "`dilation` without `pad=1` or with an even `size`, whose extent Darknet counts \
                    in two ways";
        return Err(net.unsupported(section, what));
    }
    if size == 1 && stride == [1, 1] && pad > 0 {
        return Err(net.unsupported(section, "`padding` of a 1x1 convolution of stride 1"));
    }
    if !x.channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
        let problem = format!(
            "{} channels and {filters} filters are not multiples of {groups} groups",
            x.channels
        );
        return Err(net.malformed(section, problem));
    }
    let extent = |input: usize, stride: usize| {
        let padded = input.checked_add(2 * pad)?.checked_sub(size)?;
        Some(padded / stride + 1)
    };
    let (Some(height), Some(width)) = (extent(x.height, stride[0]), extent(x.width, stride[1]))
    else {
        let problem = format!("a kernel of {size} does not fit {}x{}", x.height, x.width);
        return Err(net.malformed(section, problem));
    };
    let name = net.name("conv");
    let layer = net.layer(section, name.clone(), [filters, height, width])?;

    let biases = net.take(section, &[filters]);
    let normalized = net.flag(section, "batch_normalize")?;
    let statistics = if normalized {
        Statistics::take(net, section, filters)
    } else {
        None
    };
    let shape = vec![filters, x.channels / groups, size, size];
    let weights = net.take(section, &shape);
    let (Some(mut biases), Some(mut weights)) = (biases, weights) else {
        return Ok(layer);
    };
    if let Some(statistics) = &statistics {
        fold(net, section, &mut weights, &mut biases, statistics)?;
    }
    let [weights, biases] = parameters(net, section, &name, (shape, weights), biases)?;
    let ints = |v: &[usize]| v.iter().map(|&n| n as i64).collect::<Vec<i64>>().into();
    let pads = pad * dilation;
    let value = net.builder.add(
        "Conv",
        &name,
        &[&x.value, &weights, &biases],
        [
            ("kernel_shape", ints(&[size; 2])),
            ("strides", ints(&stride)),
            ("pads", ints(&[pads; 4])),
            ("dilations", ints(&[dilation; 2])),
            ("group", (groups as i64).into()),
        ],
    );
    activate(net, section, "logistic", &layer.with(value))
}

/// Constants of weights and biases.
fn parameters(
    net: &mut Net,
    section: &Section,
    name: &str,
    (shape, weights): (Vec<usize>, Part),
    biases: Part,
) -> Result<[String; 2], ImportError> {
    let channels = shape.first().copied().unwrap_or_default();
    let weights = Tensor::new(ElementType::F32, shape, weights.freeze());
    let weights = net.constant(section, &format!("{name}.weight"), weights)?;
    let biases = Tensor::new(ElementType::F32, vec![channels], biases.freeze());
    let biases = net.constant(section, &format!("{name}.bias"), biases)?;
    Ok([weights, biases])
}

/// The matrix `[rows, columns]` with its axes exchanged.
fn transposed(matrix: &[u8], rows: usize, columns: usize) -> Part {
    let (numbers, _) = matrix.as_chunks::<4>();
    let mut part = Part::with_capacity(matrix.len());
    for column in 0..columns {
        for row in 0..rows {
            if let Some(number) = numbers.get(row * columns + column) {
                part.extend_from_slice(number);
            }
        }
    }
    part
}

/// `[connected]`: biases, then weights `[outputs, inputs]`, then scales, means and variances.
pub(super) fn connected(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let outputs = net.count(section, "output", 1, 1)?;
    let inputs = x.len();
    let name = net.name("connected");
    let layer = net.layer(section, name.clone(), [outputs, 1, 1])?;

    let biases = net.take(section, &[outputs]);
    let weights = net.take(section, &[outputs, inputs]);
    let normalized = net.flag(section, "batch_normalize")?;
    let statistics = if normalized {
        Statistics::take(net, section, outputs)
    } else {
        None
    };
    let (Some(mut biases), Some(mut weights)) = (biases, weights) else {
        return Ok(layer);
    };
    if net.weights.header().is_transposed() {
        weights = transposed(&weights, inputs, outputs);
    }
    if let Some(statistics) = &statistics {
        fold(net, section, &mut weights, &mut biases, statistics)?;
    }
    // A convolution over the whole picture keeps four axes, as every other layer has.
    let shape = vec![outputs, x.channels, x.height, x.width];
    let [weights, biases] = parameters(net, section, &name, (shape, weights), biases)?;
    let kernel = vec![x.height as i64, x.width as i64];
    let value = net.builder.add(
        "Conv",
        &name,
        &[&x.value, &weights, &biases],
        [("kernel_shape", kernel.into())],
    );
    activate(net, section, "logistic", &layer.with(value))
}

/// `[batchnorm]`: biases, scales, means and variances.
pub(super) fn batchnorm(net: &mut Net, section: &Section) -> Result<Layer, ImportError> {
    let x = net.before();
    let biases = net.take(section, &[x.channels]);
    let statistics = Statistics::take(net, section, x.channels);
    let (Some(mut biases), Some(statistics)) = (biases, statistics) else {
        return Ok(x);
    };
    let ones = vec![1.0f32; x.channels];
    let mut factors: Part = ones.iter().flat_map(|v| v.to_le_bytes()).collect();
    fold(net, section, &mut factors, &mut biases, &statistics)?;
    let name = net.name("bn");
    let shape = || vec![x.channels, 1, 1];
    let factors = Tensor::new(ElementType::F32, shape(), factors.freeze());
    let factors = net.constant(section, &format!("{name}.weight"), factors)?;
    let biases = Tensor::new(ElementType::F32, shape(), biases.freeze());
    let biases = net.constant(section, &format!("{name}.bias"), biases)?;
    let scaled = net.builder.add("Mul", &name, &[&x.value, &factors], []);
    let value = net.builder.add("Add", &name, &[&scaled, &biases], []);
    Ok(x.with(value))
}

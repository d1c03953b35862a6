//! Scaling and normalization with weights in blobs.

use super::{blob, blob_len, constant, needed};
use crate::graph::Tensor;
use crate::import::openvino::context::{Op, Outputs};
use crate::import::openvino::ops::activation::per_channel;
use crate::import::openvino::ops::arithmetic::reduction;

fn channels(op: &Op<'_>) -> Result<usize, String> {
    let dims = op.dims(0)?;
    let channels = dims.get(1).and_then(|d| usize::try_from(*d).ok());
    channels.ok_or_else(|| "the number of channels is open".to_owned())
}

/// `[C]` as a factor or summand of a tensor with `rank` axes.
fn spread(tensor: &Tensor, rank: usize) -> Result<Tensor, String> {
    let values = tensor.to_f32s().map_err(|e| e.to_string())?;
    per_channel(&values, rank)
}

/// `x·weights + biases` per channel.
pub(in crate::import::openvino) fn scale_shift(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("broadcast", &["0", "1"])?;
    let (count, rank) = (channels(op)?, op.rank(0)?);
    let mut x = op.x(0)?;
    let weights = needed(op, "weights", vec![count])?;
    let weights = constant(op, "weights", spread(&weights, rank)?);
    x = op.add("Mul", &[&x, &weights], []);
    if let Some(bias) = blob(op, "biases", vec![count])? {
        let bias = constant(op, "biases", spread(&bias, rank)?);
        x = op.add("Add", &[&x, &bias], []);
    }
    Ok(vec![x])
}

/// `(x - mean)/√(variance + ε)`: the variance is `weights`, the mean `biases`, as the plugins of
/// these versions read them.
pub(in crate::import::openvino) fn batch_normalization(op: &mut Op<'_>) -> Outputs {
    let epsilon: f32 = op.attributes.needed("epsilon")?;
    let (count, rank) = (channels(op)?, op.rank(0)?);
    let variance = needed(op, "weights", vec![count])?;
    let mean = needed(op, "biases", vec![count])?;
    let values = variance.to_f32s().map_err(|e| e.to_string())?;
    let factors: Vec<f32> = values.iter().map(|v| 1.0 / (v + epsilon).sqrt()).collect();
    let mut x = op.x(0)?;
    let mean = constant(op, "biases", spread(&mean, rank)?);
    x = op.add("Sub", &[&x, &mean], []);
    let factors = constant(op, "weights", per_channel(&factors, rank)?);
    Ok(vec![op.add("Mul", &[&x, &factors], [])])
}

/// Slopes of the negative side: one a channel, or one.
pub(in crate::import::openvino) fn prelu(op: &mut Op<'_>) -> Outputs {
    let shared = op.attributes.flag("channel_shared", false)?;
    let (count, rank) = (channels(op)?, op.rank(0)?);
    let count = if shared { 1 } else { count };
    let slope = needed(op, "weights", vec![count])?;
    let slope = constant(op, "weights", spread(&slope, rank)?);
    let x = op.x(0)?;
    Ok(vec![op.add("PRelu", &[&x, &slope], [])])
}

/// Local response normalization across channels; α is divided by the size in both.
pub(in crate::import::openvino) fn norm(op: &mut Op<'_>) -> Outputs {
    let alpha: f32 = op.attributes.needed("alpha")?;
    let beta: f32 = op.attributes.needed("beta")?;
    let bias: f32 = op.attributes.number("k", 1.0)?;
    let size: i64 = match op.attributes.text("local-size") {
        Some(_) => op.attributes.needed("local-size")?,
        None => op.attributes.needed("local_size")?,
    };
    op.attributes.only("region", &["across"])?;
    if size % 2 != 1 {
        return Err(format!("a window of {size} channels"));
    }
    let x = op.x(0)?;
    let attributes = [
        ("alpha", alpha.into()),
        ("beta", beta.into()),
        ("bias", bias.into()),
        ("size", size.into()),
    ];
    Ok(vec![op.add("LRN", &[&x], attributes)])
}

/// `x / √(Σx² + ε) · weights`, over the channels or all axes but the first.
pub(in crate::import::openvino) fn normalize(op: &mut Op<'_>) -> Outputs {
    let across = op.attributes.flag("across_spatial", false)?;
    let shared = op.attributes.flag("channel_shared", false)?;
    let epsilon: f32 = op.attributes.number("eps", 1e-10)?;
    let (count, rank) = (channels(op)?, op.rank(0)?);
    let count = if shared { 1 } else { count };
    let axes: Vec<i64> = if across {
        (1..rank as i64).collect()
    } else {
        vec![1]
    };
    let x = op.x(0)?;
    let square = op.add("Mul", &[&x, &x], []);
    let sum = reduction(op, "ReduceSum", &square, &axes, 1);
    let epsilon = op.constant(Tensor::scalar(epsilon));
    let sum = op.add("Add", &[&sum, &epsilon], []);
    let norm = op.add("Sqrt", &[&sum], []);
    let x = op.add("Div", &[&x, &norm], []);
    if blob_len(op, "weights").is_none() {
        return Ok(vec![x]);
    }
    let weights = needed(op, "weights", vec![count])?;
    let weights = constant(op, "weights", spread(&weights, rank)?);
    Ok(vec![op.add("Mul", &[&x, &weights], [])])
}

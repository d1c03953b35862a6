//! Batch normalization behind a convolution, a transposed one or `Gemm`: scale and shift of each
//! channel go into the weights, `w · s / √(v + ε)`, computed in f64 and rounded once.

use super::edit::{Names, uses};
use crate::graph::{Attribute, ElementType, Graph, Node, Tensor};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn run(graph: &mut Graph) -> bool {
    let uses = uses(graph);
    let mut names = Names::of(graph);
    let producers: BTreeMap<String, usize> = graph
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(at, n)| Some((n.outputs.first()?.clone(), at)))
        .collect();
    let mut gone = BTreeSet::new();
    for at in 0..graph.nodes.len() {
        let folded = (|| {
            let norm = graph.nodes.get(at)?;
            let between = norm.inputs.first()?;
            let before = *producers.get(between)?;
            let alone = uses.get(between) == Some(&1) && !gone.contains(&before);
            let weighted = graph.nodes.get(before).filter(|_| alone)?;
            let folded = fold(graph, norm, weighted)?;
            Some((before, norm.outputs.first()?.clone(), folded))
        })();
        let Some((before, output, (weights, bias))) = folded else {
            continue;
        };
        let Some(node) = graph.nodes.get_mut(before) else {
            continue;
        };
        let weights_name = names.unique(&format!("{output}_weights"));
        let bias_name = names.unique(&format!("{output}_bias"));
        node.inputs.truncate(1);
        node.inputs
            .extend([weights_name.clone(), bias_name.clone()]);
        // The node now stands for both, under the name of the second one's output.
        graph.values.remove(&node.outputs[0]);
        node.outputs[0] = output;
        graph.initializers.insert(weights_name, weights);
        graph.initializers.insert(bias_name, bias);
        gone.insert(at);
    }
    let mut at = 0..;
    graph
        .nodes
        .retain(|_| !gone.contains(&at.next().unwrap_or(0)));
    !gone.is_empty()
}

/// Weights and bias of `weighted` with `norm` in them.
fn fold(graph: &Graph, norm: &Node, weighted: &Node) -> Option<(Tensor, Tensor)> {
    if norm.op != "BatchNormalization" || !norm.domain.is_empty() || !weighted.domain.is_empty() {
        return None;
    }
    let training = norm.int("training_mode").unwrap_or(0) != 0
        || norm.outputs.iter().skip(1).any(|o| !o.is_empty())
        || norm.int("spatial") == Some(0);
    if training {
        return None;
    }
    let constant = |node: &Node, at: usize| {
        let tensor = graph.initializers.get(node.inputs.get(at)?)?;
        (tensor.dtype() == ElementType::F32).then_some(tensor)
    };
    let weights = constant(weighted, 1)?;
    let group = usize::try_from(weighted.int("group").unwrap_or(1)).ok()?;
    let dims = weights.dims();
    // Which channel an element of the weights belongs to: `(element / inner) % channels`, and of a
    // transposed convolution with groups, the group besides.
    let (channels, inner) = match weighted.op.as_str() {
        "Conv" => (*dims.first()?, dims.iter().skip(1).product::<usize>()),
        "ConvTranspose" => (
            dims.get(1)?.checked_mul(group)?,
            dims.iter().skip(2).product(),
        ),
        "Gemm" => {
            let number = |name: &str| match weighted.attributes.get(name) {
                None => true,
                Some(Attribute::Float(v)) => v.to_bits() == 1f32.to_bits(),
                Some(_) => false,
            };
            if !number("alpha") || !number("beta") || graph.opset < 7 {
                return None;
            }
            if weighted.int("transB").unwrap_or(0) != 0 {
                (*dims.first()?, *dims.get(1)?)
            } else {
                (*dims.get(1)?, 1)
            }
        }
        _ => return None,
    };
    let parameter = |at: usize| {
        let values = constant(norm, at)?.to_f32s().ok()?;
        (values.len() == channels).then_some(values)
    };
    let (scale, shift, mean, variance) =
        (parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?);
    let epsilon = f64::from(norm.float("epsilon").unwrap_or(1e-5));
    let factors: Vec<f64> = scale
        .iter()
        .zip(&variance)
        .map(|(&s, &v)| f64::from(s) / (f64::from(v) + epsilon).sqrt())
        .collect();
    if inner == 0 || channels == 0 || !factors.iter().all(|f| f.is_finite()) {
        return None;
    }
    let bias = if weighted.inputs.get(2).is_some_and(|b| !b.is_empty()) {
        let values = constant(weighted, 2)?.to_f32s().ok()?;
        match values.as_slice() {
            [one] => vec![*one; channels],
            _ if values.len() == channels => values,
            _ => return None,
        }
    } else {
        vec![0.0; channels]
    };
    let mut values = weights.to_f32s().ok()?;
    let each = channels
        / if weighted.op == "ConvTranspose" {
            group.max(1)
        } else {
            1
        };
    let per_group = dims.first()? / group.max(1);
    for (at, w) in values.iter_mut().enumerate() {
        let mut channel = (at / inner) % each;
        if weighted.op == "ConvTranspose" {
            channel += at / inner / each / per_group.max(1) * each;
        }
        *w = (f64::from(*w) * factors.get(channel)?) as f32;
    }
    let folded: Vec<f32> = (0..channels)
        .map(|c| {
            let centred = f64::from(bias[c]) - f64::from(mean[c]);
            (centred * factors[c] + f64::from(shift[c])) as f32
        })
        .collect();
    Some((
        Tensor::f32(dims.to_vec(), &values).ok()?,
        Tensor::f32(vec![channels], &folded).ok()?,
    ))
}

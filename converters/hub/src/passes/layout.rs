//! How operations work on a value whose axes stand in another order.

use super::transposes::Mover;
use crate::{
    eval::permuted,
    graph::{Attribute, Graph, Node, Tensor},
};

/// A value that is held back: axis `i` of it is axis `perm[i]` of `base`.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) base: String,
    pub(super) perm: Vec<usize>,
}

impl Held {
    /// This value, transposed once more.
    pub(super) fn then(&self, perm: &[usize]) -> Self {
        let both = perm.iter().filter_map(|&q| self.perm.get(q).copied());
        Self {
            base: self.base.clone(),
            perm: both.collect(),
        }
    }
}

pub(super) fn is_identity(perm: &[usize]) -> bool {
    perm.iter().enumerate().all(|(at, &p)| at == p)
}

/// The order of axes that a `Transpose` states, or turns round.
pub(super) fn perm_of(graph: &Graph, node: &Node) -> Option<Vec<usize>> {
    let rank = |name: &String| Some(graph.value(name)?.shape?.len());
    let perm: Vec<usize> = match node.ints("perm") {
        Some(perm) => perm
            .iter()
            .map(|&p| usize::try_from(p).ok())
            .collect::<Option<_>>()?,
        None => (0..rank(node.inputs.first()?)?).rev().collect(),
    };
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    is_identity(&sorted).then_some(perm)
}

/// `list`, one element an axis of the value, in the order of the base's axes.
pub(super) fn inverse_order<T: Clone>(list: &[T], perm: &[usize]) -> Option<Vec<T>> {
    let inverse = inverse(perm)?;
    inverse.iter().map(|&i| list.get(i).cloned()).collect()
}

fn inverse(perm: &[usize]) -> Option<Vec<usize>> {
    (0..perm.len())
        .map(|base| perm.iter().position(|&p| p == base))
        .collect()
}

/// A node that works on bases, and the order of axes of its results.
type Moved = Option<(Node, Vec<usize>)>;
type Move = fn(&mut Mover<'_>, &Node, &[usize]) -> Moved;

/// The operations that can work on bases.
const OPS: &[(&str, Move)] = &[
    ("Abs", elementwise),
    ("Add", elementwise),
    ("ArgMax", reduce),
    ("ArgMin", reduce),
    ("Cast", elementwise),
    ("Ceil", elementwise),
    ("Clip", elementwise),
    ("Concat", along),
    ("DequantizeLinear", elementwise),
    ("Div", elementwise),
    ("Dropout", elementwise),
    ("Elu", elementwise),
    ("Equal", elementwise),
    ("Erf", elementwise),
    ("Exp", elementwise),
    ("Flatten", reshape),
    ("Floor", elementwise),
    ("Greater", elementwise),
    ("HardSigmoid", elementwise),
    ("HardSwish", elementwise),
    ("Identity", elementwise),
    ("LeakyRelu", elementwise),
    ("Less", elementwise),
    ("Log", elementwise),
    ("LogSoftmax", along),
    ("Max", elementwise),
    ("Min", elementwise),
    ("Mish", elementwise),
    ("Mul", elementwise),
    ("Neg", elementwise),
    ("Not", elementwise),
    ("PRelu", elementwise),
    ("Pad", pad),
    ("Pow", elementwise),
    ("QuantizeLinear", elementwise),
    ("Reciprocal", elementwise),
    ("ReduceL1", reduce),
    ("ReduceL2", reduce),
    ("ReduceMax", reduce),
    ("ReduceMean", reduce),
    ("ReduceMin", reduce),
    ("ReduceProd", reduce),
    ("ReduceSum", reduce),
    ("ReduceSumSquare", reduce),
    ("Relu", elementwise),
    ("Reshape", reshape),
    ("Resize", resize),
    ("Round", elementwise),
    ("Selu", elementwise),
    ("Sigmoid", elementwise),
    ("Sign", elementwise),
    ("Slice", slice),
    ("Softmax", along),
    ("Softplus", elementwise),
    ("Softsign", elementwise),
    ("Split", along),
    ("Sqrt", elementwise),
    ("Squeeze", reduce),
    ("Sub", elementwise),
    ("Sum", elementwise),
    ("Tanh", elementwise),
    ("Where", elementwise),
];

/// `node` on the bases of its inputs, if it can work on them.
pub(super) fn moved(m: &mut Mover<'_>, node: &Node) -> Moved {
    // Operator set 13 gave one meaning to axes; before 7, elements were matched differently.
    if m.graph.opset < 13 {
        return None;
    }
    let at = OPS
        .binary_search_by_key(&node.op.as_str(), |(n, _)| n)
        .ok()?;
    let held = node.inputs.iter().find_map(|i| m.held.get(i))?;
    let perm = held.perm.clone();
    OPS.get(at)?.1(m, node, &perm)
}

/// `node` with input `at` on its base.
fn on_base(m: &Mover<'_>, node: &Node, at: usize, perm: &[usize]) -> Option<Node> {
    let held = m.held.get(node.inputs.get(at)?)?;
    let mut node = node.clone();
    if held.perm == perm {
        node.inputs[at].clone_from(&held.base);
        Some(node)
    } else {
        None
    }
}

/// The base of input `name`: of a value that is held back in the same order, or of a constant.
fn base(m: &mut Mover<'_>, name: &str, perm: &[usize]) -> Option<String> {
    if name.is_empty() {
        return Some(String::new());
    }
    if let Some(held) = m.held.get(name) {
        return (held.perm == perm).then(|| held.base.clone());
    }
    let tensor = m.graph.initializers.get(name)?;
    // One element beside many has no order.
    if tensor.len() == 1 && tensor.dims().len() <= perm.len() {
        return Some(name.to_owned());
    }
    let missing = perm.len().checked_sub(tensor.dims().len())?;
    let mut dims = vec![1; missing];
    dims.extend(tensor.dims());
    let wide = tensor.reshaped(dims).ok()?;
    let turned = permuted(&wide, &inverse(perm)?)?;
    Some(m.constant(name, turned))
}

fn elementwise(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    let quantized = matches!(node.op.as_str(), "QuantizeLinear" | "DequantizeLinear");
    let mut moved = node.clone();
    for (at, name) in node.inputs.iter().enumerate() {
        if quantized && at > 0 {
            // A scale for each element of an axis has an order of its own.
            if m.graph.initializers.get(name).is_none_or(|t| t.len() != 1) {
                return None;
            }
            continue;
        }
        moved.inputs[at] = base(m, name, perm)?;
    }
    Some((moved, perm.to_vec()))
}

/// An axis of the value, counted from the end when negative.
fn axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let at = if axis < 0 {
        axis.checked_add(rank)?
    } else {
        axis
    };
    usize::try_from(at).ok().filter(|_| at < rank)
}

/// Operations along the axis of an attribute.
fn along(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    let default = if node.op == "Split" { 0 } else { -1 };
    let stated = axis(node.int("axis").unwrap_or(default), perm.len())?;
    let mut moved = node.clone();
    let count = if node.op == "Concat" {
        node.inputs.len()
    } else {
        1
    };
    for at in 0..count {
        let name = node.inputs.get(at)?;
        // Pieces have all their axes, also where they are constants of one element.
        if let Some(tensor) = m.graph.initializers.get(name)
            && tensor.dims().len() != perm.len()
        {
            return None;
        }
        moved.inputs[at] = base(m, name, perm)?;
    }
    let axis = i64::try_from(*perm.get(stated)?).ok()?;
    moved
        .attributes
        .insert("axis".to_owned(), Attribute::Int(axis));
    Some((moved, perm.to_vec()))
}

/// The axes of `node`, and where they stand: 0 for an attribute, else the input.
fn axes_of(m: &Mover<'_>, node: &Node, rank: usize) -> Option<Vec<usize>> {
    let stated = match (node.ints("axes"), node.inputs.get(1)) {
        (Some(axes), _) => axes.to_vec(),
        (None, Some(name)) if !name.is_empty() => m.graph.initializers.get(name)?.to_i64s().ok()?,
        (None, _) => return None,
    };
    stated.iter().map(|&a| axis(a, rank)).collect()
}

/// Reductions along axes, which stay with size 1 or go.
fn reduce(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    let arg = node.op.starts_with("Arg");
    let axes = if arg {
        vec![axis(node.int("axis").unwrap_or(0), perm.len())?]
    } else {
        axes_of(m, node, perm.len())?
    };
    let mut moved = on_base(m, node, 0, perm)?;
    let mut gone: Vec<usize> = axes.iter().filter_map(|&a| perm.get(a).copied()).collect();
    gone.sort_unstable();
    let list: Vec<i64> = gone.iter().map(|&a| a as i64).collect();
    if arg {
        let axis = *list.first()?;
        moved
            .attributes
            .insert("axis".to_owned(), Attribute::Int(axis));
    } else if node.ints("axes").is_some() {
        moved
            .attributes
            .insert("axes".to_owned(), Attribute::Ints(list));
    } else {
        moved.inputs[1] = m.constant(&node.inputs[1], Tensor::list(&list));
    }
    if node.op != "Squeeze" && node.int("keepdims").unwrap_or(1) != 0 {
        return Some((moved, perm.to_vec()));
    }
    let kept: Vec<usize> = (0..perm.len()).filter(|b| !gone.contains(b)).collect();
    let order = perm.iter().filter(|p| !gone.contains(p));
    let order = order.map(|p| kept.iter().position(|k| k == p));
    Some((moved, order.collect::<Option<_>>()?))
}

/// The integers of constant input `at`.
fn integers(m: &Mover<'_>, node: &Node, at: usize) -> Option<Vec<i64>> {
    m.graph
        .initializers
        .get(node.inputs.get(at)?)?
        .to_i64s()
        .ok()
}

fn pad(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    if node.inputs.get(3).is_some_and(|i| !i.is_empty()) {
        return None;
    }
    let pads = integers(m, node, 1)?;
    let (before, behind) = pads.split_at_checked(perm.len())?;
    let mut turned = inverse_order(before, perm)?;
    turned.extend(inverse_order(behind, perm)?);
    let mut moved = on_base(m, node, 0, perm)?;
    moved.inputs[1] = m.constant(&node.inputs[1], Tensor::list(&turned));
    Some((moved, perm.to_vec()))
}

fn slice(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    let stated = if node.inputs.get(3).is_some_and(|i| !i.is_empty()) {
        integers(m, node, 3)?
    } else {
        let starts = m.graph.value(node.inputs.get(1)?)?.fixed_shape()?;
        (0..i64::try_from(*starts.first()?).ok()?).collect()
    };
    let axes = stated
        .iter()
        .map(|&a| i64::try_from(*perm.get(axis(a, perm.len())?)?).ok())
        .collect::<Option<Vec<_>>>()?;
    let mut moved = on_base(m, node, 0, perm)?;
    moved.inputs.resize(node.inputs.len().max(4), String::new());
    moved.inputs[3] = m.constant("axes", Tensor::list(&axes));
    Some((moved, perm.to_vec()))
}

fn resize(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    let crops = node.text("coordinate_transformation_mode") == Some("tf_crop_and_resize");
    if crops || node.attributes.contains_key("axes") {
        return None;
    }
    let mut moved = on_base(m, node, 0, perm)?;
    for at in [2, 3] {
        let Some(name) = node.inputs.get(at).filter(|i| !i.is_empty()) else {
            continue;
        };
        let tensor = m.graph.initializers.get(name)?;
        if tensor.is_empty() {
            continue;
        }
        let turned = if at == 2 {
            let scales = inverse_order(&tensor.to_f32s().ok()?, perm)?;
            Tensor::f32(vec![scales.len()], &scales).ok()?
        } else {
            Tensor::list(&inverse_order(&tensor.to_i64s().ok()?, perm)?)
        };
        moved.inputs[at] = m.constant(name, turned);
    }
    Some((moved, perm.to_vec()))
}

/// A reshape behind a transpose that moves axes of size 1 only: the elements stand in the same
/// order in the base.
fn reshape(m: &mut Mover<'_>, node: &Node, perm: &[usize]) -> Moved {
    let from = m.graph.value(node.inputs.first()?)?.fixed_shape()?;
    let to = m.graph.value(node.outputs.first()?)?.fixed_shape()?;
    let order: Vec<usize> = perm
        .iter()
        .zip(&from)
        .filter(|(_, n)| **n != 1)
        .map(|(&p, _)| p)
        .collect();
    if !order.is_sorted() {
        return None;
    }
    let mut moved = on_base(m, node, 0, perm)?;
    let shape: Vec<i64> = to.iter().map(|&n| n as i64).collect();
    "Reshape".clone_into(&mut moved.op);
    moved.attributes.clear();
    moved.inputs.truncate(1);
    moved.inputs.push(m.constant("shape", Tensor::list(&shape)));
    Some((moved, (0..to.len()).collect()))
}

#[test]
fn the_table_is_sorted() {
    assert!(OPS.is_sorted_by(|a, b| a.0 < b.0));
}

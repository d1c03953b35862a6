//! Operations that change nothing: `Identity`, `Dropout` outside training, casts to the type that
//! is there, transposes and reshapes to the shape that is there, lists of one.

use super::edit::{pinned, rename_inputs, uses};
use crate::graph::{Graph, Node};
use std::collections::BTreeMap;

pub(super) fn run(graph: &mut Graph) -> bool {
    let (pinned, uses) = (pinned(graph), uses(graph));
    let producers: BTreeMap<String, usize> = graph
        .nodes
        .iter()
        .enumerate()
        .flat_map(|(at, n)| n.outputs.iter().map(move |o| (o.clone(), at)))
        .collect();
    // Names of inputs that are replaced, and of outputs of nodes.
    let (mut inputs, mut outputs) = (BTreeMap::new(), BTreeMap::new());
    let mut gone = vec![false; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        let (Some(from), Some(to)) = (node.inputs.first(), node.outputs.first()) else {
            continue;
        };
        let others = node.outputs.iter().skip(1);
        if !changes_nothing(graph, node) || others.into_iter().any(|o| uses.contains_key(o)) {
            continue;
        }
        if !pinned.contains(to) {
            // Nodes stand in order: what `from` was replaced by is known.
            let first = inputs.get(from).unwrap_or(from).clone();
            inputs.insert(to.clone(), first);
            gone[at] = true;
        } else if producers.contains_key(from)
            && !pinned.contains(from)
            && !outputs.contains_key(from)
            && !inputs.contains_key(from)
        {
            // The node before makes the output under its name.
            outputs.insert(from.clone(), to.clone());
            gone[at] = true;
        }
    }
    if !gone.contains(&true) {
        return false;
    }
    let mut all = gone.iter();
    graph
        .nodes
        .retain(|_| !all.next().copied().unwrap_or(false));
    rename_inputs(graph, &inputs);
    rename_inputs(graph, &outputs);
    for output in graph.nodes.iter_mut().flat_map(|n| &mut n.outputs) {
        if let Some(name) = outputs.get(output) {
            output.clone_from(name);
        }
    }
    for name in inputs.keys().chain(outputs.keys()) {
        graph.values.remove(name);
    }
    true
}

fn changes_nothing(graph: &Graph, node: &Node) -> bool {
    if !node.domain.is_empty() {
        return false;
    }
    let value = |name: Option<&String>| name.and_then(|n| graph.value(n));
    let before = || value(node.inputs.first());
    let after = || value(node.outputs.first());
    match node.op.as_str() {
        "Identity" => true,
        // Before operator set 7 it says whether it is a test, then whether it is training.
        "Dropout" if graph.opset < 7 => node.int("is_test").is_some_and(|t| t != 0),
        "Dropout" => node.inputs.get(2).is_none_or(String::is_empty),
        "Cast" => {
            let from = before().and_then(|v| v.dtype);
            from.is_some_and(|f| Some(i64::from(f.onnx())) == node.int("to"))
        }
        "Transpose" => {
            let perm = node.ints("perm").unwrap_or_default();
            !perm.is_empty() && perm.iter().zip(0..).all(|(&p, at)| p == at)
        }
        "Reshape" | "Flatten" | "Expand" | "Squeeze" | "Unsqueeze" => {
            let (from, to) = (before(), after());
            let shape = |v: Option<crate::graph::Value>| v.and_then(|v| v.fixed_shape());
            let from = shape(from);
            from.is_some() && from == shape(to)
        }
        "Concat" | "Sum" | "Mean" | "Max" | "Min" => node.inputs.len() == 1,
        _ => false,
    }
}

//! Constant folding: nodes whose inputs are constants become constants, and so do shapes that are
//! known before the graph runs.

use crate::{
    eval::evaluate,
    graph::{Graph, Node, Tensor},
};

/// A result may be this much larger than the inputs it is made of: a file should not grow because
/// a large constant follows from a small one.
const MOST_GROWTH_BYTES: usize = 1 << 20;

pub(super) fn run(graph: &mut Graph) -> bool {
    let outputs: std::collections::BTreeSet<String> =
        graph.outputs.iter().map(|o| o.name.clone()).collect();
    let before = graph.nodes.len();
    let mut kept = Vec::with_capacity(before);
    for node in std::mem::take(&mut graph.nodes) {
        // An output of the graph stays the output of a node.
        let free = node.outputs.iter().all(|o| !outputs.contains(o));
        match free.then(|| value(graph, &node)).flatten() {
            Some(tensor) => {
                if let Some(name) = node.outputs.first() {
                    graph.values.remove(name);
                    graph.initializers.insert(name.clone(), tensor);
                }
            }
            None => kept.push(node),
        }
    }
    graph.nodes = kept;
    graph.nodes.len() != before
}

fn value(graph: &Graph, node: &Node) -> Option<Tensor> {
    if node.domain.is_empty() && node.op == "Shape" && node.attributes.is_empty() {
        let shape = graph.value(node.inputs.first()?)?.fixed_shape()?;
        let sizes = shape.iter().map(|&n| i64::try_from(n).ok());
        return Some(Tensor::list(&sizes.collect::<Option<Vec<_>>>()?));
    }
    let mut inputs = Vec::with_capacity(node.inputs.len());
    let mut bytes = 0;
    for name in &node.inputs {
        if name.is_empty() {
            inputs.push(None);
            continue;
        }
        let tensor = graph.initializers.get(name)?;
        bytes += tensor.bytes().len();
        inputs.push(Some(tensor));
    }
    let found = evaluate(node, inputs)?;
    let own = node.op == "Constant" || found.bytes().len() <= bytes + MOST_GROWTH_BYTES;
    own.then_some(found)
}

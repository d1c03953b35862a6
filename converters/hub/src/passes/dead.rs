//! Nodes, weights and facts that no output needs.

use super::edit::pinned;
use crate::graph::Graph;

pub(super) fn run(graph: &mut Graph) -> bool {
    let mut needed = pinned(graph);
    let before = graph.nodes.len() + graph.initializers.len();
    let mut kept = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes).into_iter().rev() {
        if !node.outputs.iter().any(|o| needed.contains(o)) {
            continue;
        }
        needed.extend(node.inputs.iter().cloned());
        // Outputs at the end that nobody wants are not made.
        while node.outputs.len() > 1
            && node.outputs.last().is_some_and(|o| !needed.contains(o))
            && node.op != "Split"
        {
            node.outputs.pop();
        }
        kept.push(node);
    }
    kept.reverse();
    graph.nodes = kept;
    graph.initializers.retain(|name, _| needed.contains(name));
    let made: std::collections::BTreeSet<&String> =
        graph.nodes.iter().flat_map(|n| &n.outputs).collect();
    graph.values.retain(|name, _| made.contains(name));
    before != graph.nodes.len() + graph.initializers.len()
}

//! Which values are alive at once.

use crate::graph::Graph;
use std::collections::BTreeMap;

/// Most bytes that are alive at once; `None` when a value has an open shape or no known type.
pub(super) fn peak_bytes(graph: &Graph) -> Option<u64> {
    // The last node that reads each value; outputs are read by the one who runs the graph.
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        for name in node.inputs.iter().chain(&node.outputs) {
            last.insert(name, at);
        }
    }
    for output in &graph.outputs {
        last.insert(&output.name, usize::MAX);
    }
    let size = |name: &str| -> Option<u64> {
        let value = graph.value(name)?;
        let dtype = value.dtype?.size_bytes() as u64;
        let shape = value.fixed_shape()?;
        shape
            .iter()
            .try_fold(dtype, |n, &d| n.checked_mul(d as u64))
    };
    let mut alive = 0u64;
    for input in &graph.inputs {
        alive = alive.checked_add(size(&input.name)?)?;
    }
    let mut peak = alive;
    for (at, node) in graph.nodes.iter().enumerate() {
        let made = node.outputs.iter().filter(|o| !o.is_empty());
        for name in made {
            alive = alive.checked_add(size(name)?)?;
        }
        peak = peak.max(alive);
        let mut over: Vec<&str> = node
            .inputs
            .iter()
            .chain(&node.outputs)
            .map(String::as_str)
            .filter(|n| !n.is_empty() && !graph.initializers.contains_key(*n))
            .filter(|n| last.get(n) == Some(&at))
            .collect();
        over.sort_unstable();
        over.dedup();
        for name in over {
            alive = alive.saturating_sub(size(name)?);
        }
    }
    Some(peak)
}

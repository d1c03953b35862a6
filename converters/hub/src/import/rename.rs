//! Outputs get the names that they are to have.

use crate::graph::Graph;
use std::collections::{BTreeMap, BTreeSet};

/// Values of `graph` get the names of `names`; who had one of these names before gets another.
pub(super) fn rename(graph: &mut Graph, names: &BTreeMap<String, String>) {
    let wanted: BTreeSet<&String> = names.values().collect();
    let mut all: BTreeSet<String> = graph.initializers.keys().cloned().collect();
    all.extend(graph.nodes.iter().flat_map(|n| n.outputs.iter().cloned()));
    let mut map = names.clone();
    for name in &all {
        if !wanted.contains(name) || names.contains_key(name) {
            continue;
        }
        let mut other = format!("{name}/inner");
        while all.contains(&other) || wanted.contains(&other) {
            other.push('_');
        }
        map.insert(name.clone(), other);
    }
    let renamed = |name: &mut String| {
        if let Some(new) = map.get(name) {
            name.clone_from(new);
        }
    };
    for node in &mut graph.nodes {
        node.inputs.iter_mut().for_each(renamed);
        node.outputs.iter_mut().for_each(renamed);
    }
    graph.initializers = std::mem::take(&mut graph.initializers)
        .into_iter()
        .map(|(mut name, tensor)| {
            renamed(&mut name);
            (name, tensor)
        })
        .collect();
    graph.values = std::mem::take(&mut graph.values)
        .into_iter()
        .map(|(mut name, mut value)| {
            renamed(&mut name);
            renamed(&mut value.name);
            (name, value)
        })
        .collect();
}

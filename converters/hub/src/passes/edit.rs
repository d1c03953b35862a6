//! What passes ask of a graph and do to it.

use crate::graph::{Attribute, Graph};
use std::collections::{BTreeMap, BTreeSet};

/// Names that bodies of loops and branches use, or could: all that stand in them.
fn in_bodies(graph: &Graph, found: &mut BTreeSet<String>) {
    for node in &graph.nodes {
        for attribute in node.attributes.values() {
            if let Attribute::Graph(body) = attribute {
                for inner in &body.nodes {
                    found.extend(inner.inputs.iter().cloned());
                }
                found.extend(body.outputs.iter().map(|o| o.name.clone()));
                in_bodies(body, found);
            }
        }
    }
}

/// Values that must keep their names: outputs of the graph, and what bodies use.
pub(super) fn pinned(graph: &Graph) -> BTreeSet<String> {
    let mut found = graph.outputs.iter().map(|o| o.name.clone()).collect();
    in_bodies(graph, &mut found);
    found
}

/// How often each value is an input of a node, an output of the graph, or used in a body.
pub(super) fn uses(graph: &Graph) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let inputs = graph.nodes.iter().flat_map(|n| n.inputs.iter().cloned());
    for name in inputs.chain(pinned(graph)) {
        *found.entry(name).or_insert(0) += 1;
    }
    found
}

/// Renames the inputs of all nodes.
pub(super) fn rename_inputs(graph: &mut Graph, names: &BTreeMap<String, String>) {
    for node in &mut graph.nodes {
        for input in &mut node.inputs {
            // A name may have been replaced by one that was replaced, too.
            while let Some(other) = names.get(input) {
                input.clone_from(other);
            }
        }
    }
}

/// A name that no value of the graph has.
pub(super) struct Names(BTreeSet<String>);

impl Names {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut taken: BTreeSet<String> = graph.initializers.keys().cloned().collect();
        taken.extend(graph.inputs.iter().map(|i| i.name.clone()));
        taken.extend(graph.nodes.iter().flat_map(|n| n.outputs.iter().cloned()));
        in_bodies(graph, &mut taken);
        Self(taken)
    }

    /// `wanted`, or that with a number.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 0;
        while !self.0.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }
}

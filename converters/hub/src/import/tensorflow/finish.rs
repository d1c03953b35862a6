//! The end of a translation: outputs get their names, and what none of them needs goes.

use super::{context::Context, value::Live};
use crate::{
    HubError,
    graph::{Graph, Node},
};
use std::collections::{BTreeMap, BTreeSet};

/// The graph with `outputs`, each a name and its value.
///
/// # Errors
/// A shape of the translation that contradicts the one that was inferred.
pub(super) fn finish(mut cx: Context<'_>, outputs: &[(String, Live)]) -> Result<Graph, HubError> {
    let mut named = Vec::new();
    for (name, live) in outputs {
        let value = if live.nchw {
            cx.turn(live).name
        } else {
            live.name.clone()
        };
        named.push((name.clone(), value));
    }
    let mut graph = cx.builder.finish()?;
    let inputs: BTreeSet<String> = graph.inputs.iter().map(|i| i.name.clone()).collect();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &named {
        // An input, or a value that is an output already, is handed on under the other name.
        if inputs.contains(value) || names.contains_key(value) {
            graph.nodes.push(Node {
                name: name.clone(),
                op: "Identity".to_owned(),
                inputs: vec![value.clone()],
                outputs: vec![name.clone()],
                ..Node::default()
            });
        } else {
            names.insert(value.clone(), name.clone());
        }
    }
    rename(&mut graph, &names);
    prune(&mut graph, named.iter().map(|(name, _)| name.clone()));
    for ((name, live), _) in outputs.iter().zip(&named) {
        let value = crate::graph::Value::new(name.clone(), live.dtype, &live.dims);
        graph.values.remove(name);
        graph.outputs.push(value);
    }
    Ok(graph)
}

fn rename(graph: &mut Graph, names: &BTreeMap<String, String>) {
    for node in &mut graph.nodes {
        for name in node.inputs.iter_mut().chain(&mut node.outputs) {
            if let Some(new) = names.get(name) {
                new.clone_into(name);
            }
        }
    }
    for (old, new) in names {
        if let Some(mut value) = graph.values.remove(old) {
            value.name.clone_from(new);
            graph.values.insert(new.clone(), value);
        }
    }
}

/// Leaves what `outputs` need; inputs stay.
fn prune(graph: &mut Graph, outputs: impl Iterator<Item = String>) {
    let mut needed: BTreeSet<String> = outputs.collect();
    let mut kept = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes).into_iter().rev() {
        if node.outputs.iter().any(|o| needed.contains(o)) {
            needed.extend(node.inputs.iter().cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    let made: BTreeSet<&String> = kept.iter().flat_map(|n| &n.outputs).collect();
    graph.values.retain(|name, _| made.contains(name));
    graph.initializers.retain(|name, _| needed.contains(name));
    graph.nodes = kept;
}

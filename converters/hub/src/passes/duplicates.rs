//! Initializers with the same type, shape and bytes: one is kept.

use super::edit::{pinned, rename_inputs};
use crate::graph::Graph;
use std::collections::BTreeMap;

pub(super) fn run(graph: &mut Graph) -> bool {
    let pinned = pinned(graph);
    let mut first: BTreeMap<_, &String> = BTreeMap::new();
    let mut renamed = BTreeMap::new();
    for (name, tensor) in &graph.initializers {
        let key = (tensor.dtype(), tensor.dims(), tensor.bytes());
        match first.get(&key) {
            Some(kept) if !pinned.contains(name) => {
                renamed.insert(name.clone(), (*kept).clone());
            }
            Some(_) => {}
            None => {
                first.insert(key, name);
            }
        }
    }
    rename_inputs(graph, &renamed);
    graph
        .initializers
        .retain(|name, _| !renamed.contains_key(name));
    !renamed.is_empty()
}

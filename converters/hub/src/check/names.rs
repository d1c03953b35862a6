//! Every value has one name, and is there before it is used.

use crate::{
    HubError,
    graph::{Attribute, Graph},
    infer::place,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many misplaced inputs are searched for a cycle; of more, it is only said that they come too
/// late.
const MOST_SEARCHES: usize = 16;

/// Breaches of the rules for names in `graph`. In a body, `outer` are the values of the graphs
/// around it; for a file's own graph it is empty.
pub(super) fn problems(graph: &Graph, outer: &[&BTreeSet<&str>]) -> Vec<HubError> {
    let mut problems = Vec::new();
    let mut refuse = |place: String, problem: String| {
        problems.push(HubError::Graph { place, problem });
    };
    let whole = outer.is_empty();
    if whole && graph.opset < 1 && graph.nodes.iter().any(|n| n.domain.is_empty()) {
        let place = format!("graph `{}`", graph.name);
        refuse(place, "its operator set is not declared".to_owned());
    }
    let mut own: BTreeSet<&str> = graph.initializers.keys().map(String::as_str).collect();
    for input in &graph.inputs {
        if !own.insert(&input.name) {
            let place = format!("input `{}`", input.name);
            refuse(place, "the name is taken".to_owned());
        }
    }
    let is_known = |own: &BTreeSet<&str>, name: &str| {
        own.contains(name) || outer.iter().any(|o| o.contains(name))
    };
    let producers = producers(graph);
    let (mut inner, mut searches) = (Vec::new(), 0);
    for (at, node) in graph.nodes.iter().enumerate() {
        if whole && !node.domain.is_empty() && !graph.domains.contains_key(&node.domain) {
            let problem = format!("the operator set `{}` is not declared", node.domain);
            refuse(place(node), problem);
        }
        for name in node.inputs.iter().filter(|n| !n.is_empty()) {
            if is_known(&own, name) {
                continue;
            }
            let problem = match producers.get(name.as_str()) {
                None => format!("there is no value `{name}`"),
                Some(&later) => {
                    searches += 1;
                    if searches <= MOST_SEARCHES && depends(graph, &producers, later, at) {
                        format!("input `{name}` follows from its own output: a cycle")
                    } else {
                        format!("input `{name}` comes from a node behind it")
                    }
                }
            };
            refuse(place(node), problem);
        }
        for body in node.attributes.values() {
            if let Attribute::Graph(body) = body {
                let around: Vec<&BTreeSet<&str>> = outer.iter().copied().chain([&own]).collect();
                inner.extend(self::problems(body, &around));
            }
        }
        for name in node.outputs.iter().filter(|n| !n.is_empty()) {
            if !own.insert(name) {
                refuse(place(node), format!("output `{name}`: the name is taken"));
            }
        }
    }
    let mut ends = BTreeSet::new();
    for output in &graph.outputs {
        if !ends.insert(&output.name) {
            let place = format!("output `{}`", output.name);
            refuse(place, "it stands twice".to_owned());
        }
        if !is_known(&own, &output.name) {
            let place = format!("output `{}`", output.name);
            refuse(place, "there is no such value".to_owned());
        }
    }
    problems.extend(inner);
    problems
}

/// The node that makes each value.
fn producers(graph: &Graph) -> BTreeMap<&str, usize> {
    let mut found = BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        for name in &node.outputs {
            found.entry(name.as_str()).or_insert(at);
        }
    }
    found
}

/// Whether node `from` needs, over any number of steps, an output of node `to`.
fn depends(graph: &Graph, producers: &BTreeMap<&str, usize>, from: usize, to: usize) -> bool {
    let (mut waiting, mut seen) = (vec![from], BTreeSet::new());
    while let Some(at) = waiting.pop() {
        if at == to {
            return true;
        }
        if !seen.insert(at) {
            continue;
        }
        let inputs = graph.nodes.get(at).map_or(&[][..], |n| &n.inputs);
        waiting.extend(inputs.iter().filter_map(|n| producers.get(n.as_str())));
    }
    false
}

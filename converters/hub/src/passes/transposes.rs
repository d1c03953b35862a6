//! Transposes that cancel each other. A value behind a transpose is held back: it is known as
//! *base, with its axes in this order*. Operations that can work on the base do; where one cannot,
//! the transpose is put in. Inverse transposes on the way cancel, and what is left is put in once a
//! value. The result is taken only when fewer transposes are left than before.

use super::{
    edit::{Names, pinned},
    layout::{self, Held},
};
use crate::graph::{Attribute, Graph, Node, Tensor};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn run(graph: &mut Graph) -> bool {
    let before = count(graph);
    if before == 0 {
        return false;
    }
    let mut moved = graph.clone();
    Mover::of(&mut moved).run();
    super::dead::run(&mut moved);
    if count(&moved) >= before {
        return false;
    }
    // Shapes of what was made on the way.
    if moved.infer().is_err() {
        return false;
    }
    *graph = moved;
    true
}

fn count(graph: &Graph) -> usize {
    graph.nodes.iter().filter(|n| n.op == "Transpose").count()
}

pub(super) struct Mover<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) held: BTreeMap<String, Held>,
    /// Held values that were put in, too.
    there: BTreeSet<String>,
    names: Names,
    done: Vec<Node>,
}

impl<'a> Mover<'a> {
    fn of(graph: &'a mut Graph) -> Self {
        let names = Names::of(graph);
        Self {
            graph,
            held: BTreeMap::new(),
            there: BTreeSet::new(),
            names,
            done: Vec::new(),
        }
    }

    fn run(&mut self) {
        let pinned = pinned(self.graph);
        for node in std::mem::take(&mut self.graph.nodes) {
            self.node(node);
        }
        // Outputs, and values that bodies use, are there under their names.
        for name in &pinned {
            self.put_in(name);
        }
        self.graph.nodes = std::mem::take(&mut self.done);
    }

    fn node(&mut self, mut node: Node) {
        let has_body = node
            .attributes
            .values()
            .any(|a| matches!(a, Attribute::Graph(_)));
        if has_body {
            // A body may use any value.
            let all: Vec<String> = self.held.keys().cloned().collect();
            for name in all {
                self.put_in(&name);
            }
        }
        if node.op == "Transpose"
            && node.domain.is_empty()
            && let Some(perm) = layout::perm_of(self.graph, &node)
            && let (Some(from), Some(to)) = (node.inputs.first(), node.outputs.first())
        {
            let held = match self.held.get(from) {
                Some(under) => under.then(&perm),
                None => Held {
                    base: from.clone(),
                    perm,
                },
            };
            self.held.insert(to.clone(), held);
            return;
        }
        if node.inputs.iter().any(|i| self.held.contains_key(i))
            && node.domain.is_empty()
            && let Some((moved, perm)) = layout::moved(self, &node)
        {
            self.take(&node, moved, &perm);
            return;
        }
        for name in &mut node.inputs {
            match self.held.get(name) {
                Some(held) if layout::is_identity(&held.perm) => name.clone_from(&held.base),
                _ => self.put_in(name),
            }
        }
        self.done.push(node);
    }

    /// Takes `moved`, which works on bases, in place of `node`.
    fn take(&mut self, node: &Node, mut moved: Node, perm: &[usize]) {
        for (output, new) in node.outputs.iter().zip(&mut moved.outputs) {
            if output.is_empty() {
                continue;
            }
            if layout::is_identity(perm) {
                new.clone_from(output);
                continue;
            }
            let base = self.names.unique(&format!("{output}_base"));
            new.clone_from(&base);
            if let Some(mut value) = self.graph.value(output) {
                value.name.clone_from(&base);
                value.shape = value.shape.and_then(|s| layout::inverse_order(&s, perm));
                self.graph.values.insert(base.clone(), value);
            }
            let perm = perm.to_vec();
            self.held.insert(output.clone(), Held { base, perm });
        }
        self.done.push(moved);
    }

    /// Puts the transpose of a value in that is held back.
    fn put_in(&mut self, name: &str) {
        let Some(Held { base, perm }) = self.held.get(name).cloned() else {
            return;
        };
        if !self.there.insert(name.to_owned()) {
            return;
        }
        let identity = layout::is_identity(&perm);
        let op = if identity { "Identity" } else { "Transpose" };
        let mut node = Node {
            op: op.to_owned(),
            inputs: vec![base],
            outputs: vec![name.to_owned()],
            ..Node::default()
        };
        if !identity {
            let perm = perm.iter().map(|&p| p as i64).collect();
            node.attributes
                .insert("perm".to_owned(), Attribute::Ints(perm));
        }
        self.done.push(node);
    }

    /// A constant under a new name.
    pub(super) fn constant(&mut self, like: &str, tensor: Tensor) -> String {
        let name = self.names.unique(&format!("{like}_moved"));
        self.graph.initializers.insert(name.clone(), tensor);
        name
    }
}

//! The graph of the file with what is asked of it again and again: who reads a node, which
//! constant stands behind an input, and an order in which it can run.

use super::value;
use crate::graph::Tensor;
use dyno_formats::tensorflow::{GraphDef, Input, Node};

/// Operators that hand on their first input.
const ALIASES: [&str; 6] = [
    "Identity",
    "StopGradient",
    "Snapshot",
    "PreventGradient",
    "CheckNumerics",
    "Enter",
];

/// Operators whose results nobody wants.
const ASIDE: [&str; 5] = [
    "Const",
    "Placeholder",
    "Assert",
    "NoOp",
    "PlaceholderWithDefault",
];

/// The graph of a file.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) nodes: Vec<Node>,
    /// Per node, the nodes that read it, once a reading.
    readers: Vec<Vec<usize>>,
}

impl Net {
    pub(super) fn new(graph: GraphDef) -> Self {
        let mut readers = vec![Vec::new(); graph.nodes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            for input in &node.inputs {
                if let Some(readers) = readers.get_mut(input.node) {
                    readers.push(index);
                }
            }
        }
        Self {
            nodes: graph.nodes,
            readers,
        }
    }

    /// The node of an input.
    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// Who reads a node.
    pub(super) fn readers(&self, index: usize) -> &[usize] {
        self.readers.get(index).map_or(&[], Vec::as_slice)
    }

    /// The position of the node `name`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.name == name)
    }

    /// The input `at` of a node, followed through operators that hand on their input.
    pub(super) fn source(&self, node: &Node, at: usize) -> Option<Input> {
        self.follow(node.inputs.get(at)?)
    }

    /// A value, followed through operators that hand on their input.
    pub(super) fn follow(&self, input: &Input) -> Option<Input> {
        let mut input = input.clone();
        // A ring of such operators ends here.
        for _ in 0..self.nodes.len() {
            let node = self.node(input.node)?;
            if !ALIASES.contains(&node.op.as_str()) {
                return Some(input);
            }
            input = node.inputs.first()?.clone();
        }
        None
    }

    /// The operator that makes input `at` of a node, if its operator is `op`.
    pub(super) fn made_by(&self, node: &Node, at: usize, op: &str) -> Option<&Node> {
        let source = self.node(self.source(node, at)?.node)?;
        (source.op == op).then_some(source)
    }

    /// The constant that stands in the file behind input `at` of a node.
    pub(super) fn constant(&self, node: &Node, at: usize) -> Option<Tensor> {
        let source = self.node(self.source(node, at)?.node)?;
        if source.op != "Const" {
            return None;
        }
        value::constant(source.tensor("value").ok()?).ok()
    }

    /// The integers that stand in the file behind input `at` of a node.
    pub(super) fn ints(&self, node: &Node, at: usize) -> Option<Vec<i64>> {
        self.constant(node, at)?.to_i64s().ok()
    }

    /// The one number that stands in the file behind input `at` of a node.
    pub(super) fn number(&self, node: &Node, at: usize) -> Option<f32> {
        match self.constant(node, at)?.to_f32s().ok()?.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Nodes that nobody reads, in the file's order: its outputs.
    pub(super) fn ends(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|&i| {
                self.readers(i).is_empty()
                    && self
                        .node(i)
                        .is_some_and(|n| !ASIDE.contains(&n.op.as_str()))
            })
            .collect()
    }

    /// Every node that `ends` need, each after those that it reads; `reads` says which those are.
    ///
    /// # Errors
    /// The name of a node that needs itself.
    pub(super) fn order(
        &self,
        ends: &[usize],
        reads: impl Fn(usize, &Node) -> Vec<usize>,
    ) -> Result<Vec<usize>, String> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let mut state = vec![State::New; self.nodes.len()];
        let mut order = Vec::new();
        let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
        for &end in ends {
            let mut next = Some(end);
            loop {
                if let Some(index) = next.take() {
                    let (Some(node), Some(s)) = (self.node(index), state.get_mut(index)) else {
                        continue;
                    };
                    match *s {
                        State::Done => {}
                        State::Open => return Err(node.name.clone()),
                        State::New => {
                            *s = State::Open;
                            let mut reads = reads(index, node);
                            reads.reverse();
                            stack.push((index, reads));
                        }
                    }
                }
                let Some((index, reads)) = stack.last_mut() else {
                    break;
                };
                next = reads.pop();
                if next.is_none() {
                    if let Some(s) = state.get_mut(*index) {
                        *s = State::Done;
                    }
                    order.push(*index);
                    stack.pop();
                }
            }
        }
        Ok(order)
    }
}

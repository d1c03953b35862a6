//! Inference along a graph, node after node.

use super::{
    call::{Call, Known},
    dimensions::same_shape,
    rule, shape,
};
use crate::{
    HubError,
    graph::{Attribute, Graph, Node, Tensor, Value},
};
use dyno_core::Dimension;
use std::collections::BTreeMap;

/// What is known beside the graph while it grows.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    /// Everything that was inferred.
    known: BTreeMap<String, Known>,
    /// Constants that nodes make.
    constants: BTreeMap<String, Tensor>,
    /// Contradictions that were found.
    problems: Vec<HubError>,
}

/// Most axes of a shape, and bytes of a symbol, that are followed. Each node takes over those of
/// its inputs, so that without a bound a small file could claim much.
const MOST_AXES: usize = 64;
const MOST_SYMBOL_BYTES: usize = 256;

fn bounded(mut known: Known) -> Known {
    if known.shape.as_ref().is_some_and(|s| s.len() > MOST_AXES) {
        known.shape = None;
    }
    for d in known.shape.iter_mut().flatten() {
        if matches!(d, Dimension::Symbolic(s) if s.len() > MOST_SYMBOL_BYTES) {
            *d = Dimension::Unknown;
        }
    }
    known
}

/// The name of a node for messages.
pub(crate) fn place(node: &Node) -> String {
    format!("node `{}` ({})", node.name, node.op)
}

impl Inference {
    /// Infers the outputs of `node` and states them in `graph`, whose nodes before it were inferred
    /// and which need not have it yet.
    pub(crate) fn node(&mut self, graph: &mut Graph, node: &Node) {
        let found = match self.infer(graph, node) {
            Ok(found) => found,
            Err(problem) => {
                let place = place(node);
                self.problems.push(HubError::Graph { place, problem });
                return;
            }
        };
        if node.op == "Constant"
            && let (Some(Attribute::Tensor(tensor)), Some(name)) =
                (node.attributes.get("value"), node.outputs.first())
        {
            self.constants.insert(name.clone(), tensor.clone());
        }
        for (name, known) in node.outputs.iter().zip(found) {
            if !name.is_empty() {
                self.state(graph, node, name, known);
            }
        }
    }

    /// The first contradiction, if there is one.
    pub(crate) fn finish(self) -> Result<(), HubError> {
        self.problems.into_iter().next().map_or(Ok(()), Err)
    }

    /// All contradictions.
    pub(crate) fn problems(self) -> Vec<HubError> {
        self.problems
    }

    fn infer(&self, graph: &Graph, node: &Node) -> Result<Vec<Known>, String> {
        let Some(rule) = rule(&node.op).filter(|_| node.domain.is_empty()) else {
            return Ok(Vec::new());
        };
        let tensors: Vec<Option<&Tensor>> = node
            .inputs
            .iter()
            .map(|name| {
                graph
                    .initializers
                    .get(name)
                    .or_else(|| self.constants.get(name))
            })
            .collect();
        let inputs = node.inputs.iter().zip(&tensors);
        let call = Call {
            node,
            opset: graph.opset,
            inputs: inputs
                .map(|(name, tensor)| self.known_of(graph, name, *tensor))
                .collect(),
            tensors,
            nothing: Known::default(),
        };
        rule(&call)
    }

    fn known_of(&self, graph: &Graph, name: &str, tensor: Option<&Tensor>) -> Known {
        if name.is_empty() {
            return Known::default();
        }
        if let Some(tensor) = tensor {
            return bounded(shape::known(tensor));
        }
        let stated = graph.value(name);
        let mut known = self.known.get(name).cloned().unwrap_or_default();
        if let Some(value) = stated {
            known.dtype = value.dtype.or(known.dtype);
            known.shape = value.shape.or(known.shape);
        }
        bounded(known)
    }

    /// Joins what an importer says of a value with what is known of it.
    pub(crate) fn stated(&mut self, graph: &mut Graph, mut value: Value) {
        if let Some(known) = graph.values.get(&value.name) {
            let mut problem = None;
            match (value.dtype, known.dtype) {
                (Some(a), Some(b)) if a != b => problem = Some(format!("stated as {a}, it is {b}")),
                (a, b) => value.dtype = a.or(b),
            }
            match (&value.shape, &known.shape) {
                (Some(a), Some(b)) => match same_shape(a, b) {
                    Ok(shape) => value.shape = Some(shape),
                    Err(e) => problem = Some(format!("stated and inferred: {e}")),
                },
                (None, Some(b)) => value.shape = Some(b.clone()),
                (_, None) => {}
            }
            if let Some(problem) = problem {
                let place = format!("value `{}`", value.name);
                self.problems.push(HubError::Graph { place, problem });
            }
        }
        graph.values.insert(value.name.clone(), value);
    }

    /// Joins what was inferred of a value with what the graph says of it.
    fn state(&mut self, graph: &mut Graph, node: &Node, name: &str, mut known: Known) {
        let mut problem = None;
        if let Some(stated) = graph.value(name) {
            match (stated.dtype, known.dtype) {
                (Some(a), Some(b)) if a != b => {
                    problem = Some(format!("output `{name}` is stated as {a}, and is {b}"));
                }
                (a, b) => known.dtype = b.or(a),
            }
            known.shape = match (stated.shape, known.shape.take()) {
                (Some(a), Some(b)) => match same_shape(&b, &a) {
                    Ok(shape) => Some(shape),
                    Err(e) => {
                        problem = Some(format!("output `{name}`, inferred and stated: {e}"));
                        Some(b)
                    }
                },
                (a, b) => b.or(a),
            };
        }
        if let Some(problem) = problem {
            let place = place(node);
            self.problems.push(HubError::Graph { place, problem });
        }
        if known.dtype.is_none() && known.shape.is_none() {
            return;
        }
        let value = Value {
            name: name.to_owned(),
            dtype: known.dtype,
            shape: known.shape.clone(),
        };
        match graph.outputs.iter_mut().find(|o| o.name == name) {
            Some(output) => *output = value,
            None => {
                graph.values.insert(name.to_owned(), value);
            }
        }
        self.known.insert(name.to_owned(), known);
    }
}

impl Graph {
    /// Infers types and shapes of all values and states them in the graph. What is not known stays
    /// as it was.
    ///
    /// # Errors
    /// Every contradiction: inputs of a node that its operator does not take, and values that the
    /// graph states differently.
    pub fn infer(&mut self) -> Result<(), Vec<HubError>> {
        let mut inference = Inference::default();
        // Inputs and outputs stand among the other values meanwhile: found by name, not by search.
        let nodes = std::mem::take(&mut self.nodes);
        let (inputs, mut outputs) = (
            std::mem::take(&mut self.inputs),
            std::mem::take(&mut self.outputs),
        );
        for end in outputs.iter().chain(&inputs) {
            self.values.insert(end.name.clone(), end.clone());
        }
        for node in &nodes {
            inference.node(self, node);
        }
        for input in &inputs {
            self.values.remove(&input.name);
        }
        for output in &mut outputs {
            // An output may be an input, too, or stand twice.
            if let Some(found) = self.values.get(&output.name) {
                *output = found.clone();
            }
        }
        for output in &outputs {
            self.values.remove(&output.name);
        }
        (self.nodes, self.inputs, self.outputs) = (nodes, inputs, outputs);
        let problems = inference.problems();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Fixes open dimensions of an input: `shape` in place of its own. What was stated of values
    /// that follow from it is forgotten; infer again.
    ///
    /// # Errors
    /// [`HubError::Graph`] when there is no such input or its shape is another one.
    pub fn fix_input(&mut self, name: &str, shape: &[usize]) -> Result<(), HubError> {
        let refuse = |problem: String| HubError::Graph {
            place: format!("input `{name}`"),
            problem,
        };
        let inputs = self.inputs.iter_mut();
        let input = inputs
            .into_iter()
            .find(|i| i.name == name)
            .ok_or_else(|| refuse("there is no such input".to_owned()))?;
        let wanted: Vec<Dimension> = crate::graph::fixed(shape);
        let fixed = match &input.shape {
            Some(own) => same_shape(own, &wanted).map_err(refuse)?,
            None => wanted,
        };
        input.shape = Some(fixed);
        self.values.clear();
        for output in &mut self.outputs {
            output.shape = None;
        }
        Ok(())
    }
}

//! A graph in the making: importers add one operation after another and get the names of the
//! values back.

use super::{
    attribute::Attribute,
    element::ElementType,
    node::{Graph, Node},
    tensor::Tensor,
    value::Value,
};
use crate::{HubError, infer::Inference};
use std::collections::{BTreeMap, BTreeSet};

/// Builds a [`Graph`] in the order in which it runs. Names are made unique: what was asked for, or
/// that with a number.
#[derive(Debug, Default)]
pub struct Builder {
    graph: Graph,
    taken: BTreeSet<String>,
    /// The next number to try for a name that was asked for before.
    next: BTreeMap<String, usize>,
    node_names: BTreeSet<String>,
    inference: Inference,
}

impl Builder {
    /// An empty graph of [`super::OPSET`].
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            graph: Graph {
                name: name.into(),
                opset: super::OPSET,
                ..Graph::default()
            },
            ..Self::default()
        }
    }

    /// A name that no value has yet, and that is taken with this call: `wanted`, or `wanted_1`, …
    pub fn unique(&mut self, wanted: &str) -> String {
        let wanted = if wanted.is_empty() { "value" } else { wanted };
        if self.taken.insert(wanted.to_owned()) {
            return wanted.to_owned();
        }
        let next = self.next.entry(wanted.to_owned()).or_insert(1);
        loop {
            let name = format!("{wanted}_{next}");
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Adds an input of the graph; returns its name.
    pub fn input(&mut self, name: &str, dtype: ElementType, shape: &[usize]) -> String {
        let name = self.unique(name);
        self.graph
            .inputs
            .push(Value::new(name.clone(), dtype, shape));
        name
    }

    /// Adds a constant; returns the name of its value.
    pub fn constant(&mut self, name: &str, tensor: Tensor) -> String {
        let name = self.unique(name);
        self.graph.initializers.insert(name.clone(), tensor);
        name
    }

    /// Adds an operation of ONNX's own set with one output, which gets the name `name` or one like
    /// it; returns that name. Types and shapes of its output are inferred where they can be.
    pub fn add<const N: usize>(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
    ) -> String {
        let mut outputs = self.add_many(op, name, inputs, attributes, 1);
        outputs.pop().unwrap_or_default()
    }

    /// As [`Self::add`], with `outputs` outputs.
    pub fn add_many<const N: usize>(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        outputs: usize,
    ) -> Vec<String> {
        let names: Vec<String> = (0..outputs).map(|_| self.unique(name)).collect();
        self.push(Node {
            // ONNX Runtime refuses two nodes of one name.
            name: names.first().map_or(name, String::as_str).to_owned(),
            op: op.to_owned(),
            domain: String::new(),
            inputs: inputs.iter().map(|i| (*i).to_owned()).collect(),
            outputs: names.clone(),
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        });
        names
    }

    /// Adds a node as it is. Its outputs must be names from [`Self::unique`]. Types and shapes of
    /// its outputs are inferred where they can be. Engines refuse two nodes of one name: a name
    /// that is taken gets a number.
    pub fn push(&mut self, mut node: Node) {
        if !node.name.is_empty() {
            let (wanted, mut number) = (node.name.clone(), 0);
            while !self.node_names.insert(node.name.clone()) {
                number += 1;
                node.name = format!("{wanted}_{number}");
            }
        }
        self.inference.node(&mut self.graph, &node);
        self.graph.nodes.push(node);
    }

    /// Declares a value an output of the graph under the name that it has.
    pub fn output(&mut self, name: &str) {
        let value = self.value(name).unwrap_or_else(|| Value::unknown(name));
        self.graph.outputs.push(value);
    }

    /// What is known of a value.
    pub fn value(&self, name: &str) -> Option<Value> {
        self.graph.value(name)
    }

    /// The shape of a value, when every axis is a known number.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.value(name)?.fixed_shape()
    }

    /// The values of a constant.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.graph.initializers.get(name)
    }

    /// States what is known of a value, beside what was inferred; for operations whose result
    /// cannot be inferred. What contradicts an inferred type or shape is an error of
    /// [`Self::finish`].
    pub fn state(&mut self, value: Value) {
        self.inference.stated(&mut self.graph, value);
    }

    /// The graph as it stands.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The finished graph.
    ///
    /// # Errors
    /// The first contradiction that inference found: a node whose inputs its operator does not
    /// take, or a value that was stated differently.
    pub fn finish(mut self) -> Result<Graph, HubError> {
        self.inference.finish()?;
        // Of an output is known what stands with it.
        for output in &self.graph.outputs {
            self.graph.values.remove(&output.name);
        }
        Ok(self.graph)
    }
}

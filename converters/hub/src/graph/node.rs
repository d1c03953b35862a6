//! Nodes and the graph that they form.

use super::{attribute::Attribute, tensor::Tensor, value::Value};
use std::collections::BTreeMap;

/// One operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Name, for people: of the layer that it came from.
    pub name: String,
    /// Operator: `Conv`, `Relu`, …
    pub op: String,
    /// Domain of the operator; empty for ONNX's own.
    pub domain: String,
    /// Names of its inputs; empty for an optional input that is left out.
    pub inputs: Vec<String>,
    /// Names of its outputs; empty for one that nobody wants.
    pub outputs: Vec<String>,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Node {
    /// The integer attribute `name`.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name)? {
            Attribute::Int(v) => Some(*v),
            _ => None,
        }
    }

    /// The number attribute `name`.
    pub fn float(&self, name: &str) -> Option<f32> {
        match self.attributes.get(name)? {
            Attribute::Float(v) => Some(*v),
            _ => None,
        }
    }

    /// The attribute `name`, a list of integers.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name)? {
            Attribute::Ints(v) => Some(v),
            _ => None,
        }
    }

    /// The text attribute `name`, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name)? {
            Attribute::String(v) => std::str::from_utf8(v).ok(),
            _ => None,
        }
    }
}

/// A graph in ONNX's terms. Nodes stand in an order in which they can run, every name is given to
/// one value only, and every input of a node is an input of the graph, an initializer, or an output
/// of a node before it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// Name, for people.
    pub name: String,
    /// Version of ONNX's own operator set; 0 in the body of another graph.
    pub opset: i64,
    /// Versions of other operator sets by domain.
    pub domains: BTreeMap<String, i64>,
    /// Inputs; initializers are not among them.
    pub inputs: Vec<Value>,
    /// Outputs.
    pub outputs: Vec<Value>,
    /// Operations in an order in which they can run.
    pub nodes: Vec<Node>,
    /// Weights and other constants by the name of their value.
    pub initializers: BTreeMap<String, Tensor>,
    /// What is known of values in between, by name.
    pub values: BTreeMap<String, Value>,
    /// Facts about the file, for people and tools (`metadata_props`).
    pub metadata: BTreeMap<String, String>,
}

impl Graph {
    /// What is known of a value: of an input, an output, an initializer or one in between.
    pub fn value(&self, name: &str) -> Option<Value> {
        if let Some(tensor) = self.initializers.get(name) {
            return Some(Value::new(name, tensor.dtype(), tensor.dims()));
        }
        self.values.get(name).cloned().or_else(|| {
            let mut ends = self.inputs.iter().chain(&self.outputs);
            ends.find(|v| v.name == name).cloned()
        })
    }
}

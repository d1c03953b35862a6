//! The summary of a graph.

use super::{cost, memory};
use crate::{
    HubError,
    graph::{Attribute, ElementType, Graph, Tensor, Value},
};
use dyno_core::Dimension;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Element type (`f32`, `u8`, …), where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Axes: numbers, names of open dimensions, `?`; absent when not even their number is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<String>>,
}

/// What a graph is made of and what it costs. Absent is what follows from open dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the graph.
    pub name: String,
    /// Version of ONNX's operator set.
    pub opset: i64,
    /// Versions of other operator sets by domain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domains: BTreeMap<String, i64>,
    /// Inputs.
    pub inputs: Vec<Port>,
    /// Outputs.
    pub outputs: Vec<Port>,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of nodes by operator, with the domain where it is not ONNX's own.
    pub operators: BTreeMap<String, usize>,
    /// Number of parameters.
    pub parameters: u64,
    /// Their size in bytes.
    pub parameters_bytes: u64,
    /// Multiply-accumulates per sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macs_per_sample: Option<u64>,
    /// Floating-point operations per sample: twice the multiply-accumulates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flops_per_sample: Option<u64>,
    /// Most bytes of activations that are alive at once, for one sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations_peak_bytes: Option<u64>,
}

fn port(value: &Value) -> Port {
    Port {
        name: value.name.clone(),
        dtype: value.dtype.map(|d| d.to_string()),
        shape: value
            .shape
            .as_ref()
            .map(|s| s.iter().map(ToString::to_string).collect()),
    }
}

/// Whether a constant is a parameter, or a list of sizes, axes or indices.
fn is_parameter(tensor: &Tensor) -> bool {
    tensor.dtype() != ElementType::I64
}

impl Graph {
    /// The summary of the graph. Open batch dimensions (the first axis of an input) count as 1.
    ///
    /// # Errors
    /// The first contradiction that inference finds.
    pub fn summary(&self) -> Result<Summary, HubError> {
        let mut graph = self.clone();
        graph
            .infer()
            .map_err(|mut problems| problems.swap_remove(0))?;
        let (inputs, outputs) = (graph.inputs.clone(), graph.outputs.clone());
        let batch = one_sample(&mut graph)?;
        let constants = graph.nodes.iter().flat_map(|n| n.attributes.values());
        let constants = constants.filter_map(|a| match a {
            Attribute::Tensor(tensor) => Some(tensor),
            _ => None,
        });
        let (mut parameters, mut parameters_bytes) = (0, 0);
        for tensor in graph.initializers.values().chain(constants) {
            if is_parameter(tensor) {
                parameters += tensor.len() as u64;
                parameters_bytes += tensor.bytes().len() as u64;
            }
        }
        let mut operators = BTreeMap::new();
        for node in &graph.nodes {
            let name = if node.domain.is_empty() {
                node.op.clone()
            } else {
                format!("{}.{}", node.domain, node.op)
            };
            *operators.entry(name).or_insert(0) += 1;
        }
        // By name, not by search.
        for end in graph.outputs.iter().chain(&graph.inputs) {
            graph.values.insert(end.name.clone(), end.clone());
        }
        let macs = cost::macs(&graph).map(|m| m / batch);
        Ok(Summary {
            name: graph.name.clone(),
            opset: graph.opset,
            domains: graph.domains.clone(),
            inputs: inputs.iter().map(port).collect(),
            outputs: outputs.iter().map(port).collect(),
            nodes: graph.nodes.len(),
            operators,
            parameters,
            parameters_bytes,
            macs_per_sample: macs,
            flops_per_sample: macs.and_then(|m| m.checked_mul(2)),
            activations_peak_bytes: memory::peak_bytes(&graph).map(|b| b / batch),
        })
    }
}

/// Sets open batch dimensions to 1; returns how many samples a run of the graph takes.
fn one_sample(graph: &mut Graph) -> Result<u64, HubError> {
    let mut changed = false;
    for input in &mut graph.inputs {
        let Some(first) = input.shape.as_mut().and_then(|s| s.first_mut()) else {
            continue;
        };
        if !matches!(first, Dimension::Fixed(_)) {
            *first = Dimension::Fixed(1);
            changed = true;
        }
    }
    if changed {
        graph.values.clear();
        for output in &mut graph.outputs {
            output.shape = None;
        }
        graph
            .infer()
            .map_err(|mut problems| problems.swap_remove(0))?;
    }
    let first = graph.inputs.first().and_then(|i| i.shape.as_ref());
    Ok(match first.map(Vec::as_slice) {
        Some([Dimension::Fixed(n), _, _, ..]) if *n > 0 => *n as u64,
        _ => 1,
    })
}

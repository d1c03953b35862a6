//! From a graph to the bytes of an ONNX file. Equal graphs give equal bytes: what ONNX does not
//! order stands by name.

use super::{IR_VERSION, PRODUCER, attributes::message_of_attribute, read::text};
use crate::{
    HubError,
    graph::{Graph, Node, Tensor, Value},
};
use dyno_core::Dimension;
use dyno_formats::onnx::proto::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, encode, tensor_shape_proto, type_proto,
};
use std::collections::BTreeSet;

impl Graph {
    /// The graph as one ONNX file. Beside the graph it needs memory for the file alone: weights
    /// are copied once, into it.
    ///
    /// # Errors
    /// [`HubError::Graph`] when the version of the operator set or the type of an input is not
    /// known; [`HubError::Format`] beyond two gigabytes.
    pub fn to_onnx(&self) -> Result<Vec<u8>, HubError> {
        if self.opset == 0 && self.domains.is_empty() {
            return Err(HubError::Graph {
                place: format!("graph `{}`", self.name),
                problem: "no version of an operator set is declared".to_owned(),
            });
        }
        let own = (self.opset != 0).then(|| OperatorSetIdProto {
            domain: String::new(),
            version: self.opset,
        });
        let others = self
            .domains
            .iter()
            .map(|(domain, version)| OperatorSetIdProto {
                domain: domain.clone(),
                version: *version,
            });
        let metadata = self.metadata.iter();
        Ok(encode(&ModelProto {
            ir_version: IR_VERSION,
            producer_name: PRODUCER.to_owned(),
            graph: Some(message_of_graph(self)?),
            opset_import: own.into_iter().chain(others).collect(),
            metadata_props: metadata
                .map(|(key, value)| StringStringEntryProto {
                    key: key.clone(),
                    value: value.clone(),
                })
                .collect(),
            ..ModelProto::default()
        })?)
    }
}

/// The message of a graph, or of the body of a loop or branch.
pub(super) fn message_of_graph(graph: &Graph) -> Result<GraphProto, HubError> {
    let ends: BTreeSet<&str> = graph
        .inputs
        .iter()
        .chain(&graph.outputs)
        .map(|v| v.name.as_str())
        .collect();
    // What is said of values that no node makes is not written.
    let made: BTreeSet<&str> = graph
        .nodes
        .iter()
        .flat_map(|n| n.outputs.iter().map(String::as_str))
        .filter(|name| !ends.contains(name))
        .collect();
    for input in &graph.inputs {
        if input.dtype.is_none() {
            return Err(HubError::Graph {
                place: format!("input `{}`", input.name),
                problem: "its element type is not known".to_owned(),
            });
        }
    }
    Ok(GraphProto {
        name: graph.name.clone(),
        node: graph
            .nodes
            .iter()
            .map(message_of_node)
            .collect::<Result<_, _>>()?,
        initializer: graph
            .initializers
            .iter()
            .map(|(name, tensor)| message_of_tensor(name, tensor))
            .collect::<Result<_, _>>()?,
        input: graph.inputs.iter().map(message_of_value).collect(),
        output: graph.outputs.iter().map(message_of_value).collect(),
        value_info: graph
            .values
            .iter()
            .filter(|(name, value)| made.contains(name.as_str()) && value.dtype.is_some())
            .map(|(_, value)| message_of_value(value))
            .collect(),
        ..GraphProto::default()
    })
}

fn message_of_node(node: &Node) -> Result<NodeProto, HubError> {
    let attributes = node.attributes.iter();
    Ok(NodeProto {
        input: node.inputs.clone(),
        output: node.outputs.clone(),
        name: node.name.clone(),
        op_type: node.op.clone(),
        domain: node.domain.clone(),
        attribute: attributes
            .map(|(name, value)| message_of_attribute(name, value))
            .collect::<Result<_, _>>()?,
        ..NodeProto::default()
    })
}

/// The message of a tensor; its bytes are shared.
pub(super) fn message_of_tensor(name: &str, tensor: &Tensor) -> Result<TensorProto, HubError> {
    let dims = tensor.dims().iter().map(|&d| i64::try_from(d));
    Ok(TensorProto {
        dims: dims
            .collect::<Result<_, _>>()
            .map_err(|_| HubError::Graph {
                place: format!("initializer `{name}`"),
                problem: "a dimension has more than 63 bits".to_owned(),
            })?,
        data_type: tensor.dtype().onnx(),
        name: text(name),
        raw_data: Some(tensor.bytes().clone()),
        ..TensorProto::default()
    })
}

fn message_of_value(value: &Value) -> ValueInfoProto {
    let tensor = value.dtype.map(|dtype| type_proto::Tensor {
        elem_type: dtype.onnx(),
        shape: value.shape.as_ref().map(|axes| TensorShapeProto {
            dim: axes.iter().map(message_of_dimension).collect(),
        }),
    });
    ValueInfoProto {
        name: value.name.clone(),
        r#type: tensor.map(|tensor| TypeProto {
            tensor_type: Some(tensor),
            ..TypeProto::default()
        }),
    }
}

fn message_of_dimension(d: &Dimension) -> tensor_shape_proto::Dimension {
    use tensor_shape_proto::dimension::Value;
    tensor_shape_proto::Dimension {
        value: match d {
            // A size that ONNX cannot say stays open.
            Dimension::Fixed(n) => i64::try_from(*n).ok().map(Value::DimValue),
            Dimension::Symbolic(name) => Some(Value::DimParam(name.clone())),
            Dimension::Unknown => None,
        },
    }
}

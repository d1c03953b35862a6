//! From the bytes of an ONNX file to a graph.

use super::{attributes::attribute_of, typed::tensor_of};
use crate::{
    HubError,
    graph::{ElementType, Graph, Node, Value},
};
use bytes::Bytes;
use dyno_core::Dimension;
use dyno_formats::onnx::proto::{
    GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto, decode, tensor_shape_proto,
};
use std::collections::{BTreeMap, btree_map::Entry};

/// An error at a place of the graph.
pub(super) fn refused(place: &str, problem: impl Into<String>) -> HubError {
    HubError::Graph {
        place: place.to_owned(),
        problem: problem.into(),
    }
}

/// A text of a message.
pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

impl Graph {
    /// Reads an ONNX file that holds its weights itself; they stay slices of `bytes`. Inputs that
    /// only give an initializer its name (as old files list them) are left out.
    ///
    /// # Errors
    /// [`HubError::Format`] when the bytes are no ONNX file or keep weights elsewhere (for those
    /// see [`dyno_formats::onnx::OnnxFile`], whose bytes are complete); [`HubError::Graph`] for
    /// what a graph here cannot hold, see the documentation of the module.
    pub fn from_onnx(bytes: impl Into<Bytes>) -> Result<Self, HubError> {
        let model = decode(bytes.into())?;
        model_of(model)
    }
}

fn model_of(model: ModelProto) -> Result<Graph, HubError> {
    let file = "file";
    if !model.functions.is_empty() {
        return Err(refused(file, "functions of its own are not supported"));
    }
    if !model.training_info.is_empty() {
        return Err(refused(file, "training information is not supported"));
    }
    let graph = model
        .graph
        .ok_or_else(|| refused(file, "there is no graph"))?;
    let mut graph = body(graph)?;
    for set in model.opset_import {
        let domain = standard(set.domain);
        if domain.is_empty() {
            if graph.opset != 0 && graph.opset != set.version {
                return Err(refused(file, "two versions of the operator set of ONNX"));
            }
            graph.opset = set.version;
        } else if let Some(other) = graph.domains.insert(domain.clone(), set.version)
            && other != set.version
        {
            let problem = format!("two versions of the operator set `{domain}`");
            return Err(refused(file, problem));
        }
    }
    // Version 3 of the format came with the field; before, there was only the first set.
    if graph.opset == 0 && model.ir_version < 3 {
        graph.opset = 1;
    }
    for entry in model.metadata_props {
        if graph
            .metadata
            .insert(entry.key.clone(), entry.value)
            .is_some()
        {
            return Err(refused(file, format!("metadata `{}` twice", entry.key)));
        }
    }
    Ok(graph)
}

/// The standard's own domain has two names.
fn standard(domain: String) -> String {
    if domain == "ai.onnx" {
        String::new()
    } else {
        domain
    }
}

/// The graph of a message, or of an attribute of a node.
pub(super) fn body(message: GraphProto) -> Result<Graph, HubError> {
    let place = format!("graph `{}`", message.name);
    if !message.sparse_initializer.is_empty() {
        return Err(refused(&place, "sparse initializers are not supported"));
    }
    let mut initializers = BTreeMap::new();
    for tensor in message.initializer {
        let place = format!("initializer `{}`", tensor.name);
        match initializers.entry(tensor.name.clone()) {
            Entry::Occupied(_) => return Err(refused(&place, "stands twice in the graph")),
            Entry::Vacant(entry) => entry.insert(tensor_of(&tensor, &place)?),
        };
    }
    let mut inputs = Vec::with_capacity(message.input.len());
    for input in message.input {
        if !initializers.contains_key(&input.name) {
            inputs.push(end(input, "input")?);
        }
    }
    let outputs = message
        .output
        .into_iter()
        .map(|o| end(o, "output"))
        .collect::<Result<_, _>>()?;
    let values = message
        .value_info
        .into_iter()
        // Of a sequence nothing can be said here, and nothing has to.
        .filter(|v| v.r#type.as_ref().is_none_or(tensor))
        .map(|v| (v.name.clone(), value_of(v)))
        .collect();
    let nodes = message.node.into_iter().map(node_of);
    Ok(Graph {
        name: message.name,
        inputs,
        outputs,
        nodes: nodes.collect::<Result<_, _>>()?,
        initializers,
        values,
        ..Graph::default()
    })
}

/// Whether a type is that of a tensor, or left open.
fn tensor(t: &TypeProto) -> bool {
    t.sequence_type.is_none()
        && t.map_type.is_none()
        && t.sparse_tensor_type.is_none()
        && t.optional_type.is_none()
}

/// An input or output: of a type that a graph here can hold.
fn end(message: ValueInfoProto, what: &str) -> Result<Value, HubError> {
    let place = format!("{what} `{}`", message.name);
    let code = message
        .r#type
        .as_ref()
        .and_then(|t| t.tensor_type.as_ref())
        .map_or(0, |t| t.elem_type);
    if message.r#type.as_ref().is_some_and(|t| !tensor(t)) {
        return Err(refused(&place, "only tensors are supported"));
    }
    if code != 0 && ElementType::from_onnx(code).is_none() {
        let problem = format!("elements of type {code} are not supported");
        return Err(refused(&place, problem));
    }
    Ok(value_of(message))
}

fn value_of(message: ValueInfoProto) -> Value {
    let tensor = message.r#type.and_then(|t| t.tensor_type);
    let dtype = tensor
        .as_ref()
        .and_then(|t| ElementType::from_onnx(t.elem_type));
    let shape = tensor.and_then(|t| t.shape).map(|shape| {
        let axes = shape.dim.into_iter().map(|d| dimension(d.value));
        axes.collect()
    });
    Value {
        name: message.name,
        dtype,
        shape,
    }
}

fn dimension(value: Option<tensor_shape_proto::dimension::Value>) -> Dimension {
    use tensor_shape_proto::dimension::Value;
    match value {
        // 0 and negative numbers are what old exporters write for an open dimension.
        Some(Value::DimValue(n)) if n > 0 => {
            usize::try_from(n).map_or(Dimension::Unknown, Dimension::Fixed)
        }
        Some(Value::DimParam(symbol)) if !symbol.is_empty() && symbol != "?" => {
            Dimension::Symbolic(symbol)
        }
        _ => Dimension::Unknown,
    }
}

fn node_of(message: NodeProto) -> Result<Node, HubError> {
    let place = format!("node `{}` ({})", message.name, message.op_type);
    let mut attributes = BTreeMap::new();
    for attribute in message.attribute {
        let name = attribute.name.clone();
        let value = attribute_of(attribute, &place)?;
        if attributes.insert(name.clone(), value).is_some() {
            return Err(refused(&place, format!("attribute `{name}` twice")));
        }
    }
    Ok(Node {
        name: message.name,
        op: message.op_type,
        domain: standard(message.domain),
        inputs: message.input,
        outputs: message.output,
        attributes,
    })
}

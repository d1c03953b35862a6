//! The graph of a file: nodes in the file's order, with their inputs and attributes.

use super::{
    constant::{Constant, DataType},
    proto::{self, attr_value::Value},
    walk::{self, FORMAT},
};
use crate::FormatError;
use bytes::Bytes;
use prost::Message as _;
use std::collections::HashMap;

/// Most bytes of a file: Protocol Buffers' limit of a message.
pub const MAX_GRAPH_BYTES: u64 = i32::MAX as u64;

/// A frozen graph.
#[derive(Debug, Clone)]
pub struct GraphDef {
    /// Nodes in the file's order, which need not be one in which they can run.
    pub nodes: Vec<Node>,
    /// The file defines functions.
    pub functions: bool,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its operator.
    pub op: String,
    /// What it reads; inputs that only order operations are left out.
    pub inputs: Vec<Input>,
    attributes: HashMap<String, proto::AttrValue>,
}

/// A value that a node reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Input {
    /// Position of the node that makes it.
    pub node: usize,
    /// Which of its outputs.
    pub output: usize,
}

/// A declared shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Extents; `None` for one that is unknown.
    pub dims: Vec<Option<usize>>,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute<'a> {
    /// Text.
    Text(&'a [u8]),
    /// An integer.
    Int(i64),
    /// A number.
    Float(f32),
    /// A truth value.
    Bool(bool),
    /// An element type, by TensorFlow's number.
    Type(i32),
    /// Integers.
    Ints(&'a [i64]),
    /// Something else.
    Other,
}

fn error(place: String, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed {
        format: FORMAT,
        place,
        problem: problem.into(),
    }
}

impl GraphDef {
    /// The graph of a file's bytes; weights stay slices of them.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] with the byte or the node: what [`walk::check`] finds, a name
    /// that two nodes have or that is no UTF-8, an input that no node makes.
    pub fn read(bytes: Bytes) -> Result<Self, FormatError> {
        walk::check(&bytes)?;
        let graph = proto::GraphDef::decode(bytes)
            .map_err(|e| error("the message".to_owned(), e.to_string()))?;
        if graph.node.is_empty() {
            return Err(error("the message".to_owned(), "it has no nodes"));
        }
        let mut at = HashMap::with_capacity(graph.node.len());
        for (index, node) in graph.node.iter().enumerate() {
            if at.insert(node.name.as_str(), index).is_some() {
                return Err(error(
                    format!("node `{}`", node.name),
                    "another node has this name",
                ));
            }
        }
        let inputs = graph
            .node
            .iter()
            .map(|node| {
                let values = node.input.iter().filter(|i| !i.starts_with('^'));
                values
                    .map(|i| {
                        input(i, &at).ok_or_else(|| {
                            error(
                                format!("node `{}`", node.name),
                                format!("there is no node `{i}`"),
                            )
                        })
                    })
                    .collect()
            })
            .collect::<Result<Vec<Vec<Input>>, _>>()?;
        let nodes = graph
            .node
            .into_iter()
            .zip(inputs)
            .map(|(node, inputs)| Node {
                name: node.name,
                op: node.op,
                inputs,
                attributes: node.attr,
            })
            .collect();
        Ok(Self {
            nodes,
            functions: !graph.library.is_empty(),
        })
    }
}

/// The node of `name` or `name:output`.
fn input(text: &str, at: &HashMap<&str, usize>) -> Option<Input> {
    let (name, output) = match text.rsplit_once(':') {
        Some((name, output)) => (name, output.parse().ok()?),
        None => (text, 0),
    };
    Some(Input {
        node: *at.get(name)?,
        output,
    })
}

impl Node {
    /// The attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        Some(match self.attributes.get(name)?.value.as_ref()? {
            Value::S(s) => Attribute::Text(s),
            Value::I(i) => Attribute::Int(*i),
            Value::F(f) => Attribute::Float(*f),
            Value::B(b) => Attribute::Bool(*b),
            Value::Type(t) => Attribute::Type(*t),
            Value::List(list) => Attribute::Ints(&list.i),
            Value::Shape(_) | Value::Tensor(_) | Value::Placeholder(_) | Value::Func(_) => {
                Attribute::Other
            }
        })
    }

    /// The element type attribute `name`, if it is one that this reader knows.
    pub fn data_type(&self, name: &str) -> Option<DataType> {
        match self.attribute(name)? {
            Attribute::Type(number) => DataType::from_number(number),
            _ => None,
        }
    }

    /// The shape attribute `name`; `None` when it is absent or its rank is unknown.
    pub fn shape(&self, name: &str) -> Option<Shape> {
        match self.attributes.get(name)?.value.as_ref()? {
            Value::Shape(shape) if !shape.unknown_rank => Some(Shape {
                dims: shape
                    .dim
                    .iter()
                    .map(|d| usize::try_from(d.size).ok())
                    .collect(),
            }),
            _ => None,
        }
    }

    /// The tensor attribute `name`.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] when it is absent, of a type without size, has not the bytes of
    /// its shape, or would fill more than [`super::MAX_FILLED_BYTES`] with one value.
    pub fn tensor(&self, name: &str) -> Result<Constant, FormatError> {
        let value = self.attributes.get(name).and_then(|a| a.value.as_ref());
        let Some(Value::Tensor(tensor)) = value else {
            return Err(self.error(format!("it has no tensor `{name}`")));
        };
        Constant::read(tensor).map_err(|problem| self.error(problem))
    }

    fn error(&self, problem: String) -> FormatError {
        error(format!("node `{}`", self.name), problem)
    }
}

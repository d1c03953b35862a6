//! Attributes of nodes.

use super::{node::Graph, tensor::Tensor};

/// Value of an attribute; the variants are ONNX's.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// An integer.
    Int(i64),
    /// A number.
    Float(f32),
    /// Text; bytes, because ONNX does not promise UTF-8.
    String(Vec<u8>),
    /// A tensor.
    Tensor(Tensor),
    /// The body of a loop or a branch.
    Graph(Box<Graph>),
    /// Integers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Texts.
    Strings(Vec<Vec<u8>>),
}

impl From<i64> for Attribute {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl From<f32> for Attribute {
    fn from(v: f32) -> Self {
        Self::Float(v)
    }
}

impl From<&str> for Attribute {
    fn from(v: &str) -> Self {
        Self::String(v.as_bytes().to_vec())
    }
}

impl From<Tensor> for Attribute {
    fn from(v: Tensor) -> Self {
        Self::Tensor(v)
    }
}

impl From<Vec<i64>> for Attribute {
    fn from(v: Vec<i64>) -> Self {
        Self::Ints(v)
    }
}

impl From<Vec<f32>> for Attribute {
    fn from(v: Vec<f32>) -> Self {
        Self::Floats(v)
    }
}

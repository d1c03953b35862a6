//! The inputs of one query.

use super::{info::Quantization, tensor::Tensor};

/// A tensor with the name of the model input that it feeds.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Name of the input.
    pub name: String,
    /// The values.
    pub tensor: Tensor,
    /// How stored integers stand for real numbers, where they do.
    pub quantization: Option<Quantization>,
}

/// The inputs of one query. Batches are tensors whose first dimension is the batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorSet {
    /// The tensors, in the order of the model's inputs.
    pub tensors: Vec<NamedTensor>,
}

impl TensorSet {
    /// A set of one unquantized tensor.
    pub fn single(name: impl Into<String>, tensor: Tensor) -> Self {
        Self {
            tensors: vec![NamedTensor {
                name: name.into(),
                tensor,
                quantization: None,
            }],
        }
    }

    /// The tensor of input `name`.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|t| t.name == name)
    }
}

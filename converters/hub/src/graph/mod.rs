//! The graph that all converters share. It mirrors ONNX: nodes with an operator and named values,
//! weights as initializers, types and shapes of values where they are known.

mod attribute;
mod builder;
mod element;
mod node;
mod tensor;
mod value;

pub use attribute::Attribute;
pub use builder::Builder;
pub use element::ElementType;
pub use node::{Graph, Node};
pub use tensor::Tensor;
pub use value::{Value, fixed};

/// Operator set that importers build for: the newest that every engine here reads in full, with
/// axes of `ReduceSum`, `Split`, `Squeeze` and `Unsqueeze` as inputs and those of the other
/// reductions as attributes.
pub const OPSET: i64 = 13;

#[cfg(test)]
mod tests;

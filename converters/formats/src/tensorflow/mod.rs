//! TensorFlow's frozen graphs: `GraphDef` in the encoding of Protocol Buffers.
//!
//! The format: `graph.proto`, `node_def.proto`, `attr_value.proto` and `tensor.proto` of TensorFlow
//! (`tensorflow/core/framework`), read from their field numbers.

mod constant;
mod graph;
#[cfg(test)]
mod tests;
mod walk;

pub use constant::{Constant, DataType, MAX_FILLED_BYTES};
pub use graph::{Attribute, GraphDef, Input, MAX_GRAPH_BYTES, Node, Shape};
pub use walk::{MAX_MESSAGES, check};

/// The generated messages.
#[expect(
    unreachable_pub,
    clippy::pedantic,
    reason = "generated from proto/tensorflow.proto"
)]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/tensorflow.rs"));
}

//! ONNX files: a bounded walk over their bytes, what they declare, and weights kept in other files.
//!
//! The format: `onnx.proto` of the ONNX project, in the encoding of Protocol Buffers
//! (<https://protobuf.dev/programming-guides/encoding/>).

mod external;
mod file;
mod graph;
mod inline;
pub mod proto;
mod schema;
mod tensor;
#[cfg(test)]
mod tests;
mod walk;
mod wire;

pub use external::external_files;
pub use file::{MAX_ONNX_BYTES, OnnxFile};
pub use graph::{DeclaredOutput, GraphFacts};
pub use walk::{ExternalTensor, MAX_DEPTH, MAX_MESSAGES, check};

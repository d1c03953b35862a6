//! ONNX files: [`Graph::to_onnx`](crate::graph::Graph::to_onnx) and
//! [`Graph::from_onnx`](crate::graph::Graph::from_onnx).
//!
//! What a file can say and a graph here cannot (functions, sparse weights, sequences, texts, numbers
//! below eight bits) is an error when it is read: nothing is lost in silence. Documentation texts
//! and metadata of nodes are left behind.

mod attributes;
mod read;
#[cfg(test)]
mod tests;
mod typed;
mod write;

/// Version of the file format that is written: the one that came with operator set 13.
pub const IR_VERSION: i64 = 7;

/// Who wrote the file.
pub const PRODUCER: &str = "dyno";

//! Caffe: the text of a net (`.prototxt`) and the weights of its layers (`.caffemodel`).
//!
//! Forks of Caffe gave the same field numbers to different layers' parameters, so the structure of
//! a net is read from its text, where fields have names, and from the binary file only what every
//! fork agrees on: names of layers and their blobs.
//!
//! The formats: `caffe.proto` of BVLC Caffe 1.0 and NVCaffe 0.17; Protocol Buffers' text format
//! (<https://protobuf.dev/reference/protobuf/textformat-spec/>) and encoding.

mod lexer;
mod model;
mod text;
mod wire;

pub use model::{Blob, BlobElement, CaffeModel, MAX_BLOBS, ModelLayer, OldKind};
pub use text::{MAX_FIELDS, MAX_TEXT_BYTES, MAX_TEXT_DEPTH, TextField, TextMessage, TextValue};

#[cfg(test)]
mod tests;

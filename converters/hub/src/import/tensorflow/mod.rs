//! TensorFlow's frozen graphs (`GraphDef`) become ONNX.
//!
//! Inputs and outputs keep TensorFlow's shapes: an image that is N, H, W, C in the file is so in the
//! ONNX file, and what turns it lies inside. Between, values are kept in N, C, H, W wherever the
//! operators allow.

mod context;
mod detection;
mod finish;
mod fold;
mod import;
mod net;
mod ops;
mod rewrite;
mod translate;
mod unpool;
mod value;

#[cfg(test)]
mod tests;

pub use import::Tensorflow;

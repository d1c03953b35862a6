//! Readers of the files that models come in.
//!
//! Model files are untrusted. A reader here never panics, needs no more memory than the file has
//! bytes (a claim of a length allocates nothing), and its errors say where in the file the trouble
//! is. Engines and converters get bytes that were read and checked here.

pub mod caffe;
pub mod darknet;
mod error;
pub mod onnx;
pub mod openvino;
pub mod tensorflow;
pub mod torch7;

pub use error::FormatError;

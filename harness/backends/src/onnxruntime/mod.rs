//! `onnxruntime`: Microsoft's ONNX Runtime, opened at run time through the crate `ort`.

mod backend;
mod engine;
mod library;
mod search;

pub use backend::OnnxRuntime;
pub use search::{FoundLibrary, find_library};

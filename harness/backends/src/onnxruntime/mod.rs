//! `onnxruntime`: Microsoft's ONNX Runtime, opened at run time through the crate `ort`.

mod backend;
mod choice;
mod ffi;
mod library;
mod model;
mod providers;
mod slot;

pub use backend::OnnxRuntime;
pub use library::find_library;

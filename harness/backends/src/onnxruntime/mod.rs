//! `onnxruntime`: Microsoft's ONNX Runtime, opened at run time through the crate `ort`.

mod backend;
mod choice;
mod elf;
mod ffi;
mod library;
mod model;
mod providers;
mod search;
mod slot;

pub use backend::OnnxRuntime;
pub use search::{FoundLibrary, find_library};

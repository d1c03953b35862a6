//! `openvino`: Intel's OpenVINO, opened at run time through its C interface.

mod backend;
mod device;
mod element;
mod ffi;
mod ir;
mod library;
mod model;
mod settings;
mod slot;
mod source;

pub use backend::OpenVino;
pub use library::find_openvino;

//! `tract`: the built-in default engine, in pure Rust (crate `tract-onnx` of Sonos).

mod backend;
mod fence;
mod model;
mod slot;

pub use backend::Tract;

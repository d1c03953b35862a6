//! `tract`: the built-in default engine, in pure Rust (crate `tract-onnx` of Sonos).

mod backend;
mod engine;
mod fence;

pub use backend::Tract;

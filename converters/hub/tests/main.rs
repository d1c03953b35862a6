//! Graphs are run by independent engines: what hub writes computes what it should.

mod onnx_files;
mod support;

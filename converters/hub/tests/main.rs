//! Graphs are run by independent engines: what hub writes computes what it should.

mod darknet;
mod onnx_files;
mod support;

//! Graphs are run by independent engines: what hub writes computes what it should.

mod caffe;
mod darknet;
mod infer;
mod inspect;
mod onnx_files;
mod openvino;
mod passes;
mod support;
mod tensorflow;
mod torch7;

//! Importers: from another framework's files to ONNX, one folder a framework.

mod caffe;
mod darknet;
mod files;
mod openvino;
mod rename;
mod tensorflow;
mod torch7;

pub use caffe::Caffe;
pub use darknet::Darknet;
pub use openvino::OpenVino;
pub use tensorflow::Tensorflow;
pub use torch7::Torch7;

use dyno_core::Importer;

/// The importers of this build; one a framework.
pub const IMPORTERS: &[&dyn Importer] = &[&Caffe, &Darknet, &OpenVino, &Tensorflow, &Torch7];

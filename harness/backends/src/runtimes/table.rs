//! The runtimes by name.

use dyno_core::Row;

/// A runtime that can be installed.
#[derive(Debug, Clone, Copy)]
pub struct Runtime {
    /// Name of the runtime, and of its package in Python's index.
    pub name: &'static str,
    /// Version that is installed when none is asked for.
    pub version: &'static str,
    /// Id of the engine that opens its library.
    pub engine: &'static str,
    /// The variable that names the engine's library.
    pub variable: &'static str,
    /// Folder of the wheel whose shared libraries are kept.
    pub(super) folder: &'static str,
    /// What the library's file name begins with; the version follows.
    pub(super) library: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
}

impl Row for Runtime {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn onnxruntime(name: &'static str, version: &'static str, about: &'static str) -> Runtime {
    Runtime {
        name,
        version,
        engine: "onnxruntime",
        variable: "DYNO_ONNXRUNTIME",
        folder: "onnxruntime/capi/",
        library: "libonnxruntime.",
        about,
    }
}

/// The runtimes, in the order in which an engine tries those that are installed. Versions are those
/// that this dyno was tested with; that of `onnxruntime-gpu` was never run, because it needs an
/// NVIDIA GPU with CUDA and cuDNN.
pub const RUNTIMES: &[Runtime] = &[
    onnxruntime("onnxruntime", "1.31.1", "ONNX Runtime for the processor"),
    onnxruntime(
        "onnxruntime-openvino",
        "1.24.1",
        "ONNX Runtime with the provider `openvino`, OpenVINO inside",
    ),
    onnxruntime(
        "onnxruntime-gpu",
        "1.31.1",
        "ONNX Runtime with `cuda` and `tensorrt`; CUDA and cuDNN are the system's",
    ),
    Runtime {
        name: "openvino",
        version: "2026.4.1",
        engine: "openvino",
        variable: "DYNO_OPENVINO",
        folder: "openvino/libs/",
        library: "libopenvino_c.",
        about: "OpenVINO with its plugins for processor, GPU and NPU",
    },
];

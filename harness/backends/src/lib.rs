//! Inference engines behind one trait.
//!
//! [`BACKENDS`] is the table: one row and one folder an engine. A model is compiled once, its slots
//! share what was compiled, and a slot blocks in the thread that calls it; no thread is started
//! here. Checks of inputs, shapes and configuration are shared, so that every engine refuses the
//! same things in the same words; none ever falls back.
//!
//! Which rows exist is decided by the features `tract`, `rten`, `onnxruntime`, `openvino` and
//! `opencv`; [`ABSENT`] names those that were left out.

mod config;
#[cfg(any(feature = "opencv", feature = "openvino"))]
mod files;
#[cfg(any(feature = "opencv", feature = "openvino"))]
mod graph_def;
#[cfg(any(feature = "tract", feature = "rten", feature = "onnxruntime"))]
mod guard;
mod io;
#[cfg(any(feature = "onnxruntime", feature = "openvino"))]
mod native;
mod null;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
#[cfg(feature = "opencv")]
mod opencv;
#[cfg(any(feature = "tract", feature = "rten", feature = "onnxruntime"))]
mod opening;
#[cfg(feature = "openvino")]
mod openvino;
#[cfg(any(
    feature = "tract",
    feature = "rten",
    feature = "onnxruntime",
    feature = "opencv"
))]
mod precisions;
#[cfg(feature = "rten")]
mod rten;
mod runtimes;
#[cfg(any(
    feature = "tract",
    feature = "rten",
    feature = "onnxruntime",
    feature = "opencv",
    feature = "openvino"
))]
mod stages;
#[cfg(feature = "tract")]
mod tract;

pub use io::{check_inputs, resolve_shapes};
#[cfg(any(feature = "onnxruntime", feature = "openvino"))]
pub use native::search::FoundLibrary;
pub use null::Null;
#[cfg(feature = "onnxruntime")]
pub use onnxruntime::{OnnxRuntime, find_library};
#[cfg(feature = "opencv")]
pub use opencv::OpenCv;
#[cfg(feature = "openvino")]
pub use openvino::{OpenVino, find_openvino};
#[cfg(feature = "rten")]
pub use rten::Rten;
pub use runtimes::{
    Engines, Installed, RUNTIMES, Runtime, RuntimeError, Unpacked, sha256_of, unpack,
};
#[cfg(feature = "tract")]
pub use tract::Tract;

use dyno_core::Backend;

/// The engines of this build; the first that reads a model's framework is the default. `null`
/// computes nothing: it is last, and must be asked for by name.
pub const BACKENDS: &[&dyn Backend] = &[
    #[cfg(feature = "tract")]
    &Tract,
    #[cfg(feature = "rten")]
    &Rten,
    #[cfg(feature = "onnxruntime")]
    &OnnxRuntime,
    #[cfg(feature = "openvino")]
    &OpenVino,
    #[cfg(feature = "opencv")]
    &OpenCv,
    &Null,
];

/// Ids of engines that exist but were not compiled into this build; each is also the name of its
/// feature.
pub const ABSENT: &[&str] = &[
    #[cfg(not(feature = "tract"))]
    "tract",
    #[cfg(not(feature = "rten"))]
    "rten",
    #[cfg(not(feature = "onnxruntime"))]
    "onnxruntime",
    #[cfg(not(feature = "openvino"))]
    "openvino",
    #[cfg(not(feature = "opencv"))]
    "opencv",
];

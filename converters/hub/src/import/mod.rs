//! Importers: from another framework's files to ONNX, one folder a framework.

mod darknet;

pub use darknet::Darknet;

use dyno_core::Importer;

/// The importers of this build; one a framework.
pub const IMPORTERS: &[&dyn Importer] = &[&Darknet];

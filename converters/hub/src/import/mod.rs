//! Importers: from another framework's files to ONNX, one folder a framework.

use dyno_core::Importer;

/// The importers of this build; one a framework.
pub const IMPORTERS: &[&dyn Importer] = &[];

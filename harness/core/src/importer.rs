//! From another framework's files to ONNX bytes, so that every ONNX engine runs them.

use crate::{framework::Framework, source::ModelFile, table::Row};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a model cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not what it should be.
    #[error("malformed {framework} model: {reason}")]
    Malformed {
        /// The framework.
        framework: Framework,
        /// What is wrong, and where.
        reason: String,
    },
    /// The model uses operators that cannot be expressed; all of them.
    #[error("unsupported operators: {}", operators.join(", "))]
    Unsupported {
        /// The operators, each once.
        operators: Vec<String>,
    },
}

/// What was put between the model's files and the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportFacts {
    /// Row of the importer table.
    pub id: String,
    /// Version of its translation: another version may give another graph.
    pub version: u32,
    /// sha256 of the ONNX file that the engine opened.
    pub sha256: String,
}

/// A kind of importer: row of the importer table.
pub trait Importer: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// Framework that it reads.
    fn framework(&self) -> Framework;
    /// Counts up whenever the same files would give other bytes.
    fn version(&self) -> u32;
    /// A complete ONNX file.
    ///
    /// # Errors
    /// When a file is malformed or an operator is unknown; never a silently different model.
    fn to_onnx(&self, files: &[ModelFile]) -> Result<Vec<u8>, ImportError>;
}

impl Row for dyn Importer {
    fn name(&self) -> &'static str {
        self.id()
    }
}

//! From another framework's files to ONNX bytes, so that every ONNX engine runs them.

use crate::{
    framework::Framework,
    model::{DecoderSpec, InputSpec, Purpose},
    source::ModelFile,
    table::Row,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The model uses operators that cannot be expressed; all of them, each with its place (file
    /// and line, or node).
    #[error("unsupported operators: {}", operators.join(", "))]
    Unsupported {
        /// The operators, each once a place.
        operators: Vec<String>,
    },
    /// An option that the importer does not have, or a value that it cannot use.
    #[error("{0}")]
    Option(String),
}

/// What was put between the model's files and the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportFacts {
    /// Row of the importer table.
    pub id: String,
    /// Version of its translation: another version may give another graph.
    pub version: u32,
    /// How it was imported.
    #[serde(default, skip_serializing_if = "ImportOptions::is_default")]
    pub options: ImportOptions,
    /// sha256 of the ONNX file that the engine opened.
    pub sha256: String,
}

/// How a model is to be imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportOptions {
    /// Decoding heads (boxes from grids or priors, suppression) become part of the graph; otherwise
    /// the graph ends before them, and [`ImportSays::decoder`] says how its outputs are read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_graph: bool,
    /// Shapes of inputs that the files leave open, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// What only some formats leave open: `epsilon` of Darknet's batch normalization.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl std::fmt::Display for ImportOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = Vec::new();
        if self.in_graph {
            words.push("decoding heads in the graph".to_owned());
        }
        words.extend(self.parameters.iter().map(|(k, v)| format!("{k}={v}")));
        words.extend(self.shapes.iter().map(|(name, shape)| {
            let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
            format!("{name} {}", axes.join("x"))
        }));
        f.write_str(&words.join(", "))
    }
}

impl ImportFacts {
    /// Importer, version and options, for people.
    pub fn words(&self) -> String {
        let options = self.options.to_string();
        let options = if options.is_empty() {
            options
        } else {
            format!(" ({options})")
        };
        format!("{} version {}{options}", self.id, self.version)
    }
}

impl ImportOptions {
    /// Nothing is asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What the files say of the model beside its graph. Absent is what they do not say; nothing is
/// guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportSays {
    /// What the model is for.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// Its inputs, with the steps from image to tensor.
    #[serde(default)]
    pub inputs: Option<Vec<InputSpec>>,
    /// How its outputs are read: a row of the decoder table with anchors, priors and thresholds.
    #[serde(default)]
    pub decoder: Option<DecoderSpec>,
    /// Number of classes.
    #[serde(default)]
    pub classes: Option<usize>,
    /// Names of outputs in the order in which the decoder reads them.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// For people: what was cut, replaced or taken by default.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// An imported model.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// A complete ONNX file.
    pub onnx: Vec<u8>,
    /// What the files say beside it.
    pub says: ImportSays,
}

/// A kind of importer: row of the importer table.
pub trait Importer: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// Framework that it reads.
    fn framework(&self) -> Framework;
    /// Counts up whenever the same files would give other bytes.
    fn version(&self) -> u32;
    /// The model as a complete ONNX file, and what its files say beside it. The same files and
    /// options give the same bytes.
    ///
    /// # Errors
    /// When a file is malformed or an operator is unknown; never a silently different model.
    fn import(&self, files: &[ModelFile], options: &ImportOptions)
    -> Result<Imported, ImportError>;
}

impl Row for dyn Importer {
    fn name(&self) -> &'static str {
        self.id()
    }
}

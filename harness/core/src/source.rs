//! A model's files, and how a model is opened.

use crate::{framework::Framework, importer::ImportOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr, sync::Arc};

/// What a file is to its model.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    /// Graph, weights, or both: the manifest's `model_file`.
    Model,
    /// The second file of Caffe, Darknet and TensorFlow (`config_file`), and the `.bin` of an IR.
    Config,
    /// Weights that the model file keeps outside of itself (ONNX external data). There may be
    /// several; all lie in the model's folder or below it, and the model file names them.
    Weights,
    /// Class names.
    Labels,
    /// Colours of classes.
    Colors,
}

impl FileRole {
    /// The engine reads it: it decides what the model computes.
    pub fn is_weights(self) -> bool {
        matches!(self, Self::Model | Self::Config | Self::Weights)
    }
}

/// Where a file's bytes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelContent {
    /// On disk.
    Path(PathBuf),
    /// In memory: what an importer made.
    #[serde(skip)]
    Bytes(Arc<Vec<u8>>),
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// What it is.
    pub role: FileRole,
    /// Where it is.
    pub content: ModelContent,
}

/// A model as an engine gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSource {
    /// Framework of the files.
    pub framework: Framework,
    /// The files; the engine takes those of the roles it knows.
    pub files: Vec<ModelFile>,
}

impl ModelSource {
    /// The first file of a role.
    pub fn file(&self, role: FileRole) -> Option<&ModelFile> {
        self.files.iter().find(|f| f.role == role)
    }
}

/// Arithmetic that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As the model file has it: f32 stays f32 (never silently bf16), quantized stays quantized.
    #[default]
    Native,
    /// IEEE binary32.
    F32,
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// 8 bit.
    Int8,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        })
    }
}

impl FromStr for Precision {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "native" => Ok(Self::Native),
            "f32" | "fp32" => Ok(Self::F32),
            "f16" | "fp16" => Ok(Self::F16),
            "bf16" => Ok(Self::Bf16),
            "int8" => Ok(Self::Int8),
            _ => Err(format!(
                "unknown precision `{s}` (there are: native, f32, f16, bf16, int8)"
            )),
        }
    }
}

/// How to open a model. Everything is concrete; an engine that cannot do one of these refuses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenConfig {
    /// `cpu`, `gpu:0`, `npu`.
    pub device: String,
    /// Arithmetic.
    pub precision: Precision,
    /// Threads of one run; at least 1.
    pub threads: u32,
    /// Samples of one run; replaces a symbolic or unknown first dimension.
    pub batch: u32,
    /// How many slots will be made: for engines that size pools or streams when they compile. It
    /// limits nothing.
    pub slots: u32,
    /// Concrete shapes of inputs by name, the batch included; for inputs whose shape the file
    /// leaves open.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Outputs to fetch, in this order; empty for all in the file's order.
    pub outputs: Vec<String>,
    /// Settings that only this engine knows; an unknown key is an error.
    pub settings: BTreeMap<String, String>,
    /// How the model is imported, where the engine does not read its framework.
    #[serde(default)]
    pub import: ImportOptions,
}

impl Default for OpenConfig {
    fn default() -> Self {
        Self {
            device: "cpu".to_owned(),
            precision: Precision::Native,
            threads: 1,
            batch: 1,
            slots: 1,
            shapes: BTreeMap::new(),
            outputs: Vec::new(),
            settings: BTreeMap::new(),
            import: ImportOptions::default(),
        }
    }
}

//! An inference engine as a row of the backend table.

use crate::{
    framework::Framework,
    session::Session,
    table::Row,
    tensor::{DType, TensorError},
};
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
    /// Class names.
    Labels,
    /// Colours of classes.
    Colors,
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
    /// The file of a role.
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
pub struct SessionConfig {
    /// `cpu`, `gpu:0`, `npu`.
    pub device: String,
    /// Arithmetic.
    pub precision: Precision,
    /// Threads of one run; at least 1.
    pub threads: u32,
    /// Samples of one run; replaces a symbolic or unknown first dimension.
    pub batch: u32,
    /// Queries under way at once. 1 gives a blocking session that runs in the caller's thread.
    pub slots: u32,
    /// Concrete shapes of inputs by name, the batch included; for inputs whose shape the file
    /// leaves open.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Outputs to fetch, in this order; empty for all in the file's order.
    pub outputs: Vec<String>,
    /// Settings that only this engine knows; an unknown key is an error.
    pub settings: BTreeMap<String, String>,
}

impl Default for SessionConfig {
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
        }
    }
}

/// One line of `doctor`: a thing that is there or not, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at: `compiled in`, `library`, `device cpu`.
    pub what: String,
    /// It is there.
    pub ok: bool,
    /// Path and version, or the reason and what to do.
    pub detail: String,
}

/// What a backend can do on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// From the build to the device, in this order.
    pub checks: Vec<Check>,
    /// Devices that can be named in [`SessionConfig::device`].
    pub devices: Vec<String>,
}

impl Availability {
    /// A model can be opened.
    pub fn usable(&self) -> bool {
        self.checks.iter().all(|c| c.ok) && !self.devices.is_empty()
    }

    /// Why not.
    pub fn first_problem(&self) -> Option<&Check> {
        self.checks.iter().find(|c| !c.ok)
    }
}

/// Why a backend did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// Library, device or driver is not there.
    #[error("{backend} cannot run here: {reason}")]
    Unavailable {
        /// Id of the backend.
        backend: &'static str,
        /// What is missing, and what would help.
        reason: String,
    },
    /// The engine cannot do what the configuration asks for.
    #[error("{backend} does not support {what}")]
    Unsupported {
        /// Id of the backend.
        backend: &'static str,
        /// What, with what it does support.
        what: String,
    },
    /// The model file was refused.
    #[error("{backend} cannot load the model: {reason}")]
    Load {
        /// Id of the backend.
        backend: &'static str,
        /// The engine's words.
        reason: String,
    },
    /// A run failed.
    #[error("{backend} failed while running: {reason}")]
    Run {
        /// Id of the backend.
        backend: &'static str,
        /// The engine's words.
        reason: String,
    },
    /// The inputs do not fit the model.
    #[error(
        "input `{name}` expects {expected_dtype} {expected_shape:?}, got {found_dtype} {found_shape:?}"
    )]
    Input {
        /// Name of the input.
        name: String,
        /// Type of the model.
        expected_dtype: DType,
        /// Shape of the model.
        expected_shape: Vec<usize>,
        /// Type given.
        found_dtype: DType,
        /// Shape given.
        found_shape: Vec<usize>,
    },
    /// An input is missing or a slot is misused: a mistake of the caller.
    #[error("{0}")]
    Usage(String),
    /// A tensor is inconsistent.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

/// An inference engine.
pub trait Backend: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// One line for people.
    fn about(&self) -> &'static str;
    /// Frameworks whose files it opens itself.
    fn reads(&self) -> &'static [Framework];
    /// What is there on this machine. Cheap, and never a panic.
    fn probe(&self) -> Availability;
    /// Opens a model.
    ///
    /// # Errors
    /// When engine, device, precision, threads or model are not to be had exactly as asked. Never
    /// falls back.
    fn open(
        &self,
        model: &ModelSource,
        config: &SessionConfig,
    ) -> Result<Box<dyn Session>, BackendError>;
}

impl Row for dyn Backend {
    fn name(&self) -> &'static str {
        self.id()
    }
}

//! What an engine says of its inputs and outputs.

use super::dtype::DType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Order of the axes of an image tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[batch, channels, height, width]`.
    #[default]
    Nchw,
    /// `[batch, height, width, channels]`.
    Nhwc,
}

/// One dimension of a declared shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// A number.
    Fixed(usize),
    /// A name that stands for a number; the same name means the same number.
    Symbolic(String),
    /// Nothing is known.
    Unknown,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(n) => write!(f, "{n}"),
            Self::Symbolic(s) => f.write_str(s),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// Affine quantization: `real = (stored - zero_point) * scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantization {
    /// Size of one step.
    pub scale: f64,
    /// Stored value of real 0.
    pub zero_point: i32,
}

/// Name, type and shape of an input or output as the engine sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorInfo {
    /// Name in the model file.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Declared shape.
    pub shape: Vec<Dimension>,
    /// Order of the axes, where the engine knows that it is an image; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// How stored integers stand for real numbers, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
}

impl TensorInfo {
    /// A tensor of which nothing but name, type and shape is known.
    pub fn new(name: impl Into<String>, dtype: DType, shape: Vec<Dimension>) -> Self {
        Self {
            name: name.into(),
            dtype,
            shape,
            layout: None,
            quantization: None,
        }
    }

    /// The shape, when every dimension is a number.
    pub fn fixed_shape(&self) -> Option<Vec<usize>> {
        self.shape
            .iter()
            .map(|d| match d {
                Dimension::Fixed(n) => Some(*n),
                _ => None,
            })
            .collect()
    }
}

/// Inputs and outputs of an open model, in the order of its file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IoSpec {
    /// Inputs that a query must supply (weights listed as graph inputs are not among them).
    pub inputs: Vec<TensorInfo>,
    /// Outputs.
    pub outputs: Vec<TensorInfo>,
}

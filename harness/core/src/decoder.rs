//! From a model's outputs to predictions.

use crate::{
    labels::LabelMap,
    model::{DecoderSpec, Thresholds},
    prediction::{Prediction, PredictionKind},
    table::Row,
    tensor::{IoSpec, TensorError, TensorView},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one image was resized: `x_network = x_image · scale_x + offset_x`, in pixels, likewise for
/// y.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Width of the original image in pixels.
    pub image_width: u32,
    /// Height of the original image in pixels.
    pub image_height: u32,
    /// Width of the model's input in pixels.
    pub network_width: u32,
    /// Height of the model's input in pixels.
    pub network_height: u32,
    /// Horizontal factor.
    pub scale_x: f64,
    /// Vertical factor.
    pub scale_y: f64,
    /// Horizontal shift in network pixels (padding is positive, cropping negative).
    pub offset_x: f64,
    /// Vertical shift in network pixels.
    pub offset_y: f64,
}

/// Which thresholds of the model apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdSet {
    /// Accuracy runs: keep nearly everything.
    Evaluate,
    /// Timed runs: keep what a user would keep.
    Deploy,
}

/// What a decoder is built from.
#[derive(Debug, Clone, Copy)]
pub struct DecoderContext<'a> {
    /// The model's words.
    pub spec: &'a DecoderSpec,
    /// The thresholds to use, already chosen; `None` when neither model nor recipe gives any.
    pub thresholds: Option<Thresholds>,
    /// Inputs and outputs of the open model, in the order in which `decode` gets them.
    pub io: &'a IoSpec,
    /// Width and height of the model's input in pixels.
    pub network_size: [u32; 2],
    /// The model's classes; empty when nobody names them.
    pub labels: &'a LabelMap,
}

/// Why outputs cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The decoder's parameters are wrong.
    #[error("decoder `{decoder}`: {reason}")]
    Parameters {
        /// Row of the table.
        decoder: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The outputs are not what this decoder reads.
    #[error("decoder `{decoder}` expects {expected}, the model gives {found}")]
    Outputs {
        /// Row of the table.
        decoder: &'static str,
        /// Names and shapes it reads.
        expected: String,
        /// Names and shapes of the model.
        found: String,
    },
    /// A tensor is inconsistent.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

/// Reads outputs of one model. Keeps its buffers between calls.
pub trait Decoder: Send {
    /// Appends one prediction per geometry to `predictions`: `outputs` are those of one run, in the
    /// order of [`DecoderContext::io`], with one batch item per geometry. Non-finite boxes and
    /// scores are dropped. Class ids are the model's.
    ///
    /// # Errors
    /// When shapes or types are not those the decoder was built for.
    fn decode(
        &mut self,
        outputs: &[TensorView<'_>],
        geometries: &[Geometry],
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), DecodeError>;
}

/// A kind of decoder: row of the decoder table.
pub trait DecoderKind: Send + Sync {
    /// Kebab-case id, unique in the table.
    fn id(&self) -> &'static str;
    /// One line for people: which outputs it reads and which parameters it has.
    fn about(&self) -> &'static str;
    /// Its outputs hold many boxes of one object, so thresholds without an IoU keep them all.
    /// `false` where the model suppresses them itself, or there are no boxes.
    fn suppresses(&self) -> bool {
        false
    }
    /// What its decoders say of a sample.
    fn predicts(&self) -> PredictionKind;
    /// Builds a decoder, checking parameters and the shapes of outputs.
    ///
    /// # Errors
    /// When parameters or outputs do not fit.
    fn build(&self, context: &DecoderContext<'_>) -> Result<Box<dyn Decoder>, DecodeError>;
}

impl Row for dyn DecoderKind {
    fn name(&self) -> &'static str {
        self.id()
    }
}

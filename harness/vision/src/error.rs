//! What can go wrong between an image and a tensor.

use dyno_core::{DType, TensorError};
use dyno_image::ImageError;

/// Error of preprocessing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VisionError {
    /// Steps that cannot be carried out, whatever the image.
    #[error("preprocessing of input `{input}`: {reason}")]
    Steps {
        /// Name of the model's input.
        input: String,
        /// What is impossible.
        reason: String,
    },
    /// The image does not fit the steps.
    #[error("an image of {width}x{height} cannot be preprocessed for input `{input}`: {reason}")]
    ImageSize {
        /// Name of the model's input.
        input: String,
        /// Width of the image in pixels.
        width: u32,
        /// Height of the image in pixels.
        height: u32,
        /// Why not.
        reason: String,
    },
    /// The tensor to write into is not the one that the preprocessor makes.
    #[error(
        "input `{input}` needs item {item} of a tensor {expected_dtype}{expected:?}, got {found_dtype}{found:?}"
    )]
    Tensor {
        /// Name of the model's input.
        input: String,
        /// Item asked for.
        item: usize,
        /// Type of the model's input.
        expected_dtype: DType,
        /// Shape of the model's input.
        expected: Vec<usize>,
        /// Type given.
        found_dtype: DType,
        /// Shape given.
        found: Vec<usize>,
    },
    /// The image itself.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The tensor itself.
    #[error(transparent)]
    TensorData(#[from] TensorError),
}

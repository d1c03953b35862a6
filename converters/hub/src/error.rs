//! Why a graph cannot be built, checked or written.

use crate::graph::ElementType;

/// Why a graph cannot be built, checked or written.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Format(#[from] dyno_formats::FormatError),
    /// Values and shape of a tensor do not fit.
    #[error("a tensor of {dtype} and shape {dims:?} needs {expected} bytes, got {found}")]
    TensorBytes {
        /// Element type.
        dtype: ElementType,
        /// Shape.
        dims: Vec<usize>,
        /// Bytes that the shape needs; `usize::MAX` when it is too large to count.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A tensor holds another element type than the reader needs.
    #[error("a tensor holds {found}, not {expected}")]
    TensorType {
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        found: ElementType,
    },
    /// The graph breaks a rule of ONNX.
    #[error("{place}: {problem}")]
    Graph {
        /// Node or value, by name.
        place: String,
        /// The rule that is broken.
        problem: String,
    },
}

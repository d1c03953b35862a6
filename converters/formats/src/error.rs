//! Why a model file cannot be read.

use std::{io, path::PathBuf};

/// Why a model file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A file is not there, or may not be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words; part of the text, because engines hand on the text alone.
        source: io::Error,
    },
    /// A folder, pipe or device in place of a file.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// More than the format can hold.
    #[error("{what} has {bytes} bytes, and a file of this format at most {limit}")]
    TooLarge {
        /// The file, or the file with its weights.
        what: String,
        /// Its size.
        bytes: u64,
        /// Largest size.
        limit: u64,
    },
    /// The bytes are no ONNX file.
    #[error("not an ONNX file, or a damaged one: at byte {offset}: {problem}")]
    Onnx {
        /// Where, counted from the beginning of the file.
        offset: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The bytes are no file of the format, or a damaged one.
    #[error("not a {format} file, or a damaged one: {place}: {problem}")]
    Malformed {
        /// Name of the format, for people.
        format: &'static str,
        /// Where: a byte, a line, a layer.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// The graph cannot be used as a model.
    #[error("{0}")]
    Graph(String),
    /// No file of role `model` was given.
    #[error("no file of role `model` was given")]
    NoModel,
    /// Weights that the file keeps elsewhere cannot be had.
    #[error("weights of tensor `{tensor}` in `{location}`: {problem}")]
    Weights {
        /// Name of the tensor.
        tensor: String,
        /// The file that the model names.
        location: String,
        /// Why not.
        problem: String,
    },
}

//! The messages of ONNX files as types, for converters that read a whole graph and write one.
//!
//! Field numbers: `proto/onnx.proto`. [`decode`] walks over the bytes before the messages are made,
//! so that a hostile file is an error with its place. Weights stay slices of the file's bytes.

use super::{MAX_ONNX_BYTES, walk::check};
use crate::FormatError;
use bytes::Bytes;
use prost::Message as _;

#[expect(
    missing_docs,
    reason = "generated from proto/onnx.proto, which has the words"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/onnx.rs"));
}

pub use generated::*;

/// The message of an ONNX file that holds its weights itself; they share the memory of `bytes`.
///
/// # Errors
/// As [`check`]; [`FormatError::Weights`] when values lie in another file.
pub fn decode(bytes: Bytes) -> Result<ModelProto, FormatError> {
    if let Some(first) = check(&bytes)?.first() {
        return Err(first.error("a model in memory has no folder to look in"));
    }
    ModelProto::decode(bytes).map_err(|e| FormatError::Malformed {
        format: "ONNX",
        place: "message".to_owned(),
        problem: e.to_string(),
    })
}

/// The bytes of a model file. Equal messages give equal bytes.
///
/// # Errors
/// [`FormatError::TooLarge`] beyond what a message of Protocol Buffers may have.
pub fn encode(model: &ModelProto) -> Result<Vec<u8>, FormatError> {
    let bytes = model.encoded_len() as u64;
    if bytes > MAX_ONNX_BYTES {
        return Err(FormatError::TooLarge {
            what: "the ONNX model".to_owned(),
            bytes,
            limit: MAX_ONNX_BYTES,
        });
    }
    Ok(model.encode_to_vec())
}

//! Torch7 object files (`.t7`, `.net`, `.dat`): a stream of tables, tensors and objects, binary or
//! ascii.
//!
//! Source: `File.lua`, `Tensor.lua` and `THDiskFile.c` of `torch/torch7` (2018). Binary files are
//! little-endian; their `long` has 8 bytes, or 4 where the writer's machine had those, which is
//! found by reading. Objects that occur several times in the stream are one object here too, so
//! that a pool and its unpooling share their tensor of indices.
//!
//! The file's own structure, nothing of ONNX. Functions are passed over; no code of a file is run.

mod object;
mod read;
mod source;

pub use object::{Element, File, Number, Object, Storage, Table, Tensor, Value};
pub use read::read;

#[cfg(test)]
mod tests;

//! The operators that can be translated: one function and one row an operator.
//!
//! Semantics: TensorFlow's operator definitions (`tensorflow/core/api_def/base_api`).

mod arrange;
mod compare;
mod convolution;
mod elementwise;
mod join;
mod lstm;
mod normalize;
mod pick;
mod pool;
mod quantized;
mod reduce;
mod resize;
mod shape;
mod slice;
mod space;
mod table;

pub(super) use pool::unpool;
pub(super) use table::{OPERATORS, is_loop};

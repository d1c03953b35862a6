//! Tensors in host memory: described, owned, viewed and named.
//!
//! Data are dense and row-major (the last dimension varies fastest). A [`TensorSet`] is what a
//! query carries to an engine; its buffers are made once and written again for every query.

mod data;
mod dtype;
mod info;
mod set;
#[expect(
    clippy::module_inception,
    reason = "the room is about tensors, this file about one"
)]
mod tensor;
mod view;

pub use data::{HostBuffer, TensorData, TensorSlice, TensorSliceMut};
pub use dtype::DType;
pub use info::{Dimension, IoSpec, Layout, Quantization, TensorInfo};
pub use set::{NamedTensor, TensorSet};
pub use tensor::{Tensor, TensorError};
pub use view::TensorView;

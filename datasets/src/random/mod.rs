//! Tensors without a data set: seeded random numbers, or the content of a file, for timing a model
//! that nobody describes.

mod dataset;
mod npy;
#[cfg(test)]
mod tests;

pub(crate) use dataset::Random;
pub use dataset::request;

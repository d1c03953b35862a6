//! Preprocessing: the steps of a model's input, carried out on an image and written into one item
//! of a tensor.

mod chain;
mod pack;
mod preprocessor;

pub use preprocessor::Preprocessor;

#[cfg(test)]
mod tests;

//! What a graph is made of and what it costs: operators, parameters, arithmetic, memory.
//!
//! **Arithmetic.** A multiply-accumulate (MAC) is one product that is added to a sum. Those of
//! convolutions (also transposed and quantized ones) and of products of matrices (`Gemm`, `MatMul`
//! and their quantized forms) are counted, nothing else: no bias, activation, normalization, pool
//! or element-wise operation. FLOPs are twice the MACs. Both are per sample.
//!
//! **Parameters** are the elements of all initializers and constants but lists of `i64`, which are
//! shapes, axes and indices.
//!
//! **Memory** of activations is the most that is alive at once when the nodes run in the graph's
//! order and each writes new memory: values live from the node that makes them to the last that
//! reads them, inputs from the start, outputs to the end. Engines need less where they work in
//! place, and more for scratch memory. Weights are not in it.

mod cost;
mod memory;
mod summary;
#[cfg(test)]
mod tests;

pub use summary::{Port, Summary};

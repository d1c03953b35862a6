//! The layers, one function each: it reads the parameters and gives back how the layer is lowered
//! once the shapes of its bottoms are known.

pub(super) mod activation;
pub(super) mod argmax;
pub(super) mod arithmetic;
pub(super) mod convolution;
pub(super) mod detection;
mod detection_graph;
pub(super) mod normalization;
pub(super) mod pooling;
pub(super) mod region;
pub(super) mod shape;
mod window;

//! Operators of the IR's operation sets, one file a family.

pub(super) mod activation;
pub(super) mod arithmetic;
pub(super) mod convolution;
pub(super) mod detection;
pub(super) mod normalize;
pub(super) mod padding;
pub(super) mod pooling;
pub(super) mod priors;
pub(super) mod quantize;
pub(super) mod resize;
pub(super) mod select;
pub(super) mod shape;

//! Modules, one file a family.

pub(super) mod activation;
pub(super) mod array;
pub(super) mod container;
pub(super) mod convolution;
pub(super) mod normalize;
pub(super) mod pooling;

//! Pictures of shapes with exact ground truth: no download, any number, the same pixels on every
//! platform.
//!
//! A picture is a gradient with clutter, one shape or several of six classes ([`SHAPES`]), and
//! noise, drawn with integers from a ChaCha8 stream. Boxes have the visible extent: the part of a
//! shape that is inside the picture and not covered by a later one.

mod dataset;
mod draw;
mod random;
mod scene;
#[cfg(test)]
mod tests;
mod truths;
mod write;

pub use dataset::Synthetic;
pub use draw::SHAPES;
pub use scene::{SyntheticSpec, Task};
pub use write::{Layout, write};

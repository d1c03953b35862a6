//! Resampling, exact to the pixel against the library that each kernel names.
//!
//! Written from the formulas and from observed output. OpenCV's coordinates: the centre of
//! destination pixel `x` lies at source coordinate `(x + 0.5) * scale - 0.5`, with `scale` the
//! reciprocal of `destination / source` in f64. Pillow's: `(x + 0.5) * source / destination`,
//! kernel widened by the same ratio when it shrinks.

mod area;
mod axis;
mod cubic;
mod linear;
mod nearest;
mod pillow;
mod resizer;
mod warp;

#[cfg(test)]
mod tests;

pub use resizer::{Resizer, opencv_extent};

//! COCO's average precision and recall of boxes.
//!
//! Overlap and assignment come from `hotcoco`; what counts, in which order, and the sums over
//! weighted images are ours, and the tests prove that the numbers are pycocotools 2.0.11's to the
//! last bit. An image is matched as it comes ([`matching`]) and kept in 24 bytes a detection;
//! [`gather`] takes one class at a time out of all images, [`accumulate`] sums it.

mod accumulate;
mod categories;
mod details;
mod export;
mod gather;
mod matching;
mod metric;

pub use export::{ExportError, export_coco};
pub use metric::CocoAp;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::assets;

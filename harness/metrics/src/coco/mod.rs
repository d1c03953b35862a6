//! COCO's average precision and recall of boxes.
//!
//! Matching and the plain scores come from `hotcoco`, whose numbers equal pycocotools 2.0.11's
//! (tests here prove it again). The weighted sums of the bootstrap, where an image counts as often
//! as it was drawn, are ours: [`matches`] keeps the outcome of matching, [`accumulate`] sums it.

mod accumulate;
mod categories;
mod engine;
mod export;
mod matches;
mod metric;

pub use export::{ExportError, export_coco};
pub use metric::CocoAp;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::assets;

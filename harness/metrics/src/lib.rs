//! Top-k, COCO AP, VOC AP and their intervals.
//!
//! A row of [`METRICS`] is a kind; it builds instances from the dataset's classes and its own
//! parameters. State is keyed by sample, so that shards may come in any order, and twice: `finish`
//! always works through the samples in one order and gives the same bits. What chance level is, a
//! row says itself.

mod coco;
mod interval;
mod matches;
mod objects;
mod state;
mod table;
mod top_k;
mod voc;

pub use coco::{CocoAp, ExportError, export_coco};
pub use interval::LEVEL;
pub use top_k::TopK;
pub use voc::VocAp;

use dyno_core::MetricKind;

/// The metrics.
pub const METRICS: &[&dyn MetricKind] = &[
    &TopK,   //
    &CocoAp, //
    &VocAp,  //
];

//! COCO, VOC, YOLO, ImageNet, folder, synthetic and random data sets, and the sample sets taken from
//! them.
//!
//! A dataset is opened from a [`dyno_core::DatasetRequest`] (text form: [`parse_request`]) by a row
//! of [`DATASETS`]; [`select`] picks the samples of a run and gives them the identity that makes
//! scores comparable. Opening reads annotations and checks that they fit together and to the files
//! on disk; no image is decoded here.

mod card;
mod check;
mod coco;
mod files;
mod folder;
mod hash_cache;
mod imagenet;
mod inspect;
mod known;
mod name;
pub mod random;
mod request;
mod seal;
mod select;
pub mod synthetic;
mod voc;
mod yolo;

use dyno_core::DatasetKind;

pub use hash_cache::HashCache;
pub use inspect::{Finding, FindingKind, Inspection, inspect};
pub use request::{open, parse_request};
pub use seal::{Sealed, seal};
pub use select::select;

/// Every kind of dataset.
pub const DATASETS: &[&dyn DatasetKind] = &[
    &coco::Coco,
    &voc::Voc,
    &yolo::Yolo,
    &imagenet::Imagenet,
    &folder::Folder,
    &synthetic::Synthetic,
    &random::Random,
];

#[cfg(test)]
mod real_tests;

#[cfg(test)]
fn truth(set: &dyn dyno_core::Dataset, index: usize) -> dyno_core::Annotation {
    set.truth(dyno_core::SampleIndex(index as u32))
        .expect("is there")
}

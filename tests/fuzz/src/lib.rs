//! Fuzz targets for everything that dyno reads and did not write.
//!
//! A target is a property that holds for any bytes at all, and a few valid inputs to start from: a
//! file here, its `mod` line and its row below. `cargo test` asks it about the seeds, about damaged
//! seeds, about random bytes and about what campaigns found (`corpus/TARGET`); under `cargo bolero`
//! the same tests are campaigns, led by coverage (CONTRIBUTING.md says how).
#![cfg(test)]

mod corpus;
mod damage;
mod datasets;
mod exchange;
mod images;
mod json;
mod manifests;
mod onnx;
mod place;
mod records;
mod reports;
mod target;
mod tests;

use target::{Target, targets};

targets! {
    coco: datasets::COCO,
    exchange: exchange::TARGET,
    imagenet: datasets::IMAGENET,
    images: images::TARGET,
    json_edits: manifests::EDITS,
    manifests: manifests::MANIFESTS,
    onnx: onnx::TARGET,
    records: records::TARGET,
    voc: datasets::VOC,
}

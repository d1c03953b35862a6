//! The decoders: from a model's outputs to predictions, one file a family of models.

mod anchor_heads;
mod boxes;
mod classification;
mod fastestdet;
mod nanodet;
mod region;
mod shared;
mod ssd;
mod ssd_anchors;
mod ssd_priors;
mod yolo;
mod yolov8;
mod yolox;

pub use classification::Classification;
pub use fastestdet::Fastestdet;
pub use nanodet::Nanodet;
pub use region::Region;
pub use ssd::Ssd;
pub use ssd_anchors::SsdAnchors;
pub use ssd_priors::SsdPriors;
pub use yolo::Yolo;
pub use yolov8::Yolov8;
pub use yolox::Yolox;

use dyno_core::DecoderKind;

/// Every decoder.
pub const DECODERS: &[&dyn DecoderKind] = &[
    // Image-wise.
    &Classification,
    // Box-wise.
    &Yolox,
    &Yolov8,
    &Nanodet,
    &Fastestdet,
    &Ssd,
    &SsdAnchors,
    &SsdPriors,
    &Yolo,
    &Region,
];

#[cfg(test)]
mod tests;

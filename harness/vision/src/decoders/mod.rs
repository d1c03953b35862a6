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
mod yolo;
mod yolov8;
mod yolox;

pub use classification::Classification;
pub use fastestdet::Fastestdet;
pub use nanodet::Nanodet;
pub use region::Region;
pub use ssd::Ssd;
pub use ssd_anchors::SsdAnchors;
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
    &Yolo,
    &Region,
];

#[cfg(test)]
mod tests;

//! From pixels to tensors and from outputs to predictions: preprocessing, recipes, decoders and
//! non-maximum suppression.
//!
//! Everything here is a pure function of its inputs: no flags, no files, no clock. The pixels come
//! from `dyno-image`, whose kernels reproduce OpenCV and Pillow to the byte; the arithmetic after
//! them is f32 in a documented order, so that a tensor has the same bits as the one a Python
//! pipeline makes. The tests compare hashes of such tensors.

mod decoders;
mod error;
mod nms;
mod preprocess;
mod recipes;

pub use decoders::{
    Classification, DECODERS, Fastestdet, Nanodet, Region, Ssd, SsdAnchors, SsdPriors, Yolo,
    Yolov8, Yolox,
};
pub use error::VisionError;
pub use nms::{Candidate, Nms, NmsOptions};
pub use preprocess::Preprocessor;
pub use recipes::RECIPES;

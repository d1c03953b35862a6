//! Graphs of TensorFlow's Object Detection API: their loops over pictures and classes are recognised
//! and replaced.
//!
//! Such a graph reads pictures of any size, resizes each in a `while` loop, predicts box encodings
//! and class scores for fixed anchors, and decodes and suppresses in another loop. Here it begins
//! with the resized picture; it ends with encodings and scores, or with the API's four outputs
//! computed without a loop.
//!
//! Source: `object_detection` of tensorflow/models, `meta_architectures/ssd_meta_arch.py`,
//! `core/post_processing.py`, `box_coders/faster_rcnn_box_coder.py`.

mod entry;
mod head;
mod lower;
mod replace;

pub(super) use entry::Entry;
pub(super) use head::{Head, OUTPUTS};
pub(super) use replace::CUT;

use head::Scores;
use lower::lower;

//! Darknet: detectors of the YOLO family and classifiers, as AlexeyAB's fork computes them on a
//! CPU, forward only.
//!
//! Convention: every value is `[N, channels, height, width]`, as Darknet's layers are, and is named
//! after the layer as OpenCV names it (`conv_12`, `shortcut_15`), counted from 0 without `[net]`.
//! Source: `parser.c`, the layers' `forward_…_layer` and `activations.h` of
//! <https://github.com/AlexeyAB/darknet>, 59596d78.
//!
//! First everything that cannot be expressed is looked for, without a shape or a weight
//! ([`survey`]); then the layers are built one after another, each taking its weights from the file.

mod activation;
mod heads;
mod importer;
mod joining;
mod lowering;
mod net;
mod pooling;
mod reshaping;
mod sections;
mod survey;
#[cfg(test)]
mod tests;
mod weighted;

pub use importer::Darknet;
